package adapter

import (
	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	orderreleasev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	"github.com/lockstep-logistics/lockstep/services/order-release/internal/domain"
)

// message is a fact as it is stored and published.
func message(f domain.Fact) proto.Message {
	switch f := f.(type) {
	case domain.OrderReceived:
		d := document(f.Header)
		d.Lines = protovalue.Each(f.Lines, orderLine)
		return &orderreleasev1.OrderReceived{
			OrderId: f.Order, Revision: int32(f.Revision), Document: d, Resolved: protovalue.Each(f.Lines, resolvedLine),
			ReceivedTime: protovalue.Time(f.Header.ReceivedTime),
		}
	case domain.OrderValidated:
		return &orderreleasev1.OrderValidated{OrderId: f.Order, OrderNumber: f.Number, Revision: int32(f.Revision), LineCount: int32(f.Lines)}
	case domain.OrderRejected:
		return &orderreleasev1.OrderRejected{OrderId: f.Order, OrderNumber: f.Number, Revision: int32(f.Revision), Reasons: protovalue.Each(f.Reasons, reason)}
	case domain.OrderSourced:
		return &orderreleasev1.OrderSourced{OrderId: f.Order, OrderNumber: f.Number, Sourcing: sourcing(f.Sourcing, f.Lines)}
	case domain.ReleaseDeferred:
		return &orderreleasev1.ReleaseDeferred{OrderId: f.Order, OrderNumber: f.Number, Deferral: deferral(f.Deferral)}
	case domain.HoldPlaced:
		return &orderreleasev1.HoldPlaced{
			OrderId: f.Order, OrderNumber: f.Number, Type: holdType(f.Hold.Type), Note: f.Hold.Note, PlacedBy: f.Hold.By,
			PlacedTime: protovalue.Time(f.Hold.At), AfterRelease: f.AfterRelease,
		}
	case domain.HoldLifted:
		return &orderreleasev1.HoldLifted{OrderId: f.Order, OrderNumber: f.Number, Type: holdType(f.Type), Note: f.Note}
	case domain.OrderFulfilled:
		return &orderreleasev1.OrderFulfilled{OrderId: f.Order, OrderNumber: f.Number, Issued: protovalue.Each(f.Issued, lineQuantity)}
	case domain.OrderCancelled:
		return &orderreleasev1.OrderCancelled{OrderId: f.Order, OrderNumber: f.Number, Reason: f.Reason}
	case domain.OrderWordObserved:
		return &orderreleasev1.OrderWordObserved{OrderId: f.Order, OrderNumber: f.Number, Word: protovalue.ForeignWord(f.Word)}
	case domain.OrderClosed:
		return &orderreleasev1.OrderClosed{OrderId: f.Order, OrderNumber: f.Number}
	case domain.ReportContradicted:
		return &orderreleasev1.ReportContradicted{
			OrderId: f.Order, OrderNumber: f.Number, ReleaseId: f.Release, Report: f.Report, ShipmentId: f.Shipment,
			Excess: protovalue.Each(f.Excess, lineQuantity),
		}
	}
	if m := promiseMessage(f); m != nil {
		return m
	}
	if m := expectedMessage(f); m != nil {
		return m
	}
	if m := amendmentMessage(f); m != nil {
		return m
	}
	return releaseMessage(f)
}

// promiseMessage is a fact about claims on stock.
func promiseMessage(f domain.Fact) proto.Message {
	switch f := f.(type) {
	case domain.PromiseRequested:
		return &orderreleasev1.PromiseRequested{
			OrderId: f.Order, OrderNumber: f.Number, Attempt: int32(f.Attempt), DueTime: protovalue.Time(f.Due),
			RequestedTime: protovalue.Time(f.Requested), AllowPartial: f.Partial, Again: f.Again, Claims: protovalue.Each(f.Claims, claim),
			Owner: domain.Owner,
		}
	case domain.LinesPromised:
		return &orderreleasev1.LinesPromised{
			OrderId: f.Order, OrderNumber: f.Number, Attempt: int32(f.Attempt), Missing: protovalue.Each(f.Missing, lineQuantity),
			GiveBack: protovalue.Each(f.GiveBack, claimRef),
			Lines: protovalue.Each(f.Lines, func(l domain.PromisedLine) *orderreleasev1.PromisedLine {
				return &orderreleasev1.PromisedLine{LineNumber: int32(l.Line), Quantity: protovalue.Quantity(l.Quantity), ClaimKey: l.Claim}
			}),
		}
	case domain.PromiseRefused:
		return &orderreleasev1.PromiseRefused{
			OrderId: f.Order, OrderNumber: f.Number, Attempt: int32(f.Attempt), Missing: protovalue.Each(f.Missing, lineQuantity),
			GiveBack: protovalue.Each(f.GiveBack, claimRef),
		}
	case domain.PromiseClosed:
		return &orderreleasev1.PromiseClosed{
			OrderId: f.Order, OrderNumber: f.Number, Attempt: int32(f.Attempt), GiveBack: protovalue.Each(f.GiveBack, claimRef),
			RetryTime: protovalue.Time(f.Retry),
		}
	case domain.RemainderCancelled:
		return &orderreleasev1.RemainderCancelled{
			OrderId: f.Order, OrderNumber: f.Number, Lines: protovalue.Each(f.Lines, lineQuantity), GiveBack: protovalue.Each(f.GiveBack, claimRef), Reason: f.Reason,
		}
	}
	return nil
}

