package domain

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/money"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

func reference() Reference {
	widget := Item{ID: "itm_w", SKU: "WIDGET", BaseUnit: "EA", Units: map[string]quantity.Ratio{"CS": {Num: 12, Den: 1}}}
	cable := Item{ID: "itm_c", SKU: "CABLE", BaseUnit: "MTR"}
	plate := Item{ID: "itm_p", SKU: "PLATE", BaseUnit: "FTK", Units: map[string]quantity.Ratio{"PG": {Num: 400, Den: 1}, "RL": {Num: 1, Den: 3}}}
	old := Item{ID: "itm_o", SKU: "OLD", BaseUnit: "EA", Retired: true}
	home := PartyAddress{Code: "MAIN", Address: Address{Name: "Acme", City: "Chicago", Country: "US"}}
	dock := PartyAddress{Code: "DOCK2", Address: Address{Name: "Acme dock", City: "Gary", Country: "US"}}
	return Reference{
		Items: map[string]Item{"WIDGET": widget, "CABLE": cable, "PLATE": plate, "OLD": old},
		GTINs: map[string][]Item{"04006381333931": {widget}, "00012345678905": {widget, cable}},
		Parties: map[string]PartyRecord{
			"ACME":  {Code: "ACME", Roles: []string{RoleCustomer}, Addresses: []PartyAddress{home, dock}},
			"PAYER": {Code: "PAYER", Roles: []string{RoleBillTo}, Addresses: []PartyAddress{home}},
			"GONE":  {Code: "GONE", Roles: []string{RoleCustomer}, Addresses: []PartyAddress{home}, Retired: true},
			"BARE":  {Code: "BARE", Roles: []string{RoleCustomer}},
		},
		Sites:       map[string]Site{"DC1": {Code: "DC1", Ships: true}, "DC2": {Code: "DC2", Ships: true}, "BIN": {Code: "BIN"}},
		DefaultSite: "DC1",
		Carriers:    map[string]Carrier{"UPSN": {Code: "UPSN", Services: []string{"GROUND"}}, "OLDC": {Code: "OLDC", Retired: true}},
	}
}

func q(value, unit string) quantity.Quantity {
	return quantity.Quantity{Value: quantity.MustParse(value), Unit: unit}
}

func valid() (Header, []Line) {
	return Header{Source: "erp", Number: "SO-1", SoldTo: Party{Code: "ACME"}},
		[]Line{{Number: 10, SKU: "WIDGET", Quantity: q("10", "EA")}, {Number: 20, SKU: "WIDGET", Quantity: q("4", "CS")}}
}

func codes(reasons []Reason) string {
	var list []string
	for _, r := range reasons {
		list = append(list, r.Code+"@"+r.Field)
	}
	return strings.Join(list, " ")
}

func TestValidateResolves(t *testing.T) {
	h, lines := valid()
	lines = append(lines,
		Line{Number: 30, GTIN: "4006381333931", Quantity: q("1", "C62"), AskedSite: "DC2"},
		Line{Number: 40, SKU: "CABLE", Quantity: q("250", "CMT")},
		Line{Number: 50, SKU: "PLATE", Quantity: q("2.5", "PG")})
	h.ShipTo.Code, h.ShipTo.AddressCode, h.BillTo.Code = "ACME", "DOCK2", "PAYER"
	h, lines, reasons := Validate(h, lines, reference())
	if len(reasons) > 0 {
		t.Fatal(reasons)
	}
	if h.Rule != Partial || h.Mode != Automatic || h.Priority != 5 || h.SoldTo.Address.City != "Chicago" || h.ShipTo.Address.City != "Gary" {
		t.Errorf("header %+v", h)
	}
	for i, want := range []Line{
		{SKU: "WIDGET", Item: "itm_w", Base: q("10", "EA"), Site: "DC1"},
		{SKU: "WIDGET", Item: "itm_w", Base: q("48", "EA"), Site: "DC1"},
		{SKU: "WIDGET", Item: "itm_w", Base: q("1", "EA"), Site: "DC2"},
		{SKU: "CABLE", Item: "itm_c", Base: q("2.5", "MTR"), Site: "DC1"},
		{SKU: "PLATE", Item: "itm_p", Base: q("1000", "FTK"), Site: "DC1"},
	} {
		if got := lines[i]; got.SKU != want.SKU || got.Item != want.Item || got.Base != want.Base || got.Site != want.Site {
			t.Errorf("line %d is %s %s %v at %s, want %+v", got.Number, got.SKU, got.Item, got.Base, got.Site, want)
		}
	}
}

