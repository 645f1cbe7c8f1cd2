package adapter

import (
	"context"

	"github.com/lockstep-logistics/lockstep/libs/authority/owners"
	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/store"
	freightsettlementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/freightsettlement/v1"
	"github.com/lockstep-logistics/lockstep/services/freight-settlement/internal/app"
	"github.com/lockstep-logistics/lockstep/services/freight-settlement/internal/domain"
)

// Server is the gRPC API over the use cases.
type Server struct {
	freightsettlementv1.UnimplementedFreightSettlementServiceServer
	App *app.App
}

// PublishRateCard publishes a version of a carrier's rate card.
func (s *Server) PublishRateCard(ctx context.Context, r *freightsettlementv1.PublishRateCardRequest) (*freightsettlementv1.PublishRateCardResponse, error) {
	c, err := fromCard(r.GetCard())
	if err != nil {
		return nil, err
	}
	receipt, err := s.App.PublishCard(ctx, c)
	return &freightsettlementv1.PublishRateCardResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// RateShipment returns what a shipment would cost.
func (s *Server) RateShipment(ctx context.Context, r *freightsettlementv1.RateShipmentRequest) (*freightsettlementv1.RateShipmentResponse, error) {
	to := r.GetShipTo()
	got, err := s.App.Rate(ctx, domain.Shipment{
		Carrier: r.GetCarrier(), Service: r.GetCarrierService(), Site: r.GetSite(), Place: to.GetCity(), Country: to.GetCountry(),
		Region: to.GetRegion(), PostalCode: to.GetPostalCode(), WeightGrams: r.GetWeightGrams(), At: protovalue.FromTime(r.GetShipTime()),
	})
	return &freightsettlementv1.RateShipmentResponse{
		RateCardVersion: int32(got.Version), Charges: protovalue.Each(got.Charges, charge), Total: amount(got.Total), Reasons: protovalue.Each(got.Why, reason),
	}, err
}

// GetFreight returns the freight of one shipment.
func (s *Server) GetFreight(ctx context.Context, r *freightsettlementv1.GetFreightRequest) (*freightsettlementv1.GetFreightResponse, error) {
	v, err := s.App.Freight(ctx, r.GetFreightId())
	if err != nil {
		return nil, err
	}
	return &freightsettlementv1.GetFreightResponse{Freight: freight(v)}, nil
}

// ListFreights pages freights by one key.
func (s *Server) ListFreights(ctx context.Context, r *freightsettlementv1.ListFreightsRequest) (*freightsettlementv1.ListFreightsResponse, error) {
	q := store.Query{PageSize: int(r.GetPageSize()), PageToken: r.GetPageToken()}
	switch {
	case r.GetState() != 0:
		q.Index, q.Key = app.IndexState, protovalue.Name(r.GetState(), "FREIGHT_STATE_")
	case r.GetOrderId() != "":
		q.Index, q.Key = app.IndexOrder, r.GetOrderId()
	case r.GetReference() != "":
		q.Index, q.Key = app.IndexReference, r.GetReference()
	}
	page, err := s.App.Freights.List(ctx, q)
	return &freightsettlementv1.ListFreightsResponse{
		Freights: protovalue.Each(page.Items, freight), NextPageToken: page.NextToken, AsOfTime: protovalue.Time(page.AsOf),
	}, err
}

// ReceiveFreightInvoice takes a carrier's invoice and begins its match. A partner enters
// invoices of its own carrier only: the one whose code is the party's.
func (s *Server) ReceiveFreightInvoice(ctx context.Context, r *freightsettlementv1.ReceiveFreightInvoiceRequest) (*freightsettlementv1.ReceiveFreightInvoiceResponse, error) {
	if c, ok := guard.CallerOf(ctx); ok && c.Party != "" && c.Party != ident.Derive("pty", c.Tenant, r.GetCarrier()) {
		return nil, fault.New(fault.Denied, "CARRIER_FOREIGN", "invoices of %s are not yours to enter", r.GetCarrier())
	}
	receipt, err := s.App.Receive(ctx, domain.InvoiceReceived{
		Carrier: r.GetCarrier(), Number: r.GetInvoiceNumber(), Date: protovalue.FromTime(r.GetInvoiceDate()), Lines: protovalue.Each(r.GetLines(), askedLine),
	})
	return &freightsettlementv1.ReceiveFreightInvoiceResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// askedLine is a line as the carrier states it; what the match sets is not the carrier's to say.
func askedLine(l *freightsettlementv1.FreightInvoiceLine) domain.InvoiceLine {
	return domain.InvoiceLine{Reference: l.GetReference(), Code: l.GetChargeCode(), Amount: fromAmount(l.GetAmount())}
}

// ResolveDispute ends the dispute of an invoice.
func (s *Server) ResolveDispute(ctx context.Context, r *freightsettlementv1.ResolveDisputeRequest) (*freightsettlementv1.ResolveDisputeResponse, error) {
	receipt, err := s.App.Resolve(owners.Says(ctx, "ResolveDispute", r), r.GetInvoiceId(), fromResolution(r.GetResolution()), domain.InvoiceApproved{
		Sum: fromAmount(r.GetAmount()), Reason: r.GetReasonCode(),
	})
	return &freightsettlementv1.ResolveDisputeResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// RecordVoucherPosted records that the ERP posted the voucher.
func (s *Server) RecordVoucherPosted(ctx context.Context, r *freightsettlementv1.RecordVoucherPostedRequest) (*freightsettlementv1.RecordVoucherPostedResponse, error) {
	receipt, err := s.App.Post(owners.Says(ctx, "RecordVoucherPosted", r), r.GetInvoiceId(), r.GetVoucherNumber())
	return &freightsettlementv1.RecordVoucherPostedResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// RecordPayment records that the ERP paid the voucher.
func (s *Server) RecordPayment(ctx context.Context, r *freightsettlementv1.RecordPaymentRequest) (*freightsettlementv1.RecordPaymentResponse, error) {
	receipt, err := s.App.Pay(owners.Says(ctx, "RecordPayment", r), r.GetInvoiceId(), domain.InvoicePaid{Reference: r.GetPaymentReference(), Amount: fromAmount(r.GetAmount())})
	return &freightsettlementv1.RecordPaymentResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// GetFreightInvoice returns one invoice.
func (s *Server) GetFreightInvoice(ctx context.Context, r *freightsettlementv1.GetFreightInvoiceRequest) (*freightsettlementv1.GetFreightInvoiceResponse, error) {
	v, err := s.App.Invoice(ctx, r.GetInvoiceId())
	if err != nil {
		return nil, err
	}
	return &freightsettlementv1.GetFreightInvoiceResponse{Invoice: invoice(v)}, nil
}

// ListFreightInvoices pages invoices by one key.
func (s *Server) ListFreightInvoices(ctx context.Context, r *freightsettlementv1.ListFreightInvoicesRequest) (*freightsettlementv1.ListFreightInvoicesResponse, error) {
	q := store.Query{PageSize: int(r.GetPageSize()), PageToken: r.GetPageToken()}
	switch {
	case r.GetState() != 0:
		q.Index, q.Key = app.IndexState, string(fromInvoiceState(r.GetState()))
	case r.GetReference() != "":
		q.Index, q.Key = app.IndexReference, r.GetReference()
	}
	page, err := s.App.Invoices.List(ctx, q)
	return &freightsettlementv1.ListFreightInvoicesResponse{
		Invoices: protovalue.Each(page.Items, invoice), NextPageToken: page.NextToken, AsOfTime: protovalue.Time(page.AsOf),
	}, err
}
