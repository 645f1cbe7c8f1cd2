package domain_test

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	"github.com/lockstep-logistics/lockstep/services/master-data/internal/domain"
)

// drawn is a value with what is known of it by its drawing: whether it is well formed, and
// what of it may never change.
type drawn[V domain.Value] struct {
	value   V
	bad     bool
	settled string
}

// recordMachine drives one record through puts and retirements, again and in any order; beside
// it stand its newest value and what was settled by its first.
type recordMachine[V domain.Value] struct {
	record domain.Record[V]
	facts  []domain.Fact[V]
	draw   func(*rapid.T) drawn[V]

	state   domain.State
	newest  V
	settled string
}

func from[T any](t *rapid.T, label string, of ...T) T { return rapid.SampledFrom(of).Draw(t, label) }

func (m *recordMachine[V]) put(t *rapid.T) {
	d := m.draw(t)
	facts, err := domain.Put("rec_1", m.record, d.value)
	fixed := m.state != domain.Absent && d.settled != m.settled
	switch {
	case d.bad != fault.IsKind(err, fault.Invalid), !d.bad && fixed != fault.IsKind(err, fault.Refused), err != nil && len(facts) > 0:
		t.Fatalf("put %+v, bad %t, over what is settled %t: %+v %v", d.value, d.bad, fixed, facts, err)
	case err != nil:
		return
	}
	same := m.state == domain.Active && reflect.DeepEqual(m.newest, d.value)
	if same != (len(facts) == 0) || len(facts) > 1 {
		t.Fatalf("put %+v over %+v: %d facts", d.value, m.newest, len(facts))
	}
	m.fold(facts)
	m.state, m.newest, m.settled = domain.Active, d.value, d.settled
	if twice, err := domain.Put("rec_1", m.record, d.value); err != nil || len(twice) > 0 {
		t.Fatalf("put a second time: %+v %v", twice, err)
	}
}

func (m *recordMachine[V]) retire(t *rapid.T) {
	facts, err := domain.Retire("rec_1", m.record)
	if (m.state == domain.Absent) != (err != nil) || err != nil && !fault.IsKind(err, fault.NotFound) || (m.state == domain.Active) != (len(facts) == 1) {
		t.Fatalf("retired in state %q: %+v %v", m.state, facts, err)
	}
	m.fold(facts)
	if m.state == domain.Active {
		m.state = domain.Retired
	}
}

func (m *recordMachine[V]) fold(facts []domain.Fact[V]) {
	for _, f := range facts {
		m.record = domain.Evolve(m.record, f)
	}
	m.facts = append(m.facts, facts...)
}

// check: the record has the newest value, each fact carries the whole of it, and all of them
// give the state.
func (m *recordMachine[V]) check(t *rapid.T) {
	if m.record.State != m.state || !reflect.DeepEqual(m.record.Value, m.newest) {
		t.Fatalf("record %+v, last put %+v in state %q", m.record, m.newest, m.state)
	}
	var again domain.Record[V]
	for _, f := range m.facts {
		again = domain.Evolve(domain.Evolve(again, domain.Fact[V]{}), f) // whatever was folded before
		if f.ID != "rec_1" {
			t.Fatalf("a fact of %q", f.ID)
		}
	}
	if fmt.Sprintf("%+v", again) != fmt.Sprintf("%+v", m.record) || domain.After(domain.Record[V]{}, m.facts) != m.state {
		t.Fatalf("the facts give %+v, the state is %+v", again, m.record)
	}
}

func live[V domain.Value](draw func(*rapid.T) drawn[V]) func(*testing.T) {
	return rapid.MakeCheck(func(t *rapid.T) {
		m := &recordMachine[V]{draw: draw}
		t.Repeat(map[string]func(*rapid.T){"put": m.put, "put more": m.put, "retire": m.retire, "": m.check})
	})
}

// TestRecords walks the records of each kind through their lives.
func TestRecords(t *testing.T) {
	t.Run("item", live(drawItem))
	t.Run("location", live(drawLocation))
	t.Run("party", live(drawParty))
	t.Run("carrier", live(drawCarrier))
	t.Run("tenant", live(drawTenant))
}

