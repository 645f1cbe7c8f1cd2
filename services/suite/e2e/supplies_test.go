package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/testkit"
	inventorymovementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	orderreleasev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/fleet"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/lifecycle"
)

// TestSupplies: orders that wait are promised of what suppliers announced, by its date; they are
// dated again when it is late, and what comes goes to whoever was promised it first.
func TestSupplies(t *testing.T) {
	onBothShapes(t, func(t *testing.T, f *fleet.Fleet) {
		for name, test := range map[string]func(*testing.T, party){
			"S11 promised of what comes": promisedOfWhatComes,
			"after the horizon":          afterTheHorizon,
		} {
			t.Run(name, func(t *testing.T) { test(t, supplied(t, f, 1, 6)) })
		}
		t.Run("cut-off at risk", func(t *testing.T) { cutOffAtRisk(t, supplied(t, f, 1, 500)) })
	})
}

// inDays is some days from now, to the second.
func inDays(n int) time.Time {
	return time.Now().UTC().Truncate(time.Second).Add(time.Duration(n) * 24 * time.Hour)
}

// comes announces pieces for a time.
func (p party) comes(t *testing.T, number string, pieces int, at time.Time) (id string) {
	t.Helper()
	return p.announce(t, number, lifecycle.Site, lifecycle.SKU(0), pieces, fmt.Sprintf(`,"expectedTime":%q`, at.Format(time.RFC3339))).GetId()
}

// availability is what can be promised of the first item by when, and so many pieces of it.
func (p party) availability(t *testing.T, pieces int) *inventorymovementv1.CheckAvailabilityResponse {
	t.Helper()
	got := &inventorymovementv1.CheckAvailabilityResponse{}
	unmarshal(t, p.read(t, fmt.Sprintf("/v1/stocks:checkAvailability?site=%s&sku=%s&quantity.value=%d&quantity.unit=EA", lifecycle.Site, lifecycle.SKU(0), pieces)), got)
	return got
}

// promisedBy waits until the first line of an order is promised by a time; the zero time is no date.
func (p party) promisedBy(t *testing.T, id string, at time.Time) *orderreleasev1.OrderLineStatus {
	t.Helper()
	var l *orderreleasev1.OrderLineStatus
	testkit.Eventually(t, within, func() error {
		resp := &orderreleasev1.GetOrderResponse{}
		unmarshal(t, p.read(t, "/v1/orders/"+id), resp)
		l = resp.GetOrder().GetLines()[0]
		if is := l.GetPromisedDate(); at.IsZero() != (is == nil) || is != nil && !is.AsTime().Equal(at) {
			return fmt.Errorf("%s: %v", resp.GetOrder().GetState(), l)
		}
		return nil
	})
	return l
}

// explains waits until an order says a reason.
func (p party) explains(t *testing.T, id, code, says string) {
	t.Helper()
	testkit.Eventually(t, within, func() error {
		resp := &orderreleasev1.ExplainOrderResponse{}
		unmarshal(t, p.read(t, "/v1/orders/"+id+":explain"), resp)
		for _, r := range resp.GetReasons() {
			if r.GetCode() == code && strings.Contains(r.GetMessage(), says) {
				return nil
			}
		}
		return fmt.Errorf("%v", resp.GetReasons())
	})
}

// promisedOfWhatComes: 6 of 10 go now, and what waits is promised of the 20 that are announced,
// in the order in which it was asked for. They are late: both are dated again. 5 come: the four of
// the first go; the rest comes, and what is left goes to the second.
func promisedOfWhatComes(t *testing.T, p party) {
	first := receipt(t, "first", p.must(t, http.MethodPost, "/v1/orders", order("SUP-1", 10))).GetId()
	p.releases(t, first, 1)
	at := inDays(10)
	asn := p.comes(t, "ASN-SUP", 20, at)
	if s := p.promisedBy(t, first, at).GetSupplies(); len(s) != 1 || s[0].GetAsnNumber() != "ASN-SUP" || s[0].GetQuantity() != "4" {
		t.Errorf("%v", s)
	}
	second := receipt(t, "second", p.must(t, http.MethodPost, "/v1/orders", order("SUP-2", 7))).GetId()
	p.promisedBy(t, second, at)
	p.explains(t, second, "SUPPLY_EXPECTED", "7 EA of "+lifecycle.SKU(0)+" come to "+lifecycle.Site+" with ASN ASN-SUP, expected "+at.Format("2006-01-02 15:04Z"))
	testkit.Eventually(t, within, func() error {
		a := p.availability(t, 9)
		if a.GetAvailableToPromise() != "0" || a.GetPromisedByDate() != "11" || len(a.GetDates()) != 1 || a.GetDates()[0].GetCumulativeAvailable() != "9" ||
			!a.GetAvailableTime().AsTime().Equal(at) {
			return fmt.Errorf("%v", a)
		}
		return nil
	})
	later := inDays(20)
	p.inbound(t, asn, "reschedule", "late-"+asn, fmt.Sprintf(`{"expectedTime":%q,"reason":"VESSEL_LATE"}`, later.Format(time.RFC3339)))
	p.promisedBy(t, first, later)
	p.promisedBy(t, second, later)
	history := p.read(t, "/v1/orders/"+second+"/history")
	if !strings.Contains(history, "RESCHEDULED") || !strings.Contains(history, at.Format("2006-01-02T15:04:05Z")) {
		t.Errorf("%s", history)
	}
	p.inbound(t, asn, "receiveLines", "five-"+asn, received(5))
	o := p.releases(t, first, 2)
	if got := o.GetReleases()[1].GetLines()[0].GetQuantity(); got != "4" {
		t.Errorf("%v", o.GetReleases())
	}
	p.promisedBy(t, second, later) // the rest of it: one piece may have gone
	p.inbound(t, asn, "receiveLines", "more-"+asn, received(15))
	testkit.Eventually(t, within, func() error {
		resp := &orderreleasev1.GetOrderResponse{}
		unmarshal(t, p.read(t, "/v1/orders/"+second), resp)
		if q := resp.GetOrder().GetLines()[0].GetQuantities(); q.GetReleased() != "7" || q.GetBackordered() != "0" {
			return fmt.Errorf("%v", q)
		}
		return nil
	})
	testkit.Eventually(t, within, func() error { // the order hears of its stock before all of it is booked
		if a := p.availability(t, 9); a.GetAvailableToPromise() != "9" || a.GetPromisedByDate() != "0" || len(a.GetSupplies()) != 0 {
			return fmt.Errorf("%v", a)
		}
		return nil
	})
}

