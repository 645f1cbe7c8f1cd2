// Command bench runs the benchmarks of the suite, one group or all, prints a table and
// writes bench/results.json. See internal/bench for how they measure.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime/pprof"
	"strings"

	"github.com/lockstep-logistics/lockstep/libs/host"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/bench"
)

func main() {
	ctx, stop := host.Signals(context.Background())
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	names := make([]string, len(bench.Groups))
	for i, g := range bench.Groups {
		names[i] = g.Name
	}
	only := flag.String("only", "", "the group to run: "+strings.Join(names, ", ")+"; all when empty")
	out := flag.String("out", filepath.Join("bench", "results.json"), "where the figures go")
	quick := flag.Bool("quick", false, "few and short runs: to see that it works, no figures to quote")
	profile := flag.String("cpuprofile", "", "where a profile of this process's CPU time goes; none when empty")
	flag.Parse()
	stop, err := profiled(*profile)
	if err != nil {
		return err
	}
	defer stop()
	report, known := bench.Report{Quick: *quick}, false
	for _, g := range bench.Groups {
		if *only != "" && *only != g.Name {
			continue
		}
		known = true
		if err := errors.Join(g.Run(ctx, &report), keep(&report, *out)); err != nil {
			return fmt.Errorf("%s: %w", g.Name, err)
		}
	}
	if !known {
		return fmt.Errorf("no group %q; there is %s", *only, strings.Join(names, ", "))
	}
	return report.Table(os.Stdout)
}

// keep writes what is measured so far: a later group may fail.
func keep(r *bench.Report, path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return r.Write(path)
}

// profiled begins a profile in the named file and returns what ends it.
func profiled(name string) (stop func(), err error) {
	if name == "" {
		return func() {}, nil
	}
	f, err := os.Create(name)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() {
		pprof.StopCPUProfile()
		if err := f.Close(); err != nil {
			fmt.Fprintln(os.Stderr, "error:", err)
		}
	}, nil
}
