package sandbox

import (
	"context"
	"net/url"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	masterdatav1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
	sv "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/shipmentvisibility/v1"
)

// TMS is a transport management system: it books carriers for what is ready, dispatches, and
// closes what is confirmed.
type TMS struct{ Client *Client }

const tms = "tms"

const shipmentPrefix = "SHIPMENT_STATE_"

// offerLasts is how long after its planning a shipment's tender may be answered.
const offerLasts = 90 * 24 * time.Hour

// Step does what there is to do for all shipments.
func (t *TMS) Step(ctx context.Context) error {
	for _, state := range []string{"READY", "POD_CONFIRMED"} {
		if err := eachShipment(ctx, t.Client, by("state", shipmentPrefix+state), t.work); err != nil {
			return err
		}
	}
	return nil
}

// Tend does the same for one order.
func (t *TMS) Tend(ctx context.Context, orderID string) error {
	return eachShipment(ctx, t.Client, by("order_id", orderID), t.work)
}

// eachShipment calls work with each shipment of a list, read anew: lists may trail.
func eachShipment(ctx context.Context, c *Client, query url.Values, work func(context.Context, *sv.Shipment) error) error {
	var ids []string
	err := list(ctx, c, "/v1/shipments", query, &sv.ListShipmentsResponse{}, func(page *sv.ListShipmentsResponse) string {
		for _, s := range page.GetShipments() {
			ids = append(ids, s.GetShipmentId())
		}
		return page.GetNextPageToken()
	})
	for _, id := range ids {
		if err != nil {
			return err
		}
		var got sv.GetShipmentResponse
		if err = c.Get(ctx, "/v1/shipments/"+id, &got); err == nil {
			err = work(ctx, got.GetShipment())
		}
	}
	return err
}

// newest is the newest tender of a shipment; nil for none.
func newest(s *sv.Shipment) *sv.Tender {
	if n := len(s.GetTenders()); n > 0 {
		return s.GetTenders()[n-1]
	}
	return nil
}

func (t *TMS) work(ctx context.Context, s *sv.Shipment) error {
	id := s.GetShipmentId()
	path := "/v1/shipments/" + id
	switch state, tender := short(s.GetState(), shipmentPrefix), newest(s); {
	case state == "POD_CONFIRMED":
		return t.Client.Post(ctx, path+":close", key(tms, id, "close"), &sv.CloseShipmentRequest{}, &sv.CloseShipmentResponse{})
	case state != "READY":
		return nil
	case tender.GetState() == sv.TenderState_TENDER_STATE_ACCEPTED:
		return t.Client.Post(ctx, path+":dispatch", key(tms, id, "dispatch"), &sv.DispatchShipmentRequest{
			BillOfLading: reference("BOL", id), ProNumber: reference("PRO", id), TrackingNumber: reference("TRK", id), SealNumber: reference("SEAL", id),
			Source: from(tms, id+":dispatch"),
		}, &sv.DispatchShipmentResponse{})
	case tender != nil && tender.GetState() == sv.TenderState_TENDER_STATE_OFFERED:
		return nil
	}
	carrier, service, err := t.choose(ctx, s)
	if err != nil {
		return err
	}
	n := itoa(len(s.GetTenders()) + 1)
	return t.Client.Post(ctx, path+":tender", key(tms, id, "tender", n), &sv.TenderShipmentRequest{
		Carrier: carrier, CarrierService: service, RespondBy: timestamppb.New(s.GetCreateTime().AsTime().Add(offerLasts)), Source: from(tms, id+":tender:"+n),
	}, &sv.TenderShipmentResponse{})
}

// choose takes the carrier and service that were asked for, or the first there is.
func (t *TMS) choose(ctx context.Context, s *sv.Shipment) (carrier, service string, err error) {
	carrier, service = s.GetCarrier(), s.GetCarrierService()
	if carrier != "" && service != "" {
		return carrier, service, nil
	}
	var known masterdatav1.ListCarriersResponse
	if err := t.Client.Get(ctx, "/v1/carriers", &known); err != nil {
		return "", "", err
	}
	for _, c := range known.GetCarriers() {
		if (carrier == "" || carrier == c.GetCarrier().GetCode()) && len(c.GetCarrier().GetServices()) > 0 {
			if service == "" {
				service = c.GetCarrier().GetServices()[0].GetCode()
			}
			return c.GetCarrier().GetCode(), service, nil
		}
	}
	return carrier, service, nil
}

// reference is a number that a system gives to a shipment, the same whenever it is asked.
func reference(kind, id string) string {
	_, tail, _ := strings.Cut(id, "_")
	return kind + "-" + strings.ToUpper(tail[:min(len(tail), 10)])
}
