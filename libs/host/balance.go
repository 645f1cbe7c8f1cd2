package host

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/balancer"
	"google.golang.org/grpc/balancer/endpointsharding"
	"google.golang.org/grpc/balancer/pickfirst"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/serviceconfig"
	"google.golang.org/grpc/status"

	"github.com/lockstep-logistics/lockstep/libs/clock"
)

// near is the policy of connections to several replicas: calls go where the newest copies are
// and where commands meet others to share a commit with. While there is little to do that is
// the replica at which the service's consumers run, as it tells with its answers (metaHome).
// Then calls about one resource go to one replica, the same for every caller (rendezvous
// hashing), and all others to the least busy. A replica that is much busier than another is
// passed by. One that has calls and has answered none for a second counts as busier, so that a
// frozen one holds up few; so does, for a second, one whose call failed for want of it or of
// time, so that one that fails at once attracts nobody, and it is home no more.
const near = "lockstep_near"

func init() { balancer.Register(nearBuilder{}) }

type nearBuilder struct{}

func (nearBuilder) Name() string { return near }

func (nearBuilder) ParseConfig(json.RawMessage) (serviceconfig.LoadBalancingConfig, error) {
	return nil, nil // nothing can be set
}

func (nearBuilder) Build(cc balancer.ClientConn, opts balancer.BuildOptions) balancer.Balancer {
	b := &nearBalancer{ClientConn: cc, loads: map[string]*busy{}, home: new(atomic.Pointer[busy])}
	b.Balancer = endpointsharding.NewBalancer(b, opts, balancer.Get(pickfirst.Name).Build, endpointsharding.Options{})
	return b
}

// nearBalancer connects to every replica by its child and chooses among those that are ready.
type nearBalancer struct {
	balancer.ClientConn
	balancer.Balancer

	loads map[string]*busy // by address; the child tells states one after another
	home  *atomic.Pointer[busy]
}

// busy is how busy a replica is with calls of ours.
type busy struct {
	calls    atomic.Int64
	answered atomic.Int64 // when it last answered, or began to have something to answer; ns since origin
}

var origin = clock.Monotonic()

// weight is how many calls a replica has under way, and more when it seems to be frozen.
func (b *busy) weight() int64 {
	n := b.calls.Load()
	if n > 0 && clock.Elapsed(origin)-time.Duration(b.answered.Load()) > silence {
		n += failureWeighs
	}
	return n
}

func (b *busy) begin() {
	if b.calls.Add(1) == 1 {
		b.answered.Store(int64(clock.Elapsed(origin)))
	}
}

func (b *busy) end(failed bool) {
	b.answered.Store(int64(clock.Elapsed(origin)))
	if !failed {
		b.calls.Add(-1)
		return
	}
	b.calls.Add(failureWeighs - 1)
	time.AfterFunc(failureRests, func() { b.calls.Add(-failureWeighs) })
}

// UpdateState takes the states of the replicas' connections from the child.
func (b *nearBalancer) UpdateState(s balancer.State) {
	var ready []replica
	loads := map[string]*busy{}
	for _, child := range endpointsharding.ChildStatesFromPicker(s.Picker) {
		if child.State.ConnectivityState != connectivity.Ready {
			continue
		}
		name := nameOf(child.Endpoint)
		loads[name] = cmp.Or(b.loads[name], new(busy))
		ready = append(ready, replica{name, child.State.Picker, loads[name]})
	}
	if len(ready) > 0 {
		b.loads = loads
		s = balancer.State{ConnectivityState: connectivity.Ready, Picker: &nearPicker{ready, b.home}}
	}
	b.ClientConn.UpdateState(s)
}

// nameOf is what a replica is called: the same for all that call it.
func nameOf(e resolver.Endpoint) string {
	if len(e.Addresses) == 0 {
		return ""
	}
	return e.Addresses[0].Addr
}

type replica struct {
	name string
	balancer.Picker
	load *busy
}

// nearPicker chooses among the replicas that are ready.
type nearPicker struct {
	ready []replica
	home  *atomic.Pointer[busy] // of the replica at which consumers run; nil when that is not known
}

// Pick implements balancer.Picker.
func (p *nearPicker) Pick(info balancer.PickInfo) (balancer.PickResult, error) {
	r := p.choose(resourceOf(info.Ctx))
	result, err := r.Picker.Pick(info)
	if err != nil {
		return result, err
	}
	done := result.Done
	r.load.begin()
	result.Done = func(info balancer.DoneInfo) {
		code := status.Code(info.Err)
		failed := code == codes.Unavailable || code == codes.DeadlineExceeded
		switch {
		case !failed && len(info.Trailer.Get(metaHome)) > 0:
			p.home.Store(r.load)
		case failed, info.Err == nil:
			p.home.CompareAndSwap(r.load, nil)
		}
		r.load.end(failed)
		if done != nil {
			done(info)
		}
	}
	return result, nil
}

// A call that failed counts as so many under way, for so long: enough for its next try to go
// elsewhere. A replica that has answered nothing for the time of silence counts alike.
const failureWeighs, failureRests, silence = fewCalls + spare, time.Second, time.Second

// choose returns the replica for a resource, or for none in particular.
func (p *nearPicker) choose(resource string) replica {
	home := p.home.Load()
	calls := make([]int64, len(p.ready))
	for i, r := range p.ready {
		calls[i] = r.load.weight()
		if r.load == home && calls[i] < fewCalls {
			return r
		}
	}
	least := slices.Min(calls)
	var best replica
	var most uint64
	for i, r := range p.ready {
		switch rank := rankOf(r.name, resource); {
		case resource == "" && calls[i] > least, calls[i] > 2*least+spare:
		case best.load == nil || rank > most:
			best, most = r, rank
		}
	}
	return best
}

// fewCalls is how many calls under way are little to do; spare is how many more than twice
// those of the least busy replica one may have.
const fewCalls, spare = 8, 4

// metaHome in the trailer of an answer says that the service's consumers run at the replica.
const metaHome = "x-lockstep-home"

// rankOf tells whose a resource is: the highest one's (Thaler and Ravishankar, 1998). What is
// about none is anybody's.
func rankOf(replica, resource string) uint64 {
	if resource == "" {
		return rand.Uint64()
	}
	h := sha256.Sum256([]byte(replica + "\x00" + resource))
	return binary.BigEndian.Uint64(h[:])
}

type resourceKey struct{}

// resourceOf is the id of the resource that a call is about, "" when there is none.
func resourceOf(ctx context.Context) string {
	id, _ := ctx.Value(resourceKey{}).(string)
	return id
}
