package sandbox

import (
	"context"
	"math/big"
	"net/url"

	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/quantity"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	im "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	returnsv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/returns/v1"
)

type message = proto.Message

var two = big.NewInt(2)

const returnPrefix = "RETURN_STATE_"

// takeBack receives, inspects and disposes of goods that come back.
func (w *WMS) takeBack(ctx context.Context, query url.Values) error {
	var ids []string
	err := list(ctx, w.Client, "/v1/returns", query, &returnsv1.ListReturnsResponse{}, func(page *returnsv1.ListReturnsResponse) string {
		for _, r := range page.GetReturns() {
			ids = append(ids, r.GetRmaId())
		}
		return page.GetNextPageToken()
	})
	for _, id := range ids {
		if err == nil {
			err = w.handle(ctx, id)
		}
	}
	return err
}

// handle does the next thing about each line of a return.
func (w *WMS) handle(ctx context.Context, id string) error {
	var got returnsv1.GetReturnResponse
	if err := w.Client.Get(ctx, "/v1/returns/"+id, &got); err != nil {
		return err
	}
	r := got.GetReturn()
	switch short(r.GetState(), returnPrefix) {
	case "AUTHORISED", "PARTIALLY_RECEIVED", "RECEIVED", "INSPECTED":
	default:
		return nil
	}
	for _, l := range r.GetLines() {
		back := Back{Restock: r.GetReturnSite() + "/R-01"}
		for _, b := range w.scripts.of(r.GetOrderNumber()).Returns {
			if b.Line == int(l.GetOrderLineNumber()) {
				back = b
			}
		}
		if err := w.handleLine(ctx, r, l, back); err != nil {
			return err
		}
	}
	return nil
}

func (w *WMS) handleLine(ctx context.Context, r *returnsv1.Return, l *returnsv1.ReturnLine, back Back) error {
	of := func(d quantity.Decimal) *commonv1.Quantity {
		return &commonv1.Quantity{Value: d.String(), Unit: l.GetUnit()}
	}
	id, line := r.GetRmaId(), itoa(int(l.GetRmaLineNumber()))
	received, accepted := number(l.GetReceived()), number(l.GetAccepted())
	if left := number(l.GetAuthorised()).Sub(received); left.Sign() > 0 {
		return w.Client.Post(ctx, "/v1/stocks:recordReturnReceipt", key(wms, id, "receive", line, received.String()), &im.RecordReturnReceiptRequest{
			Site: r.GetReturnSite(), Sku: l.GetSku(), Location: r.GetReturnSite() + "/R-01", Quantity: of(left),
			RmaId: id, RmaLineNumber: l.GetRmaLineNumber(), Source: from(wms, id+":"+line+":received"),
		}, &im.RecordReturnReceiptResponse{})
	}
	if left := received.Sub(accepted).Sub(number(l.GetRejected())); left.Sign() > 0 {
		return w.Client.Post(ctx, "/v1/returns/"+id+":inspect", key(wms, id, "inspect", line, accepted.String()), &returnsv1.InspectItemsRequest{
			RmaLineNumber: l.GetRmaLineNumber(), Accepted: of(left), Grade: returnsv1.Grade_GRADE_A, Finding: returnsv1.Finding_FINDING_AS_NEW,
			Source: from(wms, id+":"+line+":inspected"),
		}, &returnsv1.InspectItemsResponse{})
	}
	if pending := number(l.GetDisposed().GetPending()); pending.Sign() > 0 {
		return w.Client.Post(ctx, "/v1/returns/"+id+":dispose", key(wms, id, "dispose", line, number(l.GetDisposed().GetRestocked()).String()), &returnsv1.DisposeItemsRequest{
			RmaLineNumber: l.GetRmaLineNumber(), Disposition: returnsv1.Disposition_DISPOSITION_RESTOCK, Quantity: of(pending),
			ToLocation: back.Restock, Source: from(wms, id+":"+line+":restocked"),
		}, &returnsv1.DisposeItemsResponse{})
	}
	return nil
}

// number reads a decimal of an answer; empty is 0.
func number(text string) quantity.Decimal {
	d, err := quantity.Parse(text)
	if err != nil {
		return quantity.Decimal{}
	}
	return d
}
