package sandbox

import (
	"context"
	"net/url"
	"strings"

	"github.com/lockstep-logistics/lockstep/libs/quantity"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	im "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	masterdatav1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
)

// WMS is a warehouse management system: it executes warehouse orders and receives what
// comes back.
type WMS struct {
	Client  *Client
	scripts *scripts
}

const wms = "wms"

const whoPrefix = "WAREHOUSE_ORDER_STATE_"

// Step executes what is allocated or begun, and receives returns that are expected.
func (w *WMS) Step(ctx context.Context) error {
	for _, state := range []string{"ALLOCATED", "ACKNOWLEDGED", "PICKING", "PICKED", "PACKED", "PUTTING_BACK"} {
		if err := w.execute(ctx, by("state", whoPrefix+state)); err != nil {
			return err
		}
	}
	for _, state := range []string{"AUTHORISED", "PARTIALLY_RECEIVED", "RECEIVED", "INSPECTED"} {
		if err := w.takeBack(ctx, by("state", returnPrefix+state)); err != nil {
			return err
		}
	}
	return nil
}

// Tend does the same for one order.
func (w *WMS) Tend(ctx context.Context, orderID string) error {
	if err := w.execute(ctx, by("order_id", orderID)); err != nil {
		return err
	}
	return w.takeBack(ctx, by("order_id", orderID))
}

func (w *WMS) execute(ctx context.Context, query url.Values) error {
	var ids []string
	err := list(ctx, w.Client, "/v1/warehouse-orders", query, &im.ListWarehouseOrdersResponse{}, func(page *im.ListWarehouseOrdersResponse) string {
		for _, o := range page.GetWarehouseOrders() {
			ids = append(ids, o.GetWarehouseOrderId())
		}
		return page.GetNextPageToken()
	})
	for _, id := range ids {
		if err == nil {
			err = w.work(ctx, id)
		}
	}
	return err
}

// most are the steps from allocation to goods issue, and one to see that it is done.
const most = 7

