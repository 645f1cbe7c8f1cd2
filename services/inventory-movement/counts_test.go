package inventorymovement_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/host/hosttest"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	im "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	inventorymovement "github.com/lockstep-logistics/lockstep/services/inventory-movement"
)

func TestCounts(t *testing.T) {
	onEngines(t, map[string]func(*testing.T, *world){
		"counted, again, and posted":     countedAndPosted,
		"movements while counting":       movedWhileCounting,
		"what others have":               countedShortOfOrders,
		"one submission, many times":     submittedManyTimes,
		"policies of sites":              countPolicies,
		"counted later by another count": countedLater,
		"mistakes":                       countMistakes,
	})
}

// person is somebody with roles.
func (w *world) person(name string, roles ...commonv1.Role) client {
	c := w.Caller(roles...)
	c.Principal = name
	return im.NewInventoryMovementServiceClient(w.Client(inventorymovement.Name, c))
}

// counting plans a count of items and begins it.
func (w *world) counting(t *testing.T, skus ...string) (id string) {
	t.Helper()
	resp, err := w.wms.PlanCount(t.Context(), &im.PlanCountRequest{Site: "DC1", Skus: skus})
	if err != nil {
		t.Fatal(err)
	}
	id = resp.GetReceipt().GetId()
	if _, err := w.wms.StartCount(t.Context(), &im.StartCountRequest{CountId: id}); err != nil {
		t.Fatal(err)
	}
	return id
}

func found(sku, bin string, pieces int) *im.CountedQuantity {
	return &im.CountedQuantity{Sku: sku, Location: bin, Quantity: ea(pieces)}
}

func submit(t *testing.T, who client, id string, lines ...*im.CountedQuantity) *commonv1.Receipt {
	t.Helper()
	resp, err := who.SubmitCount(t.Context(), &im.SubmitCountRequest{CountId: id, Lines: lines})
	if err != nil {
		t.Fatal(err)
	}
	return resp.GetReceipt()
}

// count reads a count and renders its lines: "B-1 8-10" is 8 counted of 10 expected.
func (w *world) count(t *testing.T, id string) (c *im.StockCount, lines string) {
	t.Helper()
	resp, err := w.wms.GetCount(t.Context(), &im.GetCountRequest{CountId: id})
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, l := range resp.GetCount().GetLines() {
		text := l.GetLocation() + " " + l.GetCounted().GetValue() + "-" + l.GetExpected().GetValue()
		for mark, is := range map[string]bool{"?": l.GetRecount(), "!": l.GetRefusal() != ""} {
			if is {
				text += mark
			}
		}
		all = append(all, text)
	}
	return resp.GetCount(), strings.Join(all, ", ")
}

// completed waits for a count to be complete, or not to be posting any more.
func (w *world) posted(t *testing.T, id string, want im.CountState) *im.StockCount {
	t.Helper()
	var c *im.StockCount
	testkit.Eventually(t, patience, func() error {
		if c, _ = w.count(t, id); c.GetPosting() || c.GetState() != want {
			return fmt.Errorf("%v", c)
		}
		return nil
	})
	return c
}

