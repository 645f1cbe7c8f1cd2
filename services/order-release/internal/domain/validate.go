package domain

import (
	"fmt"
	"slices"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/money"
)

// Bounds of a document, so that every fact about it fits a commit.
const (
	maxReasons = 200
	maxText    = 64 << 10 // characters that the lines may have together
	maxSites   = 40
)

// Validate fills in defaults, addresses, items, base quantities and sites, and returns all
// that is wrong at once: each reason names its field and how to put it right. Paths are
// relative to the document; the lines keep their order.
func Validate(h Header, lines []Line, ref Reference) (Header, []Line, []Reason) {
	v := validate(h, lines, ref)
	return v.header, v.lines, v.reasons
}

// ValidateAndSource is Validate, with the sites that rules name for the lines that the document
// leaves open. A line's Rule is its place, from 1, in the sourcing.
func ValidateAndSource(h Header, lines []Line, ref Reference) (Header, []Line, Sourcing, []Reason) {
	v := validate(h, lines, ref)
	return v.header, v.lines, v.sourcing, v.reasons
}

func validate(h Header, lines []Line, ref Reference) *validation {
	v := &validation{header: h, lines: slices.Clone(lines), ref: ref}
	for _, check := range []func(*validation){
		(*validation).defaults,
		(*validation).parties,
		(*validation).carrier,
		(*validation).terms,
		(*validation).dates,
		(*validation).numbers,
		(*validation).items,
		(*validation).source,
		(*validation).sites,
		(*validation).size,
	} {
		check(v)
	}
	if n := len(v.reasons); n > maxReasons {
		v.reasons = append(v.reasons[:maxReasons], Reason{Code: "ORDER_TOO_LARGE", Message: fmt.Sprintf("and %d more", n-maxReasons)})
	}
	return v
}

type validation struct {
	header   Header
	lines    []Line
	ref      Reference
	sourcing Sourcing
	reasons  []Reason
}

func (v *validation) reject(code, field, format string, args ...any) {
	v.reasons = append(v.reasons, Reason{Code: code, Field: field, Message: fmt.Sprintf(format, args...)})
}

func (v *validation) defaults() {
	h := &v.header
	if h.Rule == "" {
		h.Rule = Partial
	}
	if h.Mode == "" {
		h.Mode = Automatic
	}
	if h.Priority == 0 {
		h.Priority = 5
	}
	if h.Promised.IsZero() {
		h.Promised = h.Requested
	}
}

func (v *validation) parties() {
	h := &v.header
	if h.SoldTo.Code == "" {
		v.reject("PARTY_UNKNOWN", "sold_to.party_code", "name the party that buys")
	}
	v.party("sold_to", &h.SoldTo, RoleCustomer)
	for _, p := range []struct {
		field, role string
		party       *Party
	}{{"ship_to", RoleShipTo, &h.ShipTo}, {"bill_to", RoleBillTo, &h.BillTo}} {
		if p.party.Code == "" && p.party.Address.IsZero() {
			*p.party = h.SoldTo // checked, and what is wrong with it is said once
			continue
		}
		v.party(p.field, p.party, p.role)
	}
}

// party checks one party and takes a snapshot of its address. A customer may stand in any role.
func (v *validation) party(field string, p *Party, role string) {
	if p.Code == "" {
		if !p.Address.IsZero() && p.Address.Country == "" {
			v.reject("ADDRESS_MISSING", field+".address.country", "a one-time address needs its country")
		}
		v.country(field, *p)
		return
	}
	rec, ok := v.ref.Parties[p.Code]
	switch {
	case !ok:
		v.reject("PARTY_UNKNOWN", field+".party_code", "no party %q: define it in master data or correct the code", p.Code)
		return
	case rec.Retired:
		v.reject("PARTY_RETIRED", field+".party_code", "party %q is retired: put it back into use or name another", p.Code)
	case !slices.Contains(rec.Roles, role) && !slices.Contains(rec.Roles, RoleCustomer):
		v.reject("PARTY_ROLE", field+".party_code", "party %q is no %s: give it the role in master data or name another", p.Code, role)
	}
	if !p.Address.IsZero() {
		v.country(field, *p)
		return
	}
	for _, a := range rec.Addresses {
		if p.AddressCode == "" || p.AddressCode == a.Code {
			p.Address = a.Address
			return
		}
	}
	v.reject("ADDRESS_MISSING", field+".address_code", "party %q has no such address: name another or give the address", p.Code)
}

// country checks the country of an address that the document gives.
func (v *validation) country(field string, p Party) {
	if c := p.Address.Country; c != "" && !countries[c] {
		v.reject("COUNTRY_UNKNOWN", field+".address.country", "%q is no country of ISO 3166-1", c)
	}
}

