package adapter

import (
	"context"

	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/bus"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/store"
	imv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/app"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// unitPrefix is how the id of a handling unit begins.
const unitPrefix = "hun_"

// UnitType declares handling units to the store.
func UnitType() store.Type[domain.HandlingUnit, domain.UnitFact] {
	return store.Type[domain.HandlingUnit, domain.UnitFact]{
		Name: "handling_unit", Prefix: "hun", Fold: 3,
		Evolve: domain.EvolveUnit,
		Encode: func(f domain.UnitFact) (string, []byte, error) { return protovalue.Encode(unitMessage(f)) },
		Decode: unitReaders.Decode,
		Indexes: map[string]func(domain.HandlingUnit) []string{
			app.IndexState:     func(u domain.HandlingUnit) []string { return key(string(u.Stands)) },
			app.IndexSite:      func(u domain.HandlingUnit) []string { return key(u.Keys.Site) },
			app.IndexWarehouse: func(u domain.HandlingUnit) []string { return key(u.Keys.Warehouse) },
		},
	}
}

// UnitConsumer makes handling units of what was packed, says of them that they left, and goes on
// with those that are to go into another. One consumer takes all of it, so that what happened to
// one order or unit is followed in its order.
func UnitConsumer(a *app.App) bus.Consumer {
	return bus.Routes(bus.Reactor, "units", "inventory-movement", append(unitReversals(a),
		bus.On(func(ctx context.Context, _ bus.Fact, m *imv1.CartonPacked) error {
			c, err := fromCarton(m.GetCarton())
			if err != nil {
				return err
			}
			packed := domain.CartonPacked{OrderKeys: fromOrderKeys(m.GetKeys()), Carton: c}
			v, err := a.Order(ctx, packed.ID)
			if err != nil {
				return err
			}
			return a.FollowPacked(ctx, packed, v.State.Site, v.State.Owner)
		}),
		bus.On(func(ctx context.Context, _ bus.Fact, m *imv1.GoodsIssued) error {
			cartons, err := protovalue.TryEach(m.GetCartons(), fromCarton)
			if err != nil {
				return err
			}
			return a.FollowUnitIssue(ctx, cartons, protovalue.FromTime(m.GetIssuedTime()))
		}),
		bus.On(func(ctx context.Context, _ bus.Fact, m *imv1.WarehouseOrderCancelled) error {
			return a.FollowVoid(ctx, m.GetVoidedSsccs(), m.GetReason())
		}),
		bus.On(func(ctx context.Context, _ bus.Fact, m *imv1.HandlingUnitNestRequested) error {
			return a.FollowNest(ctx, fromNestRequested(m))
		}),
		bus.On(func(ctx context.Context, _ bus.Fact, m *imv1.HandlingUnitUnnested) error {
			return a.FollowUnnest(ctx, fromUnnested(m))
		}),
		bus.On(func(ctx context.Context, _ bus.Fact, m *imv1.HandlingUnitIssued) error {
			if m.GetParentSscc() == "" {
				return nil
			}
			return a.FollowChildIssue(ctx, m.GetParentSscc(), m.GetKeys().GetSscc(), protovalue.FromTime(m.GetIssuedTime()))
		}),
	)...)
}

// unitMessage is a fact of a handling unit as it is stored and published.
func unitMessage(f domain.UnitFact) proto.Message {
	switch f := f.(type) {
	case domain.UnitCreated:
		return &imv1.HandlingUnitCreated{
			Keys: unitKeys(f.UnitKeys), Level: int32(f.Level), Packaging: packaging(f.Packaging), Content: pickedLines(f.Content),
			GrossWeightGrams: f.Told, Location: f.Location,
		}
	case domain.NestRequested:
		return &imv1.HandlingUnitNestRequested{
			Keys: unitKeys(f.UnitKeys), ParentSscc: f.Parent, Attempt: int32(f.Attempt), Level: int32(f.Level), RequestedTime: protovalue.Time(f.At),
		}
	case domain.NestRefused:
		return &imv1.HandlingUnitNestRefused{Keys: unitKeys(f.UnitKeys), ParentSscc: f.Parent, Attempt: int32(f.Attempt), Reason: f.Reason}
	case domain.UnitNested:
		return &imv1.HandlingUnitNested{Keys: unitKeys(f.UnitKeys), ChildSscc: f.Child, Attempt: int32(f.Attempt)}
	case domain.UnitUnnested:
		return &imv1.HandlingUnitUnnested{Keys: unitKeys(f.UnitKeys), ChildSscc: f.Child, Attempt: int32(f.Attempt), EventTime: protovalue.Time(f.At)}
	case domain.UnitFreed:
		return &imv1.HandlingUnitFreed{Keys: unitKeys(f.UnitKeys), ParentSscc: f.Parent, Attempt: int32(f.Attempt)}
	case domain.UnitShut:
		return &imv1.HandlingUnitClosed{Keys: unitKeys(f.UnitKeys), Location: f.Location}
	case domain.UnitReopened:
		return &imv1.HandlingUnitReopened{Keys: unitKeys(f.UnitKeys)}
	case domain.UnitVoided:
		return &imv1.HandlingUnitVoided{Keys: unitKeys(f.UnitKeys), Reason: f.Reason}
	case domain.UnitLeft:
		return &imv1.HandlingUnitIssued{Keys: unitKeys(f.UnitKeys), ParentSscc: f.Parent, IssuedTime: protovalue.Time(f.At)}
	case domain.ChildLeft:
		return &imv1.ContainedUnitIssued{Keys: unitKeys(f.UnitKeys), ChildSscc: f.Child}
	case domain.UnitWeighed:
		return &imv1.HandlingUnitWeighed{
			Keys: unitKeys(f.UnitKeys), WeightGrams: f.Weight, ExpectedWeightGrams: f.Expected, ToleranceGrams: f.Tolerance, Held: f.Held,
			Device: f.Device, EventTime: protovalue.Time(f.At),
		}
	case domain.HoldReleased:
		return &imv1.AuditHoldReleased{Keys: unitKeys(f.UnitKeys), Reason: f.Reason, ReleasedBy: f.By}
	}
	return unitReversalMessage(f)
}

// unitReaders reads every fact type that a handling unit may have.
var unitReaders = func() protovalue.Readers[domain.UnitFact] {
	rs := protovalue.Readers[domain.UnitFact]{}
	protovalue.Read(rs, func(m *imv1.HandlingUnitCreated) (domain.UnitFact, error) {
		content, err := fromPickedLines(m.GetContent())
		return domain.UnitCreated{
			UnitKeys: fromUnitKeys(m.GetKeys()), Level: int(m.GetLevel()), Packaging: fromPackaging(m.GetPackaging()), Content: content,
			Told: m.GetGrossWeightGrams(), Location: m.GetLocation(),
		}, err
	})
	protovalue.Read(rs, func(m *imv1.HandlingUnitNestRequested) (domain.UnitFact, error) { return fromNestRequested(m), nil })
	protovalue.Read(rs, func(m *imv1.HandlingUnitNestRefused) (domain.UnitFact, error) {
		return domain.NestRefused{UnitKeys: fromUnitKeys(m.GetKeys()), Parent: m.GetParentSscc(), Attempt: int(m.GetAttempt()), Reason: m.GetReason()}, nil
	})
	protovalue.Read(rs, func(m *imv1.HandlingUnitNested) (domain.UnitFact, error) {
		return domain.UnitNested{UnitKeys: fromUnitKeys(m.GetKeys()), Child: m.GetChildSscc(), Attempt: int(m.GetAttempt())}, nil
	})
	protovalue.Read(rs, func(m *imv1.HandlingUnitUnnested) (domain.UnitFact, error) { return fromUnnested(m), nil })
	protovalue.Read(rs, func(m *imv1.HandlingUnitFreed) (domain.UnitFact, error) {
		return domain.UnitFreed{UnitKeys: fromUnitKeys(m.GetKeys()), Parent: m.GetParentSscc(), Attempt: int(m.GetAttempt())}, nil
	})
	protovalue.Read(rs, func(m *imv1.HandlingUnitClosed) (domain.UnitFact, error) {
		return domain.UnitShut{UnitKeys: fromUnitKeys(m.GetKeys()), Location: m.GetLocation()}, nil
	})
	protovalue.Read(rs, func(m *imv1.HandlingUnitReopened) (domain.UnitFact, error) {
		return domain.UnitReopened{UnitKeys: fromUnitKeys(m.GetKeys())}, nil
	})
	protovalue.Read(rs, func(m *imv1.HandlingUnitVoided) (domain.UnitFact, error) {
		return domain.UnitVoided{UnitKeys: fromUnitKeys(m.GetKeys()), Reason: m.GetReason()}, nil
	})
	protovalue.Read(rs, func(m *imv1.HandlingUnitIssued) (domain.UnitFact, error) {
		return domain.UnitLeft{UnitKeys: fromUnitKeys(m.GetKeys()), Parent: m.GetParentSscc(), At: protovalue.FromTime(m.GetIssuedTime())}, nil
	})
	protovalue.Read(rs, func(m *imv1.ContainedUnitIssued) (domain.UnitFact, error) {
		return domain.ChildLeft{UnitKeys: fromUnitKeys(m.GetKeys()), Child: m.GetChildSscc()}, nil
	})
	protovalue.Read(rs, func(m *imv1.HandlingUnitWeighed) (domain.UnitFact, error) {
		return domain.UnitWeighed{UnitKeys: fromUnitKeys(m.GetKeys()), Weighing: domain.Weighing{
			Weight: m.GetWeightGrams(), Expected: m.GetExpectedWeightGrams(), Tolerance: m.GetToleranceGrams(), Held: m.GetHeld(),
			Device: m.GetDevice(), At: protovalue.FromTime(m.GetEventTime()),
		}}, nil
	})
	protovalue.Read(rs, func(m *imv1.AuditHoldReleased) (domain.UnitFact, error) {
		return domain.HoldReleased{UnitKeys: fromUnitKeys(m.GetKeys()), Reason: m.GetReason(), By: m.GetReleasedBy()}, nil
	})
	readUnitReversal(rs)
	return rs
}()

func fromNestRequested(m *imv1.HandlingUnitNestRequested) domain.NestRequested {
	return domain.NestRequested{
		UnitKeys: fromUnitKeys(m.GetKeys()), Parent: m.GetParentSscc(), Attempt: int(m.GetAttempt()), Level: int(m.GetLevel()),
		At: protovalue.FromTime(m.GetRequestedTime()),
	}
}

func fromUnnested(m *imv1.HandlingUnitUnnested) domain.UnitUnnested {
	return domain.UnitUnnested{
		UnitKeys: fromUnitKeys(m.GetKeys()), Child: m.GetChildSscc(), Attempt: int(m.GetAttempt()), At: protovalue.FromTime(m.GetEventTime()),
	}
}

func unitKeys(k domain.UnitKeys) *imv1.HandlingUnitKeys {
	return &imv1.HandlingUnitKeys{
		HandlingUnitId: k.ID, Sscc: k.SSCC, Site: k.Site, Owner: k.Owner, WarehouseOrderId: k.Warehouse, OrderId: k.Order, OrderNumber: k.OrderNumber,
	}
}

func fromUnitKeys(k *imv1.HandlingUnitKeys) domain.UnitKeys {
	return domain.UnitKeys{
		ID: k.GetHandlingUnitId(), SSCC: k.GetSscc(), Site: k.GetSite(), Owner: k.GetOwner(), Warehouse: k.GetWarehouseOrderId(),
		Order: k.GetOrderId(), OrderNumber: k.GetOrderNumber(),
	}
}

func packaging(p domain.Packaging) *imv1.Packaging {
	return &imv1.Packaging{PackageType: p.Type, TareWeightGrams: p.Tare, LengthMm: p.Length, WidthMm: p.Width, HeightMm: p.Height}
}

func fromPackaging(p *imv1.Packaging) domain.Packaging {
	return domain.Packaging{
		Type: p.GetPackageType(), Tare: p.GetTareWeightGrams(), Length: p.GetLengthMm(), Width: p.GetWidthMm(), Height: p.GetHeightMm(),
	}
}

func packagingIfAny(p *domain.Packaging) *imv1.Packaging {
	if p == nil {
		return nil
	}
	return packaging(*p)
}

func fromPackagingIfAny(p *imv1.Packaging) *domain.Packaging {
	if p == nil {
		return nil
	}
	out := fromPackaging(p)
	return &out
}
