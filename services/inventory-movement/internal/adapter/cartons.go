package adapter

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/store"
	imv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// PackingType declares what each site packs into to the store.
func PackingType() store.Type[domain.PackingSite, domain.PackingFact] {
	return store.Type[domain.PackingSite, domain.PackingFact]{
		Name: "packing_site", Prefix: "pks", Fold: 1,
		Evolve: domain.EvolvePacking,
		Encode: func(f domain.PackingFact) (string, []byte, error) { return protovalue.Encode(packingMessage(f)) },
		Decode: packingReaders.Decode,
	}
}

// packingMessage is a fact of what a site packs into as it is stored and published.
func packingMessage(f domain.PackingFact) proto.Message {
	switch f := f.(type) {
	case domain.CartonTypeDefined:
		return &imv1.CartonTypeDefined{Site: f.Site, CartonType: cartonType(f.Type)}
	case domain.CartonTypeRetired:
		return &imv1.CartonTypeRetired{Site: f.Site, Code: f.Code}
	case domain.ToleranceSet:
		return &imv1.PackAuditToleranceSet{Site: f.Site, ToleranceGrams: f.Grams, TolerancePercent: f.Percent}
	}
	return nil
}

// packingReaders reads every fact type of what a site packs into.
var packingReaders = func() protovalue.Readers[domain.PackingFact] {
	rs := protovalue.Readers[domain.PackingFact]{}
	protovalue.Read(rs, func(m *imv1.CartonTypeDefined) (domain.PackingFact, error) {
		return domain.CartonTypeDefined{Site: m.GetSite(), Type: fromCartonType(m.GetCartonType())}, nil
	})
	protovalue.Read(rs, func(m *imv1.CartonTypeRetired) (domain.PackingFact, error) {
		return domain.CartonTypeRetired{Site: m.GetSite(), Code: m.GetCode()}, nil
	})
	protovalue.Read(rs, func(m *imv1.PackAuditToleranceSet) (domain.PackingFact, error) {
		return domain.ToleranceSet{Site: m.GetSite(), Tolerance: domain.Tolerance{Grams: m.GetToleranceGrams(), Percent: m.GetTolerancePercent()}}, nil
	})
	return rs
}()

func cartonType(t domain.CartonType) *imv1.CartonType {
	return &imv1.CartonType{
		Code: t.Code, InnerLengthMm: t.Length, InnerWidthMm: t.Width, InnerHeightMm: t.Height, TareWeightGrams: t.Tare,
		MaxGrossWeightGrams: t.MaxGross, MaxFillPercent: int32(t.MaxFill), PackageType: t.Package,
	}
}

func fromCartonType(t *imv1.CartonType) domain.CartonType {
	return domain.CartonType{
		Code: t.GetCode(), Length: t.GetInnerLengthMm(), Width: t.GetInnerWidthMm(), Height: t.GetInnerHeightMm(), Tare: t.GetTareWeightGrams(),
		MaxGross: t.GetMaxGrossWeightGrams(), MaxFill: int(t.GetMaxFillPercent()), Package: t.GetPackageType(),
	}
}

