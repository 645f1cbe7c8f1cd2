package checker

import (
	"slices"

	"google.golang.org/protobuf/proto"

	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	fsv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/freightsettlement/v1"
	svv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/shipmentvisibility/v1"
)

// shipmentFold is a shipment that one carrier was offered, took and reported on. What later
// reports of a departure add, and contradictions, are left out.
type shipmentFold struct {
	*svv1.Shipment
	plan    []*svv1.ShipmentLine
	amended map[int32]*svv1.ShipmentLine
}

func (s *shipmentFold) answer() proto.Message {
	if s.OrderId == "" {
		return nil
	}
	slices.SortStableFunc(s.Milestones, func(a, b *svv1.Milestone) int {
		return a.GetEventTime().AsTime().Compare(b.GetEventTime().AsTime())
	})
	return s.Shipment
}

func (s *shipmentFold) apply(f *fact) {
	s.reach(f)
	switch m := f.msg.(type) {
	case *svv1.ShipmentPlanned:
		s.OrderId, s.OrderNumber, s.ReleaseId, s.WarehouseOrderId = m.GetOrderId(), m.GetOrderNumber(), m.GetReleaseId(), m.GetWarehouseOrderId()
		s.Site, s.ShipTo = m.GetSite(), m.GetShipTo()
		s.planned(m.GetLines())
	case *svv1.ShipmentAmended:
		for _, l := range m.GetLines() {
			s.amended[l.GetLineNumber()] = l
		}
		s.planned(s.plan)
	case *svv1.ShipmentReady:
		s.Units, s.Lines, s.GrossWeightGrams = m.GetUnits(), m.GetLines(), m.GetGrossWeightGrams()
	case *svv1.ShipmentIssueReversed:
		s.Units, s.Lines, s.GrossWeightGrams = m.GetUnits(), m.GetLines(), m.GetGrossWeightGrams()
	case *svv1.ShipmentTendered:
		s.Tenders = append(s.Tenders, &svv1.Tender{
			Number: m.GetTenderNumber(), Carrier: m.GetCarrier(), CarrierService: m.GetCarrierService(),
			State: svv1.TenderState_TENDER_STATE_OFFERED, RespondBy: m.GetRespondBy(),
		})
	case *svv1.TenderAccepted:
		s.tender(m.GetTenderNumber(), svv1.TenderState_TENDER_STATE_ACCEPTED)
		s.Carrier, s.CarrierService = m.GetCarrier(), m.GetCarrierService()
	case *svv1.TenderClosed:
		s.tender(m.GetTenderNumber(), m.GetOutcome())
		s.Carrier, s.CarrierService = "", ""
	case *svv1.ShipmentDispatched:
		s.BillOfLading, s.ProNumber, s.TrackingNumber, s.SealNumber = m.GetBillOfLading(), m.GetProNumber(), m.GetTrackingNumber(), m.GetSealNumber()
	case *svv1.MilestoneRecorded:
		s.Milestones = append(s.Milestones, m.GetMilestone())
	case *svv1.ProofOfDeliveryRecorded:
		s.SignedBy, s.SignedTime, s.DocumentSha256 = m.GetSignedBy(), m.GetSignedTime(), m.GetDocumentSha256()
		s.DeliveredLines = m.GetLines()
	case *svv1.ShipmentCancelled:
		s.CancelReason = m.GetReason()
	}
}

// planned has the lines on the shipment while nothing else is, as far as amendments left something of them.
func (s *shipmentFold) planned(plan []*svv1.ShipmentLine) {
	s.plan = plan
	if len(s.Units) > 0 {
		return
	}
	s.Lines = nil
	for _, l := range plan {
		if a := s.amended[l.GetLineNumber()]; a != nil {
			l = &svv1.ShipmentLine{LineNumber: l.GetLineNumber(), Sku: l.GetSku(), Quantity: a.GetQuantity()}
		}
		if l.GetQuantity().GetValue() != "0" {
			s.Lines = append(s.Lines, l)
		}
	}
}

func (s *shipmentFold) tender(n int32, state svv1.TenderState) {
	for _, t := range s.Tenders {
		if t.Number == n {
			t.State = state
		}
	}
}

