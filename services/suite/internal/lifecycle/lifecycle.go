// Package lifecycle walks orders from submission to the paid freight invoice as fast as the
// suite lets it, over whichever door its connections lead to: the load of the benchmarks.
// Every wait is for a fact of another service; every command has a key of its own.
package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/lockstep-logistics/lockstep/libs/guard"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	freightsettlementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/freightsettlement/v1"
	inventorymovementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	orderreleasev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	shipmentvisibilityv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/shipmentvisibility/v1"
)

// Driver walks orders of one tenant.
type Driver struct {
	Dial func(service string) grpc.ClientConnInterface
	// Observe is told how long each command took; nil for nobody.
	Observe func(command string, took time.Duration)
	// Now tells the time of what is reported.
	Now func() time.Time
}

// Line is a line to order.
type Line struct {
	SKU      string
	Quantity int
}

// walk is one order on its way.
type walk struct {
	*Driver
	number string
	lines  []Line

	order, warehouse, shipment, freight, invoice string
	charges                                      []*freightsettlementv1.Charge
}

// Submit submits an order and returns its id.
func (d *Driver) Submit(ctx context.Context, number string, lines []Line) (string, error) {
	w := &walk{Driver: d, number: number, lines: lines}
	err := w.submit(ctx)
	return w.order, err
}

// Walk takes one order all the way: submitted, released, picked, packed, issued, tendered,
// dispatched, delivered, invoiced, approved, posted, paid, closed.
func (d *Driver) Walk(ctx context.Context, number string, lines []Line) error {
	w := &walk{Driver: d, number: number, lines: lines}
	for _, step := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"submit", w.submit}, {"warehouse", w.fulfil}, {"transport", w.transport}, {"settle", w.settle}, {"close", w.close},
	} {
		if err := step.do(ctx); err != nil {
			return fmt.Errorf("%s of %s: %w", step.name, number, err)
		}
	}
	return nil
}