// PutCartonType gives a site a type of carton.
func (s *Server) PutCartonType(ctx context.Context, r *imv1.PutCartonTypeRequest) (*imv1.PutCartonTypeResponse, error) {
	receipt, err := s.App.PutCartonType(ctx, r.GetSite(), fromCartonType(r.GetCartonType()))
	return &imv1.PutCartonTypeResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// RetireCartonType takes a type of carton away from a site.
func (s *Server) RetireCartonType(ctx context.Context, r *imv1.RetireCartonTypeRequest) (*imv1.RetireCartonTypeResponse, error) {
	receipt, err := s.App.RetireCartonType(ctx, r.GetSite(), r.GetCode())
	return &imv1.RetireCartonTypeResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// GetCartonTypes returns the carton types of a site.
func (s *Server) GetCartonTypes(ctx context.Context, r *imv1.GetCartonTypesRequest) (*imv1.GetCartonTypesResponse, error) {
	types, err := s.App.CartonTypes(ctx, r.GetSite())
	if err != nil {
		return nil, err
	}
	return &imv1.GetCartonTypesResponse{CartonTypes: protovalue.Each(types, cartonType)}, nil
}

// PlanCartons suggests into which cartons a warehouse order goes.
func (s *Server) PlanCartons(ctx context.Context, r *imv1.PlanCartonsRequest) (*imv1.PlanCartonsResponse, error) {
	plan, err := s.App.PlanCartons(ctx, r.GetWarehouseOrderId(), r.GetUprightSkus())
	if err != nil {
		return nil, err
	}
	return &imv1.PlanCartonsResponse{
		Cartons: protovalue.Each(plan.Cartons, plannedCarton),
		Unplanned: protovalue.Each(plan.Unplanned, func(u domain.Unplanned) *imv1.UnplannedPieces {
			return &imv1.UnplannedPieces{
				LineNumber: int32(u.Line), Sku: u.SKU, Quantity: protovalue.Quantity(u.Quantity),
				Reason: imv1.UnplannedReason(imv1.UnplannedReason_value["UNPLANNED_REASON_"+u.Reason]),
			}
		}),
	}, nil
}

func plannedCarton(c domain.PlannedCarton) *imv1.PlannedCarton {
	return &imv1.PlannedCarton{
		CartonType: c.Type, GrossWeightGrams: c.Weight, FillPercent: fmt.Sprintf("%d.%d", c.Fill/10, c.Fill%10),
		Blocks: protovalue.Each(c.Blocks, func(b domain.PlannedBlock) *imv1.PlacedBlock {
			return &imv1.PlacedBlock{
				LineNumber: int32(b.Line), Sku: b.SKU, XMm: b.At.X, YMm: b.At.Y, ZMm: b.At.Z,
				PieceLengthMm: b.Each.X, PieceWidthMm: b.Each.Y, PieceHeightMm: b.Each.Z,
				CountLength: int32(b.Count.X), CountWidth: int32(b.Count.Y), CountHeight: int32(b.Count.Z),
			}
		}),
	}
}

// SetPackAuditTolerance says by how much a weight may differ at a site.
func (s *Server) SetPackAuditTolerance(ctx context.Context, r *imv1.SetPackAuditToleranceRequest) (*imv1.SetPackAuditToleranceResponse, error) {
	receipt, err := s.App.SetTolerance(ctx, r.GetSite(), domain.Tolerance{Grams: r.GetToleranceGrams(), Percent: r.GetTolerancePercent()})
	return &imv1.SetPackAuditToleranceResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// GetPackAuditTolerance returns by how much a weight may differ at a site.
func (s *Server) GetPackAuditTolerance(ctx context.Context, r *imv1.GetPackAuditToleranceRequest) (*imv1.GetPackAuditToleranceResponse, error) {
	t, bySetting, err := s.App.Tolerance(ctx, r.GetSite())
	if err != nil {
		return nil, err
	}
	return &imv1.GetPackAuditToleranceResponse{ToleranceGrams: t.Grams, TolerancePercent: t.Percent, BySetting: bySetting}, nil
}

// WeighHandlingUnit records a weight on a scale.
func (s *Server) WeighHandlingUnit(ctx context.Context, r *imv1.WeighHandlingUnitRequest) (*imv1.WeighHandlingUnitResponse, error) {
	receipt, err := s.App.Weigh(ctx, r.GetSscc(), r.GetWeightGrams(), r.GetDevice())
	return &imv1.WeighHandlingUnitResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// ReleaseAuditHold lets a handling unit leave in spite of its weight.
func (s *Server) ReleaseAuditHold(ctx context.Context, r *imv1.ReleaseAuditHoldRequest) (*imv1.ReleaseAuditHoldResponse, error) {
	receipt, err := s.App.ReleaseHold(ctx, r.GetSscc(), r.GetReason())
	return &imv1.ReleaseAuditHoldResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}
