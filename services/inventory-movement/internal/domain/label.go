package domain

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/gs1"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// Shipping is what a label says of the shipment that this service does not know itself.
type Shipping struct {
	PurchaseOrder string // the customer's
	Consignment   string // GINC
	Shipment      string // GSIN
	ShipTo        string // GLN
}

// Elements are what the shipment adds to a label; data that cannot stand there is refused.
func (s Shipping) Elements() ([]gs1.Element, error) {
	var out []gs1.Element
	for _, x := range []struct{ ai, value, field string }{
		{"400", s.PurchaseOrder, "customer_purchase_order"},
		{"401", s.Consignment, "consignment"},
		{"402", s.Shipment, "shipment"},
		{"410", s.ShipTo, "ship_to_gln"},
	} {
		if x.value == "" {
			continue
		}
		e := gs1.Element{AI: x.ai, Value: x.value}
		if f, bad := faultOf(gs1.Encode([]gs1.Element{e})); bad {
			return nil, Invalid(x.field, f.Reason, "%s", f.Message)
		}
		out = append(out, e)
	}
	return out, nil
}

// UnitLabel is the elements of a unit's logistic label: what is in it, if that is one item of
// which the GTIN is known; its lot and expiry date, if that is one; its weight; where it goes.
// Weight is in grams, 0 if it is not known; expiry is "" or YYYY-MM-DD.
func UnitLabel(u HandlingUnit, total []PickedLine, item Item, expiry string, weight int64, shipping []gs1.Element, to Address) []gs1.Element {
	var out []gs1.Element
	add := func(e gs1.Element, ok bool) {
		if _, bad := faultOf(gs1.Encode([]gs1.Element{e})); ok && !bad {
			out = append(out, e)
		}
	}
	if n, ok := OneItem(total); ok && item.GTIN != "" {
		add(gs1.Element{AI: "02", Value: item.GTIN}, true)
		add(gs1.Element{AI: "37", Value: strconv.FormatInt(n, 10)}, true)
		if len(total) == 1 && total[0].Lot != "" {
			if day, err := time.Parse(time.DateOnly, expiry); err == nil {
				add(gs1.DateElement("17", day), true)
			}
			add(gs1.Element{AI: "10", Value: total[0].Lot}, true)
		}
	}
	if weight > 0 {
		add(gs1.Kilograms("330", weight))
	}
	out = append(out, shipping...)
	post := strings.ReplaceAll(to.PostalCode, " ", "")
	add(gs1.Element{AI: "420", Value: post}, post != "")
	return append(out, gs1.Element{AI: "00", Value: u.Keys.SSCC})
}

// maxCount is the largest count that AI 37 can say.
const maxCount = 99_999_999

// OneItem is how many pieces of one item the content is; false if it is of several, or not of pieces.
func OneItem(total []PickedLine) (pieces int64, ok bool) {
	if len(total) == 0 {
		return 0, false
	}
	sum := quantity.Decimal{}
	for _, l := range total {
		if l.Item != total[0].Item || l.Unit != total[0].Unit {
			return 0, false
		}
		sum = sum.Add(l.Quantity)
	}
	if !counted(total[0].Unit) {
		return 0, false
	}
	pieces, ok = sum.Int64()
	return pieces, ok && pieces > 0 && pieces <= maxCount
}

// counted reports whether a unit of measure counts pieces.
func counted(unit string) bool {
	u, known := quantity.Unit(unit)
	return known && u.Dimension == quantity.Count
}

// LabelText is what a label says to people.
func LabelText(o WarehouseOrder) []string {
	a := o.ShipTo
	lines := append([]string{a.Name}, a.Lines...)
	lines = append(lines, strings.TrimSpace(a.PostalCode+" "+a.City), strings.TrimSpace(a.Region+" "+a.Country), strings.TrimSpace(o.Carrier+" "+o.Service))
	if o.Keys.OrderNumber != "" {
		lines = append(lines, "Order "+o.Keys.OrderNumber)
	}
	return slices.DeleteFunc(lines, func(l string) bool { return l == "" })
}

// ExpiryOf is the date on which a lot of the stock expires; "" if it has none.
func (s Stock) ExpiryOf(lot string) string { return s.dated(Place{Lot: lot}).Expiry }
