package view

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/lockstep-logistics/lockstep/libs/clock"
	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	freightsettlementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/freightsettlement/v1"
	gatewayv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/gateway/v1"
	inventorymovementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	orderreleasev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	returnsv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/returns/v1"
	shipmentvisibilityv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/shipmentvisibility/v1"
)

var id = ident.Derive("ord", "acme", "erp", "4711")

// service stands for the connection to one service.
type service struct {
	replies []proto.Message // one of each type that it answers
	err     error
	hangs   bool
}

func (s service) Invoke(ctx context.Context, _ string, _, reply any, _ ...grpc.CallOption) error {
	if s.hangs {
		<-ctx.Done()
		return ctx.Err()
	}
	out := reply.(proto.Message)
	for _, r := range s.replies {
		if s.err == nil && r.ProtoReflect().Descriptor() == out.ProtoReflect().Descriptor() {
			proto.Merge(out, r)
			return nil
		}
	}
	if s.err == nil {
		return errors.New("not one of its answers")
	}
	return s.err
}

func (service) NewStream(context.Context, *grpc.StreamDesc, string, ...grpc.CallOption) (grpc.ClientStream, error) {
	panic("no stream is read")
}

// healthy are services that all answer.
func healthy() map[string]service {
	order := &orderreleasev1.Order{OrderId: id, Etag: "5", Lines: []*orderreleasev1.OrderLineStatus{
		{Resolved: &orderreleasev1.ResolvedLine{LineNumber: 1, ItemId: "itm_1", Site: "DC1"}},
		{Resolved: &orderreleasev1.ResolvedLine{LineNumber: 2, ItemId: "itm_1", Site: "DC1"}},
	}}
	return map[string]service{
		"order-release": {replies: []proto.Message{&orderreleasev1.GetOrderResponse{Order: order}}},
		"inventory-movement": {replies: []proto.Message{
			&inventorymovementv1.ListWarehouseOrdersResponse{WarehouseOrders: []*inventorymovementv1.WarehouseOrder{{WarehouseOrderId: "who_1"}}},
			&inventorymovementv1.GetAvailabilityResponse{Availabilities: []*inventorymovementv1.Availability{{Site: "DC1", ItemId: "itm_1"}}},
		}},
		"shipment-visibility": {replies: []proto.Message{&shipmentvisibilityv1.ListShipmentsResponse{Shipments: []*shipmentvisibilityv1.Shipment{{ShipmentId: "shp_1", Etag: "2"}}}}},
		"freight-settlement":  {replies: []proto.Message{&freightsettlementv1.ListFreightsResponse{Freights: []*freightsettlementv1.Freight{{FreightId: "frt_1", Etag: "1"}}}}},
		"returns":             {replies: []proto.Message{&returnsv1.ListReturnsResponse{Returns: []*returnsv1.ReturnSummary{{RmaId: "rma_1"}}}}},
	}
}

// ask reads the order's view from the services, with one of them changed. Time passes only while
// all wait for one that hangs.
func ask(t *testing.T, change func(map[string]service), req *gatewayv1.GetOrderViewRequest) (view *gatewayv1.OrderView, err error) {
	t.Helper()
	services := healthy()
	if change != nil {
		change(services)
	}
	synctest.Test(t, func(t *testing.T) {
		s := NewServer(func(name string) grpc.ClientConnInterface { return services[name] }, clock.NewManual(time.Unix(1, 0)), 50*time.Millisecond)
		ctx := guard.WithCaller(t.Context(), guard.Caller{Tenant: "acme", Principal: "p"})
		var resp *gatewayv1.GetOrderViewResponse
		resp, err = s.GetOrderView(ctx, req)
		view = resp.GetOrderView()
	})
	return view, err
}

var byID = &gatewayv1.GetOrderViewRequest{OrderId: id}

