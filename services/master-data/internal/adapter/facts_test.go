package adapter

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-logistics/lockstep/libs/quantity"
	"github.com/lockstep-logistics/lockstep/libs/store"
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
			Address: &address, GLN: "4012345000009", DefaultSite: true, GS1Prefix: "4012345",
		}, domain.Location{Kind: kind})
	}
	var services []domain.Service
	for _, mode := range []string{"PARCEL", "LESS_THAN_TRUCKLOAD", "FULL_TRUCKLOAD", "AIR", "OCEAN", "RAIL", "COURIER"} {
		services = append(services, domain.Service{Code: mode, Name: "by " + mode, Mode: mode, TransitDays: 3})
	}
	bothWays(t, "car", carrierWire, domain.Carrier{}, domain.Carrier{Code: "UPSN", Name: "UPS", Party: "P-1", Services: services})
	bothWays(t, "tnt", tenantWire, domain.Tenant{}, domain.Tenant{Name: "Acme", Currency: "EUR", Country: "DE", Zone: "Europe/Berlin"})
}