// command runs one mutation under the key "<order number>:<name>" and tells how long it took.
func (w *walk) command(ctx context.Context, name string, do func(context.Context) error) error {
	ctx = metadata.AppendToOutgoingContext(ctx, guard.MetaKey, "walk:"+w.number+":"+name)
	begin := w.Now()
	err := do(ctx)
	if w.Observe != nil && err == nil {
		command, _, _ := strings.Cut(name, "#")
		w.Observe(command, w.Now().Sub(begin))
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// errNotYet says that what is waited for has not happened.
var errNotYet = errors.New("not yet")

// await asks until the answer is no longer errNotYet; a query that fails otherwise fails the walk.
func await(ctx context.Context, what string, ask func(context.Context) error) error {
	var last error
	for pause := 20 * time.Millisecond; ; pause = min(pause*3/2, 250*time.Millisecond) {
		err := ask(ctx)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, errNotYet):
			last = err
		default:
			return fmt.Errorf("waiting for %s (last: %w): %w", what, last, err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s (last: %w): %w", what, last, ctx.Err())
		case <-time.After(pause):
		}
	}
}

// Document is an order as the ERP has it.
func Document(number string, lines []Line) *orderreleasev1.OrderDocument {
	doc := &orderreleasev1.OrderDocument{
		SourceSystem: "erp", OrderNumber: number, SoldTo: &orderreleasev1.OrderParty{PartyCode: Customer, AddressCode: "MAIN"},
		Site: Site, Currency: "EUR", CarrierPreference: Carrier,
	}
	for i, l := range lines {
		doc.Lines = append(doc.Lines, &orderreleasev1.OrderLine{
			LineNumber: int32(i + 1), Sku: l.SKU, Quantity: pieces(l.Quantity), UnitPrice: "12.50",
		})
	}
	return doc
}

func (w *walk) submit(ctx context.Context) error {
	doc := Document(w.number, w.lines)
	client := orderreleasev1.NewOrderReleaseServiceClient(w.Dial("order-release"))
	return w.command(ctx, "SubmitOrder", func(ctx context.Context) error {
		resp, err := client.SubmitOrder(ctx, &orderreleasev1.SubmitOrderRequest{Order: doc})
		if w.order = resp.GetReceipt().GetId(); err == nil && resp.GetReceipt().GetState() == "REJECTED" {
			return fmt.Errorf("rejected: %v", resp.GetReceipt().GetReasons())
		}
		return err
	})
}

func pieces(n int) *commonv1.Quantity {
	return &commonv1.Quantity{Value: fmt.Sprint(n), Unit: "EA"}
}

// fulfil is the warehouse's part.
func (w *walk) fulfil(ctx context.Context) error {
	client := inventorymovementv1.NewInventoryMovementServiceClient(w.Dial("inventory-movement"))
	err := await(ctx, "allocation", func(ctx context.Context) error {
		if w.warehouse == "" {
			resp, err := client.ListWarehouseOrders(ctx, &inventorymovementv1.ListWarehouseOrdersRequest{OrderId: w.order})
			if err != nil || len(resp.GetWarehouseOrders()) == 0 {
				return errors.Join(err, errNotYet)
			}
			w.warehouse = resp.GetWarehouseOrders()[0].GetWarehouseOrderId()
		}
		resp, err := client.GetWarehouseOrder(ctx, &inventorymovementv1.GetWarehouseOrderRequest{WarehouseOrderId: w.warehouse})
		if err == nil && resp.GetWarehouseOrder().GetState() == inventorymovementv1.WarehouseOrderState_WAREHOUSE_ORDER_STATE_CREATED {
			return errNotYet
		}
		return err
	})
	if err != nil {
		return err
	}
	lines := make([]*inventorymovementv1.WarehouseLineQuantity, len(w.lines))
	for i, l := range w.lines {
		lines[i] = &inventorymovementv1.WarehouseLineQuantity{LineNumber: int32(i + 1), Quantity: pieces(l.Quantity)}
	}
	return w.all(ctx,
		step{"AcknowledgeWarehouseOrder", func(ctx context.Context) error {
			_, err := client.AcknowledgeWarehouseOrder(ctx, &inventorymovementv1.AcknowledgeWarehouseOrderRequest{WarehouseOrderId: w.warehouse})
			return err
		}},
		step{"ConfirmPicks", func(ctx context.Context) error {
			_, err := client.ConfirmPicks(ctx, &inventorymovementv1.ConfirmPicksRequest{WarehouseOrderId: w.warehouse, Lines: lines})
			return err
		}},
		step{"PackCarton", func(ctx context.Context) error {
			_, err := client.PackCarton(ctx, &inventorymovementv1.PackCartonRequest{WarehouseOrderId: w.warehouse, Lines: lines, GrossWeightGrams: 4200})
			return err
		}},
		step{"PostGoodsIssue", func(ctx context.Context) error {
			_, err := client.PostGoodsIssue(ctx, &inventorymovementv1.PostGoodsIssueRequest{WarehouseOrderId: w.warehouse})
			return err
		}},
	)
}

type step struct {
	name string
	do   func(context.Context) error
}

func (w *walk) all(ctx context.Context, steps ...step) error {
	for _, s := range steps {
		if err := w.command(ctx, s.name, s.do); err != nil {
			return err
		}
	}
	return nil
}

// transport is the TMS's and the carrier's part.
func (w *walk) transport(ctx context.Context) error {
	client := shipmentvisibilityv1.NewShipmentVisibilityServiceClient(w.Dial("shipment-visibility"))
	err := await(ctx, "shipment", func(ctx context.Context) error {
		if w.shipment == "" {
			resp, err := client.ListShipments(ctx, &shipmentvisibilityv1.ListShipmentsRequest{OrderId: w.order})
			if err != nil || len(resp.GetShipments()) == 0 {
				return errors.Join(err, errNotYet)
			}
			w.shipment = resp.GetShipments()[0].GetShipmentId()
		}
		resp, err := client.GetShipment(ctx, &shipmentvisibilityv1.GetShipmentRequest{ShipmentId: w.shipment})
		if err == nil && len(resp.GetShipment().GetUnits()) == 0 {
			return errNotYet
		}
		return err
	})
	if err != nil {
		return err
	}
	return w.all(ctx,
		step{"TenderShipment", func(ctx context.Context) error {
			_, err := client.TenderShipment(ctx, &shipmentvisibilityv1.TenderShipmentRequest{
				ShipmentId: w.shipment, Carrier: Carrier, CarrierService: Service, RespondBy: timestamppb.New(w.Now().Add(time.Hour)),
			})
			return err
		}},
		step{"RespondTender", func(ctx context.Context) error {
			_, err := client.RespondTender(ctx, &shipmentvisibilityv1.RespondTenderRequest{ShipmentId: w.shipment, Carrier: Carrier, Accept: true})
			return err
		}},
		step{"DispatchShipment", func(ctx context.Context) error {
			_, err := client.DispatchShipment(ctx, &shipmentvisibilityv1.DispatchShipmentRequest{
				ShipmentId: w.shipment, BillOfLading: "BOL-" + w.number, ProNumber: w.pro(), Carrier: Carrier,
			})
			return err
		}},
		step{"RecordMilestones", func(ctx context.Context) error {
			_, err := client.RecordMilestones(ctx, &shipmentvisibilityv1.RecordMilestonesRequest{ShipmentId: w.shipment, Milestones: w.milestones()})
			return err
		}},
		step{"RecordProofOfDelivery", func(ctx context.Context) error {
			_, err := client.RecordProofOfDelivery(ctx, &shipmentvisibilityv1.RecordProofOfDeliveryRequest{
				ShipmentId: w.shipment, SignedBy: "R. Receiver", SignedTime: timestamppb.New(w.Now()),
			})
			return err
		}},
	)
}

func (w *walk) pro() string { return "PRO-" + w.number }

// milestones are the carrier's, in one report.
func (w *walk) milestones() []*shipmentvisibilityv1.Milestone {
	var out []*shipmentvisibilityv1.Milestone
	at := w.Now()
	for i, code := range []shipmentvisibilityv1.MilestoneCode{
		shipmentvisibilityv1.MilestoneCode_MILESTONE_CODE_DEPARTED,
		shipmentvisibilityv1.MilestoneCode_MILESTONE_CODE_OUT_FOR_DELIVERY,
		shipmentvisibilityv1.MilestoneCode_MILESTONE_CODE_DELIVERED,
	} {
		out = append(out, &shipmentvisibilityv1.Milestone{
			Code: code, Classifier: shipmentvisibilityv1.MilestoneClassifier_MILESTONE_CLASSIFIER_ACTUAL,
			EventTime: timestamppb.New(at.Add(time.Duration(i) * time.Second)), Place: "Hamburg", MessageId: fmt.Sprintf("%s-%d", w.number, i),
		})
	}
	return out
}

// settle is the carrier's invoice and finance's part.
func (w *walk) settle(ctx context.Context) error {
	client := freightsettlementv1.NewFreightSettlementServiceClient(w.Dial("freight-settlement"))
	err := await(ctx, "final freight", func(ctx context.Context) error {
		if w.freight == "" {
			resp, err := client.ListFreights(ctx, &freightsettlementv1.ListFreightsRequest{OrderId: w.order})
			if err != nil || len(resp.GetFreights()) == 0 {
				return errors.Join(err, errNotYet)
			}
			w.freight = resp.GetFreights()[0].GetFreightId()
		}
		resp, err := client.GetFreight(ctx, &freightsettlementv1.GetFreightRequest{FreightId: w.freight})
		if err == nil && resp.GetFreight().GetState() != freightsettlementv1.FreightState_FREIGHT_STATE_FINAL {
			return fmt.Errorf("freight is %s %v: %w", resp.GetFreight().GetState(), resp.GetFreight().GetReasons(), errNotYet)
		}
		w.charges = resp.GetFreight().GetCharges()
		return err
	})
	if err != nil {
		return err
	}
	var lines []*freightsettlementv1.FreightInvoiceLine
	for _, c := range w.charges {
		lines = append(lines, &freightsettlementv1.FreightInvoiceLine{Reference: w.pro(), ChargeCode: c.GetCode(), Amount: c.GetAmount()})
	}
	if err := w.command(ctx, "ReceiveFreightInvoice", func(ctx context.Context) error {
		resp, err := client.ReceiveFreightInvoice(ctx, &freightsettlementv1.ReceiveFreightInvoiceRequest{
			Carrier: Carrier, InvoiceNumber: "INV-" + w.number, InvoiceDate: timestamppb.New(w.Now()), Lines: lines,
		})
		w.invoice = resp.GetReceipt().GetId()
		return err
	}); err != nil {
		return err
	}
	var approved *commonv1.Money
	err = await(ctx, "approval", func(ctx context.Context) error {
		resp, err := client.GetFreightInvoice(ctx, &freightsettlementv1.GetFreightInvoiceRequest{InvoiceId: w.invoice})
		if state := resp.GetInvoice().GetState(); err == nil && state != freightsettlementv1.FreightInvoiceState_FREIGHT_INVOICE_STATE_APPROVED {
			return fmt.Errorf("invoice is %s %v: %w", state, resp.GetInvoice().GetReasons(), errNotYet)
		}
		approved = resp.GetInvoice().GetApproved()
		return err
	})
	if err != nil {
		return err
	}
	return w.all(ctx,
		step{"RecordVoucherPosted", func(ctx context.Context) error {
			_, err := client.RecordVoucherPosted(ctx, &freightsettlementv1.RecordVoucherPostedRequest{InvoiceId: w.invoice, VoucherNumber: "V-" + w.number})
			return err
		}},
		step{"RecordPayment", func(ctx context.Context) error {
			_, err := client.RecordPayment(ctx, &freightsettlementv1.RecordPaymentRequest{InvoiceId: w.invoice, PaymentReference: "P-" + w.number, Amount: approved})
			return err
		}},
	)
}

// close ends the order once it is fulfilled, and the shipment.
func (w *walk) close(ctx context.Context) error {
	orders := orderreleasev1.NewOrderReleaseServiceClient(w.Dial("order-release"))
	err := await(ctx, "fulfilment", func(ctx context.Context) error {
		resp, err := orders.GetOrder(ctx, &orderreleasev1.GetOrderRequest{OrderId: w.order})
		if err == nil && resp.GetOrder().GetState() != orderreleasev1.OrderState_ORDER_STATE_FULFILLED {
			return fmt.Errorf("order is %s: %w", resp.GetOrder().GetState(), errNotYet)
		}
		return err
	})
	if err != nil {
		return err
	}
	shipments := shipmentvisibilityv1.NewShipmentVisibilityServiceClient(w.Dial("shipment-visibility"))
	return w.all(ctx,
		step{"CloseShipment", func(ctx context.Context) error {
			_, err := shipments.CloseShipment(ctx, &shipmentvisibilityv1.CloseShipmentRequest{ShipmentId: w.shipment})
			return err
		}},
		step{"CloseOrder", func(ctx context.Context) error {
			_, err := orders.CloseOrder(ctx, &orderreleasev1.CloseOrderRequest{OrderId: w.order})
			return err
		}},
	)
}