func TestWholeView(t *testing.T) {
	view, err := ask(t, nil, byID)
	if err != nil {
		t.Fatal(err)
	}
	got := []int{
		len(view.GetWarehouseOrders()), len(view.GetStock()), len(view.GetShipments()), len(view.GetFreights()), len(view.GetReturns()), len(view.GetMissing()),
	}
	if diff := cmp.Diff([]int{1, 1, 1, 1, 1, 0}, got); diff != "" || view.GetOrder().GetEtag() != "5" || view.GetEtag() == "" {
		t.Errorf("view %v\n%s", view, diff)
	}
	byNumber, err := ask(t, nil, &gatewayv1.GetOrderViewRequest{OrderNumber: "4711", SourceSystem: "erp"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(view, byNumber, protocmp.Transform()); diff != "" {
		t.Errorf("by id and by number differ:\n%s", diff)
	}
}

func TestMissingPartsAreNamed(t *testing.T) {
	for name, c := range map[string]struct {
		service service
		want    *gatewayv1.MissingPart
	}{
		"down": {
			service{err: fault.New(fault.Unavailable, "UNAVAILABLE", "cannot be reached")},
			&gatewayv1.MissingPart{Part: "shipments", Service: "shipment-visibility", Reason: "UNAVAILABLE", Message: "cannot be reached", Retryable: true},
		},
		"hangs": {
			service{hangs: true},
			&gatewayv1.MissingPart{Part: "shipments", Service: "shipment-visibility", Reason: "UNAVAILABLE", Message: "the service did not answer in time", Retryable: true},
		},
		"broken": {
			service{err: fault.New(fault.Internal, "FOLD_BROKEN", "E11000 in shipments")},
			&gatewayv1.MissingPart{Part: "shipments", Service: "shipment-visibility", Reason: "INTERNAL", Message: "an internal error occurred", Retryable: true},
		},
		"not for this caller": {
			service{err: fault.New(fault.Denied, "METHOD_NOT_ALLOWED", "may not")},
			&gatewayv1.MissingPart{Part: "shipments", Service: "shipment-visibility", Reason: "METHOD_NOT_ALLOWED", Message: "may not"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			view, err := ask(t, func(m map[string]service) { m["shipment-visibility"] = c.service }, byID)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]*gatewayv1.MissingPart{c.want}, view.GetMissing(), protocmp.Transform()); diff != "" {
				t.Errorf("missing (-want +got):\n%s", diff)
			}
			if view.GetOrder() == nil || len(view.GetFreights()) != 1 {
				t.Errorf("the other parts: %v", view)
			}
		})
	}
}

func TestViewWithoutItsOrder(t *testing.T) {
	view, err := ask(t, func(m map[string]service) { m["order-release"] = service{hangs: true} }, byID)
	var parts []string // the places of the stock are those of the order
	for _, m := range view.GetMissing() {
		parts = append(parts, m.GetPart())
	}
	if diff := cmp.Diff([]string{"order", "stock"}, parts); err != nil || diff != "" || len(view.GetShipments()) != 1 {
		t.Errorf("order-release hangs: %v, %v", view, err)
	}
	_, err = ask(t, func(m map[string]service) {
		m["order-release"] = service{err: fault.New(fault.NotFound, "NOT_FOUND", "")}
	}, byID)
	if !fault.IsKind(err, fault.NotFound) {
		t.Errorf("an unknown order: %v", err)
	}
	_, err = ask(t, func(m map[string]service) {
		for name := range m {
			m[name] = service{err: errors.New("broken")}
		}
	}, byID)
	if !fault.IsKind(err, fault.Unavailable) {
		t.Errorf("nothing answers: %v", err)
	}
}

func TestOneKey(t *testing.T) {
	for _, req := range []*gatewayv1.GetOrderViewRequest{
		{}, {OrderNumber: "4711"}, {SourceSystem: "erp"}, {OrderId: id, OrderNumber: "4711", SourceSystem: "erp"},
	} {
		if _, err := ask(t, nil, req); !fault.IsKind(err, fault.Invalid) {
			t.Errorf("%v: %v", req, err)
		}
	}
}

func TestTagChangesWithAPart(t *testing.T) {
	first, err := ask(t, nil, byID)
	if err != nil {
		t.Fatal(err)
	}
	again, _ := ask(t, nil, byID)
	if again.GetEtag() != first.GetEtag() {
		t.Error("the same parts have two tags")
	}
	other, _ := ask(t, func(m map[string]service) {
		m["freight-settlement"] = service{replies: []proto.Message{&freightsettlementv1.ListFreightsResponse{}}}
	}, byID)
	if other.GetEtag() == first.GetEtag() {
		t.Error("other parts have the same tag")
	}
}
