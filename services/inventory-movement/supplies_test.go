package inventorymovement_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	im "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	inventorymovement "github.com/lockstep-logistics/lockstep/services/inventory-movement"
)

// TestSupplies: what is announced is promised by its date, and what comes goes to whoever was
// promised it first.
func TestSupplies(t *testing.T) {
	onEngines(t, map[string]func(*testing.T, *world){
		"promised by 500 callers":      promisedBy500,
		"dated, late, short, received": datedAgain,
		"by date":                      availableByDate,
		"overdue":                      overdue,
		"mistakes of supplies":         supplyMistakes,
	})
}

// soon is some days from now, to the second.
func soon(days int) time.Time {
	return time.Now().UTC().Truncate(time.Second).Add(time.Duration(days) * 24 * time.Hour)
}

// expect announces pieces for a time.
func (w *world) expect(t *testing.T, sku string, pieces int, at time.Time) (id string) {
	t.Helper()
	r := asn(sku, pieces)
	r.Lines[0].Lot, r.Lines[0].ExpiryDate, r.ExpectedTime = "", "", timestamppb.New(at)
	return w.announce(t, r)
}

func (w *world) check(t *testing.T, sku string, pieces int) *im.CheckAvailabilityResponse {
	t.Helper()
	req := &im.CheckAvailabilityRequest{Site: "DC1", Sku: sku}
	if pieces > 0 {
		req.Quantity = ea(pieces)
	}
	resp, err := w.wms.CheckAvailability(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

// coming waits until pieces in all are supplies of the item.
func (w *world) coming(t *testing.T, sku, want string) {
	t.Helper()
	testkit.Eventually(t, patience, func() error {
		var all []string
		for _, s := range w.check(t, sku, 0).GetSupplies() {
			text := s.GetQuantity()
			if s.GetOverdue() {
				text += " overdue"
			}
			if s.GetArrived() {
				text += " arrived"
			}
			all = append(all, text)
		}
		if got := strings.Join(all, ", "); got != want {
			return fmt.Errorf("%q is to come, want %q", got, want)
		}
		return nil
	})
}

// promise asks for pieces of what comes, in all, and returns what was promised and why not more.
func (w *world) promise(t *testing.T, sku, key string, pieces int) string {
	t.Helper()
	resp, err := w.claims.PromiseSupplies(t.Context(), &im.PromiseSuppliesRequest{Claims: []*im.SupplyClaim{w.wish(sku, key, pieces)}})
	if err != nil {
		t.Fatal(err)
	}
	g := resp.GetGrants()[0]
	return strings.TrimSpace(g.GetPromised().GetValue() + " " + g.GetReason().GetCode())
}

func (w *world) wish(sku, key string, pieces int) *im.SupplyClaim {
	return &im.SupplyClaim{PromiseKey: key, Site: "DC1", ItemId: w.id("itm", sku), Owner: "OWN", Quantity: ea(pieces), AllowPartial: true}
}

// dates are the facts that told dates, the last ones first to come.
func (w *world) dates(t *testing.T, sku string) (told []string) {
	t.Helper()
	resp, err := w.wms.ListMovements(t.Context(), &im.ListMovementsRequest{StockId: w.stockID(sku), PageSize: 200})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range resp.GetMovements() {
		for _, f := range c.GetFacts() {
			if strings.HasPrefix(f, "DATED") {
				told = append(told, f)
			}
		}
	}
	return told
}

// promisedBy500: no two of 500 callers count on the same of 100 pieces that are to come.
func promisedBy500(t *testing.T, w *world) {
	sku := w.item(t)
	w.expect(t, sku, 100, soon(3))
	w.coming(t, sku, "100")
	const callers = 500
	promised := make([]string, callers)
	var wg sync.WaitGroup
	for i := range callers {
		wg.Go(func() {
			req := &im.PromiseSuppliesRequest{Claims: []*im.SupplyClaim{w.wish(sku, fmt.Sprintf("dtd:%d", i), 1)}}
			for {
				resp, err := w.claims.PromiseSupplies(t.Context(), req)
				if err == nil {
					promised[i] = resp.GetGrants()[0].GetPromised().GetValue() + " " + resp.GetGrants()[0].GetReason().GetCode()
					return
				}
				if !fault.Transient(err) { // full: the same comes again
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	n := map[string]int{}
	for _, p := range promised {
		n[p]++
	}
	if len(n) != 2 || n["1 "] != 100 || n["0 SUPPLY_MISSING"] != 400 {
		t.Errorf("%v", n)
	}
	if a := w.check(t, sku, 1); a.GetPromisedByDate() != "100" || a.GetDates()[0].GetDemand() != "100" || a.GetDates()[0].GetCumulativeAvailable() != "0" || a.GetAvailableTime() != nil {
		t.Errorf("%v", a)
	}
}

// datedAgain: two orders are promised of two deliveries; the first is late, then short, then
// comes: each change is told, and what comes is kept for who was promised first.
func datedAgain(t *testing.T, w *world) {
	sku := w.item(t)
	first, second := soon(3), soon(5)
	id := w.expect(t, sku, 10, first)
	w.expect(t, sku, 10, second)
	w.coming(t, sku, "10, 10")
	a, b := "dtd:a-"+sku, "dtd:b-"+sku
	if got := w.promise(t, sku, a, 6); got != "6" {
		t.Fatal(got)
	}
	if got := w.promise(t, sku, b, 8); got != "8" {
		t.Fatal(got)
	}
	late := soon(7)
	if _, err := w.wms.RescheduleInboundDelivery(t.Context(), &im.RescheduleInboundDeliveryRequest{InboundDeliveryId: id, ExpectedTime: timestamppb.New(late), Reason: "VESSEL_LATE"}); err != nil {
		t.Fatal(err)
	}
	clock := func(t time.Time) string { return t.Format(time.RFC3339) }
	w.told(t, sku,
		"DATED "+a+": "+clock(first)+" because PROMISED", "DATED "+b+": "+clock(second)+" because PROMISED",
		"DATED "+a+": "+clock(second)+" because RESCHEDULED", "DATED "+b+": "+clock(late)+" because RESCHEDULED")
	if _, err := w.wms.CancelRemaining(t.Context(), &im.CancelRemainingRequest{InboundDeliveryId: id, LineNumbers: []int32{1}, Reason: "LOST"}); err != nil {
		t.Fatal(err)
	}
	w.coming(t, sku, "10")
	told := w.dates(t, sku)
	if last := told[len(told)-1]; last != "DATED "+b+": unknown because CANCELLED" {
		t.Errorf("%v", told)
	}
	third := w.expect(t, sku, 9, soon(1))
	w.coming(t, sku, "9, 10")
	w.take(t, third, goods(9))
	w.booked(t, sku, "B-1 9, SUPPLIER -9")
	if atp, _ := w.atp(t, sku); atp != "0" {
		t.Errorf("%s can be promised to a newcomer", atp)
	}
	if g := w.reserve(t, true, w.claim("clm:new:"+sku, sku, 1)); g[0].GetRefusal().GetCode() != "INSUFFICIENT_STOCK" {
		t.Errorf("a newcomer: %v", g)
	}
	claim := w.claim("clm:b:"+sku, sku, 8)
	claim.PromiseKey = b
	if g := w.reserve(t, true, claim); g[0].GetGranted().GetValue() != "3" { // six are a's
		t.Errorf("b: %v", g)
	}
	claim = w.claim("clm:a:"+sku, sku, 6)
	claim.PromiseKey = a
	if g := w.reserve(t, false, claim); g[0].GetGranted().GetValue() != "6" {
		t.Errorf("a: %v", g)
	}
	if c := w.check(t, sku, 0); c.GetPromisedByDate() != "5" || c.GetPromised() != "9" {
		t.Errorf("%v", c)
	}
	if got := w.promise(t, sku, b, 0); got != "0" {
		t.Error(got)
	}
}

// told waits for dates to be told, in this order.
func (w *world) told(t *testing.T, sku string, want ...string) {
	t.Helper()
	testkit.Eventually(t, patience, func() error {
		if got := w.dates(t, sku); !slices.Equal(got, want) {
			return fmt.Errorf("told\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		return nil
	})
}

// availableByDate: what can be promised by when, within the horizon and not beyond.
func availableByDate(t *testing.T, w *world) {
	sku := w.stocked(t, 4)
	near, far := soon(10), soon(200)
	w.expect(t, sku, 10, near)
	w.expect(t, sku, 100, far)
	w.coming(t, sku, "10, 100")
	a := w.check(t, sku, 14)
	if a.GetAvailableToPromise() != "4" || a.GetOnHand() != "4" || len(a.GetDates()) != 1 || a.GetDates()[0].GetCumulativeAvailable() != "14" ||
		!a.GetAvailableTime().AsTime().Equal(near) || a.GetUnit() != "EA" {
		t.Errorf("%v", a)
	}
	if a := w.check(t, sku, 15); a.GetAvailableTime() != nil {
		t.Errorf("%v", a)
	}
	if a := w.check(t, sku, 4); a.GetAvailableTime() == nil || a.GetAvailableTime().AsTime().After(near) {
		t.Errorf("%v", a)
	}
	if got := w.promise(t, sku, "dtd:far-"+sku, 20); got != "14 SUPPLY_OUTSIDE_HORIZON" {
		t.Error(got)
	}
	if got := w.promise(t, sku, "dtd:none-"+sku, 1); got != "0 SUPPLY_OUTSIDE_HORIZON" {
		t.Error(got)
	}
	other := w.item(t)
	if got := w.promise(t, other, "dtd:other-"+other, 1); got != "0 SUPPLY_MISSING" {
		t.Error(got)
	}
	if a := w.check(t, other, 1); a.GetOnHand() != "0" || a.GetUnit() != "EA" || len(a.GetDates()) > 0 {
		t.Errorf("%v", a)
	}
}

// overdue: nobody knows when it comes what was expected earlier and is not here; once it is at the
// site, it counts again.
func overdue(t *testing.T, w *world) {
	sku := w.item(t)
	id := w.expect(t, sku, 5, time.Now().Add(-time.Hour))
	w.coming(t, sku, "5 overdue")
	if got := w.promise(t, sku, "dtd:late-"+sku, 5); got != "0 SUPPLY_MISSING" {
		t.Error(got)
	}
	if _, err := w.wms.RecordArrival(t.Context(), &im.RecordArrivalRequest{InboundDeliveryId: id}); err != nil {
		t.Fatal(err)
	}
	w.coming(t, sku, "5 arrived")
	if got := w.promise(t, sku, "dtd:late-"+sku, 5); got != "5" {
		t.Error(got)
	}
}

func supplyMistakes(t *testing.T, w *world) {
	sku := w.item(t)
	id := w.expect(t, sku, 5, soon(2))
	req := &im.RescheduleInboundDeliveryRequest{InboundDeliveryId: id, ExpectedTime: timestamppb.New(soon(4))}
	for range 2 { // the same time again changes nothing
		if resp, err := w.wms.RescheduleInboundDelivery(t.Context(), req); err != nil || resp.GetReceipt().GetState() != "EXPECTED" {
			t.Fatal(resp, err)
		}
	}
	if got := w.delivery(t, id).GetExpectedTime().AsTime(); !got.Equal(req.GetExpectedTime().AsTime()) {
		t.Errorf("expected at %s", got)
	}
	c := w.Caller(commonv1.Role_ROLE_PARTNER)
	c.Party = ident.Derive("pty", w.Tenant, "OTHER")
	_, err := im.NewInventoryMovementServiceClient(w.Client(inventorymovement.Name, c)).RescheduleInboundDelivery(t.Context(), req)
	reason(t, err, fault.NotFound, "NOT_FOUND")
	if _, err := w.wms.CancelRemaining(t.Context(), &im.CancelRemainingRequest{InboundDeliveryId: id, Reason: "LOST"}); err != nil {
		t.Fatal(err)
	}
	req.ExpectedTime = timestamppb.New(soon(6))
	_, err = w.wms.RescheduleInboundDelivery(t.Context(), req)
	reason(t, err, fault.Refused, "NOTHING_OPEN")
	_, err = w.wms.CheckAvailability(t.Context(), &im.CheckAvailabilityRequest{Site: "DC1", Sku: "NOPE"})
	reason(t, err, fault.Invalid, "ITEM_UNKNOWN")
	w.coming(t, sku, "")
	bad := w.wish(sku, "dtd:x", 1)
	bad.Quantity = &commonv1.Quantity{Value: "-1", Unit: "EA"}
	_, err = w.claims.PromiseSupplies(t.Context(), &im.PromiseSuppliesRequest{Claims: []*im.SupplyClaim{bad}})
	reason(t, err, fault.Invalid, "QUANTITY_INVALID")
}
