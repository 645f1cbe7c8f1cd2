package app_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lockstep-logistics/lockstep/libs/clock"
	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/adapter"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/app"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// moved is a movement as the books of the test have it.
type moved struct {
	happened time.Time
	from, to domain.Place
	n        int64
}

// TestBalanceAsOfAnyMoment moves and promises goods at random, some of it told late, and asks
// for balances at every moment: by recorded time each is what the stock was then, by event time
// each is the sum of what had happened by then, whenever it was told.
func TestBalanceAsOfAnyMoment(t *testing.T) {
	run := 0
	begin := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	now := clock.NewManual(begin)
	r, db, _ := opened(t, engine(t, "sqlite"), now, adapter.StockType())
	defer closed(t, db)
	rapid.Check(t, func(t *rapid.T) {
		run++
		m := &past{rig: r, clock: now, begin: now.Now(), target: app.Target{Site: "DC1", SKU: fmt.Sprint("SKU-", run)}}
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			m.step(t)
		}
		filters := []domain.Filter{{}, {Location: "B-1"}, {Location: domain.Supplier}, {Lot: "L1"}, {Status: domain.Available}, {Status: domain.Blocked}, {Location: "B-2", Status: domain.Available}}
		f := rapid.SampledFrom(filters).Draw(t, "filter")
		for i, s := range m.states {
			m.recorded(t, f, m.times[i], s)
		}
		for range 4 {
			m.happened(t, f, m.begin.Add(time.Duration(rapid.IntRange(0, int(now.Now().Sub(m.begin).Seconds())).Draw(t, "at"))*time.Second))
		}
		m.explained(t, f, rapid.IntRange(1, 5).Draw(t, "page"))
	})
}

type past struct {
	*rig
	clock  *clock.Manual
	begin  time.Time
	target app.Target
	moved  []moved
	claims int
	times  []time.Time
	states []domain.Stock
}

var (
	shelf  = domain.Place{Location: "B-1", Lot: "L1", Status: domain.Available}
	second = domain.Place{Location: "B-2", Lot: "L1", Status: domain.Available}
	held   = domain.Place{Location: "B-1", Lot: "L1", Status: domain.Blocked}
)

// step makes one command and writes it into the books.
func (m *past) step(t *rapid.T) {
	m.clock.Step(time.Duration(rapid.IntRange(1, 90).Draw(t, "later")) * time.Second)
	at := m.clock.Now()
	ctx := m.command()
	if late := rapid.IntRange(0, int(at.Sub(m.begin).Seconds())).Draw(t, "late"); rapid.Bool().Draw(t, "told late") {
		at = at.Add(-time.Duration(late) * time.Second)
		ctx = store.WithSource(ctx, ident.SourceRef{System: "wms", MessageID: "m", EventTime: at})
	}
	n := rapid.Int64Range(1, 5).Draw(t, "n")
	var err error
	switch rapid.IntRange(0, 4).Draw(t, "what") {
	case 0, 1:
		_, err = m.Receive(ctx, app.Goods{Target: m.target, Place: shelf, Quantity: ea(n)})
		m.write(err, at, domain.Place{Location: domain.Supplier}, shelf, n)
	case 2:
		_, err = m.Move(ctx, m.target, shelf, second, ea(n), nil, "")
		m.write(err, at, shelf, second, n)
	case 3:
		_, err = m.Move(ctx, m.target, shelf, held, ea(n), nil, "")
		m.write(err, at, shelf, held, n)
	case 4:
		m.claims++
		_, err = m.Reserve(ctx, []app.Claim{{Key: fmt.Sprint("clm:", m.claims), Site: "DC1", Item: app.ItemID(tenant, m.target.SKU), Quantity: ea(n)}}, true)
	}
	if err != nil && !fault.IsKind(err, fault.Refused) {
		t.Fatal(err)
	}
	v, err := m.Stock(m.command(), m.target)
	if fault.IsKind(err, fault.NotFound) {
		return // nothing was ever received
	}
	if err != nil {
		t.Fatal(err)
	}
	m.times, m.states = append(m.times, m.clock.Now()), append(m.states, v.State)
}

func (m *past) write(err error, at time.Time, from, to domain.Place, n int64) {
	if err == nil {
		m.moved = append(m.moved, moved{at, from, to, n})
	}
}

func (m *past) balance(t *rapid.T, f domain.Filter, at app.Moment) (domain.Balance, bool) {
	b, err := m.Balance(m.command(), m.target, f, at, m.clock.Now())
	if fault.IsKind(err, fault.NotFound) && len(m.states) == 0 {
		return b, false
	}
	if err != nil {
		t.Fatal(err)
	}
	return b, true
}

func (m *past) recorded(t *rapid.T, f domain.Filter, at time.Time, was domain.Stock) {
	b, ok := m.balance(t, f, app.Moment{Recorded: at})
	if want := domain.BalanceOf(was, f); ok && (b.Sums != want.Sums || !slices.Equal(b.Rows, want.Rows)) {
		t.Fatalf("as recorded at %s: %+v, it was %+v", at, b, want)
	}
}

func (m *past) happened(t *rapid.T, f domain.Filter, at time.Time) {
	b, ok := m.balance(t, f, app.Moment{Event: at})
	if !ok {
		return
	}
	var want int64
	takes := func(p domain.Place) bool {
		inside := p.Location != domain.Supplier
		return (f.Location == p.Location || f.Location == "" && inside) && (f.Lot == "" || f.Lot == p.Lot) &&
			(f.Status == "" || f.Status == p.Status || !inside && f.Status == domain.Available)
	}
	for _, x := range m.moved {
		if x.happened.After(at) {
			continue
		}
		if takes(x.from) {
			want -= x.n
		}
		if takes(x.to) {
			want += x.n
		}
	}
	if b.OnHand != quantity.Int(want) {
		t.Fatalf("as of %s %s are on hand, the books have %d: %+v", at, b.OnHand, want, m.moved)
	}
}

// explained: the entries add up to the balance, whatever the size of the pages.
func (m *past) explained(t *rapid.T, f domain.Filter, size int) {
	for _, at := range []app.Moment{{}, {Event: m.clock.Now().Add(-30 * time.Second)}, {Recorded: m.clock.Now().Add(-30 * time.Second)}} {
		b, ok := m.balance(t, f, at)
		if !ok {
			return
		}
		var sum domain.Sums
		for after := (app.Mark{}); ; {
			e, err := m.Explain(m.command(), m.target, f, at, m.clock.Now(), after, size)
			if err != nil || e.Before != sum || len(e.Entries) > size {
				t.Fatalf("%+v %v, before %+v", e, err, sum)
			}
			for _, x := range e.Entries {
				if sum = sum.Plus(x.Change); x.After != sum || x.Change.IsZero() {
					t.Fatalf("%+v, it should be %+v", x, sum)
				}
			}
			if after = e.Next; after == (app.Mark{}) {
				break
			}
		}
		if sum != b.Sums {
			t.Fatalf("%+v: the entries give %+v, the balance is %+v", at, sum, b.Sums)
		}
	}
}
