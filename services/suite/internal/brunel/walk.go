package brunel

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/lockstep-logistics/lockstep/libs/clock"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	freightsettlementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/freightsettlement/v1"
	inventorymovementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	orderreleasev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	shipmentvisibilityv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/shipmentvisibility/v1"
)

// walk is one order on its way through the warehouse, the carrier and the books.
type walk struct {
	OrderRow
	conn  grpc.ClientConnInterface
	tally *tally

	order, warehouse, shipment, freight, invoice string
	charges                                      []*freightsettlementv1.Charge
	unrated                                      *commonv1.Reason // why no rate covers it
}

// do takes the order to its end.
func (w *walk) do(ctx context.Context) error {
	for _, step := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"warehouse", w.fulfil}, {"transport", w.transport}, {"rating", w.rate}, {"settlement", w.settle}, {"closing", w.close},
	} {
		if err := step.do(ctx); err != nil {
			return fmt.Errorf("order %s, %s: %w", w.Number, step.name, err)
		}
	}
	return nil
}

func (w *walk) key(ctx context.Context, step string) context.Context {
	return keyed(ctx, w.Number+":"+step)
}

func now() *timestamppb.Timestamp { return timestamppb.New(clock.System{}.Now()) }

// find looks the order up by its number, then what was made for it.
func (w *walk) find(ctx context.Context) error {
	if w.order == "" {
		resp, err := orderreleasev1.NewOrderReleaseServiceClient(w.conn).ListOrders(ctx, &orderreleasev1.ListOrdersRequest{OrderNumber: w.Number})
		if err != nil || len(resp.GetOrders()) == 0 {
			return errors.Join(err, errNotYet)
		}
		w.order = resp.GetOrders()[0].GetOrderId()
	}
	resp, err := inventorymovementv1.NewInventoryMovementServiceClient(w.conn).ListWarehouseOrders(ctx, &inventorymovementv1.ListWarehouseOrdersRequest{OrderId: w.order})
	if err != nil {
		return err
	}
	if len(resp.GetWarehouseOrders()) == 0 {
		return errNotYet
	}
	w.warehouse = resp.GetWarehouseOrders()[0].GetWarehouseOrderId()
	return nil
}

// fulfil is the warehouse's part: everything in one carton of the order's weight.
func (w *walk) fulfil(ctx context.Context) error {
	client := inventorymovementv1.NewInventoryMovementServiceClient(w.conn)
	if err := await(ctx, "warehouse order", w.find); err != nil {
		return err
	}
	if err := await(ctx, "allocation", func(ctx context.Context) error {
		resp, err := client.GetWarehouseOrder(ctx, &inventorymovementv1.GetWarehouseOrderRequest{WarehouseOrderId: w.warehouse})
		if err == nil && resp.GetWarehouseOrder().GetState() == inventorymovementv1.WarehouseOrderState_WAREHOUSE_ORDER_STATE_CREATED {
			return errNotYet
		}
		return err
	}); err != nil {
		return err
	}
	w.tally.add(released)
	lines := []*inventorymovementv1.WarehouseLineQuantity{{LineNumber: 1, Quantity: &commonv1.Quantity{Value: fmt.Sprint(w.Quantity), Unit: "EA"}}}
	if _, err := client.AcknowledgeWarehouseOrder(w.key(ctx, "acknowledge"), &inventorymovementv1.AcknowledgeWarehouseOrderRequest{WarehouseOrderId: w.warehouse}); err != nil {
		return err
	}
	if _, err := client.ConfirmPicks(w.key(ctx, "pick"), &inventorymovementv1.ConfirmPicksRequest{WarehouseOrderId: w.warehouse, Lines: lines}); err != nil {
		return err
	}
	if _, err := client.PackCarton(w.key(ctx, "pack"), &inventorymovementv1.PackCartonRequest{WarehouseOrderId: w.warehouse, Lines: lines, GrossWeightGrams: w.Grams}); err != nil {
		return err
	}
	_, err := client.PostGoodsIssue(w.key(ctx, "issue"), &inventorymovementv1.PostGoodsIssueRequest{WarehouseOrderId: w.warehouse})
	return err
}

