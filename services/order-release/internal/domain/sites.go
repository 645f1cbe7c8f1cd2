package domain

import (
	"cmp"
	"slices"

	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// AtSite is what of a line is with one of its sites.
type AtSite struct {
	Line                                  int
	Site                                  string
	Promised, Released, Issued, Delivered quantity.Decimal
}

// AtSites returns the parts of lines that sites have or had, by line and site.
func (o Order) AtSites() (parts []AtSite) {
	at := map[AtSite]int{}
	part := func(line int, site string) *AtSite {
		key := AtSite{Line: line, Site: site}
		i, known := at[key]
		if !known {
			i = len(parts)
			at[key] = i
			parts = append(parts, key)
		}
		return &parts[i]
	}
	for _, l := range o.Lines {
		for _, c := range l.Claims {
			p := part(l.Number, cmp.Or(c.Site, l.Site))
			p.Promised = p.Promised.Add(c.Quantity)
		}
	}
	for _, r := range o.Releases {
		if r.Sent.IsZero() {
			continue
		}
		for _, l := range r.Lines {
			p := part(l.Line, r.Site)
			p.Released, p.Issued, p.Delivered = p.Released.Add(l.Live()), p.Issued.Add(l.Issued), p.Delivered.Add(l.Delivered)
		}
	}
	slices.SortFunc(parts, func(a, b AtSite) int { return cmp.Or(a.Line-b.Line, cmp.Compare(a.Site, b.Site)) })
	return parts
}

// Delivery is how much has reached the customer.
type Delivery string

// How much has reached the customer.
const (
	NotDelivered       Delivery = ""
	PartiallyDelivered Delivery = "PARTIALLY_DELIVERED"
	Delivered          Delivery = "DELIVERED" // all that was not cancelled
)

// Delivery is how much of the line has reached the customer.
func (q Quantities) Delivery() Delivery {
	switch {
	case q.Delivered.IsZero():
		return NotDelivered
	case q.Delivered.Less(q.Ordered.Sub(q.Cancelled)):
		return PartiallyDelivered
	}
	return Delivered
}

// Delivery is how much of the order has reached the customer.
func (o Order) Delivery() Delivery {
	some, all := false, true
	for _, q := range o.Quantities() {
		d := q.Delivery()
		some = some || d != NotDelivered
		all = all && (d == Delivered || q.Cancelled == q.Ordered)
	}
	switch {
	case !some:
		return NotDelivered
	case all:
		return Delivered
	}
	return PartiallyDelivered
}
