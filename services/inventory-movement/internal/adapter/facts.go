package adapter

import (
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	imv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// stockMessage is a fact of a stock as it is stored and published.
func stockMessage(f domain.StockFact) proto.Message {
	switch f := f.(type) {
	case domain.StockMoved:
		m := &imv1.StockMoved{
			Stock: stockKey(f.StockKey), Type: movement(f.Type), From: place(f.From), To: place(f.To), Quantity: f.Quantity.String(),
			Reason: f.Reason, WarehouseOrderId: f.Order, LineNumber: int32(f.Line), RmaId: f.RMA, CountId: f.Count, TransferId: f.Transfer, EventTime: protovalue.Time(f.At),
		}
		m.ReversedVersion, m.ReversedIndex = int64(f.Reverses.Version), int32(f.Reverses.Index)
		if !f.Used.IsZero() {
			m.AllocationUsed = f.Used.String()
		}
		return m
	case domain.ReturnReceived:
		return &imv1.ReturnReceived{
			Stock: stockKey(f.StockKey), RmaId: f.RMA, RmaLineNumber: int32(f.RMALine), Quantity: amount(f.Quantity, f.Unit),
			Place: place(f.Place), EventTime: protovalue.Time(f.At),
		}
	case domain.StockReserved:
		m := &imv1.StockReserved{Stock: stockKey(f.StockKey), ClaimKey: f.Claim.Key, Quantity: f.Quantity.String(), Priority: int32(f.Priority), PromiseKey: f.Promise}
		if f.Expires != 0 {
			m.ExpiresTime = protovalue.Time(time.UnixMilli(f.Expires))
		}
		return m
	case domain.ReservationReleased:
		return &imv1.ReservationReleased{
			Stock: stockKey(f.StockKey), ClaimKey: f.Claim.Key, Quantity: f.Quantity.String(), Reason: releaseReason(f.Reason), DisplacedBy: f.By,
		}
	case domain.ReservationConfirmed:
		return &imv1.ReservationConfirmed{Stock: stockKey(f.StockKey), ClaimKey: f.Claim.Key, Quantity: f.Quantity.String()}
	case domain.StockAllocated:
		return &imv1.StockAllocated{
			Stock: stockKey(f.StockKey), WarehouseOrderId: f.Order, LineNumber: int32(f.Line), Claims: protovalue.Each(f.Claims, claimUse),
			Allocations: protovalue.Each(f.Parts, func(a domain.Allocation) *imv1.Allocation {
				return &imv1.Allocation{Place: place(a.Place), Quantity: a.Quantity.String()}
			}),
		}
	case domain.StockWordObserved:
		return stockWord(f)
	case domain.SerialClaimVoided:
		return &imv1.SerialClaimVoided{Stock: stockKey(f.StockKey), Serial: f.Serial, Claim: int64(f.Claim)}
	case domain.AllocationFreed:
		return &imv1.AllocationFreed{Stock: stockKey(f.StockKey), WarehouseOrderId: f.Order, LineNumber: int32(f.Line), Quantity: f.Quantity.String()}
	}
	return supplyMessage(f)
}

// orderMessage is a fact of a warehouse order as it is stored and published.
func orderMessage(f domain.OrderFact) proto.Message {
	switch f := f.(type) {
	case domain.OrderCreated:
		return &imv1.WarehouseOrderCreated{
			Keys: orderKeys(f.OrderKeys), Site: f.Site, Owner: f.Owner, ShipTo: address(f.ShipTo),
			CarrierPreference: f.Carrier, ServiceLevel: f.Service, ShippedPolicy: shippedPolicy(f.Shipped),
			Lines: protovalue.Each(f.Lines, func(l domain.OrderLine) *imv1.WarehouseOrderLineToShip {
				return &imv1.WarehouseOrderLineToShip{
					LineNumber: int32(l.Number), ItemId: l.Item, Sku: l.SKU, Quantity: protovalue.Quantity(l.Quantity), Claims: protovalue.Each(l.Claims, claimUse),
				}
			}),
		}
	case domain.OrderAllocated:
		return &imv1.WarehouseOrderAllocated{
			Keys: orderKeys(f.OrderKeys), Tasks: protovalue.Each(f.Tasks, task), Shortages: protovalue.Each(f.Lacks, shortage),
		}
	case domain.OrderAcknowledged:
		return &imv1.WarehouseOrderAcknowledged{Keys: orderKeys(f.OrderKeys)}
	case domain.PickConfirmed:
		return &imv1.PickConfirmed{
			Keys: orderKeys(f.OrderKeys), Lines: pickedLines(f.Lines), EventTime: protovalue.Time(f.At), Site: f.Site, Owner: f.Owner,
		}
	case domain.PickShorted:
		return &imv1.PickShorted{
			Keys: orderKeys(f.OrderKeys), Lines: pickedLines(f.Lines), Reason: shortReason(f.Damaged), EventTime: protovalue.Time(f.At),
			Site: f.Site, Owner: f.Owner,
		}
	case domain.ReportContradicted:
		return contradictedReport(f)
	case domain.CartonPacked:
		return &imv1.CartonPacked{Keys: orderKeys(f.OrderKeys), Carton: carton(f.Carton)}
	case domain.GoodsIssued:
		return &imv1.GoodsIssued{
			Keys: orderKeys(f.OrderKeys), Lines: pickedLines(f.Lines), Cartons: protovalue.Each(f.Cartons, carton), GrossWeightGrams: f.Weight,
			IssuedTime: protovalue.Time(f.At), Site: f.Site, Owner: f.Owner, IssueNumber: int32(f.Number),
		}
	case domain.OrderWaved:
		return &imv1.WarehouseOrderWaved{Keys: orderKeys(f.OrderKeys), WaveId: f.Wave}
	case domain.OrderUnwaved:
		return &imv1.WarehouseOrderUnwaved{Keys: orderKeys(f.OrderKeys), WaveId: f.Wave}
	case domain.OrderCancelled:
		return &imv1.WarehouseOrderCancelled{
			Keys: orderKeys(f.OrderKeys), Reason: f.Reason, PutBack: pickedLines(f.PutBack), VoidedSsccs: f.Voided,
		}
	case domain.OrderWordObserved:
		return orderWord(f)
	case domain.CancelRefused:
		return &imv1.WarehouseOrderCancelRefused{Keys: orderKeys(f.OrderKeys), Reason: f.Reason}
	}
	if m := amendmentMessage(f); m != nil {
		return m
	}
	return recallMessage(f)
}

func contradictedReport(f domain.ReportContradicted) *imv1.ReportContradicted {
	m := &imv1.ReportContradicted{
		Keys: orderKeys(f.OrderKeys), Site: f.Site, Owner: f.Owner, Reason: contradicts(f.Reason), Report: reportKind(f.Kind),
		Lines: pickedLines(f.Lines), EventTime: protovalue.Time(f.At), ReportedBy: f.By, Source: guard.SourceProto(f.Source),
	}
	if f.Kind == domain.ShortReport {
		m.ShortReason = shortReason(f.Damaged)
	}
	return m
}

// numbersMessage is a fact of the numbers handed out as it is stored.
func numbersMessage(f domain.NumbersFact) proto.Message {
	if f, ok := f.(domain.NumbersTaken); ok {
		return &imv1.NumbersTaken{CompanyPrefix: f.Prefix, First: f.First, Last: f.Last}
	}
	return nil
}

// ssccMessage is the fact of an SSCC that a warehouse gave itself.
func ssccMessage(f domain.SSCCClaimed) proto.Message {
	if strings.HasPrefix(f.Order, unitPrefix) {
		return &imv1.SsccClaimed{Sscc: f.SSCC, HandlingUnitId: f.Order}
	}
	return &imv1.SsccClaimed{Sscc: f.SSCC, WarehouseOrderId: f.Order}
}
