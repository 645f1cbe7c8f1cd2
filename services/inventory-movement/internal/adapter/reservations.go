package adapter

import (
	"context"
	"encoding/base64"

	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	imv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/app"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// CreateReservation reserves stock for a reference until a time.
func (s *Server) CreateReservation(ctx context.Context, r *imv1.CreateReservationRequest) (*imv1.CreateReservationResponse, error) {
	q, err := protovalue.FromQuantity(r.GetQuantity(), "quantity")
	if err != nil {
		return nil, err
	}
	receipt, err := s.App.Book(ctx, target(r), app.Reservation{
		Reference: r.GetReference(), Quantity: q, Expires: protovalue.FromTime(r.GetExpiresTime()), Priority: int(r.GetPriority()), Partial: r.GetAllowPartial(),
	})
	return &imv1.CreateReservationResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// ConfirmReservation makes a reservation last.
func (s *Server) ConfirmReservation(ctx context.Context, r *imv1.ConfirmReservationRequest) (*imv1.ConfirmReservationResponse, error) {
	receipt, err := s.App.Confirm(ctx, target(r), r.GetReference())
	return &imv1.ConfirmReservationResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// ReleaseReservation gives a reservation back.
func (s *Server) ReleaseReservation(ctx context.Context, r *imv1.ReleaseReservationRequest) (*imv1.ReleaseReservationResponse, error) {
	receipt, err := s.App.Unbook(ctx, target(r), r.GetReference())
	return &imv1.ReleaseReservationResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// ListReservations pages the reservations of a stock.
func (s *Server) ListReservations(ctx context.Context, r *imv1.ListReservationsRequest) (*imv1.ListReservationsResponse, error) {
	after, err := base64.RawURLEncoding.DecodeString(r.GetPageToken())
	if err != nil {
		return nil, domain.Invalid("page_token", "PAGE_TOKEN_INVALID", "it is not one that this method gave out")
	}
	page, next, err := s.App.Booked(ctx, target(r), string(after), pageSize(r.GetPageSize()))
	if err != nil {
		return nil, err
	}
	return &imv1.ListReservationsResponse{
		Reservations: protovalue.Each(page, reservation), NextPageToken: base64.RawURLEncoding.EncodeToString([]byte(next)),
	}, nil
}

func reservation(r app.Reservation) *imv1.Reservation {
	m := &imv1.Reservation{
		Reference: r.Reference, ClaimKey: domain.ClaimOf(r.Reference), Quantity: protovalue.Quantity(r.Quantity), Priority: int32(r.Priority),
		State: imv1.ReservationState_RESERVATION_STATE_HARD,
	}
	if !r.Expires.IsZero() {
		m.State, m.ExpiresTime = imv1.ReservationState_RESERVATION_STATE_SOFT, protovalue.Time(r.Expires)
	}
	return m
}
