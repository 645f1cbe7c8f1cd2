package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/balancer"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/lockstep-logistics/lockstep/libs/guard"
	orderreleasev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	probev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/probe/v1"
)

// anywhere picks nothing in particular.
type anywhere struct{}

func (anywhere) Pick(balancer.PickInfo) (balancer.PickResult, error) {
	return balancer.PickResult{}, nil
}

func replicasOf(names ...string) *nearPicker {
	p := &nearPicker{home: new(atomic.Pointer[busy])}
	for _, name := range names {
		p.ready = append(p.ready, replica{name, anywhere{}, new(busy)})
	}
	return p
}

// begin picks a replica for a resource and leaves the call open; end ends it.
func begin(t *testing.T, p *nearPicker, resource string) (at string, end func(error, metadata.MD)) {
	t.Helper()
	before := map[string]int64{}
	for _, r := range p.ready {
		before[r.name] = r.load.calls.Load()
	}
	result, err := p.Pick(balancer.PickInfo{Ctx: context.WithValue(t.Context(), resourceKey{}, resource)})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range p.ready {
		if r.load.calls.Load() > before[r.name] {
			at = r.name
		}
	}
	return at, func(err error, trailer metadata.MD) { result.Done(balancer.DoneInfo{Err: err, Trailer: trailer}) }
}

// TestAResourceHasItsReplica: every caller finds the same one, the resources are spread, and
// when a replica goes only its own move.
func TestAResourceHasItsReplica(t *testing.T) {
	all, others, fewer := replicasOf("10.0.0.1:8443", "10.0.0.2:8443", "10.0.0.3:8443"), replicasOf("10.0.0.3:8443", "10.0.0.1:8443", "10.0.0.2:8443"), replicasOf("10.0.0.1:8443", "10.0.0.2:8443")
	shares := map[string]int{}
	for n := range 3000 {
		id := fmt.Sprintf("order-%d", n)
		got := all.choose(id).name
		shares[got]++
		if other := others.choose(id).name; other != got {
			t.Fatalf("%s is at %s for one caller and at %s for another", id, got, other)
		}
		if after := fewer.choose(id).name; got != "10.0.0.3:8443" && after != got {
			t.Fatalf("%s moved from %s to %s, which had nothing to do with it", id, got, after)
		}
	}
	for name, n := range shares {
		if n < 800 || n > 1200 {
			t.Errorf("%s has %d of 3000 resources", name, n)
		}
	}
}

// TestABusyReplicaIsPassedBy: one that does not answer holds a few calls, for whatever resource
// they are, and the others get the rest.
func TestABusyReplicaIsPassedBy(t *testing.T) {
	p := replicasOf("a", "b")
	frozen, held := "", 0
	for range 100 {
		at, end := begin(t, p, "order-1")
		if frozen == "" {
			frozen = at
		}
		if at == frozen {
			held++
			continue
		}
		end(nil, nil)
	}
	if held == 0 || held > 2*spare {
		t.Errorf("the frozen replica holds %d calls", held)
	}
	for range 20 { // those about nothing in particular go to the least busy
		at, end := begin(t, p, "")
		if at == frozen {
			t.Fatal("a call went to the busiest replica")
		}
		end(nil, nil)
	}
}

// TestCallsGoHome: while there is little to do all calls go where the consumers run, as that
// replica says, and no longer when another one says so, or it no longer does.
func TestCallsGoHome(t *testing.T) {
	p, home := replicasOf("a", "b"), metadata.Pairs(metaHome, "1")
	tell := func(name string, trailer metadata.MD) {
		for n := range 1000 {
			at, end := begin(t, p, fmt.Sprint(n))
			if at == name {
				end(nil, trailer)
				return
			}
			end(errors.New("cut"), nil)
		}
		t.Fatalf("no call reached %s", name)
	}
	shares := func() (a int) {
		for n := range 100 {
			at, end := begin(t, p, fmt.Sprint(n))
			if at == "a" {
				a++
			}
			end(errors.New("the caller went away"), nil)
		}
		return a
	}
	if n := shares(); n < 20 || n > 80 {
		t.Errorf("nobody is known to be home, and a has %d of 100", n)
	}
	tell("a", home)
	if n := shares(); n != 100 {
		t.Errorf("a is home and has %d of 100", n)
	}
	var ends []func(error, metadata.MD)
	for n := range 4 * fewCalls {
		_, end := begin(t, p, fmt.Sprint(n))
		ends = append(ends, end)
	}
	if a := p.ready[0].load.calls.Load(); a > 3*fewCalls {
		t.Errorf("of %d calls under way a has %d", 4*fewCalls, a)
	}
	for _, end := range ends {
		end(errors.New("cut"), nil)
	}
	tell("a", nil)
	if n := shares(); n == 100 {
		t.Error("a is home no more and still has all")
	}
}