// transport is the TMS's and the carrier's part. A carrier that the customer sends is not
// offered anything: it comes and takes the goods.
func (w *walk) transport(ctx context.Context) error {
	client := shipmentvisibilityv1.NewShipmentVisibilityServiceClient(w.conn)
	if err := await(ctx, "shipment", func(ctx context.Context) error {
		if w.shipment == "" {
			resp, err := client.ListShipments(ctx, &shipmentvisibilityv1.ListShipmentsRequest{OrderId: w.order})
			if err != nil || len(resp.GetShipments()) == 0 {
				return errors.Join(err, errNotYet)
			}
			w.shipment = resp.GetShipments()[0].GetShipmentId()
		}
		resp, err := client.GetShipment(ctx, &shipmentvisibilityv1.GetShipmentRequest{ShipmentId: w.shipment})
		if err == nil && len(resp.GetShipment().GetUnits()) == 0 {
			return errNotYet // its goods issue is under way
		}
		return err
	}); err != nil {
		return err
	}
	if !w.CustomersFreight() {
		if err := w.book(ctx, client); err != nil {
			return err
		}
	}
	if _, err := client.DispatchShipment(w.key(ctx, "dispatch"), &shipmentvisibilityv1.DispatchShipmentRequest{
		ShipmentId: w.shipment, BillOfLading: "BOL-" + w.Number, ProNumber: w.pro(), Carrier: w.Carrier,
	}); err != nil {
		return err
	}
	w.tally.add(shipped)
	if _, err := client.RecordMilestones(w.key(ctx, "milestones"), &shipmentvisibilityv1.RecordMilestonesRequest{ShipmentId: w.shipment, Milestones: w.milestones()}); err != nil {
		return err
	}
	if _, err := client.RecordProofOfDelivery(w.key(ctx, "proof"), &shipmentvisibilityv1.RecordProofOfDeliveryRequest{
		ShipmentId: w.shipment, SignedBy: w.Customer, SignedTime: now(),
	}); err != nil {
		return err
	}
	w.tally.add(delivered)
	return nil
}

// book offers the shipment to the order's carrier, which takes it.
func (w *walk) book(ctx context.Context, client shipmentvisibilityv1.ShipmentVisibilityServiceClient) error {
	if _, err := client.TenderShipment(w.key(ctx, "tender"), &shipmentvisibilityv1.TenderShipmentRequest{
		ShipmentId: w.shipment, Carrier: w.Carrier, CarrierService: service(w.Service, w.Days), RespondBy: timestamppb.New(clock.System{}.Now().Add(time.Hour)),
	}); err != nil {
		return err
	}
	_, err := client.RespondTender(w.key(ctx, "respond"), &shipmentvisibilityv1.RespondTenderRequest{ShipmentId: w.shipment, Carrier: w.Carrier, Accept: true})
	return err
}

func (w *walk) pro() string { return "PRO-" + w.Number }

// milestones are the carrier's, in one report.
func (w *walk) milestones() []*shipmentvisibilityv1.Milestone {
	at := clock.System{}.Now()
	one := func(code shipmentvisibilityv1.MilestoneCode, after time.Duration, place string) *shipmentvisibilityv1.Milestone {
		return &shipmentvisibilityv1.Milestone{
			Code: code, Classifier: shipmentvisibilityv1.MilestoneClassifier_MILESTONE_CLASSIFIER_ACTUAL,
			EventTime: timestamppb.New(at.Add(after)), Place: place, MessageId: fmt.Sprintf("%s-%d", w.Number, code),
		}
	}
	return []*shipmentvisibilityv1.Milestone{
		one(shipmentvisibilityv1.MilestoneCode_MILESTONE_CODE_DEPARTED, 0, w.OriginPort),
		one(shipmentvisibilityv1.MilestoneCode_MILESTONE_CODE_ARRIVED, time.Millisecond, w.Destination),
		one(shipmentvisibilityv1.MilestoneCode_MILESTONE_CODE_DELIVERED, 2*time.Millisecond, w.Destination),
	}
}

// rate waits for what the freight costs in the end, or for why nobody knows.
func (w *walk) rate(ctx context.Context) error {
	client := freightsettlementv1.NewFreightSettlementServiceClient(w.conn)
	err := await(ctx, "final freight", func(ctx context.Context) error {
		if w.freight == "" {
			resp, err := client.ListFreights(ctx, &freightsettlementv1.ListFreightsRequest{OrderId: w.order})
			if err != nil || len(resp.GetFreights()) == 0 {
				return errors.Join(err, errNotYet)
			}
			w.freight = resp.GetFreights()[0].GetFreightId()
		}
		resp, err := client.GetFreight(ctx, &freightsettlementv1.GetFreightRequest{FreightId: w.freight})
		if err != nil {
			return err
		}
		f := resp.GetFreight()
		switch f.GetState() {
		case freightsettlementv1.FreightState_FREIGHT_STATE_FINAL:
			w.charges = f.GetCharges()
			return nil
		case freightsettlementv1.FreightState_FREIGHT_STATE_UNRATED:
			if len(f.GetReasons()) == 0 {
				return fmt.Errorf("freight %s is unrated without a reason", w.freight)
			}
			w.unrated = f.GetReasons()[0]
			return nil
		}
		return fmt.Errorf("freight is %s: %w", f.GetState(), errNotYet)
	})
	if err == nil && w.unrated == nil {
		w.tally.add(rated)
	}
	return err
}

