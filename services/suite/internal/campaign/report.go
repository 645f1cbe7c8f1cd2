package campaign

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc"

	"github.com/lockstep-logistics/lockstep/services/suite/internal/campaign/scripts"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/checker"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/history"
)

// strike is one fault as it was.
type strike struct {
	name, what string
	hit        bool // it found what it strikes at
	from, to   time.Time
	stall      time.Duration // longest time without a success of any client, until the next strike
}

// sample is a command that succeeded.
type sample struct {
	begin time.Time
	took  time.Duration
}

// Report is what a campaign found.
type Report struct {
	Seed              uint64
	Walked, Cancelled int64
	Scripted          [scripts.Kinds]int64
	Failed            []error         // orders that did not come to their end
	Answers           history.Answers // to every attempt of every client
	Acknowledged      int
	Lost, Twice       int
	NotApplied        int
	Commits, Facts    int
	Undecided         []string      // contended objects whose history is too large to decide
	Settled           time.Duration // until everything had its effect
	Violations        []string

	mu          sync.Mutex
	samples     []sample
	struck      []strike
	wanted      []fault       // all kinds that were to strike
	stall       time.Duration // longest without a success, beside strikes or not
	stops       stops
	begun       time.Time // of the load that is struck
	first, last time.Time // of the faults
	resumed     time.Time // when the database answered again after a storm
	before      map[string]held
	after       map[string]held // at rest again, by service
}

func (r *Report) took(begin time.Time, took time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.samples = append(r.samples, sample{begin, took})
}

func (r *Report) add(s strike) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.struck = append(r.struck, s)
}

// Broken reports whether any guarantee was, or may have been: one that could not be decided,
// or that nobody used, was not kept.
func (r *Report) Broken() bool {
	return r.Acknowledged == 0 || r.Lost+r.Twice+r.NotApplied+len(r.Violations)+len(r.Failed)+len(r.Undecided) > 0
}

// hits are how often each kind struck, and how often it found nothing to strike at.
func (r *Report) hits() (hits, misses map[string]int) {
	hits, misses = map[string]int{}, map[string]int{}
	for _, s := range r.struck {
		if s.hit {
			hits[s.name]++
		} else {
			misses[s.name]++
		}
	}
	return hits, misses
}

// printed bounds the violations that are printed one by one.
const printed = 40

// Print writes what was found.
func (r *Report) Print(w io.Writer) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	hits, misses := r.hits()
	struck := 0
	for _, n := range hits {
		struck += n
	}
	_, err := fmt.Fprintf(w, `
seed                        %d
faults                      %d of %d kinds in %.0f s
orders walked, cancelled    %d, %d
  held, put back, supplied  %v
  not come to their end     %d
at rest after               %.1f s, %d commits, %d facts
answers by status           %v
histories not decided       %d
`, r.Seed, struck, len(hits), r.last.Sub(r.first).Seconds(), r.Walked, r.Cancelled, r.Scripted, len(r.Failed), r.Settled.Seconds(), r.Commits, r.Facts, r.Answers, len(r.Undecided))
	if err == nil {
		err = r.stops.print(w)
	}
	for _, line := range slices.Concat(r.idle(hits, misses), r.wrongs()) {
		if err == nil {
			_, err = fmt.Fprintln(w, line)
		}
	}
	if err == nil {
		err = r.printFigures(w)
	}
	return err
}

// idle names the kinds that were to strike and never did: too little time, or nothing there.
func (r *Report) idle(hits, misses map[string]int) (lines []string) {
	for _, f := range r.wanted {
		if hits[f.name] > 0 {
			continue
		}
		line := "never struck: " + f.name
		if n := misses[f.name]; n > 0 {
			line += fmt.Sprintf(" (found nothing to strike at; tries: %d)", n)
		}
		lines = append(lines, line)
	}
	return lines
}

// wrongs are a line for all that was broken.
func (r *Report) wrongs() (lines []string) {
	if r.Acknowledged == 0 {
		lines = append(lines, "no command was acknowledged: nothing was shown")
	}
	for _, f := range r.Failed {
		lines = append(lines, fmt.Sprint("not come to its end: ", f))
	}
	for _, o := range r.Undecided {
		lines = append(lines, "not decided: "+o)
	}
	for _, v := range r.Violations[:min(len(r.Violations), printed)] {
		lines = append(lines, "violation: "+v)
	}
	if more := len(r.Violations) - printed; more > 0 {
		lines = append(lines, fmt.Sprintf("and %d violations more", more))
	}
	return lines
}

// settleWithin is how long what was committed may take to have its effect everywhere, once
// nothing strikes any more.
const settleWithin = 3 * time.Minute

// suite is what the checker looks at.
func suite(c *Cluster, l *load) checker.Suite {
	return checker.Suite{Client: c.client, Prefix: prefix, API: func(tenant string) grpc.ClientConnInterface {
		conn, err := c.API(tenant, l.http)
		if err != nil {
			return nil
		}
		return &history.Conn{API: conn} // it tries again
	}}
}

// check waits until the cluster has come to rest and holds its databases and answers against
// the history of the clients.
func (r *Report) check(ctx context.Context, c *Cluster, l *load, path string) error {
	settle, cancel := context.WithTimeout(ctx, settleWithin)
	defer cancel()
	begin := time.Now()
	open, err := checker.Settle(settle, suite(c, l))
	if err != nil {
		return err
	}
	r.Settled = time.Since(begin)
	for _, o := range open {
		r.Violations = append(r.Violations, "not at rest: "+o)
	}
	if err := r.cameBack(ctx, c, l); err != nil {
		return err
	}
	entries, err := history.Read(path)
	if err != nil {
		return err
	}
	found, err := checker.Check(ctx, suite(c, l), entries)
	if err != nil {
		return err
	}
	r.Acknowledged, r.Lost, r.Twice, r.NotApplied = found.Acknowledged, found.Lost, found.Twice, found.NotApplied
	r.Commits, r.Facts, r.Undecided = found.Commits, found.Facts, found.Undecided
	for _, v := range found.Violations {
		r.Violations = append(r.Violations, v.String())
	}
	return nil
}
