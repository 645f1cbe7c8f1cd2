package adapter

import (
	"reflect"
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	imv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

func unitFacts() []domain.UnitFact {
	keys := domain.UnitKeys{ID: "hun_a", SSCC: box.SSCC, Site: "DC1", Owner: "OWN", Warehouse: "who_a", Order: "ord_a", OrderNumber: "SO-1"}
	const other = "340123450000000024"
	return []domain.UnitFact{
		domain.UnitCreated{
			UnitKeys: keys, Level: 2, Packaging: domain.Packaging{Type: "PX", Tare: 20_000, Length: 1200, Width: 800, Height: 144},
			Content: box.Lines, Told: 900, Location: "B-1",
		},
		domain.NestRequested{UnitKeys: keys, Parent: other, Attempt: 1, Level: 2, At: at},
		domain.NestRefused{UnitKeys: keys, Parent: other, Attempt: 1, Reason: "HANDLING_UNIT_STATE"},
		domain.NestRequested{UnitKeys: keys, Parent: other, Attempt: 2, Level: 2, At: at},
		domain.UnitFreed{UnitKeys: keys, Parent: other, Attempt: 2},
		domain.UnitNested{UnitKeys: keys, Child: "340123450000000031", Attempt: 1},
		domain.UnitNested{UnitKeys: keys, Child: "340123450000000048", Attempt: 3},
		domain.UnitUnnested{UnitKeys: keys, Child: "340123450000000048", Attempt: 3, At: at},
		domain.UnitShut{UnitKeys: keys, Location: "D-1"},
		domain.UnitReopened{UnitKeys: keys},
		domain.UnitWeighed{UnitKeys: keys, Weighing: domain.Weighing{Weight: 21_000, Expected: 22_000, Tolerance: 500, Held: true, Device: "SCALE-1", At: at}},
		domain.HoldReleased{UnitKeys: keys, Reason: "SEEN", By: "boss"},
		domain.ChildLeft{UnitKeys: keys, Child: "340123450000000031"},
		domain.UnitLeft{UnitKeys: keys, Parent: other, At: at},
		domain.UnitVoided{UnitKeys: keys, Reason: "BROKEN"},
	}
}

// packagedFacts are those of an order of which it is known how it is packed.
func packagedFacts() []domain.OrderFact {
	c := box
	c.Packaging = &domain.Packaging{Type: "CT", Tare: 100, Length: 300, Width: 200, Height: 150}
	return []domain.OrderFact{
		domain.CartonPacked{OrderKeys: keys, Carton: c},
		domain.GoodsIssued{OrderKeys: keys, Site: "DC1", Owner: "OWN", Lines: lines, Cartons: []domain.Carton{c}, Weight: 1250, At: at},
	}
}

func packingFacts() []domain.PackingFact {
	s := domain.CartonType{Code: "S", Length: 200, Width: 150, Height: 100, Tare: 60, MaxGross: 5000, MaxFill: 90, Package: "CT"}
	l := s
	l.Code = "L"
	return []domain.PackingFact{
		domain.CartonTypeDefined{Site: "DC1", Type: s},
		domain.CartonTypeDefined{Site: "DC1", Type: l},
		domain.CartonTypeRetired{Site: "DC1", Code: "S"},
		domain.ToleranceSet{Site: "DC1", Tolerance: domain.Tolerance{Grams: 20, Percent: "2.5"}},
	}
}

// Every published message that has the keys of a handling unit can be read back.
func TestEveryUnitFactIsRead(t *testing.T) {
	messages := imv1.File_lockstep_inventorymovement_v1_handling_unit_events_proto.Messages()
	for i := range messages.Len() {
		m := messages.Get(i)
		if _, read := unitReaders[string(m.FullName())]; m.Fields().ByName("keys") != nil && !read {
			t.Errorf("%s cannot be read", m.FullName())
		}
	}
}

func TestNamesOfUnitValues(t *testing.T) {
	for _, s := range []domain.UnitState{domain.UnitOpen, domain.UnitClosed, domain.UnitVoid, domain.UnitIssued} {
		known(t, unitState(s), string(s))
	}
	for _, r := range []string{"DIMENSIONS_UNKNOWN", "WEIGHT_UNKNOWN", "NO_CARTON_FITS", "NOT_PIECES"} {
		known(t, imv1.UnplannedReason(imv1.UnplannedReason_value["UNPLANNED_REASON_"+r]), r)
	}
}

// TestClaimsOfUnits: an SSCC is a warehouse order's or a unit's, and comes back as what it was.
func TestClaimsOfUnits(t *testing.T) {
	for _, f := range []domain.SSCCClaimed{{SSCC: box.SSCC, Order: "who_a"}, {SSCC: box.SSCC, Order: "hun_a"}} {
		name, data, err := protovalue.Encode(ssccMessage(f))
		if err != nil {
			t.Fatal(err)
		}
		if back, err := ssccReaders.Decode(name, data); err != nil || back != f {
			t.Errorf("%v comes back as %v, %v", f, back, err)
		}
	}
}

func TestUnitFactsSurviveTheStore(t *testing.T) {
	survive(t, append(unitFacts(), reversedUnits()...), unitMessage, unitReaders)
	survive(t, packingFacts(), packingMessage, packingReaders)
	for _, f := range packagedFacts() {
		name, data, err := protovalue.Encode(orderMessage(f))
		if err != nil {
			t.Fatal(err)
		}
		if back, err := orderReaders.Decode(name, data); err != nil || !reflect.DeepEqual(back, f) {
			t.Errorf("%+v comes back as %+v, %v", f, back, err)
		}
	}
}
