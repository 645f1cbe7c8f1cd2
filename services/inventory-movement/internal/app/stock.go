package app

import (
	"context"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/authority/owners"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// Target names a stock as people do.
type Target struct{ Site, SKU, Owner string }

// Goods are goods received, as a request has them.
type Goods struct {
	Target
	Place    domain.Place
	Serials  []string
	Quantity quantity.Quantity
	Document string
	Request  proto.Message // as it was asked for
}

// Result is the outcome of one item of a batch.
type Result struct {
	Receipt store.Receipt
	Err     error
}

// resolve finds the stock and the item that a target names.
func resolve(ref domain.Reference, tenant string, t Target) (domain.StockKey, domain.Item, error) {
	if site, ok := ref.Sites[t.Site]; !ok || !site.IsSite {
		return domain.StockKey{}, domain.Item{}, domain.Invalid("site", "SITE_UNKNOWN", "no site %q: define it in master data", t.Site)
	}
	item, ok := ref.Items[t.SKU]
	if !ok {
		return domain.StockKey{}, item, domain.Invalid("sku", "ITEM_UNKNOWN", "no item %q: define it in master data", t.SKU)
	}
	return domain.StockKey{
		ID: StockID(tenant, t.Site, item.ID, t.Owner), Site: t.Site, Item: item.ID, SKU: item.SKU, Owner: ownerOf(t.Owner), Unit: item.BaseUnit,
	}, item, nil
}

func (a *App) lookup(ctx context.Context, t Target) (domain.StockKey, domain.Item, error) {
	ref, err := a.Reference.Lookup(ctx, []string{t.Site}, []string{t.SKU})
	if err != nil {
		return domain.StockKey{}, domain.Item{}, err
	}
	return resolve(ref, store.CauseOf(ctx).Tenant, t)
}

// moved tells in the receipt what was booked, in the base unit.
func moved(q quantity.Quantity) func(*store.Decision[domain.StockFact], domain.Stock) {
	return func(d *store.Decision[domain.StockFact], _ domain.Stock) {
		d.Values = map[string]string{"quantity": q.Value.String(), "unit": q.Unit}
	}
}

// Receive records goods received.
func (a *App) Receive(ctx context.Context, g Goods) (store.Receipt, error) {
	ref, err := a.Reference.Lookup(ctx, []string{g.Site}, []string{g.SKU})
	if err != nil {
		return store.Receipt{}, err
	}
	found, err := a.places(ctx, []Goods{g})
	if err != nil {
		return store.Receipt{}, err
	}
	r, err := a.receive(ctx, ref, found[g.Site][g.Place.Location], g)
	return r, under("receipt", err)
}

func (a *App) receive(ctx context.Context, ref domain.Reference, at Standing, g Goods) (store.Receipt, error) {
	ctx = owners.Says(ctx, "RecordReceipt", g.Request)
	key, item, err := resolve(ref, store.CauseOf(ctx).Tenant, g.Target)
	if err != nil {
		return store.Receipt{}, err
	}
	if err := checkPlace(g.Place, "location"); err != nil {
		return store.Receipt{}, err
	}
	if err := at.refuse(g.Site, g.Place.Location, "location"); err != nil {
		return store.Receipt{}, err
	}
	q, err := item.Base(g.Quantity, "quantity")
	if err != nil {
		return store.Receipt{}, err
	}
	pieces, err := item.Pieces(g.Place, q.Value, g.Serials, false)
	if err != nil {
		return store.Receipt{}, err
	}
	return a.asserted(ctx, ofStock, key, q, g.Serials, func(s domain.Stock, now time.Time) ([]domain.StockFact, error) {
		if err := item.Tracked(s, g.Place, false); err != nil {
			return nil, err
		}
		return domain.EachPiece(s, pieces, func(s domain.Stock, p domain.Piece) ([]domain.StockFact, error) {
			return domain.Received(s, key, p.Place, p.Quantity, g.Document, when(ctx, now))
		})
	})
}

// ReceiveBatch records many receipts, each on its own under the key "<key>/<index>".
func (a *App) ReceiveBatch(ctx context.Context, goods []Goods) ([]Result, error) {
	var sites, skus []string
	for _, g := range goods {
		sites, skus = append(sites, g.Site), append(skus, g.SKU)
	}
	ref, err := a.Reference.Lookup(ctx, sites, skus)
	if err != nil {
		return nil, err
	}
	found, err := a.places(ctx, goods)
	if err != nil {
		return nil, err
	}
	results := make([]Result, len(goods))
	var group errgroup.Group
	group.SetLimit(a.Parallel)
	for i, g := range goods {
		group.Go(func() error {
			r, err := a.receive(store.WithItem(ctx, strconv.Itoa(i)), ref, found[g.Site][g.Place.Location], g)
			results[i] = Result{r, under("receipts["+strconv.Itoa(i)+"]", err)}
			return nil
		})
	}
	return results, group.Wait() // the errors are in the results
}

// Returned are goods of a return, as a request has them.
type Returned struct {
	Target
	Place    domain.Place
	Serials  []string // none if they are not known
	Quantity quantity.Quantity
	RMA      string
	Line     int
}

// ReceiveReturn records returned goods.
func (a *App) ReceiveReturn(ctx context.Context, g Returned) (store.Receipt, error) {
	key, item, err := a.lookup(ctx, g.Target)
	if err != nil {
		return store.Receipt{}, err
	}
	if err := checkPlace(g.Place, "location"); err != nil {
		return store.Receipt{}, err
	}
	if err := a.takes(ctx, g.Site, g.Place.Location, "location"); err != nil {
		return store.Receipt{}, err
	}
	q, err := item.Base(g.Quantity, "quantity")
	if err != nil {
		return store.Receipt{}, err
	}
	pieces, err := item.Pieces(g.Place, q.Value, g.Serials, true)
	if err != nil {
		return store.Receipt{}, err
	}
	return a.asserted(ctx, ofReturn, key, q, g.Serials, func(s domain.Stock, now time.Time) ([]domain.StockFact, error) {
		if err := item.Tracked(s, g.Place, false); err != nil {
			return nil, err
		}
		return domain.EachPiece(s, pieces, func(s domain.Stock, p domain.Piece) ([]domain.StockFact, error) {
			return domain.ReturnArrived(s, key, p.Place, p.Quantity, g.RMA, g.Line, when(ctx, now))
		})
	})
}

// Adjust corrects the quantity at a place; the change has a sign.
func (a *App) Adjust(ctx context.Context, t Target, p domain.Place, change quantity.Quantity, serials []string, reason string, now time.Time) (store.Receipt, error) {
	key, item, err := a.lookup(ctx, t)
	if err != nil {
		return store.Receipt{}, err
	}
	if err := a.reasonedIfListed(ctx, reason, now); err != nil {
		return store.Receipt{}, err
	}
	if err := checkPlace(p, "location"); err != nil {
		return store.Receipt{}, err
	}
	negative := change.Value.Sign() < 0
	change.Value = change.Value.Abs()
	q, err := item.Base(change, "change")
	if err != nil {
		return store.Receipt{}, err
	}
	all := q.Value
	if negative {
		q.Value = q.Value.Neg()
	} else if err := a.takes(ctx, t.Site, p.Location, "location"); err != nil {
		return store.Receipt{}, err
	}
	return a.asserted(ctx, ofStock, key, q, serials, func(s domain.Stock, now time.Time) ([]domain.StockFact, error) {
		pieces, err := item.Pieces(p, all, serials, negative && s.Unnumbered(p))
		if err != nil {
			return nil, err
		}
		return domain.EachPiece(s, pieces, func(s domain.Stock, one domain.Piece) ([]domain.StockFact, error) {
			if err := item.Tracked(s, one.Place, negative); err != nil {
				return nil, err
			}
			if negative {
				one.Quantity = one.Quantity.Neg()
			}
			return domain.Adjust(s, key, one.Place, one.Quantity, reason, when(ctx, now))
		})
	})
}

// Move moves free stock between bins or changes its status.
func (a *App) Move(ctx context.Context, t Target, from, to domain.Place, amount quantity.Quantity, serials []string, reason string) (store.Receipt, error) {
	key, item, err := a.lookup(ctx, t)
	if err != nil {
		return store.Receipt{}, err
	}
	if err := checkPlace(from, "from_location"); err != nil {
		return store.Receipt{}, err
	}
	if err := checkPlace(to, "to_location"); err != nil {
		return store.Receipt{}, err
	}
	if to.Location != from.Location {
		if err := a.takes(ctx, t.Site, to.Location, "to_location"); err != nil {
			return store.Receipt{}, err
		}
	}
	q, err := item.Base(amount, "quantity")
	if err != nil {
		return store.Receipt{}, err
	}
	return a.asserted(ctx, ofStock, key, q, nil, func(s domain.Stock, now time.Time) ([]domain.StockFact, error) {
		return eachFrom(item, s, from, q.Value, serials, func(s domain.Stock, one domain.Piece) ([]domain.StockFact, error) {
			goes := to
			goes.Serial = one.Place.Serial
			return domain.Transfer(s, one.Place, goes, one.Quantity, reason, when(ctx, now))
		})
	})
}

// eachFrom books goods that leave a place, each piece by its number.
func eachFrom(item domain.Item, s domain.Stock, from domain.Place, q quantity.Decimal, serials []string, book func(domain.Stock, domain.Piece) ([]domain.StockFact, error)) ([]domain.StockFact, error) {
	pieces, err := item.Pieces(from, q, serials, s.Unnumbered(from))
	if err != nil {
		return nil, err
	}
	return domain.EachPiece(s, pieces, func(s domain.Stock, one domain.Piece) ([]domain.StockFact, error) {
		if err := item.Tracked(s, one.Place, true); err != nil {
			return nil, err
		}
		return book(s, one)
	})
}

// command changes one stock by what somebody decided: pieces that must not come into it are refused.
func (a *App) command(ctx context.Context, id string, serials []string, decide decideStock, qualify func(*store.Decision[domain.StockFact], domain.Stock)) (store.Receipt, error) {
	if len(serials) == 0 {
		return a.onStock(ctx, id, decide, qualify)
	}
	return a.enter(ctx, id, entry{command: true}, decide, qualify)
}

// Disposal is what returns decided about goods that stand at one place.
type Disposal struct {
	Stock       domain.StockKey
	RMA         string
	Disposition string // name of the disposition
	From, To    domain.Place
	Quantity    quantity.Decimal
	At          time.Time
}

// Dispose moves returned goods to where they go. The decision is not ours to refuse.
func (a *App) Dispose(ctx context.Context, d Disposal) error {
	_, err := a.onStock(ctx, d.Stock.ID, func(s domain.Stock, _ time.Time) ([]domain.StockFact, error) {
		return domain.Dispose(s, d.Stock, d.RMA, d.Disposition, d.From, d.To, d.Quantity, d.At), nil
	}, nil)
	return err
}
