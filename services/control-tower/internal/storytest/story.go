// Package storytest makes the facts of whole orders, as the services publish them, for tests:
// from the order to the paid freight invoice and a return, with ids, keys and causes that
// hang together. Several orders of one story share an item, its stock and an invoice.
package storytest

import (
	"fmt"
	"hash/crc32"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/lockstep-logistics/lockstep/libs/bus"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	freightv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/freightsettlement/v1"
	integrationv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/integration/v1"
	inventoryv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	orderv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	returnsv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/returns/v1"
	shipmentv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/shipmentvisibility/v1"
)

// Services that own the facts of a story.
const (
	Orders    = "order-release"
	Inventory = "inventory-movement"
	Shipments = "shipment-visibility"
	Freight   = "freight-settlement"
	Returns   = "returns"

	Integration = "integration"
)

// Commit is one commit of one aggregate.
type Commit struct {
	Service, Type, ID string
	Version           uint64
	Previous          uint64
	Facts             []proto.Message
	Causation         string // event id of the fact behind it; empty for a command
	Message           string // id of the message that reported it; empty for none
	Recorded          time.Time
}

// Story is what happened, in the order in which it happened.
type Story struct {
	Tenant  string
	Commits []Commit

	versions map[string]uint64
	now      time.Time
	document string // event id behind the orders that come next
	message  string
}

// New begins a story.
func New(tenant string) *Story {
	return &Story{Tenant: tenant, versions: map[string]uint64{}, now: time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)}
}

// add appends a commit a minute after the last one and returns the event id of its last fact.
func (s *Story) add(service, typ, id, cause string, facts ...proto.Message) string {
	s.versions[id]++
	s.now = s.now.Add(time.Minute)
	v := s.versions[id]
	s.Commits = append(s.Commits, Commit{
		Service: service, Type: typ, ID: id, Version: v, Previous: v - 1, Facts: facts, Causation: cause, Message: s.message, Recorded: s.now,
	})
	return bus.EventID(id, v, len(facts)-1)
}

// Envelopes are the facts of a story as a consumer gets them.
func (s *Story) Envelopes() []bus.Fact {
	var out []bus.Fact
	for _, c := range s.Commits {
		for i, m := range c.Facts {
			name, data, err := protovalue.Encode(m)
			if err != nil {
				panic(err) // generated messages of this package
			}
			out = append(out, bus.Fact{
				ID: bus.EventID(c.ID, c.Version, i), Service: c.Service, AggregateType: c.Type, Tenant: s.Tenant, AggregateID: c.ID,
				Version: c.Version, Previous: c.Previous, Index: i, Count: len(c.Facts), Type: name, Data: data, Recorded: c.Recorded,
				Correlation: "story", Causation: c.Causation, Principal: "tester",
				Source: ident.SourceRef{MessageID: c.Message},
			})
		}
	}
	return out
}

// Import makes the orders that are shipped next come out of one document.
func (s *Story) Import(message string) string {
	id := ident.Derive("doc", s.Tenant, "erp", "message", message)
	s.document = s.add(Integration, "document", id, "",
		&integrationv1.DocumentReceived{DocumentId: id, MessageId: message, ReceivedTime: timestamppb.New(s.now)})
	s.message = message
	return id
}

// Names are the keys of one order.
type Names struct {
	Number, PO, SSCC, BOL, PRO, Tracking, RMANumber, CreditMemo string
	Order, Release, WarehouseOrder, Shipment, Freight, RMA      string
}

// Of returns the names that Walk gives the order of a number.
func Of(tenant, number string) Names {
	order := ident.Derive("ord", tenant, number)
	return Names{
		Number: number, PO: "PO " + number, SSCC: fmt.Sprintf("34012345%010d", crc32.ChecksumIEEE([]byte(number))),
		BOL: "BOL-" + number, PRO: "PRO-" + number, Tracking: "TRK-" + number, RMANumber: "RMA-" + number, CreditMemo: "CM-" + number,
		Order: order, Release: order + "-R1", WarehouseOrder: ident.Derive("who", tenant, number),
		Shipment: ident.Derive("shp", tenant, number), Freight: ident.Derive("frt", tenant, number), RMA: ident.Derive("rma", tenant, number),
	}
}

// SKU is the item of every order of a story.
const SKU = "TEA-500"

