package campaign

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
)

// fault is one way to hurt the cluster. It returns when what it broke is whole again: the
// next fault meets a cluster in which everything runs, if not everything is caught up.
type fault struct {
	name string
	do   func(ctx context.Context, n *nemesis) (what string, err error)
}

// errMissed says that what was to be struck was not there, and nothing was hurt.
var errMissed = errors.New("there was nothing to strike at")

// missed is the end of a fault that struck at nothing, unless something else is wrong.
func missed(err error) error {
	if err == nil {
		return errMissed
	}
	return err
}

// nemesis strikes by a seed: the same seed picks the same faults and victims in the same order.
type nemesis struct {
	*Cluster
	random *rand.Rand
	out    io.Writer
	begin  func()         // is told before every fault
	strike func(s strike) // is told of every fault, but for its stall
}

// faults are all kinds of fault; a campaign strikes with every one before it repeats one.
var faults = []fault{
	{"kill service", killService},
	{"kill service at a crash point", crashService},
	{stopInOrder, stopService},
	{"pause service", pauseService},
	{"kill gateway", killGateway},
	{"kill mongod primary", killPrimary},
	{"pause mongod primary", pausePrimary},
	{"fail-over between read and insert", failOver},
	{"kill nats-server", killNATS},
	{"delete a nats-server's store", wipeNATS},
	{"delete every nats-server's store", wipeAllNATS},
	{"cut and overwrite a stream's tail", cutTail},
	{"delete a consumer", deleteConsumers},
	{"flush Redis", flushRedis},
	{"kill Redis", killRedis},
	{"pause Redis", pauseRedis},
	{"pause the relay for 60 s", pauseRelay},
	{"lose the oplog position", losePosition},
}

// run strikes until the deadline, at least once with every kind it has time for.
func (n *nemesis) run(ctx context.Context, until time.Time, kinds []fault) error {
	for {
		order := slices.Clone(kinds)
		n.random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		for _, f := range order {
			if err := n.rest(ctx, n.span(500*time.Millisecond, 3*time.Second)); err != nil || time.Now().After(until) {
				return err
			}
			if err := n.one(ctx, f); err != nil {
				return fmt.Errorf("%s: %w", f.name, err)
			}
		}
	}
}

// one strikes once.
func (n *nemesis) one(ctx context.Context, f fault) error {
	if n.begin != nil {
		n.begin()
	}
	from := time.Now()
	what, err := f.do(ctx, n)
	hit := !errors.Is(err, errMissed)
	if hit && err != nil {
		return err
	}
	n.strike(strike{name: f.name, what: what, hit: hit, from: from, to: time.Now()})
	return nil
}

// span draws a time between two.
func (n *nemesis) span(from, to time.Duration) time.Duration {
	return from + time.Duration(n.random.Int64N(int64(to-from)))
}

