package adapter

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	imv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/app"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// supplyMessage is a fact about supplies as it is stored and published.
func supplyMessage(f domain.StockFact) proto.Message {
	switch f := f.(type) {
	case domain.SupplyChanged:
		return &imv1.SupplyChanged{
			Stock: stockKey(f.StockKey), InboundDeliveryId: f.Delivery, AsnNumber: f.ASN, LineNumber: int32(f.Line), Change: f.Change.String(),
			ExpectedTime: fromMillis(f.Expected), Arrived: f.Arrived, Overdue: f.Overdue, Reason: supplyReason(f.Reason),
		}
	case domain.SupplyPromised:
		return &imv1.SupplyPromised{Stock: stockKey(f.StockKey), PromiseKey: f.Promise, Change: f.Change.String()}
	case domain.SupplyPromiseDated:
		return &imv1.SupplyPromiseDated{
			Stock: stockKey(f.StockKey), PromiseKey: f.Cover.Key, BeforeTime: protovalue.Time(f.Before), AfterTime: protovalue.Time(f.Complete()),
			Reason: dateReason(f.Reason), Supplies: protovalue.Each(f.Parts, supplyPart), Uncovered: f.Uncovered.String(),
		}
	}
	return nil
}

// readSupplies reads the facts about supplies.
func readSupplies(rs protovalue.Readers[domain.StockFact]) {
	protovalue.Read(rs, func(m *imv1.SupplyChanged) (domain.StockFact, error) {
		q, err := quantity.Parse(m.GetChange())
		return domain.SupplyChanged{
			StockKey: fromStockKey(m.GetStock()), Change: q, Reason: domain.SupplyReason(protovalue.Name(m.GetReason(), "SUPPLY_CHANGE_REASON_")),
			Supply: domain.Supply{
				Delivery: m.GetInboundDeliveryId(), Line: int(m.GetLineNumber()), ASN: m.GetAsnNumber(), Expected: toMillis(m.GetExpectedTime()),
				Arrived: m.GetArrived(), Overdue: m.GetOverdue(),
			},
		}, err
	})
	protovalue.Read(rs, func(m *imv1.SupplyPromised) (domain.StockFact, error) {
		q, err := quantity.Parse(m.GetChange())
		return domain.SupplyPromised{StockKey: fromStockKey(m.GetStock()), Promise: m.GetPromiseKey(), Change: q}, err
	})
	protovalue.Read(rs, func(m *imv1.SupplyPromiseDated) (domain.StockFact, error) {
		f := domain.SupplyPromiseDated{
			StockKey: fromStockKey(m.GetStock()), Before: protovalue.FromTime(m.GetBeforeTime()),
			Reason: domain.DateReason(protovalue.Name(m.GetReason(), "PROMISE_DATE_REASON_")), Cover: domain.Cover{Key: m.GetPromiseKey()},
		}
		var err error
		if f.Uncovered, err = quantity.Parse(m.GetUncovered()); err != nil {
			return nil, err
		}
		f.Parts, err = protovalue.TryEach(m.GetSupplies(), func(p *imv1.PromisedSupply) (domain.SupplyPart, error) {
			q, err := quantity.Parse(p.GetQuantity())
			return domain.SupplyPart{Delivery: p.GetInboundDeliveryId(), ASN: p.GetAsnNumber(), Expected: toMillis(p.GetExpectedTime()), Quantity: q}, err
		})
		return f, err
	})
}

func supplyPart(p domain.SupplyPart) *imv1.PromisedSupply {
	return &imv1.PromisedSupply{Quantity: p.Quantity.String(), InboundDeliveryId: p.Delivery, AsnNumber: p.ASN, ExpectedTime: fromMillis(p.Expected)}
}

func supplyReason(r domain.SupplyReason) imv1.SupplyChangeReason {
	return imv1.SupplyChangeReason(imv1.SupplyChangeReason_value["SUPPLY_CHANGE_REASON_"+string(r)])
}

func dateReason(r domain.DateReason) imv1.PromiseDateReason {
	return imv1.PromiseDateReason(imv1.PromiseDateReason_value["PROMISE_DATE_REASON_"+string(r)])
}

// fromMillis is a time as supplies keep it; 0 is none.
func fromMillis(ms int64) *timestamppb.Timestamp {
	if ms == 0 {
		return nil
	}
	return protovalue.Time(time.UnixMilli(ms))
}

func toMillis(t *timestamppb.Timestamp) int64 {
	if t == nil {
		return 0
	}
	return t.AsTime().UnixMilli()
}

