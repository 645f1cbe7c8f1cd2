// Package scripts takes orders on ways that leave the straight one for good: held and resumed,
// cancelled after the pick and put back, promised of what suppliers announced. Each comes to an
// end of its own; as in lifecycle every wait is for a fact of another service, and every command
// has a key of its own, under which it may be sent again.
package scripts

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/lockstep-logistics/lockstep/libs/guard"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	inventorymovementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	orderreleasev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/lifecycle"
)

// Kinds of scripts.
const (
	Held    = iota // a hold comes after the release, and is lifted again
	PutBack        // cancelled after the pick
	Inbound        // waits for what a supplier announced
	Kinds
)

// Script says what happens to an order.
type Script struct {
	Kind int
	// Begun: the first pick comes before the hold, so that the warehouse goes on; or what is
	// picked is packed before it is cancelled; or the delivery is expected later than announced.
	Begun bool
	// Other: the hold is lifted before the warehouse has answered; or the warehouse refuses the
	// cancellation; or a part of the delivery never comes, and what waits for it is cancelled.
	Other bool
}

// Choose draws a script.
func Choose(random *rand.Rand) Script {
	return Script{Kind: random.IntN(Kinds), Begun: random.IntN(2) == 0, Other: random.IntN(3) == 0}
}

// Client runs scripts for a tenant whose master data is that of lifecycle.
type Client struct {
	Conn grpc.ClientConnInterface
	Now  func() time.Time
	Item string // one that nobody else orders; of Supply
}

// run is one order on its way.
type run struct {
	Client
	Script
	number, order string
	lines         []lifecycle.Line
	orders        orderreleasev1.OrderReleaseServiceClient
	stock         inventorymovementv1.InventoryMovementServiceClient
}

// Run takes an order through a script to its end. The lines of one that waits for a supplier
// are of the client's own item, as many pieces as the first line has.
func (c Client) Run(ctx context.Context, number string, lines []lifecycle.Line, s Script) error {
	r := &run{
		Client: c, Script: s, number: number, lines: lines,
		orders: orderreleasev1.NewOrderReleaseServiceClient(c.Conn), stock: inventorymovementv1.NewInventoryMovementServiceClient(c.Conn),
	}
	if s.Kind == Inbound {
		r.lines = []lifecycle.Line{{SKU: c.Item, Quantity: lines[0].Quantity + 1}}
	}
	d := &lifecycle.Driver{Dial: func(string) grpc.ClientConnInterface { return c.Conn }, Now: c.Now}
	var err error
	if r.order, err = d.Submit(ctx, number, r.lines); err == nil {
		err = [Kinds]func(context.Context) error{r.held, r.putBack, r.inbound}[s.Kind](ctx)
	}
	if err != nil {
		return fmt.Errorf("%+v of %s: %w", s, number, err)
	}
	return nil
}

// key is the context of a command of the order.
func (r *run) key(ctx context.Context, name string) context.Context {
	return metadata.AppendToOutgoingContext(ctx, guard.MetaKey, "script:"+r.number+":"+name)
}

// until asks until it is done.
func until(ctx context.Context, ask func() (done bool, seen any, err error)) error {
	for pause := 20 * time.Millisecond; ; pause = min(pause*3/2, 250*time.Millisecond) {
		done, seen, err := ask()
		if done || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("it is still %v", seen), ctx.Err())
		case <-time.After(pause):
		}
	}
}

// untilOrder waits until the order is as it should be.
func (r *run) untilOrder(ctx context.Context, is func(*orderreleasev1.Order) bool) (o *orderreleasev1.Order, err error) {
	return o, until(ctx, func() (bool, any, error) {
		resp, err := r.orders.GetOrder(ctx, &orderreleasev1.GetOrderRequest{OrderId: r.order})
		o = resp.GetOrder()
		return err == nil && is(o), o, err
	})
}

// live reports whether a release is at its warehouse and not over.
func live(r *orderreleasev1.Release) bool {
	return r.GetState() >= orderreleasev1.ReleaseState_RELEASE_STATE_RELEASED && r.GetState() <= orderreleasev1.ReleaseState_RELEASE_STATE_IN_EXECUTION
}

// released waits until so many pieces are with warehouses that go on, and returns their orders.
func (r *run) released(ctx context.Context, pieces int) (warehouse []string, err error) {
	_, err = r.untilOrder(ctx, func(o *orderreleasev1.Order) bool {
		warehouse = nil
		sum := 0
		for _, of := range o.GetReleases() {
			if !live(of) {
				continue
			}
			if of.GetWarehouseOrderId() == "" || of.GetStopRequested() {
				return false
			}
			warehouse = append(warehouse, of.GetWarehouseOrderId())
			for _, l := range of.GetLines() {
				sum += whole(l.GetQuantity())
			}
		}
		return sum == pieces
	})
	return warehouse, err
}