// rest lets time go by.
func (n *nemesis) rest(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// service draws a service, process one of its processes.
func (n *nemesis) service() string { return Services[n.random.IntN(len(Services))] }

func (n *nemesis) process() string { return n.processOf(n.service()) }

func (n *nemesis) processOf(service string) string {
	names := n.processes(service)
	slices.Sort(names)
	return names[n.random.IntN(len(names))]
}

func killService(ctx context.Context, n *nemesis) (string, error) {
	name := n.process()
	n.Processes[name].Kill()
	if err := n.rest(ctx, n.span(0, 3*time.Second)); err != nil {
		return name, err
	}
	return name, n.again(ctx, name, n.Bin)
}

// busy are the services that decide and follow for every order; the others pass a crash point rarely.
var busy = []string{"order-release", "inventory-movement", "shipment-visibility", "freight-settlement", "returns"}

// points are those that a busy service passes under load.
var points = []string{"C1", "C2", "C3", "C4", "C5", "R1", "R2", "N1", "X1", "X2", "X3"}

func crashService(ctx context.Context, n *nemesis) (string, error) {
	name, point := n.processOf(busy[n.random.IntN(len(busy))]), points[n.random.IntN(len(points))]
	pass := 1 + n.random.IntN(10)
	p := n.Processes[name]
	p.Kill()
	if err := p.Start(fmt.Sprintf("FAULT=%s:kill:n=%d", point, pass)); err != nil {
		return name, err
	}
	what := fmt.Sprintf("%s at pass %d of %s", name, pass, point)
	select {
	case <-ctx.Done():
		return what, ctx.Err()
	case <-p.Exited():
	case <-time.After(10 * time.Second): // it may not pass there so often
		p.Kill()
		return what + ", not reached", missed(n.again(ctx, name, n.Bin))
	}
	return what, n.again(ctx, name, n.Bin)
}

func stopService(ctx context.Context, n *nemesis) (string, error) {
	name := n.process()
	return name, n.replace(ctx, name, n.Bin)
}

// replace ends a process in order and starts it on the program in bin.
func (n *nemesis) replace(ctx context.Context, name, bin string) error {
	end, cancel := context.WithTimeout(ctx, stopWithin)
	defer cancel()
	if err := n.Processes[name].Stop(end); err != nil {
		return err
	}
	return n.again(ctx, name, bin)
}

// stopWithin is how long a process may take to end in order.
const stopWithin = 30 * time.Second

func pauseService(ctx context.Context, n *nemesis) (string, error) {
	name, d := n.process(), n.span(2*time.Second, 12*time.Second)
	p := n.Processes[name]
	err := p.Pause()
	if err == nil {
		err = errors.Join(n.rest(ctx, d), p.Resume())
	}
	return fmt.Sprintf("%s for %.1f s", name, d.Seconds()), err
}

func killGateway(ctx context.Context, n *nemesis) (string, error) {
	n.Processes[guard.Gateway].Kill()
	return guard.Gateway, n.again(ctx, guard.Gateway, n.Bin)
}

// primary waits for the node that takes writes.
func (n *nemesis) primary(ctx context.Context) (*testkit.Mongod, error) {
	for deadline := time.Now().Add(30 * time.Second); ; {
		if m := testkit.Primary(ctx, n.Mongo); m != nil {
			return m, nil
		}
		if time.Now().After(deadline) {
			return nil, errors.New("the replica set has no primary")
		}
		if err := n.rest(ctx, 100*time.Millisecond); err != nil {
			return nil, err
		}
	}
}

func killPrimary(ctx context.Context, n *nemesis) (string, error) {
	m, err := n.primary(ctx)
	if err != nil {
		return "", err
	}
	m.Kill()
	if err := n.rest(ctx, n.span(3*time.Second, 8*time.Second)); err != nil {
		return m.URI(), err
	}
	if err := m.Again(ctx); err != nil {
		return m.URI(), err
	}
	_, err = n.primary(ctx)
	return fmt.Sprintf("one of %d", len(n.Mongo)), err
}

func pausePrimary(ctx context.Context, n *nemesis) (string, error) {
	m, err := n.primary(ctx)
	if err != nil {
		return "", err
	}
	if err := m.Pause(); err != nil {
		return "", err
	}
	d := n.span(time.Second, 8*time.Second)
	err = errors.Join(n.rest(ctx, d), m.Resume())
	if err == nil {
		_, err = n.primary(ctx)
	}
	return fmt.Sprintf("for %.1f s", d.Seconds()), err
}

// failOver kills the primary while a replica takes its time between deciding and inserting.
func failOver(ctx context.Context, n *nemesis) (string, error) {
	name := n.process()
	p := n.Processes[name]
	p.Kill()
	if err := n.again(ctx, name, n.Bin, "FAULT=C3:delay=800ms"); err != nil {
		return name, err
	}
	if err := n.rest(ctx, n.span(time.Second, 2*time.Second)); err != nil {
		return name, err
	}
	if _, err := killPrimary(ctx, n); err != nil {
		return name, err
	}
	p.Kill()
	return name, n.again(ctx, name, n.Bin)
}