// releaseMessage is a fact about a release.
func releaseMessage(f domain.Fact) proto.Message {
	switch f := f.(type) {
	case domain.OrderReleased:
		return released(f)
	case domain.ReleaseBackordered:
		return &orderreleasev1.ReleaseBackordered{
			OrderId: f.Order, OrderNumber: f.Number, ReleaseId: releaseID(f.Order, f.Release),
			ParentReleaseId: releaseID(f.Order, f.Parent), Site: f.Site, Lines: protovalue.Each(f.Lines, lineQuantity),
		}
	case domain.ReleaseAllocated:
		return &orderreleasev1.ReleaseAllocated{
			OrderId: f.Order, OrderNumber: f.Number, ReleaseId: releaseID(f.Order, f.Release),
			WarehouseOrderId: f.WarehouseOrder, Lines: protovalue.Each(f.Lines, lineQuantity),
		}
	case domain.ReleaseAcknowledged:
		return &orderreleasev1.ReleaseAcknowledged{
			OrderId: f.Order, OrderNumber: f.Number, ReleaseId: releaseID(f.Order, f.Release), WarehouseOrderId: f.WarehouseOrder,
		}
	case domain.LinesPicked:
		return &orderreleasev1.LinesPicked{OrderId: f.Order, OrderNumber: f.Number, ReleaseId: releaseID(f.Order, f.Release), Lines: protovalue.Each(f.Lines, lineQuantity)}
	case domain.LinesShorted:
		return &orderreleasev1.LinesShorted{OrderId: f.Order, OrderNumber: f.Number, ReleaseId: releaseID(f.Order, f.Release), Lines: protovalue.Each(f.Lines, lineQuantity)}
	case domain.LinesIssued:
		return &orderreleasev1.LinesIssued{
			OrderId: f.Order, OrderNumber: f.Number, ReleaseId: releaseID(f.Order, f.Release), Lines: protovalue.Each(f.Lines, lineQuantity),
			IssuedTime: protovalue.Time(f.At),
		}
	case domain.LinesDelivered:
		return &orderreleasev1.LinesDelivered{
			OrderId: f.Order, OrderNumber: f.Number, ReleaseId: releaseID(f.Order, f.Release), ShipmentId: f.Shipment, Lines: protovalue.Each(f.Lines, lineQuantity),
		}
	case domain.CancelAsked:
		return &orderreleasev1.CancelRequested{
			OrderId: f.Order, OrderNumber: f.Number, ReleaseId: releaseID(f.Order, f.Release), ReleaseVersion: int32(f.Version), Reason: f.Reason, Site: f.Site,
		}
	case domain.ReleaseCancelled:
		return &orderreleasev1.ReleaseCancelled{
			OrderId: f.Order, OrderNumber: f.Number, ReleaseId: releaseID(f.Order, f.Release), Lines: protovalue.Each(f.Lines, lineQuantity),
			PutBack: protovalue.Each(f.PutBack, lineQuantity),
		}
	case domain.CancelRefused:
		return &orderreleasev1.CancelRefused{OrderId: f.Order, OrderNumber: f.Number, ReleaseId: releaseID(f.Order, f.Release), Reason: f.Reason}
	}
	if m := shippedMessage(f); m != nil {
		return m
	}
	return stopMessage(f)
}

func released(f domain.OrderReleased) *orderreleasev1.OrderReleased {
	h := f.Header
	return &orderreleasev1.OrderReleased{
		OrderId: f.Order, OrderNumber: f.Number, SourceSystem: h.Source, PurchaseOrder: h.PO,
		ReleaseId: releaseID(f.Order, f.Release), ReleaseVersion: int32(f.Version), ParentReleaseId: releaseID(f.Order, f.Parent),
		Site: f.Site, Owner: domain.Owner, SoldTo: h.SoldTo.Code, ShipTo: h.ShipTo.Code, ShipToAddress: address(h.ShipTo.Address),
		CarrierPreference: h.Carrier, ServiceLevel: h.Service, Incoterm: h.Incoterm, Priority: int32(h.Priority),
		DeliveryRule: ruleOf(h.Rule), ShipBy: protovalue.Time(h.ShipBy), DeliverBy: protovalue.Time(h.DeliverBy),
		ReleasedTime: protovalue.Time(f.At), ShippedPolicy: shippedPolicy(f.Shipped.Policy), ShippedPolicySource: shippedSource(f.Shipped.Source),
		ShippedPolicyChannel: f.Shipped.Channel,
		Lines: protovalue.Each(f.Lines, func(l domain.ReleasedLine) *orderreleasev1.ReleaseLine {
			return &orderreleasev1.ReleaseLine{
				LineNumber: int32(l.Line), ItemId: l.Item, Sku: l.SKU, Quantity: protovalue.Quantity(l.Quantity),
				OrderedUnit: l.Unit, CustomerItem: l.CustomerItem, Claims: protovalue.Each(l.Claims, releaseClaim),
			}
		}),
	}
}
