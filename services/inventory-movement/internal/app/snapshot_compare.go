package app

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/lockstep-logistics/lockstep/libs/faultpoint"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

const (
	// partsAtOnce is how many parts one step compares: it must be over well within the time
	// that a reaction has.
	partsAtOnce = 4
	// stocksAtOnce is how many stocks are read at a time: each has at most some thousand rows.
	stocksAtOnce = 20
	// laterAtMost is how many later movements of a stock are looked through for a lag.
	laterAtMost = 10_000
)

// idDigits are the digits of ids in the order in which ids sort.
const idDigits = "234567abcdefghijklmnopqrstuvwxyz"

// perPart is how many pairs of leading digits are one part.
const perPart = len(idDigits) * len(idDigits) / domain.SnapshotParts

// partOf is the part that a stock is in; parts are in the order of ids.
func partOf(stock string) int {
	return (strings.IndexByte(idDigits, stock[4])*len(idDigits) + strings.IndexByte(idDigits, stock[5])) / perPart
}

// before is an id that sorts before all of a part and after all of the parts before it.
func before(part int) string {
	first := part * perPart
	return "stk_" + string(idDigits[first/len(idDigits)]) + string(idDigits[first%len(idDigits)])
}

// ComparePart compares the next parts of a snapshot and records what it found. It may be asked
// again at any time: what is recorded is recorded once.
func (a *Reconciliation) ComparePart(ctx context.Context, id string, run, part int) error {
	if err := faultpoint.Hit(faultpoint.X1); err != nil {
		return err
	}
	v, err := a.Snapshot(ctx, id)
	if err != nil {
		return err
	}
	s := v.State
	if s.State() != domain.SnapshotComparing || s.Run != run || s.Next != part {
		return nil
	}
	var counts domain.SnapshotCounts
	var differences []domain.SnapshotDifference
	next := min(part+partsAtOnce, domain.SnapshotParts)
	for p := part; p < next; p++ {
		more, found, err := a.comparePart(ctx, s, p)
		if err != nil {
			return err
		}
		counts, differences = counts.Plus(more), append(differences, found...)
	}
	if err := faultpoint.Hit(faultpoint.X2); err != nil {
		return err
	}
	_, err = a.onSnapshot(partKey(ctx, id, run, part, s.Keys.AsOf), id, false, func(s domain.Snapshot) ([]domain.SnapshotFact, error) {
		return domain.NotePart(s, run, part, next, counts, differences), nil
	}, nil)
	return err
}

// comparePart merges the rows of a part with the ledger's stocks, both in the order of ids.
func (a *Reconciliation) comparePart(ctx context.Context, s domain.Snapshot, part int) (counts domain.SnapshotCounts, out []domain.SnapshotDifference, err error) {
	all, err := a.Rows.Part(ctx, s.Keys.ID, part, s.Portions)
	if err != nil {
		return counts, nil, err
	}
	tenant, rows := store.CauseOf(ctx).Tenant, map[string][]domain.SnapshotRow{}
	for _, r := range all {
		stock := StockID(tenant, r.Site, ItemID(tenant, r.SKU), r.Owner)
		rows[stock] = append(rows[stock], r)
	}
	compare := func(v store.View[domain.Stock]) error {
		more, found, err := a.compareStock(ctx, s, v, rows[v.ID])
		counts, out = counts.Plus(more), append(out, found...)
		delete(rows, v.ID)
		return err
	}
	for after := before(part); after != ""; {
		var page []store.View[domain.Stock]
		if page, err = a.Scan.Scan(ctx, after, stocksAtOnce); err != nil {
			return counts, nil, err
		}
		after = ""
		for i, v := range page {
			if partOf(v.ID) != part {
				break
			}
			if i == stocksAtOnce-1 {
				after = v.ID
			}
			if err := compare(v); err != nil {
				return counts, nil, err
			}
		}
	}
	return counts, out, a.compareRest(ctx, slices.Sorted(maps.Keys(rows)), rows, compare)
}

// compareRest compares what the file alone has: a stock that is there all the same came into
// being just now.
func (a *Reconciliation) compareRest(ctx context.Context, ids []string, rows map[string][]domain.SnapshotRow, compare func(store.View[domain.Stock]) error) error {
	for some := range slices.Chunk(ids, stocksAtOnce) {
		views, err := a.Stocks.GetMany(ctx, some)
		if err != nil {
			return err
		}
		byID := map[string]store.View[domain.Stock]{}
		for _, v := range views {
			byID[v.ID] = v
		}
		for _, id := range some {
			v, known := byID[id]
			if !known {
				r := rows[id][0]
				v.ID = id
				v.State.Key = domain.StockKey{ID: id, Site: r.Site, Item: ItemID(store.CauseOf(ctx).Tenant, r.SKU), SKU: r.SKU, Owner: r.Owner, Unit: r.Unit}
			}
			if err := compare(v); err != nil {
				return err
			}
		}
	}
	return nil
}

// compareStock compares one stock. A stock that the file is not of is left out: one of another
// site, and where the file tells no owners one that is not the tenant's own.
func (a *Reconciliation) compareStock(
	ctx context.Context, s domain.Snapshot, v store.View[domain.Stock], rows []domain.SnapshotRow,
) (domain.SnapshotCounts, []domain.SnapshotDifference, error) {
	key := v.State.Key
	owners := slices.Contains(s.Columns, "owner")
	if !slices.Contains(s.Keys.Sites, key.Site) || !owners && key.Owner != domain.OwnStock {
		return domain.SnapshotCounts{}, nil, nil
	}
	l := domain.LedgerStock{Key: key, Rows: v.State.Rows, Now: v.State.Rows}
	if v.Updated.After(s.Keys.AsOf) {
		line := domain.Timeline{Until: s.Keys.AsOf}
		_, _, err := a.replay(ctx, v.ID, func(h Happening) bool {
			line.Add(h.Effect, h.Happened, h.Recorded)
			if h.Happened.After(s.Keys.AsOf) && len(h.Effect.Rows) > 0 && len(l.Later) < laterAtMost {
				l.Later = append(l.Later, domain.Moved{At: h.Happened, Rows: h.Effect.Rows})
			}
			return true
		})
		if err != nil {
			return domain.SnapshotCounts{}, nil, err
		}
		l.Rows = line.Balance(domain.Filter{}).Rows
		slices.SortStableFunc(l.Later, func(a, b domain.Moved) int { return a.At.Compare(b.At) })
	}
	counts, found := domain.CompareStock(key, rows, l, domain.GrainOf(s.Columns))
	return counts, found, nil
}