func (v *validation) carrier() {
	h := v.header
	if h.Carrier == "" {
		return
	}
	c, ok := v.ref.Carriers[h.Carrier]
	switch {
	case !ok:
		v.reject("CARRIER_UNKNOWN", "carrier_preference", "no carrier %q: define it in master data or leave it out", h.Carrier)
	case c.Retired:
		v.reject("CARRIER_RETIRED", "carrier_preference", "carrier %q is retired: name another or leave it out", h.Carrier)
	case h.Service != "" && !slices.Contains(c.Services, h.Service):
		v.reject("SERVICE_UNKNOWN", "service_level", "carrier %q has no service %q, only %v", h.Carrier, h.Service, c.Services)
	}
}

// incoterms are the rules of Incoterms 2020.
var incoterms = []string{"EXW", "FCA", "CPT", "CIP", "DAP", "DPU", "DDP", "FAS", "FOB", "CFR", "CIF"}

func (v *validation) terms() {
	h := v.header
	if h.Incoterm != "" && !slices.Contains(incoterms, h.Incoterm) {
		v.reject("INCOTERM_UNKNOWN", "incoterm", "%q is no rule of Incoterms 2020", h.Incoterm)
	}
	if h.Currency != "" {
		if _, ok := money.Exponent(h.Currency); !ok {
			v.reject("CURRENCY_INVALID", "currency", "%q is no ISO 4217 currency", h.Currency)
		}
	}
	priced := slices.ContainsFunc(v.lines, func(l Line) bool { return l.Price != "" })
	switch {
	case h.Currency == "" && (priced || h.Value.Currency != ""):
		v.reject("CURRENCY_MISSING", "currency", "prices and values need the order's currency")
	case h.Value.Currency != "" && h.Value.Currency != h.Currency:
		v.reject("CURRENCY_INVALID", "value.currency", "the value is in %s, the order in %s", h.Value.Currency, h.Currency)
	}
}

func (v *validation) dates() {
	h := v.header
	if !h.ShipBy.IsZero() && !h.DeliverBy.IsZero() && h.DeliverBy.Before(h.ShipBy) {
		v.reject("DATES_INVALID", "deliver_by", "the goods must arrive before they leave")
	}
	if !h.Promised.Equal(h.Requested) && !h.DeliverBy.IsZero() && h.DeliverBy.Before(h.Promised) {
		v.reject("DATES_INVALID", "promised_time", "the goods are promised for a time after the latest to arrive")
	}
	if _, err := time.LoadLocation(h.Zone); err != nil || h.Zone == "Local" { // Local is a Go word, no zone
		v.reject("TIME_ZONE_UNKNOWN", "time_zone", "%q is no IANA time zone", h.Zone)
	}
}

func (v *validation) numbers() {
	seen := map[int]int{}
	for i, l := range v.lines {
		if first, twice := seen[l.Number]; twice {
			v.reject("LINE_NUMBER_DUPLICATE", line(i, "line_number"), "line number %d stands at lines[%d] too: number the lines once", l.Number, first)
			continue
		}
		seen[l.Number] = i
	}
}

func (v *validation) sites() {
	sites := map[string]bool{}
	for i := range v.lines {
		l := &v.lines[i]
		field := line(i, "site")
		switch {
		case l.Rule > 0:
			continue // a site of the rule, and checked with it
		case l.Item == "" && l.AskedSite == "" && v.header.Site == "" && len(v.ref.Rules.List) > 0:
			continue // which rule fits is not known before the item is
		case l.AskedSite != "":
			l.Site = l.AskedSite
		case v.header.Site != "":
			l.Site, field = v.header.Site, "site"
		default:
			l.Site = v.ref.DefaultSite
		}
		site, ok := v.ref.Sites[l.Site]
		if sites[l.Site] {
			continue // said once
		}
		sites[l.Site] = true
		switch {
		case l.Site == "":
			v.reject("SITE_MISSING", "site", "name the site that delivers, or make one the tenant's default site")
		case !ok:
			v.reject("SITE_UNKNOWN", field, "no location %q: define it in master data or correct the code", l.Site)
		case site.Retired || !site.Ships:
			v.reject("SITE_INVALID", field, "location %q is retired or no site: name another", l.Site)
		}
	}
	places := 0
	for _, l := range v.lines {
		if l.Rule == 0 {
			places++
			continue
		}
		candidates := v.sourcing.Rules[l.Rule-1].Sites
		places += len(candidates)
		for _, site := range candidates {
			sites[site] = true
		}
	}
	if len(sites) > maxSites {
		v.reject("ORDER_TOO_LARGE", "lines", "an order is delivered from at most %d sites: split it", maxSites)
	}
	if places > maxPlaces {
		v.reject("ORDER_TOO_LARGE", "lines", "the lines may be delivered from %d places, %d are allowed: split the order", places, maxPlaces)
	}
}

func (v *validation) size() {
	text := 0
	for _, l := range v.lines {
		text += len(l.SKU) + len(l.GTIN) + len(l.CustomerItem) + len(l.Site)
	}
	if text > maxText {
		v.reject("ORDER_TOO_LARGE", "lines", "the lines have more than %d characters together: split the order", maxText)
	}
}

func line(i int, field string) string { return fmt.Sprintf("lines[%d].%s", i, field) }