// countedAndPosted: a difference is counted again by another person and posted by an administrator
// who counted none of it; what is found beside is posted too, and the count is told everywhere.
func countedAndPosted(t *testing.T, w *world) {
	sku := w.stocked(t, 10)
	w.receive(t, sku, "B-2", ea(5))
	ann, bob := w.person("ann", commonv1.Role_ROLE_LOGISTICS), w.person("bob", commonv1.Role_ROLE_LOGISTICS)
	admin := w.person("eve", commonv1.Role_ROLE_TENANT_ADMIN)
	id := w.counting(t, sku)
	if c, lines := w.count(t, id); lines != "B-1 -, B-2 -" || c.GetOpenCount() != 2 || c.GetState() != im.CountState_COUNT_STATE_IN_PROGRESS {
		t.Fatal(lines, c)
	}
	if r := submit(t, ann, id, found(sku, "B-1", 8), found(sku, "B-2", 5), found(sku, "B-3", 1)); r.GetValues()["recounts"] != "2" {
		t.Errorf("%v", r)
	}
	if _, lines := w.count(t, id); lines != "B-1 -?, B-2 -, B-3 -?" {
		t.Errorf("it is not blind: %s", lines)
	}
	_, err := ann.SubmitCount(t.Context(), &im.SubmitCountRequest{CountId: id, Lines: []*im.CountedQuantity{found(sku, "B-1", 9)}})
	reason(t, err, fault.Refused, "SAME_PERSON")
	_, err = admin.PostCount(t.Context(), &im.PostCountRequest{CountId: id})
	reason(t, err, fault.Refused, "COUNT_STATE")
	if r := submit(t, bob, id, found(sku, "B-1", 7), found(sku, "B-3", 1)); r.GetState() != "IN_VALIDATION" {
		t.Errorf("%v", r)
	}
	if _, lines := w.count(t, id); lines != "B-1 7-10, B-2 5-5, B-3 1-0" {
		t.Errorf("%s", lines)
	}
	_, err = ann.PostCount(t.Context(), &im.PostCountRequest{CountId: id})
	reason(t, err, fault.Refused, "SAME_PERSON")
	_, err = w.person("zoe", commonv1.Role_ROLE_LOGISTICS).PostCount(t.Context(), &im.PostCountRequest{CountId: id})
	reason(t, err, fault.Refused, "COUNT_LIMIT")
	_, err = admin.PostCount(t.Context(), &im.PostCountRequest{CountId: id, Reason: "BECAUSE"})
	reason(t, err, fault.Invalid, "REASON_CODE_UNKNOWN")
	ctx := hosttest.WithKey(t.Context(), "post:"+sku)
	first, err := admin.PostCount(ctx, &im.PostCountRequest{CountId: id})
	if err != nil || first.GetReceipt().GetValues()["adjustments"] != "2" {
		t.Fatal(first, err)
	}
	w.posted(t, id, im.CountState_COUNT_STATE_COMPLETE)
	if again, err := admin.PostCount(ctx, &im.PostCountRequest{CountId: id}); err != nil || !proto.Equal(first, again) {
		t.Errorf("%v %v", again, err)
	}
	if again, err := admin.PostCount(t.Context(), &im.PostCountRequest{CountId: id}); err != nil || again.GetReceipt().GetValues()["adjustments"] != "0" {
		t.Errorf("posted twice: %v %v", again, err)
	}
	if got, want := w.rows(t, sku), "B-1 7, B-2 5, B-3 1, DISCREPANCY 2, SUPPLIER -15"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	moves, err := w.wms.ListMovements(t.Context(), &im.ListMovementsRequest{StockId: w.stockID(sku)})
	if err != nil || !strings.Contains(fmt.Sprint(moves.GetMovements()), "by "+id+" because CYCLE_COUNT") {
		t.Errorf("%v %v", moves, err)
	}
}

