package adapter

import (
	"fmt"
	"testing"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/quantity"
	"github.com/lockstep-logistics/lockstep/libs/store/storetest"
	"github.com/lockstep-logistics/lockstep/services/master-data/internal/domain"
)

// TestFactsCorpus folds facts of every type ever released to the states that they always made.
func TestFactsCorpus(t *testing.T) {
	dock := domain.Address{Name: "Dock 4", Lines: []string{"Am Kai 1", "Halle 3"}, City: "Hamburg", Region: "HH", PostalCode: "20457", Country: "DE"}
	holdCorpus(t, "item", itemWire, domain.Item{
		SKU: "TEA-500", Name: "Tea", BaseUnit: "EA", BaseWeight: quantity.MustParse("512.5"), Base: domain.Dimensions{Length: 1, Width: 2, Height: 3},
		Packagings:  []domain.Packaging{{Unit: "CS", Ratio: quantity.Ratio{Num: 12, Den: 1}, GrossWeight: 6500, Dimensions: domain.Dimensions{Length: 4, Width: 5, Height: 6}}},
		Identifiers: []domain.Identifier{{Type: domain.GTIN, Value: "4006381333931", Unit: "CS"}, {Type: "CUSTOMER", Value: "K-77", Party: "C-1"}},
		Tracking:    domain.Tracking{Lot: true, Serial: true, Expiry: true, ShelfLifeDays: 300, MinRemainingDays: 30},
		Hazmat:      &domain.Hazmat{UNNumber: "1950", Class: "2.1", PackingGroup: "II"}, CustomsCode: "090210", Origin: "CN",
	})
	holdCorpus(t, "party", partyWire, domain.Party{
		Code: "C-1", Name: "Buyer", Roles: []string{"CUSTOMER", "SHIP_TO"}, GLN: "4012345000009",
		Addresses: []domain.PartyAddress{{Code: "MAIN", Address: dock, GLN: "4012345000016", Zone: "Europe/Berlin"}},
	})
	holdCorpus(t, "location", locationWire, domain.Location{
		Code: "DC1", Name: "Hamburg", Kind: domain.Site, Parent: "P", Site: "S", TimeZone: "Europe/Berlin", UNLocode: "DEHAM",
		Address: &dock, GLN: "4012345000009", DefaultSite: true, GS1Prefix: "4012345",
	}, domain.Location{Code: "DC1", Kind: domain.Site, Site: "S", Latitude: "53.5436", Longitude: "-9.9886"})
	holdCorpus(t, "carrier", carrierWire, domain.Carrier{
		Code: "UPSN", Name: "UPS", Party: "P-1", Services: []domain.Service{{Code: "GROUND", Name: "by road", Mode: "PARCEL", TransitDays: 3}},
	})
	holdCorpus(t, "tenant", tenantWire, domain.Tenant{Name: "Acme", Currency: "EUR", Country: "DE", Zone: "Europe/Berlin"})
	holdCorpus(t, "ownership", ownershipWire, domain.Ownership{
		Type: "ITEM", Version: 2, Rules: []domain.OwnershipRule{{Subject: "*", Owner: "erp", Rule: "OBSERVE"}, {Subject: "PutItem", Owner: "wms", Rule: "REFUSE"}},
	})
	holdCorpus(t, "cross_reference", referenceWire, domain.CrossReference{
		System: "erp", Type: "ITEM", External: "4711", Meanings: []domain.Meaning{
			{Object: "TEA-500", Direction: domain.Both, To: noon}, {Object: "TEA-501", Direction: domain.Inbound, From: noon},
		},
	})
	holdCorpus(t, "calendar", calendarWire, domain.Calendar{
		Code: "DC1", Name: "Hamburg", Zone: "Europe/Berlin",
		Week:       []domain.WeekdayHours{{Weekday: 1, Hours: []domain.Hours{{Open: 480, Close: 720}, {Open: 780, Close: 1440}}}},
		Exceptions: []domain.Exception{{Date: "2026-12-24", Name: "Christmas Eve", Hours: []domain.Hours{{Open: 480, Close: 720}}}, {Date: "2026-12-25"}},
	})
	holdCorpus(t, "change", changeWire, domain.Change{
		Code: "CR-1", State: domain.Failed, Carrier: &domain.Carrier{Code: "UPSN", Name: "UPS"}, Effective: noon, Note: "renamed", Proposer: "ann", Proposed: noon,
		Decider: "bob", Decided: noon, Applied: noon, Reason: "NOT_FOUND: gone",
	})
	holdCorpus(t, "code_list", codeListWire, domain.CodeList{
		Code: "X12-355", Standard: "ANSI ASC X12", Name: "Units", Version: "004010",
		Entries: []domain.CodeEntry{{Code: "ZZ", Canonical: "EA", Meaning: "mutually defined", From: noon, To: noon.Add(time.Hour)}},
	})
	holdCorpus(t, "api_key", apiKeyWire, domain.APIKey{
		Name: "wms", Prefix: "lockstep.acme.key_1", Roles: []string{"LOGISTICS", "CUSTOMER"}, Party: "C-1", Systems: []string{"wms", "tms"}, Expires: noon, Salt: []byte("salt"),
		Hash: []byte("hash"), By: "ann", Created: noon, RevokedBy: "bob", Revoked: noon, Used: noon,
	})
	holdCorpus(t, "cut_off", cutOffWire, domain.CutOff{
		Site: "DC1", Carrier: "UPSN", Service: "GROUND", Calendar: "DC1", Zone: "Europe/Berlin", Times: []domain.CutOffTime{{Weekday: 7, Minute: 1020, Lead: 90}},
	})
}

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// said is an observation of which every field is set.
var said = []domain.Observation{{
	Field: "name", System: "wms", Owner: "erp", Rule: "OBSERVE", Said: "Tee", Held: "Tea", Time: noon, Message: "M-1",
}}

// holdCorpus declares two records of which every field is set: one defined, one retired; and
// more with the fields that came later, each in a history of its own.
func holdCorpus[V domain.Value](t *testing.T, name string, w wire[V], value V, more ...V) {
	t.Run(name, func(t *testing.T) {
		c := storetest.Corpus[domain.Record[V], domain.Fact[V]]{
			Type: recordType(name, name, w, nil), File: "../../testdata/facts/" + name + ".jsonl",
			Histories: []storetest.History[domain.Fact[V]]{{Name: "every field", Facts: []domain.Fact[V]{{ID: name + "_1", Value: value}}}},
		}
		for n, v := range more {
			c.Histories = append(c.Histories, storetest.History[domain.Fact[V]]{Name: fmt.Sprintf("more fields %d", n+1), Facts: []domain.Fact[V]{{ID: name + "_1", Value: v}}})
		}
		for _, m := range w.empty {
			c.Known = append(c.Known, string(m.ProtoReflect().Descriptor().FullName()))
		}
		if len(w.empty) > 1 {
			c.Histories = append(c.Histories, storetest.History[domain.Fact[V]]{
				Name: "retired", Facts: []domain.Fact[V]{{ID: name + "_1", Value: value}, {ID: name + "_1", Retired: true, Value: value}},
			})
		}
		if _, ok := any(value).(domain.Owned[V]); ok {
			c.Histories = append(c.Histories, storetest.History[domain.Fact[V]]{
				Name: "observed", Facts: []domain.Fact[V]{{ID: name + "_1", Value: value, Observed: said}, {ID: name + "_1", Retired: true, Value: value, Observed: said}},
			})
		}
		c.Check(t)
	})
}
