package adapter

import (
	"context"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/bus"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	imv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	orderreleasev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	shipmentvisibilityv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/shipmentvisibility/v1"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/app"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// ReverseGoodsIssue takes back a goods issue, or cartons of it.
func (s *Server) ReverseGoodsIssue(ctx context.Context, r *imv1.ReverseGoodsIssueRequest) (*imv1.ReverseGoodsIssueResponse, error) {
	sel := domain.Selection{Cartons: r.GetSsccs(), Lines: protovalue.Each(r.GetLineNumbers(), func(n int32) int { return int(n) })}
	receipt, reversal, err := s.App.ReverseIssue(ctx, r.GetWarehouseOrderId(), sel, r.GetReason(), time.Duration(r.GetWaitMs())*time.Millisecond)
	if err != nil {
		return nil, err
	}
	return &imv1.ReverseGoodsIssueResponse{Receipt: guard.Receipt(ctx, receipt), Reversal: goodsIssueReversal(reversal)}, nil
}

// goodsIssueReversal renders the last reversal of an order; nil for none.
func goodsIssueReversal(r domain.Reversal) *imv1.GoodsIssueReversal {
	if r.Attempt == 0 {
		return nil
	}
	return &imv1.GoodsIssueReversal{
		Attempt: int32(r.Attempt), State: imv1.ReversalState(imv1.ReversalState_value["REVERSAL_STATE_"+string(r.State)]), Ssccs: r.Cartons,
		Reason: r.Reason, RefusedReason: r.Refused, EventTime: protovalue.Time(r.At),
	}
}

func reversalParty(p domain.ReversalParty) imv1.ReversalParty {
	return imv1.ReversalParty(imv1.ReversalParty_value["REVERSAL_PARTY_"+string(p)])
}

func fromReversalParty(p imv1.ReversalParty) domain.ReversalParty {
	return domain.ReversalParty(protovalue.Name(p, "REVERSAL_PARTY_"))
}

// ReversalConsumers take what orders and shipments say to reversals of goods issues.
func ReversalConsumers(a *app.App) []bus.Consumer {
	return []bus.Consumer{
		bus.Routes(bus.Reactor, "reversal-order", "order-release",
			bus.On(func(ctx context.Context, _ bus.Fact, m *orderreleasev1.IssueReversalAllowed) error {
				return a.AnswerReversal(ctx, m.GetWarehouseOrderId(), int(m.GetAttempt()), domain.PartyOrder, "")
			}),
			bus.On(func(ctx context.Context, _ bus.Fact, m *orderreleasev1.IssueReversalDenied) error {
				return a.AnswerReversal(ctx, m.GetWarehouseOrderId(), int(m.GetAttempt()), domain.PartyOrder, m.GetReason())
			}),
		),
		bus.Routes(bus.Reactor, "reversal-shipment", "shipment-visibility",
			bus.On(func(ctx context.Context, _ bus.Fact, m *shipmentvisibilityv1.ShipmentReversalAllowed) error {
				return a.AnswerReversal(ctx, m.GetWarehouseOrderId(), int(m.GetAttempt()), domain.PartyShipment, "")
			}),
			bus.On(func(ctx context.Context, _ bus.Fact, m *shipmentvisibilityv1.ShipmentReversalDenied) error {
				return a.AnswerReversal(ctx, m.GetWarehouseOrderId(), int(m.GetAttempt()), domain.PartyShipment, m.GetReason())
			}),
		),
	}
}

// onReversed books what is back.
func onReversed(a *app.App) bus.Route {
	return bus.On(func(ctx context.Context, _ bus.Fact, m *imv1.GoodsIssueReversed) error {
		return report(ctx, m, protovalue.FromTime(m.GetEventTime()), a.FollowReversal)
	})
}

// unitReversals say of handling units that they are back, and of those that they are in.
func unitReversals(a *app.App) []bus.Route {
	return []bus.Route{
		bus.On(func(ctx context.Context, _ bus.Fact, m *imv1.GoodsIssueReversed) error {
			cartons, err := protovalue.TryEach(m.GetCartons(), fromCarton)
			if err != nil {
				return err
			}
			return a.FollowUnitReversal(ctx, cartons, protovalue.FromTime(m.GetEventTime()))
		}),
		bus.On(func(ctx context.Context, _ bus.Fact, m *imv1.HandlingUnitIssueReversed) error {
			if m.GetParentSscc() == "" {
				return nil
			}
			return a.FollowChildReversal(ctx, m.GetParentSscc(), m.GetKeys().GetSscc(), protovalue.FromTime(m.GetEventTime()))
		}),
		bus.On(func(ctx context.Context, _ bus.Fact, m *imv1.WarehouseOrderRestCancelled) error {
			return a.FollowVoid(ctx, m.GetVoidedSsccs(), m.GetReason())
		}),
	}
}

// reversalMessage is a fact of a goods issue that is reversed, as it is stored and published.
func reversalMessage(f domain.OrderFact) proto.Message {
	switch f := f.(type) {
	case domain.ReversalRequested:
		return &imv1.GoodsIssueReversalRequested{
			Keys: orderKeys(f.OrderKeys), Attempt: int32(f.Attempt), Ssccs: f.Cartons, Lines: pickedLines(f.Lines), Reason: f.Reason,
			EventTime: protovalue.Time(f.At),
		}
	case domain.ReversalAgreed:
		return &imv1.GoodsIssueReversalAgreed{Keys: orderKeys(f.OrderKeys), Attempt: int32(f.Attempt), Party: reversalParty(f.Party)}
	case domain.ReversalDenied:
		return &imv1.GoodsIssueReversalRefused{
			Keys: orderKeys(f.OrderKeys), Attempt: int32(f.Attempt), Party: reversalParty(f.Party), Reason: f.Reason,
		}
	case domain.IssueReversed:
		return &imv1.GoodsIssueReversed{
			Keys: orderKeys(f.OrderKeys), Attempt: int32(f.Attempt), Lines: pickedLines(f.Lines), Cartons: protovalue.Each(f.Cartons, carton),
			ReversalOf: protovalue.Each(f.Of, func(n int) int32 { return int32(n) }), Reason: f.Reason, EventTime: protovalue.Time(f.At),
			Site: f.Site, Owner: f.Owner,
		}
	case domain.RestCancelled:
		return &imv1.WarehouseOrderRestCancelled{
			Keys: orderKeys(f.OrderKeys), Reason: f.Reason, PutBack: pickedLines(f.PutBack), VoidedSsccs: f.Voided,
		}
	}
	return nil
}

// readReversal reads the facts of goods issues that are reversed.
func readReversal(rs protovalue.Readers[domain.OrderFact]) {
	protovalue.Read(rs, func(m *imv1.GoodsIssueReversalRequested) (domain.OrderFact, error) {
		lines, err := fromPickedLines(m.GetLines())
		return domain.ReversalRequested{
			OrderKeys: fromOrderKeys(m.GetKeys()), Attempt: int(m.GetAttempt()), Cartons: m.GetSsccs(), Lines: lines, Reason: m.GetReason(),
			At: protovalue.FromTime(m.GetEventTime()),
		}, err
	})
	protovalue.Read(rs, func(m *imv1.GoodsIssueReversalAgreed) (domain.OrderFact, error) {
		return domain.ReversalAgreed{OrderKeys: fromOrderKeys(m.GetKeys()), Attempt: int(m.GetAttempt()), Party: fromReversalParty(m.GetParty())}, nil
	})
	protovalue.Read(rs, func(m *imv1.GoodsIssueReversalRefused) (domain.OrderFact, error) {
		return domain.ReversalDenied{
			OrderKeys: fromOrderKeys(m.GetKeys()), Attempt: int(m.GetAttempt()), Party: fromReversalParty(m.GetParty()), Reason: m.GetReason(),
		}, nil
	})
	protovalue.Read(rs, func(m *imv1.GoodsIssueReversed) (domain.OrderFact, error) {
		f := domain.IssueReversed{
			OrderKeys: fromOrderKeys(m.GetKeys()), Attempt: int(m.GetAttempt()), Site: m.GetSite(), Owner: m.GetOwner(), Reason: m.GetReason(),
			Of: protovalue.Each(m.GetReversalOf(), func(n int32) int { return int(n) }), At: protovalue.FromTime(m.GetEventTime()),
		}
		var err error
		if f.Lines, err = fromPickedLines(m.GetLines()); err != nil {
			return nil, err
		}
		f.Cartons, err = protovalue.TryEach(m.GetCartons(), fromCarton)
		return f, err
	})
	protovalue.Read(rs, func(m *imv1.WarehouseOrderRestCancelled) (domain.OrderFact, error) {
		lines, err := fromPickedLines(m.GetPutBack())
		return domain.RestCancelled{OrderKeys: fromOrderKeys(m.GetKeys()), Reason: m.GetReason(), PutBack: lines, Voided: m.GetVoidedSsccs()}, err
	})
}

// unitReversalMessage is a fact of a handling unit that is back, as it is stored and published.
func unitReversalMessage(f domain.UnitFact) proto.Message {
	switch f := f.(type) {
	case domain.UnitCameBack:
		return &imv1.HandlingUnitIssueReversed{Keys: unitKeys(f.UnitKeys), ParentSscc: f.Parent, EventTime: protovalue.Time(f.At)}
	case domain.ChildCameBack:
		return &imv1.ContainedUnitIssueReversed{Keys: unitKeys(f.UnitKeys), ChildSscc: f.Child}
	}
	return nil
}

// readUnitReversal reads the facts of handling units that are back.
func readUnitReversal(rs protovalue.Readers[domain.UnitFact]) {
	protovalue.Read(rs, func(m *imv1.HandlingUnitIssueReversed) (domain.UnitFact, error) {
		return domain.UnitCameBack{UnitKeys: fromUnitKeys(m.GetKeys()), Parent: m.GetParentSscc(), At: protovalue.FromTime(m.GetEventTime())}, nil
	})
	protovalue.Read(rs, func(m *imv1.ContainedUnitIssueReversed) (domain.UnitFact, error) {
		return domain.ChildCameBack{UnitKeys: fromUnitKeys(m.GetKeys()), Child: m.GetChildSscc()}, nil
	})
}
