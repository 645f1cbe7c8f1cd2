package checker

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"google.golang.org/grpc"

	fsv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/freightsettlement/v1"
	imv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	orv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	retv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/returns/v1"
	svv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/shipmentvisibility/v1"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/history"
)

// end is where a document or a stock ends, by its facts.
type end struct {
	kind, tenant, id string
	state            string
	stock            *imv1.StockKey
	books            *books
}

// endOf is what a fact says of the end of its document.
func endOf(f *fact) (end, bool) {
	e := end{tenant: f.tenant, id: f.agg}
	switch f.msg.(type) {
	case *orv1.OrderFulfilled:
		e.kind, e.state = "order", orv1.OrderState_ORDER_STATE_FULFILLED.String()
	case *orv1.OrderClosed:
		e.kind, e.state = "order", orv1.OrderState_ORDER_STATE_CLOSED.String()
	case *imv1.GoodsIssued:
		e.kind, e.state = "warehouse order", imv1.WarehouseOrderState_WAREHOUSE_ORDER_STATE_ISSUED.String()
	case *svv1.ShipmentClosed:
		e.kind, e.state = "shipment", svv1.ShipmentState_SHIPMENT_STATE_CLOSED.String()
	case *fsv1.VoucherPosted:
		e.kind, e.state = "invoice", fsv1.FreightInvoiceState_FREIGHT_INVOICE_STATE_POSTED.String()
	case *fsv1.FreightInvoicePaid:
		e.kind, e.state = "invoice", fsv1.FreightInvoiceState_FREIGHT_INVOICE_STATE_PAID.String()
	case *retv1.ReturnCompleted:
		e.kind, e.state = "return", retv1.ReturnState_RETURN_STATE_COMPLETED.String()
	case *fsv1.ChargesSettled: // of all its charges: the load's invoices name them all
		e.kind, e.state = "freight", fsv1.FreightState_FREIGHT_STATE_SETTLED.String()
	}
	return e, e.kind != ""
}

// reopened forgets the end of a document that is under way again.
func (c *checker) reopened(f *fact) {
	for kind, of := range c.ends {
		if n := len(of); n > 0 && of[n-1].id == f.agg && of[n-1].tenant == f.tenant {
			c.ends[kind] = of[:n-1]
		}
	}
}

// ended notes the last end of a document.
func (c *checker) ended(e end) {
	of := c.ends[e.kind]
	if n := len(of); n > 0 && of[n-1].id == e.id && of[n-1].tenant == e.tenant {
		of[n-1] = e
		return
	}
	c.ends[e.kind] = append(of, e)
}

// ask holds what the API answers of aggregates and stocks against their facts (I7, of stock I2).
func (c *checker) ask(ctx context.Context) error {
	if c.suite.API == nil {
		return nil
	}
	for _, e := range c.ends["stock"] {
		if err := c.askStock(ctx, c.suite.API(e.tenant), e); err != nil {
			return err
		}
	}
	return c.askAll(ctx)
}

func (c *checker) askStock(ctx context.Context, api grpc.ClientConnInterface, e end) error {
	bad := func(format string, args ...any) {
		c.report.add("I2", Aggregate, "stock "+e.tenant+"/"+e.id, format, args...)
	}
	client := imv1.NewInventoryMovementServiceClient(api)
	owner := e.stock.GetOwner()
	got, err := client.GetStock(ctx, &imv1.GetStockRequest{Site: e.stock.GetSite(), Sku: e.stock.GetSku(), Owner: owner})
	if err != nil {
		return fmt.Errorf("stock %s: %w", e.id, err)
	}
	there := map[place]bool{}
	for _, r := range got.GetStock().GetRows() {
		at := placeOf(&imv1.Place{Location: r.GetLocation(), Lot: r.GetLot(), ExpiryDate: r.GetExpiryDate(), Status: r.GetStatus()})
		there[at] = true
		say := number(r.GetOnHand().GetValue(), bad).RatString() + " on hand, " + number(r.GetAllocated().GetValue(), bad).RatString() + " allocated"
		if want := e.books.row(at); say != want {
			bad("the API says %s at %s, the facts %s", say, at.location, want)
		}
	}
	for at, q := range e.books.rows {
		if q.Sign() != 0 && !there[at] {
			bad("the API says nothing of %s, where %s stand", at.location, q.RatString())
		}
	}
	resp, err := client.GetAvailability(ctx, &imv1.GetAvailabilityRequest{Places: []*imv1.AvailabilityPlace{{Site: e.stock.GetSite(), Sku: e.stock.GetSku(), Owner: owner}}})
	if err != nil {
		return fmt.Errorf("availability of %s: %w", e.id, err)
	}
	onHand, allocated, promised := e.books.figures()
	want := onHand.RatString() + " " + allocated.RatString() + " " + promised.RatString()
	for _, a := range resp.GetAvailabilities() {
		say := number(a.GetOnHand().GetValue(), bad).RatString() + " " + number(a.GetAllocated().GetValue(), bad).RatString() + " " +
			number(a.GetPromised().GetValue(), bad).RatString()
		if say != want {
			bad("the API says %s on hand, allocated and promised, the facts %s", say, want)
		}
	}
	return nil
}

// done are the facts that an acknowledged command leaves with its aggregate, sooner or by
// itself: that of the command that ends a part of an order.
var done = map[string]string{
	"CloseOrder": orv1.OrderState_ORDER_STATE_CLOSED.String(), "CloseShipment": svv1.ShipmentState_SHIPMENT_STATE_CLOSED.String(),
	"PostGoodsIssue": imv1.WarehouseOrderState_WAREHOUSE_ORDER_STATE_ISSUED.String(),
	"CompleteReturn": retv1.ReturnState_RETURN_STATE_COMPLETED.String(),
	"RecordPayment":  fsv1.FreightInvoiceState_FREIGHT_INVOICE_STATE_PAID.String(),
}

// answered checks that what clients were told is over is over by the facts too (I1).
func (c *checker) answered(entries []*history.Entry) {
	state := map[string]string{}
	for _, of := range c.ends {
		for _, e := range of {
			state[e.tenant+"/"+e.id] = e.state
		}
	}
	for _, e := range entries {
		want := done[e.Method[strings.LastIndex(e.Method, "/")+1:]]
		if e.Outcome != history.OK || want == "" {
			continue
		}
		var told struct{ Receipt reply }
		if json.Unmarshal(e.Response, &told) != nil {
			continue // I1 says so
		}
		id := e.Tenant + "/" + told.Receipt.ID
		if got := state[id]; got != want {
			c.report.add("I1", Aggregate, id, "%s was acknowledged and the facts end in %q", e.Method, got)
		}
	}
}
