package campaign

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/history"
)

// Options are what a campaign is told.
type Options struct {
	Root    string        // top of the source tree
	Dir     string        // for all files
	Time    time.Duration // for which faults strike
	Seed    uint64
	Clients int
	Only    []string // kinds of fault; all when empty
	Each    int      // orderly stops of each service, for which Time does not count; 0: as the seed says
	Out     io.Writer
}

// crashPoints compiles in the points of libs/faultpoint.
const crashPoints = "faults"

// quiet is how long the load runs before the first fault and after the last one.
const quiet = 15 * time.Second

// Run runs one campaign. The error is of the campaign itself; what the suite did wrong is in
// the report.
func Run(ctx context.Context, o Options) (*Report, error) {
	kinds, err := selected(o.Only)
	if err := errors.Join(err, o.mayStop()); err != nil {
		return nil, err
	}
	bin := filepath.Join(o.Dir, "bin")
	say(o.Out, "building the suite's programs with their crash points")
	if err := Programs(ctx, o.Root, bin, crashPoints); err != nil {
		return nil, err
	}
	old := ""
	if len(o.Only) == 0 {
		if old, err = previous(ctx, o.Root, o.Dir); err != nil {
			return nil, err
		}
	}
	say(o.Out, "starting %d mongods, %d nats-servers, Redis, the gateway and %d replicas of %d services", Full.Mongods, Full.NATSServers, Full.Replicas, len(Services))
	c, err := Start(ctx, bin, o.Dir, Full)
	if err != nil {
		return nil, err
	}
	defer c.Kill()
	log, err := history.Create(filepath.Join(o.Dir, "history.jsonl"))
	if err != nil {
		return nil, err
	}
	r := &Report{Seed: o.Seed}
	watch := history.NewWatch(r.took)
	l := newLoad(c, log, watch, o.Seed)
	if err := l.setup(ctx); err != nil {
		return nil, errors.Join(err, log.Close())
	}
	say(o.Out, "warming up")
	if err := r.warm(ctx, c, l, o.Clients); err != nil {
		return nil, errors.Join(err, log.Close())
	}
	err = r.strikes(ctx, o, c, l, watch, kinds, old)
	if err := errors.Join(err, log.Close()); err != nil {
		return r, err
	}
	r.Walked, r.Cancelled, r.Failed = l.walked.Load(), l.cancelled.Load(), l.failed
	for kind := range l.scripted {
		r.Scripted[kind] = l.scripted[kind].Load()
	}
	r.Answers = l.door.Seen()
	r.Violations = append(r.Violations, r.Answers.Wrong()...)
	r.judgeStorm()
	say(o.Out, "holding what clients were told against the databases")
	return r, r.check(ctx, c, l, filepath.Join(o.Dir, "history.jsonl"))
}

// strikes runs the load, and the faults in the middle of it.
func (r *Report) strikes(ctx context.Context, o Options, c *Cluster, l *load, watch *history.Watch, kinds []fault, old string) error {
	r.begun = time.Now()
	loaded, stop := context.WithCancel(ctx)
	defer stop()
	var clients sync.WaitGroup
	lead := quiet
	if o.storm() {
		lead = stormThink + stormSpan // everyone has begun, and then a rate is taken
		clients.Go(func() { l.calm(loaded) })
	} else {
		clients.Go(func() { l.run(loaded, o.Clients) })
	}
	defer clients.Wait()
	defer stop()
	defer func() { // what follows the last fault is measured too
		pauseFor(ctx, quiet)
		r.still(watch.Stall())
	}()
	n := &nemesis{Cluster: c, random: rand.New(rand.NewPCG(o.Seed, 0)), out: o.Out}
	n.begin = func() { r.still(watch.Stall()) }
	n.strike = func(s strike) {
		s.stall = watch.Stall()
		r.add(s)
		say(o.Out, "%-34s %-40s %5.1f s, longest without a success %.1f s", s.name, s.what, s.to.Sub(s.from).Seconds(), s.stall.Seconds())
	}
	var releases []fault
	if len(o.Only) == 0 {
		releases = n.releases(old)
	}
	r.wanted = slices.Concat(kinds, releases)
	if err := n.rest(ctx, lead); err != nil {
		return err
	}
	watch.Stall()
	r.first = time.Now()
	defer func() { r.last = time.Now() }()
	switch {
	case o.Each > 0:
		return n.stopEach(ctx, r, o.Each)
	case o.storm():
		return n.storm(ctx, r)
	}
	if err := n.run(ctx, r.first.Add(o.Time), kinds); err != nil {
		return err
	}
	for _, f := range releases {
		if err := n.one(ctx, f); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
	}
	r.last = time.Now()
	return nil
}

// releases are what comes after the faults: everything is replaced in order, then the servers
// under it, then every second replica by the previous release, which works beside the new one for a while, then those by
// the new one.
func (n *nemesis) releases(old string) []fault {
	everything := func(string) bool { return true }
	second := func(name string) bool { return strings.HasSuffix(name, "-2") }
	steps := []fault{{"rolling restart", func(ctx context.Context, n *nemesis) (string, error) {
		return "everything", n.rollingRestart(ctx, n.Bin, everything)
	}}, restart}
	if old == "" {
		say(n.out, "there is no previous commit to run beside this one")
	} else {
		steps = append(steps, fault{"previous release beside this one", func(ctx context.Context, n *nemesis) (string, error) {
			err := n.rollingRestart(ctx, old, second)
			return "every second replica", errors.Join(err, n.rest(ctx, quiet), n.rollingRestart(ctx, n.Bin, second))
		}}, fault{"gateway of the previous release", func(ctx context.Context, n *nemesis) (string, error) {
			gateway := func(name string) bool { return name == guard.Gateway }
			err := n.rollingRestart(ctx, old, gateway)
			return "", errors.Join(err, n.rest(ctx, quiet/3), n.rollingRestart(ctx, n.Bin, gateway))
		}})
	}
	return steps
}

// selected are the kinds of fault by name.
func selected(names []string) ([]fault, error) {
	switch {
	case len(names) == 0:
		return faults, nil
	case slices.Equal(names, []string{retryStorm}):
		return []fault{{retryStorm, outage}}, nil
	}
	var out []fault
	all := alone()
	for _, name := range names {
		i := slices.IndexFunc(all, func(f fault) bool { return f.name == name })
		if i < 0 {
			return nil, fmt.Errorf("no fault %q; there is %s, and %q alone", name, strings.Join(Kinds(), ", "), retryStorm)
		}
		out = append(out, all[i])
	}
	return out, nil
}

// alone are the kinds of fault that a campaign may be of.
func alone() []fault { return append(slices.Clip(faults), restart) }

// Kinds are the names of all kinds of fault that a campaign may be of.
func Kinds() (names []string) {
	for _, f := range alone() {
		names = append(names, f.name)
	}
	return names
}

func say(w io.Writer, format string, args ...any) {
	_, _ = fmt.Fprintf(w, time.Now().Format("15:04:05 ")+format+"\n", args...) // progress only
}

// Root is the top of the source tree, for programs that run in it.
func Root() (string, error) {
	dir, err := os.Getwd()
	for err == nil {
		if _, missing := os.Stat(filepath.Join(dir, "go.work")); missing == nil {
			return dir, nil
		}
		if filepath.Dir(dir) == dir {
			return "", errors.New("run it inside the source tree: it builds the suite's programs")
		}
		dir = filepath.Dir(dir)
	}
	return "", err
}