// movedWhileCounting: goods that moved after they were counted do not count against the count,
// whenever that is told.
func movedWhileCounting(t *testing.T, w *world) {
	sku := w.stocked(t, 10)
	id := w.counting(t, sku)
	moment := time.Now()
	from := &commonv1.SourceRef{System: "wms", MessageId: "count:" + sku, EventTime: timestamppb.New(moment)}
	move := func(n int, at time.Time) {
		t.Helper()
		_, err := w.wms.MoveStock(t.Context(), &im.MoveStockRequest{
			Site: "DC1", Sku: sku, FromLocation: "B-1", ToLocation: "B-2", Quantity: ea(n),
			Source: &commonv1.SourceRef{System: "wms", MessageId: fmt.Sprintf("move:%s:%d", sku, n), EventTime: timestamppb.New(at)},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	move(3, moment.Add(time.Millisecond)) // after the counting, told before it
	resp, err := w.wms.SubmitCount(t.Context(), &im.SubmitCountRequest{CountId: id, Lines: []*im.CountedQuantity{found(sku, "B-1", 8)}, Source: from})
	if err != nil || resp.GetReceipt().GetValues()["recounts"] != "1" {
		t.Fatal(resp, err)
	}
	bob := w.person("bob", commonv1.Role_ROLE_LOGISTICS)
	if resp, err = bob.SubmitCount(t.Context(), &im.SubmitCountRequest{CountId: id, Lines: []*im.CountedQuantity{found(sku, "B-1", 8)}, Source: &commonv1.SourceRef{
		System: "wms", MessageId: "count2:" + sku, EventTime: timestamppb.New(moment),
	}}); err != nil {
		t.Fatal(resp, err)
	}
	if _, lines := w.count(t, id); lines != "B-1 8-10" {
		t.Errorf("%s", lines)
	}
	move(2, moment.Add(-time.Minute)) // before the counting, told after it: it is why there were 8
	admin := w.person("eve", commonv1.Role_ROLE_TENANT_ADMIN)
	if posted, err := admin.PostCount(t.Context(), &im.PostCountRequest{CountId: id}); err != nil || posted.GetReceipt().GetState() != "COMPLETE" {
		t.Fatal(posted, err)
	}
	if got, want := w.rows(t, sku), "B-1 5, B-2 5, SUPPLIER -10"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// countedShortOfOrders: what is missing and allocated stays in the books, with the order that would
// come up short; once the order says so itself, the count is posted.
func countedShortOfOrders(t *testing.T, w *world) {
	sku := w.stocked(t, 10)
	_, who := w.release(t, line{sku, 9, ""})
	w.state(t, who, "ALLOCATED")
	id := w.counting(t, sku)
	ann, bob, admin := w.person("ann", commonv1.Role_ROLE_LOGISTICS), w.person("bob", commonv1.Role_ROLE_LOGISTICS), w.person("eve", commonv1.Role_ROLE_TENANT_ADMIN)
	submit(t, ann, id, found(sku, "B-1", 7))
	submit(t, bob, id, found(sku, "B-1", 7))
	if _, err := admin.PostCount(t.Context(), &im.PostCountRequest{CountId: id}); err != nil {
		t.Fatal(err)
	}
	c := w.posted(t, id, im.CountState_COUNT_STATE_IN_VALIDATION)
	if l := c.GetLines()[0]; l.GetRefusal() != "STOCK_COMMITTED" || len(l.GetHeldBy()) != 1 || l.GetHeldBy()[0] != who || l.GetPosted() {
		t.Fatal(l)
	}
	if got, want := w.rows(t, sku), "B-1 10/9, SUPPLIER -10"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if _, err := w.wms.ReportShortPick(t.Context(), &im.ReportShortPickRequest{
		WarehouseOrderId: who, Lines: []*im.WarehouseLineQuantity{picked(1, 2)}, Reason: im.ShortReason_SHORT_REASON_MISSING,
	}); err != nil {
		t.Fatal(err)
	}
	w.becomes(t, sku, "B-1 8/7, DISCREPANCY 2, SUPPLIER -10")
	if posted, err := admin.PostCount(t.Context(), &im.PostCountRequest{CountId: id}); err != nil || posted.GetReceipt().GetState() != "IN_PROGRESS" {
		t.Fatal("the books were corrected since: it is counted anew", posted, err)
	}
	submit(t, ann, id, found(sku, "B-1", 7))
	submit(t, bob, id, found(sku, "B-1", 7))
	if _, err := admin.PostCount(t.Context(), &im.PostCountRequest{CountId: id}); err != nil {
		t.Fatal(err)
	}
	w.posted(t, id, im.CountState_COUNT_STATE_COMPLETE)
	w.becomes(t, sku, "B-1 7/7, DISCREPANCY 3, SUPPLIER -10")
	other := w.counting(t, sku)
	for range 2 {
		if _, err := w.wms.CancelCount(t.Context(), &im.CancelCountRequest{CountId: other, Reason: "REPLAN"}); err != nil {
			t.Fatal(err)
		}
	}
	_, err := ann.SubmitCount(t.Context(), &im.SubmitCountRequest{CountId: other, Lines: []*im.CountedQuantity{found(sku, "B-1", 7)}})
	reason(t, err, fault.Refused, "COUNT_STATE")
}

// submittedManyTimes: one submission is one, whatever the keys and however many at once.
func submittedManyTimes(t *testing.T, w *world) {
	sku := w.stocked(t, 10)
	id := w.counting(t, sku)
	ann := w.person("ann", commonv1.Role_ROLE_LOGISTICS)
	src := &commonv1.SourceRef{System: "wms", MessageId: "once:" + sku, EventTime: timestamppb.New(time.Now())}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			_, err := ann.SubmitCount(t.Context(), &im.SubmitCountRequest{CountId: id, Lines: []*im.CountedQuantity{found(sku, "B-1", 10)}, Source: src})
			if err != nil && !fault.Transient(err) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if c, lines := w.count(t, id); lines != "B-1 10-10" || c.GetLines()[0].GetTimesCounted() != 1 {
		t.Errorf("%s %v", lines, c)
	}
	r, err := ann.SubmitCount(t.Context(), &im.SubmitCountRequest{CountId: id, Lines: []*im.CountedQuantity{found(sku, "B-1", 10)}, Source: src})
	if err != nil || len(r.GetReceipt().GetReasons()) != 1 || r.GetReceipt().GetReasons()[0].GetCode() != "SUBMISSION_KNOWN" {
		t.Errorf("%v %v", r, err)
	}
	if posted, err := ann.PostCount(t.Context(), &im.PostCountRequest{CountId: id}); err != nil || posted.GetReceipt().GetState() != "COMPLETE" {
		t.Errorf("nothing differs: %v %v", posted, err)
	}
}

// countPolicies: within the policy nobody counts again, and who counted posts.
func countPolicies(t *testing.T, w *world) {
	admin := w.person("eve", commonv1.Role_ROLE_TENANT_ADMIN)
	set := func(site string, p *im.CountPolicy) error {
		_, err := admin.SetCountPolicy(t.Context(), &im.SetCountPolicyRequest{Site: site, Policy: p})
		return err
	}
	lenient := &im.CountPolicy{Recount: &im.CountLimit{Quantity: "1"}, Approval: &im.CountLimit{Percent: "20"}}
	if err := set("DC2", lenient); err != nil {
		t.Fatal(err)
	}
	reason(t, set("DC9", lenient), fault.Invalid, "SITE_UNKNOWN")
	if f := reason(t, set("DC2", &im.CountPolicy{Recount: &im.CountLimit{Percent: "101"}}), fault.Invalid, "QUANTITY_INVALID"); f.Fields[0].Path != "policy.recount.percent" {
		t.Errorf("%+v", f.Fields)
	}
	got, err := w.wms.GetCountPolicy(t.Context(), &im.GetCountPolicyRequest{})
	if err != nil || len(got.GetSites()) != 1 || !proto.Equal(got.GetSites()[0].GetPolicy(), lenient) {
		t.Errorf("%v %v", got, err)
	}
	sku := w.item(t)
	if _, err := w.wms.RecordReceipt(t.Context(), &im.RecordReceiptRequest{Receipt: &im.GoodsReceipt{Site: "DC2", Sku: sku, Location: "B-1", Quantity: ea(10)}}); err != nil {
		t.Fatal(err)
	}
	plan, err := w.wms.PlanCount(t.Context(), &im.PlanCountRequest{Site: "DC2", Skus: []string{sku}, Locations: []string{"B-1"}})
	if err != nil || plan.GetReceipt().GetValues()["lines"] != "1" {
		t.Fatal(plan, err)
	}
	id := plan.GetReceipt().GetId()
	if _, err := w.wms.StartCount(t.Context(), &im.StartCountRequest{CountId: id}); err != nil {
		t.Fatal(err)
	}
	if r := submit(t, w.wms, id, found(sku, "B-1", 9)); r.GetState() != "IN_VALIDATION" || r.GetValues()["recounts"] != "0" {
		t.Fatal(r)
	}
	if _, err := w.wms.PostCount(t.Context(), &im.PostCountRequest{CountId: id, Reason: "MISSING"}); err != nil {
		t.Fatal(err)
	}
	w.posted(t, id, im.CountState_COUNT_STATE_COMPLETE)
	if got, want := w.rowsAt(t, "DC2", sku), "B-1 9, DISCREPANCY 1, SUPPLIER -10"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	testkit.Eventually(t, patience, func() error { // lists trail
		list, err := w.wms.ListCounts(t.Context(), &im.ListCountsRequest{Site: "DC2"})
		if err != nil || len(list.GetCounts()) != 1 || list.GetCounts()[0].GetState() != im.CountState_COUNT_STATE_COMPLETE || len(list.GetCounts()[0].GetLines()) > 0 {
			return fmt.Errorf("%v %w", list, err)
		}
		return nil
	})
	if err := set("DC2", nil); err != nil {
		t.Fatal(err)
	}
}

// countedLater: of two counts of one place the later one stands, whichever is posted first.
func countedLater(t *testing.T, w *world) {
	sku := w.stocked(t, 10)
	older, newer := w.counting(t, sku), w.counting(t, sku)
	ann, bob, admin := w.person("ann", commonv1.Role_ROLE_LOGISTICS), w.person("bob", commonv1.Role_ROLE_LOGISTICS), w.person("eve", commonv1.Role_ROLE_TENANT_ADMIN)
	moment := time.Now()
	for i, id := range []string{older, newer} {
		for _, who := range []client{ann, bob} {
			_, err := who.SubmitCount(t.Context(), &im.SubmitCountRequest{CountId: id, Lines: []*im.CountedQuantity{found(sku, "B-1", 8)}, Source: &commonv1.SourceRef{
				System: "wms", MessageId: testkit.Name("m"), EventTime: timestamppb.New(moment.Add(time.Duration(i-1) * time.Minute)),
			}})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, id := range []string{newer, older} {
		if _, err := admin.PostCount(t.Context(), &im.PostCountRequest{CountId: id}); err != nil {
			t.Fatal(err)
		}
		w.posted(t, id, im.CountState_COUNT_STATE_COMPLETE)
	}
	if c, _ := w.count(t, older); !c.GetLines()[0].GetSuperseded() {
		t.Errorf("%v", c)
	}
	if got, want := w.rows(t, sku), "B-1 8, DISCREPANCY 2, SUPPLIER -10"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func countMistakes(t *testing.T, w *world) {
	sku := w.stocked(t, 10)
	_, err := w.wms.PlanCount(t.Context(), &im.PlanCountRequest{Site: "DC9"})
	reason(t, err, fault.Invalid, "SITE_UNKNOWN")
	_, err = w.wms.PlanCount(t.Context(), &im.PlanCountRequest{Site: "DC1", Skus: []string{sku, "NONE"}})
	if f := reason(t, err, fault.Invalid, "ITEM_UNKNOWN"); f.Fields[0].Path != "skus[1]" {
		t.Errorf("%+v", f.Fields)
	}
	plan, err := w.wms.PlanCount(t.Context(), &im.PlanCountRequest{Site: "DC1", Skus: []string{sku}, Locations: []string{"B-1"}})
	if err != nil {
		t.Fatal(err)
	}
	id := plan.GetReceipt().GetId()
	try := func(l *im.CountedQuantity, kind fault.Kind, want, field string) {
		t.Helper()
		_, err := w.wms.SubmitCount(t.Context(), &im.SubmitCountRequest{CountId: id, Lines: []*im.CountedQuantity{l}})
		if f := reason(t, err, kind, want); field != "" && (len(f.Fields) != 1 || f.Fields[0].Path != field) {
			t.Errorf("%+v", f.Fields)
		}
	}
	try(found(sku, "B-1", 1), fault.Refused, "COUNT_STATE", "")
	if _, err := w.wms.StartCount(t.Context(), &im.StartCountRequest{CountId: id}); err != nil {
		t.Fatal(err)
	}
	try(found("NONE", "B-1", 1), fault.Invalid, "ITEM_UNKNOWN", "lines[0].sku")
	try(found(sku, "PACKING", 1), fault.Invalid, "LOCATION_RESERVED", "lines[0].location")
	try(found(sku, "B-2", 1), fault.Invalid, "COUNT_SCOPE", "lines[0].location")
	half := found(sku, "B-1", 1)
	half.Quantity.Unit = "HF"
	try(half, fault.Invalid, "QUANTITY_INEXACT", "lines[0].quantity")
	_, err = w.wms.SubmitCount(t.Context(), &im.SubmitCountRequest{CountId: w.id("cnt", sku), Lines: []*im.CountedQuantity{found(sku, "B-1", 1)}})
	reason(t, err, fault.NotFound, "NOT_FOUND")
	_, err = w.wms.SubmitCount(t.Context(), &im.SubmitCountRequest{CountId: id, Lines: []*im.CountedQuantity{found(sku, "B-1", 1)}, Source: &commonv1.SourceRef{
		System: "wms", MessageId: "m", EventTime: timestamppb.New(time.Now().Add(time.Hour)),
	}})
	reason(t, err, fault.Invalid, "TIME_INVALID")
	if _, lines := w.count(t, id); lines != "B-1 -" {
		t.Errorf("something was counted: %s", lines)
	}
}