// StockID is where the item of every order of the tenant lies.
func StockID(tenant string) string { return ident.Derive("stk", tenant, "DC1", SKU) }

func each(n int) *commonv1.Quantity {
	return &commonv1.Quantity{Value: fmt.Sprint(n), Unit: "EA"}
}

func euro(cents int64) *commonv1.Money { return &commonv1.Money{AmountMinor: cents, Currency: "EUR"} }

// Ship takes an order of 12 pieces from receipt to delivery and the final accrual.
func (s *Story) Ship(number string) Names {
	n := Of(s.Tenant, number)
	released := s.order(n)
	s.message = ""
	picked := s.pick(n, released)
	s.ship(n, picked)
	return n
}

// GiveUp takes an order until its attempt to get stock was given up and the claim given back.
func (s *Story) GiveUp(number string) Names {
	n := Of(s.Tenant, number)
	asked := s.ask(n)
	claim, stock := s.claimKey(n), StockID(s.Tenant)
	s.add(Inventory, "stock", stock, asked, &inventoryv1.StockReserved{Stock: stockKey(s.Tenant), ClaimKey: claim, Quantity: "12"})
	closed := s.add(Orders, "order", n.Order, "", &orderv1.PromiseClosed{
		OrderId: n.Order, OrderNumber: n.Number, Attempt: 1, GiveBack: []*orderv1.ClaimRef{{ClaimKey: claim, StockId: stock, Site: "DC1"}},
	})
	s.add(Inventory, "stock", stock, closed, &inventoryv1.ReservationReleased{Stock: stockKey(s.Tenant), ClaimKey: claim, Quantity: "12"})
	return n
}

// claimKey is the order's claim on its item's stock.
func (s *Story) claimKey(n Names) string {
	return fmt.Sprintf("clm:%s:1:%s", n.Order, StockID(s.Tenant))
}

// ask takes an order from receipt to the request for stock.
func (s *Story) ask(n Names) string {
	stock, claim := StockID(s.Tenant), s.claimKey(n)
	lines := []*orderv1.LineQuantity{{LineNumber: 1, Quantity: each(12)}}
	s.add(Orders, "order", n.Order, s.document,
		&orderv1.OrderReceived{
			OrderId: n.Order, Revision: 1, ReceivedTime: timestamppb.New(s.now),
			Document: &orderv1.OrderDocument{SourceSystem: "erp", OrderNumber: n.Number, PurchaseOrder: n.PO},
		},
		&orderv1.OrderValidated{OrderId: n.Order, OrderNumber: n.Number, Revision: 1, LineCount: 1})
	return s.add(Orders, "order", n.Order, "", &orderv1.PromiseRequested{
		OrderId: n.Order, OrderNumber: n.Number, Attempt: 1,
		Claims: []*orderv1.Claim{{ClaimKey: claim, StockId: stock, Site: "DC1", Quantity: each(12), Lines: lines}},
	})
}

func (s *Story) order(n Names) string {
	asked := s.ask(n)
	stock, claim := StockID(s.Tenant), s.claimKey(n)
	reserved := s.add(Inventory, "stock", stock, asked, &inventoryv1.StockReserved{Stock: stockKey(s.Tenant), ClaimKey: claim, Quantity: "12"})
	s.add(Orders, "order", n.Order, reserved, &orderv1.LinesPromised{
		OrderId: n.Order, OrderNumber: n.Number, Attempt: 1,
		Lines: []*orderv1.PromisedLine{{LineNumber: 1, Quantity: each(12), ClaimKey: claim}},
	})
	return s.add(Orders, "order", n.Order, "", &orderv1.OrderReleased{
		OrderId: n.Order, OrderNumber: n.Number, PurchaseOrder: n.PO, ReleaseId: n.Release, ReleaseVersion: 1, Site: "DC1",
		Lines: []*orderv1.ReleaseLine{{LineNumber: 1, Sku: SKU, Quantity: each(12)}},
	})
}

func stockKey(tenant string) *inventoryv1.StockKey {
	return &inventoryv1.StockKey{StockId: StockID(tenant), Site: "DC1", Sku: SKU, Owner: "OWN", Unit: "EA"}
}

