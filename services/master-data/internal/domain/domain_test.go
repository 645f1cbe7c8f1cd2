package domain_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	"github.com/lockstep-logistics/lockstep/services/master-data/internal/domain"
)

func item(change ...func(*domain.Item)) domain.Item {
	i := domain.Item{
		SKU: "TEA-500", Name: "Green tea, 500 g", BaseUnit: "EA",
		BaseWeight: quantity.MustParse("512.5"),
		Packagings: []domain.Packaging{{Unit: "CS", Ratio: quantity.Ratio{Num: 12, Den: 1}}},
		Identifiers: []domain.Identifier{
			{Type: domain.GTIN, Value: "4006381333931"},
			{Type: "CUSTOMER", Value: "K-77", Party: "C-1"},
		},
	}
	for _, c := range change {
		c(&i)
	}
	return i
}

func site(change ...func(*domain.Location)) domain.Location {
	l := domain.Location{Code: "DC1", Name: "Hamburg", Kind: domain.Site, Site: "DC1", TimeZone: "Europe/Berlin", Address: &domain.Address{Country: "DE"}}
	for _, c := range change {
		c(&l)
	}
	return l
}

// wrong asserts that err is fault.Invalid and names exactly these fields with their reasons.
func wrong(t *testing.T, err error, fields map[string]string) {
	t.Helper()
	got := map[string]string{}
	if f, ok := fault.As(err); ok {
		for _, field := range f.Fields {
			got[field.Path] = field.Reason
		}
	}
	if len(fields) > 0 && !fault.IsKind(err, fault.Invalid) {
		t.Fatalf("got %v, want fault.Invalid", err)
	}
	if diff := cmp.Diff(fields, got); diff != "" {
		t.Fatalf("fields (-want +got):\n%s", diff)
	}
}

func TestItemRules(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*domain.Item)
		fields map[string]string
	}{
		"good":         {func(*domain.Item) {}, map[string]string{}},
		"no SKU":       {func(i *domain.Item) { i.SKU = "" }, map[string]string{"sku": "REQUIRED"}},
		"unknown unit": {func(i *domain.Item) { i.BaseUnit = "EAX" }, map[string]string{"base_unit": "UNIT_UNKNOWN"}},
		"base twice":   {func(i *domain.Item) { i.Packagings[0].Unit = "EA" }, map[string]string{"packaging_units[0].unit": "DUPLICATE", "packaging_units[0].numerator": "RATIO_INVALID"}},
		"unit twice":   {func(i *domain.Item) { i.Packagings = append(i.Packagings, i.Packagings[0]) }, map[string]string{"packaging_units[1].unit": "DUPLICATE"}},
		"dozen of ten": {func(i *domain.Item) {
			i.Packagings[0] = domain.Packaging{Unit: "DZN", Ratio: quantity.Ratio{Num: 10, Den: 1}}
		}, map[string]string{"packaging_units[0].numerator": "RATIO_INVALID"}},
		"dozen of 24/2": {func(i *domain.Item) {
			i.Packagings[0] = domain.Packaging{Unit: "DZN", Ratio: quantity.Ratio{Num: 24, Den: 2}}
		}, map[string]string{}},
		"pieces in kilos": {func(i *domain.Item) {
			i.BaseUnit = "KGM"
			i.Packagings[0] = domain.Packaging{Unit: "EA", Ratio: quantity.Ratio{Num: 3, Den: 4}}
		}, map[string]string{}},
		"gram of a kilo": {func(i *domain.Item) {
			i.BaseUnit = "KGM"
			i.Packagings[0] = domain.Packaging{Unit: "GRM", Ratio: quantity.Ratio{Num: 1, Den: 100}}
		}, map[string]string{"packaging_units[0].numerator": "RATIO_INVALID"}},
		"ratio of nothing": {func(i *domain.Item) { i.Packagings[0].Ratio.Num = 0 }, map[string]string{"packaging_units[0].numerator": "RATIO_INVALID"}},
		"check digit":      {func(i *domain.Item) { i.Identifiers[0].Value = "4006381333932" }, map[string]string{"identifiers[0].value": "CHECK_DIGIT"}},
		"GTIN of a unit":   {func(i *domain.Item) { i.Identifiers[0].Unit = "CS" }, map[string]string{}},
		"GTIN of no unit":  {func(i *domain.Item) { i.Identifiers[0].Unit = "PL" }, map[string]string{"identifiers[0].unit": "UNIT_UNKNOWN"}},
		"GTIN of a party":  {func(i *domain.Item) { i.Identifiers[0].Party = "C-1" }, map[string]string{"identifiers[0].party_code": "CONTRADICTION"}},
		"identifier twice": {func(i *domain.Item) { i.Identifiers[0] = i.Identifiers[1] }, map[string]string{"identifiers[1].value": "DUPLICATE"}},
		"expiry, no lot":   {func(i *domain.Item) { i.Tracking.Expiry = true }, map[string]string{"tracking.expiry": "CONTRADICTION"}},
		"serial kilos":     {func(i *domain.Item) { i.BaseUnit = "KGM"; i.Tracking.Serial = true }, map[string]string{"tracking.serial": "CONTRADICTION"}},
		"days over life": {func(i *domain.Item) {
			i.Tracking = domain.Tracking{Lot: true, Expiry: true, ShelfLifeDays: 30, MinRemainingDays: 31}
		}, map[string]string{"tracking.min_remaining_days": "CONTRADICTION"}},
		"days, no expiry":     {func(i *domain.Item) { i.Tracking.MinRemainingDays = 3 }, map[string]string{"tracking.min_remaining_days": "CONTRADICTION"}},
		"unknown country":     {func(i *domain.Item) { i.Origin = "XX" }, map[string]string{"country_of_origin": "COUNTRY_UNKNOWN"}},
		"all faults are told": {func(i *domain.Item) { i.SKU, i.BaseUnit = "", "?" }, map[string]string{"sku": "REQUIRED", "base_unit": "UNIT_UNKNOWN"}},
	} {
		t.Run(name, func(t *testing.T) { wrong(t, item(c.change).Check(), c.fields) })
	}
}

