package adapter

import (
	"context"
	"encoding/json"

	"github.com/lockstep-logistics/lockstep/libs/bus"
	"github.com/lockstep-logistics/lockstep/libs/codelist"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/store"
	imv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	masterdatav1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// Reasons is this service's copy of the tenants' own entries of the code list of reasons.
type Reasons struct{ rows store.Rows }

// NewReasons returns the copy kept in the database.
func NewReasons(db *store.DB) *Reasons { return &Reasons{db.Table("reasons")} }

// Follower keeps the copy.
func (r *Reasons) Follower() bus.Consumer {
	return bus.Routes(bus.Follower, "reasons", "master-data",
		bus.On(func(ctx context.Context, f bus.Fact, e *masterdatav1.CodeListDefined) error {
			return r.put(ctx, f, e.GetCodeList().GetCode(), protovalue.Each(e.GetCodeList().GetEntries(), func(m *masterdatav1.CodeEntry) codelist.Entry {
				return codelist.Entry{
					Code: m.GetCode(), Canonical: m.GetCanonicalCode(), Meaning: m.GetMeaning(),
					From: protovalue.FromTime(m.GetValidFrom()), To: protovalue.FromTime(m.GetValidTo()),
				}
			}))
		}),
		bus.On(func(ctx context.Context, f bus.Fact, e *masterdatav1.CodeListRetired) error {
			return r.put(ctx, f, e.GetCodeList().GetCode(), nil)
		}),
	)
}

func (r *Reasons) put(ctx context.Context, f bus.Fact, list string, entries []codelist.Entry) error {
	if list != codelist.StockReasons {
		return nil
	}
	body, err := json.Marshal(entries)
	if err != nil {
		return err
	}
	return r.rows.Put(ctx, store.Row{Tenant: f.Tenant, ID: f.AggregateID, Version: f.Revision(), Body: body})
}

// Own returns the tenant's own entries.
func (r *Reasons) Own(ctx context.Context) ([]codelist.Entry, error) {
	tenant := store.CauseOf(ctx).Tenant
	rows, err := r.rows.GetMany(ctx, tenant, []string{ident.Derive("cdl", tenant, codelist.StockReasons)})
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	var entries []codelist.Entry
	err = json.Unmarshal(rows[0].Body, &entries)
	return entries, err
}

// ChangeStatus gives goods of one place another status.
func (s *Server) ChangeStatus(ctx context.Context, r *imv1.ChangeStatusRequest) (*imv1.ChangeStatusResponse, error) {
	q, err := protovalue.FromQuantity(r.GetQuantity(), "quantity")
	if err != nil {
		return nil, err
	}
	from := domain.Place{Location: r.GetLocation(), Lot: r.GetLot(), Expiry: r.GetExpiryDate(), Status: available(r.GetFromStatus())}
	receipt, err := s.App.ChangeStatus(ctx, target(r), from, fromStatus(r.GetToStatus()), q, r.GetSerials(), r.GetReason(), s.Clock.Now())
	return &imv1.ChangeStatusResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// ReverseMovement takes back a movement that somebody made by hand.
func (s *Server) ReverseMovement(ctx context.Context, r *imv1.ReverseMovementRequest) (*imv1.ReverseMovementResponse, error) {
	ref := domain.MoveRef{Version: uint64(r.GetVersion()), Index: int(r.GetIndex())}
	receipt, err := s.App.ReverseMovement(ctx, r.GetStockId(), ref, r.GetReason(), s.Clock.Now())
	return &imv1.ReverseMovementResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}
