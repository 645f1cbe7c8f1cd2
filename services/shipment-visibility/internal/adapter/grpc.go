package adapter

import (
	"context"

	"github.com/lockstep-logistics/lockstep/libs/authority/owners"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/store"
	shipmentvisibilityv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/shipmentvisibility/v1"
	"github.com/lockstep-logistics/lockstep/services/shipment-visibility/internal/app"
	"github.com/lockstep-logistics/lockstep/services/shipment-visibility/internal/domain"
)

// Server is the gRPC API over the use cases.
type Server struct {
	shipmentvisibilityv1.UnimplementedShipmentVisibilityServiceServer
	App *app.App
}

// TenderShipment implements the API.
func (s *Server) TenderShipment(ctx context.Context, r *shipmentvisibilityv1.TenderShipmentRequest) (*shipmentvisibilityv1.TenderShipmentResponse, error) {
	rec, err := s.App.Tender(owners.Says(ctx, "TenderShipment", r), r.GetShipmentId(), r.GetCarrier(), r.GetCarrierService(), protovalue.FromTime(r.GetRespondBy()))
	if err != nil {
		return nil, err
	}
	return &shipmentvisibilityv1.TenderShipmentResponse{Receipt: guard.Receipt(ctx, rec)}, nil
}

// RespondTender implements the API.
func (s *Server) RespondTender(ctx context.Context, r *shipmentvisibilityv1.RespondTenderRequest) (*shipmentvisibilityv1.RespondTenderResponse, error) {
	rec, err := s.App.Respond(owners.Says(ctx, "RespondTender", r), r.GetShipmentId(), r.GetCarrier(), r.GetAccept(), r.GetReason())
	if err != nil {
		return nil, err
	}
	return &shipmentvisibilityv1.RespondTenderResponse{Receipt: guard.Receipt(ctx, rec)}, nil
}

// DispatchShipment implements the API.
func (s *Server) DispatchShipment(ctx context.Context, r *shipmentvisibilityv1.DispatchShipmentRequest) (*shipmentvisibilityv1.DispatchShipmentResponse, error) {
	rec, err := s.App.Dispatch(owners.Says(ctx, "DispatchShipment", r), r.GetShipmentId(), domain.Refs{
		BillOfLading: r.GetBillOfLading(), PRO: r.GetProNumber(), Tracking: r.GetTrackingNumber(), Seal: r.GetSealNumber(),
	}, r.GetCarrier())
	if err != nil {
		return nil, err
	}
	return &shipmentvisibilityv1.DispatchShipmentResponse{Receipt: guard.Receipt(ctx, rec)}, nil
}

// RecordMilestones implements the API.
func (s *Server) RecordMilestones(ctx context.Context, r *shipmentvisibilityv1.RecordMilestonesRequest) (*shipmentvisibilityv1.RecordMilestonesResponse, error) {
	ms, err := fromMilestones(ctx, r)
	if err != nil {
		return nil, err
	}
	rec, err := s.App.Record(owners.Says(ctx, "RecordMilestones", r), r.GetShipmentId(), ms)
	if err != nil {
		return nil, err
	}
	return &shipmentvisibilityv1.RecordMilestonesResponse{Receipt: guard.Receipt(ctx, rec)}, nil
}

// RecordProofOfDelivery implements the API.
func (s *Server) RecordProofOfDelivery(ctx context.Context, r *shipmentvisibilityv1.RecordProofOfDeliveryRequest) (*shipmentvisibilityv1.RecordProofOfDeliveryResponse, error) {
	p, err := fromProof(r)
	if err != nil {
		return nil, err
	}
	rec, err := s.App.Confirm(owners.Says(ctx, "RecordProofOfDelivery", r), r.GetShipmentId(), p)
	if err != nil {
		return nil, err
	}
	return &shipmentvisibilityv1.RecordProofOfDeliveryResponse{Receipt: guard.Receipt(ctx, rec)}, nil
}

// CloseShipment implements the API.
func (s *Server) CloseShipment(ctx context.Context, r *shipmentvisibilityv1.CloseShipmentRequest) (*shipmentvisibilityv1.CloseShipmentResponse, error) {
	rec, err := s.App.Close(owners.Says(ctx, "CloseShipment", r), r.GetShipmentId())
	if err != nil {
		return nil, err
	}
	return &shipmentvisibilityv1.CloseShipmentResponse{Receipt: guard.Receipt(ctx, rec)}, nil
}

// GetShipment implements the API.
func (s *Server) GetShipment(ctx context.Context, r *shipmentvisibilityv1.GetShipmentRequest) (*shipmentvisibilityv1.GetShipmentResponse, error) {
	v, err := s.App.Get(ctx, r.GetShipmentId())
	if err != nil {
		return nil, err
	}
	return &shipmentvisibilityv1.GetShipmentResponse{Shipment: shipment(v)}, nil
}

// ListShipments implements the API.
func (s *Server) ListShipments(ctx context.Context, r *shipmentvisibilityv1.ListShipmentsRequest) (*shipmentvisibilityv1.ListShipmentsResponse, error) {
	page, err := s.App.List(ctx, query(r))
	if err != nil {
		return nil, err
	}
	out := &shipmentvisibilityv1.ListShipmentsResponse{NextPageToken: page.NextToken, AsOfTime: protovalue.Time(page.AsOf)}
	for _, v := range page.Items {
		out.Shipments = append(out.Shipments, shipment(v))
	}
	return out, nil
}

// query turns the one key that was given into a query of its index.
func query(r *shipmentvisibilityv1.ListShipmentsRequest) store.Query {
	q := store.Query{PageSize: int(r.GetPageSize()), PageToken: r.GetPageToken()}
	switch {
	case r.GetState() != 0:
		q.Index, q.Key = app.IndexState, trim(r.GetState().String(), "SHIPMENT_STATE_")
	case r.GetOrderId() != "":
		q.Index, q.Key = app.IndexOrder, r.GetOrderId()
	case r.GetOrderNumber() != "":
		q.Index, q.Key = app.IndexNumber, r.GetOrderNumber()
	case r.GetReference() != "":
		q.Index, q.Key = app.IndexReference, r.GetReference()
	case r.GetCarrier() != "":
		q.Index, q.Key = app.IndexCarrier, r.GetCarrier()
	}
	return q
}
