package adapter

import (
	"cmp"

	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	imv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// stockReaders reads every fact type that a stock may have.
var stockReaders = func() protovalue.Readers[domain.StockFact] {
	rs := protovalue.Readers[domain.StockFact]{}
	protovalue.Read(rs, fromStockWord)
	protovalue.Read(rs, func(m *imv1.StockMoved) (domain.StockFact, error) {
		q, err := quantity.Parse(m.GetQuantity())
		if err != nil {
			return nil, err
		}
		used, err := quantity.Parse(cmp.Or(m.GetAllocationUsed(), "0"))
		return domain.StockMoved{
			StockKey: fromStockKey(m.GetStock()), Type: fromMovement(m.GetType()), From: fromPlace(m.GetFrom()), To: fromPlace(m.GetTo()),
			Quantity: q, Reason: m.GetReason(), Order: m.GetWarehouseOrderId(), Line: int(m.GetLineNumber()), Used: used,
			RMA: m.GetRmaId(), Count: m.GetCountId(), Transfer: m.GetTransferId(), At: protovalue.FromTime(m.GetEventTime()),
			Reverses: domain.MoveRef{Version: uint64(m.GetReversedVersion()), Index: int(m.GetReversedIndex())},
		}, err
	})
	protovalue.Read(rs, func(m *imv1.ReturnReceived) (domain.StockFact, error) {
		q, err := protovalue.StoredQuantity(m.GetQuantity())
		return domain.ReturnReceived{
			StockKey: fromStockKey(m.GetStock()), RMA: m.GetRmaId(), RMALine: int(m.GetRmaLineNumber()), Place: fromPlace(m.GetPlace()),
			Quantity: q.Value, At: protovalue.FromTime(m.GetEventTime()),
		}, err
	})
	protovalue.Read(rs, func(m *imv1.StockReserved) (domain.StockFact, error) {
		c, err := fromClaim(m)
		f := domain.StockReserved{StockKey: fromStockKey(m.GetStock()), Claim: c, Priority: int(m.GetPriority()), Promise: m.GetPromiseKey()}
		if m.GetExpiresTime() != nil {
			f.Expires = protovalue.FromTime(m.GetExpiresTime()).UnixMilli()
		}
		return f, err
	})
	protovalue.Read(rs, func(m *imv1.ReservationReleased) (domain.StockFact, error) {
		c, err := fromClaim(m)
		return domain.ReservationReleased{
			StockKey: fromStockKey(m.GetStock()), Claim: c, Reason: fromReleaseReason(m.GetReason()), By: m.GetDisplacedBy(),
		}, err
	})
	protovalue.Read(rs, func(m *imv1.ReservationConfirmed) (domain.StockFact, error) {
		c, err := fromClaim(m)
		return domain.ReservationConfirmed{StockKey: fromStockKey(m.GetStock()), Claim: c}, err
	})
	protovalue.Read(rs, func(m *imv1.StockAllocated) (domain.StockFact, error) {
		f := domain.StockAllocated{StockKey: fromStockKey(m.GetStock()), Order: m.GetWarehouseOrderId(), Line: int(m.GetLineNumber())}
		var err error
		if f.Claims, err = protovalue.TryEach(m.GetClaims(), fromClaimUse); err != nil {
			return nil, err
		}
		f.Parts, err = protovalue.TryEach(m.GetAllocations(), func(a *imv1.Allocation) (domain.Allocation, error) {
			q, err := quantity.Parse(a.GetQuantity())
			return domain.Allocation{Order: f.Order, Line: f.Line, Place: fromPlace(a.GetPlace()), Quantity: q}, err
		})
		return f, err
	})
	protovalue.Read(rs, func(m *imv1.AllocationFreed) (domain.StockFact, error) {
		q, err := quantity.Parse(m.GetQuantity())
		return domain.AllocationFreed{StockKey: fromStockKey(m.GetStock()), Order: m.GetWarehouseOrderId(), Line: int(m.GetLineNumber()), Quantity: q}, err
	})
	protovalue.Read(rs, func(m *imv1.SerialClaimVoided) (domain.StockFact, error) {
		return domain.SerialClaimVoided{StockKey: fromStockKey(m.GetStock()), Serial: m.GetSerial(), Claim: int(m.GetClaim())}, nil
	})
	readSupplies(rs)
	return rs
}()

// ofClaim is a stored fact about one claim.
type ofClaim interface {
	GetClaimKey() string
	GetQuantity() string
}

func fromClaim(m ofClaim) (domain.Claim, error) {
	q, err := quantity.Parse(m.GetQuantity())
	return domain.Claim{Key: m.GetClaimKey(), Quantity: q}, err
}

// orderReaders reads every fact type that a warehouse order may have.
var orderReaders = func() protovalue.Readers[domain.OrderFact] {
	rs := protovalue.Readers[domain.OrderFact]{}
	protovalue.Read(rs, func(m *imv1.WarehouseOrderCreated) (domain.OrderFact, error) { return fromCreated(m) })
	protovalue.Read(rs, func(m *imv1.WarehouseOrderAllocated) (domain.OrderFact, error) {
		f := domain.OrderAllocated{OrderKeys: fromOrderKeys(m.GetKeys())}
		var err error
		if f.Tasks, err = protovalue.TryEach(m.GetTasks(), fromTask); err != nil {
			return nil, err
		}
		f.Lacks, err = protovalue.TryEach(m.GetShortages(), fromShortage)
		return f, err
	})
	protovalue.Read(rs, func(m *imv1.WarehouseOrderAcknowledged) (domain.OrderFact, error) {
		return domain.OrderAcknowledged{OrderKeys: fromOrderKeys(m.GetKeys())}, nil
	})
	protovalue.Read(rs, func(m *imv1.PickConfirmed) (domain.OrderFact, error) {
		lines, err := fromPickedLines(m.GetLines())
		return domain.PickConfirmed{
			OrderKeys: fromOrderKeys(m.GetKeys()), Site: m.GetSite(), Owner: m.GetOwner(), Lines: lines, At: protovalue.FromTime(m.GetEventTime()),
		}, err
	})
	protovalue.Read(rs, func(m *imv1.PickShorted) (domain.OrderFact, error) {
		lines, err := fromPickedLines(m.GetLines())
		return domain.PickShorted{
			OrderKeys: fromOrderKeys(m.GetKeys()), Site: m.GetSite(), Owner: m.GetOwner(), Lines: lines,
			Damaged: m.GetReason() == imv1.ShortReason_SHORT_REASON_DAMAGED, At: protovalue.FromTime(m.GetEventTime()),
		}, err
	})
	protovalue.Read(rs, func(m *imv1.ReportContradicted) (domain.OrderFact, error) {
		lines, err := fromPickedLines(m.GetLines())
		return domain.ReportContradicted{
			OrderKeys: fromOrderKeys(m.GetKeys()), Site: m.GetSite(), Owner: m.GetOwner(), Reason: fromContradicts(m.GetReason()),
			Report: domain.Report{
				Kind: fromReportKind(m.GetReport()), Lines: lines, Damaged: m.GetShortReason() == imv1.ShortReason_SHORT_REASON_DAMAGED,
				At: protovalue.FromTime(m.GetEventTime()), By: m.GetReportedBy(), Source: guard.SourceRef(m.GetSource()),
			},
		}, err
	})
	protovalue.Read(rs, func(m *imv1.CartonPacked) (domain.OrderFact, error) {
		c, err := fromCarton(m.GetCarton())
		return domain.CartonPacked{OrderKeys: fromOrderKeys(m.GetKeys()), Carton: c}, err
	})
	protovalue.Read(rs, func(m *imv1.GoodsIssued) (domain.OrderFact, error) {
		f := domain.GoodsIssued{
			OrderKeys: fromOrderKeys(m.GetKeys()), Site: m.GetSite(), Owner: m.GetOwner(), Weight: m.GetGrossWeightGrams(),
			At: protovalue.FromTime(m.GetIssuedTime()), Number: int(m.GetIssueNumber()),
		}
		var err error
		if f.Lines, err = fromPickedLines(m.GetLines()); err != nil {
			return nil, err
		}
		f.Cartons, err = protovalue.TryEach(m.GetCartons(), fromCarton)
		return f, err
	})
	protovalue.Read(rs, fromOrderWord)
	readRecall(rs)
	readAmendments(rs)
	readReversal(rs)
	protovalue.Read(rs, func(m *imv1.WarehouseOrderWaved) (domain.OrderFact, error) {
		return domain.OrderWaved{OrderKeys: fromOrderKeys(m.GetKeys()), Wave: m.GetWaveId()}, nil
	})
	protovalue.Read(rs, func(m *imv1.WarehouseOrderUnwaved) (domain.OrderFact, error) {
		return domain.OrderUnwaved{OrderKeys: fromOrderKeys(m.GetKeys()), Wave: m.GetWaveId()}, nil
	})
	return rs
}()

func fromCreated(m *imv1.WarehouseOrderCreated) (domain.OrderCreated, error) {
	f := domain.OrderCreated{
		OrderKeys: fromOrderKeys(m.GetKeys()), Site: m.GetSite(), Owner: m.GetOwner(), ShipTo: fromAddress(m.GetShipTo()),
		Carrier: m.GetCarrierPreference(), Service: m.GetServiceLevel(), Shipped: protovalue.Name(m.GetShippedPolicy(), shippedPrefix),
	}
	var err error
	f.Lines, err = protovalue.TryEach(m.GetLines(), func(l *imv1.WarehouseOrderLineToShip) (domain.OrderLine, error) {
		out := domain.OrderLine{Number: int(l.GetLineNumber()), Item: l.GetItemId(), SKU: l.GetSku()}
		var err error
		if out.Quantity, err = protovalue.StoredQuantity(l.GetQuantity()); err != nil {
			return out, err
		}
		out.Claims, err = protovalue.TryEach(l.GetClaims(), fromClaimUse)
		return out, err
	})
	return f, err
}

// numbersReaders reads the fact type of numbers.
var numbersReaders = func() protovalue.Readers[domain.NumbersFact] {
	rs := protovalue.Readers[domain.NumbersFact]{}
	protovalue.Read(rs, func(m *imv1.NumbersTaken) (domain.NumbersFact, error) {
		return domain.NumbersTaken{Prefix: m.GetCompanyPrefix(), First: m.GetFirst(), Last: m.GetLast()}, nil
	})
	return rs
}()

// ssccReaders reads the fact type of an SSCC that a warehouse gave itself.
var ssccReaders = func() protovalue.Readers[domain.SSCCClaimed] {
	rs := protovalue.Readers[domain.SSCCClaimed]{}
	protovalue.Read(rs, func(m *imv1.SsccClaimed) (domain.SSCCClaimed, error) {
		return domain.SSCCClaimed{SSCC: m.GetSscc(), Order: cmp.Or(m.GetWarehouseOrderId(), m.GetHandlingUnitId())}, nil
	})
	return rs
}()
