package app

import (
	"context"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// SupplyClaim is a promise of what is to come, as it is asked for.
type SupplyClaim struct {
	Key               string
	Site, Item, Owner string
	Quantity          quantity.Quantity // in all; 0 ends it
	Partial           bool
	LeaveStock        bool // see domain.SupplyWish
}

// SupplyGrant is what is promised of it.
type SupplyGrant struct {
	Promised quantity.Quantity // in all
	Why      string            // it is less than was asked for; "" if it is not
	Horizon  time.Time
}

// PromiseSupplies promises what is to come, each claim in a commit of its own: those of one
// stock one after another, so that no two count on the same goods.
func (a *App) PromiseSupplies(ctx context.Context, claims []SupplyClaim) ([]SupplyGrant, error) {
	grants := make([]SupplyGrant, len(claims))
	stocks := make([]Claim, len(claims))
	for i, c := range claims {
		if c.Quantity.Value.Sign() < 0 {
			return nil, domain.Invalid("quantity", "QUANTITY_INVALID", "a promise is not less than nothing")
		}
		stocks[i] = Claim{Key: c.Key, Site: c.Site, Item: c.Item, Owner: c.Owner, Quantity: c.Quantity}
	}
	err := a.byStock(ctx, stocks, func(ctx context.Context, id string, i int) error {
		c := claims[i]
		r, err := a.promiseSupply(store.WithItem(store.WithItem(ctx, id), c.Key), id, stocks[i], c)
		if err != nil {
			return err
		}
		held, err := quantity.Parse(r.Values["promised"])
		if err != nil {
			return err
		}
		horizon, err := time.Parse(time.RFC3339Nano, r.Values["horizon"])
		grants[i] = SupplyGrant{Promised: quantity.Quantity{Value: held, Unit: c.Quantity.Unit}, Why: r.Values["why"], Horizon: horizon}
		return err
	})
	return grants, err
}

func (a *App) promiseSupply(ctx context.Context, id string, of Claim, c SupplyClaim) (store.Receipt, error) {
	var why string
	var horizon time.Time
	return a.onStock(ctx, id, func(s domain.Stock, now time.Time) ([]domain.StockFact, error) {
		if s.Key.Unit != "" && s.Key.Unit != c.Quantity.Unit {
			return nil, fault.New(fault.Refused, "UNIT_UNKNOWN", "the stock is counted in %s, not %s", s.Key.Unit, c.Quantity.Unit)
		}
		horizon = now.Add(a.Horizon)
		wish := domain.SupplyWish{Key: c.Key, Quantity: c.Quantity.Value, Partial: c.Partial, LeaveStock: c.LeaveStock}
		var facts []domain.StockFact
		facts, why = domain.PromiseSupply(s, stockKey(id, of), wish, dayOf(now), horizon)
		return facts, nil
	}, func(d *store.Decision[domain.StockFact], s domain.Stock) {
		d.Values = map[string]string{"promised": s.Awaited(c.Key).String(), "horizon": horizon.UTC().Format(time.RFC3339Nano)}
		if why != "" {
			d.Values["why"] = why
		}
	})
}

// dayOf is the day on which what expires before is not promised.
func dayOf(now time.Time) string { return now.UTC().Format(time.DateOnly) }

// Availability is what can be promised of a stock by when.
type Availability struct {
	Stock   domain.Stock
	Figures domain.Figures
	Dates   []domain.DatedFigures
	Horizon time.Time
	By      time.Time // the quantity asked for; zero: not within the horizon, or none was asked for
}

// CheckAvailability returns what can be promised of an item at a site by when, and by when the
// quantity can be. An item that has never been there has none.
func (a *App) CheckAvailability(ctx context.Context, t Target, q *quantity.Quantity, now time.Time) (Availability, error) {
	key, item, err := a.lookup(ctx, t)
	if err != nil {
		return Availability{}, err
	}
	v, err := a.Stocks.Get(ctx, key.ID)
	if err != nil && !fault.IsKind(err, fault.NotFound) {
		return Availability{}, err
	}
	out := Availability{Stock: v.State, Horizon: now.Add(a.Horizon)}
	out.Stock.Key = key
	day := domain.RuleOf(item, now, a.Strategy).Day()
	out.Figures = v.State.Figures(day)
	out.Dates = v.State.Dates(day, out.Horizon)
	if q == nil {
		return out, nil
	}
	base, err := item.Base(*q, "quantity")
	if err != nil {
		return Availability{}, err
	}
	if !out.Figures.ATP.Less(base.Value) {
		out.By = now
		return out, nil
	}
	for _, d := range out.Dates {
		if !d.Cumulative.Less(base.Value) {
			out.By = time.UnixMilli(d.At).UTC()
			break
		}
	}
	return out, nil
}

// Reschedule records that a delivery is expected at another time.
func (a *Inbound) Reschedule(ctx context.Context, id string, expected time.Time, reason string) (store.Receipt, error) {
	v, err := a.Delivery(ctx, id)
	if err != nil {
		return store.Receipt{}, err
	}
	if c, ok := guard.CallerOf(ctx); ok && c.Party != "" && c.Party != ident.Derive("pty", c.Tenant, v.State.Keys.Supplier) {
		return store.Receipt{}, notFound() // another's is as unknown
	}
	return a.onDelivery(ctx, id, false, func(d domain.Inbound, _ time.Time) ([]domain.InboundFact, error) {
		return domain.Reschedule(d, expected.Truncate(time.Millisecond), reason)
	})
}

// FollowAnnounced makes the lines of an ASN supplies of their stocks.
func (a *Inbound) FollowAnnounced(ctx context.Context, f domain.AsnRegistered) error {
	return a.supply(ctx, f.InboundKeys, f.Lines, func(s domain.Stock, key domain.StockKey, l domain.InboundLine) ([]domain.StockFact, error) {
		u := domain.Supply{Delivery: f.ID, Line: l.Number, ASN: f.ASN, Quantity: l.Announced}
		if !f.Expected.IsZero() {
			u.Expected = f.Expected.UnixMilli()
		}
		return domain.Supplied(s, key, u)
	})
}

// FollowCancelled makes supplies less by what is expected no longer.
func (a *Inbound) FollowCancelled(ctx context.Context, f domain.RemainderCancelled) error {
	less := map[int]quantity.Decimal{}
	for _, c := range f.Lines {
		less[c.Line] = less[c.Line].Add(c.Quantity)
	}
	return a.resupply(ctx, f.ID, func(s domain.Stock, l domain.InboundLine) []domain.StockFact {
		return domain.Unsupplied(s, f.ID, l.Number, less[l.Number], domain.SupplyCancelled)
	})
}

// FollowRescheduled expects the supplies of a delivery at another time.
func (a *Inbound) FollowRescheduled(ctx context.Context, f domain.DeliveryRescheduled) error {
	return a.resupply(ctx, f.ID, func(s domain.Stock, _ domain.InboundLine) []domain.StockFact {
		return domain.Rescheduled(s, f.ID, f.Expected)
	})
}

// FollowArrived says that the supplies of a delivery are at the site.
func (a *Inbound) FollowArrived(ctx context.Context, f domain.DeliveryArrived) error {
	return a.resupply(ctx, f.ID, func(s domain.Stock, _ domain.InboundLine) []domain.StockFact {
		return domain.HereNow(s, f.ID, f.At)
	})
}

// resupply changes the supplies of a delivery's announced lines. Lines never change their item.
func (a *Inbound) resupply(ctx context.Context, id string, change func(domain.Stock, domain.InboundLine) []domain.StockFact) error {
	v, err := a.Deliveries.Get(ctx, id)
	if err != nil {
		return err
	}
	return a.supply(ctx, v.State.Keys, v.State.Lines, func(s domain.Stock, _ domain.StockKey, l domain.InboundLine) ([]domain.StockFact, error) {
		return change(s, l), nil
	})
}

// supply changes the stocks of a delivery's announced lines, one commit a stock.
func (a *Inbound) supply(ctx context.Context, k domain.InboundKeys, lines []domain.InboundLine, change func(domain.Stock, domain.StockKey, domain.InboundLine) ([]domain.StockFact, error)) error {
	by := map[string][]domain.InboundLine{}
	keys := map[string]domain.StockKey{}
	for _, l := range lines {
		if l.Announced.Sign() > 0 {
			key := keyOf(ctx, k.Site, k.Owner, l.Item, l.SKU, l.Unit)
			by[key.ID], keys[key.ID] = append(by[key.ID], l), key
		}
	}
	if len(by) == 0 {
		return nil // received blind
	}
	return a.bookEach(ctx, k.ID, keysOf(by), func(id string, s domain.Stock) ([]domain.StockFact, error) {
		var facts []domain.StockFact
		for _, l := range by[id] {
			more, err := change(s, keys[id], l)
			if err != nil {
				return nil, err
			}
			facts, s = append(facts, more...), domain.ApplyStock(s, more...)
		}
		return facts, nil
	})
}
