package domain_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-logistics/lockstep/libs/authority"
	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	"github.com/lockstep-logistics/lockstep/services/master-data/internal/domain"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func by(system string) authority.Word {
	return authority.Word{System: system, Message: "M-1", At: noon}
}

func put(t *testing.T, r domain.Record[domain.Item], i domain.Item, w authority.Word, table authority.Table) (domain.Record[domain.Item], domain.Outcome[domain.Item]) {
	t.Helper()
	out, err := domain.PutBy("itm_1", r, i, w, table)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range out.Facts {
		r = domain.Evolve(r, f)
	}
	return r, out
}

// TestEachSystemChangesItsOwn: two systems own different fields of one item; each put changes
// what its system owns, says what it did not, and is kept beside the record.
func TestEachSystemChangesItsOwn(t *testing.T) {
	table := domain.Ownership{Type: "ITEM", Rules: []domain.OwnershipRule{
		{Subject: "*", Owner: "erp", Rule: authority.Observe}, {Subject: "base_weight_grams", Owner: "wms", Rule: authority.Observe},
	}}.Table()
	var r domain.Record[domain.Item]
	r, out := put(t, r, item(), by("wms"), table)
	if len(out.Foreign) > 0 || r.Value.Name != item().Name {
		t.Fatalf("the first word: %+v", out)
	}
	heavy := item(func(i *domain.Item) { i.Name, i.BaseWeight = "Tee", quantity.MustParse("600") })
	r, out = put(t, r, heavy, by("wms"), table)
	if r.Value.Name != item().Name || r.Value.BaseWeight.String() != "600" || len(out.Foreign) != 1 || out.Foreign[0].Field != "name" {
		t.Fatalf("the WMS: %+v %+v", r.Value, out.Foreign)
	}
	want := []domain.Observation{{Field: "name", System: "wms", Owner: "erp", Rule: "OBSERVE", Said: "Tee", Held: item().Name, Time: noon, Message: "M-1"}}
	if diff := cmp.Diff(want, r.Observed); diff != "" {
		t.Error(diff)
	}
	if _, out := put(t, r, heavy, by("wms"), table); len(out.Facts) > 0 || len(out.Foreign) != 1 {
		t.Errorf("said again: %+v", out)
	}
	renamed := item(func(i *domain.Item) { i.Name, i.BaseWeight = "Tee", quantity.MustParse("1") })
	r, out = put(t, r, renamed, by("erp"), table)
	if r.Value.Name != "Tee" || r.Value.BaseWeight.String() != "600" || len(out.Foreign) != 1 || len(r.Observed) != 1 || r.Observed[0].System != "erp" {
		t.Errorf("the ERP agrees about the name: %+v %+v", r, out)
	}
	r, _ = put(t, r, renamed, authority.Word{}, table)
	if r.Value.BaseWeight.String() != "1" || len(r.Observed) != 0 {
		t.Errorf("the tenant's own staff: %+v", r)
	}
}

func TestForeignWordIsRefused(t *testing.T) {
	table := domain.Ownership{Type: "ITEM", Rules: []domain.OwnershipRule{{Subject: "base_unit", Owner: "erp", Rule: authority.Refuse}}}.Table()
	r, _ := put(t, domain.Record[domain.Item]{}, item(), by("erp"), table)
	kilos := item(func(i *domain.Item) { i.BaseUnit, i.Packagings, i.Name = "KGM", nil, "Other" })
	out, err := domain.PutBy("itm_1", r, kilos, by("wms"), table)
	f, _ := fault.As(err)
	if f == nil || f.Kind != fault.Refused || f.Reason != "FIELD_NOT_OWNED" || len(f.Fields) != 1 || f.Fields[0].Path != "base_unit" || f.Metadata["owner"] != "erp" || len(out.Facts) > 0 {
		t.Errorf("%v %+v", err, out)
	}
	r, _ = put(t, r, item(func(i *domain.Item) { i.Name = "Other" }), by("wms"), table)
	if r.Value.Name != "Other" {
		t.Error("a field that nobody owns is taken")
	}
}

