// Package bench measures the suite: interleaved runs of what is compared, so that a busy
// machine slows both alike, and of each figure the median, least and greatest of all runs.
//
// Absolute figures belong to the machine they were taken on; ratios travel.
package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"syscall"
	"text/tabwriter"
	"time"
)

// Group is a set of benchmarks that share their servers.
type Group struct {
	Name string
	Run  func(ctx context.Context, r *Report) error
}

// Groups are all groups, in the order in which they run.
var Groups = []Group{
	{"store", Store},
	{"lifecycle", Lifecycle},
	{"inventory", Inventory},
	{"masterdata", MasterData},
	{"orders", Orders},
	{"history", History},
	{"up", Up},
	{"cluster", Cluster},
}

// Result is one figure over all its runs.
type Result struct {
	Name   string    `json:"name"`  // e.g. store.speedup.c64
	Value  float64   `json:"value"` // the median
	Unit   string    `json:"unit"`  // e.g. 1/s, ms, ratio
	Min    float64   `json:"min"`
	Median float64   `json:"median"`
	Max    float64   `json:"max"`
	Runs   []float64 `json:"runs"`
}

// Report collects figures.
type Report struct {
	Quick   bool // a short look
	Results []Result
	index   map[string]int
}

// Add adds one run's figure.
func (r *Report) Add(name, unit string, value float64) {
	if r.index == nil {
		r.index = map[string]int{}
	}
	i, ok := r.index[name]
	if !ok {
		i = len(r.Results)
		r.index[name] = i
		r.Results = append(r.Results, Result{Name: name, Unit: unit})
	}
	res := &r.Results[i]
	res.Runs = append(res.Runs, value)
	sorted := slices.Sorted(slices.Values(res.Runs))
	res.Min, res.Max = sorted[0], sorted[len(sorted)-1]
	res.Median = (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
	res.Value = res.Median
}

// Table prints all figures.
func (r *Report) Table(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "name\tmedian\tmin\tmax\tunit\truns\t")
	for _, x := range r.Results {
		fmt.Fprintf(t, "%s\t%.4g\t%.4g\t%.4g\t%s\t%d\t\n", x.Name, x.Median, x.Min, x.Max, x.Unit, len(x.Runs))
	}
	return t.Flush()
}

// Write stores all figures as a JSON array.
func (r *Report) Write(path string) error {
	data, err := json.MarshalIndent(r.Results, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(data, '\n'), 0o644)
}

// Load is one run of callers that each do one thing after the other.
type Load struct {
	Callers int
	For     time.Duration
	Do      func(ctx context.Context, caller, i int) error
	// Drain finishes what is still under way when the callers stop; its time counts.
	Drain func(ctx context.Context) error
	// CPU is the processor time that the servers have used, nil when it cannot be seen.
	CPU func() (time.Duration, error)
}

// Figures are what a run came to.
type Figures struct {
	PerSecond float64
	P50, P99  time.Duration
	CPU       time.Duration // of the servers and this process for one operation; 0 when not seen
}

// used is the processor time of the servers and of this process until now.
func (l Load) used() (time.Duration, error) {
	if l.CPU == nil {
		return 0, nil
	}
	servers, err := l.CPU()
	if err != nil {
		return 0, err
	}
	var own syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &own); err != nil {
		return 0, err
	}
	return servers + time.Duration(own.Utime.Nano()+own.Stime.Nano()), nil
}

// Run runs the load.
func (l Load) Run(ctx context.Context) (Figures, error) {
	took := make([][]time.Duration, l.Callers)
	errs := make([]error, l.Callers)
	before, err := l.used()
	if err != nil {
		return Figures{}, err
	}
	var wg sync.WaitGroup
	start := time.Now()
	for c := range l.Callers {
		wg.Go(func() {
			for i := 0; time.Since(start) < l.For; i++ {
				begin := time.Now()
				if errs[c] = l.Do(ctx, c, i); errs[c] != nil {
					return
				}
				took[c] = append(took[c], time.Since(begin))
			}
		})
	}
	wg.Wait()
	if l.Drain != nil {
		if err := l.Drain(ctx); err != nil {
			return Figures{}, err
		}
	}
	elapsed := time.Since(start)
	for _, err := range errs {
		if err != nil {
			return Figures{}, err
		}
	}
	after, err := l.used()
	if err != nil {
		return Figures{}, err
	}
	all := slices.Concat(took...)
	slices.Sort(all)
	return Figures{
		CPU:       (after - before) / time.Duration(len(all)),
		PerSecond: float64(len(all)) / elapsed.Seconds(),
		P50:       all[len(all)/2], P99: all[len(all)*99/100],
	}, nil
}
