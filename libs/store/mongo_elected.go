package store

import (
	"context"
	"errors"
	"sync/atomic"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/event"
)

// Reads by id see what a majority is known to have. A primary that was just elected learns last
// what the one before it acknowledged, and one that was deposed while it stood still goes on
// answering until it hears of it: what was acknowledged is then not there. So no read by id is
// made after an election before a write has gone through, which has everything before it durable
// too, and one that an election came across is made again.

// elections counts the primaries that the driver hears of.
type elections struct {
	count atomic.Uint64
	last  electedPrimary // of the driver's one goroutine of events
}

type electedPrimary struct {
	address string
	term    bson.ObjectID
}

// heard takes what the driver hears of its set.
func (e *elections) heard(changed *event.TopologyDescriptionChangedEvent) {
	for _, s := range changed.NewDescription.Servers {
		if now := (electedPrimary{s.Addr.String(), s.ElectionID}); s.Kind == "RSPrimary" && now != e.last {
			e.last = now
			e.count.Add(1)
		}
	}
}

// elected is an engine whose reads by id are no older than what anybody was told of before.
type elected struct {
	engine
	elections *elections
	turn      chan struct{} // held by the one that writes
	known     *atomic.Uint64
}

func newElected(e engine, of *elections) elected {
	return elected{e, of, make(chan struct{}, 1), new(atomic.Uint64)}
}

// abreast sees to it that the primary of an election knows what the one before it acknowledged.
func (e elected) abreast(ctx context.Context, election uint64) error {
	if e.known.Load() >= election {
		return nil
	}
	select {
	case e.turn <- struct{}{}:
		defer func() { <-e.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if e.known.Load() >= election { // somebody was faster
		return nil
	}
	err := errTaken
	for errors.Is(err, errTaken) { // by another's first one
		err = e.try(ctx)
	}
	if err == nil {
		e.known.Store(election)
	}
	return err
}

// read reads, again if an election came across it.
func read[V any](ctx context.Context, e elected, do func() (V, error)) (V, error) {
	for {
		election := e.elections.count.Load()
		if err := e.abreast(ctx, election); err != nil {
			var none V
			return none, err
		}
		v, err := do()
		if e.elections.count.Load() == election || ctx.Err() != nil {
			return v, err
		}
	}
}

func (e elected) snapshots(ctx context.Context, typ string, aggs []string) (map[string][]byte, error) {
	return read(ctx, e, func() (map[string][]byte, error) { return e.engine.snapshots(ctx, typ, aggs) })
}

func (e elected) commits(ctx context.Context, agg string, from uint64, limit int) ([][]byte, error) {
	return read(ctx, e, func() ([][]byte, error) { return e.engine.commits(ctx, agg, from, limit) })
}

func (e elected) latest(ctx context.Context, agg string) (uint64, error) {
	return read(ctx, e, func() (uint64, error) { return e.engine.latest(ctx, agg) })
}

func (e elected) next(ctx context.Context, versions map[string]uint64) (map[string]bool, error) {
	return read(ctx, e, func() (map[string]bool, error) { return e.engine.next(ctx, versions) })
}

func (e elected) causes(ctx context.Context, agg string, hashes [][16]byte) (map[[16]byte]uint64, error) {
	return read(ctx, e, func() (map[[16]byte]uint64, error) { return e.engine.causes(ctx, agg, hashes) })
}
