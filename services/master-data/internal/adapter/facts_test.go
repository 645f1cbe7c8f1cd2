package adapter

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-logistics/lockstep/libs/authority"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	"github.com/lockstep-logistics/lockstep/libs/store"
	mdv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
	"github.com/lockstep-logistics/lockstep/services/master-data/internal/domain"
)

// roundTrip holds a fact's message to the fact: what is stored and published says all of it.
func roundTrip[V domain.Value](t *testing.T, typ store.Type[domain.Record[V], domain.Fact[V]], want domain.Fact[V]) {
	t.Helper()
	name, data, err := typ.Encode(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := typ.Decode(name, data)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
	exported, err := typ.Export(want.ID, domain.Evolve(domain.Record[V]{}, want))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, exported); diff != "" {
		t.Errorf("export of %s (-want +got):\n%s", name, diff)
	}
	if _, err := typ.Decode("lockstep.masterdata.v1.NoSuchFact", data); err == nil {
		t.Error("an unknown fact was decoded")
	}
}

func bothWays[V domain.Value](t *testing.T, prefix string, w wire[V], values ...V) {
	t.Helper()
	typ := recordType(prefix, prefix, w, nil)
	for _, v := range values {
		roundTrip(t, typ, domain.Fact[V]{ID: prefix + "_1", Value: v})
		if len(w.empty) > 1 {
			roundTrip(t, typ, domain.Fact[V]{ID: prefix + "_1", Retired: true, Value: v})
		}
		if _, ok := any(v).(domain.Owned[V]); ok {
			roundTrip(t, typ, domain.Fact[V]{ID: prefix + "_1", Value: v, Observed: said})
			roundTrip(t, typ, domain.Fact[V]{ID: prefix + "_1", Retired: true, Value: v, Observed: said})
		}
	}
}