func drawItem(t *rapid.T) drawn[domain.Item] {
	d := drawn[domain.Item]{value: item(), settled: from(t, "base unit", "EA", "EA", "EA", "KGM")}
	i := &d.value
	i.BaseUnit, i.Name = d.settled, from(t, "name", "A", "B")
	i.Packagings = nil
	switch from(t, "packaging", "none", "case", "case", "twice", "of nothing", "base", "dozen") {
	case "case":
		i.Packagings = []domain.Packaging{{Unit: "CS", Ratio: quantity.Ratio{Num: from[int64](t, "pieces", 1, 12, 1_000_000_000), Den: 1}}}
	case "twice":
		i.Packagings, d.bad = slices.Repeat([]domain.Packaging{{Unit: "CS", Ratio: quantity.Ratio{Num: 2, Den: 1}}}, 2), true
	case "of nothing":
		i.Packagings, d.bad = []domain.Packaging{{Unit: "CS", Ratio: quantity.Ratio{Num: 0, Den: 1}}}, true
	case "base":
		i.Packagings, d.bad = []domain.Packaging{{Unit: i.BaseUnit, Ratio: quantity.Ratio{Num: 1, Den: 1}}}, true
	case "dozen": // of pieces it is twelve, of kilograms what the item says
		n := from[int64](t, "dozen", 11, 12)
		i.Packagings = []domain.Packaging{{Unit: "DZN", Ratio: quantity.Ratio{Num: n, Den: 1}}}
		d.bad = i.BaseUnit == "EA" && n != 12
	}
	switch from(t, "tracking", "none", "serial", "expiry", "expiry without lot", "days") {
	case "serial":
		i.Tracking.Serial = true
		d.bad = d.bad || i.BaseUnit != "EA"
	case "expiry":
		i.Tracking.Lot, i.Tracking.Expiry = true, true
	case "expiry without lot":
		i.Tracking.Expiry, d.bad = true, true
	case "days":
		i.Tracking.Lot, i.Tracking.Expiry, i.Tracking.ShelfLifeDays = true, true, 30
		i.Tracking.MinRemainingDays = from[int32](t, "remaining", 0, 29, 30, 31)
		d.bad = d.bad || i.Tracking.MinRemainingDays > 30
	}
	return d
}

func drawLocation(t *rapid.T) drawn[domain.Location] {
	d := drawn[domain.Location]{value: site()}
	l := &d.value
	l.Kind, l.Name = from(t, "kind", domain.Site, domain.Site, domain.Bin, domain.Dock), from(t, "name", "A", "B")
	if l.Kind != domain.Site {
		l.Site, l.Parent = from(t, "site", "DC1", "DC1", "DC2"), "DC1"
	}
	d.settled = string(l.Kind) + " of " + l.Site
	switch from(t, "flaw", "", "", "", "zone", "default", "country", "prefix", "parent") {
	case "zone":
		l.TimeZone, d.bad = from(t, "zone", "Local", "Mars/Base"), true
	case "default":
		l.DefaultSite, d.bad = true, l.Kind != domain.Site
	case "country":
		l.Address, d.bad = &domain.Address{Country: from(t, "country", "", "XX")}, true
	case "prefix":
		l.GS1Prefix, d.bad = "4012345", l.Kind != domain.Site
	case "parent":
		l.Parent, d.bad = "DC9", l.Kind == domain.Site
	}
	return d
}

func drawParty(t *rapid.T) drawn[domain.Party] {
	d := drawn[domain.Party]{value: domain.Party{Code: "C-1", Name: from(t, "name", "A", "B"), Roles: []string{from(t, "role", "CUSTOMER", "SHIP_TO")}}}
	for _, code := range from(t, "addresses", []string{}, []string{"A"}, []string{"A", "B"}, []string{"A", "A"}) {
		country := from(t, "country", "US", "US", "DE", "XX")
		d.bad = d.bad || country == "XX" || slices.ContainsFunc(d.value.Addresses, func(a domain.PartyAddress) bool { return a.Code == code })
		d.value.Addresses = append(d.value.Addresses, domain.PartyAddress{Code: code, Address: domain.Address{Country: country}})
	}
	if from(t, "GLN", 0, 0, 1) > 0 {
		d.value.GLN, d.bad = "4012345000011", true
	}
	return d
}

func drawCarrier(t *rapid.T) drawn[domain.Carrier] {
	d := drawn[domain.Carrier]{value: domain.Carrier{Code: "UPSN", Name: from(t, "name", "A", "B")}}
	for _, code := range from(t, "services", []string{}, []string{"AIR"}, []string{"AIR", "GROUND"}, []string{"AIR", "AIR"}) {
		d.bad = d.bad || slices.ContainsFunc(d.value.Services, func(s domain.Service) bool { return s.Code == code })
		d.value.Services = append(d.value.Services, domain.Service{Code: code, TransitDays: from[int32](t, "days", 0, 1)})
	}
	return d
}

func drawTenant(t *rapid.T) drawn[domain.Tenant] {
	v := domain.Tenant{
		Name: from(t, "name", "A", "B"), Currency: from(t, "currency", "EUR", "JPY", "KWD", "XXX"),
		Country: from(t, "country", "DE", "US", "DD"), Zone: from(t, "zone", "Europe/Berlin", "UTC", "Local"),
	}
	return drawn[domain.Tenant]{value: v, bad: v.Currency == "XXX" || v.Country == "DD" || v.Zone == "Local"}
}