// afterTheHorizon: what comes too late is not promised, and the order says why; when the supplier
// brings it earlier, it is promised; when it is cancelled, nobody knows when it comes.
func afterTheHorizon(t *testing.T, p party) {
	id := receipt(t, "order", p.must(t, http.MethodPost, "/v1/orders", order("FAR-1", 8))).GetId()
	p.releases(t, id, 1)
	asn := p.comes(t, "ASN-FAR", 5, inDays(300))
	p.explains(t, id, "SUPPLY_OUTSIDE_HORIZON", "2 EA of "+lifecycle.SKU(0))
	if a := p.availability(t, 2); a.GetAvailableTime() != nil || len(a.GetSupplies()) != 1 {
		t.Errorf("%v", a)
	}
	near := inDays(3)
	p.inbound(t, asn, "reschedule", "near-"+asn, fmt.Sprintf(`{"expectedTime":%q}`, near.Format(time.RFC3339)))
	p.promisedBy(t, id, near)
	p.inbound(t, asn, "cancelRemaining", "lost-"+asn, `{"reason":"SUPPLIER_SHORT"}`)
	p.promisedBy(t, id, time.Time{})
	p.explains(t, id, "SUPPLY_UNCERTAIN", "2 EA of "+lifecycle.SKU(0))
	p.must(t, http.MethodPost, "/v1/orders/"+id+":cancel", `{"reason":"CUSTOMER_REQUEST"}`)
	testkit.Eventually(t, within, func() error {
		if a := p.availability(t, 1); a.GetPromisedByDate() != "0" {
			return fmt.Errorf("%v", a)
		}
		return nil
	})
}

// cutOffAtRisk: 400 lines take 401 minutes, and the carrier comes every four hours: the order
// misses the cut-off that it could make when it was released. Once it is cancelled nothing is at risk.
func cutOffAtRisk(t *testing.T, p party) {
	var times, lines []string
	for _, day := range []string{"MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"} {
		for hour := 1; hour < 24; hour += 4 {
			times = append(times, fmt.Sprintf(`{"weekday":"WEEKDAY_%s","localTime":"%02d:30","leadMinutes":5}`, day, hour))
		}
	}
	p.must(t, http.MethodPost, "/v1/cut-offs", fmt.Sprintf(`{"cutOff":{"siteCode":%q,"carrierCode":%q,"times":[%s]}}`, lifecycle.Site, lifecycle.Carrier, strings.Join(times, ",")))
	for i := range 400 {
		lines = append(lines, fmt.Sprintf(`{"lineNumber":%d,"sku":%q,"quantity":{"value":"1","unit":"EA"}}`, i+1, lifecycle.SKU(0)))
	}
	head, _, one := strings.Cut(order("RISK-1", 1), `"lines":[`)
	if !one {
		t.Fatal(head)
	}
	body := head + `"lines":[` + strings.Join(lines, ",") + `]}}`
	id := receipt(t, "order", p.must(t, http.MethodPost, "/v1/orders", body)).GetId()
	p.releases(t, id, 1)
	atRisk := func() *inventorymovementv1.ListCutOffsAtRiskResponse {
		got := &inventorymovementv1.ListCutOffsAtRiskResponse{}
		unmarshal(t, p.read(t, "/v1/warehouse-orders:listCutOffsAtRisk?site="+lifecycle.Site), got)
		return got
	}
	var got *inventorymovementv1.ListCutOffsAtRiskResponse
	testkit.Eventually(t, within, func() error {
		if got = atRisk(); got.GetTotal() != 1 {
			return fmt.Errorf("%v", got)
		}
		return nil
	})
	o := got.GetOrders()[0]
	if o.GetOrderId() != id || o.GetMinutesLate() < 401-5*60 || o.GetBlockingStage() != inventorymovementv1.WorkStage_WORK_STAGE_PICK ||
		o.GetReadyTime().AsTime().Sub(got.GetAsOfTime().AsTime()) != 401*time.Minute || o.GetReadyByTime().AsTime().Minute() != 25 {
		t.Errorf("%v", got)
	}
	p.must(t, http.MethodPost, "/v1/orders/"+id+":cancel", `{"reason":"CUSTOMER_REQUEST"}`)
	testkit.Eventually(t, within, func() error {
		if got := atRisk(); got.GetTotal() != 0 || got.GetOpenOrders() != 0 {
			return fmt.Errorf("%v", got)
		}
		return nil
	})
}
