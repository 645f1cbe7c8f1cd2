package app

import (
	"context"
	"strconv"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// Moment is as of when a balance is: by the time at which things happened, or at which they
// were recorded; at most one of both, none for now.
type Moment struct{ Event, Recorded time.Time }

// check refuses what nobody can know yet.
func (m Moment) check(now time.Time) error {
	switch {
	case !m.Event.IsZero() && !m.Recorded.IsZero():
		return domain.Invalid("as_of_recorded_time", "TIME_INVALID", "give either an event time or a recorded time")
	case m.Event.After(now):
		return domain.Invalid("as_of_event_time", "TIME_INVALID", "it is not over yet")
	case m.Recorded.After(now):
		return domain.Invalid("as_of_recorded_time", "TIME_INVALID", "it is not over yet")
	}
	return nil
}

// commitsAtOnce is how many versions of a stock are read at a time: each is at most 256 KiB.
const commitsAtOnce = 100

// Happening is one fact of a stock and what it changed.
type Happening struct {
	Version            uint64
	Index              int // of the fact in its version
	Fact               domain.StockFact
	Effect             domain.Effect
	Happened, Recorded time.Time
	Cause              store.Cause
}

// replay folds a stock's commits from the first and shows each fact. It ends when show says
// so, with what the commits up to there make of the stock; the memory that it takes does not
// grow with the history.
func (a *App) replay(ctx context.Context, id string, show func(h Happening) (more bool)) (domain.Stock, uint64, error) {
	var s domain.Stock
	for at := uint64(0); ; {
		commits, err := a.Stocks.History(ctx, id, at, commitsAtOnce)
		if err != nil {
			return s, at, err
		}
		if at == 0 && len(commits) > 0 && commits[0].Version != 1 {
			return s, at, fault.New(fault.Refused, "HISTORY_NOT_KEPT",
				"the commits of the stock are kept from version %d, recorded %s", commits[0].Version, commits[0].Recorded.Format(time.RFC3339)).
				With("kept_from", commits[0].Recorded.Format(time.RFC3339Nano))
		}
		versions, index := 0, 0
		for _, c := range commits {
			if c.Version != at {
				versions, index, at = versions+1, 0, c.Version
			}
			for _, f := range c.Facts {
				next := domain.EvolveStock(s, f)
				h := Happening{
					Version: c.Version, Index: index, Fact: f, Effect: domain.EffectOf(s, next), Happened: domain.Happened(f, c.Recorded),
					Recorded: c.Recorded, Cause: c.Cause,
				}
				if !show(h) {
					return s, at, nil
				}
				s, index = next, index+1
			}
		}
		if versions < commitsAtOnce {
			return s, at, nil
		}
	}
}

// Balance is a part of a stock as of a moment, from the stock's own commits.
func (a *App) Balance(ctx context.Context, t Target, f domain.Filter, m Moment, now time.Time) (domain.Balance, error) {
	if err := m.check(now); err != nil {
		return domain.Balance{}, err
	}
	v, err := a.Stock(ctx, t)
	if err != nil {
		return domain.Balance{}, err
	}
	b := domain.BalanceOf(v.State, f)
	b.Version = v.Version
	switch {
	case !m.Recorded.IsZero():
		last := uint64(0)
		past, _, err := a.replay(ctx, v.ID, func(h Happening) bool {
			if h.Recorded.After(m.Recorded) {
				return false
			}
			last = h.Version
			return true
		})
		if err != nil {
			return b, err
		}
		b = domain.BalanceOf(past, f)
		b.Version = last
	case !m.Event.IsZero():
		line, last := domain.Timeline{Until: m.Event}, uint64(0)
		_, _, err := a.replay(ctx, v.ID, func(h Happening) bool {
			if !h.Happened.After(m.Event) || !h.Recorded.After(m.Event) {
				last = h.Version
			}
			line.Add(h.Effect, h.Happened, h.Recorded)
			return true
		})
		if err != nil {
			return b, err
		}
		b = line.Balance(f)
		b.Version = last
	}
	b.Key = v.State.Key
	return b, nil
}

// Entry is a happening that changed a balance, and the balance after it.
type Entry struct {
	Happening
	Change, After domain.Sums
}

// Explained is a page of what makes a balance.
type Explained struct {
	Key     domain.StockKey
	Before  domain.Sums // the balance before the first entry of the page
	Entries []Entry     // in the order in which they were recorded
	Next    Mark        // zero at the end
}

// Mark is a place in a stock's history: behind a fact.
type Mark struct {
	Version uint64
	Index   int
}

// before reports whether the mark lies before a happening.
func (m Mark) before(h Happening) bool {
	return m.Version < h.Version || m.Version == h.Version && m.Index < h.Index
}

// String is the mark as a page token has it; "" for none.
func (m Mark) String() string {
	if m.Version == 0 {
		return ""
	}
	return strconv.FormatUint(m.Version, 10) + "." + strconv.Itoa(m.Index)
}

// Explain pages what made a part of a stock what it is as of a moment: every movement, promise
// and allocation that changed it, with the running balance. Each page folds from the first
// commit, because what an entry changed is known only from the state before it.
func (a *App) Explain(ctx context.Context, t Target, f domain.Filter, m Moment, now time.Time, after Mark, limit int) (Explained, error) {
	if err := m.check(now); err != nil {
		return Explained{}, err
	}
	v, err := a.Stock(ctx, t)
	if err != nil {
		return Explained{}, err
	}
	out := Explained{Key: v.State.Key}
	running := domain.Sums{}
	line := domain.Timeline{Until: m.Event}
	_, _, err = a.replay(ctx, v.ID, func(h Happening) bool {
		if !m.Recorded.IsZero() && h.Recorded.After(m.Recorded) {
			return false
		}
		change := h.Effect.Of(f)
		if !m.Event.IsZero() {
			change = line.Count(h.Effect, f, h.Happened, h.Recorded)
		}
		if change.IsZero() {
			return true
		}
		switch {
		case !after.before(h):
			out.Before = out.Before.Plus(change)
		case len(out.Entries) == limit:
			last := out.Entries[limit-1]
			out.Next = Mark{last.Version, last.Index}
			return false
		default:
			out.Entries = append(out.Entries, Entry{Happening: h, Change: change, After: running.Plus(change)})
		}
		running = running.Plus(change)
		return true
	})
	return out, err
}
