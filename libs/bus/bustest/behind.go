package bustest

import (
	"context"
	"fmt"
	"hash/fnv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/bus"
	"github.com/lockstep-logistics/lockstep/libs/store"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
)

// awayAnew begins a new generation, with an empty stream, while the consumers are away.
func awayAnew(r *rig) {
	k := newKinds()
	src := WithFaults(r.src)
	n := r.source(src)
	s := r.sink(r.dst, k.consumers()...)
	r.many("thing", 30, 1)
	k.settle(r)
	s.stop()
	r.many("thing", 30, 2)
	r.eventually(func() error { return headsReach(r, n, r.committed()) })
	n.stop()
	src.LosePositions()
	r.nats.Stop()
	r.nats.Restart(r.t, true)
	r.source(src)
	r.sink(r.dst, k.consumers()...)
	r.many("thing", 30, 1)
	k.settle(r)
}

// tooOld lets the marks that a late consumer needs be gone, but not the generation: the engine
// still has the place where the relay goes on.
func tooOld(r *rig) {
	k := newKinds()
	name := fmt.Sprintf("too-old-%d", consumers.Add(1))
	read := measured(r.t, name)
	seen := k.consumers()
	seen[0].Name = name
	src := WithFaults(r.src)
	n := r.source(src)
	s := r.sink(r.dst, seen...)
	r.many("thing", 30, 1)
	k.settle(r)
	s.stop()
	r.many("thing", 30, 2)
	r.eventually(func() error { return r.recorded(r.committed()) })
	n.stop()
	good, err := r.record("good")
	if err != nil {
		r.t.Fatal(err)
	}
	src.LosePositions(store.Position(good.Position))
	r.nats.Stop()
	r.nats.Restart(r.t, true)
	n = r.source(src)
	r.sink(r.dst, seen...)
	r.many("thing", 30, 1)
	k.settle(r)
	a, err := n.Server().GetHeads(r.t.Context(), nil)
	if err != nil || a.GetGeneration() != 1 {
		r.t.Errorf("generation %d, %v", a.GetGeneration(), err)
	}
	if read("bus.catch_ups") == 0 {
		r.t.Error("nothing was too old to be fetched")
	}
}

// halfCommit ends a follower between two facts of a commit, and numbers begin anew before it is
// back: the state that it copies is that of the version which it has begun.
func halfCommit(r *rig) {
	l := newLedger(bus.Follower)
	src := WithFaults(r.src)
	n := r.source(src)
	c := l.consumer("follow")
	c.Handle = func(ctx context.Context, f bus.Fact) error {
		if strings.Contains(string(f.Data), "second half") {
			<-ctx.Done()
			return ctx.Err()
		}
		return l.handle(ctx, f)
	}
	s := r.sink(r.dst, c)
	r.eventually(func() error { return s.Ready(r.t.Context()) })
	r.commit("t0", "thing_half", "first half", "second half")
	r.eventually(func() error {
		return holds(l.has("t0/"+bus.EventID("thing_half", 1, 0)), "the first half has not come")
	})
	s.stop()
	n.stop()
	src.LosePositions()
	r.source(src)
	r.sink(r.dst, l.consumer("follow"))
	r.eventually(func() error { return l.complete(r) })
}

// replica is one of the owner's, with answers of its own.
type replica struct {
	commonv1.FactsServiceServer
	versions map[string]*commonv1.ListVersionsResponse // by aggregate type

	slow  bool                                      // its heads are those that it was asked for before
	heads atomic.Pointer[commonv1.GetHeadsResponse] // the last ones
	asked atomic.Int64
}

func (s *replica) ListVersions(ctx context.Context, q *commonv1.ListVersionsRequest) (*commonv1.ListVersionsResponse, error) {
	if a := s.versions[q.GetAggregateType()]; a != nil {
		return a, nil
	}
	return s.FactsServiceServer.ListVersions(ctx, q)
}

func (s *replica) GetHeads(ctx context.Context, q *commonv1.GetHeadsRequest) (*commonv1.GetHeadsResponse, error) {
	a, err := s.FactsServiceServer.GetHeads(ctx, q)
	if err != nil || !s.slow {
		return a, err
	}
	s.asked.Add(1)
	if before := s.heads.Swap(a); before != nil {
		return before, nil
	}
	return a, nil
}

// knowsLess lets consumers that compare hear the heads from one replica of the owner and get the
// versions from another, which does not know of the newest commit yet.
func knowsLess(r *rig) {
	react, record := newLedger(bus.Reactor), newLedger(bus.Recorder)
	src := WithFaults(r.src)
	n := r.source(src)
	r.many("thing", 10, 1)
	r.eventually(func() error { return headsReach(r, n, r.committed()) })
	n.stop()
	src.LosePositions() // so that the consumers compare
	n = r.source(src)
	r.eventually(func() error {
		a, err := n.Server().GetHeads(r.t.Context(), nil)
		return holds(err == nil && a.GetGeneration() == 2, "generation %d, %v", a.GetGeneration(), err)
	})
	other := &replica{FactsServiceServer: n.Server(), versions: map[string]*commonv1.ListVersionsResponse{}}
	for _, aggregate := range []string{Thing, Other} {
		a, err := n.Server().ListVersions(r.t.Context(), &commonv1.ListVersionsRequest{AggregateType: aggregate, PageSize: 1000})
		if err != nil || a.GetNextPageToken() != "" {
			r.t.Fatalf("more than a page: %q, %v", a.GetNextPageToken(), err)
		}
		other.versions[aggregate] = a
	}
	r.commit("t0", "quiet_late", "numbered and not listed yet")
	r.eventually(func() error { return headsReach(r, n, 1) })
	r.serve(other)
	r.sink(r.dst, react.consumer("react"), record.consumer("record"))
	for _, l := range []*ledger{react, record} {
		r.eventually(func() error { return l.complete(r) })
	}
}