// TestRetirementIsOwned: a system that may not say so takes no record out of use, nor back.
func TestRetirementIsOwned(t *testing.T) {
	table := authority.Default("ITEM")
	r, _ := put(t, domain.Record[domain.Item]{}, item(), by("erp"), table)
	retire := func(system string) domain.Outcome[domain.Item] {
		t.Helper()
		out, err := domain.RetireBy("itm_1", r, by(system), table)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range out.Facts {
			r = domain.Evolve(r, f)
		}
		return out
	}
	if out := retire("wms"); r.State != domain.Active || len(out.Foreign) != 1 || len(r.Observed) != 1 || r.Observed[0].Said != "RETIRED" {
		t.Fatalf("the WMS retires: %+v", r)
	}
	if out := retire("wms"); len(out.Facts) > 0 || len(out.Foreign) != 1 {
		t.Errorf("the WMS retires again: %+v", out)
	}
	if retire("erp"); r.State != domain.Retired || len(r.Observed) != 0 {
		t.Fatalf("the ERP retires: %+v", r)
	}
	r, out := put(t, r, item(), by("wms"), table)
	if r.State != domain.Retired || len(out.Foreign) != 1 || len(r.Observed) != 1 || r.Observed[0].Said != "ACTIVE" {
		t.Fatalf("the WMS puts it back: %+v", r)
	}
	if r, _ = put(t, r, item(), by("erp"), table); r.State != domain.Active || len(r.Observed) != 0 {
		t.Errorf("the ERP puts it back: %+v", r)
	}
}

// TestFieldsAreWhole: a change of anything in a record is a change of one of its fields, but
// for what names it or can never change.
func TestFieldsAreWhole(t *testing.T) {
	told := func(a, b domain.Item) []string {
		var changed []string
		for _, f := range (domain.Item{}).Fields() {
			if f.Text(a) != f.Text(b) {
				changed = append(changed, f.Path)
			}
			f.Take(&a, b)
		}
		if diff := cmp.Diff(a, b); diff != "" {
			t.Errorf("not told by a field:\n%s", diff)
		}
		return changed
	}
	for path, change := range map[string]func(*domain.Item){
		"name": func(i *domain.Item) { i.Name = "X" }, "base_unit": func(i *domain.Item) { i.BaseUnit = "KGM" },
		"packaging_units": func(i *domain.Item) {
			i.Packagings = []domain.Packaging{{Unit: "CS", Ratio: quantity.Ratio{Num: 13, Den: 1}}}
		},
		"identifiers": func(i *domain.Item) { i.Identifiers = i.Identifiers[:1] }, "base_weight_grams": func(i *domain.Item) { i.BaseWeight = quantity.MustParse("1") },
		"base_dimensions": func(i *domain.Item) { i.Base.Height = 1 }, "tracking": func(i *domain.Item) { i.Tracking.MinRemainingDays = 1 },
		"hazmat": func(i *domain.Item) { i.Hazmat = &domain.Hazmat{UNNumber: "1950"} }, "customs_code": func(i *domain.Item) { i.CustomsCode = "1" },
		"country_of_origin": func(i *domain.Item) { i.Origin = "DE" },
	} {
		if got := told(item(), item(change)); !slices.Equal(got, []string{path}) {
			t.Errorf("%s: %v", path, got)
		}
	}
	place := domain.Address{Country: "DE", City: "Kiel"}
	a, b := site(), site(func(l *domain.Location) {
		l.Name, l.Parent, l.Site, l.TimeZone, l.UNLocode, l.Address, l.GLN, l.DefaultSite, l.GS1Prefix, l.Latitude, l.Longitude = "x", "p", "s", "UTC", "DEHAM", &place, "g", true, "4012", "53.5", "9.9"
	})
	for _, f := range (domain.Location{}).Fields() {
		if f.Text(a) == f.Text(b) {
			t.Errorf("%s says nothing", f.Path)
		}
		f.Take(&a, b)
	}
	if diff := cmp.Diff(a, b); diff != "" {
		t.Error(diff)
	}
}

