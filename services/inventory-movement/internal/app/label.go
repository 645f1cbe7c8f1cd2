package app

import (
	"context"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/gs1"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// Label is the data of a logistic label.
type Label struct {
	Elements []gs1.Element
	Symbols  []gs1.Symbol
	Text     []string
}

// Label returns the label of a handling unit, as far as is known what stands on it.
func (a *App) Label(ctx context.Context, sscc string, s domain.Shipping) (Label, error) {
	shipping, err := s.Elements()
	if err != nil {
		return Label{}, err
	}
	views, more, err := a.Tree(ctx, sscc)
	if err != nil {
		return Label{}, err
	}
	units := States(views)
	var total []domain.PickedLine
	if !more {
		total = domain.TotalContent(units)
	}
	o, err := a.orderOf(ctx, units)
	if err != nil {
		return Label{}, err
	}
	item, expiry, err := a.labelled(ctx, units, total)
	if err != nil {
		return Label{}, err
	}
	l := Label{
		Elements: domain.UnitLabel(units[0], total, item, expiry, domain.Weights(units)[sscc], shipping, o.ShipTo),
		Text:     domain.LabelText(o),
	}
	l.Symbols, err = gs1.Label(l.Elements)
	return l, err
}

// orderOf is the warehouse order of all that is in a unit; the zero one if they are several.
func (a *App) orderOf(ctx context.Context, units []domain.HandlingUnit) (domain.WarehouseOrder, error) {
	id := ""
	for _, u := range units {
		switch {
		case u.Keys.Warehouse == "" || u.Keys.Warehouse == id:
		case id != "":
			return domain.WarehouseOrder{}, nil
		default:
			id = u.Keys.Warehouse
		}
	}
	if id == "" {
		return domain.WarehouseOrder{}, nil
	}
	v, err := a.Order(ctx, id)
	return v.State, err
}

// labelled is the item that is in a unit and the date on which its one lot expires, if it is one.
func (a *App) labelled(ctx context.Context, units []domain.HandlingUnit, total []domain.PickedLine) (item domain.Item, expiry string, err error) {
	if _, one := domain.OneItem(total); !one {
		return item, "", nil
	}
	items, err := a.Reference.Items(ctx, []string{total[0].Item})
	if err != nil {
		return item, "", err
	}
	item = items[total[0].Item]
	if len(total) > 1 || total[0].Lot == "" {
		return item, "", nil
	}
	for _, u := range units {
		if len(u.Content) == 0 {
			continue
		}
		v, err := a.Stocks.Get(ctx, StockID(store.CauseOf(ctx).Tenant, u.Keys.Site, item.ID, u.Keys.Owner))
		if fault.IsKind(err, fault.NotFound) {
			return item, "", nil
		}
		return item, v.State.ExpiryOf(total[0].Lot), err
	}
	return item, "", nil
}
