package sandbox

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/quantity"
	fs "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/freightsettlement/v1"
	im "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	or "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	returnsv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/returns/v1"
	sv "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/shipmentvisibility/v1"
)

// pollEvery is how long systems wait before they look again.
const pollEvery = 80 * time.Millisecond

// Report is what a walk has led to, as read over the public API.
type Report struct {
	Scenario Scenario
	OrderID  string
	Resumed  bool // the order was there before: what stock was before it is not known
	Checks   []Check
	Took     time.Duration
}

// Check is one thing that must be true at the end.
type Check struct{ What, Got, Want string }

// OK reports whether it is.
func (c Check) OK() bool { return c.Got == c.Want }

// Failed are the checks that do not hold.
func (r *Report) Failed() (failed []Check) {
	for _, c := range r.Checks {
		if !c.OK() {
			failed = append(failed, c)
		}
	}
	return failed
}

// Walk drives one scenario to its expected end, tending its order only, and checks every
// end state over the public API. It returns the report of the last look together with an
// error when the context ends before all checks hold: give it a deadline. Setup comes first.
// A walk that was cut off goes on when it is walked again, and repeats nothing; it then
// cannot compare stock with what it was before the order.
func Walk(ctx context.Context, cast *Cast, s Scenario) (*Report, error) {
	cast.Script(s)
	begin := cast.ERP.Clock.Now()
	report := &Report{Scenario: s}
	there, err := cast.ERP.find(ctx, s)
	if err != nil {
		return report, fmt.Errorf("%s: %w", s.Name, err)
	}
	report.Resumed = there != ""
	before, err := stockOf(ctx, cast.ERP.Client, s)
	if err != nil {
		return report, fmt.Errorf("%s: stock: %w", s.Name, err)
	}
	if len(s.Receive) > 0 {
		if err := cast.ERP.Receive(ctx, s.Number+":receive", s.Receive); err != nil {
			return report, fmt.Errorf("%s: receive: %w", s.Name, err)
		}
	}
	if report.OrderID, err = cast.ERP.Export(ctx, s); err != nil {
		return report, fmt.Errorf("%s: export: %w", s.Name, err)
	}
	for {
		tended := cast.Tend(ctx, report.OrderID)
		checks, err := look(ctx, cast.ERP.Client, report, before)
		if err == nil {
			report.Checks = checks
		}
		if err = errors.Join(tended, err); err == nil && len(report.Failed()) == 0 {
			report.Took = cast.ERP.Clock.Now().Sub(begin)
			return report, nil
		}
		if !wait(ctx, pollEvery) {
			report.Took = cast.ERP.Clock.Now().Sub(begin)
			return report, fmt.Errorf("%s: order %s has not come to its end: %v: %w", s.Name, s.Number, report.Failed(), errors.Join(err, ctx.Err()))
		}
	}
}

// end is everything that belongs to an order.
type end struct {
	order     *or.Order
	shipments []*sv.Shipment
	freights  []*fs.Freight
	invoices  []*fs.FreightInvoice
	returns   []*returnsv1.Return
}

func gather(ctx context.Context, c *Client, orderID string) (*end, error) {
	var e end
	var err error
	if e.order, err = orderOf(ctx, c, orderID); err != nil {
		return nil, err
	}
	if err = eachShipment(ctx, c, by("order_id", orderID), func(_ context.Context, s *sv.Shipment) error {
		e.shipments = append(e.shipments, s)
		return nil
	}); err != nil {
		return nil, err
	}
	if e.freights, err = freightsOf(ctx, c, by("order_id", orderID)); err != nil {
		return nil, err
	}
	for _, f := range e.freights {
		of, err := invoicesOf(ctx, c, by("reference", f.GetFreightId()))
		if err != nil {
			return nil, err
		}
		e.invoices = append(e.invoices, of...)
	}
	var page returnsv1.ListReturnsResponse
	if err := c.Get(ctx, "/v1/returns?"+by("order_id", orderID).Encode(), &page); err != nil {
		return nil, err
	}
	for _, r := range page.GetReturns() {
		var got returnsv1.GetReturnResponse
		if err := c.Get(ctx, "/v1/returns/"+r.GetRmaId(), &got); err != nil {
			return nil, err
		}
		e.returns = append(e.returns, got.GetReturn())
	}
	return &e, nil
}

// look compares how things stand with what the scenario wants.
func look(ctx context.Context, c *Client, r *Report, before map[string]quantity.Decimal) ([]Check, error) {
	e, err := gather(ctx, c, r.OrderID)
	if err != nil {
		return nil, err
	}
	want := r.Scenario.Want
	checks := append(ofOrder(e, want), ofMoney(e, want)...)
	if r.Resumed {
		return checks, nil
	}
	after, err := stockOf(ctx, c, r.Scenario)
	if err != nil {
		return nil, err
	}
	return append(checks, ofStock(want, before, after)...), nil
}

