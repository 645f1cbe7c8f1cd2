package bus

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/clock"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// hint is where to go on reading a stream. It saves work and nothing rests on it: what a
// wrong one skips shows as a gap.
type hint struct {
	Stream int64  `json:"c"` // creation time of the stream, ns since 1970
	Seq    uint64 `json:"s"` // next sequence
}

// reader reads a service's stream with an ephemeral pull consumer without acknowledgements,
// and makes a new one when stream, consumer, server or connection went away.
type reader struct {
	nc       *nats.Conn
	stream   string
	subjects []string
	next     hint
	out      chan<- arrival
	onError  func(error)
	patience time.Duration // how long it may take to read again before it counts as down
	up       atomic.Bool
	atEnd    atomic.Bool  // all that the stream held has been passed on
	last     atomic.Int64 // when it was last up, or began; nanoseconds of since()
}

const (
	// prefetched is how many messages may wait here. More are asked for when half are taken, so
	// a slow consumer is silent for as long as it works on the others.
	prefetched = 512
	// kept is how long the server keeps the place of a reader that is silent: that of one which
	// takes a fact in ten seconds, and that of a process which died. A reader that ends takes its
	// place away itself.
	kept = time.Hour
)

// run reads until ctx ends.
func (r *reader) run(ctx context.Context) {
	if r.nc == nil {
		return
	}
	r.last.Store(int64(since()))
	wait := 50 * time.Millisecond
	for ctx.Err() == nil {
		start := clock.Monotonic()
		err := r.read(ctx)
		r.atEnd.Store(false)
		if r.up.Swap(false) {
			r.last.Store(int64(since()))
		}
		if ctx.Err() != nil {
			return
		}
		r.onError(err)
		if clock.Elapsed(start) > 5*time.Second {
			wait = 50 * time.Millisecond
		}
		pause(ctx, wait)
		wait = min(2*wait, time.Second)
	}
}

// down reports that messages do not come, and not just for a moment.
func (r *reader) down() bool {
	if r.nc == nil || r.nc.Status() != nats.CONNECTED {
		return true
	}
	return !r.up.Load() && since()-time.Duration(r.last.Load()) >= r.patience
}

// idle reports that the stream is read to its end: by what it told with its last message, or
// by its silence, for messages are lost with a connection.
func (r *reader) idle(silent bool) bool { return r.up.Load() && (r.atEnd.Load() || silent) }

func (r *reader) read(ctx context.Context) error {
	js, err := jetstream.New(r.nc)
	if err != nil {
		return err
	}
	open, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	stream, err := js.Stream(open, r.stream)
	if err != nil {
		return err
	}
	info := stream.CachedInfo()
	r.place(info)
	cons, err := stream.CreateConsumer(open, jetstream.ConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: r.next.Seq,
		AckPolicy: jetstream.AckNonePolicy, FilterSubjects: r.subjects,
		InactiveThreshold: kept, MemoryStorage: true, Replicas: 1,
	})
	if err != nil {
		return err
	}
	defer r.leave(ctx, stream, cons)
	messages, err := cons.Messages(jetstream.PullMaxMessages(prefetched), jetstream.PullHeartbeat(time.Second), jetstream.PullExpiry(10*time.Second))
	if err != nil {
		return err
	}
	defer messages.Stop()
	defer context.AfterFunc(ctx, messages.Stop)()
	r.atEnd.Store(cons.CachedInfo().NumPending == 0)
	r.up.Store(true)
	for {
		m, err := messages.Next()
		if err != nil {
			return err
		}
		meta, err := m.Metadata()
		if err != nil {
			return err
		}
		r.atEnd.Store(false)
		r.next.Seq = meta.Sequence.Stream + 1
		f, err := factOfMessage(m.Headers(), m.Data())
		if err != nil {
			r.onError(err) // its number shows as a gap
			continue
		}
		select {
		case r.out <- arrival{fact: f, stream: r.next.Stream, seq: meta.Sequence.Stream}:
			r.atEnd.Store(meta.NumPending == 0)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// leave takes the reader's place at the server away, as far as that is there.
func (r *reader) leave(ctx context.Context, stream jetstream.Stream, cons jetstream.Consumer) {
	if r.nc.Status() != nats.CONNECTED {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_ = stream.DeleteConsumer(ctx, cons.CachedInfo().Name) // it goes by itself in the end
}

// place decides where to go on: after the last message of the same stream, at the start of
// another one, at the end of one that has lost what was read.
func (r *reader) place(info *jetstream.StreamInfo) {
	created := info.Created.UnixNano()
	if r.next.Stream != created {
		r.next = hint{created, max(1, info.State.FirstSeq)}
	}
	r.next.Seq = max(1, min(r.next.Seq, info.State.LastSeq+1))
}

// here returns the hint of a stream's end now, or none when it cannot be had.
func (r *reader) here(ctx context.Context) hint {
	if r.nc == nil {
		return hint{}
	}
	js, err := jetstream.New(r.nc)
	if err != nil {
		return hint{}
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	stream, err := js.Stream(ctx, r.stream)
	if err != nil {
		return hint{}
	}
	info := stream.CachedInfo()
	return hint{info.Created.UnixNano(), info.State.LastSeq + 1}
}
