package bustest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/lockstep-logistics/lockstep/libs/bus"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
)

const stream = "EVT_" + source

func (r *rig) js() jetstream.JetStream {
	r.t.Helper()
	js, err := jetstream.New(r.connect(), jetstream.WithDefaultTimeout(within))
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
		var s jetstream.Stream
		r.eventually(func() (err error) { // facts may have come from their owner before there was a stream
			s, err = js.Stream(r.t.Context(), stream)
			return err
		})
		for name := range s.ConsumerNames(r.t.Context()).Name() {
			if err := s.DeleteConsumer(r.t.Context(), name); err != nil && !errors.Is(err, jetstream.ErrConsumerNotFound) {
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
	owner := r.start(bus.Config{Service: source, DB: r.src, NATS: r.connect(), Timing: patient()}) // it publishes all
	r.serve(owner.Server())
	s := r.sink(r.dst, k.consumers()...)
	r.many("thing", 30, 1)
	k.settle(r)
	s.stop()
	r.eventually(func() error { return r.streamHolds(r.committed()) })
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
func (r *rig) streamHolds(n int) error { return r.holds(r.js(), n) }

// holds says whether so many messages were stored at a server.
func (r *rig) holds(js jetstream.JetStream, n int) error {
	ctx, cancel := context.WithTimeout(r.t.Context(), 5*time.Second)
	defer cancel()
	s, err := js.Stream(ctx, stream)
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

// noRoom asks for a stream that no server has the storage for: it is told once, with the name
// of the setting, and facts come from their owner; a stream that is there already is used.
func noRoom(r *rig) {
	k := newKinds()
	log := new(lines)
	start := func() *node {
		n := r.start(bus.Config{
			Service: source, DB: r.src, NATS: r.connect(), Stream: bus.Stream{MaxBytes: 1 << 60},
			Log: slog.New(slog.NewTextHandler(log, nil)),
		})
		r.serve(n.Server())
		return n
	}
	n := start()
	r.sink(r.dst, k.consumers()...)
	r.many("thing", 30, 1)
	k.settle(r)
	r.eventually(func() error { return holds(strings.Contains(log.String(), "the bus is down"), "the log tells nothing") })
	r.many("thing", 30, 1) // tried again, each second
	k.settle(r)
	if told := strings.Count(log.String(), "nats.stream_mib"); told != 1 {
		r.t.Errorf("the log tells it %d times:\n%s", told, log)
	}
	n.stop()
	small := jetstream.StreamConfig{Name: stream, Subjects: []string{"evt." + source + ".>"}, MaxBytes: 1 << 20}
	if _, err := r.js().CreateStream(r.t.Context(), small); err != nil {
		r.t.Fatal(err)
	}
	start()
	r.many("thing", 30, 1)
	r.eventually(func() error { // what a bus that is slow to answer did not take is not published later
		r.commit("t0", "thing_0000", "one more")
		return r.streamHolds(30)
	})
	k.settle(r)
}

// disorder puts a bad transport between source and sink: every message five times, moved
// within a window of fifty, one in a hundred not at all; one in twenty is held back until all
// else has settled, and then the whole stream comes again from its beginning. Nothing of that
// runs a handler twice.
func disorder(r *rig) {
	k := newKinds()
	n := r.start(bus.Config{Service: source, DB: r.src, NATS: r.connect(), Timing: patient()}) // it publishes all
	r.serve(n.Server())
	good := r.js()
	r.nats = testkit.StartNATS(r.t) // the sink's
	bad := r.js()
	_, err := bad.CreateStream(r.t.Context(), jetstream.StreamConfig{Name: stream, Subjects: []string{"evt." + source + ".>"}})
	if err != nil {
		r.t.Fatal(err)
	}
	name := fmt.Sprintf("record-%d", consumers.Add(1))
	read := measured(r.t, name)
	seen := k.consumers()
	seen[1].Name = name
	r.start(bus.Config{Service: sink, DB: r.dst, NATS: r.connect(), Timing: patient()}, seen...)
	r.many("thing", 60, 3)
	r.many("other", 20, 3)
	r.eventually(func() error { return headsReach(r, n, r.committed()) })
	r.eventually(func() error { return r.holds(good, r.committed()) })
	all := r.messages(good)
	now, late := mangle(all)
	r.publish(bad, now)
	k.settle(r)
	for _, again := range [][]*nats.Msg{late, all} { // ten minutes later, as the consumer sees it
		before := read("bus.duplicates")
		r.publish(bad, again)
		r.eventually(func() error {
			came := read("bus.duplicates") - before
			return holds(came >= float64(len(again)), "%v of %d messages came again", came, len(again))
		})
	}
	r.many("thing", 20, 1)
	r.eventually(func() error { return r.holds(good, r.committed()) })
	r.publish(bad, r.messages(good)[len(all):])
	k.settle(r)
	for name, l := range map[string]*ledger{"reactor": k.react, "recorder": k.record} {
		if l.ran() != r.committed() {
			r.t.Errorf("the %s ran %d times for %d facts", name, l.ran(), r.committed())
		}
		if err := l.ordered(); err != nil {
			r.t.Error(err)
		}
	}
}

// messages returns what a stream holds, in order, so that it can be published elsewhere.
func (r *rig) messages(from jetstream.JetStream) []*nats.Msg {
	r.t.Helper()
	s, err := from.Stream(r.t.Context(), stream)
	if err != nil {
		r.t.Fatal(err)
	}
	c, err := s.OrderedConsumer(r.t.Context(), jetstream.OrderedConsumerConfig{})
	if err != nil {
		r.t.Fatal(err)
	}
	batch, err := c.Fetch(int(s.CachedInfo().State.Msgs), jetstream.FetchMaxWait(within))
	if err != nil {
		r.t.Fatal(err)
	}
	var all []*nats.Msg
	for m := range batch.Messages() {
		h := m.Headers()
		h.Del(jetstream.MsgIDHeader)
		all = append(all, &nats.Msg{Subject: m.Subject(), Header: h, Data: m.Data()})
	}
	if err := batch.Error(); err != nil {
		r.t.Fatal(err)
	}
	return all
}

func (r *rig) publish(to jetstream.JetStream, messages []*nats.Msg) {
	r.t.Helper()
	for _, m := range messages {
		if _, err := to.PublishMsg(r.t.Context(), m); err != nil {
			r.t.Fatal(err)
		}
	}
}

// mangle makes a bad stream of a good one, and what comes long after it.
func mangle(messages []*nats.Msg) (now, late []*nats.Msg) {
	rnd := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // a repeatable disorder
	for _, m := range messages {
		if rnd.IntN(20) == 0 {
			late = append(late, m)
			continue
		}
		now = append(now, m, m, m, m, m)
	}
	const window = 50
	for i := range now {
		j := min(len(now)-1, i+rnd.IntN(window))
		now[i], now[j] = now[j], now[i]
	}
	return slices.DeleteFunc(now, func(*nats.Msg) bool { return rnd.IntN(100) == 0 }), late
}
