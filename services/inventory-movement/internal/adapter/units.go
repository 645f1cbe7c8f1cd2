package adapter

import (
	"context"

	"github.com/lockstep-logistics/lockstep/libs/gs1"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/store"
	imv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/app"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// CreateHandlingUnit makes a handling unit that others go into.
func (s *Server) CreateHandlingUnit(ctx context.Context, r *imv1.CreateHandlingUnitRequest) (*imv1.CreateHandlingUnitResponse, error) {
	receipt, err := s.App.CreateUnit(ctx, app.NewUnit{
		Site: r.GetSite(), SSCC: r.GetSscc(), Location: r.GetLocation(), Level: int(r.GetLevel()), Packaging: fromPackaging(r.GetPackaging()),
	})
	return &imv1.CreateHandlingUnitResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// BatchNestHandlingUnits puts handling units into another.
func (s *Server) BatchNestHandlingUnits(ctx context.Context, r *imv1.BatchNestHandlingUnitsRequest) (*imv1.BatchNestHandlingUnitsResponse, error) {
	results, err := s.App.Nest(ctx, r.GetSscc(), r.GetChildSsccs())
	if err != nil {
		return nil, err
	}
	done, err := guard.ItemResults(ctx, len(results), func(i int) (store.Receipt, error) { return results[i].Receipt, results[i].Err })
	return &imv1.BatchNestHandlingUnitsResponse{Results: done}, err
}

// UnnestHandlingUnit takes a handling unit out of another.
func (s *Server) UnnestHandlingUnit(ctx context.Context, r *imv1.UnnestHandlingUnitRequest) (*imv1.UnnestHandlingUnitResponse, error) {
	receipt, err := s.App.Unnest(ctx, r.GetSscc(), r.GetChildSscc())
	return &imv1.UnnestHandlingUnitResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// CloseHandlingUnit closes a handling unit.
func (s *Server) CloseHandlingUnit(ctx context.Context, r *imv1.CloseHandlingUnitRequest) (*imv1.CloseHandlingUnitResponse, error) {
	receipt, err := s.App.CloseUnit(ctx, r.GetSscc(), r.GetLocation())
	return &imv1.CloseHandlingUnitResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// ReopenHandlingUnit opens a handling unit again.
func (s *Server) ReopenHandlingUnit(ctx context.Context, r *imv1.ReopenHandlingUnitRequest) (*imv1.ReopenHandlingUnitResponse, error) {
	receipt, err := s.App.ReopenUnit(ctx, r.GetSscc())
	return &imv1.ReopenHandlingUnitResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// VoidHandlingUnit gives up a handling unit.
func (s *Server) VoidHandlingUnit(ctx context.Context, r *imv1.VoidHandlingUnitRequest) (*imv1.VoidHandlingUnitResponse, error) {
	receipt, err := s.App.VoidUnit(ctx, r.GetSscc(), r.GetReason())
	return &imv1.VoidHandlingUnitResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// GetHandlingUnit returns a handling unit with everything in it.
func (s *Server) GetHandlingUnit(ctx context.Context, r *imv1.GetHandlingUnitRequest) (*imv1.GetHandlingUnitResponse, error) {
	units, more, err := s.App.Tree(ctx, r.GetSscc())
	if err != nil {
		return nil, err
	}
	states := app.States(units)
	weights := domain.Weights(states)
	resp := &imv1.GetHandlingUnitResponse{TotalContent: pickedLines(domain.TotalContent(states)), DescendantsOmitted: more}
	for i, v := range units {
		m := handlingUnit(v)
		m.GrossWeightGrams = weights[v.State.Keys.SSCC]
		if i == 0 {
			resp.HandlingUnit = m
		} else {
			resp.Descendants = append(resp.Descendants, m)
		}
	}
	return resp, nil
}

// ListHandlingUnits pages handling units by one key.
func (s *Server) ListHandlingUnits(ctx context.Context, r *imv1.ListHandlingUnitsRequest) (*imv1.ListHandlingUnitsResponse, error) {
	q := store.Query{PageSize: int(r.GetPageSize()), PageToken: r.GetPageToken()}
	switch {
	case r.GetState() != 0:
		q.Index, q.Key = app.IndexState, protovalue.Name(r.GetState(), "HANDLING_UNIT_STATE_")
	case r.GetWarehouseOrderId() != "":
		q.Index, q.Key = app.IndexWarehouse, r.GetWarehouseOrderId()
	case r.GetSite() != "":
		q.Index, q.Key = app.IndexSite, r.GetSite()
	}
	page, err := s.App.ListUnits(ctx, q)
	if err != nil {
		return nil, err
	}
	return &imv1.ListHandlingUnitsResponse{
		HandlingUnits: protovalue.Each(page.Items, handlingUnit), NextPageToken: page.NextToken, AsOfTime: protovalue.Time(page.AsOf),
	}, nil
}

func unitState(s domain.UnitState) imv1.HandlingUnitState {
	return imv1.HandlingUnitState(imv1.HandlingUnitState_value["HANDLING_UNIT_STATE_"+string(s)])
}

// handlingUnit is a unit by itself; what it weighs by what is in it is not known here.
func handlingUnit(v store.View[domain.HandlingUnit]) *imv1.HandlingUnit {
	u := v.State
	m := &imv1.HandlingUnit{
		HandlingUnitId: v.ID, Sscc: u.Keys.SSCC, State: unitState(u.Stands), Site: u.Keys.Site, Owner: u.Keys.Owner, Level: int32(u.Level),
		Packaging: packaging(u.Packaging), ParentSscc: u.Parent, Content: pickedLines(u.Content), Location: u.Location,
		ChildSsccs:       protovalue.Each(u.Children, func(c domain.UnitChild) string { return c.SSCC }),
		GrossWeightGrams: u.Gross(), WarehouseOrderId: u.Keys.Warehouse, OrderId: u.Keys.Order, OrderNumber: u.Keys.OrderNumber,
		Etag: v.ETag, CreateTime: protovalue.Time(v.Created),
	}
	if u.Held() {
		w := u.Weighed
		m.AuditHold = &imv1.AuditHold{
			WeightGrams: w.Weight, ExpectedWeightGrams: w.Expected, ToleranceGrams: w.Tolerance, EventTime: protovalue.Time(w.At),
		}
	}
	return m
}

// GetLabelData returns the data of a handling unit's logistic label.
func (s *Server) GetLabelData(ctx context.Context, r *imv1.GetLabelDataRequest) (*imv1.GetLabelDataResponse, error) {
	l, err := s.App.Label(ctx, r.GetSscc(), domain.Shipping{
		PurchaseOrder: r.GetCustomerPurchaseOrder(), Consignment: r.GetConsignment(), Shipment: r.GetShipment(), ShipTo: r.GetShipToGln(),
	})
	if err != nil {
		return nil, err
	}
	return &imv1.GetLabelDataResponse{
		Text: l.Text,
		Elements: protovalue.Each(l.Elements, func(e gs1.Element) *imv1.LabelElement {
			return &imv1.LabelElement{Ai: e.AI, Title: e.Title(), Value: e.Value}
		}),
		Barcodes: protovalue.Each(l.Symbols, func(s gs1.Symbol) *imv1.LabelBarcode {
			return &imv1.LabelBarcode{Data: s.Data, HumanReadable: s.Printed}
		}),
	}, nil
}
