package adapter

import (
	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	freightsettlementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/freightsettlement/v1"
	"github.com/lockstep-logistics/lockstep/services/freight-settlement/internal/domain"
)

// freightMessage is a fact of a freight as it is stored and published.
func freightMessage(f domain.FreightFact) proto.Message {
	switch f := f.(type) {
	case domain.FreightEstimated:
		return &freightsettlementv1.FreightEstimated{
			FreightId: f.Freight, ShipmentId: f.Shipment, OrderId: f.Order, OrderNumber: f.OrderNumber, Rating: rating(f.Rating),
			Site: f.Basis.Site, ShipTo: destination(f.Basis), ShipmentRevision: f.Revision,
		}
	case domain.FreightAccrued:
		return &freightsettlementv1.FreightAccrued{
			FreightId: f.Freight, ShipmentId: f.Shipment, OrderId: f.Order, OrderNumber: f.OrderNumber, Rating: rating(f.Rating),
			ProNumber: f.PRO, BillOfLading: f.BillOfLading, TrackingNumber: f.Tracking,
			Postings: protovalue.Each(f.Postings, posting), Allocations: protovalue.Each(f.Allocations, allocation), DispatchedTime: protovalue.Time(f.At),
			Site: f.Basis.Site, ShipTo: destination(f.Basis), Lines: protovalue.Each(f.Lines, freightLine), ShipmentRevision: f.Revision,
		}
	case domain.FreightFinalised:
		return &freightsettlementv1.FreightFinalised{
			FreightId: f.Freight, ShipmentId: f.Shipment, OrderId: f.Order, OrderNumber: f.OrderNumber, Rating: rating(f.Rating),
			Postings: protovalue.Each(f.Postings, posting), Allocations: protovalue.Each(f.Allocations, allocation), DeliveredGrams: f.Delivered,
		}
	case domain.FreightReferenced:
		return &freightsettlementv1.FreightReferenced{
			FreightId: f.Freight, ShipmentId: f.Shipment, ProNumber: f.Refs.PRO, BillOfLading: f.Refs.BillOfLading,
			TrackingNumber: f.Refs.Tracking, Carrier: f.Carrier, ShipmentRevision: f.Revision,
		}
	case domain.FreightReversed:
		return &freightsettlementv1.FreightReversed{
			FreightId: f.Freight, ShipmentId: f.Shipment, Reason: f.Reason, Postings: protovalue.Each(f.Postings, posting),
			Allocations: protovalue.Each(f.Allocations, allocation), ShipmentRevision: f.Revision,
		}
	case domain.ChargesClaimed:
		return &freightsettlementv1.ChargesClaimed{
			FreightId: f.Freight, ShipmentId: f.Shipment, InvoiceId: f.Invoice, Attempt: int32(f.Attempt),
			ChargeCodes: protovalue.Each(f.Charges, func(c domain.Claimed) string { return c.Code }), Claimed: protovalue.Each(f.Charges, claimedCharge),
		}
	case domain.ChargesFreed:
		return &freightsettlementv1.ChargesFreed{FreightId: f.Freight, ShipmentId: f.Shipment, InvoiceId: f.Invoice, Attempt: int32(f.Attempt)}
	case domain.ChargesSettled:
		return &freightsettlementv1.ChargesSettled{
			FreightId: f.Freight, ShipmentId: f.Shipment, InvoiceId: f.Invoice, Charges: protovalue.Each(f.Charges, charge), Paid: amount(f.Paid),
			Postings: protovalue.Each(f.Postings, posting), Allocations: protovalue.Each(f.Allocations, allocation),
		}
	}
	return nil
}

func claimedCharge(c domain.Claimed) *freightsettlementv1.ClaimedCharge {
	return &freightsettlementv1.ClaimedCharge{ChargeCode: c.Code, Invoiced: amount(c.Invoiced), Unexpected: c.Unexpected}
}

func fromClaimedCharge(c *freightsettlementv1.ClaimedCharge) domain.Claimed {
	return domain.Claimed{Code: c.GetChargeCode(), Invoiced: fromAmount(c.GetInvoiced()), Unexpected: c.GetUnexpected()}
}

// ofShipment is a stored fact with the keys of its freight.
type ofShipment interface {
	GetFreightId() string
	GetShipmentId() string
}

func of(m ofShipment) domain.Of {
	return domain.Of{Freight: m.GetFreightId(), Shipment: m.GetShipmentId()}
}

