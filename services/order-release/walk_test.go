package orderrelease_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/host/hosttest"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	or "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
)

// TestRandomWalk lets orders, receipts, cancellations and the warehouse happen in any order
// while stock fails now and then. At rest the books of orders and stock agree, and nobody
// waits for what is there.
func TestRandomWalk(t *testing.T) {
	for _, engine := range hosttest.Engines {
		t.Run(engine, func(t *testing.T) {
			w := newWorld(t, engine, impatient)
			walk(t, w, rand.New(rand.NewPCG(1, 7)), func() {})
		})
	}
}

// walker is a random walk over a few items.
type walker struct {
	*world
	rand   *rand.Rand
	skus   []string
	orders []string
}

// walk does the steps, lets everything work again, and waits for rest.
func walk(t *testing.T, w *world, r *rand.Rand, mend func()) {
	x := &walker{world: w, rand: r, skus: w.stocked(t, 20, 0, 10)}
	for range 150 {
		switch n := r.IntN(20); {
		case n < 8:
			x.order(t)
		case n < 11:
			w.inventory.receive(t, w.Tenant, "DC1", w.id("itm", x.sku()), 1+r.IntN(8))
		case n < 16:
			x.work(t)
		case n < 18:
			x.cancel(t)
		case n < 19:
			w.inventory.fails(w.id("itm", x.sku()), []string{"down", "STOCK_FULL"}[r.IntN(2)])
		default:
			x.mend()
		}
	}
	x.mend()
	mend()
	testkit.Eventually(t, 2*patience, func() error { return x.atRest(t) })
}

func (x *walker) sku() string { return x.skus[x.rand.IntN(len(x.skus))] }

func (x *walker) mend() {
	for _, sku := range x.skus {
		x.inventory.fails(x.id("itm", sku), "")
	}
}

func (x *walker) order(t *testing.T) {
	doc := order(t)
	for i := range 1 + x.rand.IntN(3) {
		doc.Lines = append(doc.Lines, lineOf(i+1, x.sku(), 1+x.rand.IntN(6)))
	}
	doc.DeliveryRule = or.DeliveryRule(x.rand.IntN(4))
	doc.PromisedTime = stamp(x.rand.IntN(5))
	x.orders = append(x.orders, x.submit(t, doc))
}

// any returns one of the orders, if there is one.
func (x *walker) any(t *testing.T) *or.Order {
	if len(x.orders) == 0 {
		return nil
	}
	return x.get(t, x.orders[x.rand.IntN(len(x.orders))])
}

func (x *walker) cancel(t *testing.T) {
	o := x.any(t)
	if o == nil {
		return
	}
	_, err := x.world.orders.RequestCancel(t.Context(), &or.RequestCancelRequest{OrderId: o.GetOrderId(), Reason: "CUSTOMER_REQUEST"})
	if err != nil && !fault.IsKind(err, fault.Refused) {
		t.Fatal(err)
	}
}

// work picks, shorts or issues some of an order's allocated releases.
func (x *walker) work(t *testing.T) {
	o := x.any(t)
	for _, r := range o.GetReleases() {
		if r.GetWarehouseOrderId() == "" {
			continue
		}
		picked, missing := map[int]int{}, map[int]int{}
		v, err := x.inventory.orders.Get(command(t, x.Tenant), r.GetWarehouseOrderId())
		if err != nil {
			t.Fatal(err)
		}
		if v.State.Canceled {
			continue
		}
		for line, q := range v.State.Open {
			n, _ := strconv.Atoi(line)
			left, _ := q.Int64()
			take := x.rand.IntN(int(left) + 1)
			if take > 0 {
				picked[n] = take
			}
			if lost := x.rand.IntN(int(left) - take + 1); lost > 0 && x.rand.IntN(3) == 0 {
				missing[n] = lost
			}
		}
		if len(picked) > 0 {
			x.inventory.pick(t, x.Tenant, r.GetReleaseId(), picked)
		}
		if len(missing) > 0 {
			x.inventory.short(t, x.Tenant, r.GetReleaseId(), missing)
		}
	}
}

// atRest says what keeps the books from agreeing.
func (x *walker) atRest(t *testing.T) error {
	promised, allocated, waits := map[string]quantity.Decimal{}, map[string]quantity.Decimal{}, map[string]bool{}
	for _, id := range x.orders {
		o := x.get(t, id)
		if o.GetState() == or.OrderState_ORDER_STATE_PROMISING || o.GetState() == or.OrderState_ORDER_STATE_CANCEL_REQUESTED ||
			o.GetPromise().GetState() == or.PromiseState_PROMISE_STATE_OPEN {
			return fmt.Errorf("order %s is under way", id)
		}
		for _, l := range o.GetLines() {
			q, sku := l.GetQuantities(), l.GetLine().GetSku()
			d := quantity.MustParse
			if d(q.GetOrdered()) != quantity.Sum(d(q.GetOpen()), d(q.GetReleased()), d(q.GetCancelled())) {
				t.Fatalf("line %v", l)
			}
			promised[sku] = promised[sku].Add(d(q.GetPromised()))
			allocated[sku] = allocated[sku].Add(d(q.GetAllocated()).Sub(d(q.GetPicked())))
			if o.GetDocument().GetDeliveryRule() != or.DeliveryRule_DELIVERY_RULE_COMPLETE && d(q.GetOpen()) != d(q.GetPromised()) {
				waits[sku] = true
			}
		}
	}
	var wrong []error
	for _, sku := range x.skus {
		v, err := x.inventory.stocks.Get(command(t, x.Tenant), stockID(x.Tenant, "DC1", x.id("itm", sku)))
		if err != nil && !fault.IsKind(err, fault.NotFound) {
			return err
		}
		var claimed quantity.Decimal
		for _, q := range v.State.Claims {
			claimed = claimed.Add(q)
		}
		switch s := v.State; {
		case claimed != promised[sku]:
			wrong = append(wrong, fmt.Errorf("%s: claims hold %s, orders have promised %s", sku, claimed, promised[sku]))
		case s.Allocated != allocated[sku]:
			wrong = append(wrong, fmt.Errorf("%s: stock has allocated %s, orders %s", sku, s.Allocated, allocated[sku]))
		case s.free().Sign() < 0:
			t.Fatalf("%s: oversold: %v", sku, s)
		case s.free().Sign() > 0 && waits[sku]:
			wrong = append(wrong, fmt.Errorf("%s: %s are free, and an order waits for it", sku, s.free()))
		}
	}
	return errors.Join(wrong...)
}
