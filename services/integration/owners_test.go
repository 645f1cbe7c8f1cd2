package integration_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/host"
	"github.com/lockstep-logistics/lockstep/libs/store"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	freightsettlementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/freightsettlement/v1"
	inventorymovementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	masterdatav1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
	orderreleasev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
)

// owners stands for the services that take records: it remembers what took effect under
// which key, and fails as it is told.
type owners struct {
	mu      sync.Mutex
	took    map[string]string // key → record
	again   int               // commands that came under a key a second time
	calls   int
	systems map[string]bool // source systems and tenants that calls were made for
	lenient bool            // takes what is POISON otherwise
	// outage, when set, may make a call fail after it has taken its records.
	outage func(call int) error
	// meet, when set, sees the first record of each batch before any of it takes effect; its error
	// is the call's.
	meet func(first string) error
}

func newOwners() *owners { return &owners{took: map[string]string{}, systems: map[string]bool{}} }

func (o *owners) count() (took, again int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.took), o.again
}

func (o *owners) breakDown(outage func(call int) error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.outage = outage
}

// take gives one record effect under its key, once, and refuses what is said to be unknown.
func (o *owners) take(ctx context.Context, text string) (store.Receipt, error) {
	if strings.Contains(text, "UNKNOWN") {
		return store.Receipt{}, fault.New(fault.Refused, "ITEM_UNKNOWN", "no such item")
	}
	key := store.CauseOf(ctx).Key
	o.mu.Lock()
	defer o.mu.Unlock()
	if first, ok := o.took[key]; ok {
		o.again++
		if first != text {
			return store.Receipt{}, fault.New(fault.KeyReused, "KEY_REUSED", "%s was %s", key, first)
		}
	}
	o.took[key] = text
	return store.Receipt{ID: "x_" + text, State: "ACTIVE"}, nil
}

func (o *owners) begin(ctx context.Context, source *commonv1.SourceRef) (outage error) {
	caller, _ := guard.CallerOf(ctx)
	cause := store.CauseOf(ctx)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.calls++
	o.systems[fmt.Sprintf("%s for %s of %s, %s %s, derived %t", caller.Principal, guard.Author(ctx), caller.Tenant, source.GetSystem(), source.GetMessageId(), cause.Derived)] = true
	if o.outage != nil {
		return o.outage(o.calls)
	}
	return nil
}

// batch takes the records of a call, each on its own.
func batch[M proto.Message](ctx context.Context, o *owners, source *commonv1.SourceRef, list, field string, records []M, name func(M) string) ([]*commonv1.ItemResult, error) {
	outage := o.begin(ctx, source)
	o.mu.Lock()
	lenient, meet := o.lenient, o.meet
	o.mu.Unlock()
	if meet != nil {
		if err := meet(name(records[0])); err != nil {
			return nil, err
		}
	}
	for i, r := range records { // as an owner does whose rules are stricter than those of the sender's version
		if strings.Contains(name(r), "POISON") && !lenient {
			return nil, fault.New(fault.Invalid, "VALIDATION_FAILED", "the request breaks the rules of its fields").
				WithField(fmt.Sprintf("%s[%d].%s", list, i, field), "STRING_MAX_LEN", "too long")
		}
	}
	results, err := guard.ItemResults(ctx, len(records), func(i int) (store.Receipt, error) {
		r, err := o.take(store.WithItem(ctx, strconv.Itoa(i)), name(records[i]))
		if f, ok := fault.As(err); ok {
			return r, fault.New(f.Kind, f.Reason, "%s", f.Message).WithField(fmt.Sprintf("%s[%d].%s", list, i, field), f.Reason, "%s", f.Message)
		}
		return r, err
	})
	if outage != nil {
		return nil, outage
	}
	return results, err
}

type settings struct{}

func (settings) Validate() error { return nil }

func serve(name string, register func(grpc.ServiceRegistrar)) *host.Unit {
	return host.Bind(name, settings{}, func(settings, host.Deps) (*host.Service, error) {
		return &host.Service{Name: name, Register: register}, nil
	})
}

// units are the owners' services.
func (o *owners) units() []*host.Unit {
	return []*host.Unit{
		serve("order-release", func(r grpc.ServiceRegistrar) {
			orderreleasev1.RegisterOrderReleaseServiceServer(r, &orderOwner{o: o})
		}),
		serve("master-data", func(r grpc.ServiceRegistrar) {
			masterdatav1.RegisterMasterDataServiceServer(r, &masterDataOwner{o: o})
		}),
		serve("inventory-movement", func(r grpc.ServiceRegistrar) {
			inventorymovementv1.RegisterInventoryMovementServiceServer(r, &stockOwner{o: o})
		}),
		serve("freight-settlement", func(r grpc.ServiceRegistrar) {
			freightsettlementv1.RegisterFreightSettlementServiceServer(r, &freightOwner{o: o})
		}),
	}
}

