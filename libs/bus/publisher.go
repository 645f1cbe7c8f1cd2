package bus

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/clock"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// publisher brings facts to the service's stream. It promises order and delivery only as
// long as the bus is well: a bus that is down longer than a grace period gets nothing, the
// numbers go on, and consumers fetch what they miss from the owner. So a dead bus never
// makes the relay fall behind.
type publisher struct {
	nc      *nats.Conn
	js      jetstream.JetStream
	config  jetstream.StreamConfig
	grace   time.Duration
	metrics *metrics
	log     *slog.Logger

	ready bool      // the stream was there last time
	down  bool      // given up until a probe succeeds
	probe time.Time // of the next probe while down
	full  bool      // it was told that the servers have no room for the stream
}

// ackWait bounds the wait for the acknowledgements of a batch.
const ackWait = 2 * time.Second

func newPublisher(cfg Config, m *metrics) (*publisher, error) {
	p := &publisher{nc: cfg.NATS, grace: cfg.Timing.Down, metrics: m, log: cfg.Log}
	p.config = jetstream.StreamConfig{
		Name:        streamName(cfg.Service),
		Description: "Facts of " + cfg.Service + ", a transport: the service's commits are the truth",
		Subjects:    subjectsOf(cfg.Service, nil),
		Storage:     jetstream.FileStorage,
		Retention:   jetstream.LimitsPolicy,
		Discard:     jetstream.DiscardOld,
		MaxBytes:    cfg.Stream.MaxBytes,
		MaxAge:      cfg.Stream.MaxAge,
		Replicas:    cfg.Stream.Replicas,
		Duplicates:  2 * time.Minute,
	}
	if p.nc == nil {
		return p, nil
	}
	var err error
	p.js, err = jetstream.New(p.nc, jetstream.WithPublishAsyncMaxPending(2*maxBatch), jetstream.WithPublishAsyncTimeout(ackWait))
	return p, err
}

func (p *publisher) close() {
	if p.js != nil {
		p.js.CleanupPublisher()
	}
}

// publish returns when the facts are acknowledged, or given up because the bus is down.
func (p *publisher) publish(ctx context.Context, facts []Fact) {
	if p.js == nil || p.down && clock.Monotonic().Before(p.probe) {
		p.metrics.unpublished.Add(ctx, int64(len(facts)), p.metrics.own)
		return
	}
	for start := clock.Monotonic(); ctx.Err() == nil; {
		err := p.try(ctx, facts)
		if err == nil {
			if p.down {
				p.log.InfoContext(ctx, "the bus is back")
			}
			p.down = false
			p.metrics.published.Add(ctx, int64(len(facts)), p.metrics.own)
			return
		}
		p.ready = false
		if p.down || clock.Elapsed(start) > p.grace {
			if !p.down {
				p.log.WarnContext(ctx, "the bus is down: consumers fetch from this service", "error", err)
			}
			p.down, p.probe = true, clock.Monotonic().Add(time.Second)
			p.metrics.unpublished.Add(ctx, int64(len(facts)), p.metrics.own)
			return
		}
		pause(ctx, 50*time.Millisecond)
	}
}

// try publishes a batch from its start; what an earlier try brought arrives as duplicates.
func (p *publisher) try(ctx context.Context, facts []Fact) error {
	if p.nc.Status() != nats.CONNECTED {
		return nats.ErrConnectionReconnecting
	}
	if err := p.ensure(ctx); err != nil {
		return err
	}
	futures := make([]jetstream.PubAckFuture, 0, len(facts))
	var first error
	for _, f := range facts {
		future, err := p.js.PublishMsgAsync(message(f), jetstream.WithRetryAttempts(0), jetstream.WithStallWait(ackWait))
		if err != nil {
			first = err
			break
		}
		futures = append(futures, future)
	}
	for _, future := range futures {
		select {
		case <-future.Ok():
		case err := <-future.Err():
			if first == nil {
				first = err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return first
}

// open makes the stream before there are facts for it: consumers that find none ask the owner
// over and over instead.
func (p *publisher) open(ctx context.Context) {
	if p.js == nil {
		return
	}
	if err := p.ensure(ctx); err != nil {
		p.log.DebugContext(ctx, "the stream comes with the first facts", "error", err)
	}
}

// ensure makes the stream when it is not there, whoever removed it.
func (p *publisher) ensure(ctx context.Context) error {
	if p.ready {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, ackWait)
	defer cancel()
	_, err := p.js.CreateOrUpdateStream(ctx, p.config)
	if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
		_, err = p.js.Stream(ctx, p.config.Name) // another relay made it just now
	}
	if noRoom(err) {
		p.tellFull(ctx, err)
		if _, missing := p.js.Stream(ctx, p.config.Name); missing == nil {
			err = nil // it is there and cannot be made larger: it does as it is
		}
	} else if err == nil {
		p.full = false
	}
	p.ready = err == nil
	return err
}

// tellFull says once that there is no room for the stream.
func (p *publisher) tellFull(ctx context.Context, err error) {
	if !p.full {
		p.log.WarnContext(ctx, "the servers of NATS have no room for the stream: lower nats.stream_mib or give them more storage",
			"mib", p.config.MaxBytes>>20, "replicas", p.config.Replicas, "error", err)
	}
	p.full = true
}

// Codes with which servers refuse a stream.
const (
	codeNoPeers     jetstream.ErrorCode = 10005 // of a cluster: none of its servers can take it, for a reason in words
	codeNoResources jetstream.ErrorCode = 10023
	codeNoStorage   jetstream.ErrorCode = 10047
)

// noRoom reports that a stream was refused for want of storage.
func noRoom(err error) bool {
	var refused jetstream.JetStreamError
	if !errors.As(err, &refused) || refused.APIError() == nil {
		return false
	}
	a := refused.APIError()
	return a.ErrorCode == codeNoStorage || a.ErrorCode == codeNoResources ||
		a.ErrorCode == codeNoPeers && strings.Contains(a.Description, "storage")
}

// announce tells the heads to whoever listens.
func (p *publisher) announce(service string, heads []byte) {
	if p.nc == nil {
		return
	}
	if err := p.nc.Publish(headsSubject(service), heads); err != nil {
		p.log.Debug("heads not announced", "error", err)
	}
}