func TestOwnershipRules(t *testing.T) {
	rule := func(subject, owner string, r authority.Rule) domain.OwnershipRule {
		return domain.OwnershipRule{Subject: subject, Owner: owner, Rule: r}
	}
	for name, c := range map[string]struct {
		kind   string
		rules  []domain.OwnershipRule
		fields map[string]string
	}{
		"good":            {"ITEM", []domain.OwnershipRule{rule("*", "erp", "OBSERVE"), rule("name", "erp", "REFUSE"), rule("state", "erp", "OBSERVE"), rule("PutItem", "pim", "ACCEPT")}, map[string]string{}},
		"no field":        {"ITEM", []domain.OwnershipRule{rule("colour", "erp", "OBSERVE")}, map[string]string{"rules[0].subject": "SUBJECT_INVALID"}},
		"owner twice":     {"PARTY", []domain.OwnershipRule{rule("name", "erp", "OBSERVE"), rule("name", "erp", "OBSERVE")}, map[string]string{"rules[1].subject": "DUPLICATE"}},
		"two rules":       {"CARRIER", []domain.OwnershipRule{rule("name", "erp", "OBSERVE"), rule("name", "tms", "REFUSE")}, map[string]string{"rules[0].conflict_rule": "CONTRADICTION", "rules[1].conflict_rule": "CONTRADICTION"}},
		"somebody else's": {"SHIPMENT", []domain.OwnershipRule{rule("stops.window", "tms", "OBSERVE")}, map[string]string{}},
	} {
		t.Run(name, func(t *testing.T) { wrong(t, domain.Ownership{Type: c.kind, Rules: c.rules}.Check(), c.fields) })
	}
	first := domain.Ownership{Type: "ITEM", Rules: []domain.OwnershipRule{rule("*", "erp", "OBSERVE")}}.After(domain.Record[domain.Ownership]{})
	same := first.After(domain.Record[domain.Ownership]{State: domain.Active, Value: first})
	other := domain.Ownership{Type: "ITEM"}.After(domain.Record[domain.Ownership]{State: domain.Active, Value: first})
	if first.Version != 1 || same.Version != 1 || other.Version != 2 {
		t.Errorf("versions %d, %d, %d", first.Version, same.Version, other.Version)
	}
}

func TestCalendarRules(t *testing.T) {
	hours := func(list ...int32) (out []domain.Hours) {
		for i := 0; i+1 < len(list); i += 2 {
			out = append(out, domain.Hours{Open: list[i], Close: list[i+1]})
		}
		return out
	}
	good := domain.Calendar{
		Code: "DC1", Zone: "Europe/Berlin", Week: []domain.WeekdayHours{{Weekday: 1, Hours: hours(780, 1020, 480, 720)}}, Exceptions: []domain.Exception{{Date: "2026-12-25"}},
	}
	wrong(t, good.Check(), map[string]string{})
	bad := domain.Calendar{
		Zone: "Mars/Base", Week: []domain.WeekdayHours{{Weekday: 1, Hours: hours(480, 720, 700, 800)}, {Weekday: 1, Hours: hours(720, 480)}},
		Exceptions: []domain.Exception{{Date: "2026-02-29"}, {Date: "2026-03-01"}, {Date: "2026-03-01", Hours: hours(60, 60)}},
	}
	wrong(t, bad.Check(), map[string]string{
		"code": "REQUIRED", "time_zone": "TIME_ZONE_UNKNOWN", "week[0].hours": "HOURS_INVALID", "week[1].weekday": "DUPLICATE", "week[1].hours": "HOURS_INVALID",
		"exceptions[0].date": "DATE_INVALID", "exceptions[2].date": "DUPLICATE", "exceptions[2].hours": "HOURS_INVALID",
	})
}

func TestCutOffNamesWhatThereIs(t *testing.T) {
	place := domain.Record[domain.Location]{State: domain.Active, Value: site()}
	carrier := domain.Record[domain.Carrier]{State: domain.Active, Value: domain.Carrier{Code: "UPSN", Services: []domain.Service{{Code: "AIR"}}}}
	dates := domain.Record[domain.Calendar]{State: domain.Active}
	times := []domain.CutOffTime{{Weekday: 1, Minute: 60}}
	full := domain.CutOff{Site: "DC1", Carrier: "UPSN", Service: "AIR", Calendar: "DC1", Times: times}
	got, err := full.At(place, carrier, dates)
	if err != nil || got.Zone != "Europe/Berlin" || got.Check() != nil {
		t.Fatal(got, err)
	}
	_, err = full.At(domain.Record[domain.Location]{}, domain.Record[domain.Carrier]{}, domain.Record[domain.Calendar]{})
	wrong(t, err, map[string]string{"site_code": "SITE_UNKNOWN", "carrier_code": "OBJECT_UNKNOWN", "calendar_code": "CALENDAR_UNKNOWN"})
	full.Service = "SEA"
	_, err = full.At(place, carrier, dates)
	wrong(t, err, map[string]string{"service_code": "OBJECT_UNKNOWN"})
	twice := domain.CutOff{Site: "DC1", Service: "AIR", Zone: "UTC", Times: append(times, times...)}
	wrong(t, twice.Check(), map[string]string{"carrier_code": "REQUIRED", "times[1].local_time": "DUPLICATE"})
}
