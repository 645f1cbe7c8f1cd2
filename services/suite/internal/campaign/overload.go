package campaign

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc/metadata"

	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/lifecycle"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/rest"
)

// Overload is what became of many times more commands than the suite can take.
type Overload struct {
	Peak, Offered, Goodput float64 // commands a second: at most, sent, done
	Refused, Other         int64   // refused with a time to come back, and failed otherwise
	Recovery               time.Duration
	MemoryBefore, Memory   int64 // bytes resident of the largest process of the suite
	Others                 map[string]int64
}

// The phases of an overload.
const (
	peakFor     = 20 * time.Second
	overloadFor = time.Minute
	recoverFor  = time.Minute
	atPeak      = 64 // callers
	many        = 10 // times the peak
	atOnce      = 3000
)

// Flood finds out what the suite takes at most, sends it ten times as much for a minute, and
// sees how long it takes to be itself again.
func Flood(ctx context.Context, c *Cluster, out io.Writer) (*Overload, error) {
	l := newLoad(c, nil, nil, 0)
	if err := l.setup(ctx); err != nil {
		return nil, err
	}
	transport := &http.Transport{MaxIdleConnsPerHost: atOnce, MaxConnsPerHost: atOnce}
	api, err := c.API(l.tenants[0], &http.Client{Timeout: callTime, Transport: transport})
	if err != nil {
		return nil, err
	}
	f := &flood{api: api, bad: map[string]int64{}}
	o := &Overload{Others: f.bad}
	if o.MemoryBefore, err = c.largest(); err != nil {
		return nil, err
	}
	f.closed(ctx, peakFor/4) // warm
	o.Peak = f.closed(ctx, peakFor)
	say(out, "peak: %.0f orders submitted a second by %d callers", o.Peak, atPeak)
	var most atomic.Int64
	watch, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		for watch.Err() == nil {
			if rss, err := c.largest(); err == nil {
				most.Store(max(most.Load(), rss))
			}
			pauseFor(watch, time.Second)
		}
	}()
	f.reset()
	o.Offered, o.Goodput = f.open(ctx, many*o.Peak, overloadFor)
	o.Refused, o.Other = f.refused.Load(), f.other.Load()
	stop()
	o.Memory = most.Load()
	say(out, "overload: %.0f a second offered, %.0f done, %d refused, %d failed otherwise", o.Offered, o.Goodput, o.Refused, o.Other)
	for begin := time.Now(); ; {
		rate := f.closed(ctx, 5*time.Second)
		if o.Recovery = time.Since(begin); rate >= 0.9*o.Peak || o.Recovery > recoverFor || ctx.Err() != nil {
			say(out, "%.0f a second again after %.0f s", rate, o.Recovery.Seconds())
			return o, ctx.Err()
		}
	}
}

// flood submits orders.
type flood struct {
	api                  *rest.Conn
	done, refused, other atomic.Int64
	mu                   sync.Mutex
	bad                  map[string]int64
	number               atomic.Int64
}

func (f *flood) reset() { f.done.Store(0); f.refused.Store(0); f.other.Store(0) }

// one submits an order of one line.
func (f *flood) one(ctx context.Context) {
	ctx = metadata.AppendToOutgoingContext(ctx, guard.MetaKey, uuid.NewString())
	n := f.number.Add(1)
	_, err := driver(f.api).Submit(ctx, fmt.Sprintf("F%09d", n), []lifecycle.Line{{SKU: lifecycle.SKU(rand.IntN(items)), Quantity: 1}})
	var p *rest.Problem
	switch {
	case err == nil:
		f.done.Add(1)
	case errors.As(err, &p) && (p.Status == http.StatusTooManyRequests || p.Status == http.StatusServiceUnavailable) && p.After > 0:
		f.refused.Add(1)
	case ctx.Err() == nil:
		f.other.Add(1)
		text := err.Error()
		if p != nil {
			text = strconv.Itoa(p.Status) + " " + p.Code
		}
		f.mu.Lock()
		f.bad[text]++
		f.mu.Unlock()
	}
}

// closed lets callers submit one order after another and returns how many a second were taken.
func (f *flood) closed(ctx context.Context, d time.Duration) float64 {
	f.reset()
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	begin := time.Now()
	var group sync.WaitGroup
	for range atPeak {
		group.Go(func() {
			for ctx.Err() == nil {
				f.one(ctx)
			}
		})
	}
	group.Wait()
	return float64(f.done.Load()) / time.Since(begin).Seconds()
}

// open submits at a rate, whatever becomes of what was sent before; what would be more than
// the sockets allow waits here, as it would in the callers' machines.
func (f *flood) open(ctx context.Context, rate float64, d time.Duration) (offered, done float64) {
	slots := make(chan struct{}, atOnce)
	begin, sent := time.Now(), 0
	var group sync.WaitGroup
	for time.Since(begin) < d && ctx.Err() == nil {
		for due := int(rate * time.Since(begin).Seconds()); sent < due; sent++ {
			slots <- struct{}{}
			group.Go(func() {
				f.one(ctx)
				<-slots
			})
		}
		pauseFor(ctx, 2*time.Millisecond)
	}
	took := time.Since(begin)
	done = float64(f.done.Load()) / took.Seconds()
	group.Wait()
	return float64(sent) / took.Seconds(), done
}

func pauseFor(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// largest is the resident memory of the largest process of the suite; Linux only.
func (c *Cluster) largest() (int64, error) {
	var all []int64
	for _, p := range c.Processes {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.PID()))
		if err != nil {
			return 0, err
		}
		for line := range strings.Lines(string(status)) {
			if kb, ok := strings.CutPrefix(line, "VmRSS:"); ok {
				n, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(kb), "kB")), 10, 64)
				if err != nil {
					return 0, err
				}
				all = append(all, n<<10)
			}
		}
	}
	return slices.Max(all), nil
}
