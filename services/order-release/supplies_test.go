package orderrelease_test

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/lockstep-logistics/lockstep/libs/quantity"
	"github.com/lockstep-logistics/lockstep/libs/store"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	im "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	or "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
)

// TestDatedPromises: what waits is promised of what comes, and dated again when that changes.
func TestDatedPromises(t *testing.T) {
	onEngines(t, map[string]func(*testing.T, *world){
		"promised, late, received": promisedOfWhatComes,
		"cancelled":                cancelledBeforeItComes,
		"too late":                 comesTooLate,
	})
}

// due is when what is announced is expected: far from now, so that it is never late by itself.
var due = time.Date(2099, 12, 5, 8, 0, 0, 0, time.UTC)

// PromiseSupplies promises what is to come, whoever asks first.
func (i *inventory) PromiseSupplies(ctx context.Context, r *im.PromiseSuppliesRequest) (*im.PromiseSuppliesResponse, error) {
	resp := &im.PromiseSuppliesResponse{}
	for n, c := range r.GetClaims() {
		if i.how(c.GetItemId()) == "down" {
			return nil, unavailable()
		}
		receipt, err := i.on(store.WithItem(ctx, strconv.Itoa(n)), c.GetSite(), c.GetItemId(), func(s shelf, key *im.StockKey) (store.Decision[proto.Message], error) {
			return s.promise(key, c), nil
		})
		if err != nil {
			return nil, err
		}
		g := &im.SupplyGrant{PromiseKey: c.GetPromiseKey(), Site: c.GetSite(), ItemId: c.GetItemId(), Promised: &commonv1.Quantity{Value: receipt.Values["promised"], Unit: "EA"}}
		if why := receipt.Values["why"]; why != "" {
			g.Reason, g.HorizonTime = &commonv1.Reason{Code: why}, timestamppb.New(due)
		}
		resp.Grants = append(resp.Grants, g)
	}
	return resp, nil
}

// promise lets a key be promised so much in all. What an ASN with "LATE" in its number brings is
// promised to nobody.
func (s shelf) promise(key *im.StockKey, c *im.SupplyClaim) store.Decision[proto.Message] {
	want, err := strconv.Atoi(cmpOr(c.GetQuantity().GetValue(), "0"))
	if err != nil {
		panic(err)
	}
	free, asn, why := s.Awaited[c.GetPromiseKey()], "", ""
	for number, n := range s.Coming {
		if strings.Contains(number, "LATE") {
			why = "SUPPLY_OUTSIDE_HORIZON"
			continue
		}
		asn = number
		free += n
	}
	for _, n := range s.Awaited {
		free -= n
	}
	granted := min(want, max(0, free))
	d := facts()
	if change := granted - s.Awaited[c.GetPromiseKey()]; change != 0 {
		d = facts(&im.SupplyPromised{Stock: key, PromiseKey: c.GetPromiseKey(), Change: strconv.Itoa(change)})
		if granted > 0 {
			d.Facts = append(d.Facts, s.dates(key, c.GetPromiseKey(), asn, granted, im.PromiseDateReason_PROMISE_DATE_REASON_PROMISED, due))
		}
	}
	d.Values = map[string]string{"promised": strconv.Itoa(granted)}
	if granted < want {
		d.Values["why"] = cmpOr(why, "SUPPLY_MISSING")
	}
	return d
}

