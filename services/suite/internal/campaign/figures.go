package campaign

import (
	"fmt"
	"io"
	"slices"
	"time"
)

// takesPrimary are the kinds that leave the replica set without its primary for a while.
var takesPrimary = []string{"kill mongod primary", "pause mongod primary", "fail-over between read and insert"}

// figure is a number under the name that others quote it by.
type figure struct{ name, value string }

// none stands for a figure that nothing was measured for.
const none = "-"

// figures are what a campaign says in numbers.
func (r *Report) figures() []figure {
	end := r.last.Add(time.Hour)
	primary := none
	if slices.ContainsFunc(r.struck, func(s strike) bool { return s.hit && slices.Contains(takesPrimary, s.name) }) {
		primary = seconds(r.Stall(takesPrimary...))
	}
	goroutines, heap := total(r.before)
	goroutinesAfter, heapAfter := total(r.after)
	return append([]figure{
		{"cluster.lost", fmt.Sprint(r.Lost)},
		{"cluster.twice", fmt.Sprint(r.Twice)},
		{"cluster.not_applied", fmt.Sprint(r.NotApplied)},
		{"cluster.stall_s", seconds(r.Stall())},
		{"cluster.primary_stall_s", primary},
		{"cluster.acknowledged", fmt.Sprint(r.Acknowledged)},
		{"cluster.p99_before_ms", r.p99(r.begun, r.first)},
		{"cluster.p99_during_ms", r.p99(r.first, r.last)},
		{"cluster.p99_after_ms", r.p99(r.last, end)},
		{"cluster.goroutines_before", fmt.Sprint(goroutines)},
		{"cluster.goroutines_after", fmt.Sprint(goroutinesAfter)},
		{"cluster.heap_before_mb", fmt.Sprint(heap >> 20)},
		{"cluster.heap_after_mb", fmt.Sprint(heapAfter >> 20)},
	}, r.stormFigures()...)
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f", d.Seconds()) }

// p99 is of the commands first sent in a span, in milliseconds.
func (r *Report) p99(from, to time.Time) string {
	var took []time.Duration
	for _, s := range r.samples {
		if !s.begin.Before(from) && s.begin.Before(to) {
			took = append(took, s.took)
		}
	}
	if len(took) == 0 {
		return none
	}
	slices.Sort(took)
	return fmt.Sprint(took[(len(took)-1)*99/100].Milliseconds())
}

// Stall is the longest time without a success of any client, beside strikes of some kinds that
// hit, or all the time; one belongs to the strike before the time until the next.
func (r *Report) Stall(kinds ...string) (longest time.Duration) {
	if len(kinds) == 0 {
		longest = r.stall
	}
	for _, s := range r.struck {
		if len(kinds) == 0 || s.hit && slices.Contains(kinds, s.name) {
			longest = max(longest, s.stall)
		}
	}
	return longest
}

// still notes the longest time without a success since the last strike was over.
func (r *Report) still(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stall = max(r.stall, d)
	if n := len(r.struck); n > 0 {
		r.struck[n-1].stall = max(r.struck[n-1].stall, d)
	}
}

func (r *Report) printFigures(w io.Writer) (err error) {
	for _, f := range r.figures() {
		if err == nil {
			_, err = fmt.Fprintf(w, "%-27s %s\n", f.name, f.value)
		}
	}
	return err
}