// momentBehind asks a replica of the owner that does not relay, under a load that does not end:
// what it says is older than what has come. That is not an owner who was put back.
func momentBehind(r *rig) {
	name := fmt.Sprintf("moment-%d", consumers.Add(1))
	read := measured(r.t, name)
	l := newLedger(bus.Reactor)
	n := r.source(r.src)
	other := &replica{FactsServiceServer: n.Server(), slow: true}
	r.serve(other)
	r.sink(r.dst, l.consumer(name))
	for i := range 20 { // far more than it takes to be taken for one
		asked := other.asked.Load()
		r.commit("t0", "thing_0001", fmt.Sprint(i))
		r.eventually(func() error { return holds(other.asked.Load() > asked, "nobody asks for heads") })
	}
	r.eventually(func() error { return l.complete(r) })
	if n := read("bus.catch_ups"); n > 0 {
		r.t.Errorf("the consumer compared %v times", n)
	}
}

// halfRecord sets the relay's head back and not the mark that snapshots are good to, as a write
// of both that got half-way does, or a relay that read one before and one after another relay
// stored them. What lies between was published and comes no more: the head tells of it.
func halfRecord(r *rig) {
	n := r.source(r.src)
	r.many("thing", 20, 1)
	r.eventually(func() error { return r.recorded(r.committed()) })
	before, err := r.record("head")
	if err != nil {
		r.t.Fatal(err)
	}
	r.many("thing", 20, 1)
	r.eventually(func() error { return r.recorded(r.committed()) })
	n.stop()
	now, err := r.record("head")
	if err != nil {
		r.t.Fatal(err)
	}
	if ok, err := r.src.Table(relayTable).Swap(r.t.Context(), before.row, now.row.Version); err != nil || !ok {
		r.t.Fatalf("the head is not set back: %t, %v", ok, err)
	}
	n = r.source(r.src)
	r.eventually(func() error { return headsReach(r, n, r.committed()) })
	r.eventually(func() error { return r.recorded(r.committed()) })
}

// noGoodMark takes away what the relay has said of the snapshots, as a write of both marks that
// got half-way does the first time, and with a process that died before it wrote them: a copy
// is whole all the same.
func noGoodMark(r *rig) {
	timing := Fast
	timing.Trail = time.Hour // nobody looks for snapshots
	n := r.start(bus.Config{Service: source, DB: r.src, NATS: r.connect(), Timing: timing})
	r.many("thing", 20, 1)
	r.eventually(func() error { return headsReach(r, n, r.committed()) })
	n.stop()
	if err := r.src.Table(relayTable).Delete(r.t.Context(), own, "good"); err != nil {
		r.t.Fatal(err)
	}
	r.source(r.src)
	l := newLedger(bus.Follower)
	r.sink(r.dst, l.consumer("follow"))
	r.eventually(func() error { return l.complete(r) })
}

// putBack puts an owner back to where it was before a generation that consumers count in.
func putBack(r *rig) {
	k := newKinds()
	src := WithFaults(r.src)
	n := r.source(src)
	r.sink(r.dst, k.consumers()...)
	r.many("thing", 20, 1)
	k.settle(r)
	n.stop()
	src.LosePositions()
	n = r.source(src)
	r.many("thing", 20, 1)
	k.settle(r)
	n.stop()
	r.src = r.open(r.t) // the backup, of before the first commit
	r.source(r.src)
	r.many("quiet", 10, 1)
	k.settle(r)
}

// putBackWithin puts an owner back within the generation, and lets it pass at once what one lane
// was at: that it was put back shows in another lane, of which it knows nothing.
func putBackWithin(r *rig) {
	k := newKinds()
	passed, again, unknown := "thing_passed", "", ""
	for i := 0; again == "" || unknown == ""; i++ {
		switch id := fmt.Sprintf("thing_%d", i); {
		case partition(id) == partition(passed):
			again = id
		case partition(id) != 0: // heads tell of that, whatever it is at
			unknown = id
		}
	}
	n := r.source(r.src)
	r.sink(r.dst, k.consumers()...)
	r.commit("t0", passed, "one")
	r.commit("t0", unknown, "one", "two")
	k.settle(r)
	n.stop()
	r.src = r.open(r.t)
	r.commit("t0", again, "under a number that was taken", "and one that was not")
	r.source(r.src)
	k.settle(r)
}

// partition is the lane of an aggregate among those of its type.
func partition(id string) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(id)) // a hash never fails
	return h.Sum32() % bus.Partitions
}
