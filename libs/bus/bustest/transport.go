package bustest

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/lockstep-logistics/lockstep/libs/bus"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
)

const stream = "EVT_" + source

func (r *rig) js() jetstream.JetStream {
	r.t.Helper()
	js, err := jetstream.New(r.connect())
	if err != nil {
		r.t.Fatal(err)
	}
	return js
}

func streamDeleted(r *rig) {
	k := newKinds()
	r.source(r.src)
	r.sink(r.dst, k.consumers()...)
	js := r.js()
	for range 3 {
		r.many("thing", 40, 1)
		if err := js.DeleteStream(r.t.Context(), stream); err != nil && !errors.Is(err, jetstream.ErrStreamNotFound) {
			r.t.Fatal(err)
		}
		r.many("thing", 40, 1)
	}
	k.settle(r)
}

func consumersDeleted(r *rig) {
	k := newKinds()
	r.source(r.src)
	r.sink(r.dst, k.consumers()...)
	js := r.js()
	for range 3 {
		r.many("thing", 40, 1)
		r.eventually(func() error { return holds(k.react.effects() > 0, "no effects") })
		s, err := js.Stream(r.t.Context(), stream)
		if err != nil {
			r.t.Fatal(err)
		}
		for name := range s.ConsumerNames(r.t.Context()).Name() {
			if err := s.DeleteConsumer(r.t.Context(), name); err != nil {
				r.t.Fatal(err)
			}
		}
		r.many("thing", 40, 1)
	}
	k.settle(r)
}

// tailOverwritten puts the stream back to an older state while the sink is away, and lets
// new facts take the sequences of those that were lost.
func tailOverwritten(r *rig) {
	k := newKinds()
	r.source(r.src)
	s := r.sink(r.dst, k.consumers()...)
	r.many("thing", 30, 1)
	k.settle(r)
	s.stop()
	old := filepath.Join(r.t.TempDir(), "old")
	r.nats.Stop()
	if err := os.CopyFS(old, os.DirFS(r.nats.Dir)); err != nil {
		r.t.Fatal(err)
	}
	r.nats.Restart(r.t, false)
	r.many("thing", 30, 2) // published, acknowledged and then lost
	r.eventually(func() error { return r.streamHolds(r.committed()) })
	r.nats.Stop()
	if err := errors.Join(os.RemoveAll(r.nats.Dir), os.CopyFS(r.nats.Dir, os.DirFS(old))); err != nil {
		r.t.Fatal(err)
	}
	r.nats.Restart(r.t, false)
	r.many("thing", 30, 3)
	r.sink(r.dst, k.consumers()...)
	k.settle(r)
}

// streamHolds says whether so many messages were stored.
func (r *rig) streamHolds(n int) error {
	ctx, cancel := context.WithTimeout(r.t.Context(), time.Second)
	defer cancel()
	s, err := r.js().Stream(ctx, stream)
	if err != nil {
		return err
	}
	last := s.CachedInfo().State.LastSeq
	return holds(last >= uint64(n), "the stream is at %d of %d", last, n)
}

func storeDeleted(r *rig) {
	k := newKinds()
	r.source(r.src)
	r.sink(r.dst, k.consumers()...)
	r.many("thing", 40, 1)
	r.nats.Stop()
	r.many("thing", 40, 1)
	r.nats.Restart(r.t, true)
	r.many("thing", 40, 1)
	k.settle(r)
}

func busDown(r *rig) {
	k := newKinds()
	r.source(r.src)
	r.sink(r.dst, k.consumers()...)
	r.many("thing", 40, 1)
	k.settle(r)
	r.nats.Stop()
	r.many("thing", 40, 2)
	k.settle(r) // over the owner alone
	r.nats.Restart(r.t, false)
	r.many("thing", 40, 2)
	k.settle(r)
	r.eventually(func() error { // and over the bus again
		r.commit("t0", "thing_0000", "one more")
		return r.streamHolds(120)
	})
	k.settle(r)
}

func noBus(r *rig) {
	k := newKinds()
	n := r.start(bus.Config{Service: source, DB: r.src})
	r.serve(n.Server())
	r.start(bus.Config{Service: sink, DB: r.dst}, k.consumers()...)
	r.many("thing", 40, 3)
	k.settle(r)
}

// disorder puts a bad transport between source and sink: every message five times, moved
// within a window of fifty, one in a hundred not at all.
func disorder(r *rig) {
	k := newKinds()
	n := r.source(r.src)
	good := r.js()
	r.nats = testkit.StartNATS(r.t) // the sink's
	bad := r.js()
	_, err := bad.CreateStream(r.t.Context(), jetstream.StreamConfig{Name: stream, Subjects: []string{"evt." + source + ".>"}})
	if err != nil {
		r.t.Fatal(err)
	}
	r.sink(r.dst, k.consumers()...)
	r.many("thing", 60, 3)
	r.many("other", 20, 3)
	r.eventually(func() error { return headsReach(r, n, r.committed()) })
	mangle(r, good, bad)
	k.settle(r)
}

func mangle(r *rig, from, to jetstream.JetStream) {
	r.t.Helper()
	s, err := from.Stream(r.t.Context(), stream)
	if err != nil {
		r.t.Fatal(err)
	}
	c, err := s.OrderedConsumer(r.t.Context(), jetstream.OrderedConsumerConfig{})
	if err != nil {
		r.t.Fatal(err)
	}
	batch, err := c.Fetch(int(s.CachedInfo().State.Msgs), jetstream.FetchMaxWait(5*time.Second))
	if err != nil {
		r.t.Fatal(err)
	}
	var messages []*nats.Msg
	for m := range batch.Messages() {
		h := m.Headers()
		h.Del(jetstream.MsgIDHeader)
		for range 5 {
			messages = append(messages, &nats.Msg{Subject: m.Subject(), Header: h, Data: m.Data()})
		}
	}
	rnd := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // a repeatable disorder
	const window = 50
	for i := range messages {
		j := min(len(messages)-1, i+rnd.IntN(window))
		messages[i], messages[j] = messages[j], messages[i]
	}
	for _, m := range messages {
		if rnd.IntN(100) == 0 {
			continue
		}
		if _, err := to.PublishMsg(r.t.Context(), m); err != nil {
			r.t.Fatal(err)
		}
	}
}