func TestItemIsFoundByEveryName(t *testing.T) {
	want := []string{"TEA-500", "4006381333931", "04006381333931", "K-77"}
	if got := item().Names(); !slices.Equal(got, want) {
		t.Fatalf("names %v, want %v", got, want)
	}
}

func TestPartyCarrierTenantRules(t *testing.T) {
	party := domain.Party{Code: "C-1", Name: "Buyer", Roles: []string{"CUSTOMER"}, Addresses: []domain.PartyAddress{{Code: "MAIN", Address: domain.Address{Country: "US"}, Zone: "America/Chicago"}}}
	wrong(t, party.Check(), map[string]string{})
	bad := domain.Party{GLN: "4012345000011", Addresses: []domain.PartyAddress{
		{Code: "A", Address: domain.Address{Country: "ZZ"}, Zone: "Local"}, {Code: "A", GLN: "1"},
	}}
	wrong(t, bad.Check(), map[string]string{
		"code": "REQUIRED", "gln": "CHECK_DIGIT", "addresses[0].address.country": "COUNTRY_UNKNOWN", "addresses[0].time_zone": "TIME_ZONE_UNKNOWN",
		"addresses[1].code": "DUPLICATE", "addresses[1].address.country": "REQUIRED", "addresses[1].gln": "CHECK_DIGIT",
	})
	wrong(t, domain.Carrier{Code: "UPSN", Services: []domain.Service{{Code: "GROUND"}, {Code: "AIR"}}}.Check(), map[string]string{})
	wrong(t, domain.Carrier{Services: []domain.Service{{Code: "AIR"}, {Code: "AIR"}}}.Check(), map[string]string{"code": "REQUIRED", "services[1].code": "DUPLICATE"})
	wrong(t, domain.Tenant{Name: "T", Currency: "EUR", Country: "DE", Zone: "Europe/Berlin"}.Check(), map[string]string{})
	wrong(t, domain.Tenant{Name: "T", Currency: "XXX", Country: "DD", Zone: "Mars/Base"}.Check(), map[string]string{"currency": "CURRENCY_UNKNOWN", "country": "COUNTRY_UNKNOWN", "time_zone": "TIME_ZONE_UNKNOWN"})
}

