package adapter

import (
	"context"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	"github.com/lockstep-logistics/lockstep/libs/store"
	inventorymovementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	orderreleasev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	"github.com/lockstep-logistics/lockstep/services/order-release/internal/app"
	"github.com/lockstep-logistics/lockstep/services/order-release/internal/domain"
)

// expectedMessage is a fact about what comes as it is stored and published.
func expectedMessage(f domain.Fact) proto.Message {
	switch f := f.(type) {
	case domain.PromiseDated:
		return &orderreleasev1.PromiseDated{
			OrderId: f.Order, OrderNumber: f.Number, Site: f.Site, ItemId: f.Item, LineNumbers: protovalue.Each(f.Lines, func(n int) int32 { return int32(n) }),
			BeforeTime: protovalue.Time(f.Before), AfterTime: protovalue.Time(f.Complete()), Reason: f.Reason,
			Supplies: protovalue.Each(f.Parts, expectedSupply), Uncovered: f.Uncovered.String(), StockVersion: int64(f.Version),
		}
	case domain.PromiseUndated:
		return &orderreleasev1.PromiseUndated{
			OrderId: f.Order, OrderNumber: f.Number, Site: f.Site, ItemId: f.Item, Quantity: f.Quantity.String(), Reason: f.Undated.Reason,
			HorizonTime: protovalue.Time(f.Horizon),
		}
	}
	return nil
}

func readExpected(rs protovalue.Readers[domain.Fact]) {
	protovalue.Read(rs, func(m *orderreleasev1.PromiseDated) (domain.Fact, error) {
		f := domain.PromiseDated{
			Keys: keys(m), Lines: protovalue.Each(m.GetLineNumbers(), func(n int32) int { return int(n) }),
			Before: protovalue.FromTime(m.GetBeforeTime()), Reason: m.GetReason(),
			Expected: domain.Expected{Site: m.GetSite(), Item: m.GetItemId(), Version: uint64(m.GetStockVersion())},
		}
		var err error
		if f.Uncovered, err = quantity.Parse(m.GetUncovered()); err != nil {
			return nil, err
		}
		f.Parts, err = protovalue.TryEach(m.GetSupplies(), fromSupply[*orderreleasev1.ExpectedSupply])
		return f, err
	})
	protovalue.Read(rs, func(m *orderreleasev1.PromiseUndated) (domain.Fact, error) {
		q, err := quantity.Parse(m.GetQuantity())
		return domain.PromiseUndated{Keys: keys(m), Undated: domain.Undated{
			Site: m.GetSite(), Item: m.GetItemId(), Quantity: q, Reason: m.GetReason(), Horizon: protovalue.FromTime(m.GetHorizonTime()),
		}}, err
	})
}

func expectedSupply(p domain.SupplyPart) *orderreleasev1.ExpectedSupply {
	return &orderreleasev1.ExpectedSupply{
		Quantity: p.Quantity.String(), InboundDeliveryId: p.Delivery, AsnNumber: p.ASN, ExpectedTime: protovalue.Time(p.Expected),
	}
}

// supply is goods that a promise counts on, as inventory or an order tells them.
type supply interface {
	GetQuantity() string
	GetInboundDeliveryId() string
	GetAsnNumber() string
	GetExpectedTime() *timestamppb.Timestamp
}

func fromSupply[S supply](m S) (domain.SupplyPart, error) {
	q, err := quantity.Parse(m.GetQuantity())
	return domain.SupplyPart{
		Delivery: m.GetInboundDeliveryId(), ASN: m.GetAsnNumber(), Expected: protovalue.FromTime(m.GetExpectedTime()), Quantity: q,
	}, err
}

// supplyChanged promises what more is to come to those who wait for it.
func supplyChanged(ctx context.Context, a *app.App, m *inventorymovementv1.SupplyChanged) error {
	switch m.GetReason() {
	case inventorymovementv1.SupplyChangeReason_SUPPLY_CHANGE_REASON_ANNOUNCED,
		inventorymovementv1.SupplyChangeReason_SUPPLY_CHANGE_REASON_RESCHEDULED,
		inventorymovementv1.SupplyChangeReason_SUPPLY_CHANGE_REASON_ARRIVED:
		if s := m.GetStock(); s.GetOwner() == domain.Owner {
			return a.SuppliesChanged(ctx, app.Place{Site: s.GetSite(), Item: s.GetItemId()})
		}
	}
	return nil
}

// dated records what a promise to an order counts on.
func dated(ctx context.Context, a *app.App, version uint64, m *inventorymovementv1.SupplyPromiseDated) error {
	order, ours := domain.OrderOf(m.GetPromiseKey())
	if !ours {
		return nil
	}
	x := domain.Expected{Site: m.GetStock().GetSite(), Item: m.GetStock().GetItemId(), Version: version}
	var err error
	if x.Uncovered, err = quantity.Parse(m.GetUncovered()); err != nil {
		return err
	}
	if x.Parts, err = protovalue.TryEach(m.GetSupplies(), fromSupply[*inventorymovementv1.PromisedSupply]); err != nil {
		return err
	}
	return a.Dated(store.WithItem(ctx, order), order, x, protovalue.Name(m.GetReason(), "PROMISE_DATE_REASON_"))
}

// PromiseSupplies lets orders be promised of what comes.
func (s *Stock) PromiseSupplies(ctx context.Context, wishes []app.SupplyWish) ([]domain.Undated, error) {
	var missing []domain.Undated
	err := inChunks(ctx, wishes, maxClaims, func(ctx context.Context, wishes []app.SupplyWish) error {
		resp, err := s.inventory.PromiseSupplies(ctx, &inventorymovementv1.PromiseSuppliesRequest{Claims: protovalue.Each(wishes, supplyClaim)})
		if err != nil {
			return err
		}
		if len(resp.GetGrants()) != len(wishes) {
			return fault.New(fault.Unavailable, "STOCK_UNDECIDED", "inventory answered %d of %d promises", len(resp.GetGrants()), len(wishes))
		}
		for i, g := range resp.GetGrants() {
			promised, err := protovalue.StoredQuantity(g.GetPromised())
			if err != nil {
				return err
			}
			w := wishes[i]
			missing = append(missing, domain.Undated{
				Site: w.Place.Site, Item: w.Place.Item, Quantity: w.Quantity.Value.Sub(promised.Value), Reason: g.GetReason().GetCode(),
				Horizon: protovalue.FromTime(g.GetHorizonTime()),
			})
		}
		return nil
	})
	return missing, err
}

func supplyClaim(w app.SupplyWish) *inventorymovementv1.SupplyClaim {
	return &inventorymovementv1.SupplyClaim{
		PromiseKey: domain.PromiseKey(w.Order), Site: w.Place.Site, ItemId: w.Place.Item, Owner: domain.Owner,
		Quantity: protovalue.Quantity(w.Quantity), AllowPartial: w.Partial, LeaveStock: w.LeaveStock,
	}
}