// reach says how far the shipment is: no further than its facts say, and never back, but for
// an offer that came to nothing.
func (s *shipmentFold) reach(f *fact) {
	var to svv1.ShipmentState
	switch m := f.msg.(type) {
	case *svv1.ShipmentPlanned:
		to = svv1.ShipmentState_SHIPMENT_STATE_PLANNED
	case *svv1.ShipmentTendered:
		to = svv1.ShipmentState_SHIPMENT_STATE_TENDERED
	case *svv1.TenderAccepted:
		to = svv1.ShipmentState_SHIPMENT_STATE_ACCEPTED
	case *svv1.TenderClosed:
		if s.State <= svv1.ShipmentState_SHIPMENT_STATE_ACCEPTED {
			s.State = svv1.ShipmentState_SHIPMENT_STATE_PLANNED
		}
	case *svv1.ShipmentReady:
		to = svv1.ShipmentState_SHIPMENT_STATE_READY
	case *svv1.ShipmentIssueReversed:
		if s.State == svv1.ShipmentState_SHIPMENT_STATE_READY && len(m.GetUnits()) == 0 {
			s.State = svv1.ShipmentState_SHIPMENT_STATE_PLANNED
			if n := len(s.Tenders); n > 0 {
				s.State = max(s.State, stood(s.Tenders[n-1]))
			}
		}
	case *svv1.ShipmentDispatched:
		to = svv1.ShipmentState_SHIPMENT_STATE_DISPATCHED
	case *svv1.MilestoneRecorded:
		to = m.GetState()
	case *svv1.ShipmentDelivered:
		to = svv1.ShipmentState_SHIPMENT_STATE_DELIVERED
	case *svv1.ProofOfDeliveryRecorded:
		to = svv1.ShipmentState_SHIPMENT_STATE_POD_CONFIRMED
	case *svv1.ShipmentClosed:
		to = svv1.ShipmentState_SHIPMENT_STATE_CLOSED
	case *svv1.ShipmentCancelled:
		if s.State < svv1.ShipmentState_SHIPMENT_STATE_READY {
			to = svv1.ShipmentState_SHIPMENT_STATE_CANCELLED
		}
	}
	s.State = max(s.State, to)
}

// stood is where a shipment stands by its last tender, before anything is issued.
func stood(t *svv1.Tender) svv1.ShipmentState {
	switch t.GetState() {
	case svv1.TenderState_TENDER_STATE_OFFERED:
		return svv1.ShipmentState_SHIPMENT_STATE_TENDERED
	case svv1.TenderState_TENDER_STATE_ACCEPTED:
		return svv1.ShipmentState_SHIPMENT_STATE_ACCEPTED
	}
	return svv1.ShipmentState_SHIPMENT_STATE_PLANNED
}

// freightFold is a freight as it was rated, accrued, claimed and settled.
type freightFold struct {
	*fsv1.Freight
	final bool
}

func (r *freightFold) answer() proto.Message {
	if r.OrderId == "" || r.State == fsv1.FreightState_FREIGHT_STATE_REVERSED {
		return nil // what is kept of a freight that was called off is the service's to say
	}
	open := func(c *fsv1.Charge) bool { return c.Settled == nil }
	switch {
	case r.RateCardVersion == 0:
		r.State = fsv1.FreightState_FREIGHT_STATE_UNRATED
	case r.DispatchedTime == nil:
		r.State = fsv1.FreightState_FREIGHT_STATE_ESTIMATED
	case !slices.ContainsFunc(r.Charges, open):
		r.State = fsv1.FreightState_FREIGHT_STATE_SETTLED
	case r.final:
		r.State = fsv1.FreightState_FREIGHT_STATE_FINAL
	default:
		r.State = fsv1.FreightState_FREIGHT_STATE_ACCRUED
	}
	return r.Freight
}

func (r *freightFold) rated(m *fsv1.Rating) {
	r.Carrier, r.CarrierService, r.WeightGrams, r.RateCardVersion = m.GetCarrier(), m.GetCarrierService(), m.GetWeightGrams(), m.GetRateCardVersion()
	r.Total, r.Reasons, r.Charges = m.GetTotal(), m.GetReasons(), nil
	for _, c := range m.GetCharges() {
		r.Charges = append(r.Charges, proto.CloneOf(c))
	}
}

