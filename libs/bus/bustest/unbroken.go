package bustest

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/bus"
	"github.com/lockstep-logistics/lockstep/libs/clock"
)

// consumers numbers those whose measurements are looked at: a name is used once in a process.
var consumers atomic.Int64

// patient are periods for a bus that is well on a machine that may be slow: nobody takes it
// for down, nor a lease for lost.
func patient() bus.Timing {
	t := Fast
	t.Lease, t.Down, t.FastPoll = 10*time.Second, 10*time.Second, 5*time.Second
	t.Stall, t.Handler = 3*time.Second, 5*time.Minute
	return t
}

// steady are Fast periods with a lease that nobody loses who works.
func steady() bus.Timing {
	t := Fast
	t.Lease = 5 * time.Second
	return t
}

// unbroken lets the stream lose the last fact of a lane and never rest: new facts come as fast
// as the consumer takes those before them. The lost one is fetched while that goes on, and
// nothing else is, though every lane stands below its head for longer than it may stand still.
func unbroken(r *rig) {
	const ahead = 900 // facts that wait in the stream: more than a stall's work
	name := fmt.Sprintf("unbroken-%d", consumers.Add(1))
	read := measured(r.t, name)
	l := newLedger(bus.Reactor)
	c := l.consumer(name)
	c.Handle = func(ctx context.Context, f bus.Fact) error {
		select {
		case <-time.After(4 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
		return l.handle(ctx, f)
	}
	owner := r.start(bus.Config{Service: source, DB: r.src, NATS: r.connect(), Timing: patient()})
	r.serve(owner.Server())
	news := 0
	load := func() {
		r.commit("t0", fmt.Sprintf("thing_%d", news%8), "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
		news++
	}
	r.commit("t9", "other_lost", "kept")
	r.commit("t9", "other_lost", "lost")
	for r.committed() < ahead {
		load()
	}
	r.eventually(func() error { return r.streamHolds(r.committed()) })
	r.lose("evt." + source + "." + Other + ".>")
	r.start(bus.Config{Service: sink, DB: r.dst, NATS: r.connect(), Timing: patient(), Workers: 1, Pending: 16}, c)
	for begun := clock.Monotonic(); !l.has("t9/" + bus.EventID("other_lost", 2, 0)); {
		if clock.Elapsed(begun) > within {
			r.t.Fatal("what the stream lost is not fetched while the stream is read")
		}
		if r.committed()-l.effects() < ahead {
			load()
			continue
		}
		time.Sleep(time.Millisecond) // the consumer works
	}
	r.eventually(func() error { return l.complete(r) })
	for metric, want := range map[string]float64{"bus.facts.fetched": 1, "bus.duplicates": 0} {
		if got := read(metric); got != want {
			r.t.Errorf("%s is %v, not %v, after %d facts", metric, got, want, r.committed())
		}
	}
}

// lose deletes the newest message of a subject from the stream.
func (r *rig) lose(subject string) {
	r.t.Helper()
	s, err := r.js().Stream(r.t.Context(), stream)
	if err != nil {
		r.t.Fatal(err)
	}
	m, err := s.GetLastMsgForSubject(r.t.Context(), subject)
	if err != nil {
		r.t.Fatal(err)
	}
	if err := s.DeleteMsg(r.t.Context(), m.Sequence); err != nil {
		r.t.Fatal(err)
	}
}