func (s *Story) pick(n Names, released string) string {
	keys := &inventoryv1.WarehouseOrderKeys{
		WarehouseOrderId: n.WarehouseOrder, OrderId: n.Order, OrderNumber: n.Number, ReleaseId: n.Release, ReleaseVersion: 1,
	}
	lines := []*inventoryv1.WarehouseLineQuantity{{LineNumber: 1, Quantity: each(12), Sku: SKU}}
	carton := &inventoryv1.Carton{Sscc: n.SSCC, GrossWeightGrams: 6400, Lines: lines}
	created := s.add(Inventory, "warehouse_order", n.WarehouseOrder, released, &inventoryv1.WarehouseOrderCreated{
		Keys: keys, Site: "DC1", Lines: []*inventoryv1.WarehouseOrderLineToShip{{LineNumber: 1, Sku: SKU, Quantity: each(12)}},
	})
	s.add(Shipments, "shipment", n.Shipment, created, &shipmentv1.ShipmentPlanned{
		ShipmentId: n.Shipment, OrderId: n.Order, OrderNumber: n.Number, ReleaseId: n.Release, WarehouseOrderId: n.WarehouseOrder, Site: "DC1",
	})
	s.add(Inventory, "stock", StockID(s.Tenant), created, &inventoryv1.StockAllocated{
		Stock: stockKey(s.Tenant), WarehouseOrderId: n.WarehouseOrder, LineNumber: 1, Allocations: []*inventoryv1.Allocation{{Quantity: "12"}},
		Claims: []*inventoryv1.ClaimUse{{ClaimKey: s.claimKey(n), Quantity: "12"}},
	})
	happened := timestamppb.New(s.now.Add(-30 * time.Second))
	picked := s.add(Inventory, "warehouse_order", n.WarehouseOrder, "", &inventoryv1.PickConfirmed{Keys: keys, Lines: lines, EventTime: happened})
	s.add(Inventory, "stock", StockID(s.Tenant), picked, &inventoryv1.StockMoved{
		Stock: stockKey(s.Tenant), Quantity: "12", WarehouseOrderId: n.WarehouseOrder, LineNumber: 1,
	})
	s.add(Inventory, "warehouse_order", n.WarehouseOrder, "", &inventoryv1.CartonPacked{Keys: keys, Carton: carton})
	return s.add(Inventory, "warehouse_order", n.WarehouseOrder, "", &inventoryv1.GoodsIssued{
		Keys: keys, Lines: lines, Cartons: []*inventoryv1.Carton{carton}, GrossWeightGrams: 6400, IssuedTime: timestamppb.New(s.now),
	})
}

func (s *Story) ship(n Names, issued string) {
	lines := []*shipmentv1.ShipmentLine{{LineNumber: 1, Sku: SKU, Quantity: each(12)}}
	s.add(Orders, "order", n.Order, issued, &orderv1.LinesIssued{
		OrderId: n.Order, OrderNumber: n.Number, ReleaseId: n.Release, Lines: []*orderv1.LineQuantity{{LineNumber: 1, Quantity: each(12)}},
	})
	s.add(Shipments, "shipment", n.Shipment, issued, &shipmentv1.ShipmentReady{
		ShipmentId: n.Shipment, Units: []*shipmentv1.HandlingUnit{{Sscc: n.SSCC, Lines: lines}}, Lines: lines,
	})
	accepted := s.add(Shipments, "shipment", n.Shipment, "", &shipmentv1.TenderAccepted{
		ShipmentId: n.Shipment, TenderNumber: 1, Carrier: "UPSN", OrderId: n.Order, OrderNumber: n.Number,
	})
	rating := &freightv1.Rating{
		Carrier: "UPSN", Total: euro(11300),
		Charges: []*freightv1.Charge{{Code: "BASE", Amount: euro(10000)}, {Code: "FUEL", Amount: euro(1300)}},
	}
	s.add(Freight, "freight", n.Freight, accepted, &freightv1.FreightEstimated{
		FreightId: n.Freight, ShipmentId: n.Shipment, OrderId: n.Order, OrderNumber: n.Number, Rating: rating,
	})
	dispatched := s.add(Shipments, "shipment", n.Shipment, "", &shipmentv1.ShipmentDispatched{
		ShipmentId: n.Shipment, OrderId: n.Order, OrderNumber: n.Number, Carrier: "UPSN",
		BillOfLading: n.BOL, ProNumber: n.PRO, TrackingNumber: n.Tracking, DispatchedTime: timestamppb.New(s.now), Lines: lines,
	})
	s.add(Freight, "freight", n.Freight, dispatched, &freightv1.FreightAccrued{
		FreightId: n.Freight, ShipmentId: n.Shipment, OrderId: n.Order, OrderNumber: n.Number,
		ProNumber: n.PRO, BillOfLading: n.BOL, TrackingNumber: n.Tracking, Rating: rating,
	})
	s.add(Shipments, "shipment", n.Shipment, "", &shipmentv1.MilestoneRecorded{ShipmentId: n.Shipment, Milestone: &shipmentv1.Milestone{
		Code: shipmentv1.MilestoneCode_MILESTONE_CODE_DELIVERED, Classifier: shipmentv1.MilestoneClassifier_MILESTONE_CLASSIFIER_ACTUAL,
		EventTime: timestamppb.New(s.now), Place: "DEHAM",
	}}, &shipmentv1.ShipmentDelivered{
		ShipmentId: n.Shipment, OrderId: n.Order, OrderNumber: n.Number, ReleaseId: n.Release, Lines: lines, DeliveredTime: timestamppb.New(s.now),
	})
}