// settle is the carrier's invoice of what was agreed, and the ERP's voucher and payment.
// Where nothing was agreed there is no price to invoice.
func (w *walk) settle(ctx context.Context) error {
	if w.unrated != nil {
		return nil
	}
	client := freightsettlementv1.NewFreightSettlementServiceClient(w.conn)
	var lines []*freightsettlementv1.FreightInvoiceLine
	for _, c := range w.charges {
		lines = append(lines, &freightsettlementv1.FreightInvoiceLine{Reference: w.pro(), ChargeCode: c.GetCode(), Amount: c.GetAmount()})
	}
	resp, err := client.ReceiveFreightInvoice(w.key(ctx, "invoice"), &freightsettlementv1.ReceiveFreightInvoiceRequest{
		Carrier: w.Carrier, InvoiceNumber: "INV-" + w.Number, InvoiceDate: now(), Lines: lines,
	})
	if err != nil {
		return err
	}
	w.invoice = resp.GetReceipt().GetId()
	w.tally.add(invoiced)
	var approved *commonv1.Money
	if err := await(ctx, "approval", func(ctx context.Context) error {
		resp, err := client.GetFreightInvoice(ctx, &freightsettlementv1.GetFreightInvoiceRequest{InvoiceId: w.invoice})
		if state := resp.GetInvoice().GetState(); err == nil && state != freightsettlementv1.FreightInvoiceState_FREIGHT_INVOICE_STATE_APPROVED {
			return fmt.Errorf("invoice is %s %v: %w", state, resp.GetInvoice().GetReasons(), errNotYet)
		}
		approved = resp.GetInvoice().GetApproved()
		return err
	}); err != nil {
		return err
	}
	if _, err := client.RecordVoucherPosted(w.key(ctx, "voucher"), &freightsettlementv1.RecordVoucherPostedRequest{InvoiceId: w.invoice, VoucherNumber: "V-" + w.Number}); err != nil {
		return err
	}
	if _, err := client.RecordPayment(w.key(ctx, "payment"), &freightsettlementv1.RecordPaymentRequest{InvoiceId: w.invoice, PaymentReference: "P-" + w.Number, Amount: approved}); err != nil {
		return err
	}
	return w.settled(ctx, client)
}

// settled waits until the freight itself is settled, by consequence of the approval.
func (w *walk) settled(ctx context.Context, client freightsettlementv1.FreightSettlementServiceClient) error {
	return await(ctx, "settlement", func(ctx context.Context) error {
		resp, err := client.GetFreight(ctx, &freightsettlementv1.GetFreightRequest{FreightId: w.freight})
		if err != nil {
			return err
		}
		f := resp.GetFreight()
		if f.GetState() != freightsettlementv1.FreightState_FREIGHT_STATE_SETTLED {
			return fmt.Errorf("freight is %s: %w", f.GetState(), errNotYet)
		}
		w.tally.paid(w.Number, f.GetPaid())
		return nil
	})
}

// close ends the shipment, and the order once all of it is delivered.
func (w *walk) close(ctx context.Context) error {
	if _, err := shipmentvisibilityv1.NewShipmentVisibilityServiceClient(w.conn).CloseShipment(w.key(ctx, "close-shipment"), &shipmentvisibilityv1.CloseShipmentRequest{ShipmentId: w.shipment}); err != nil {
		return err
	}
	orders := orderreleasev1.NewOrderReleaseServiceClient(w.conn)
	if err := await(ctx, "delivery in the order", func(ctx context.Context) error {
		resp, err := orders.GetOrder(ctx, &orderreleasev1.GetOrderRequest{OrderId: w.order})
		if err != nil {
			return err
		}
		o := resp.GetOrder()
		if o.GetState() != orderreleasev1.OrderState_ORDER_STATE_FULFILLED || o.GetLines()[0].GetQuantities().GetDelivered() != fmt.Sprint(w.Quantity) {
			return fmt.Errorf("order is %s, %s delivered: %w", o.GetState(), o.GetLines()[0].GetQuantities().GetDelivered(), errNotYet)
		}
		return nil
	}); err != nil {
		return err
	}
	resp, err := orders.CloseOrder(w.key(ctx, "close"), &orderreleasev1.CloseOrderRequest{OrderId: w.order})
	if err == nil && resp.GetReceipt().GetState() != "CLOSED" {
		return fmt.Errorf("order is %s after closing", resp.GetReceipt().GetState())
	}
	return err
}