type orderOwner struct {
	orderreleasev1.UnimplementedOrderReleaseServiceServer
	o *owners
}

func (s *orderOwner) BatchSubmitOrders(ctx context.Context, req *orderreleasev1.BatchSubmitOrdersRequest) (*orderreleasev1.BatchSubmitOrdersResponse, error) {
	results, err := batch(ctx, s.o, req.GetSource(), "orders", "lines[0].sku", req.GetOrders(), func(d *orderreleasev1.OrderDocument) string {
		text := d.GetSourceSystem() + "/" + d.GetOrderNumber()
		for _, l := range d.GetLines() {
			text += fmt.Sprintf(" %d:%s=%s%s", l.GetLineNumber(), l.GetSku(), l.GetQuantity().GetValue(), l.GetQuantity().GetUnit())
		}
		return text
	})
	for _, r := range results {
		if strings.Contains(r.GetReceipt().GetId(), "RETIRED") { // kept, but rejected
			r.GetReceipt().State = "REJECTED"
			r.GetReceipt().Reasons = []*commonv1.Reason{{Code: "ITEM_RETIRED", Field: "lines[1].sku", Message: "retired"}}
		}
	}
	return &orderreleasev1.BatchSubmitOrdersResponse{Results: results}, err
}

type masterDataOwner struct {
	masterdatav1.UnimplementedMasterDataServiceServer
	o *owners
}

func (s *masterDataOwner) BatchPutItems(ctx context.Context, req *masterdatav1.BatchPutItemsRequest) (*masterdatav1.BatchPutItemsResponse, error) {
	results, err := batch(ctx, s.o, req.GetSource(), "items", "sku", req.GetItems(), (*masterdatav1.Item).GetSku)
	return &masterdatav1.BatchPutItemsResponse{Results: results}, err
}

func (s *masterDataOwner) BatchPutParties(ctx context.Context, req *masterdatav1.BatchPutPartiesRequest) (*masterdatav1.BatchPutPartiesResponse, error) {
	results, err := batch(ctx, s.o, req.GetSource(), "parties", "code", req.GetParties(), (*masterdatav1.Party).GetCode)
	return &masterdatav1.BatchPutPartiesResponse{Results: results}, err
}

func (s *masterDataOwner) BatchPutLocations(ctx context.Context, req *masterdatav1.BatchPutLocationsRequest) (*masterdatav1.BatchPutLocationsResponse, error) {
	results, err := batch(ctx, s.o, req.GetSource(), "locations", "code", req.GetLocations(), (*masterdatav1.Location).GetCode)
	return &masterdatav1.BatchPutLocationsResponse{Results: results}, err
}

func (s *masterDataOwner) BatchPutCarriers(ctx context.Context, req *masterdatav1.BatchPutCarriersRequest) (*masterdatav1.BatchPutCarriersResponse, error) {
	results, err := batch(ctx, s.o, req.GetSource(), "carriers", "code", req.GetCarriers(), (*masterdatav1.Carrier).GetCode)
	return &masterdatav1.BatchPutCarriersResponse{Results: results}, err
}

type freightOwner struct {
	freightsettlementv1.UnimplementedFreightSettlementServiceServer
	o *owners
}

func (s *freightOwner) ReceiveFreightInvoice(ctx context.Context, req *freightsettlementv1.ReceiveFreightInvoiceRequest) (*freightsettlementv1.ReceiveFreightInvoiceResponse, error) {
	if outage := s.o.begin(ctx, req.GetSource()); outage != nil {
		return nil, outage
	}
	r, err := s.o.take(ctx, req.GetInvoiceNumber())
	if err != nil {
		return nil, err
	}
	return &freightsettlementv1.ReceiveFreightInvoiceResponse{Receipt: guard.Receipt(ctx, r)}, nil
}

type stockOwner struct {
	inventorymovementv1.UnimplementedInventoryMovementServiceServer
	o *owners
}

func (s *stockOwner) BatchRecordReceipts(ctx context.Context, req *inventorymovementv1.BatchRecordReceiptsRequest) (*inventorymovementv1.BatchRecordReceiptsResponse, error) {
	results, err := batch(ctx, s.o, req.GetSource(), "receipts", "sku", req.GetReceipts(), func(r *inventorymovementv1.GoodsReceipt) string {
		return r.GetSku() + "=" + r.GetQuantity().GetValue()
	})
	return &inventorymovementv1.BatchRecordReceiptsResponse{Results: results}, err
}
