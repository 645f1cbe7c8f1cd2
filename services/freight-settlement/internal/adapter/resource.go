package adapter

import (
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/store"
	freightsettlementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/freightsettlement/v1"
	"github.com/lockstep-logistics/lockstep/services/freight-settlement/internal/domain"
)

// freight is a freight as the API shows it.
func freight(v store.View[domain.Freight]) *freightsettlementv1.Freight {
	f := v.State
	numbers := f.Numbers()
	return &freightsettlementv1.Freight{
		FreightId: v.ID, Etag: v.ETag, State: freightState(f.State()), ShipmentId: f.Keys.Shipment, OrderId: f.Keys.Order,
		OrderNumber: f.Keys.OrderNumber, Carrier: f.Rating.Carrier, CarrierService: f.Rating.Service,
		ProNumber: numbers.PRO, BillOfLading: numbers.BillOfLading, TrackingNumber: numbers.Tracking, OtherReferences: f.OtherReferences(),
		Site: f.Basis.Site, ShipTo: destination(f.Basis), WeightGrams: f.Rating.Weight, RateCardVersion: int32(f.Rating.Version),
		Charges: protovalue.Each(f.Rating.Charges, charge), OtherCharges: protovalue.Each(f.Others, charge), Total: amount(f.Rating.Total),
		OpenAccrual: amount(f.Open), Paid: amount(f.Paid), Allocations: protovalue.Each(f.Allocations, allocation),
		Reasons: protovalue.Each(f.Rating.Why, reason), DispatchedTime: protovalue.Time(f.Dispatched), CreateTime: protovalue.Time(v.Created),
	}
}

// invoice is a carrier's invoice as the API shows it.
func invoice(v store.View[domain.Invoice]) *freightsettlementv1.FreightInvoice {
	i := v.State
	out := &freightsettlementv1.FreightInvoice{
		InvoiceId: v.ID, Etag: v.ETag, State: invoiceState(i.At), Carrier: i.Carrier, InvoiceNumber: i.Number,
		InvoiceDate: protovalue.Time(i.Date), Lines: protovalue.Each(i.Lines, invoiceLine), Total: amount(i.Total), Approved: amount(i.Sum),
		Reasons: protovalue.Each(i.Why, reason), VoucherNumber: i.Voucher, PaymentReference: i.Payment, Resolution: resolution(i.Resolution),
		ReasonCode: i.Reason, Approver: i.Approver, Creator: i.Creator, Attempt: int32(i.Attempt), CreateTime: protovalue.Time(v.Created),
		Observations: protovalue.Each(i.Heard, protovalue.ForeignWord),
	}
	if i.At == domain.Unmatched {
		out.RetryTime = protovalue.Time(i.Due)
	}
	return out
}
