package app

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// IndexDue lists stocks by when their next reservation ends by itself, or a supply is late.
const IndexDue = "due"

// States of a reservation, as receipts tell them.
const (
	Soft = "SOFT"
	Hard = "HARD"
)

// Reservation is a reservation as a request has it, or as it stands.
type Reservation struct {
	Reference string
	Quantity  quantity.Quantity
	Expires   time.Time // zero once it is hard
	Priority  int
	Partial   bool // of a request: a part helps
}

// Book reserves stock for a reference until a time. It is a claim as an order's is, and counts
// with them.
func (a *App) Book(ctx context.Context, t Target, r Reservation) (store.Receipt, error) {
	key, item, err := a.lookup(ctx, t)
	if err != nil {
		return store.Receipt{}, err
	}
	q, err := item.Base(r.Quantity, "quantity")
	if err != nil {
		return store.Receipt{}, err
	}
	b := domain.Booking{
		Reference: r.Reference, Quantity: q.Value, Expires: r.Expires.Truncate(time.Millisecond), Priority: r.Priority, Partial: r.Partial,
	}
	return a.onStock(ctx, key.ID, func(s domain.Stock, now time.Time) ([]domain.StockFact, error) {
		return domain.Book(s, key, b, domain.RuleOf(item, now, a.Strategy), now)
	}, func(d *store.Decision[domain.StockFact], s domain.Stock) {
		d.State = Soft
		d.Values = map[string]string{"granted": s.Held(domain.ClaimOf(r.Reference)).String(), "unit": key.Unit}
	})
}

// Confirm makes a reservation last.
func (a *App) Confirm(ctx context.Context, t Target, reference string) (store.Receipt, error) {
	return a.onBooked(ctx, t, Hard, func(s domain.Stock, now time.Time) ([]domain.StockFact, error) {
		return domain.Confirm(s, reference, now)
	})
}

// Unbook gives a reservation back.
func (a *App) Unbook(ctx context.Context, t Target, reference string) (store.Receipt, error) {
	return a.onBooked(ctx, t, string(domain.Freed), func(s domain.Stock, _ time.Time) ([]domain.StockFact, error) {
		return domain.Unbook(s, reference)
	})
}

func (a *App) onBooked(ctx context.Context, t Target, state string, decide decideStock) (store.Receipt, error) {
	tenant := store.CauseOf(ctx).Tenant
	return a.onStock(ctx, StockID(tenant, t.Site, ItemID(tenant, t.SKU), t.Owner), decide, func(d *store.Decision[domain.StockFact], _ domain.Stock) {
		d.State = state
	})
}

// Booked pages the reservations of a stock by reference, behind the one given.
func (a *App) Booked(ctx context.Context, t Target, after string, limit int) (page []Reservation, next string, err error) {
	v, err := a.Stock(ctx, t)
	if err != nil {
		return nil, "", err
	}
	holds := slices.SortedFunc(slices.Values(v.State.Holds), func(x, y domain.Hold) int { return strings.Compare(x.Key, y.Key) })
	for _, h := range holds {
		r := Reservation{
			Reference: strings.TrimPrefix(h.Key, domain.ClaimOf("")), Priority: h.Priority,
			Quantity: quantity.Quantity{Value: v.State.Held(h.Key), Unit: v.State.Key.Unit},
		}
		if h.Expires != 0 {
			r.Expires = time.UnixMilli(h.Expires).UTC()
		}
		switch {
		case r.Reference <= after:
		case len(page) == limit:
			return page, page[limit-1].Reference, nil
		default:
			page = append(page, r)
		}
	}
	return page, "", nil
}

// sweepAtOnce bounds one sweep.
const sweepAtOnce = 200

// Sweep ends the reservations whose time is over, and says which supplies are late. The index only proposes; the stock decides.
func (a *App) Sweep(ctx context.Context, now time.Time) error {
	due, err := a.Stocks.Due(ctx, IndexDue, store.TimeKey(now), sweepAtOnce)
	if err != nil {
		return err
	}
	var failed error
	for _, ref := range due {
		ctx := store.WithCause(ctx, store.Cause{Tenant: ref.Tenant, Principal: "service:inventory-movement", Correlation: ref.ID})
		failed = errors.Join(failed, a.lapse(ctx, ref.ID, now))
	}
	return failed
}

// lapse is a command whose key is the time that was agreed: all that is over ends in it. It is
// not made before that time, or its receipt would stand for it ever after.
func (a *App) lapse(ctx context.Context, id string, now time.Time) error {
	v, err := a.Stocks.Get(ctx, id)
	if fault.IsKind(err, fault.NotFound) {
		return nil // a list may trail what it lists
	}
	due := v.State.Due()
	if err != nil || due.IsZero() || due.After(now) {
		return err
	}
	ctx = guard.Derived(ctx, store.CauseOf(ctx).Tenant, "lapse:"+id+":"+due.Format(time.RFC3339Nano), due)
	_, err = a.onStock(ctx, id, func(s domain.Stock, now time.Time) ([]domain.StockFact, error) {
		if now.Before(due) {
			return nil, fault.New(fault.Unavailable, "TIME_INVALID", "the clock went back behind %s", due)
		}
		return append(domain.Lapse(s, s.Key, now), domain.Overdue(s, now)...), nil
	}, nil)
	return err
}
