package bus

import (
	"context"
	"errors"
	"fmt"

	"github.com/lockstep-logistics/lockstep/libs/clock"
	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/store"
)

// Why a Tail ends that does not fail.
var (
	errEnough = errors.New("enough")
	errNoMore = errors.New("the log has no more")
)

// list returns the facts of a lane from a number on, without a hole, at most a page.
func (h *history) list(ctx context.Context, generation uint64, l lane, from, to uint64) ([]Fact, error) {
	head, err := h.head(ctx)
	if err != nil {
		return nil, err
	}
	if head.Generation != generation {
		return nil, fault.New(fault.Refused, reasonGeneration, "facts are numbered in generation %d, not %d", head.Generation, generation)
	}
	to = min(to, head.Numbers[l], from+pageFacts-1)
	if from > to {
		return nil, nil
	}
	if facts := h.recent.run(generation, l, from, to, pageBytes); len(facts) > 0 {
		return facts, nil
	}
	select {
	case h.scan <- struct{}{}:
		defer func() { <-h.scan }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if facts := h.recent.run(generation, l, from, to, pageBytes); len(facts) > 0 {
		return facts, nil
	}
	return h.read(ctx, generation, l, from, to)
}

// read finds facts by reading the engine's order from the nearest mark.
func (h *history) read(ctx context.Context, generation uint64, l lane, from, to uint64) ([]Fact, error) {
	if err := h.load(ctx, generation); err != nil {
		return nil, err
	}
	for {
		m, ok := h.start(l, from)
		if !ok || m.Generation != generation {
			return nil, fault.New(fault.Refused, reasonTooOld, "facts of %s before %d are no longer held in order", l, from)
		}
		first := m
		facts, err := h.readFrom(ctx, m, l, from, to)
		if errors.Is(err, store.ErrPositionLost) {
			h.forget(first)
			continue
		}
		return facts, err
	}
}

// readFrom reads the engine's order from a mark. A log that ends before the last number that the
// head promises, or takes too long, gives what there is, which has no hole, or a fault that says
// to come again: nobody waits for what may never come, and the reading after this one goes on
// where it ended.
func (h *history) readFrom(ctx context.Context, m mark, l lane, from, to uint64) ([]Fact, error) {
	scan, cancel := context.WithTimeoutCause(ctx, h.most, fmt.Errorf("reading took longer than %v", h.most))
	defer cancel()
	var out []Fact
	bytes, begun, moved := 0, m.Count, clock.Monotonic()
	err := h.feed.Tail(scan, m.Position, func(c store.RawCommit) error {
		moved = clock.Monotonic()
		facts := m.take(h.service, c)
		h.recent.add(facts)
		if m.Count%markEvery == 0 {
			h.remember(m)
		}
		for _, f := range facts {
			if f.lane() == l && f.Number >= from && f.Number <= to {
				out = append(out, f)
				bytes += f.size()
			}
		}
		if m.Numbers[l] >= to || bytes >= pageBytes {
			return errEnough
		}
		return nil
	}, func(store.Position) error {
		if clock.Elapsed(moved) >= h.silence {
			return errNoMore
		}
		return nil
	})
	late := scan.Err() != nil && ctx.Err() == nil
	if !late && !errors.Is(err, errEnough) && !errors.Is(err, errNoMore) {
		return nil, err
	}
	if m.Count > begun {
		h.remember(m)
	}
	if len(out) > 0 {
		return out, nil
	}
	if late {
		err = context.Cause(scan)
	}
	h.tell(ctx, m, l, to, err)
	return nil, fault.New(fault.Unavailable, "FACTS_NOT_REACHED", "%s has read %s up to %d, and its head promises %d", h.service, l, m.Numbers[l], to).Wrap(err)
}

// tell writes once a generation that the log does not reach what the head promises.
func (h *history) tell(ctx context.Context, m mark, l lane, to uint64, why error) {
	h.mu.Lock()
	told := h.short >= m.Generation
	h.short = max(h.short, m.Generation)
	h.mu.Unlock()
	if !told {
		h.log.WarnContext(ctx, "the log does not reach the head", "lane", l.String(), "read", m.Numbers[l], "head", to, "generation", m.Generation, "error", why)
	}
}