func ofOrder(e *end, want Want) []Check {
	checks := []Check{
		{"order", short(e.order.GetState(), orderPrefix), want.Order},
		{"releases", itoa(len(e.order.GetReleases())), itoa(want.Releases)},
		{"shipments", itoa(len(e.shipments)), itoa(want.Shipments)},
	}
	for i, w := range want.Lines {
		text := func(f Filled) string {
			return fmt.Sprintf("%s issued, %s delivered, %s cancelled", f.Issued, f.Delivered, f.Cancelled)
		}
		got := "missing"
		if i < len(e.order.GetLines()) {
			q := e.order.GetLines()[i].GetQuantities()
			got = text(Filled{0, number(q.GetIssued()).String(), number(q.GetDelivered()).String(), number(q.GetCancelled()).String()})
		}
		checks = append(checks, Check{fmt.Sprintf("line %d", w.Line), got, text(w)})
	}
	for i, s := range e.shipments {
		end := "CLOSED"
		if want.Freight == 0 {
			end = "CANCELLED"
		}
		checks = append(checks, Check{fmt.Sprintf("shipment %d", i+1), short(s.GetState(), shipmentPrefix), end})
	}
	return checks
}

func ofMoney(e *end, want Want) []Check {
	var settled int64
	var states []string
	for _, i := range e.invoices {
		states = append(states, short(i.GetState(), invoicePrefix))
		settled += i.GetApproved().GetAmountMinor()
	}
	checks := []Check{
		{"freight invoices", strings.Join(states, " "), strings.Join(want.Invoices, " ")},
		{"freight paid", euros(settled), euros(want.Freight)},
	}
	if want.Freight > 0 {
		for i, f := range e.freights {
			checks = append(checks, Check{fmt.Sprintf("freight %d", i+1), short(f.GetState(), "FREIGHT_STATE_"), "SETTLED"})
		}
	}
	if want.Return == "" {
		return checks
	}
	state, credited := "none", int64(0)
	for _, r := range e.returns {
		state = short(r.GetState(), returnPrefix)
		for _, c := range r.GetCredits() {
			if c.GetState() == returnsv1.CreditState_CREDIT_STATE_CONFIRMED {
				credited += c.GetNet().GetAmountMinor()
			}
		}
	}
	return append(checks, Check{"return", state, want.Return}, Check{"credited", euros(credited), euros(want.Credit)})
}

func euros(minor int64) string { return fmt.Sprintf("%d.%02d EUR", minor/100, minor%100) }

// ofStock compares the change of stock since before the order.
func ofStock(want Want, before, after map[string]quantity.Decimal) []Check {
	wanted := maps.Clone(want.Stock)
	if wanted == nil {
		wanted = map[string]string{}
	}
	maps.Copy(wanted, want.Elsewhere)
	var checks []Check
	for _, place := range slices.Sorted(maps.Keys(wanted)) {
		checks = append(checks, Check{"stock " + place, after[place].Sub(before[place]).String(), wanted[place]})
	}
	for _, place := range slices.Sorted(maps.Keys(after)) {
		if claimed, ok := strings.CutPrefix(place, "claimed "); ok {
			checks = append(checks, Check{"claimed of " + claimed, after[place].Sub(before[place]).String(), "0"})
		}
	}
	return checks
}

// stockOf reads the stock that a scenario is about: on hand and AVAILABLE by "site/SKU", at
// virtual locations by "site/SKU/location", allocated and promised by "claimed site/SKU".
func stockOf(ctx context.Context, c *Client, s Scenario) (map[string]quantity.Decimal, error) {
	all := map[string]quantity.Decimal{}
	for place := range s.Want.Stock {
		site, sku, _ := strings.Cut(place, "/")
		var got im.GetStockResponse
		err := c.Get(ctx, "/v1/stocks?"+url.Values{"site": {site}, "sku": {sku}}.Encode(), &got)
		if absent(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, row := range got.GetStock().GetRows() {
			if strings.Contains(row.GetLocation(), "/") && row.GetStatus() == im.StockStatus_STOCK_STATUS_AVAILABLE {
				all[place] = all[place].Add(value(row.GetOnHand()))
			}
			elsewhere := place + "/" + row.GetLocation()
			all[elsewhere] = all[elsewhere].Add(value(row.GetOnHand()))
		}
		var free im.GetAvailabilityResponse
		if err := c.Post(ctx, "/v1/stocks:getAvailability", "", &im.GetAvailabilityRequest{
			Places: []*im.AvailabilityPlace{{Site: site, Sku: sku}},
		}, &free); err != nil {
			return nil, err
		}
		for _, a := range free.GetAvailabilities() {
			all["claimed "+place] = value(a.GetAllocated()).Add(value(a.GetPromised()))
		}
	}
	return all, nil
}

// String renders a report as text: the checks, those that do not hold first.
func (r *Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: order %s (%s), %s\n", r.Scenario.Name, r.Scenario.Number, r.Scenario.Title, r.Took.Round(time.Millisecond))
	checks := slices.Clone(r.Checks)
	sort.SliceStable(checks, func(i, j int) bool { return !checks[i].OK() && checks[j].OK() })
	for _, c := range checks {
		mark := "ok "
		if !c.OK() {
			mark = "NOT"
		}
		fmt.Fprintf(&b, "  %s %s: %s", mark, c.What, c.Got)
		if !c.OK() {
			fmt.Fprintf(&b, ", want %s", c.Want)
		}
		b.WriteByte('\n')
	}
	return b.String()
}
