package app

import (
	"context"
	"slices"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/authority"
	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/gs1"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// decideOrder is what a use case asks of the domain.
type decideOrder func(o domain.WarehouseOrder, now time.Time) ([]domain.OrderFact, error)

// onOrder changes a warehouse order that must exist.
func (a *App) onOrder(ctx context.Context, id string, decide decideOrder, created ...string) (store.Receipt, error) {
	v, err := a.Owners.Judge(ctx, ofOrders)
	if err != nil {
		return store.Receipt{}, err
	}
	return a.onOrderBy(ctx, v, id, decide, created...)
}

// onOrderBy does so by a verdict.
func (a *App) onOrderBy(ctx context.Context, v authority.Verdict, id string, decide decideOrder, created ...string) (store.Receipt, error) {
	return a.Orders.Update(ctx, id, func(c store.Current[domain.WarehouseOrder]) (store.Decision[domain.OrderFact], error) {
		if c.Version == 0 {
			return store.Decision[domain.OrderFact]{}, notFound()
		}
		d, err := outcome(c, orderBy(v, decide), created...)
		if !v.Counts() {
			d.Reasons, d.Created = noted(v), nil
		}
		return d, err
	})
}

func outcome(c store.Current[domain.WarehouseOrder], decide decideOrder, created ...string) (store.Decision[domain.OrderFact], error) {
	facts, err := decide(c.State, c.Now)
	if err != nil {
		return store.Decision[domain.OrderFact]{}, err
	}
	return store.Decision[domain.OrderFact]{
		Facts: facts, State: string(domain.ApplyOrder(c.State, facts...).State()), Created: created, Reasons: contradicted(facts),
	}, nil
}

// maxReasons bounds the reasons in a receipt; the warehouse order has more of them.
const maxReasons = 8

// contradicted tells whoever reports what of it contradicts the order.
func contradicted(facts []domain.OrderFact) []store.Reason {
	var out []store.Reason
	for _, fact := range facts {
		f, ok := fact.(domain.ReportContradicted)
		if !ok {
			continue
		}
		for _, l := range f.Lines[:min(len(f.Lines), maxReasons-len(out))] {
			out = append(out, store.Reason{Code: string(f.Reason), Message: f.Reason.Text(l)})
		}
	}
	return out
}

// Acknowledge records that the warehouse has the order.
func (a *App) Acknowledge(ctx context.Context, id string) (store.Receipt, error) {
	return a.onOrder(ctx, id, func(o domain.WarehouseOrder, _ time.Time) ([]domain.OrderFact, error) {
		return domain.Acknowledge(o)
	})
}

// ConfirmPicks records picks.
func (a *App) ConfirmPicks(ctx context.Context, id string, lines []domain.PickedLine) (store.Receipt, error) {
	odd, err := a.unpickable(ctx, id, lines)
	if err != nil {
		return store.Receipt{}, err
	}
	return a.report(ctx, id, domain.Report{Kind: domain.PickReport, Lines: lines}, odd)
}

// unpickable is why pieces that are reported as picked cannot be; nil if they can, or none is named.
func (a *App) unpickable(ctx context.Context, id string, lines []domain.PickedLine) (odd, err error) {
	if !slices.ContainsFunc(lines, func(l domain.PickedLine) bool { return l.Serial != "" }) {
		return nil, nil
	}
	v, err := a.Order(ctx, id)
	if err != nil {
		return nil, err
	}
	o := v.State
	stocks := map[string]domain.Stock{}
	for i, l := range lines {
		line, known := o.Line(l.Line)
		if l.Serial == "" || !known || o.IsCancelled || o.IsIssued() {
			continue
		}
		id := StockID(store.CauseOf(ctx).Tenant, o.Site, line.Item, o.Owner)
		if _, read := stocks[id]; !read {
			s, err := a.Stocks.Get(ctx, id)
			if err != nil && !fault.IsKind(err, fault.NotFound) {
				return nil, err
			}
			stocks[id] = s.State
		}
		if err := domain.Pickable(stocks[id], o.Keys.ID, l, i); err != nil {
			return err, nil
		}
	}
	return nil, nil
}

// ReportShort records what was not there to be picked.
func (a *App) ReportShort(ctx context.Context, id string, lines []domain.PickedLine, damaged bool) (store.Receipt, error) {
	return a.report(ctx, id, domain.Report{Kind: domain.ShortReport, Lines: lines, Damaged: damaged}, nil)
}

// report records a report, unless something of it is odd: whoever sends again what was taken is
// answered by the receipt.
func (a *App) report(ctx context.Context, id string, r domain.Report, odd error) (store.Receipt, error) {
	r.By, r.Source = guard.Author(ctx), store.CauseOf(ctx).Source
	return a.onOrder(ctx, id, func(o domain.WarehouseOrder, now time.Time) ([]domain.OrderFact, error) {
		r.At = when(ctx, now)
		facts, err := domain.TakeReport(o, r)
		if err == nil {
			err = odd
		}
		return facts, err
	})
}

// IssueGoods posts the goods issue.
func (a *App) IssueGoods(ctx context.Context, id string) (store.Receipt, error) {
	held, err := a.heldUnit(ctx, id)
	if err != nil {
		return store.Receipt{}, err
	}
	return a.onOrder(ctx, id, func(o domain.WarehouseOrder, now time.Time) ([]domain.OrderFact, error) {
		facts, err := domain.IssueGoods(o, when(ctx, now))
		if err == nil && len(facts) > 0 && held != nil {
			return nil, domain.AuditRefusal(*held)
		}
		return facts, err
	})
}

// Pack records a carton; without an SSCC it issues one of the site's.
func (a *App) Pack(ctx context.Context, id string, c domain.Carton) (store.Receipt, error) {
	v, err := a.Order(ctx, id)
	if err != nil {
		return store.Receipt{}, err
	}
	word, err := a.Owners.Judge(ctx, ofOrders)
	if err != nil {
		return store.Receipt{}, err
	}
	var issued Issued
	var used error
	if !word.Counts() { // nothing is packed, so no number is used
		return a.onOrderBy(ctx, word, id, func(o domain.WarehouseOrder, _ time.Time) ([]domain.OrderFact, error) { return domain.Pack(o, c) })
	}
	if c.SSCC == "" {
		issued, err = a.issue(ctx, v.State.Site)
		c.SSCC = issued.SSCC
	} else if _, bad := gs1.ParseSSCC(c.SSCC); bad != nil {
		err = domain.Invalid("sscc", "SSCC_INVALID", "its check digit is wrong")
	} else if _, used = domain.Pack(v.State, c); used == nil { // or its claim would be nobody's
		if err = a.SSCCs.Claim(ctx, c.SSCC, id); fault.IsKind(err, fault.Refused) {
			used, err = err, nil // unless this very command had it before: its receipt knows
		}
	}
	if err != nil {
		return store.Receipt{}, err
	}
	var packed domain.CartonPacked
	r, err := a.onOrderBy(ctx, word, id, func(o domain.WarehouseOrder, _ time.Time) ([]domain.OrderFact, error) {
		if used != nil {
			return nil, used
		}
		facts, err := domain.Pack(o, c)
		if err == nil {
			packed = facts[0].(domain.CartonPacked)
		}
		return facts, err
	}, c.SSCC)
	if err == nil && !r.Replayed {
		// The carton is packed: a unit that cannot be made now is made by the fact.
		_ = a.FollowPacked(ctx, packed, v.State.Site, v.State.Owner)
	}
	if r.Replayed || fault.IsKind(err, fault.Refused, fault.Invalid, fault.NotFound) {
		issued.GiveBack() // whatever the receipt says, it is not this one
	}
	return r, err
}

// issue takes an SSCC of the site's company prefix.
func (a *App) issue(ctx context.Context, site string) (Issued, error) {
	ref, err := a.Reference.Lookup(ctx, []string{site}, nil)
	if err != nil {
		return Issued{}, err
	}
	prefix := ref.Sites[site].Prefix
	if prefix == "" {
		return Issued{}, domain.Invalid("sscc", "SSCC_REQUIRED", "site %s has no GS1 company prefix: give the carton's SSCC", site)
	}
	return a.SSCCs.Take(ctx, prefix)
}
