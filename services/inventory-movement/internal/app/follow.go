package app

import (
	"context"
	"strconv"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/faultpoint"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// WarehouseOrderID derives the id of the warehouse order of a release version.
func WarehouseOrderID(tenant, release string, version int) string {
	return ident.Derive("who", tenant, release, strconv.Itoa(version))
}

// Create starts the warehouse order of a release; keys lack its id.
func (a *App) Create(ctx context.Context, f domain.OrderCreated) error {
	f.ID = WarehouseOrderID(store.CauseOf(ctx).Tenant, f.Release, f.ReleaseVersion)
	_, err := a.Orders.Update(ctx, f.ID, func(c store.Current[domain.WarehouseOrder]) (store.Decision[domain.OrderFact], error) {
		return outcome(c, func(o domain.WarehouseOrder, _ time.Time) ([]domain.OrderFact, error) {
			return domain.CreateOrder(o, f)
		})
	})
	return err
}

// CancelRelease cancels the warehouse order of a release, or answers why not; keys lack its
// id. An order that has not come yet is cancelled all the same.
func (a *App) CancelRelease(ctx context.Context, keys domain.OrderKeys, reason string) error {
	return a.takeBack(ctx, keys, reason, domain.Cancel)
}

// Allocate sets stock aside for an order that was created at a time, and then tells the
// order. When it is over already everything is given up again.
func (a *App) Allocate(ctx context.Context, f domain.OrderCreated, created time.Time) error {
	if err := faultpoint.Hit(faultpoint.X1); err != nil {
		return err
	}
	tasks, lacks, err := a.allocate(ctx, f, created)
	if err != nil {
		return err
	}
	if err := faultpoint.Hit(faultpoint.X2); err != nil {
		return err
	}
	r, err := a.onOrder(ctx, f.ID, func(o domain.WarehouseOrder, _ time.Time) ([]domain.OrderFact, error) {
		return domain.SetTasks(o, tasks, lacks...)
	})
	if over := r.State == string(domain.Cancelled) || r.State == string(domain.Issued); err != nil || !over {
		return err
	}
	v, err := a.Orders.Get(ctx, f.ID)
	if err != nil {
		return err
	}
	if v.State.IsStopped {
		return a.keep(ctx, f, created)
	}
	return a.closeOrder(ctx, f)
}

// allocate claims each stock under a key of the order, whoever asks: the claims that
// promised the lines are spent once, whether allocation or cancellation comes first.
func (a *App) allocate(ctx context.Context, f domain.OrderCreated, created time.Time) ([]domain.Task, []domain.Lack, error) {
	stocks := byStock(ctx, f)
	items, err := a.Reference.Items(ctx, itemsIn(f))
	if err != nil {
		return nil, nil, err
	}
	otherwise, err := a.strategy(ctx, f.Site)
	if err != nil {
		return nil, nil, err
	}
	err = a.each(ctx, keysOf(stocks), func(ctx context.Context, id string) error {
		part := stocks[id]
		ctx = guard.Derived(ctx, store.CauseOf(ctx).Tenant, "allocate:"+f.ID+":"+id, created)
		var after domain.Stock
		rule := domain.RuleOf(items[part.key.Item], created, otherwise)
		r, err := a.onStock(ctx, id, func(s domain.Stock, now time.Time) ([]domain.StockFact, error) {
			rule = domain.RuleOf(items[part.key.Item], now, otherwise)
			facts := domain.Allocate(s, part.key, f.ID, part.wanted, rule)
			after = domain.ApplyStock(s, facts...)
			return facts, nil
		}, nil)
		if err != nil {
			return err // the decision may still be running
		}
		if r.Replayed {
			v, err := a.Stocks.Get(ctx, id)
			if err != nil {
				return err
			}
			after = v.State
		}
		part.tasks, part.lacks = tasksOf(after, f.ID, part), after.Lacks(f.ID, part.wanted, part.key.Unit, rule)
		return nil
	})
	var all []domain.Task
	var lacks []domain.Lack
	for _, l := range f.Lines { // in the order of the lines
		part := stocks[StockID(store.CauseOf(ctx).Tenant, f.Site, l.Item, f.Owner)]
		for _, t := range part.tasks {
			if t.Line == l.Number {
				all = append(all, t)
			}
		}
		for _, x := range part.lacks {
			if x.Line == l.Number {
				lacks = append(lacks, x)
			}
		}
	}
	return all, lacks, err
}

func itemsIn(f domain.OrderCreated) []string {
	ids := make([]string, len(f.Lines))
	for i, l := range f.Lines {
		ids[i] = l.Item
	}
	return ids
}

// portion is what an order asks of one stock.
type portion struct {
	key    domain.StockKey
	wanted []domain.Wanted
	tasks  []domain.Task
	lacks  []domain.Lack
}

// byStock groups the lines of an order by the stock that they come from.
func byStock(ctx context.Context, f domain.OrderCreated) map[string]*portion {
	parts := map[string]*portion{}
	for _, l := range f.Lines {
		key := keyOf(ctx, f.Site, f.Owner, l.Item, l.SKU, l.Quantity.Unit)
		if parts[key.ID] == nil {
			parts[key.ID] = &portion{key: key}
		}
		parts[key.ID].wanted = append(parts[key.ID].wanted, domain.Wanted{Line: l.Number, Quantity: l.Quantity.Value, Claims: l.Claims})
	}
	return parts
}

func keyOf(ctx context.Context, site, owner, item, sku, unit string) domain.StockKey {
	return domain.StockKey{
		ID:   StockID(store.CauseOf(ctx).Tenant, site, item, owner),
		Site: site, Item: item, SKU: sku, Owner: ownerOf(owner), Unit: unit,
	}
}

func keysOf[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	return keys
}

func tasksOf(s domain.Stock, order string, p *portion) []domain.Task {
	var tasks []domain.Task
	for _, w := range p.wanted {
		for _, al := range s.AllocatedTo(order, w.Line) {
			tasks = append(tasks, domain.Task{
				Line: w.Line, SKU: p.key.SKU, Location: al.Place.Location, Lot: al.Place.Lot, Serial: al.Place.Serial, Quantity: al.Quantity, Unit: p.key.Unit,
			})
		}
	}
	return tasks
}

// closeOrder gives up what is allocated to an order, for good.
func (a *App) closeOrder(ctx context.Context, f domain.OrderCreated) error {
	stocks := byStock(ctx, f)
	return a.each(ctx, keysOf(stocks), func(ctx context.Context, id string) error {
		_, err := a.onStock(store.WithItem(ctx, "close"), id, func(s domain.Stock, _ time.Time) ([]domain.StockFact, error) {
			return domain.CloseOrder(s, stocks[id].key, f.ID), nil
		}, nil)
		return err
	})
}

// FollowCancel gives up what a cancelled order holds: what is allocated to it, and the
// claims that promised its lines if they were not spent yet.
func (a *App) FollowCancel(ctx context.Context, id string) error {
	if err := faultpoint.Hit(faultpoint.X3); err != nil {
		return err
	}
	v, err := a.Orders.Get(ctx, id)
	if err != nil {
		return err
	}
	f := asCreated(v.State)
	if !v.State.IsAllocated && len(f.Lines) > 0 {
		created, err := a.created(ctx, id)
		if err != nil {
			return err
		}
		if _, _, err := a.allocate(ctx, f, created); err != nil {
			return err
		}
	}
	return a.closeOrder(ctx, f)
}

// asCreated is what an order was when it began, as far as its stock is concerned.
func asCreated(o domain.WarehouseOrder) domain.OrderCreated {
	return domain.OrderCreated{OrderKeys: o.Keys, Site: o.Site, Owner: o.Owner, Lines: o.Lines}
}

// created is when an order was created.
func (a *App) created(ctx context.Context, id string) (time.Time, error) {
	h, err := a.Orders.History(ctx, id, 0, historyPage)
	return createdAt(h), err
}

// historyPage is enough to find an order's creation: at most a cancellation comes before.
const historyPage = 8

// createdAt is when the order was created, which is part of the keys of its allocations.
func createdAt(commits []store.Commit[domain.OrderFact]) time.Time {
	for _, c := range commits {
		for _, f := range c.Facts {
			if _, ok := f.(domain.OrderCreated); ok {
				return c.Recorded
			}
		}
	}
	return time.Time{}
}

// Reported is a report of a warehouse order as it concerns stock.
type Reported struct {
	Order, Site, Owner string
	Lines              []domain.PickedLine
	At                 time.Time
}

// FollowPick books what was picked.
func (a *App) FollowPick(ctx context.Context, r Reported) error {
	return a.follow(ctx, r, func(s domain.Stock, key domain.StockKey, l domain.PickedLine) []domain.StockFact {
		return domain.TakePick(s, key, r.Order, l, r.At)
	})
}

// FollowShort books what was not there to be picked.
func (a *App) FollowShort(ctx context.Context, r Reported, damaged bool) error {
	return a.follow(ctx, r, func(s domain.Stock, key domain.StockKey, l domain.PickedLine) []domain.StockFact {
		return domain.TakeShort(s, key, r.Order, l, damaged, r.At)
	})
}

// FollowIssue books what left.
func (a *App) FollowIssue(ctx context.Context, r Reported) error {
	return a.follow(ctx, r, func(s domain.Stock, key domain.StockKey, l domain.PickedLine) []domain.StockFact {
		return domain.TakeIssue(s, key, r.Order, l, r.At)
	})
}

// follow books a report, one commit a stock.
func (a *App) follow(ctx context.Context, r Reported, book func(domain.Stock, domain.StockKey, domain.PickedLine) []domain.StockFact) error {
	if err := faultpoint.Hit(faultpoint.X3); err != nil {
		return err
	}
	lines, keys := map[string][]domain.PickedLine{}, map[string]domain.StockKey{}
	for _, l := range r.Lines {
		if l.Item == "" {
			return fault.New(fault.Invalid, "ITEM_UNKNOWN", "line %d of the report names no item", l.Line)
		}
		key := keyOf(ctx, r.Site, r.Owner, l.Item, l.SKU, l.Unit)
		lines[key.ID], keys[key.ID] = append(lines[key.ID], l), key
	}
	return a.each(ctx, keysOf(lines), func(ctx context.Context, id string) error {
		_, err := a.onStock(ctx, id, func(s domain.Stock, _ time.Time) ([]domain.StockFact, error) {
			var facts []domain.StockFact
			for _, l := range lines[id] {
				more := book(s, keys[id], l)
				facts, s = append(facts, more...), domain.ApplyStock(s, more...)
			}
			return facts, nil
		}, nil)
		return err
	})
}
