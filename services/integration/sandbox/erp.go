package sandbox

import (
	"context"
	"net/url"

	"github.com/lockstep-logistics/lockstep/libs/clock"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	fs "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/freightsettlement/v1"
	or "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	returnsv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/returns/v1"
)

// ERP is an enterprise resource planning system: it owns master data and orders, posts and
// pays, answers the customer.
type ERP struct {
	Client  *Client
	Clock   clock.Clock // bounds how long it waits for a document
	scripts *scripts
}

const erp = "erp"

const (
	orderPrefix   = "ORDER_STATE_"
	invoicePrefix = "FREIGHT_INVOICE_STATE_"
)

// Step does what there is to do for all orders, invoices and returns.
func (e *ERP) Step(ctx context.Context) error {
	for _, state := range []string{"FULFILLED", "CANCELLED"} {
		if err := e.eachOrder(ctx, by("state", orderPrefix+state)); err != nil {
			return err
		}
	}
	for _, s := range e.scripts.all() {
		if s.Cancel == "" && len(s.Replenish)+len(s.Returns) == 0 {
			continue
		}
		if err := e.eachOrder(ctx, by("order_number", s.Number)); err != nil {
			return err
		}
	}
	for _, state := range []string{"APPROVED", "POSTED", "DISPUTED"} {
		if err := e.invoices(ctx, by("state", invoicePrefix+state), ""); err != nil {
			return err
		}
	}
	for _, state := range []string{"RECEIVED", "INSPECTED", "PARTIALLY_RECEIVED"} {
		if err := e.credits(ctx, by("state", returnPrefix+state)); err != nil {
			return err
		}
	}
	return nil
}

// Tend does the same for one order.
func (e *ERP) Tend(ctx context.Context, orderID string) error {
	if err := e.work(ctx, orderID); err != nil {
		return err
	}
	freights, err := freightsOf(ctx, e.Client, by("order_id", orderID))
	if err != nil {
		return err
	}
	for _, f := range freights {
		if err := e.invoices(ctx, by("reference", f.GetFreightId()), f.GetOrderNumber()); err != nil {
			return err
		}
	}
	return e.credits(ctx, by("order_id", orderID))
}

func (e *ERP) eachOrder(ctx context.Context, query url.Values) error {
	var ids []string
	err := list(ctx, e.Client, "/v1/orders", query, &or.ListOrdersResponse{}, func(page *or.ListOrdersResponse) string {
		for _, o := range page.GetOrders() {
			ids = append(ids, o.GetOrderId())
		}
		return page.GetNextPageToken()
	})
	for _, id := range ids {
		if err == nil {
			err = e.work(ctx, id)
		}
	}
	return err
}

// work does what the ERP has to do about one order, as scripted.
func (e *ERP) work(ctx context.Context, id string) error {
	o, err := orderOf(ctx, e.Client, id)
	if err != nil {
		return err
	}
	script := e.scripts.of(o.GetDocument().GetOrderNumber())
	switch state := short(o.GetState(), orderPrefix); {
	case script.Cancel != "" && (state == "RELEASED" || state == "ACKNOWLEDGED"):
		return e.Client.Post(ctx, "/v1/orders/"+id+":cancel", key(erp, id, "cancel"), &or.RequestCancelRequest{
			Reason: script.Cancel, Source: from(erp, script.Number+":cancel"),
		}, &or.RequestCancelResponse{})
	case len(script.Replenish) > 0 && backordered(o):
		return e.Receive(ctx, script.Number+":replenish", script.Replenish)
	case state == "CANCELLED", state == "FULFILLED" && delivered(o):
		return e.Client.Post(ctx, "/v1/orders/"+id+":close", key(erp, id, "close"), &or.CloseOrderRequest{Source: from(erp, id+":close")}, &or.CloseOrderResponse{})
	case state == "CLOSED" && len(script.Returns) > 0:
		return e.requestReturn(ctx, id, script)
	}
	return nil
}

func orderOf(ctx context.Context, c *Client, id string) (*or.Order, error) {
	var got or.GetOrderResponse
	err := c.Get(ctx, "/v1/orders/"+id, &got)
	return got.GetOrder(), err
}

// backordered reports whether a release waits for stock.
func backordered(o *or.Order) bool {
	for _, r := range o.GetReleases() {
		if r.GetState() == or.ReleaseState_RELEASE_STATE_BACKORDERED {
			return true
		}
	}
	return false
}

// delivered reports whether all that was issued has arrived: then the ERP posts the order.
func delivered(o *or.Order) bool {
	for _, l := range o.GetLines() {
		if !number(l.GetQuantities().GetIssued()).Equal(number(l.GetQuantities().GetDelivered())) {
			return false
		}
	}
	return true
}

// invoices posts and pays what is approved, and ends disputes as scripted.
func (e *ERP) invoices(ctx context.Context, query url.Values, orderNumber string) error {
	all, err := invoicesOf(ctx, e.Client, query)
	if err != nil {
		return err
	}
	for _, i := range all {
		if err := e.settle(ctx, i, orderNumber); err != nil {
			return err
		}
	}
	return nil
}

