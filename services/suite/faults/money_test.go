//go:build faults

package faults

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/lockstep-logistics/lockstep/libs/faultpoint"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	freightsettlementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/freightsettlement/v1"
	returnsv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/returns/v1"
	"github.com/lockstep-logistics/lockstep/services/integration/sandbox"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/fleet"
)

// Code that passes points while money is on its way.
const (
	freight = "@services/freight-settlement/"
	back    = "@services/returns/"
	claim   = freight + "internal/app.(*App).claim"
	settle  = freight + "internal/app.(*App).Settle"
	free    = freight + "internal/app.(*App).Free"
)

// TestKilledBetweenAggregates: whole orders are walked, invoiced and partly sent back, then the
// carrier invoices more for two of them at a time, and that twice. The process dies at each
// point between the aggregates that an invoice or a return changes, once; what it leaves ends
// whole: every charge is paid once, what came back is credited once.
func TestKilledBetweenAggregates(t *testing.T) {
	t.Parallel()
	for _, shape := range shapes {
		t.Run(shape.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 4*eventually)
			defer cancel()
			r := &rig{Fleet: shape.make(t)}
			if err := r.Start(ctx); err != nil {
				t.Fatal(err)
			}
			cast := r.company(t, testkit.Name("t"))
			if err := cast.ERP.Setup(ctx); err != nil {
				t.Fatal(err)
			}
			struck := r.strike(ctx, t, 1,
				faultpoint.X1+freight, faultpoint.X2+freight, faultpoint.X3+freight,
				faultpoint.X1+back, faultpoint.X2+back, faultpoint.X3+back)
			orders := walked(ctx, t, cast, "straight", "return")
			calledOff(ctx, t, cast, orders["return"])
			struck()
			left(ctx, t, cast, orders["return"], 2)

			struck = r.strike(ctx, t, 2, faultpoint.X1+claim, faultpoint.X3+settle) // between two freights
			first := more(ctx, t, cast, "MORE-1", orders)
			first.until(ctx, t, "DISPUTED")
			first.payAsInvoiced(ctx, t)
			first.until(ctx, t, "APPROVED")
			struck()
			first.paidOnce(ctx, t)

			struck = r.strike(ctx, t, 2, faultpoint.X3+free)
			more(ctx, t, cast, "MORE-2", orders).until(ctx, t, "DUPLICATE")
			struck()
			first.paidOnce(ctx, t)
		})
	}
}

// company is the sandbox's company as a tenant.
func (r *rig) company(t *testing.T, tenant string) *sandbox.Cast {
	t.Helper()
	client := func(who string) *sandbox.Client {
		caller := guard.AdminCaller(tenant)
		caller.Principal = who
		token, err := r.Token(caller)
		if err != nil {
			t.Fatal(err)
		}
		return &sandbox.Client{Base: r.URL, Token: token, HTTP: &http.Client{Timeout: time.Minute}, Patience: 2 * eventually}
	}
	return sandbox.NewCast(client("company"), client("carriers"))
}

// walked walks the scenarios of these names to their ends and returns their orders by them.
func walked(ctx context.Context, t *testing.T, cast *sandbox.Cast, names ...string) map[string]string {
	t.Helper()
	var mu sync.Mutex
	orders := map[string]string{}
	var group sync.WaitGroup
	for _, s := range sandbox.Scenarios("SO-") {
		if !slices.Contains(names, s.Name) {
			continue
		}
		group.Go(func() {
			report, err := sandbox.Walk(ctx, cast, s)
			if err != nil {
				t.Errorf("%v\n%v", err, report)
			}
			mu.Lock()
			defer mu.Unlock()
			orders[s.Name] = report.OrderID
		})
	}
	if group.Wait(); t.Failed() {
		t.FailNow()
	}
	return orders
}