// ordered is how many pieces the order has.
func (r *run) ordered() (sum int) {
	for _, l := range r.lines {
		sum += l.Quantity
	}
	return sum
}

func whole(decimal string) int {
	n, _ := strconv.Atoi(decimal) // the scripts know whole pieces only
	return n
}

// allocated waits until a warehouse order has its stock.
func (r *run) allocated(ctx context.Context, id string) (o *inventorymovementv1.WarehouseOrder, err error) {
	return o, until(ctx, func() (bool, any, error) {
		resp, err := r.stock.GetWarehouseOrder(ctx, &inventorymovementv1.GetWarehouseOrderRequest{WarehouseOrderId: id})
		o = resp.GetWarehouseOrder()
		return o.GetState() > inventorymovementv1.WarehouseOrderState_WAREHOUSE_ORDER_STATE_CREATED, o.GetState(), err
	})
}

// pick confirms picks of a warehouse order.
func (r *run) pick(ctx context.Context, id, name string, lines ...*inventorymovementv1.WarehouseLineQuantity) error {
	_, err := r.stock.ConfirmPicks(r.key(ctx, "ConfirmPicks#"+name), &inventorymovementv1.ConfirmPicksRequest{WarehouseOrderId: id, Lines: lines})
	return err
}

// pack packs a carton of a warehouse order.
func (r *run) pack(ctx context.Context, id, name string, lines ...*inventorymovementv1.WarehouseLineQuantity) error {
	_, err := r.stock.PackCarton(r.key(ctx, "PackCarton#"+name), &inventorymovementv1.PackCartonRequest{WarehouseOrderId: id, Lines: lines, GrossWeightGrams: 5_000})
	return err
}

func some(line int32, pieces int) *inventorymovementv1.WarehouseLineQuantity {
	return &inventorymovementv1.WarehouseLineQuantity{LineNumber: line, Quantity: quantity(pieces)}
}

func quantity(pieces int) *commonv1.Quantity {
	return &commonv1.Quantity{Value: strconv.Itoa(pieces), Unit: "EA"}
}

// ship issues what is left to pick and pack of warehouse orders.
func (r *run) ship(ctx context.Context, warehouse []string) error {
	for i, id := range warehouse {
		o, err := r.allocated(ctx, id)
		if err != nil {
			return err
		}
		name := "ship-" + strconv.Itoa(i)
		var picks, packs []*inventorymovementv1.WarehouseLineQuantity
		for _, l := range o.GetLines() {
			if n := whole(l.GetQuantity().GetValue()) - whole(l.GetPicked().GetValue()); n > 0 {
				picks = append(picks, some(l.GetLineNumber(), n))
			}
			if n := whole(l.GetQuantity().GetValue()) - whole(l.GetPacked().GetValue()); n > 0 {
				packs = append(packs, some(l.GetLineNumber(), n))
			}
		}
		if len(picks) > 0 {
			err = r.pick(ctx, id, name, picks...)
		}
		if err == nil && len(packs) > 0 {
			err = r.pack(ctx, id, name, packs...)
		}
		if err == nil {
			_, err = r.stock.PostGoodsIssue(r.key(ctx, "PostGoodsIssue#"+name), &inventorymovementv1.PostGoodsIssueRequest{WarehouseOrderId: id})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// finish ships all that is with warehouses, so many pieces, and closes the order.
func (r *run) finish(ctx context.Context, pieces int) error {
	warehouse, err := r.released(ctx, pieces)
	if err == nil {
		err = r.ship(ctx, warehouse)
	}
	if err != nil {
		return err
	}
	return r.close(ctx)
}

// close waits for the fulfilment and closes the order.
func (r *run) close(ctx context.Context) error {
	if err := r.untilState(ctx, orderreleasev1.OrderState_ORDER_STATE_FULFILLED); err != nil {
		return err
	}
	_, err := r.orders.CloseOrder(r.key(ctx, "CloseOrder"), &orderreleasev1.CloseOrderRequest{OrderId: r.order})
	return err
}

func (r *run) untilState(ctx context.Context, want orderreleasev1.OrderState) error {
	_, err := r.untilOrder(ctx, func(o *orderreleasev1.Order) bool { return o.GetState() == want })
	return err
}

func (r *run) cancel(ctx context.Context) error {
	_, err := r.orders.RequestCancel(r.key(ctx, "RequestCancel"), &orderreleasev1.RequestCancelRequest{OrderId: r.order, Reason: "CUSTOMER_REQUEST"})
	return err
}
