package checker

import (
	"cmp"
	"context"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	fsv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/freightsettlement/v1"
	imv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	orv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	retv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/returns/v1"
	svv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/shipmentvisibility/v1"
)

// answers are what the API has to say of every aggregate that it can be asked for, as far as
// its facts say it too: what they leave open is not set.
type answers []expected

type expected struct {
	tenant, id string
	want       proto.Message
}

// fold makes of an aggregate's facts what the API says of it.
type fold interface {
	apply(f *fact)
	answer() proto.Message // nil: nothing can be asked for
}

// folds make the answers of each type of aggregate.
var folds = map[string]func(id string) fold{
	"order": func(id string) fold { return &orderFold{Order: &orv1.Order{OrderId: id}} },
	"warehouse_order": func(id string) fold {
		return &warehouseFold{WarehouseOrder: &imv1.WarehouseOrder{WarehouseOrderId: id}}
	},
	"inbound_delivery": func(id string) fold {
		return &inboundFold{InboundDelivery: &imv1.InboundDelivery{InboundDeliveryId: id}}
	},
	"shipment": func(id string) fold {
		return &shipmentFold{Shipment: &svv1.Shipment{ShipmentId: id}, amended: map[int32]*svv1.ShipmentLine{}}
	},
	"freight":         func(id string) fold { return &freightFold{Freight: &fsv1.Freight{FreightId: id}} },
	"freight_invoice": func(id string) fold { return &invoiceFold{&fsv1.FreightInvoice{InvoiceId: id}} },
	"return":          func(id string) fold { return &returnFold{Return: &retv1.Return{RmaId: id}} },
	"returnable":      func(string) fold { return &itemsFold{GetReturnableItemsResponse: &retv1.GetReturnableItemsResponse{}} },
}

// expect folds the facts of an aggregate.
func (c *checker) expect(commits []*commit, facts [][]*fact) {
	begin := folds[commits[0].Type]
	if begin == nil {
		return
	}
	tenant, id, _ := strings.Cut(commits[0].Agg, "/")
	f, version := begin(id), int64(0)
	for i, of := range facts {
		for _, one := range of {
			f.apply(one)
			version = commits[i].Version
		}
	}
	if want := f.answer(); want != nil && version > 0 {
		if etag := want.ProtoReflect().Descriptor().Fields().ByName("etag"); etag != nil {
			want.ProtoReflect().Set(etag, protoreflect.ValueOfString(strconv.FormatInt(version, 10)))
		}
		c.answers = append(c.answers, expected{tenant, id, want})
	}
}

// How many answers are asked for at a time, and how often one.
const (
	askers   = 8
	askTries = 5
)

// askAll holds the API's answers of all aggregates against their facts (I7).
func (c *checker) askAll(ctx context.Context) error {
	apis := map[string]grpc.ClientConnInterface{}
	for _, e := range c.answers {
		if apis[e.tenant] == nil {
			apis[e.tenant] = c.suite.API(e.tenant)
		}
	}
	var group sync.WaitGroup
	found, failed := make([][]string, len(c.answers)), make([]error, askers)
	for n := range askers {
		group.Go(func() {
			for i := n; i < len(c.answers) && failed[n] == nil; i += askers {
				e := c.answers[i]
				got, err := insist(ctx, apis[e.tenant], e.want)
				if failed[n] = err; err != nil {
					failed[n] = fmt.Errorf("%s/%s: %w", e.tenant, e.id, err)
					continue
				}
				found[i] = differ("", e.want.ProtoReflect(), got.ProtoReflect())
			}
		})
	}
	group.Wait()
	for i, of := range found {
		e := c.answers[i]
		for _, what := range of {
			c.report.add("I7", Aggregate, string(e.want.ProtoReflect().Descriptor().Name())+" "+e.tenant+"/"+e.id, "%s", what)
		}
	}
	c.report.Asked = len(c.answers)
	return cmp.Or(failed...)
}

// insist asks again what is not answered at once: a cluster that was just broken may be slow.
func insist(ctx context.Context, api grpc.ClientConnInterface, want proto.Message) (got proto.Message, err error) {
	for try := range askTries {
		if got, err = askFor(ctx, api, want); err == nil || ctx.Err() != nil {
			break
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Duration(try+1) * 200 * time.Millisecond):
		}
	}
	return got, err
}