func TestFactsSayAll(t *testing.T) {
	address := domain.Address{Name: "Dock 4", Lines: []string{"Am Kai 1", "Halle 3"}, City: "Hamburg", Region: "HH", PostalCode: "20457", Country: "DE"}
	bothWays(t, "itm", itemWire, domain.Item{}, domain.Item{
		SKU: "TEA-500", Name: "Tea", BaseUnit: "EA", BaseWeight: quantity.MustParse("512.5"), Base: domain.Dimensions{Length: 1, Width: 2, Height: 3},
		Packagings:  []domain.Packaging{{Unit: "CS", Ratio: quantity.Ratio{Num: 12, Den: 1}, GrossWeight: 6500, Dimensions: domain.Dimensions{Length: 4}}, {Unit: "PL", Ratio: quantity.Ratio{Num: 3, Den: 7}}},
		Identifiers: []domain.Identifier{{Type: domain.GTIN, Value: "4006381333931", Unit: "CS"}, {Type: "CUSTOMER", Value: "K-77", Party: "C-1"}, {Type: "SUPPLIER", Value: "S"}},
		Tracking:    domain.Tracking{Lot: true, Serial: true, Expiry: true, ShelfLifeDays: 300, MinRemainingDays: 30},
		Hazmat:      &domain.Hazmat{UNNumber: "1950", Class: "2.1", PackingGroup: "II"}, CustomsCode: "090210", Origin: "CN",
	})
	bothWays(t, "pty", partyWire, domain.Party{}, domain.Party{
		Code: "C-1", Name: "Buyer", Roles: []string{"CUSTOMER", "SHIP_TO", "BILL_TO", "SUPPLIER", "CARRIER", "LOGISTICS_PROVIDER"}, GLN: "4012345000009",
		Addresses: []domain.PartyAddress{{Code: "MAIN", Address: address, GLN: "4012345000016", Zone: "Europe/Berlin"}},
	})
	for _, kind := range []domain.Kind{domain.Site, domain.Zone, domain.Bin, domain.Dock} {
		bothWays(t, "loc", locationWire, domain.Location{
			Code: "DC1", Name: "Hamburg", Kind: kind, Parent: "P", Site: "S", TimeZone: "Europe/Berlin", UNLocode: "DEHAM",
			Address: &address, GLN: "4012345000009", DefaultSite: true, GS1Prefix: "4012345", Latitude: "53.5436", Longitude: "-9.9886",
		}, domain.Location{Kind: kind})
	}
	var services []domain.Service
	for _, mode := range []string{"PARCEL", "LESS_THAN_TRUCKLOAD", "FULL_TRUCKLOAD", "AIR", "OCEAN", "RAIL", "COURIER"} {
		services = append(services, domain.Service{Code: mode, Name: "by " + mode, Mode: mode, TransitDays: 3})
	}
	bothWays(t, "car", carrierWire, domain.Carrier{}, domain.Carrier{Code: "UPSN", Name: "UPS", Party: "P-1", Services: services})
	bothWays(t, "tnt", tenantWire, domain.Tenant{}, domain.Tenant{Name: "Acme", Currency: "EUR", Country: "DE", Zone: "Europe/Berlin"})
	var rules []domain.OwnershipRule
	for _, r := range []authority.Rule{authority.Refuse, authority.Observe, authority.Accept} {
		rules = append(rules, domain.OwnershipRule{Subject: "*", Owner: "erp", Rule: r})
	}
	for n := range len(mdv1.ObjectType_name) {
		if n > 0 {
			kind := objectType(mdv1.ObjectType(n))
			bothWays(t, "own", ownershipWire, domain.Ownership{Type: kind}, domain.Ownership{Type: kind, Rules: rules, Version: 7})
		}
	}
	var meanings []domain.Meaning
	for _, d := range []domain.Direction{domain.Inbound, domain.Outbound, domain.Both} {
		meanings = append(meanings, domain.Meaning{Object: "TEA", Direction: d, From: noon, To: noon.Add(time.Hour)}, domain.Meaning{Object: "CUP", Direction: d})
	}
	bothWays(t, "xrf", referenceWire, domain.CrossReference{}, domain.CrossReference{System: "erp", Type: "ITEM", External: "4711", Meanings: meanings})
	bothWays(t, "cal", calendarWire, domain.Calendar{}, domain.Calendar{
		Code: "DC1", Name: "Hamburg", Zone: "Europe/Berlin", Week: []domain.WeekdayHours{{Weekday: 7, Hours: []domain.Hours{{Open: 1, Close: 1440}}}},
		Exceptions: []domain.Exception{{Date: "2026-12-25", Name: "Christmas"}, {Date: "2026-12-24", Hours: []domain.Hours{{Open: 60, Close: 1439}}}},
	})
	for _, state := range []domain.ChangeState{domain.Proposed, domain.Approved, domain.Rejected, domain.Applied, domain.Failed} {
		c := domain.Change{
			Code: "CR-1", State: state, Effective: noon, Note: "renamed", Proposer: "ann", Proposed: noon, Decider: "bob", Decided: noon, Applied: noon, Reason: "so",
		}
		i, p, l, r := c, c, c, c
		i.Item, p.Party, l.Location, r.Carrier = &domain.Item{SKU: "TEA"}, &domain.Party{Code: "C-1"}, &domain.Location{Code: "DC1"}, &domain.Carrier{Code: "UPSN"}
		bothWays(t, "chg", changeWire, i, p, l, r)
	}
	bothWays(t, "cdl", codeListWire, domain.CodeList{}, domain.CodeList{
		Code: "X12-355", Standard: "ANSI ASC X12", Name: "Units", Version: "004010",
		Entries: []domain.CodeEntry{{Code: "ZZ", Canonical: "EA", Meaning: "any", From: noon, To: noon.Add(time.Hour)}, {Code: "YY"}},
	})
	for _, k := range []domain.APIKey{{}, {Revoked: noon, RevokedBy: "bob"}} {
		k.Name, k.Prefix, k.Roles, k.Party, k.Systems = "wms", "lockstep.acme.key_1", []string{"LOGISTICS", "PARTNER"}, "C-1", []string{"wms"}
		k.Expires, k.Salt, k.Hash, k.By, k.Created, k.Used = noon, []byte("salt"), []byte("hash"), "ann", noon, noon
		bothWays(t, "key", apiKeyWire, k)
	}
	bothWays(t, "cut", cutOffWire, domain.CutOff{}, domain.CutOff{
		Site: "DC1", Carrier: "UPSN", Service: "GROUND", Calendar: "DC1", Zone: "Europe/Berlin", Times: []domain.CutOffTime{{Weekday: 1, Minute: 1439, Lead: 10080}},
	})
}