func cmpOr(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func (s shelf) dates(key *im.StockKey, promise, asn string, pieces int, why im.PromiseDateReason, at time.Time) *im.SupplyPromiseDated {
	return &im.SupplyPromiseDated{
		Stock: key, PromiseKey: promise, AfterTime: timestamppb.New(at), Reason: why, Uncovered: "0",
		Supplies: []*im.PromisedSupply{{Quantity: strconv.Itoa(pieces), InboundDeliveryId: "asn_" + asn, AsnNumber: asn, ExpectedTime: timestamppb.New(at)}},
	}
}

// announce makes pieces come with an ASN.
func (i *inventory) announce(t testing.TB, tenant, site, item, asn string, pieces int) {
	t.Helper()
	i.commit(t, tenant, site, item, func(_ shelf, key *im.StockKey) []proto.Message {
		return []proto.Message{&im.SupplyChanged{
			Stock: key, InboundDeliveryId: "asn_" + asn, AsnNumber: asn, LineNumber: 1, Change: strconv.Itoa(pieces),
			ExpectedTime: timestamppb.New(due), Reason: im.SupplyChangeReason_SUPPLY_CHANGE_REASON_ANNOUNCED,
		}}
	})
}

func (i *inventory) commit(t testing.TB, tenant, site, item string, what func(shelf, *im.StockKey) []proto.Message) {
	t.Helper()
	_, err := i.on(command(t, tenant), site, item, func(s shelf, key *im.StockKey) (store.Decision[proto.Message], error) {
		return facts(what(s, key)...), nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// promisedOfWhatComes: 6 of 10 go, 4 wait; an ASN is announced, and they are promised by its date;
// it is late, and the date is another one; it comes, and they go.
func promisedOfWhatComes(t *testing.T, w *world) {
	sku := w.stocked(t, 6)[0]
	id := w.submit(t, order(t, lineOf(1, sku, 10)))
	w.releases(t, id, "R1 RELEASED 1:6, R2 BACKORDERED of R1 1:4")
	item := w.id("itm", sku)
	w.inventory.announce(t, w.Tenant, "DC1", item, "A-1", 20)
	o := w.until(t, id, "promised by a date", func(o *or.Order) bool { return o.GetLines()[0].GetPromisedDate().AsTime().Equal(due) })
	if s := o.GetLines()[0].GetSupplies(); len(s) != 1 || s[0].GetAsnNumber() != "A-1" || s[0].GetQuantity() != "4" {
		t.Errorf("%v", s)
	}
	explained, err := w.orders.ExplainOrder(t.Context(), &or.ExplainOrderRequest{OrderId: id})
	if err != nil || !slices.ContainsFunc(explained.GetReasons(), func(r *commonv1.Reason) bool {
		return r.GetCode() == "SUPPLY_EXPECTED" && strings.Contains(r.GetMessage(), "ASN A-1, expected 2099-12-05 08:00Z")
	}) {
		t.Errorf("%v %v", explained, err)
	}
	later := due.Add(48 * time.Hour)
	w.inventory.commit(t, w.Tenant, "DC1", item, func(s shelf, key *im.StockKey) []proto.Message {
		return []proto.Message{s.dates(key, "dtd:"+id, "A-1", 4, im.PromiseDateReason_PROMISE_DATE_REASON_RESCHEDULED, later)}
	})
	w.until(t, id, "dated again", func(o *or.Order) bool { return o.GetLines()[0].GetPromisedDate().AsTime().Equal(later) })
	if h := strings.Join(w.history(t, id), "; "); strings.Count(h, "PromiseDated") != 2 {
		t.Errorf("%s", h)
	}
	w.inventory.receive(t, w.Tenant, "DC1", item, 20)
	w.releases(t, id, "R1 RELEASED 1:6, R2 RELEASED of R1 1:4")
	if l := w.get(t, id).GetLines()[0]; l.GetPromisedDate() != nil || len(l.GetSupplies()) > 0 {
		t.Errorf("%v", l)
	}
}

// cancelledBeforeItComes: what a cancelled order was promised is promised to it no longer.
func cancelledBeforeItComes(t *testing.T, w *world) {
	sku := w.stocked(t, 0)[0]
	item := w.id("itm", sku)
	w.inventory.announce(t, w.Tenant, "DC1", item, "A-2", 5)
	id := w.submit(t, order(t, lineOf(1, sku, 3), lineOf(2, sku, 2)))
	o := w.until(t, id, "promised by a date", func(o *or.Order) bool { return o.GetLines()[1].GetPromisedDate() != nil })
	if s := o.GetLines()[1].GetSupplies(); len(s) != 1 || s[0].GetQuantity() != "2" {
		t.Errorf("%v", s)
	}
	if _, err := w.orders.RequestCancel(t.Context(), &or.RequestCancelRequest{OrderId: id, Reason: "CUSTOMER_REQUEST"}); err != nil {
		t.Fatal(err)
	}
	next := w.submit(t, order(t, lineOf(1, sku, 5)))
	w.until(t, next, "promised what was given up", func(o *or.Order) bool {
		if o.GetLines()[0].GetPromisedDate() == nil { // the cancellation may be followed after the order asked
			w.inventory.announce(t, w.Tenant, "DC1", item, "A-2", 0)
			return false
		}
		return true
	})
	w.awaited(t, item, map[string]int{"dtd:" + id: 0, "dtd:" + next: 5})
}

// awaited holds what a stock has promised of what comes.
func (w *world) awaited(t *testing.T, item string, want map[string]int) {
	t.Helper()
	v, err := w.inventory.stocks.Get(command(t, w.Tenant), stockID(w.Tenant, "DC1", item))
	if err != nil || fmt.Sprint(v.State.Awaited) != fmt.Sprint(want) {
		t.Errorf("%v, want %v: %v", v.State.Awaited, want, err)
	}
}

// comesTooLate: what is expected after the horizon is not promised, and the order says so.
func comesTooLate(t *testing.T, w *world) {
	sku := w.stocked(t, 1)[0]
	item := w.id("itm", sku)
	w.inventory.announce(t, w.Tenant, "DC1", item, "LATE", 9)
	id := w.submit(t, order(t, lineOf(1, sku, 4)))
	w.until(t, id, "explained", func(*or.Order) bool {
		r, err := w.orders.ExplainNotReleasable(t.Context(), &or.ExplainNotReleasableRequest{OrderId: id})
		return err == nil && slices.ContainsFunc(r.GetMissing(), func(m *or.MissingForRelease) bool {
			return m.GetReason().GetCode() == "SUPPLY_OUTSIDE_HORIZON" && strings.HasPrefix(m.GetReason().GetMessage(), "3 EA")
		})
	})
	if l := w.get(t, id).GetLines()[0]; l.GetPromisedDate() != nil {
		t.Errorf("%v", l)
	}
	w.inventory.announce(t, w.Tenant, "DC1", item, "A-3", 3)
	w.until(t, id, "promised", func(o *or.Order) bool { return o.GetLines()[0].GetPromisedDate() != nil })
	if n := quantity.MustParse("3"); n.String() != w.get(t, id).GetLines()[0].GetSupplies()[0].GetQuantity() {
		t.Errorf("%v", w.get(t, id).GetLines()[0])
	}
}