// tellSupply is a fact about supplies in one line; "" for another.
func tellSupply(f domain.StockFact) string {
	switch f := f.(type) {
	case domain.SupplyChanged:
		text := fmt.Sprintf("SUPPLY %s %s of ASN %s line %d because %s", f.Change, f.Unit, f.ASN, f.Line, f.Reason)
		if f.Expected != 0 {
			text += ", expected " + time.UnixMilli(f.Expected).UTC().Format(time.RFC3339)
		}
		return text
	case domain.SupplyPromised:
		return fmt.Sprintf("PROMISED %s %s of what is to come to %s", f.Change, f.Unit, f.Promise)
	case domain.SupplyPromiseDated:
		when := "unknown"
		if at := f.Complete(); !at.IsZero() {
			when = at.Format(time.RFC3339)
		} else if f.Uncovered.IsZero() {
			when = "here"
		}
		return fmt.Sprintf("DATED %s: %s because %s", f.Cover.Key, when, f.Reason)
	}
	return ""
}

// PromiseSupplies promises what is to come.
func (s *Server) PromiseSupplies(ctx context.Context, r *imv1.PromiseSuppliesRequest) (*imv1.PromiseSuppliesResponse, error) {
	wanted := make([]app.SupplyClaim, len(r.GetClaims()))
	for i, c := range r.GetClaims() {
		q, err := protovalue.FromQuantity(c.GetQuantity(), fmt.Sprintf("claims[%d].quantity", i))
		if err != nil {
			return nil, err
		}
		wanted[i] = app.SupplyClaim{
			Key: c.GetPromiseKey(), Site: c.GetSite(), Item: c.GetItemId(), Owner: c.GetOwner(), Quantity: q, Partial: c.GetAllowPartial(), LeaveStock: c.GetLeaveStock(),
		}
	}
	grants, err := s.App.PromiseSupplies(ctx, wanted)
	if err != nil {
		return nil, err
	}
	resp := &imv1.PromiseSuppliesResponse{}
	for i, g := range grants {
		c := wanted[i]
		m := &imv1.SupplyGrant{
			PromiseKey: c.Key, Site: c.Site, ItemId: c.Item, Promised: protovalue.Quantity(g.Promised), HorizonTime: protovalue.Time(g.Horizon),
		}
		if g.Why != "" {
			m.Reason = &commonv1.Reason{
				Code: g.Why, Field: fmt.Sprintf("claims[%d]", i), Message: fmt.Sprintf("%s of %s are promised", g.Promised.Value, c.Quantity.Value),
			}
		}
		resp.Grants = append(resp.Grants, m)
	}
	return resp, nil
}

// CheckAvailability says what can be promised by when.
func (s *Server) CheckAvailability(ctx context.Context, r *imv1.CheckAvailabilityRequest) (*imv1.CheckAvailabilityResponse, error) {
	q, err := optional(r.GetQuantity(), "quantity")
	if err != nil {
		return nil, err
	}
	a, err := s.App.CheckAvailability(ctx, target(r), q, s.Clock.Now())
	if err != nil {
		return nil, err
	}
	resp := &imv1.CheckAvailabilityResponse{
		Unit: a.Stock.Key.Unit, OnHand: a.Figures.OnHand.String(), Allocated: a.Figures.Allocated.String(), Promised: a.Figures.Promised.String(),
		PromisedByDate: a.Stock.Awaited("").String(), AvailableToPromise: a.Figures.ATP.String(), HorizonTime: protovalue.Time(a.Horizon),
		AvailableTime: protovalue.Time(a.By),
	}
	for _, d := range a.Dates {
		resp.Dates = append(resp.Dates, &imv1.DatedAvailability{
			Time: fromMillis(d.At), Supply: d.Supply.String(), Demand: d.Demand.String(), CumulativeAvailable: d.Cumulative.String(),
		})
	}
	for _, u := range a.Stock.Supplies {
		resp.Supplies = append(resp.Supplies, &imv1.DatedSupply{
			InboundDeliveryId: u.Delivery, AsnNumber: u.ASN, Quantity: u.Quantity.String(), ExpectedTime: fromMillis(u.Expected),
			Arrived: u.Arrived, Overdue: u.Overdue,
		})
	}
	return resp, nil
}

// RescheduleInboundDelivery records that a delivery is expected at another time.
func (s *Server) RescheduleInboundDelivery(ctx context.Context, r *imv1.RescheduleInboundDeliveryRequest) (*imv1.RescheduleInboundDeliveryResponse, error) {
	receipt, err := s.Inbound.Reschedule(ctx, r.GetInboundDeliveryId(), protovalue.FromTime(r.GetExpectedTime()), r.GetReason())
	return &imv1.RescheduleInboundDeliveryResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}
