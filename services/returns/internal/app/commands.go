package app

import (
	"context"
	"slices"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/money"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/returns/internal/domain"
)

// Authorise allows a return.
func (a *App) Authorise(ctx context.Context, id string) (store.Receipt, error) {
	return a.change(ctx, id, domain.Return.Authorise)
}

// Deny does not allow it.
func (a *App) Deny(ctx context.Context, id, reason string) (store.Receipt, error) {
	return a.change(ctx, id, func(r domain.Return, e domain.Env) ([]domain.Fact, error) { return r.Deny(e, reason) })
}

// Inspect records an inspection.
func (a *App) Inspect(ctx context.Context, id string, in domain.Inspection) (store.Receipt, error) {
	return a.change(ctx, id, func(r domain.Return, e domain.Env) ([]domain.Fact, error) { return r.Inspect(e, in) })
}

// Dispose decides what becomes of goods.
func (a *App) Dispose(ctx context.Context, id string, d domain.Disposal) (store.Receipt, error) {
	return a.change(ctx, id, func(r domain.Return, e domain.Env) ([]domain.Fact, error) { return r.Dispose(e, d) })
}

// RequestCredit asks the ERP for what is due; fee nil is as the policy says.
func (a *App) RequestCredit(ctx context.Context, id string, fee *money.Amount) (store.Receipt, error) {
	return a.change(ctx, id, func(r domain.Return, e domain.Env) ([]domain.Fact, error) { return r.RequestCredit(e, fee) })
}

// ConfirmCredit records the ERP's credit memo; amount nil is as requested.
func (a *App) ConfirmCredit(ctx context.Context, id string, number int, memo string, amount *money.Amount) (store.Receipt, error) {
	return a.change(ctx, id, func(r domain.Return, e domain.Env) ([]domain.Fact, error) {
		return r.ConfirmCredit(e, number, memo, amount), nil
	})
}

// Complete ends a return of which no more is expected.
func (a *App) Complete(ctx context.Context, id string) (store.Receipt, error) {
	return a.change(ctx, id, domain.Return.Complete)
}

// Cancel calls a return off.
func (a *App) Cancel(ctx context.Context, id, reason string) (store.Receipt, error) {
	return a.change(ctx, id, func(r domain.Return, e domain.Env) ([]domain.Fact, error) { return r.Cancel(e, reason) })
}

// Receive records goods that arrived, also under a return that nobody asked for.
func (a *App) Receive(ctx context.Context, f domain.ReceiptRecorded) error {
	_, err := a.Returns.Update(ctx, f.ID, func(c store.Current[domain.Return]) (store.Decision[domain.Fact], error) {
		return a.outcome(ctx, c, func(r domain.Return, _ domain.Env) ([]domain.Fact, error) { return r.Receive(f), nil })
	})
	return err
}

// Issued is what of one line of an order left the warehouse.
type Issued struct {
	Line     int
	Quantity quantity.Quantity
}

// queryOrder bounds the question to order release; the fact comes again when it is not answered.
const queryOrder = 5 * time.Second

// Issue records what of an order can be returned from now on, with items and prices as order
// release has them.
func (a *App) Issue(ctx context.Context, order, release string, issued []Issued, at time.Time) error {
	limited, cancel := context.WithTimeout(ctx, queryOrder)
	defer cancel()
	f, err := a.Orders.Lines(limited, order)
	if err != nil {
		return err
	}
	tenant := store.CauseOf(ctx).Tenant
	f.ID, f.Release, f.At, f.SoldToID = ReturnableID(tenant, order), release, at, PartyID(tenant, f.SoldTo)
	known := f.Lines
	f.Lines = nil
	for _, line := range issued {
		i := slices.IndexFunc(known, func(l domain.IssuedLine) bool { return l.Line == line.Line })
		if i < 0 {
			return fault.New(fault.Invalid, "LINE_UNKNOWN", "order %s has no line %d", order, line.Line)
		}
		l := known[i]
		if l.Unit != line.Quantity.Unit {
			return fault.New(fault.Invalid, "UNIT_MISMATCH", "line %d of order %s is issued in %s, its base unit is %s", line.Line, order, line.Quantity.Unit, l.Unit)
		}
		l.Issued = line.Quantity.Value
		f.Lines = append(f.Lines, l)
	}
	_, err = a.Items.Update(ctx, f.ID, func(c store.Current[domain.Returnable]) (store.Decision[domain.ItemFact], error) {
		return store.Decision[domain.ItemFact]{Facts: c.State.Issue(f), State: "ISSUED"}, nil
	})
	return err
}