// askFor asks for an aggregate.
func askFor(ctx context.Context, api grpc.ClientConnInterface, want proto.Message) (proto.Message, error) {
	switch m := want.(type) {
	case *orv1.Order:
		r, err := orv1.NewOrderReleaseServiceClient(api).GetOrder(ctx, &orv1.GetOrderRequest{OrderId: m.GetOrderId()})
		return r.GetOrder(), err
	case *imv1.WarehouseOrder:
		r, err := imv1.NewInventoryMovementServiceClient(api).GetWarehouseOrder(ctx, &imv1.GetWarehouseOrderRequest{WarehouseOrderId: m.GetWarehouseOrderId()})
		return r.GetWarehouseOrder(), err
	case *imv1.InboundDelivery:
		r, err := imv1.NewInventoryMovementServiceClient(api).GetInboundDelivery(ctx, &imv1.GetInboundDeliveryRequest{InboundDeliveryId: m.GetInboundDeliveryId()})
		return r.GetInboundDelivery(), err
	case *svv1.Shipment:
		r, err := svv1.NewShipmentVisibilityServiceClient(api).GetShipment(ctx, &svv1.GetShipmentRequest{ShipmentId: m.GetShipmentId()})
		return r.GetShipment(), err
	case *fsv1.Freight:
		r, err := fsv1.NewFreightSettlementServiceClient(api).GetFreight(ctx, &fsv1.GetFreightRequest{FreightId: m.GetFreightId()})
		return r.GetFreight(), err
	case *fsv1.FreightInvoice:
		r, err := fsv1.NewFreightSettlementServiceClient(api).GetFreightInvoice(ctx, &fsv1.GetFreightInvoiceRequest{InvoiceId: m.GetInvoiceId()})
		return r.GetInvoice(), err
	case *retv1.Return:
		r, err := retv1.NewReturnsServiceClient(api).GetReturn(ctx, &retv1.GetReturnRequest{RmaId: m.GetRmaId()})
		return r.GetReturn(), err
	case *retv1.GetReturnableItemsResponse:
		return retv1.NewReturnsServiceClient(api).GetReturnableItems(ctx, &retv1.GetReturnableItemsRequest{OrderId: m.GetOrderId()})
	}
	return nil, fmt.Errorf("nobody asks for %T", want)
}

// differ names the fields that are set in what is wanted and are not so in what was answered.
// A list is wanted as long as it is, in its order.
func differ(path string, want, got protoreflect.Message) (found []string) {
	want.Range(func(f protoreflect.FieldDescriptor, w protoreflect.Value) bool {
		at := strings.TrimPrefix(path+"."+string(f.Name()), ".")
		g := got.Get(f)
		switch {
		case f.IsList():
			if w.List().Len() != g.List().Len() {
				found = append(found, fmt.Sprintf("the API says %d of %s, the facts %d", g.List().Len(), at, w.List().Len()))
				return true
			}
			for i := range w.List().Len() {
				found = append(found, differs(fmt.Sprintf("%s[%d]", at, i), f, w.List().Get(i), g.List().Get(i))...)
			}
		default:
			found = append(found, differs(at, f, w, g)...)
		}
		return true
	})
	slices.Sort(found)
	return found
}

func differs(at string, f protoreflect.FieldDescriptor, want, got protoreflect.Value) []string {
	if f.Message() != nil && !whole(f.Message()) {
		return differ(at, want.Message(), got.Message())
	}
	if want.Equal(got) {
		return nil
	}
	return []string{fmt.Sprintf("the API says %s is %v, the facts %v", at, got, want)}
}

// whole reports whether messages of a type are values, of which zero says something too.
func whole(d protoreflect.MessageDescriptor) bool {
	return strings.HasPrefix(string(d.FullName()), "lockstep.common.v1.") || strings.HasPrefix(string(d.FullName()), "google.protobuf.")
}

// decimal renders a quantity as the API does.
func decimal(q *big.Rat) string {
	if q.IsInt() {
		return q.Num().String()
	}
	return strings.TrimRight(q.FloatString(9), "0")
}

// add makes the sum of two decimals; one that is not given is 0.
func add(a, b string) string {
	return decimal(new(big.Rat).Add(number(cmp.Or(a, "0"), ignore), number(cmp.Or(b, "0"), ignore)))
}

func minus(a, b string) string {
	return decimal(new(big.Rat).Sub(number(cmp.Or(a, "0"), ignore), number(cmp.Or(b, "0"), ignore)))
}