// Bill names an invoice of a tenant.
type Bill struct{ ID, Number, Voucher string }

// Invoice bills the freight of orders on one invoice, to payment.
func (s *Story) Invoice(number string, orders ...Names) Bill {
	b := Bill{ID: ident.Derive("inv", s.Tenant, "UPSN", number), Number: number, Voucher: "V-" + number}
	received, decided := []*freightv1.FreightInvoiceLine{}, []*freightv1.FreightInvoiceLine{}
	for _, n := range orders {
		line := &freightv1.FreightInvoiceLine{Reference: n.PRO, ChargeCode: "BASE", Amount: euro(10000)}
		received = append(received, line)
		line = proto.CloneOf(line)
		line.FreightId, line.Expected = n.Freight, euro(10000)
		decided = append(decided, line)
	}
	total := euro(int64(len(orders)) * 10000)
	s.add(Freight, "freight_invoice", b.ID, "", &freightv1.FreightInvoiceReceived{
		InvoiceId: b.ID, InvoiceNumber: number, Carrier: "UPSN", Lines: received, Total: total,
	})
	var freights []string
	for _, n := range orders {
		freights = append(freights, n.Freight)
	}
	asked := s.add(Freight, "freight_invoice", b.ID, "", &freightv1.MatchRequested{InvoiceId: b.ID, Attempt: 1, FreightIds: freights})
	for _, n := range orders {
		s.add(Freight, "freight", n.Freight, asked, &freightv1.ChargesClaimed{
			FreightId: n.Freight, InvoiceId: b.ID, Attempt: 1, ChargeCodes: []string{"BASE"}, ShipmentId: n.Shipment,
		})
	}
	approved := s.add(Freight, "freight_invoice", b.ID, "",
		&freightv1.MatchDecided{InvoiceId: b.ID, Attempt: 1, Lines: decided},
		&freightv1.FreightInvoiceApproved{InvoiceId: b.ID, InvoiceNumber: number, Attempt: 1, Lines: decided, Approved: total})
	for _, n := range orders {
		s.add(Freight, "freight", n.Freight, approved, &freightv1.ChargesSettled{
			FreightId: n.Freight, InvoiceId: b.ID, ShipmentId: n.Shipment, Paid: euro(10000),
		})
	}
	s.add(Freight, "freight_invoice", b.ID, "", &freightv1.VoucherPosted{InvoiceId: b.ID, VoucherNumber: b.Voucher})
	s.add(Freight, "freight_invoice", b.ID, "", &freightv1.FreightInvoicePaid{InvoiceId: b.ID, Amount: total})
	return b
}

// Return brings 2 pieces of an order back, to the credit.
func (s *Story) Return(n Names) {
	s.add(Returns, "rma", n.RMA, "", &returnsv1.ReturnRequested{RmaId: n.RMA, RmaNumber: n.RMANumber, OrderId: n.Order, OrderNumber: n.Number})
	s.add(Returns, "rma", n.RMA, "", &returnsv1.CreditConfirmed{
		RmaId: n.RMA, RmaNumber: n.RMANumber, OrderId: n.Order, OrderNumber: n.Number, CreditMemo: n.CreditMemo, Amount: euro(500),
	})
}