// work takes a warehouse order as far as it goes. Every report follows from the order as it
// is, so one that was made before is not made again.
func (w *WMS) work(ctx context.Context, id string) error {
	for range most {
		var got im.GetWarehouseOrderResponse
		if err := w.Client.Get(ctx, "/v1/warehouse-orders/"+id, &got); err != nil {
			return err
		}
		o := got.GetWarehouseOrder()
		script := w.scripts.of(o.GetOrderNumber())
		if script.Cancel != "" { // the customer is on the phone
			return nil
		}
		var err error
		switch o.GetState() {
		case im.WarehouseOrderState_WAREHOUSE_ORDER_STATE_ALLOCATED:
			err = w.report(ctx, id, "acknowledge", "", &im.AcknowledgeWarehouseOrderRequest{Source: from(wms, id+":acknowledge")}, &im.AcknowledgeWarehouseOrderResponse{})
		case im.WarehouseOrderState_WAREHOUSE_ORDER_STATE_ACKNOWLEDGED, im.WarehouseOrderState_WAREHOUSE_ORDER_STATE_PICKING:
			err = w.pick(ctx, o, script)
		case im.WarehouseOrderState_WAREHOUSE_ORDER_STATE_PICKED:
			err = w.pack(ctx, o)
		case im.WarehouseOrderState_WAREHOUSE_ORDER_STATE_PACKED:
			err = w.report(ctx, id, "postGoodsIssue", "", &im.PostGoodsIssueRequest{Source: from(wms, id+":issue")}, &im.PostGoodsIssueResponse{})
		case im.WarehouseOrderState_WAREHOUSE_ORDER_STATE_PUTTING_BACK:
			err = w.putBack(ctx, o)
		default:
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// putBack puts what was picked of a cancelled order into the bins that its tasks named.
func (w *WMS) putBack(ctx context.Context, o *im.WarehouseOrder) error {
	req := &im.ConfirmPutBackRequest{Source: from(wms, o.GetWarehouseOrderId()+":putBack:"+o.GetEtag())}
	for _, l := range o.GetLines() {
		if left := value(l.GetPicked()).Sub(value(l.GetPutBack())); left.Sign() > 0 {
			back := lineQuantity(l, left)
			for _, t := range o.GetTasks() {
				if t.GetLineNumber() == l.GetLineNumber() {
					back.Location = t.GetLocation()
				}
			}
			req.Lines = append(req.Lines, back)
		}
	}
	return w.report(ctx, o.GetWarehouseOrderId(), "confirmPutBack", digest(req), req, &im.ConfirmPutBackResponse{})
}

func (w *WMS) report(ctx context.Context, id, verb, which string, req, resp message) error {
	return w.Client.Post(ctx, "/v1/warehouse-orders/"+id+":"+verb, key(wms, id, verb, which), req, resp)
}

// pick picks what is left of each line, and reports as short what the script says.
func (w *WMS) pick(ctx context.Context, o *im.WarehouseOrder, script Scenario) error {
	id := o.GetWarehouseOrderId()
	var picks []*im.WarehouseLineQuantity
	shorts := map[string][]*im.WarehouseLineQuantity{}
	for _, l := range o.GetLines() {
		left := value(l.GetQuantity()).Sub(value(l.GetPicked())).Sub(value(l.GetShort()))
		short, reason := quantity.Decimal{}, ""
		for _, s := range script.Shorts {
			if s.Line == int(l.GetLineNumber()) && strings.HasSuffix(o.GetReleaseId(), "-R1") && value(l.GetShort()).IsZero() {
				short, reason = quantity.Min(quantity.MustParse(s.Quantity), left), s.Reason
			}
		}
		if short.Sign() > 0 {
			shorts[reason] = append(shorts[reason], lineQuantity(l, short))
		}
		if n := left.Sub(short); n.Sign() > 0 {
			picks = append(picks, lineQuantity(l, n))
		}
	}
	if len(picks) > 0 {
		req := &im.ConfirmPicksRequest{Lines: picks, Source: from(wms, id+":picks:"+o.GetEtag())}
		if err := w.report(ctx, id, "confirmPicks", digest(req), req, &im.ConfirmPicksResponse{}); err != nil {
			return err
		}
	}
	for reason, lines := range shorts {
		req := &im.ReportShortPickRequest{
			Lines: lines, Reason: im.ShortReason(im.ShortReason_value["SHORT_REASON_"+reason]), Source: from(wms, id+":short:"+reason),
		}
		if err := w.report(ctx, id, "reportShortPick", digest(req), req, &im.ReportShortPickResponse{}); err != nil {
			return err
		}
	}
	return nil
}

func lineQuantity(l *im.WarehouseOrderLine, n quantity.Decimal) *im.WarehouseLineQuantity {
	return &im.WarehouseLineQuantity{LineNumber: l.GetLineNumber(), Quantity: &commonv1.Quantity{Value: n.String(), Unit: l.GetQuantity().GetUnit()}}
}

// value reads a quantity of an answer; absent is 0.
func value(q *commonv1.Quantity) quantity.Decimal {
	d, err := quantity.Parse(q.GetValue())
	if err != nil {
		return quantity.Decimal{}
	}
	return d
}

// Cartons as this warehouse has them.
const (
	tareGrams   = 350
	cartonGrams = 30_000 // of goods in one carton, as far as whole pieces allow
)

// pack packs what is picked into cartons, each as full as whole pieces make it.
func (w *WMS) pack(ctx context.Context, o *im.WarehouseOrder) error {
	var cartons [][]*im.WarehouseLineQuantity
	var weights []int64
	room := int64(0)
	for _, l := range o.GetLines() {
		left := value(l.GetPicked()).Sub(value(l.GetPacked()))
		each, err := w.weight(ctx, l.GetSku())
		if err != nil {
			return err
		}
		for left.Sign() > 0 {
			n := fitting(left, each, room)
			if n.Sign() == 0 {
				if room < cartonGrams { // a new carton; one that holds not even a piece is full of it
					cartons, weights, room = append(cartons, nil), append(weights, tareGrams), cartonGrams
					continue
				}
				n = quantity.Min(left, quantity.Int(1))
			}
			grams := gramsOf(n, each)
			at := len(cartons) - 1
			cartons[at] = append(cartons[at], lineQuantity(l, n))
			weights[at] += grams
			room -= grams
			left = left.Sub(n)
		}
	}
	for i, lines := range cartons {
		id := o.GetWarehouseOrderId()
		number := itoa(len(o.GetCartons()) + i + 1)
		req := &im.PackCartonRequest{Lines: lines, GrossWeightGrams: weights[i], Source: from(wms, id+":carton:"+number)}
		if err := w.report(ctx, id, "packCarton", number, req, &im.PackCartonResponse{}); err != nil {
			return err
		}
	}
	return nil
}

// fitting is how much of a quantity goes into the room: all of it, or a whole number.
func fitting(left, each quantity.Decimal, room int64) quantity.Decimal {
	switch {
	case room <= 0:
		return quantity.Decimal{}
	case gramsOf(left, each) <= room:
		return left
	}
	n := int64(0)
	for gramsOf(quantity.Int(n+1), each) <= room {
		n++
	}
	return quantity.Min(left, quantity.Int(n))
}

// gramsOf is the weight of a quantity, whole grams, rounded half up.
func gramsOf(n, each quantity.Decimal) int64 {
	scaled := n.Scaled()
	scaled.Mul(scaled, each.Scaled()) // × 10^18
	unit := quantity.Int(1).Scaled()
	unit.Mul(unit, unit)
	scaled.Add(scaled.Mul(scaled, two), unit)
	return scaled.Div(scaled, unit.Mul(unit, two)).Int64()
}

// weight is that of one base unit, grams.
func (w *WMS) weight(ctx context.Context, sku string) (quantity.Decimal, error) {
	var got masterdatav1.GetItemResponse
	if err := w.Client.Get(ctx, "/v1/items/"+url.PathEscape(sku), &got); err != nil {
		return quantity.Decimal{}, err
	}
	text := got.GetItem().GetItem().GetBaseWeightGrams()
	if text == "" {
		return quantity.Decimal{}, nil
	}
	return quantity.Parse(text)
}