func refs(m interface {
	GetProNumber() string
	GetBillOfLading() string
	GetTrackingNumber() string
},
) domain.Refs {
	return domain.Refs{PRO: m.GetProNumber(), BillOfLading: m.GetBillOfLading(), Tracking: m.GetTrackingNumber()}
}

func keys(m interface {
	ofShipment
	GetOrderId() string
	GetOrderNumber() string
},
) domain.Keys {
	return domain.Keys{Freight: m.GetFreightId(), Shipment: m.GetShipmentId(), Order: m.GetOrderId(), OrderNumber: m.GetOrderNumber()}
}

func claim(m interface {
	GetInvoiceId() string
	GetAttempt() int32
},
) domain.Claim {
	return domain.Claim{Invoice: m.GetInvoiceId(), Attempt: int(m.GetAttempt())}
}

// freightReaders reads every fact type that a freight may have.
var freightReaders = func() protovalue.Readers[domain.FreightFact] {
	rs := protovalue.Readers[domain.FreightFact]{}
	protovalue.Read(rs, func(m *freightsettlementv1.FreightEstimated) (domain.FreightFact, error) {
		r := fromRating(m.GetRating())
		return domain.FreightEstimated{Keys: keys(m), Rating: r, Basis: shipment(r, m.GetSite(), m.GetShipTo()), Revision: m.GetShipmentRevision()}, nil
	})
	protovalue.Read(rs, func(m *freightsettlementv1.FreightAccrued) (domain.FreightFact, error) {
		r := fromRating(m.GetRating())
		lines, err := protovalue.TryEach(m.GetLines(), fromFreightLine)
		return domain.FreightAccrued{
			Keys: keys(m), Refs: refs(m),
			Basis: shipment(r, m.GetSite(), m.GetShipTo()), Rating: r, Lines: lines, Postings: protovalue.Each(m.GetPostings(), fromPosting),
			Allocations: protovalue.Each(m.GetAllocations(), fromAllocation), At: protovalue.FromTime(m.GetDispatchedTime()), Revision: m.GetShipmentRevision(),
		}, err
	})
	protovalue.Read(rs, func(m *freightsettlementv1.FreightFinalised) (domain.FreightFact, error) {
		return domain.FreightFinalised{
			Keys: keys(m), Delivered: m.GetDeliveredGrams(), Rating: fromRating(m.GetRating()), Postings: protovalue.Each(m.GetPostings(), fromPosting),
			Allocations: protovalue.Each(m.GetAllocations(), fromAllocation),
		}, nil
	})
	protovalue.Read(rs, func(m *freightsettlementv1.FreightReferenced) (domain.FreightFact, error) {
		return domain.FreightReferenced{Of: of(m), Reported: domain.Reported{Refs: refs(m), Carrier: m.GetCarrier(), Revision: m.GetShipmentRevision()}}, nil
	})
	protovalue.Read(rs, func(m *freightsettlementv1.FreightReversed) (domain.FreightFact, error) {
		return domain.FreightReversed{
			Of: of(m), Reason: m.GetReason(), Postings: protovalue.Each(m.GetPostings(), fromPosting),
			Allocations: protovalue.Each(m.GetAllocations(), fromAllocation), Revision: m.GetShipmentRevision(),
		}, nil
	})
	protovalue.Read(rs, func(m *freightsettlementv1.ChargesClaimed) (domain.FreightFact, error) {
		return domain.ChargesClaimed{Of: of(m), Claim: claim(m), Charges: protovalue.Each(m.GetClaimed(), fromClaimedCharge)}, nil
	})
	protovalue.Read(rs, func(m *freightsettlementv1.ChargesFreed) (domain.FreightFact, error) {
		return domain.ChargesFreed{Of: of(m), Claim: claim(m)}, nil
	})
	protovalue.Read(rs, func(m *freightsettlementv1.ChargesSettled) (domain.FreightFact, error) {
		return domain.ChargesSettled{
			Of: of(m), Invoice: m.GetInvoiceId(), Charges: protovalue.Each(m.GetCharges(), fromCharge), Paid: fromAmount(m.GetPaid()),
			Postings: protovalue.Each(m.GetPostings(), fromPosting), Allocations: protovalue.Each(m.GetAllocations(), fromAllocation),
		}, nil
	})
	return rs
}()
