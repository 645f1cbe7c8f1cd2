package campaign

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/encoding/protojson"

	orderreleasev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/lifecycle"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/rest"
)

// Overload is what became of many times more commands than the suite can take.
type Overload struct {
	Peak, Offered, Goodput float64 // commands a second: at most, sent, done
	Refused, Other         int64   // refused with a time to come back, and failed otherwise
	Recovery               time.Duration
	MemoryBefore, Memory   int64 // bytes resident of the largest process of the suite, when warm and at most
	Largest                string
	MemoryGrowth           growth // bytes resident of the process that grew most, a quarter into the overload and at its end
	GoroutineGrowth        growth // the same for goroutines
	Others                 map[string]int64
}

// The phases of an overload.
const (
	warmFor     = 10 * time.Second
	peakFor     = time.Minute
	restFor     = 20 * time.Second // consumers catch up
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
	f, err := newFlood(api)
	if err != nil {
		return nil, err
	}
	o := &Overload{Others: f.bad}
	f.closed(ctx, warmFor)
	pauseFor(ctx, restFor)
	o.Peak = f.closed(ctx, peakFor)
	before, err := c.resident()
	if err != nil {
		return nil, err
	}
	_, o.MemoryBefore = largest(before)
	say(out, "peak: %.0f orders submitted a second by %d callers", o.Peak, atPeak)
	pauseFor(ctx, restFor)
	f.reset()
	if err := o.watched(ctx, c, func() { o.Offered, o.Goodput = f.open(ctx, many*o.Peak, overloadFor) }); err != nil {
		return nil, err
	}
	o.Refused, o.Other = f.refused.Load(), f.other.Load()
	say(out, "overload: %.0f a second offered, %.0f done, %d refused, %d failed otherwise %v; %s has %d MB", o.Offered, o.Goodput, o.Refused, o.Other, o.Others, o.Largest, o.Memory>>20)
	say(out, "after %.0f s and %.0f s: %s has %d and %d MB, %s %d and %d goroutines", early.Seconds(), late.Seconds(),
		o.MemoryGrowth.Process, o.MemoryGrowth.Early>>20, o.MemoryGrowth.Late>>20, o.GoroutineGrowth.Process, o.GoroutineGrowth.Early, o.GoroutineGrowth.Late)
	for begin := time.Now(); ; {
		rate := f.closed(ctx, 5*time.Second)
		if o.Recovery = time.Since(begin); rate >= 0.9*o.Peak || o.Recovery > recoverFor || ctx.Err() != nil {
			say(out, "%.0f a second again after %.0f s", rate, o.Recovery.Seconds())
			return o, ctx.Err()
		}
	}
}

// watched sees what the suite's processes take while they are under a load.
func (o *Overload) watched(ctx context.Context, c *Cluster, load func()) error {
	watch, stop := context.WithCancel(ctx)
	defer stop()
	var g grown
	seen := make(chan error, 1)
	go func() { seen <- g.watch(watch, c) }()
	load()
	stop()
	err := <-seen
	o.Memory, o.Largest = g.most, g.largest
	o.MemoryGrowth, o.GoroutineGrowth = most(g.memory[0], g.memory[1]), most(g.routines[0], g.routines[1])
	return err
}

// flood submits orders. It must cost little, for it takes what it costs from the suite: the
// body of a request is made of one that was made before.
type flood struct {
	url, token           string
	http                 *http.Client
	before, middle, end  string // of a body, around the order's number and the item
	done, refused, other atomic.Int64
	mu                   sync.Mutex
	bad                  map[string]int64
	number               atomic.Int64
}

func newFlood(api *rest.Conn) (*flood, error) {
	const number, sku = "<number>", "<sku>"
	body, err := protojson.Marshal(&orderreleasev1.SubmitOrderRequest{Order: lifecycle.Document(number, []lifecycle.Line{{SKU: sku, Quantity: 1}})})
	if err != nil {
		return nil, err
	}
	f := &flood{url: api.Base + "/v1/orders", token: "Bearer " + api.Token, http: api.HTTP, bad: map[string]int64{}}
	var ok, also bool
	f.before, f.middle, ok = strings.Cut(string(body), number)
	f.middle, f.end, also = strings.Cut(f.middle, sku)
	if !ok || !also {
		return nil, fmt.Errorf("an order is %s", body)
	}
	return f, nil
}

func (f *flood) reset() { f.done.Store(0); f.refused.Store(0); f.other.Store(0) }

// one submits an order of one line.
func (f *flood) one(ctx context.Context) {
	status, after, err := f.post(ctx, fmt.Sprintf("F%09d", f.number.Add(1)), lifecycle.SKU(rand.IntN(items)))
	switch {
	case err == nil && status == http.StatusOK:
		f.done.Add(1)
	case (status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable) && after:
		f.refused.Add(1)
	case ctx.Err() == nil:
		f.other.Add(1)
		f.mu.Lock()
		f.bad[fmt.Sprintf("%d %v", status, err)]++
		f.mu.Unlock()
	}
}

// post returns the status of the answer, and whether it says when to come again.
func (f *flood) post(ctx context.Context, number, sku string) (status int, after bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, f.url, strings.NewReader(f.before+number+f.middle+sku+f.end))
	if err != nil {
		return 0, false, err
	}
	req.Header = http.Header{"Authorization": {f.token}, "Content-Type": {"application/json"}, "Idempotency-Key": {number}}
	resp, err := f.http.Do(req)
	if err != nil {
		return 0, false, err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, resp.Header.Get("Retry-After") != "", errors.Join(err, resp.Body.Close())
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
