package scripts

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/lockstep-logistics/lockstep/libs/guard"
	inventorymovementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	masterdatav1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
	orderreleasev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/lifecycle"
)

// What suppliers announce beyond what is ordered, when it is expected, and when if it is late.
const (
	beyond = 2
	soon   = 10 * 24 * time.Hour
	late   = 20 * 24 * time.Hour
)

// Supply puts the client's own item, of which nothing is there, and waits until it can be
// ordered and announced; key makes the command that client's alone.
func (c Client) Supply(ctx context.Context, key string) error {
	put := metadata.AppendToOutgoingContext(ctx, guard.MetaKey, "script:"+key+":BatchPutItems")
	if _, err := masterdatav1.NewMasterDataServiceClient(c.Conn).BatchPutItems(put, &masterdatav1.BatchPutItemsRequest{Items: []*masterdatav1.Item{
		{Sku: c.Item, Name: "Item of one client", BaseUnit: "EA", BaseWeightGrams: "250"},
	}}); err != nil {
		return err
	}
	orders := orderreleasev1.NewOrderReleaseServiceClient(c.Conn)
	stock := inventorymovementv1.NewInventoryMovementServiceClient(c.Conn)
	place := &inventorymovementv1.AvailabilityPlace{Site: lifecycle.Site, Sku: c.Item}
	return until(ctx, func() (bool, any, error) {
		dry := metadata.AppendToOutgoingContext(ctx, guard.MetaKey, fmt.Sprintf("script:%s:known:%d", key, c.Now().UnixNano()))
		resp, err := orders.SubmitOrder(dry, &orderreleasev1.SubmitOrderRequest{Order: lifecycle.Document("KNOWN", []lifecycle.Line{{SKU: c.Item, Quantity: 1}}), ValidateOnly: true})
		if err != nil || resp.GetReceipt().GetState() == "REJECTED" {
			return false, resp, err
		}
		_, err = stock.GetAvailability(ctx, &inventorymovementv1.GetAvailabilityRequest{Places: []*inventorymovementv1.AvailabilityPlace{place}})
		return err == nil, err, nil
	})
}

// inbound orders what is not there. A supplier announces it, and the order is promised by the
// date, and by the later one if it is late. It comes in two parts, each of which goes to the order
// at once, and nothing more is expected.
func (r *run) inbound(ctx context.Context) error {
	pieces := r.ordered()
	at := r.Now().UTC().Truncate(time.Second).Add(soon)
	asn, err := r.announced(ctx, pieces+beyond, at)
	if err != nil {
		return err
	}
	if r.Begun {
		at = at.Add(late - soon)
		if _, err := r.stock.RescheduleInboundDelivery(r.key(ctx, "RescheduleInboundDelivery"), &inventorymovementv1.RescheduleInboundDeliveryRequest{
			InboundDeliveryId: asn, ExpectedTime: timestamppb.New(at), Reason: "VESSEL_LATE",
		}); err != nil {
			return err
		}
		if err := r.promised(ctx, at); err != nil {
			return err
		}
	}
	if _, err := r.stock.RecordArrival(r.key(ctx, "RecordArrival"), &inventorymovementv1.RecordArrivalRequest{InboundDeliveryId: asn}); err != nil {
		return err
	}
	come := pieces
	if r.Other {
		come--
	}
	first := (come + 1) / 2
	for n, part := range []int{first, come - first} {
		if part == 0 {
			continue
		}
		if _, err := r.stock.ReceiveLines(r.key(ctx, fmt.Sprintf("ReceiveLines#%d", n+1)), &inventorymovementv1.ReceiveLinesRequest{
			InboundDeliveryId: asn, Goods: []*inventorymovementv1.ReceivedGoods{{LineNumber: 1, Quantity: quantity(part), Location: "IN-1"}},
		}); err != nil {
			return err
		}
	}
	if _, err := r.stock.CancelRemaining(r.key(ctx, "CancelRemaining"), &inventorymovementv1.CancelRemainingRequest{InboundDeliveryId: asn, Reason: "SUPPLIER_SHORT"}); err != nil {
		return err
	}
	warehouse, err := r.released(ctx, come)
	if err == nil {
		err = r.ship(ctx, warehouse)
	}
	if err == nil && r.Other {
		err = r.cancel(ctx)
	}
	if err != nil {
		return err
	}
	return r.close(ctx)
}

// announced registers an ASN and waits until the order is promised of it.
func (r *run) announced(ctx context.Context, pieces int, at time.Time) (asn string, err error) {
	resp, err := r.stock.RegisterAsn(r.key(ctx, "RegisterAsn"), &inventorymovementv1.RegisterAsnRequest{
		Supplier: "SUPPLIER", AsnNumber: "ASN-" + r.number, PurchaseOrder: "PO-" + r.number, Site: lifecycle.Site, ExpectedTime: timestamppb.New(at),
		Lines: []*inventorymovementv1.AsnLine{{LineNumber: 1, Sku: r.Item, Quantity: quantity(pieces)}},
	})
	if err != nil {
		return "", err
	}
	return resp.GetReceipt().GetId(), r.promised(ctx, at)
}

// promised waits until the order is promised by a time.
func (r *run) promised(ctx context.Context, at time.Time) error {
	_, err := r.untilOrder(ctx, func(o *orderreleasev1.Order) bool { return o.GetLines()[0].GetPromisedDate().AsTime().Equal(at) })
	return err
}
