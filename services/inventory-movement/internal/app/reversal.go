package app

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/bus"
	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/faultpoint"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// Books is the consumer that books what happened to warehouse orders: its steps are found in stock
// under its name.
const Books = "books"

// lookAgain is how often a reversal that is waited for is looked at.
const lookAgain = 20 * time.Millisecond

// ReverseIssue asks order and shipment whether a goods issue may be reversed. With a wait it answers
// what they said: one that they refuse is refused with their reason.
func (a *App) ReverseIssue(ctx context.Context, id string, sel domain.Selection, reason string, wait time.Duration) (store.Receipt, domain.Reversal, error) {
	receipt, err := a.Orders.Update(ctx, id, func(c store.Current[domain.WarehouseOrder]) (store.Decision[domain.OrderFact], error) {
		if c.Version == 0 {
			return store.Decision[domain.OrderFact]{}, notFound()
		}
		d, err := outcome(c, func(o domain.WarehouseOrder, now time.Time) ([]domain.OrderFact, error) {
			return domain.RequestReversal(o, sel, reason, when(ctx, now))
		})
		for _, f := range d.Facts {
			if asked, ok := f.(domain.ReversalRequested); ok {
				d.Values = map[string]string{"attempt": strconv.Itoa(asked.Attempt)}
			}
		}
		return d, err
	})
	if err != nil {
		return receipt, domain.Reversal{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, max(wait, lookAgain))
	defer cancel()
	for {
		v, err := a.Order(ctx, id)
		r := v.State.Reversal
		switch {
		case err != nil && ctx.Err() == nil:
			return receipt, domain.Reversal{}, err
		case err != nil, strconv.Itoa(r.Attempt) != receipt.Values["attempt"]: // a later one was asked for
			return receipt, domain.Reversal{}, nil
		case r.State == domain.ReversalRefused && wait > 0:
			return receipt, r, fault.New(fault.Refused, r.Refused, "%s", domain.RefusedText(r.Refused))
		case r.State != domain.ReversalAsked, wait <= 0:
			return receipt, r, nil
		}
		select {
		case <-ctx.Done():
			return receipt, r, nil
		case <-time.After(lookAgain):
		}
	}
}

// AnswerReversal takes what the order or the shipment of a warehouse order says to a reversal.
func (a *App) AnswerReversal(ctx context.Context, id string, attempt int, party domain.ReversalParty, refused string) error {
	if err := faultpoint.Hit(faultpoint.X2); err != nil {
		return err
	}
	_, err := a.onOrder(ctx, id, func(o domain.WarehouseOrder, _ time.Time) ([]domain.OrderFact, error) {
		return domain.AnswerReversal(o, attempt, party, refused)
	})
	return err
}

// FollowReversal books goods that are back, one commit a stock: to the places and lots that the
// movements of their goods issues tell.
func (a *App) FollowReversal(ctx context.Context, r Reported) error {
	if err := faultpoint.Hit(faultpoint.X3); err != nil {
		return err
	}
	history, err := a.bookedFacts(ctx, r.Order)
	if err != nil {
		return err
	}
	lines, keys := map[string][]domain.PickedLine{}, map[string]domain.StockKey{}
	for _, l := range r.Lines {
		key := keyOf(ctx, r.Site, r.Owner, l.Item, l.SKU, l.Unit)
		lines[key.ID], keys[key.ID] = append(lines[key.ID], l), key
	}
	root := ctx
	return a.each(ctx, keysOf(lines), func(ctx context.Context, id string) error {
		booked, err := a.bookedMoves(root, history, id)
		if err != nil {
			return err
		}
		_, err = a.onStock(ctx, id, func(s domain.Stock, _ time.Time) ([]domain.StockFact, error) {
			return domain.TakeReversal(s, keys[id], r.Order, lines[id], booked, r.At), nil
		}, nil)
		return err
	})
}

// bookedFact is a goods issue or a reversal of a warehouse order.
type bookedFact struct {
	event string // its id, which the key of what follows is made of
	at    time.Time
	items []domain.PickedLine
	site  string
	owner string
}

// bookedFacts are the goods issues and reversals of a warehouse order before the one that is followed
// now, in their order.
func (a *App) bookedFacts(ctx context.Context, order string) ([]bookedFact, error) {
	now := store.CauseOf(ctx).Causation
	var out []bookedFact
	for at := uint64(0); ; {
		commits, err := a.Orders.History(ctx, order, at, commitsAtOnce)
		if err != nil {
			return nil, err
		}
		versions, index := 0, 0
		for _, c := range commits {
			if c.Version != at {
				versions, index, at = versions+1, 0, c.Version
			}
			for _, f := range c.Facts {
				event := bus.EventID(order, c.Version, index)
				index++
				if event == now {
					return out, nil
				}
				switch f := f.(type) {
				case domain.GoodsIssued:
					out = append(out, bookedFact{event, c.Recorded, f.Lines, f.Site, f.Owner})
				case domain.IssueReversed:
					out = append(out, bookedFact{event, c.Recorded, f.Lines, f.Site, f.Owner})
				}
			}
		}
		if versions < commitsAtOnce {
			return out, nil
		}
	}
}

// bookedMoves are the movements of one stock that follow from facts of a warehouse order: each fact's
// step is asked for again under its key, and answers with the version that it made.
func (a *App) bookedMoves(ctx context.Context, facts []bookedFact, id string) ([]domain.Movement, error) {
	tenant := store.CauseOf(ctx).Tenant
	var out []domain.Movement
	for _, f := range facts {
		touches := false
		for _, l := range f.items {
			touches = touches || StockID(tenant, f.site, l.Item, f.owner) == id
		}
		if !touches {
			continue
		}
		step := store.WithItem(guard.Derived(ctx, tenant, "evt:"+f.event+":"+Books, f.at), id)
		receipt, err := a.onStock(step, id, func(domain.Stock, time.Time) ([]domain.StockFact, error) {
			return nil, fault.New(fault.Unavailable, "ISSUE_NOT_BOOKED", "%s is not booked yet", f.event)
		}, nil)
		if err != nil {
			return nil, err
		}
		moves, err := a.movesIn(ctx, id, receipt.ETag)
		if err != nil {
			return nil, err
		}
		out = append(out, moves...)
	}
	return out, nil
}

// movesIn are the movements in the version of a stock that an etag names.
func (a *App) movesIn(ctx context.Context, id, etag string) ([]domain.Movement, error) {
	number, _, _ := strings.Cut(etag, ":")
	version, err := strconv.ParseUint(number, 10, 64)
	if err != nil || version == 0 {
		return nil, fault.New(fault.Internal, "ETAG_INVALID", "%q names no version of %s", etag, id)
	}
	commits, err := a.Stocks.History(ctx, id, version-1, 1)
	if err != nil {
		return nil, err
	}
	var out []domain.Movement
	index := 0
	for _, c := range commits {
		for _, f := range c.Facts {
			if m, ok := f.(domain.StockMoved); ok && c.Version == version {
				out = append(out, domain.Movement{Ref: domain.MoveRef{Version: version, Index: index}, StockMoved: m})
			}
			index++
		}
	}
	return out, nil
}

// FollowUnitReversal says of each carton of a reversal that it is back.
func (a *App) FollowUnitReversal(ctx context.Context, cartons []domain.Carton, at time.Time) error {
	ids := map[string]string{}
	for _, c := range cartons {
		ids[unitID(ctx, c.SSCC)] = c.SSCC
	}
	return a.each(ctx, keysOf(ids), func(ctx context.Context, id string) error {
		_, err := a.onUnit(ctx, ids[id], func(u domain.HandlingUnit, _ time.Time) ([]domain.UnitFact, error) {
			return domain.TakeUnitReversal(u, at), nil
		})
		if fault.IsKind(err, fault.NotFound) {
			return nil // it was packed when cartons were no handling units yet
		}
		return err
	})
}

// FollowChildReversal says of a unit that one in it is back.
func (a *App) FollowChildReversal(ctx context.Context, parent, child string, at time.Time) error {
	_, err := a.onUnit(ctx, parent, func(u domain.HandlingUnit, _ time.Time) ([]domain.UnitFact, error) {
		return domain.TakeChildReversal(u, child, at), nil
	})
	return err
}