// TestAFrozenHomeIsLeft: when home answers nothing for a second, calls go elsewhere, as they do
// from the first that fails there.
func TestAFrozenHomeIsLeft(t *testing.T) {
	home := metadata.Pairs(metaHome, "1")
	synctest.Test(t, func(t *testing.T) {
		p := replicasOf("a", "b")
		p.home.Store(p.ready[0].load)
		var held []func(error, metadata.MD)
		for n := range 3 {
			at, end := begin(t, p, fmt.Sprint(n))
			if held = append(held, end); at != "a" {
				t.Fatal("a is home and has not got a call")
			}
		}
		time.Sleep(silence + time.Millisecond)
		for n := range 20 {
			at, end := begin(t, p, fmt.Sprint(n))
			if at == "a" {
				t.Fatal("a call went to a home that is silent")
			}
			end(errors.New("cut"), nil)
		}
		held[0](nil, home)
		if at, end := begin(t, p, "0"); at != "a" {
			t.Error("home answers again and has not got the next call")
		} else {
			end(nil, home)
		}
		for _, code := range []codes.Code{codes.Unavailable, codes.DeadlineExceeded} {
			p := replicasOf("a", "b")
			p.home.Store(p.ready[0].load)
			_, end := begin(t, p, "0")
			end(status.Error(code, "failed"), home)
			for range 5 { // one after another, and its next try before all
				at, end := begin(t, p, "0")
				if at == "a" {
					t.Fatalf("after %s at home the next try went there again", code)
				}
				end(nil, nil)
			}
		}
		for _, end := range held[1:] {
			end(nil, nil)
		}
		time.Sleep(2 * failureRests)
	})
}

// TestFailingFastAttractsNobody: a replica that fails at once is never the least busy one.
func TestFailingFastAttractsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := replicasOf("a", "b")
		failed := 0
		for range 200 {
			at, end := begin(t, p, "")
			if at == "a" {
				failed++
				end(status.Error(codes.Unavailable, "no database"), nil)
				continue
			}
			time.Sleep(time.Millisecond)
			end(nil, nil)
		}
		if failed > 5 {
			t.Errorf("%d of 200 calls went to the replica that fails", failed)
		}
		time.Sleep(2 * failureRests)
		if n := p.ready[0].load.calls.Load(); n != 0 {
			t.Errorf("long after its failures it still counts as having %d calls", n)
		}
	})
}

// TestResourceOfACall: the first variable of the path names it.
func TestResourceOfACall(t *testing.T) {
	for method, want := range map[string]string{
		orderreleasev1.OrderReleaseService_GetOrder_FullMethodName:    "order_id",
		orderreleasev1.OrderReleaseService_CloseOrder_FullMethodName:  "order_id",
		orderreleasev1.OrderReleaseService_SubmitOrder_FullMethodName: "",
		probev1.ProbeService_GetCount_FullMethodName:                  "", // no public API
		"/no.such/Method": "",
	} {
		if got := string(resourceField(method)); got != want {
			t.Errorf("%s is about %q, want %q", method, got, want)
		}
	}
}

// TestTheHomeTellsItself: of two replicas with consumers, or a relay, at work the first that
// answers gets the calls until it ends. Both have a database of their own here, so both are home.
func TestTheHomeTellsItself(t *testing.T) {
	tokens := keysOf(t, guard.Gateway, "probe")
	start := func() (*probe, *Host, string) {
		cfg := quick()
		cfg.Tokens, cfg.Listen.GRPC = tokens, freeAddress(t)
		cfg.Store.URI = Secret("sqlite://" + t.TempDir())
		p := newProbe()
		u := p.unit("probe")
		u.stateless = false
		h, err := Start(t.Context(), "test", cfg, Parts{Log: io.Discard}, u)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if h.ready.stopping.Load() {
				return
			}
			if err := h.Stop(context.Background()); err != nil {
				t.Error(err)
			}
		})
		return p, h, cfg.Listen.GRPC
	}
	one, first, a := start()
	_, second, b := start()
	cfg := quick()
	cfg.Tokens, cfg.Services = tokens, map[string]string{"probe": a + ";" + b}
	caller := probev1.NewProbeServiceClient(startHost(t, cfg, newProbe().unit(guard.Gateway)).Dial(guard.Gateway, "probe"))
	ask := func() {
		if _, err := caller.GetCount(as(t, ""), &probev1.GetCountRequest{CounterId: "c"}); err != nil {
			t.Fatal(err)
		}
	}
	twenty := func() (atOne int64) {
		before := one.calls.Load()
		for range 20 {
			ask()
		}
		return one.calls.Load() - before
	}
	n := twenty()
	for deadline := time.Now().Add(time.Minute); n != 0 && n != 20; n = twenty() { // leases are taken soon, not at once
		if time.Now().After(deadline) {
			t.Fatalf("of 20 calls one replica has %d", n)
		}
	}
	home, left := first, int64(0)
	if n == 0 {
		home, left = second, 20
	}
	if err := home.Stop(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
	if n := twenty(); n != left { // and none of them failed
		t.Errorf("home is gone; of 20 calls the first replica has %d, want %d", n, left)
	}
}
