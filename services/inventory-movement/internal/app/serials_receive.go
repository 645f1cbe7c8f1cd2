package app

import (
	"context"
	"errors"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// receiving makes the claims of pieces that are received under a delivery: they are its before it
// has them, and come into the books by claims of these.
type receiving struct {
	a        *App
	key      domain.StockKey // site and owner
	delivery string
	claims   map[domain.Part]domain.SerialClaim
	wanted   []domain.Part
}

// pieceOf is what of a part says which piece it is.
func pieceOf(p domain.Part) domain.Part {
	return domain.Part{Item: p.Item, SKU: p.SKU, Unit: p.Unit, Place: domain.Place{Serial: p.Place.Serial}}
}

// claimed runs a command until the claims of its pieces are made, or refused.
func (in *receiving) claimed(ctx context.Context, command func() (store.Receipt, error)) (store.Receipt, error) {
	for range claimRounds {
		r, err := command()
		if !errors.Is(err, errUnclaimed) {
			return r, err
		}
		if err := in.claim(ctx); err != nil {
			return store.Receipt{}, err
		}
	}
	return store.Receipt{}, errUnclaimed
}

// admit refuses pieces that are elsewhere, and those that are not claimed yet.
func (in *receiving) admit(facts []domain.InboundFact) error {
	in.wanted = nil
	for _, fact := range facts {
		f, ok := fact.(domain.GoodsReceived)
		if !ok {
			continue
		}
		for _, p := range f.Parts {
			if p.Place.Serial == "" {
				continue
			}
			switch c, known := in.claims[pieceOf(p)]; {
			case !known:
				in.wanted = append(in.wanted, pieceOf(p))
			case c.Refusal != nil:
				return domain.Below("goods", c.Refusal)
			}
		}
	}
	if len(in.wanted) > 0 {
		return errUnclaimed
	}
	return nil
}

func (in *receiving) claim(ctx context.Context) error {
	var mu sync.Mutex
	var group errgroup.Group
	group.SetLimit(in.a.Parallel)
	if in.claims == nil {
		in.claims = map[domain.Part]domain.SerialClaim{}
	}
	since := map[string]uint64{}
	for _, p := range in.wanted {
		key := keyOf(ctx, in.key.Site, in.key.Owner, p.Item, p.SKU, p.Unit)
		if _, known := since[key.ID]; !known {
			v, err := in.a.Stocks.Get(ctx, key.ID)
			if err != nil && !fault.IsKind(err, fault.NotFound) {
				return err
			}
			since[key.ID] = v.Version
		}
		want := domain.Serial{Number: p.Place.Serial, Stock: key, Since: since[key.ID], Delivery: in.delivery}
		group.Go(func() error {
			c, err := in.a.claimSerial(ctx, want, 0, in.delivery)
			mu.Lock()
			in.claims[p] = c
			mu.Unlock()
			return err
		})
	}
	return group.Wait()
}
