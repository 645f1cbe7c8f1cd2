package app

import (
	"context"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/codelist"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// Reasons is this service's copy of the tenant's own entries of the code list of reasons.
type Reasons interface {
	// Own returns the entries that the tenant put over the embedded ones; none if it did not.
	Own(ctx context.Context) ([]codelist.Entry, error)
}

// reasoned refuses a reason that the code list does not have at a moment.
func (a *App) reasoned(ctx context.Context, code string, now time.Time) error {
	own, err := a.Reasons.Own(ctx)
	if err != nil {
		return err
	}
	list, _ := codelist.Embedded(codelist.StockReasons)
	if _, known := list.Over(own).Resolve(code, now); known {
		return nil
	}
	return domain.Invalid("reason", "REASON_CODE_UNKNOWN", "code list %s has no code %q at this time", codelist.StockReasons, code)
}

// reasonedIfListed is reasoned for methods that were there before the list: what they take is
// held against it once the tenant has entries of its own.
func (a *App) reasonedIfListed(ctx context.Context, code string, now time.Time) error {
	own, err := a.Reasons.Own(ctx)
	if err != nil || len(own) == 0 {
		return err
	}
	return a.reasoned(ctx, code, now)
}

// ChangeStatus gives goods of one place another status.
func (a *App) ChangeStatus(ctx context.Context, t Target, from domain.Place, to domain.Status, amount quantity.Quantity, serials []string, reason string, now time.Time) (store.Receipt, error) {
	key, item, err := a.lookup(ctx, t)
	if err != nil {
		return store.Receipt{}, err
	}
	if err := checkPlace(from, "location"); err != nil {
		return store.Receipt{}, err
	}
	if err := a.reasoned(ctx, reason, now); err != nil {
		return store.Receipt{}, err
	}
	q, err := item.Base(amount, "quantity")
	if err != nil {
		return store.Receipt{}, err
	}
	return a.onStock(ctx, key.ID, func(s domain.Stock, now time.Time) ([]domain.StockFact, error) {
		return eachFrom(item, s, from, q.Value, serials, func(s domain.Stock, one domain.Piece) ([]domain.StockFact, error) {
			return domain.ChangeStatus(s, one.Place, to, one.Quantity, reason, when(ctx, now))
		})
	}, moved(q))
}

// ReverseMovement takes back a movement that somebody made by hand: a change of status, a move or
// an adjustment.
func (a *App) ReverseMovement(ctx context.Context, stock string, ref domain.MoveRef, reason string, now time.Time) (store.Receipt, error) {
	if err := a.reasoned(ctx, reason, now); err != nil {
		return store.Receipt{}, err
	}
	if _, err := found(a.Stocks.Get(ctx, stock)); err != nil {
		return store.Receipt{}, err
	}
	was, err := a.movement(ctx, stock, ref)
	if err != nil {
		return store.Receipt{}, err
	}
	return a.enter(ctx, stock, entry{command: true}, func(s domain.Stock, now time.Time) ([]domain.StockFact, error) {
		return domain.Reverse(s, ref, was, reason, when(ctx, now))
	}, moved(quantity.Quantity{Value: was.Quantity, Unit: was.Unit}))
}

// movement finds a movement among the commits of a stock. What is committed does not change.
func (a *App) movement(ctx context.Context, stock string, ref domain.MoveRef) (domain.StockMoved, error) {
	var facts []domain.StockFact
	commits, err := a.Stocks.History(ctx, stock, ref.Version-1, 1)
	if err != nil {
		return domain.StockMoved{}, err
	}
	for _, c := range commits {
		if c.Version == ref.Version {
			facts = append(facts, c.Facts...)
		}
	}
	if ref.Index < len(facts) {
		if m, ok := facts[ref.Index].(domain.StockMoved); ok {
			return m, nil
		}
	}
	return domain.StockMoved{}, domain.Invalid("version", "MOVEMENT_UNKNOWN", "fact %d of version %d is no movement of the stock", ref.Index, ref.Version)
}
