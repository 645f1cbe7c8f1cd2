package adapter

import (
	"context"

	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/bus"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	"github.com/lockstep-logistics/lockstep/libs/store"
	imv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/app"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// InboundType declares inbound deliveries to the store.
func InboundType() store.Type[domain.Inbound, domain.InboundFact] {
	return store.Type[domain.Inbound, domain.InboundFact]{
		Name: "inbound_delivery", Prefix: "asn", Fold: 3,
		Evolve: domain.EvolveInbound,
		Encode: func(f domain.InboundFact) (string, []byte, error) { return protovalue.Encode(inboundMessage(f)) },
		Decode: inboundReaders.Decode,
		Indexes: map[string]func(domain.Inbound) []string{
			app.IndexState:    func(d domain.Inbound) []string { return key(string(d.State())) },
			app.IndexSite:     func(d domain.Inbound) []string { return key(d.Keys.Site) },
			app.IndexASN:      func(d domain.Inbound) []string { return key(d.Keys.ASN) },
			app.IndexSupplier: func(d domain.Inbound) []string { return key(d.Keys.Supplier) },
			app.IndexNames:    app.InboundNames,
			app.IndexPutaway:  app.PutawayNames,
		},
	}
}

// InboundConsumer carries what happened to inbound deliveries into stock. One consumer takes
// all of it, so that what happened to one delivery is booked in its order.
func InboundConsumer(a *app.Inbound) bus.Consumer {
	return bus.Routes(bus.Reactor, "inbound", "inventory-movement",
		bus.On(func(ctx context.Context, _ bus.Fact, m *imv1.AsnRegistered) error {
			f, err := fromAsnRegistered(m)
			if err != nil {
				return err
			}
			return a.FollowAnnounced(ctx, f)
		}),
		bus.On(func(ctx context.Context, _ bus.Fact, m *imv1.DeliveryRescheduled) error {
			return a.FollowRescheduled(ctx, fromRescheduled(m))
		}),
		bus.On(func(ctx context.Context, _ bus.Fact, m *imv1.DeliveryArrived) error {
			return a.FollowArrived(ctx, fromArrived(m))
		}),
		bus.On(func(ctx context.Context, _ bus.Fact, m *imv1.InboundRemainderCancelled) error {
			f, err := fromRemainderCancelled(m)
			if err != nil {
				return err
			}
			return a.FollowCancelled(ctx, f)
		}),
		bus.On(func(ctx context.Context, _ bus.Fact, m *imv1.GoodsReceived) error {
			f, err := fromGoodsReceived(m)
			if err != nil {
				return err
			}
			if err := a.FollowReceipt(ctx, f); err != nil {
				return err
			}
			_, err = a.Propose(ctx, f.ID)
			return err
		}),
		bus.On(func(ctx context.Context, _ bus.Fact, m *imv1.InspectionRecorded) error {
			return followMoves(ctx, a, m, domain.StatusChange)
		}),
		bus.On(func(ctx context.Context, _ bus.Fact, m *imv1.OverReceiptResolved) error {
			if m.GetDecision() == imv1.OverReceiptDecision_OVER_RECEIPT_DECISION_RETURN {
				return followMoves(ctx, a, m, domain.SupplierReturn)
			}
			return followMoves(ctx, a, m, domain.StatusChange)
		}),
		bus.On(func(ctx context.Context, _ bus.Fact, m *imv1.PutawayConfirmed) error {
			return followMoves(ctx, a, m, domain.PutAway)
		}),
	)
}

func followMoves(ctx context.Context, a *app.Inbound, m movedInbound, kind domain.MovementType) error {
	moves, err := protovalue.TryEach(m.GetMoves(), fromInboundMove)
	if err != nil {
		return err
	}
	keys := fromInboundKeys(m.GetKeys())
	if err := a.FollowMoves(ctx, keys, moves, kind, protovalue.FromTime(m.GetEventTime())); err != nil {
		return err
	}
	if err := a.Settle(ctx, keys, moves, kind == domain.PutAway); err != nil {
		return err
	}
	_, err = a.Propose(ctx, keys.ID)
	return err
}

// inboundMessage is a fact of an inbound delivery as it is stored and published.
func inboundMessage(f domain.InboundFact) proto.Message {
	switch f := f.(type) {
	case domain.AsnRegistered:
		return &imv1.AsnRegistered{
			Keys: inboundKeys(f.InboundKeys), Lines: protovalue.Each(f.Lines, announcedLine), Units: protovalue.Each(f.Units, inboundUnit),
			ExpectedTime: protovalue.Time(f.Expected),
		}
	case domain.DeliveryArrived:
		return &imv1.DeliveryArrived{Keys: inboundKeys(f.InboundKeys), Dock: f.Dock, EventTime: protovalue.Time(f.At)}
	case domain.DeliveryRescheduled:
		return &imv1.DeliveryRescheduled{
			Keys: inboundKeys(f.InboundKeys), BeforeTime: protovalue.Time(f.Before), ExpectedTime: protovalue.Time(f.Expected), Reason: f.Reason,
		}
	case domain.GoodsReceived:
		return &imv1.GoodsReceived{
			Keys: inboundKeys(f.InboundKeys), Parts: protovalue.Each(f.Parts, receivedPart), MessageMark: f.Message,
			EventTime: protovalue.Time(f.At), Source: guard.SourceProto(f.Source),
		}
	case domain.DiscrepancyFound:
		return &imv1.ReceiptDiscrepancyFound{
			Keys: inboundKeys(f.InboundKeys), LineNumber: int32(f.Line), Sku: f.SKU, Type: discrepancy(f.Type), Quantity: amount(f.Quantity, f.Unit),
		}
	case domain.RemainderCancelled:
		return &imv1.InboundRemainderCancelled{
			Keys: inboundKeys(f.InboundKeys), Reason: f.Reason,
			Lines: protovalue.Each(f.Lines, func(c domain.UnitContent) *imv1.InboundLineQuantity {
				return &imv1.InboundLineQuantity{LineNumber: int32(c.Line), Quantity: amount(c.Quantity, c.Unit)}
			}),
		}
	case domain.InspectionRecorded:
		return &imv1.InspectionRecorded{Keys: inboundKeys(f.InboundKeys), Moves: protovalue.Each(f.Moves, inboundMove), EventTime: protovalue.Time(f.At)}
	case domain.OverReceiptResolved:
		return &imv1.OverReceiptResolved{
			Keys: inboundKeys(f.InboundKeys), Decision: overDecision(f.Decision), Moves: protovalue.Each(f.Moves, inboundMove), EventTime: protovalue.Time(f.At),
		}
	case domain.PutawayConfirmed:
		return &imv1.PutawayConfirmed{Keys: inboundKeys(f.InboundKeys), Moves: protovalue.Each(f.Moves, inboundMove), EventTime: protovalue.Time(f.At)}
	}
	return nil
}

// inboundReaders reads every fact type that an inbound delivery may have.
var inboundReaders = func() protovalue.Readers[domain.InboundFact] {
	rs := protovalue.Readers[domain.InboundFact]{}
	protovalue.Read(rs, func(m *imv1.AsnRegistered) (domain.InboundFact, error) { return fromAsnRegistered(m) })
	protovalue.Read(rs, func(m *imv1.DeliveryRescheduled) (domain.InboundFact, error) { return fromRescheduled(m), nil })
	protovalue.Read(rs, func(m *imv1.DeliveryArrived) (domain.InboundFact, error) { return fromArrived(m), nil })
	protovalue.Read(rs, func(m *imv1.GoodsReceived) (domain.InboundFact, error) { return fromGoodsReceived(m) })
	protovalue.Read(rs, func(m *imv1.ReceiptDiscrepancyFound) (domain.InboundFact, error) {
		q, err := protovalue.StoredQuantity(m.GetQuantity())
		return domain.DiscrepancyFound{
			InboundKeys: fromInboundKeys(m.GetKeys()), Line: int(m.GetLineNumber()), SKU: m.GetSku(), Unit: q.Unit,
			ReceiptDifference: domain.ReceiptDifference{Type: fromDiscrepancy(m.GetType()), Quantity: q.Value},
		}, err
	})
	protovalue.Read(rs, func(m *imv1.InboundRemainderCancelled) (domain.InboundFact, error) { return fromRemainderCancelled(m) })
	protovalue.Read(rs, func(m *imv1.InspectionRecorded) (domain.InboundFact, error) {
		moves, err := protovalue.TryEach(m.GetMoves(), fromInboundMove)
		return domain.InspectionRecorded{InboundKeys: fromInboundKeys(m.GetKeys()), Moves: moves, At: protovalue.FromTime(m.GetEventTime())}, err
	})
	protovalue.Read(rs, func(m *imv1.OverReceiptResolved) (domain.InboundFact, error) {
		moves, err := protovalue.TryEach(m.GetMoves(), fromInboundMove)
		return domain.OverReceiptResolved{
			InboundKeys: fromInboundKeys(m.GetKeys()), Decision: fromOverDecision(m.GetDecision()), Moves: moves, At: protovalue.FromTime(m.GetEventTime()),
		}, err
	})
	protovalue.Read(rs, func(m *imv1.PutawayConfirmed) (domain.InboundFact, error) {
		moves, err := protovalue.TryEach(m.GetMoves(), fromInboundMove)
		return domain.PutawayConfirmed{InboundKeys: fromInboundKeys(m.GetKeys()), Moves: moves, At: protovalue.FromTime(m.GetEventTime())}, err
	})
	return rs
}()

func fromAsnRegistered(m *imv1.AsnRegistered) (domain.AsnRegistered, error) {
	f := domain.AsnRegistered{InboundKeys: fromInboundKeys(m.GetKeys()), Expected: protovalue.FromTime(m.GetExpectedTime())}
	var err error
	if f.Lines, err = protovalue.TryEach(m.GetLines(), fromAnnouncedLine); err != nil {
		return f, err
	}
	f.Units, err = protovalue.TryEach(m.GetUnits(), fromInboundUnit)
	return f, err
}

func fromArrived(m *imv1.DeliveryArrived) domain.DeliveryArrived {
	return domain.DeliveryArrived{InboundKeys: fromInboundKeys(m.GetKeys()), Dock: m.GetDock(), At: protovalue.FromTime(m.GetEventTime())}
}

func fromRescheduled(m *imv1.DeliveryRescheduled) domain.DeliveryRescheduled {
	return domain.DeliveryRescheduled{
		InboundKeys: fromInboundKeys(m.GetKeys()), Before: protovalue.FromTime(m.GetBeforeTime()), Expected: protovalue.FromTime(m.GetExpectedTime()),
		Reason: m.GetReason(),
	}
}

func fromRemainderCancelled(m *imv1.InboundRemainderCancelled) (domain.RemainderCancelled, error) {
	lines, err := protovalue.TryEach(m.GetLines(), func(l *imv1.InboundLineQuantity) (domain.UnitContent, error) {
		q, err := protovalue.StoredQuantity(l.GetQuantity())
		return domain.UnitContent{Line: int(l.GetLineNumber()), Quantity: q.Value, Unit: q.Unit}, err
	})
	return domain.RemainderCancelled{InboundKeys: fromInboundKeys(m.GetKeys()), Lines: lines, Reason: m.GetReason()}, err
}

func fromGoodsReceived(m *imv1.GoodsReceived) (domain.GoodsReceived, error) {
	parts, err := protovalue.TryEach(m.GetParts(), fromReceivedPart)
	return domain.GoodsReceived{
		InboundKeys: fromInboundKeys(m.GetKeys()), Parts: parts, Message: m.GetMessageMark(), At: protovalue.FromTime(m.GetEventTime()),
		Source: guard.SourceRef(m.GetSource()),
	}, err
}

func fromReceivedPart(m *imv1.ReceivedPart) (domain.Part, error) {
	q, err := protovalue.StoredQuantity(m.GetQuantity())
	if err != nil {
		return domain.Part{}, err
	}
	over, err := quantity.Parse(m.GetOver())
	return domain.Part{
		Line: int(m.GetLineNumber()), Item: m.GetItemId(), SKU: m.GetSku(), Unit: q.Unit, Quantity: q.Value, Over: over,
		Place: fromPlace(m.GetPlace()), SSCC: m.GetSscc(), InsteadOf: int(m.GetInsteadOfLineNumber()), Inspect: m.GetInspectionRequired(),
	}, err
}

func receivedPart(p domain.Part) *imv1.ReceivedPart {
	return &imv1.ReceivedPart{
		LineNumber: int32(p.Line), ItemId: p.Item, Sku: p.SKU, Quantity: amount(p.Quantity, p.Unit), Over: p.Over.String(),
		Place: place(p.Place), Sscc: p.SSCC, InsteadOfLineNumber: int32(p.InsteadOf), InspectionRequired: p.Inspect,
	}
}