func (r *freightFold) apply(f *fact) {
	if m, ok := f.msg.(interface{ GetRating() *fsv1.Rating }); ok {
		r.rated(m.GetRating())
	}
	if m, ok := f.msg.(interface{ GetAllocations() []*fsv1.CostAllocation }); ok {
		r.Allocations = m.GetAllocations()
	}
	if m, ok := f.msg.(interface{ GetPostings() []*fsv1.Posting }); ok {
		for _, p := range m.GetPostings() {
			if p.GetAccount() == accrual {
				r.OpenAccrual = &commonv1.Money{AmountMinor: r.OpenAccrual.GetAmountMinor() - p.GetAmount().GetAmountMinor(), Currency: p.GetAmount().GetCurrency()}
			}
		}
	}
	switch m := f.msg.(type) {
	case *fsv1.FreightEstimated:
		r.ShipmentId, r.OrderId, r.OrderNumber, r.Site, r.ShipTo = m.GetShipmentId(), m.GetOrderId(), m.GetOrderNumber(), m.GetSite(), m.GetShipTo()
	case *fsv1.FreightAccrued:
		r.ShipmentId, r.OrderId, r.OrderNumber, r.Site, r.ShipTo = m.GetShipmentId(), m.GetOrderId(), m.GetOrderNumber(), m.GetSite(), m.GetShipTo()
		r.ProNumber, r.BillOfLading, r.TrackingNumber, r.DispatchedTime = m.GetProNumber(), m.GetBillOfLading(), m.GetTrackingNumber(), m.GetDispatchedTime()
	case *fsv1.FreightFinalised:
		r.final = true
	case *fsv1.FreightReversed:
		r.State = fsv1.FreightState_FREIGHT_STATE_REVERSED
	default:
		r.charged(f)
	}
}

// charged takes what invoices claim and pay of the charges.
func (r *freightFold) charged(f *fact) {
	switch m := f.msg.(type) {
	case *fsv1.ChargesClaimed:
		for _, q := range m.GetClaimed() {
			for _, c := range r.Charges {
				if c.Code == q.GetChargeCode() && !q.GetUnexpected() {
					c.InvoiceId, c.Attempt, c.Invoiced = m.GetInvoiceId(), m.GetAttempt(), q.GetInvoiced()
				}
			}
		}
	case *fsv1.ChargesFreed:
		for _, c := range r.Charges {
			if c.InvoiceId == m.GetInvoiceId() && c.Attempt == m.GetAttempt() {
				c.InvoiceId, c.Attempt, c.Invoiced = "", 0, nil
			}
		}
	case *fsv1.ChargesSettled:
		for _, s := range m.GetCharges() {
			for _, c := range r.Charges {
				if c.Code == s.GetCode() && c.InvoiceId == m.GetInvoiceId() {
					c.Settled = s.GetSettled()
				}
			}
		}
		r.Paid = &commonv1.Money{AmountMinor: r.Paid.GetAmountMinor() + m.GetPaid().GetAmountMinor(), Currency: m.GetPaid().GetCurrency()}
	}
}

// invoiceFold is a carrier's invoice with what the match made of it.
type invoiceFold struct{ *fsv1.FreightInvoice }

func (i *invoiceFold) answer() proto.Message { return i.FreightInvoice }

func (i *invoiceFold) apply(f *fact) {
	switch m := f.msg.(type) {
	case *fsv1.FreightInvoiceReceived:
		i.Carrier, i.InvoiceNumber, i.InvoiceDate, i.Lines = m.GetCarrier(), m.GetInvoiceNumber(), m.GetInvoiceDate(), m.GetLines()
		i.Total, i.Creator, i.State = m.GetTotal(), m.GetCreator(), fsv1.FreightInvoiceState_FREIGHT_INVOICE_STATE_RECEIVED
	case *fsv1.MatchRequested:
		i.Attempt, i.State = m.GetAttempt(), fsv1.FreightInvoiceState_FREIGHT_INVOICE_STATE_RECEIVED
	case *fsv1.MatchDecided:
		i.State, i.Lines, i.Reasons = m.GetOutcome(), m.GetLines(), m.GetReasons()
	case *fsv1.FreightInvoiceApproved:
		i.State, i.Lines, i.Approved = fsv1.FreightInvoiceState_FREIGHT_INVOICE_STATE_APPROVED, m.GetLines(), m.GetApproved()
		i.Resolution, i.ReasonCode, i.Approver = m.GetResolution(), m.GetReasonCode(), m.GetApprover()
	case *fsv1.FreightInvoiceCredited:
		i.State, i.ReasonCode, i.Approver = fsv1.FreightInvoiceState_FREIGHT_INVOICE_STATE_CREDITED, m.GetReasonCode(), m.GetApprover()
	case *fsv1.VoucherPosted:
		i.State, i.VoucherNumber = fsv1.FreightInvoiceState_FREIGHT_INVOICE_STATE_POSTED, m.GetVoucherNumber()
	case *fsv1.FreightInvoicePaid:
		i.State, i.PaymentReference = fsv1.FreightInvoiceState_FREIGHT_INVOICE_STATE_PAID, m.GetPaymentReference()
	}
}