func TestValidateRejects(t *testing.T) {
	many := func(n int, site func(int) string) []Line {
		var ls []Line
		for i := range n {
			ls = append(ls, Line{Number: i + 1, SKU: "WIDGET", Quantity: q("1", "EA"), AskedSite: site(i)})
		}
		return ls
	}
	one := func(int) string { return "DC1" }
	tests := []struct {
		name   string
		break_ func(*Header, []Line) []Line
		want   string
	}{
		{"unknown item", func(_ *Header, l []Line) []Line { l[1].SKU = "NOPE"; return l }, "ITEM_UNKNOWN@lines[1].sku"},
		{"retired item", func(_ *Header, l []Line) []Line { l[0].SKU = "OLD"; return l }, "ITEM_RETIRED@lines[0].sku"},
		{"bad GTIN", func(_ *Header, l []Line) []Line { l[0].SKU, l[0].GTIN = "", "4006381333930"; return l }, "GTIN_MALFORMED@lines[0].gtin"},
		{"unknown GTIN", func(_ *Header, l []Line) []Line { l[0].SKU, l[0].GTIN = "", "96385074"; return l }, "ITEM_UNKNOWN@lines[0].gtin"},
		{"GTIN of two", func(_ *Header, l []Line) []Line { l[0].SKU, l[0].GTIN = "", "0012345678905"; return l }, "GTIN_AMBIGUOUS@lines[0].gtin"},
		{"unit of another dimension", func(_ *Header, l []Line) []Line { l[0].Quantity.Unit = "KGM"; return l }, "UNIT_UNKNOWN@lines[0].quantity"},
		{"no unit at all", func(_ *Header, l []Line) []Line { l[0].Quantity.Unit = "ZZZ"; return l }, "UNIT_UNKNOWN@lines[0].quantity"},
		{"another item's unit", func(_ *Header, l []Line) []Line { l[0].SKU, l[0].Quantity = "CABLE", q("1", "CS"); return l }, "UNIT_UNKNOWN@lines[0].quantity"},
		{"inexact", func(_ *Header, l []Line) []Line { l[0].SKU, l[0].Quantity = "PLATE", q("1", "RL"); return l }, "QUANTITY_INEXACT@lines[0].quantity"},
		{"half a piece", func(_ *Header, l []Line) []Line { l[0].Quantity = q("0.5", "EA"); return l }, "QUANTITY_INVALID@lines[0].quantity"},
		{"nothing", func(_ *Header, l []Line) []Line { l[0].Quantity = q("0", "EA"); return l }, "QUANTITY_INVALID@lines[0].quantity"},
		{"too much", func(_ *Header, l []Line) []Line { l[0].Quantity = q("999999999999999999", "CS"); return l }, "QUANTITY_INVALID@lines[0].quantity"},
		{"same number", func(_ *Header, l []Line) []Line { l[1].Number = 10; return l }, "LINE_NUMBER_DUPLICATE@lines[1].line_number"},
		{"nobody buys", func(h *Header, l []Line) []Line { h.SoldTo.Code = ""; return l }, "PARTY_UNKNOWN@sold_to.party_code"},
		{"retired party", func(h *Header, l []Line) []Line { h.ShipTo.Code = "GONE"; return l }, "PARTY_RETIRED@ship_to.party_code"},
		{"wrong role", func(h *Header, l []Line) []Line { h.ShipTo.Code = "PAYER"; return l }, "PARTY_ROLE@ship_to.party_code"},
		{"no address", func(h *Header, l []Line) []Line { h.ShipTo.Code = "BARE"; return l }, "ADDRESS_MISSING@ship_to.address_code"},
		{"no such address", func(h *Header, l []Line) []Line { h.ShipTo = Party{Code: "ACME", AddressCode: "X"}; return l }, "ADDRESS_MISSING@ship_to.address_code"},
		{"no country", func(h *Header, l []Line) []Line { h.ShipTo.Address.City = "Rome"; return l }, "ADDRESS_MISSING@ship_to.address.country"},
		{"no such country", func(h *Header, l []Line) []Line { h.ShipTo.Address = Address{City: "X", Country: "ZZ"}; return l }, "COUNTRY_UNKNOWN@ship_to.address.country"},
		{"a party's address in no country", func(h *Header, l []Line) []Line {
			h.BillTo = Party{Code: "PAYER", Address: Address{City: "X", Country: "UK"}}
			return l
		}, "COUNTRY_UNKNOWN@bill_to.address.country"},
		{"promised too late", func(h *Header, l []Line) []Line { h.Promised, h.DeliverBy = start, start.Add(-time.Hour); return l }, "DATES_INVALID@promised_time"},
		{"unknown site", func(h *Header, l []Line) []Line { h.Site = "DC9"; return l }, "SITE_UNKNOWN@site"},
		{"a bin", func(_ *Header, l []Line) []Line { l[1].AskedSite = "BIN"; return l }, "SITE_INVALID@lines[1].site"},
		{"unknown carrier", func(h *Header, l []Line) []Line { h.Carrier = "XXXX"; return l }, "CARRIER_UNKNOWN@carrier_preference"},
		{"retired carrier", func(h *Header, l []Line) []Line { h.Carrier = "OLDC"; return l }, "CARRIER_RETIRED@carrier_preference"},
		{"unknown service", func(h *Header, l []Line) []Line { h.Carrier, h.Service = "UPSN", "AIR"; return l }, "SERVICE_UNKNOWN@service_level"},
		{"incoterm", func(h *Header, l []Line) []Line { h.Incoterm = "DAT"; return l }, "INCOTERM_UNKNOWN@incoterm"},
		{"no currency", func(_ *Header, l []Line) []Line { l[0].Price = "1.50"; return l }, "CURRENCY_MISSING@currency"},
		{"unknown currency", func(h *Header, l []Line) []Line { h.Currency = "ZZZ"; return l }, "CURRENCY_INVALID@currency"},
		{"two currencies", func(h *Header, l []Line) []Line {
			h.Currency, h.Value = "EUR", money.Amount{Minor: 1, Currency: "USD"}
			return l
		}, "CURRENCY_INVALID@value.currency"},
		{"dates", func(h *Header, l []Line) []Line { h.ShipBy, h.DeliverBy = start, start.Add(-time.Hour); return l }, "DATES_INVALID@deliver_by"},
		{"zone", func(h *Header, l []Line) []Line { h.Zone = "Mars/Base"; return l }, "TIME_ZONE_UNKNOWN@time_zone"},
		{"no zone at all", func(h *Header, l []Line) []Line { h.Zone = "Local"; return l }, "TIME_ZONE_UNKNOWN@time_zone"},
		{
			"all at once", func(h *Header, l []Line) []Line {
				h.Incoterm, l[0].SKU, l[1].Quantity = "X", "NOPE", q("-1", "EA")
				return l
			},
			"INCOTERM_UNKNOWN@incoterm ITEM_UNKNOWN@lines[0].sku QUANTITY_INVALID@lines[1].quantity",
		},
	}
	for _, tt := range tests {
		h, lines := valid()
		lines = tt.break_(&h, lines)
		if _, _, reasons := Validate(h, lines, reference()); codes(reasons) != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, codes(reasons), tt.want)
		}
	}
	h, _ := valid()
	if _, _, reasons := Validate(h, many(41, func(i int) string { return fmt.Sprint("S", i) }), reference()); reasons[len(reasons)-1].Code != "ORDER_TOO_LARGE" {
		t.Error("41 sites were taken")
	}
	long := many(1000, one)
	for i := range long {
		long[i].CustomerItem = strings.Repeat("x", 64)
	}
	if _, _, reasons := Validate(h, long, reference()); !strings.Contains(codes(reasons), "ORDER_TOO_LARGE@lines") {
		t.Error("too much text was taken")
	}
	wrong := many(1000, one)
	for i := range wrong {
		wrong[i].SKU = "NOPE"
	}
	if _, _, reasons := Validate(h, wrong, reference()); len(reasons) != maxReasons+1 {
		t.Errorf("%d reasons", len(reasons))
	}
}

func TestValidateWithoutDefaultSite(t *testing.T) {
	h, lines := valid()
	ref := reference()
	ref.DefaultSite = ""
	if _, _, reasons := Validate(h, lines, ref); codes(reasons) != "SITE_MISSING@site" {
		t.Error(codes(reasons))
	}
}
