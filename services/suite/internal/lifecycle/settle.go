package lifecycle

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/types/known/timestamppb"

	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	freightsettlementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/freightsettlement/v1"
	orderreleasev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	shipmentvisibilityv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/shipmentvisibility/v1"
)

// settle is the carrier's invoice and finance's part.
func (p *part) settle(ctx context.Context) error {
	client := freightsettlementv1.NewFreightSettlementServiceClient(p.Dial("freight-settlement"))
	err := await(ctx, "final freight", func(ctx context.Context) error { return p.finalFreight(ctx, client) })
	if err != nil {
		return err
	}
	var lines []*freightsettlementv1.FreightInvoiceLine
	for _, c := range p.charges {
		lines = append(lines, &freightsettlementv1.FreightInvoiceLine{Reference: p.pro(), ChargeCode: c.GetCode(), Amount: c.GetAmount()})
	}
	if err := p.command(ctx, "ReceiveFreightInvoice", func(ctx context.Context) error {
		resp, err := client.ReceiveFreightInvoice(ctx, &freightsettlementv1.ReceiveFreightInvoiceRequest{
			Carrier: Carrier, InvoiceNumber: "INV-" + p.mark(), InvoiceDate: timestamppb.New(p.Now()), Lines: lines,
		})
		p.invoice = resp.GetReceipt().GetId()
		return err
	}); err != nil {
		return err
	}
	var approved *commonv1.Money
	err = await(ctx, "approval", func(ctx context.Context) error {
		resp, err := client.GetFreightInvoice(ctx, &freightsettlementv1.GetFreightInvoiceRequest{InvoiceId: p.invoice})
		if state := resp.GetInvoice().GetState(); err == nil && state != freightsettlementv1.FreightInvoiceState_FREIGHT_INVOICE_STATE_APPROVED {
			return fmt.Errorf("invoice is %s %v: %w", state, resp.GetInvoice().GetReasons(), errNotYet)
		}
		approved = resp.GetInvoice().GetApproved()
		return err
	})
	if err != nil {
		return err
	}
	return p.all(ctx,
		step{"RecordVoucherPosted", func(ctx context.Context) error {
			_, err := client.RecordVoucherPosted(ctx, &freightsettlementv1.RecordVoucherPostedRequest{InvoiceId: p.invoice, VoucherNumber: "V-" + p.mark()})
			return err
		}},
		step{"RecordPayment", func(ctx context.Context) error {
			_, err := client.RecordPayment(ctx, &freightsettlementv1.RecordPaymentRequest{InvoiceId: p.invoice, PaymentReference: "P-" + p.mark(), Amount: approved})
			return err
		}},
	)
}

// finalFreight finds the freight of the shipment and what it costs in the end.
func (p *part) finalFreight(ctx context.Context, client freightsettlementv1.FreightSettlementServiceClient) error {
	if p.freight == "" {
		resp, err := client.ListFreights(ctx, &freightsettlementv1.ListFreightsRequest{OrderId: p.order})
		if err != nil {
			return err
		}
		for _, f := range resp.GetFreights() {
			if f.GetShipmentId() == p.shipment {
				p.freight = f.GetFreightId()
			}
		}
		if p.freight == "" {
			return errNotYet
		}
	}
	resp, err := client.GetFreight(ctx, &freightsettlementv1.GetFreightRequest{FreightId: p.freight})
	if err == nil && resp.GetFreight().GetState() != freightsettlementv1.FreightState_FREIGHT_STATE_FINAL {
		return fmt.Errorf("freight is %s %v: %w", resp.GetFreight().GetState(), resp.GetFreight().GetReasons(), errNotYet)
	}
	p.charges = resp.GetFreight().GetCharges()
	return err
}

// close ends the order once it is fulfilled, and its shipments.
func (w *walk) close(ctx context.Context, parts []*part) error {
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
	for _, p := range parts {
		if err := p.command(ctx, "CloseShipment", func(ctx context.Context) error {
			_, err := shipments.CloseShipment(ctx, &shipmentvisibilityv1.CloseShipmentRequest{ShipmentId: p.shipment})
			return err
		}); err != nil {
			return err
		}
	}
	return w.command(ctx, "CloseOrder", func(ctx context.Context) error {
		_, err := orders.CloseOrder(ctx, &orderreleasev1.CloseOrderRequest{OrderId: w.order})
		return err
	})
}
