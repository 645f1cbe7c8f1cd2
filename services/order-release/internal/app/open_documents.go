package app

import (
	"cmp"
	"context"
	"slices"

	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/order-release/internal/domain"
)

// IndexNames lists open orders by the records of master data that they name.
const IndexNames = "names"

// NameKey is the key under which orders are listed that name a record: an item by its id, all
// else by its code.
func NameKey(recordType, name string) string { return recordType + "/" + name }

// over are the states in which nothing more is done for an order that its records could break.
var over = []domain.State{domain.Rejected, domain.Cancelled, domain.Fulfilled, domain.Closed}

// NameKeys are the records that an order names while it is open.
func NameKeys(o domain.Order) []string {
	if slices.Contains(over, o.State()) {
		return nil
	}
	var keys []string
	add := func(recordType, name string) {
		if key := NameKey(recordType, name); name != "" && !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	for _, p := range []domain.Party{o.Header.SoldTo, o.Header.ShipTo, o.Header.BillTo} {
		add("PARTY", p.Code)
	}
	add("CARRIER", o.Header.Carrier)
	for _, l := range o.Lines {
		add("ITEM", l.Item)
		add("LOCATION", cmp.Or(l.Site, l.AskedSite, o.Header.Site))
	}
	for _, r := range o.Releases {
		add("LOCATION", r.Site)
	}
	return keys
}

// Naming returns up to limit open orders that name a record, and whether there are more.
func (a *App) Naming(ctx context.Context, key string, limit int) ([]store.View[domain.Order], bool, error) {
	page, err := a.Orders.List(ctx, store.Query{Index: IndexNames, Key: key, PageSize: limit})
	return page.Items, page.NextToken != "", err
}