func invoicesOf(ctx context.Context, c *Client, query url.Values) (all []*fs.FreightInvoice, err error) {
	err = list(ctx, c, "/v1/freight-invoices", query, &fs.ListFreightInvoicesResponse{}, func(page *fs.ListFreightInvoicesResponse) string {
		all = append(all, page.GetInvoices()...)
		return page.GetNextPageToken()
	})
	return all, err
}

func (e *ERP) settle(ctx context.Context, i *fs.FreightInvoice, orderNumber string) error {
	id, path := i.GetInvoiceId(), "/v1/freight-invoices/"+i.GetInvoiceId()
	switch short(i.GetState(), invoicePrefix) {
	case "APPROVED":
		return e.Client.Post(ctx, path+":recordVoucherPosted", key(erp, id, "voucher"), &fs.RecordVoucherPostedRequest{
			VoucherNumber: reference("V", id), Source: from(erp, id+":voucher"),
		}, &fs.RecordVoucherPostedResponse{})
	case "POSTED":
		return e.Client.Post(ctx, path+":recordPayment", key(erp, id, "payment"), &fs.RecordPaymentRequest{
			PaymentReference: reference("PAY", id), Amount: i.GetApproved(), Source: from(erp, id+":payment"),
		}, &fs.RecordPaymentResponse{})
	case "DISPUTED":
		if orderNumber == "" {
			var err error
			if orderNumber, err = e.orderNumberOf(ctx, i); err != nil {
				return err
			}
		}
		resolution := e.scripts.of(orderNumber).Resolution
		if resolution == "" { // a person's business
			return nil
		}
		return e.Client.Post(ctx, path+":resolveDispute", key(erp, id, "resolve"), &fs.ResolveDisputeRequest{
			Resolution: fs.DisputeResolution(fs.DisputeResolution_value["DISPUTE_RESOLUTION_"+resolution]), ReasonCode: "NOT_AGREED",
		}, &fs.ResolveDisputeResponse{})
	}
	return nil
}

// orderNumberOf finds the order of an invoice by the freight of its lines.
func (e *ERP) orderNumberOf(ctx context.Context, i *fs.FreightInvoice) (string, error) {
	for _, l := range i.GetLines() {
		if l.GetFreightId() == "" {
			continue
		}
		var got fs.GetFreightResponse
		err := e.Client.Get(ctx, "/v1/freights/"+l.GetFreightId(), &got)
		return got.GetFreight().GetOrderNumber(), err
	}
	return "", nil
}

// requestReturn asks for what the script sends back.
func (e *ERP) requestReturn(ctx context.Context, orderID string, s Scenario) error {
	var there returnsv1.ListReturnsResponse
	if err := e.Client.Get(ctx, "/v1/returns?"+by("order_id", orderID).Encode(), &there); err != nil || len(there.GetReturns()) > 0 {
		return err
	}
	units := map[int]string{}
	o, err := orderOf(ctx, e.Client, orderID)
	if err != nil {
		return err
	}
	for _, l := range o.GetLines() {
		units[int(l.GetLine().GetLineNumber())] = l.GetResolved().GetBaseQuantity().GetUnit()
	}
	req := &returnsv1.RequestReturnRequest{OrderId: orderID, RmaNumber: s.Number + "-RMA", SourceSystem: erp, ReturnSite: s.Site, Source: from(erp, s.Number+":return")}
	for _, b := range s.Returns {
		req.Lines = append(req.Lines, &returnsv1.RequestedLine{
			OrderLineNumber: int32(b.Line), Quantity: &commonv1.Quantity{Value: b.Quantity, Unit: units[b.Line]},
			Reason: returnsv1.ReturnReason(returnsv1.ReturnReason_value["RETURN_REASON_"+b.Reason]),
		})
	}
	err = e.Client.Post(ctx, "/v1/returns", key(erp, s.Number, "return"), req, &returnsv1.RequestReturnResponse{})
	if refused(err, "LINE_NOT_ISSUED", "QUANTITY_EXCEEDS_ISSUED") { // what was issued is not known there yet
		return nil
	}
	return err
}

// credits confirms the credits that are asked of the ERP.
func (e *ERP) credits(ctx context.Context, query url.Values) error {
	var ids []string
	err := list(ctx, e.Client, "/v1/returns", query, &returnsv1.ListReturnsResponse{}, func(page *returnsv1.ListReturnsResponse) string {
		for _, r := range page.GetReturns() {
			ids = append(ids, r.GetRmaId())
		}
		return page.GetNextPageToken()
	})
	for _, id := range ids {
		if err != nil {
			return err
		}
		var got returnsv1.GetReturnResponse
		if err = e.Client.Get(ctx, "/v1/returns/"+id, &got); err != nil {
			return err
		}
		for _, c := range got.GetReturn().GetCredits() {
			n := itoa(int(c.GetCreditNumber()))
			if c.GetState() != returnsv1.CreditState_CREDIT_STATE_REQUESTED {
				continue
			}
			if err = e.Client.Post(ctx, "/v1/returns/"+id+":confirmCredit", key(erp, id, "credit", n), &returnsv1.ConfirmCreditRequest{
				CreditNumber: c.GetCreditNumber(), CreditMemo: reference("CM", id) + "-" + n, Amount: c.GetNet(), Source: from(erp, id+":credit:"+n),
			}, &returnsv1.ConfirmCreditResponse{}); err != nil {
				return err
			}
		}
	}
	return err
}
