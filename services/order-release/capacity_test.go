package orderrelease_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/calendar"
	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	or "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
)

// TestCapacity: a channel lets so much go in a window, however many ask at once, and the rest waits
// for the next one, the most urgent first.
func TestCapacity(t *testing.T) {
	onEngines(t, map[string]func(*testing.T, *world){
		"orders at once":    ordersAtOnce,
		"lines":             linesOfAWindow,
		"a place is left":   placeIsLeft,
		"asked for by hand": askedByHand,
	})
}

// zoneOfToday is one where no day ends while a test runs: a window does, and lets more go.
func zoneOfToday(t *testing.T) *time.Location {
	t.Helper()
	for _, name := range []string{"Pacific/Auckland", "America/Chicago"} { // never late in the evening in both
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		if time.Now().In(zone).Hour() < 23 {
			return zone
		}
	}
	t.Fatal("it is late in the evening everywhere")
	return nil
}

// channelOf defines a channel of this test alone that lets so much go a day.
func channelOf(t *testing.T, w *world, code string, c *or.ChannelCapacity) {
	t.Helper()
	channel := &or.ReleaseChannel{Site: "DC1", Condition: fmt.Sprintf("order.purchase_order == '%s'", code), TimeZone: zoneOfToday(t).String(), Capacity: c}
	if _, err := w.orders.PutReleaseChannel(t.Context(), &or.PutReleaseChannelRequest{Code: code, Channel: channel}); err != nil {
		t.Fatal(err)
	}
}

// load waits for what is taken of a channel's day: "2 releases, 2 lines".
func (w *world) load(t *testing.T, code, want string) *or.ChannelLoad {
	t.Helper()
	var l *or.ChannelLoad
	testkit.Eventually(t, patience, func() error {
		resp, err := w.orders.GetReleaseChannel(t.Context(), &or.GetReleaseChannelRequest{Code: code})
		l = resp.GetLoad()
		if got := fmt.Sprintf("%d releases, %d lines", l.GetReleases(), l.GetLines()); err != nil || got != want {
			return fmt.Errorf("%s, want %s: %w", got, want, err)
		}
		return nil
	})
	return l
}

// full waits until an order waits because the window of its channel has no place.
func (w *world) full(t *testing.T, id string) *or.MissingForRelease {
	t.Helper()
	var m *or.MissingForRelease
	testkit.Eventually(t, patience, func() error { return w.isFull(t, id, &m) })
	return m
}

// isFull is an error unless an order waits for the next window; missing is then how that is told.
func (w *world) isFull(t *testing.T, id string, missing **or.MissingForRelease) error {
	t.Helper()
	resp, err := w.orders.ExplainNotReleasable(t.Context(), &or.ExplainNotReleasableRequest{OrderId: id})
	if err != nil {
		return err
	}
	i := slices.IndexFunc(resp.GetMissing(), func(m *or.MissingForRelease) bool { return m.GetReason().GetCode() == "CHANNEL_FULL" })
	if i < 0 || resp.GetReleasable() {
		return fmt.Errorf("%v", resp)
	}
	if missing != nil {
		*missing = resp.GetMissing()[i]
	}
	return nil
}

// ordersAtOnce: of 40 orders that are taken at once 3 go; the others wait for tomorrow, by the
// channel's own clock. When more may go, the most urgent do.
func ordersAtOnce(t *testing.T, w *world) {
	sku := w.stocked(t, 100)[0]
	code := testkit.Name("CAP")
	channelOf(t, w, code, &or.ChannelCapacity{Releases: 3})
	const n = 40
	ids := make([]string, n)
	var wg sync.WaitGroup
	for i := range n {
		doc := forRule(order(t, lineOf(1, sku, 1)), code)
		doc.Priority = int32(1 + i%9)
		wg.Go(func() {
			resp, err := w.orders.SubmitOrder(t.Context(), &or.SubmitOrderRequest{Order: doc})
			if err != nil {
				t.Error(err)
			}
			ids[i] = resp.GetReceipt().GetId()
		})
	}
	wg.Wait()
	gone := func() (released []int) {
		for i, id := range ids {
			testkit.Eventually(t, patience, func() error { // it goes, or is told that there is no place
				if w.get(t, id).GetState() == or.OrderState_ORDER_STATE_RELEASED {
					released = append(released, i)
					return nil
				}
				return w.isFull(t, id, nil)
			})
		}
		return released
	}
	testkit.Eventually(t, patience, func() error {
		if got := gone(); len(got) != 3 {
			return fmt.Errorf("%d are released", len(got))
		}
		return nil
	})
	first := gone()
	l := w.load(t, code, "3 releases, 3 lines")
	waiting := slices.IndexFunc(ids, func(id string) bool { return w.get(t, id).GetState() == or.OrderState_ORDER_STATE_PROMISED })
	got, err := w.orders.GetReleaseChannel(t.Context(), &or.GetReleaseChannelRequest{Code: code})
	if err != nil {
		t.Fatal(err)
	}
	zone, err := time.LoadLocation(got.GetChannel().GetTimeZone())
	if err != nil {
		t.Fatal(err)
	}
	tomorrow := calendar.DateOf(l.GetOpensTime().AsTime(), zone).Plus(1).Moment(0, zone, false)
	m := w.full(t, ids[waiting])
	if next := m.GetNextTime().AsTime(); !next.Equal(tomorrow) || !l.GetEndsTime().AsTime().Equal(tomorrow) || !strings.Contains(m.GetReason().GetMessage(), "the window is full") {
		t.Errorf("%v, tomorrow is %s", m, tomorrow)
	}
	channelOf(t, w, code, &or.ChannelCapacity{Releases: 9})
	testkit.Eventually(t, patience, func() error {
		if got := gone(); len(got) != 9 {
			return fmt.Errorf("%d are released", len(got))
		}
		return nil
	})
	w.load(t, code, "9 releases, 9 lines")
	last := int32(0) // of those who went now, as the channel changed
	waits := int32(9)
	now := gone()
	for i, id := range ids {
		priority := w.get(t, id).GetDocument().GetPriority()
		switch {
		case slices.Contains(first, i):
		case slices.Contains(now, i):
			last = max(last, priority)
		default:
			waits = min(waits, priority)
		}
	}
	if last > waits {
		t.Errorf("one of priority %d went before one of %d", last, waits)
	}
}