func TestLocationRules(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*domain.Location)
		fields map[string]string
	}{
		"good":               {func(*domain.Location) {}, map[string]string{}},
		"site without place": {func(l *domain.Location) { l.TimeZone, l.Address = "", nil }, map[string]string{"time_zone": "REQUIRED", "address": "REQUIRED"}},
		"site in a site":     {func(l *domain.Location) { l.Parent = "DC2" }, map[string]string{"parent_code": "CONTRADICTION"}},
		"bin as site":        {func(l *domain.Location) { l.Kind, l.DefaultSite, l.GS1Prefix = domain.Bin, true, "4012345" }, map[string]string{"default_site": "CONTRADICTION", "gs1_company_prefix": "CONTRADICTION"}},
		"coordinates":        {func(l *domain.Location) { l.Latitude, l.Longitude = "53.5436", "9.9886" }, map[string]string{}},
		"half a coordinate":  {func(l *domain.Location) { l.Latitude = "53.5436" }, map[string]string{"longitude": "REQUIRED"}},
		"port of nowhere":    {func(l *domain.Location) { l.UNLocode = "QQHAM" }, map[string]string{"un_locode": "COUNTRY_UNKNOWN"}},
	} {
		t.Run(name, func(t *testing.T) { wrong(t, site(c.change).Check(), c.fields) })
	}
}

func TestLocationTakesItsSiteFromItsParent(t *testing.T) {
	absent := domain.Record[domain.Location]{}
	in := func(l domain.Location) domain.Record[domain.Location] {
		return domain.Record[domain.Location]{State: domain.Active, Value: l}
	}
	zone := domain.Location{Code: "Z1", Kind: domain.Zone, Parent: "DC1", Site: "DC1"}
	for name, c := range map[string]struct {
		kind   domain.Kind
		parent domain.Record[domain.Location]
		code   string
		fields map[string]string
	}{
		"bin in a zone":       {domain.Bin, in(zone), "Z1", map[string]string{}},
		"bin in a site":       {domain.Bin, in(site()), "DC1", map[string]string{}},
		"dock in a site":      {domain.Dock, in(site()), "DC1", map[string]string{}},
		"dock in a zone":      {domain.Dock, in(zone), "Z1", map[string]string{"parent_code": "PARENT_INVALID"}},
		"zone in a zone":      {domain.Zone, in(zone), "Z1", map[string]string{"parent_code": "PARENT_INVALID"}},
		"bin nowhere":         {domain.Bin, absent, "", map[string]string{"parent_code": "REQUIRED"}},
		"bin in the unknown":  {domain.Bin, absent, "X", map[string]string{"parent_code": "PARENT_INVALID"}},
		"bin in retired zone": {domain.Bin, domain.Record[domain.Location]{State: domain.Retired, Value: zone}, "Z1", map[string]string{"parent_code": "PARENT_INVALID"}},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := domain.Location{Code: "L", Kind: c.kind, Parent: c.code}.Under(c.parent)
			wrong(t, err, c.fields)
			if err == nil && l.Site != "DC1" {
				t.Fatalf("site %q, want DC1", l.Site)
			}
		})
	}
}

func TestWhatIsSettledStays(t *testing.T) {
	active := func(i domain.Item) domain.Record[domain.Item] {
		return domain.Record[domain.Item]{State: domain.Active, Value: i}
	}
	_, err := domain.Put("itm_1", active(item()), item(func(i *domain.Item) { i.BaseUnit, i.Packagings = "KGM", nil }))
	if f, ok := fault.As(err); !ok || f.Kind != fault.Refused || f.Reason != "BASE_UNIT_FIXED" {
		t.Fatalf("a new base unit: %v", err)
	}
	moved := site(func(l *domain.Location) { l.Kind, l.Site, l.Parent, l.Address = domain.Bin, "DC2", "DC2", nil })
	_, err = domain.Put("loc_1", domain.Record[domain.Location]{State: domain.Retired, Value: site()}, moved)
	if f, ok := fault.As(err); !ok || f.Kind != fault.Refused || f.Reason != "LOCATION_FIXED" {
		t.Fatalf("a site becomes a bin: %v", err)
	}
}

func TestCountries(t *testing.T) {
	list := domain.Countries()
	if len(list) != 249 {
		t.Fatalf("%d countries, ISO 3166-1 has 249", len(list))
	}
	for i, c := range list {
		if len(c.Code) != 2 || c.Name == "" || i > 0 && list[i-1].Code >= c.Code {
			t.Fatalf("entry %d: %+v", i, c)
		}
	}
}
