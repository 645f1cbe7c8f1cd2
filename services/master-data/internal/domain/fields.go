package domain

import (
	"fmt"
	"strings"

	"github.com/lockstep-logistics/lockstep/libs/authority"
)

// Owned is a Value of which systems may own fields. Paths are those of the contract.
type Owned[V Value] interface {
	// Fields returns every field that a system may own.
	Fields() []authority.Field[V]
}

// fieldsOf returns the fields of a value that systems may own; none for a value that has none.
func fieldsOf[V Value](v V) []authority.Field[V] {
	if o, ok := any(v).(Owned[V]); ok {
		return o.Fields()
	}
	return nil
}

// field makes a field of a value from the way to it.
func field[V, T any](path string, at func(*V) *T, text func(T) string) authority.Field[V] {
	return authority.Field[V]{
		Path: path,
		Text: func(v V) string { return text(*at(&v)) },
		Take: func(dst *V, src V) { *at(dst) = *at(&src) },
	}
}

func plain[T ~string](s T) string { return string(s) }

// listed writes the elements of a list in one line.
func listed[T any](one func(T) string) func([]T) string {
	return func(list []T) string {
		texts := make([]string, len(list))
		for i, e := range list {
			texts[i] = one(e)
		}
		return strings.Join(texts, "; ")
	}
}

// maybe writes what may be absent.
func maybe[T any](one func(T) string) func(*T) string {
	return func(v *T) string {
		if v == nil {
			return ""
		}
		return one(*v)
	}
}

func (d Dimensions) text() string {
	if d == (Dimensions{}) {
		return ""
	}
	return fmt.Sprintf("%dx%dx%d mm", d.Length, d.Width, d.Height)
}

func (p Packaging) text() string {
	return strings.TrimSpace(fmt.Sprintf("%s %d/%d %d g %s", p.Unit, p.Ratio.Num, p.Ratio.Den, p.GrossWeight, p.Dimensions.text()))
}

func (i Identifier) text() string {
	return fmt.Sprintf("%s %q %q %q", i.Type, i.Value, i.Party, i.Unit)
}

func (t Tracking) text() string {
	return fmt.Sprintf("lot %t, serial %t, expiry %t, shelf life %d, remaining %d", t.Lot, t.Serial, t.Expiry, t.ShelfLifeDays, t.MinRemainingDays)
}

func (h Hazmat) text() string {
	return fmt.Sprintf("UN %s, class %s, group %q", h.UNNumber, h.Class, h.PackingGroup)
}

func (a Address) text() string {
	return fmt.Sprintf("%q %q %q %q %q %q", a.Name, a.Lines, a.City, a.Region, a.PostalCode, a.Country)
}

func (a PartyAddress) text() string {
	return fmt.Sprintf("%s: %s %q %q", a.Code, a.Address.text(), a.GLN, a.Zone)
}

func (s Service) text() string {
	return fmt.Sprintf("%s %q %s %d", s.Code, s.Name, s.Mode, s.TransitDays)
}

// Fields implements Owned.
func (Item) Fields() []authority.Field[Item] { return itemFields }

var itemFields = []authority.Field[Item]{
	field("name", func(i *Item) *string { return &i.Name }, plain),
	field("base_unit", func(i *Item) *string { return &i.BaseUnit }, plain),
	field("packaging_units", func(i *Item) *[]Packaging { return &i.Packagings }, listed(Packaging.text)),
	field("identifiers", func(i *Item) *[]Identifier { return &i.Identifiers }, listed(Identifier.text)),
	{
		Path: "base_weight_grams",
		Text: func(i Item) string { return i.BaseWeight.String() },
		Take: func(dst *Item, src Item) { dst.BaseWeight = src.BaseWeight },
	},
	field("base_dimensions", func(i *Item) *Dimensions { return &i.Base }, Dimensions.text),
	field("tracking", func(i *Item) *Tracking { return &i.Tracking }, Tracking.text),
	field("hazmat", func(i *Item) **Hazmat { return &i.Hazmat }, maybe(Hazmat.text)),
	field("customs_code", func(i *Item) *string { return &i.CustomsCode }, plain),
	field("country_of_origin", func(i *Item) *string { return &i.Origin }, plain),
}

// Fields implements Owned.
func (Party) Fields() []authority.Field[Party] { return partyFields }

var partyFields = []authority.Field[Party]{
	field("name", func(p *Party) *string { return &p.Name }, plain),
	field("roles", func(p *Party) *[]string { return &p.Roles }, listed(plain[string])),
	field("gln", func(p *Party) *string { return &p.GLN }, plain),
	field("addresses", func(p *Party) *[]PartyAddress { return &p.Addresses }, listed(PartyAddress.text)),
}

// Fields implements Owned. The kind is fixed, and the site is the parent's.
func (Location) Fields() []authority.Field[Location] { return locationFields }

var locationFields = []authority.Field[Location]{
	field("name", func(l *Location) *string { return &l.Name }, plain),
	{
		Path: "parent_code",
		Text: func(l Location) string { return l.Parent },
		Take: func(dst *Location, src Location) { dst.Parent, dst.Site = src.Parent, src.Site },
	},
	field("time_zone", func(l *Location) *string { return &l.TimeZone }, plain),
	field("un_locode", func(l *Location) *string { return &l.UNLocode }, plain),
	field("address", func(l *Location) **Address { return &l.Address }, maybe(Address.text)),
	field("gln", func(l *Location) *string { return &l.GLN }, plain),
	{
		Path: "default_site",
		Text: func(l Location) string { return fmt.Sprint(l.DefaultSite) },
		Take: func(dst *Location, src Location) { dst.DefaultSite = src.DefaultSite },
	},
	field("gs1_company_prefix", func(l *Location) *string { return &l.GS1Prefix }, plain),
	field("latitude", func(l *Location) *string { return &l.Latitude }, plain),
	field("longitude", func(l *Location) *string { return &l.Longitude }, plain),
}

// Fields implements Owned.
func (Carrier) Fields() []authority.Field[Carrier] { return carrierFields }

var carrierFields = []authority.Field[Carrier]{
	field("name", func(r *Carrier) *string { return &r.Name }, plain),
	field("party_code", func(r *Carrier) *string { return &r.Party }, plain),
	field("services", func(r *Carrier) *[]Service { return &r.Services }, listed(Service.text)),
}

// FieldPaths returns the paths of the fields that systems may own, by type of object.
func FieldPaths(objectType string) []string {
	switch objectType {
	case "ITEM":
		return paths(itemFields)
	case "PARTY":
		return paths(partyFields)
	case "LOCATION":
		return paths(locationFields)
	case "CARRIER":
		return paths(carrierFields)
	}
	return nil
}

func paths[V any](fields []authority.Field[V]) []string {
	all := make([]string, len(fields))
	for i, f := range fields {
		all[i] = f.Path
	}
	return all
}
