package scripts

import (
	"context"
	"fmt"

	inventorymovementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	orderreleasev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
)

// first waits until the first release is at its warehouse.
func (r *run) first(ctx context.Context) (o *inventorymovementv1.WarehouseOrder, err error) {
	warehouse, err := r.released(ctx, r.ordered())
	if err != nil {
		return nil, err
	}
	return r.allocated(ctx, warehouse[0])
}

// held places a hold once the order is released: the warehouse stops, unless it has begun to
// pick. With the hold's end the order goes on, stopped or not.
func (r *run) held(ctx context.Context) error {
	hold := orderreleasev1.HoldType_HOLD_TYPE_CREDIT
	if r.Begun {
		o, err := r.first(ctx)
		if err == nil {
			err = r.pick(ctx, o.GetWarehouseOrderId(), "first", some(o.GetLines()[0].GetLineNumber(), 1))
		}
		if err != nil {
			return err
		}
	} else if err := r.untilState(ctx, orderreleasev1.OrderState_ORDER_STATE_RELEASED); err != nil {
		return err
	}
	if _, err := r.orders.PlaceHold(r.key(ctx, "PlaceHold"), &orderreleasev1.PlaceHoldRequest{OrderId: r.order, Type: hold, Note: "limit"}); err != nil {
		return err
	}
	if !r.Other {
		if _, err := r.untilOrder(ctx, r.answered); err != nil {
			return err
		}
	}
	if _, err := r.orders.LiftHold(r.key(ctx, "LiftHold"), &orderreleasev1.LiftHoldRequest{OrderId: r.order, Type: hold, Note: "paid"}); err != nil {
		return err
	}
	return r.finish(ctx, r.ordered())
}

// answered reports whether the warehouse has said whether it stops.
func (r *run) answered(o *orderreleasev1.Order) bool {
	first := o.GetReleases()[0]
	if r.Begun {
		return first.GetStopRefusedReason() == "PICKING_BEGUN"
	}
	return first.GetState() == orderreleasev1.ReleaseState_RELEASE_STATE_WITHDRAWN
}

// putBack cancels the order after its first line is picked. What is picked is put back, piece by
// piece, or the warehouse refuses and ships it.
func (r *run) putBack(ctx context.Context) error {
	o, err := r.first(ctx)
	if err != nil {
		return err
	}
	id, line, pieces := o.GetWarehouseOrderId(), o.GetLines()[0].GetLineNumber(), whole(o.GetLines()[0].GetQuantity().GetValue())
	if err := r.pick(ctx, id, "first", some(line, pieces)); err != nil {
		return err
	}
	if r.Begun {
		if err := r.pack(ctx, id, "first", some(line, pieces)); err != nil {
			return err
		}
	}
	if err := r.cancel(ctx); err != nil {
		return err
	}
	if err := until(ctx, func() (bool, any, error) {
		resp, err := r.stock.GetWarehouseOrder(ctx, &inventorymovementv1.GetWarehouseOrderRequest{WarehouseOrderId: id})
		s := resp.GetWarehouseOrder().GetState()
		return s == inventorymovementv1.WarehouseOrderState_WAREHOUSE_ORDER_STATE_PUTTING_BACK, s, err
	}); err != nil {
		return err
	}
	if r.Other {
		return r.refused(ctx, id)
	}
	state := ""
	for n := range pieces {
		back := some(line, 1)
		back.Location = "A-01"
		resp, err := r.stock.ConfirmPutBack(r.key(ctx, fmt.Sprintf("ConfirmPutBack#%d", n+1)), &inventorymovementv1.ConfirmPutBackRequest{
			WarehouseOrderId: id, Lines: []*inventorymovementv1.WarehouseLineQuantity{back},
		})
		if err != nil {
			return err
		}
		state = resp.GetReceipt().GetState()
	}
	if state != "CANCELLED" {
		return fmt.Errorf("all %d pieces are put back and it is %s", pieces, state)
	}
	_, err = r.untilOrder(ctx, func(o *orderreleasev1.Order) bool {
		return o.GetState() == orderreleasev1.OrderState_ORDER_STATE_CANCELLED &&
			o.GetReleases()[0].GetState() == orderreleasev1.ReleaseState_RELEASE_STATE_CANCELLED_WITH_PUTBACK
	})
	return err
}

// refused lets the warehouse go on.
func (r *run) refused(ctx context.Context, id string) error {
	if _, err := r.stock.RefuseCancellation(r.key(ctx, "RefuseCancellation"), &inventorymovementv1.RefuseCancellationRequest{WarehouseOrderId: id, Reason: "LOADED"}); err != nil {
		return err
	}
	if _, err := r.untilOrder(ctx, func(o *orderreleasev1.Order) bool { return o.GetReleases()[0].GetCancelRefusedReason() == "LOADED" }); err != nil {
		return err
	}
	return r.finish(ctx, r.ordered())
}
