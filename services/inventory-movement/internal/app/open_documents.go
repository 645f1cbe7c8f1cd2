package app

import (
	"slices"

	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// IndexNames lists open documents, and stock that is there, by the records of master data that
// they name.
const IndexNames = "names"

// NameKey is the key under which documents are listed that name a record: an item by its id, all
// else by its code.
func NameKey(recordType, name string) string { return recordType + "/" + name }

// names gathers the records that a document names, each once.
type names []string

func (n *names) add(recordType, name string) {
	if key := NameKey(recordType, name); name != "" && !slices.Contains(*n, key) {
		*n = append(*n, key)
	}
}

// StockNames are the records that stock names while something is on hand or promised.
func StockNames(s domain.Stock) []string {
	inside := func(r domain.Row) bool {
		return r.Place.Location == domain.Packing || r.Place.Location == domain.InTransit || !domain.Reserved(r.Place.Location)
	}
	if len(s.Claims) == 0 && !slices.ContainsFunc(s.Rows, inside) {
		return nil
	}
	var n names
	n.add("ITEM", s.Key.Item)
	n.add("LOCATION", s.Key.Site)
	return n
}

// OrderNames are the records that a warehouse order names until it is issued or cancelled.
func OrderNames(o domain.WarehouseOrder) []string {
	if s := o.State(); s == domain.Issued || s == domain.Cancelled || s == "" {
		return nil
	}
	var n names
	n.add("LOCATION", o.Site)
	n.add("CARRIER", o.Carrier)
	for _, l := range o.Lines {
		n.add("ITEM", l.Item)
	}
	return n
}

// InboundNames are the records that an inbound delivery names until it is put away or cancelled.
func InboundNames(d domain.Inbound) []string {
	if s := d.State(); s == domain.StoredAway || s == domain.InboundCancelled || s == "" {
		return nil
	}
	var n names
	n.add("LOCATION", d.Keys.Site)
	n.add("PARTY", d.Keys.Supplier)
	for _, l := range d.Lines {
		n.add("ITEM", l.Item)
	}
	return n
}
