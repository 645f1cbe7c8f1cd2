package app

import (
	"context"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/faultpoint"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// FollowRequested goes on with a transfer that asked its stocks.
func (a *Transfers) FollowRequested(ctx context.Context, id string) error {
	_, err := a.settle(ctx, id)
	return err
}

// FollowShipped has what left its bins on its way to the other site: a supply there.
func (a *Transfers) FollowShipped(ctx context.Context, f domain.TransferShipped) error {
	return a.book(ctx, f.To, f.TransferKeys, f.Shipped, func(s domain.Stock, key domain.StockKey, q domain.TransferQuantity) ([]domain.StockFact, error) {
		u := domain.Supply{Delivery: f.ID, Line: q.Line, ASN: f.Reference, Quantity: q.Quantity}
		if !f.Expected.IsZero() {
			u.Expected = f.Expected.UnixMilli()
		}
		if q.Place.Status != domain.Available {
			return nil, nil // nobody can be promised it when it comes
		}
		return domain.Supplied(s, key, u)
	})
}

// FollowReceived has what came leave the one site and stand at the other, each site in a commit a
// stock and line of its own.
func (a *Transfers) FollowReceived(ctx context.Context, f domain.TransferReceived) error {
	var gone, all []domain.TransferQuantity
	parts := map[int][]domain.TransferPart{}
	for _, p := range f.Parts {
		if parts[p.Line] == nil {
			all = append(all, p.TransferQuantity)
		}
		parts[p.Line] = append(parts[p.Line], p)
		if !p.Over {
			gone = append(gone, p.TransferQuantity)
		}
	}
	err := a.book(ctx, f.From, f.TransferKeys, sum(gone), func(s domain.Stock, key domain.StockKey, q domain.TransferQuantity) ([]domain.StockFact, error) {
		return domain.HandOver(s, key, f.ID, q, f.At), nil
	})
	if err != nil {
		return err
	}
	return a.book(ctx, f.To, f.TransferKeys, all, func(s domain.Stock, key domain.StockKey, q domain.TransferQuantity) ([]domain.StockFact, error) {
		var facts []domain.StockFact
		for _, p := range parts[q.Line] {
			more, err := domain.TakeIn(s, key, f.ID, p, f.At)
			if err != nil {
				return nil, err
			}
			facts, s = append(facts, more...), domain.ApplyStock(s, more...)
		}
		return facts, nil
	})
}

// sum adds up goods of one line.
func sum(goods []domain.TransferQuantity) (out []domain.TransferQuantity) {
	at := map[int]int{}
	for _, q := range goods {
		if i, known := at[q.Line]; known {
			out[i].Quantity = out[i].Quantity.Add(q.Quantity)
			continue
		}
		at[q.Line], out = len(out), append(out, q)
	}
	return out
}

// FollowEnded has what did not come stand in its site again, or in no place any more, and nothing of
// it on its way.
func (a *Transfers) FollowEnded(ctx context.Context, f domain.TransferEnded) error {
	err := a.book(ctx, f.From, f.TransferKeys, f.Lines, func(s domain.Stock, key domain.StockKey, q domain.TransferQuantity) ([]domain.StockFact, error) {
		if f.Outcome == domain.BroughtBack {
			return domain.TakeBack(s, key, f.ID, f.Location, f.Reason, q, f.At), nil
		}
		return domain.WriteOff(s, key, f.ID, f.Reason, q, f.At), nil
	})
	if err != nil {
		return err
	}
	return a.book(ctx, f.To, f.TransferKeys, f.Lines, func(s domain.Stock, _ domain.StockKey, q domain.TransferQuantity) ([]domain.StockFact, error) {
		return domain.Unsupplied(s, f.ID, q.Line, q.Quantity, domain.SupplyCancelled), nil
	})
}

// book changes the stocks of a site by the goods of a transfer, each line under a key of its own.
func (a *Transfers) book(
	ctx context.Context, site string, k domain.TransferKeys, goods []domain.TransferQuantity,
	book func(domain.Stock, domain.StockKey, domain.TransferQuantity) ([]domain.StockFact, error),
) error {
	if err := faultpoint.Hit(faultpoint.X3); err != nil {
		return err
	}
	return a.onLines(store.WithItem(ctx, site), site, k, goods, func(ctx context.Context, key domain.StockKey, q domain.TransferQuantity) error {
		_, err := a.onStock(ctx, key.ID, func(s domain.Stock, _ time.Time) ([]domain.StockFact, error) { return book(s, key, q) }, nil)
		return err
	})
}
