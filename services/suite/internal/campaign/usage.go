package campaign

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/checker"
)

// held is what the replicas of a service hold together: leases and what hangs on them move
// from one to another.
type held struct {
	goroutines int            // but for those of connections
	heap       int64          // bytes in use, garbage collected
	processes  string         // ids: others are other processes
	stacks     map[string]int // goroutines by the function that they began with
}

// held asks the processes of every service, and the gateway.
func (c *Cluster) held(ctx context.Context) (map[string]held, error) {
	out := map[string]held{}
	for _, service := range slices.Concat(Services, []string{guard.Gateway}) {
		h := held{stacks: map[string]int{}}
		names := c.processes(service)
		slices.Sort(names)
		for _, name := range names {
			u, err := c.Usage(ctx, name)
			if err != nil {
				return nil, err
			}
			stacks, err := c.Stacks(ctx, name)
			if err != nil {
				return nil, err
			}
			h.count(stacks)
			h.heap += u.HeapInUse
			h.processes += fmt.Sprint(c.Processes[name].PID(), " ")
		}
		out[service] = h
	}
	return out, nil
}

// connection begins the names of functions whose goroutines belong to a gRPC connection, not to
// a call. A process opens one to each replica that it asks, and keeps it for half an hour: when
// a lease moves, the new holder opens its own. They are bounded by the processes, not by time.
var connection = []string{"google.golang.org/grpc/internal/transport.", "google.golang.org/grpc.(*Server).handleRawConn."}

// count adds the goroutines of a process.
func (h *held) count(stacks map[string]int) {
	for function, n := range stacks {
		if !slices.ContainsFunc(connection, func(prefix string) bool { return strings.HasPrefix(function, prefix) }) {
			h.goroutines += n
			h.stacks[function] += n
		}
	}
}

// strayed names the services whose goroutines did not come back to what they were, a tenth and
// ten more or less. One that was started again may have fewer: it has not been asked for
// everything yet.
func strayed(before, after map[string]held) (lines []string) {
	for _, service := range slices.Sorted(maps.Keys(before)) {
		was, is := before[service], after[service]
		slack := was.goroutines/10 + 10
		if is.goroutines > was.goroutines+slack || is.goroutines < was.goroutines-slack && was.processes == is.processes {
			lines = append(lines, fmt.Sprintf("%s has %d goroutines at rest, and had %d before", service, is.goroutines, was.goroutines)+more(was.stacks, is.stacks))
		}
	}
	return lines
}

// more tells of the functions that most goroutines more began with.
func more(was, is map[string]int) string {
	functions := slices.SortedFunc(maps.Keys(is), func(a, b string) int {
		return cmp.Or(cmp.Compare(is[b]-was[b], is[a]-was[a]), strings.Compare(a, b))
	})
	var parts []string
	for _, f := range functions[:min(3, len(functions))] {
		if n := is[f] - was[f]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d more in %s", n, f))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return ": " + strings.Join(parts, ", ")
}

// total sums over the services.
func total(of map[string]held) (goroutines int, heap int64) {
	for _, h := range of {
		goroutines += h.goroutines
		heap += h.heap
	}
	return goroutines, heap
}

// warm lets clients walk orders for a while, waits until all has come to rest, and notes what
// the suite holds then.
func (r *Report) warm(ctx context.Context, c *Cluster, l *load, clients int) error {
	busy, stop := context.WithTimeout(ctx, warmFor)
	defer stop()
	var group sync.WaitGroup
	l.walk(busy, clients, &group)
	group.Wait()
	l.turn++
	settle, cancel := context.WithTimeout(ctx, settleWithin)
	defer cancel()
	open, err := checker.Settle(settle, suite(c, l))
	if err == nil && len(open) > 0 {
		err = fmt.Errorf("the suite does not come to rest before anything strikes: %s", strings.Join(open, "; "))
	}
	if err != nil {
		return err
	}
	l.door.CloseIdleConnections() // theirs are goroutines of the gateway
	pauseFor(ctx, time.Second)
	r.before, err = c.held(ctx)
	return err
}

// backWithin is how long goroutines may take to end once all has come to rest: calls to what
// was paused run into their deadlines.
const backWithin = time.Minute

// cameBack waits until the suite holds no more than before.
func (r *Report) cameBack(ctx context.Context, c *Cluster, l *load) (err error) {
	for end := time.Now().Add(backWithin); ; pauseFor(ctx, 2*time.Second) {
		l.door.CloseIdleConnections()
		if r.after, err = c.held(ctx); err != nil {
			return err
		}
		lines := strayed(r.before, r.after)
		if len(lines) == 0 {
			return nil
		}
		if time.Now().After(end) || ctx.Err() != nil {
			r.Violations = append(r.Violations, lines...)
			return ctx.Err()
		}
	}
}