// linesOfAWindow: the lines of all releases count together; one that has more than a window goes alone.
func linesOfAWindow(t *testing.T, w *world) {
	skus := w.stocked(t, 10, 10, 10)
	code := testkit.Name("CAP")
	channelOf(t, w, code, &or.ChannelCapacity{Lines: 2})
	big := w.submit(t, forRule(order(t, lineOf(1, skus[0], 1), lineOf(2, skus[1], 1), lineOf(3, skus[2], 1)), code))
	w.releases(t, big, "R1 RELEASED 1:1 2:1 3:1")
	w.load(t, code, "1 releases, 3 lines")
	small := w.submit(t, forRule(order(t, lineOf(1, skus[0], 1)), code))
	w.full(t, small)
	channelOf(t, w, code, &or.ChannelCapacity{Lines: 4})
	w.releases(t, small, "R1 RELEASED 1:1")
	w.load(t, code, "2 releases, 4 lines")
}

// placeIsLeft: what is held or cancelled while it waits takes no place.
func placeIsLeft(t *testing.T, w *world) {
	sku := w.stocked(t, 10)[0]
	code := testkit.Name("CAP")
	channelOf(t, w, code, &or.ChannelCapacity{Releases: 1})
	first := w.submit(t, forRule(order(t, lineOf(1, sku, 1)), code))
	w.releases(t, first, "R1 RELEASED 1:1")
	second, third := w.submit(t, forRule(order(t, lineOf(1, sku, 1)), code)), w.submit(t, forRule(order(t, lineOf(1, sku, 1)), code))
	w.full(t, second)
	w.full(t, third)
	if _, err := w.orders.RequestCancel(t.Context(), &or.RequestCancelRequest{OrderId: second, Reason: "CUSTOMER_REQUEST"}); err != nil {
		t.Fatal(err)
	}
	channelOf(t, w, code, &or.ChannelCapacity{Releases: 2})
	w.releases(t, third, "R1 RELEASED 1:1")
	w.load(t, code, "2 releases, 2 lines")
}

// askedByHand: a manual order that somebody releases waits for its place, and is refused with
// when the next window opens while there is none.
func askedByHand(t *testing.T, w *world) {
	sku := w.stocked(t, 10)[0]
	code := testkit.Name("CAP")
	channelOf(t, w, code, &or.ChannelCapacity{Releases: 1})
	doc := func() *or.OrderDocument {
		d := forRule(order(t, lineOf(1, sku, 1)), code)
		d.ReleaseMode = or.ReleaseMode_RELEASE_MODE_MANUAL
		return d
	}
	ids := []string{w.submit(t, doc()), w.submit(t, doc())}
	for _, id := range ids {
		w.promise(t, id)
		resp, err := w.orders.ReleaseOrder(t.Context(), &or.ReleaseOrderRequest{OrderId: id})
		if err != nil || resp.GetReceipt().GetValues()["deferred"] != "CHANNEL_TURN" || resp.GetReceipt().GetValues()["channel"] != code {
			t.Fatal(resp, err)
		}
		if id == ids[0] {
			w.releases(t, id, "R1 RELEASED 1:1")
		}
	}
	w.full(t, ids[1])
	_, err := w.orders.ReleaseOrder(t.Context(), &or.ReleaseOrderRequest{OrderId: ids[1]})
	if about := reason(t, err, fault.Refused, "CHANNEL_FULL"); about["channel"] != code || about["next_time"] == "" {
		t.Errorf("%v", about)
	}
}
