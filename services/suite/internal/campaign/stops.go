package campaign

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/guard"
)

// stopInOrder is the fault that is no fault: what a deployment does to every process.
const stopInOrder = "stop service in order"

// stops are the orderly ends of a campaign's processes.
type stops struct {
	count   int
	longest time.Duration // without a wait for load balancers
	slowest string        // process that took so long
	waited  time.Duration // of the one with the waits of a deployment
}

// mayStop refuses counts of what is not counted.
func (o Options) mayStop() error {
	if o.Each < 0 || o.Each > 0 && !slices.Equal(o.Only, []string{stopInOrder}) {
		return fmt.Errorf("so many times each is for %q alone", stopInOrder)
	}
	return nil
}

// stopEach ends every service and the gateway in order so many times, their replicas in turn,
// and then one process once more that waits for load balancers as a deployment's do.
func (n *nemesis) stopEach(ctx context.Context, r *Report, each int) error {
	for round := range each {
		for _, service := range slices.Concat(Services, []string{guard.Gateway}) {
			names := n.processes(service)
			slices.Sort(names)
			if _, err := n.stopOne(ctx, r, names[round%len(names)]); err != nil {
				return err
			}
		}
	}
	name := Services[0] + "-1"
	if _, err := n.stopOne(ctx, r, name, "LOCKSTEP_SHUTDOWN__WAIT=5s"); err != nil {
		return err
	}
	longest, slowest := r.stops.longest, r.stops.slowest
	took, err := n.stopOne(ctx, r, name)
	r.stops.longest, r.stops.slowest, r.stops.waited = longest, slowest, took
	return err
}

// stopOne ends a process in order and starts it again, with more in its environment. One
// that fails, or does not end in time, is a violation.
func (n *nemesis) stopOne(ctx context.Context, r *Report, name string, extra ...string) (took time.Duration, err error) {
	err = n.one(ctx, fault{stopInOrder, func(ctx context.Context, n *nemesis) (string, error) {
		end, cancel := context.WithTimeout(ctx, stopWithin)
		defer cancel()
		begin := time.Now()
		failed := n.Processes[name].Stop(end)
		took = time.Since(begin)
		r.stopped(name, took, failed)
		return fmt.Sprintf("%s ended in %.2f s", name, took.Seconds()), n.again(ctx, name, n.Bin, extra...)
	}})
	return took, err
}

func (r *Report) stopped(name string, took time.Duration, failed error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stops.count++; took > r.stops.longest {
		r.stops.longest, r.stops.slowest = took, name
	}
	if failed != nil {
		r.Violations = append(r.Violations, fmt.Sprintf("%s did not end in order: %v", name, failed))
	}
}

// print writes how long the ends took, if any were counted.
func (s *stops) print(w io.Writer) error {
	if s.count == 0 {
		return nil
	}
	_, err := fmt.Fprintf(w, "orderly ends                %d, longest %.2f s (%s), with the waits of a deployment %.2f s\n",
		s.count, s.longest.Seconds(), s.slowest, s.waited.Seconds())
	return err
}