// calledOff asks to send a piece of an order back and calls that off.
func calledOff(ctx context.Context, t *testing.T, cast *sandbox.Cast, order string) {
	t.Helper()
	client, resp := cast.ERP.Client, &returnsv1.RequestReturnResponse{}
	if err := client.Post(ctx, "/v1/returns", "ask-"+order, &returnsv1.RequestReturnRequest{OrderId: order, Lines: []*returnsv1.RequestedLine{
		{OrderLineNumber: 1, Quantity: &commonv1.Quantity{Value: "1", Unit: "EA"}, Reason: returnsv1.ReturnReason_RETURN_REASON_NOT_AS_DESCRIBED},
	}}, resp); err != nil {
		t.Fatal(err)
	}
	path := "/v1/returns/" + resp.GetReceipt().GetId()
	if err := await(ctx, func() error {
		got := &returnsv1.GetReturnResponse{}
		err := client.Get(ctx, path, got)
		if s := got.GetReturn().GetState(); err != nil || s != returnsv1.ReturnState_RETURN_STATE_AUTHORISED {
			return fmt.Errorf("%s is %s, %w", path, s, err)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := client.Post(ctx, path+":cancel", "cancel-"+order, &returnsv1.CancelReturnRequest{Reason: "CUSTOMER_REQUEST"}, nil); err != nil {
		t.Fatal(err)
	}
}

// left waits until so many of an order's first line can be sent back.
func left(ctx context.Context, t *testing.T, cast *sandbox.Cast, order string, n int) {
	t.Helper()
	if err := await(ctx, func() error {
		got := &returnsv1.GetReturnableItemsResponse{}
		if err := cast.ERP.Client.Get(ctx, "/v1/orders/"+order+"/returnable-items", got); err != nil {
			return err
		}
		for _, i := range got.GetItems() {
			if i.GetOrderLineNumber() == 1 && i.GetAvailable() == fmt.Sprint(n) {
				return nil
			}
		}
		return fmt.Errorf("%v, want %d of line 1", got, n)
	}); err != nil {
		t.Fatal(err)
	}
}

// extra is what an invoice of more charges for each of its orders, minor units.
const extra = 250

// invoice is one that charges for several shipments.
type invoice struct {
	id   string
	cast *sandbox.Cast
	paid map[string]int64 // freight → what was paid before
}

// more has the carrier invoice a charge that nobody expected, for each of the orders.
func more(ctx context.Context, t *testing.T, cast *sandbox.Cast, number string, orders map[string]string) *invoice {
	t.Helper()
	in := &invoice{cast: cast, paid: map[string]int64{}}
	req := &freightsettlementv1.ReceiveFreightInvoiceRequest{Carrier: "NSPX", InvoiceNumber: number, InvoiceDate: timestamppb.Now()}
	for _, order := range orders {
		f := freightOf(ctx, t, cast, order)
		in.paid[f.GetFreightId()] = f.GetPaid().GetAmountMinor()
		req.Lines = append(req.Lines, &freightsettlementv1.FreightInvoiceLine{
			Reference: f.GetProNumber(), ChargeCode: "DETENTION", Amount: &commonv1.Money{AmountMinor: extra, Currency: "EUR"},
		})
	}
	resp := &freightsettlementv1.ReceiveFreightInvoiceResponse{}
	if err := cast.Carriers[0].Client.Post(ctx, "/v1/freight-invoices", "invoice-"+number, req, resp); err != nil {
		t.Fatal(err)
	}
	in.id = resp.GetReceipt().GetId()
	return in
}

// freightOf is the freight of an order: a list finds it, and may tell what was paid of it a moment ago.
func freightOf(ctx context.Context, t *testing.T, cast *sandbox.Cast, order string) *freightsettlementv1.Freight {
	t.Helper()
	one := &freightsettlementv1.GetFreightResponse{}
	if err := await(ctx, func() error {
		all := &freightsettlementv1.ListFreightsResponse{}
		if err := cast.ERP.Client.Get(ctx, "/v1/freights?order_id="+order, all); err != nil || len(all.GetFreights()) != 1 {
			return fmt.Errorf("freights of %s: %v, %w", order, all, err)
		}
		return cast.ERP.Client.Get(ctx, "/v1/freights/"+all.GetFreights()[0].GetFreightId(), one)
	}); err != nil {
		t.Fatal(err)
	}
	return one.GetFreight()
}

// until waits until the invoice is in a state.
func (in *invoice) until(ctx context.Context, t *testing.T, state string) {
	t.Helper()
	if err := await(ctx, func() error {
		resp := &freightsettlementv1.GetFreightInvoiceResponse{}
		err := in.cast.ERP.Client.Get(ctx, "/v1/freight-invoices/"+in.id, resp)
		if i := resp.GetInvoice(); err != nil || i.GetState().String() != "FREIGHT_INVOICE_STATE_"+state {
			return fmt.Errorf("%s is %s %v, %w", in.id, i.GetState(), i.GetReasons(), err)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// payAsInvoiced is finance's decision.
func (in *invoice) payAsInvoiced(ctx context.Context, t *testing.T) {
	t.Helper()
	if err := in.cast.ERP.Client.Post(ctx, "/v1/freight-invoices/"+in.id+":resolveDispute", "resolve-"+in.id, &freightsettlementv1.ResolveDisputeRequest{
		Resolution: freightsettlementv1.DisputeResolution_DISPUTE_RESOLUTION_PAY_AS_INVOICED, ReasonCode: "AGREED",
	}, nil); err != nil {
		t.Fatal(err)
	}
}

// paidOnce waits until each freight is settled, with the charge of the invoice in it once.
func (in *invoice) paidOnce(ctx context.Context, t *testing.T) {
	t.Helper()
	for id, before := range in.paid {
		if err := await(ctx, func() error {
			resp := &freightsettlementv1.GetFreightResponse{}
			err := in.cast.ERP.Client.Get(ctx, "/v1/freights/"+id, resp)
			f := resp.GetFreight()
			got := fmt.Sprintf("%s, %d paid, %d open", f.GetState(), f.GetPaid().GetAmountMinor(), f.GetOpenAccrual().GetAmountMinor())
			if want := fmt.Sprintf("FREIGHT_STATE_SETTLED, %d paid, 0 open", before+extra); err != nil || got != want {
				return fmt.Errorf("%s is %s, want %s (%w)", id, got, want, err)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
}

// strike starts the suite anew with a kill at a pass of each of the points, e.g. X3@returns, and
// starts it again each time that it dies, with those that are left. struck waits until it has died
// at all of them.
func (r *rig) strike(ctx context.Context, t *testing.T, pass int, points ...string) (struck func()) {
	t.Helper()
	fault := func() string {
		var all []string
		for _, point := range points {
			all = append(all, fmt.Sprintf("%s:kill:n=%d", point, pass))
		}
		return "FAULT=" + strings.Join(all, ",")
	}
	kills := len(r.kills(t))
	r.restart(t, fault())
	p, done := r.Processes[fleet.Whole], make(chan error, 1)
	go func() {
		for len(points) > 0 {
			select {
			case <-p.Exited():
			case <-ctx.Done():
			}
			all := r.kills(t)
			if ctx.Err() != nil || len(all) != kills+1 {
				done <- fmt.Errorf("the process was never killed at %v, or ended otherwise", points)
				return
			}
			last := all[kills]
			kills++
			points = slices.DeleteFunc(points, last.at)
			if err := p.Start(fault()); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	return func() {
		t.Helper()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
}
