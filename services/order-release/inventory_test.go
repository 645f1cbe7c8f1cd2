package orderrelease_test

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/bus"
	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/host"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	"github.com/lockstep-logistics/lockstep/libs/store"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	im "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	orderreleasev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
)

// inventory stands for inventory-movement: stock with claims and allocations, and
// warehouse orders that the tests pick, short, issue and let be cancelled.
type inventory struct {
	im.UnimplementedInventoryMovementServiceServer
	mu     sync.Mutex
	broken map[string]string // item id → "down", or the reason of a refusal
	lies   map[string]int    // site/item → what the next look at it sees instead of what is there
	stocks *store.Collection[shelf, proto.Message]
	orders *store.Collection[task, proto.Message]
}

// shelf is one stock.
type shelf struct {
	OnHand    quantity.Decimal            `bson:"h"`
	Allocated quantity.Decimal            `bson:"a"`
	Claims    map[string]quantity.Decimal `bson:"c"`
	Closed    []string                    `bson:"x"`
	Coming    map[string]int              `bson:"g"` // ASN → pieces that are to come
	Awaited   map[string]int              `bson:"w"` // promise → pieces
}

func (s shelf) free() quantity.Decimal {
	free := s.OnHand.Sub(s.Allocated)
	for _, q := range s.Claims {
		free = free.Sub(q)
	}
	return free
}

func evolveShelf(s shelf, m proto.Message) shelf {
	s.Claims = maps.Clone(s.Claims)
	if s.Claims == nil {
		s.Claims = map[string]quantity.Decimal{}
	}
	switch f := m.(type) {
	case *im.StockMoved:
		if f.GetTo().GetLocation() == "BIN" {
			s.OnHand = s.OnHand.Add(quantity.MustParse(f.GetQuantity()))
		} else {
			s.OnHand = s.OnHand.Sub(quantity.MustParse(f.GetQuantity()))
			s.Allocated = s.Allocated.Sub(quantity.MustParse(f.GetAllocationUsed()))
		}
	case *im.StockReserved:
		s.Claims[f.GetClaimKey()] = quantity.MustParse(f.GetQuantity())
	case *im.ReservationReleased:
		delete(s.Claims, f.GetClaimKey())
		s.Closed = append(slices.Clone(s.Closed), f.GetClaimKey())
	case *im.StockAllocated:
		for _, c := range f.GetClaims() {
			s.Claims[c.GetClaimKey()] = s.Claims[c.GetClaimKey()].Sub(quantity.MustParse(c.GetQuantity()))
			s.Allocated = s.Allocated.Add(quantity.MustParse(c.GetQuantity()))
		}
	case *im.AllocationFreed:
		s.Allocated = s.Allocated.Sub(quantity.MustParse(f.GetQuantity()))
	case *im.SupplyChanged:
		s.Coming = added(s.Coming, f.GetAsnNumber(), f.GetChange())
	case *im.SupplyPromised:
		s.Awaited = added(s.Awaited, f.GetPromiseKey(), f.GetChange())
	}
	return s
}

// added is a map with more of something.
func added(m map[string]int, key, change string) map[string]int {
	m = maps.Clone(m)
	if m == nil {
		m = map[string]int{}
	}
	n, err := strconv.Atoi(change)
	if err != nil {
		panic(err)
	}
	m[key] += n
	return m
}

// task is one warehouse order.
type task struct {
	Keys     map[string]string           `bson:"k"` // id, order, release
	Stocks   map[string]string           `bson:"s"` // line → site/item
	Open     map[string]quantity.Decimal `bson:"o"` // line → allocated, neither picked nor short
	Picked   map[string]quantity.Decimal `bson:"p"`
	Canceled bool                        `bson:"x"`
}

func evolveTask(w task, m proto.Message) task {
	w.Open, w.Picked = maps.Clone(w.Open), maps.Clone(w.Picked)
	take := func(lines []*im.WarehouseLineQuantity, picked bool) {
		for _, l := range lines {
			n, q := strconv.Itoa(int(l.GetLineNumber())), quantity.MustParse(l.GetQuantity().GetValue())
			w.Open[n] = w.Open[n].Sub(q)
			if picked {
				w.Picked[n] = w.Picked[n].Add(q)
			}
		}
	}
	switch f := m.(type) {
	case *im.WarehouseOrderCreated:
		w.Keys = map[string]string{"id": f.GetKeys().GetWarehouseOrderId(), "order": f.GetKeys().GetOrderId(), "release": f.GetKeys().GetReleaseId()}
		w.Stocks, w.Open, w.Picked = map[string]string{}, map[string]quantity.Decimal{}, map[string]quantity.Decimal{}
		for _, l := range f.GetLines() {
			n := strconv.Itoa(int(l.GetLineNumber()))
			w.Stocks[n] = f.GetSite() + "/" + l.GetItemId()
			w.Open[n] = quantity.MustParse(l.GetQuantity().GetValue())
		}
	case *im.PickConfirmed:
		take(f.GetLines(), true)
	case *im.PickShorted:
		take(f.GetLines(), false)
	case *im.WarehouseOrderCancelled:
		w.Canceled = true
	}
	return w
}

func (w task) keys() *im.WarehouseOrderKeys {
	return &im.WarehouseOrderKeys{WarehouseOrderId: w.Keys["id"], OrderId: w.Keys["order"], ReleaseId: w.Keys["release"], ReleaseVersion: 1}
}

func (i *inventory) unit() *host.Unit {
	return host.Bind("inventory-movement", settings{}, func(_ settings, d host.Deps) (*host.Service, error) {
		i.stocks = store.Register(d.Store, store.Type[shelf, proto.Message]{
			Name: "stock", Prefix: "stk", Evolve: evolveShelf, Encode: protovalue.Encode, Decode: decode,
		})
		i.orders = store.Register(d.Store, store.Type[task, proto.Message]{
			Name: "warehouse_order", Prefix: "who", Evolve: evolveTask, Encode: protovalue.Encode, Decode: decode,
		})
		return &host.Service{
			Register: func(r grpc.ServiceRegistrar) { im.RegisterInventoryMovementServiceServer(r, i) },
			Consumers: []bus.Consumer{bus.Routes(bus.Reactor, "releases", "order-release",
				bus.On(func(ctx context.Context, _ bus.Fact, m *orderreleasev1.OrderReleased) error { return i.execute(ctx, m) }),
				bus.On(func(ctx context.Context, _ bus.Fact, m *orderreleasev1.CancelRequested) error {
					return i.cancel(ctx, m)
				}),
			)},
		}, nil
	})
}

// fails sets how an item's stock answers claims from now on: "" as it should.
func (i *inventory) fails(item, how string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.broken[item] = how
}

// lie lets the next look at a place see so many pieces.
func (i *inventory) lie(site, item string, pieces int) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.lies == nil {
		i.lies = map[string]int{}
	}
	i.lies[site+"/"+item] = pieces
}

// seen is what a look at a place sees.
func (i *inventory) seen(site, item string, is quantity.Decimal) quantity.Decimal {
	i.mu.Lock()
	defer i.mu.Unlock()
	if n, lies := i.lies[site+"/"+item]; lies {
		delete(i.lies, site+"/"+item)
		return quantity.Int(int64(n))
	}
	return is
}

func (i *inventory) how(item string) string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.broken[item]
}

func stockID(tenant, site, item string) string { return ident.Derive("stk", tenant, site, item, "OWN") }

// on changes the stock of an item.
func (i *inventory) on(ctx context.Context, site, item string, decide func(shelf, *im.StockKey) (store.Decision[proto.Message], error)) (store.Receipt, error) {
	id := stockID(store.CauseOf(ctx).Tenant, site, item)
	return i.stocks.Update(ctx, id, func(c store.Current[shelf]) (store.Decision[proto.Message], error) {
		return decide(c.State, &im.StockKey{StockId: id, Site: site, ItemId: item, Owner: "OWN", Unit: "EA"})
	})
}

func facts(f ...proto.Message) store.Decision[proto.Message] {
	return store.Decision[proto.Message]{Facts: f}
}

// ReserveStock makes claims.
func (i *inventory) ReserveStock(ctx context.Context, r *im.ReserveStockRequest) (*im.ReserveStockResponse, error) {
	resp := &im.ReserveStockResponse{}
	for n, c := range r.GetClaims() {
		g := &im.ReserveStockResponse_Grant{ClaimKey: c.GetClaimKey()}
		resp.Grants = append(resp.Grants, g)
		switch how := i.how(c.GetItemId()); how {
		case "":
		case "down":
			return nil, unavailable()
		default:
			g.Refusal = &commonv1.Reason{Code: how}
			continue
		}
		receipt, err := i.on(store.WithItem(ctx, strconv.Itoa(n)), c.GetSite(), c.GetItemId(), func(s shelf, key *im.StockKey) (store.Decision[proto.Message], error) {
			return reserve(s, key, c, r.GetAllowPartial())
		})
		if f, ok := fault.As(err); ok && f.Kind == fault.Refused {
			g.Refusal = &commonv1.Reason{Code: f.Reason, Message: f.Message}
		} else if err != nil {
			return nil, err
		} else {
			g.Granted = &commonv1.Quantity{Value: receipt.Values["granted"], Unit: c.GetQuantity().GetUnit()}
		}
	}
	return resp, nil
}

func reserve(s shelf, key *im.StockKey, c *im.StockClaim, partial bool) (store.Decision[proto.Message], error) {
	wanted, free := quantity.MustParse(c.GetQuantity().GetValue()), s.free()
	switch {
	case slices.Contains(s.Closed, c.GetClaimKey()):
		return facts(), fault.New(fault.Refused, "CLAIM_CLOSED", "closed")
	case free.Sign() <= 0 || free.Less(wanted) && !partial:
		return facts(), fault.New(fault.Refused, "INSUFFICIENT_STOCK", "%s are free", free)
	}
	q := quantity.Min(wanted, free).String()
	d := facts(&im.StockReserved{Stock: key, ClaimKey: c.GetClaimKey(), Quantity: q})
	d.Values = map[string]string{"granted": q}
	return d, nil
}

// ReleaseReservations closes claims.
func (i *inventory) ReleaseReservations(ctx context.Context, r *im.ReleaseReservationsRequest) (*im.ReleaseReservationsResponse, error) {
	resp := &im.ReleaseReservationsResponse{}
	for n, c := range r.GetClaims() {
		receipt, err := i.on(store.WithItem(ctx, strconv.Itoa(n)), c.GetSite(), c.GetItemId(), func(s shelf, key *im.StockKey) (store.Decision[proto.Message], error) {
			if slices.Contains(s.Closed, c.GetClaimKey()) {
				return facts(), nil
			}
			return facts(&im.ReservationReleased{Stock: key, ClaimKey: c.GetClaimKey(), Quantity: s.Claims[c.GetClaimKey()].String()}), nil
		})
		if err != nil {
			return nil, err
		}
		resp.Receipts = append(resp.Receipts, protovalue.Receipt(receipt))
	}
	return resp, nil
}

// GetAvailability says what could be promised.
func (i *inventory) GetAvailability(ctx context.Context, r *im.GetAvailabilityRequest) (*im.GetAvailabilityResponse, error) {
	resp := &im.GetAvailabilityResponse{}
	for _, p := range r.GetPlaces() {
		if i.how(p.GetItemId()) == "down" {
			return nil, unavailable()
		}
		v, err := i.stocks.Get(ctx, stockID(store.CauseOf(ctx).Tenant, p.GetSite(), p.GetItemId()))
		if fault.IsKind(err, fault.NotFound) {
			continue
		} else if err != nil {
			return nil, err
		}
		resp.Availabilities = append(resp.Availabilities, &im.Availability{
			Site: p.GetSite(), ItemId: p.GetItemId(), AvailableToPromise: ea(i.seen(p.GetSite(), p.GetItemId(), v.State.free())),
		})
	}
	return resp, nil
}

func ea(q quantity.Decimal) *commonv1.Quantity {
	return &commonv1.Quantity{Value: q.String(), Unit: "EA"}
}

func warehouseOrderID(tenant, release string) string {
	return ident.Derive("who", tenant, release, "1")
}

// execute takes a release: allocates its claims, one task a line.
func (i *inventory) execute(ctx context.Context, m *orderreleasev1.OrderReleased) error {
	id := warehouseOrderID(store.CauseOf(ctx).Tenant, m.GetReleaseId())
	keys := &im.WarehouseOrderKeys{WarehouseOrderId: id, OrderId: m.GetOrderId(), OrderNumber: m.GetOrderNumber(), ReleaseId: m.GetReleaseId(), ReleaseVersion: 1}
	created, allocated := &im.WarehouseOrderCreated{Keys: keys, Site: m.GetSite(), Owner: m.GetOwner()}, &im.WarehouseOrderAllocated{Keys: keys}
	for _, l := range m.GetLines() {
		created.Lines = append(created.Lines, &im.WarehouseOrderLineToShip{LineNumber: l.GetLineNumber(), ItemId: l.GetItemId(), Quantity: l.GetQuantity()})
		allocated.Tasks = append(allocated.Tasks, &im.PickTask{LineNumber: l.GetLineNumber(), Location: "BIN", Quantity: l.GetQuantity()})
		_, err := i.on(store.WithItem(ctx, strconv.Itoa(int(l.GetLineNumber()))), m.GetSite(), l.GetItemId(), func(s shelf, key *im.StockKey) (store.Decision[proto.Message], error) {
			f := &im.StockAllocated{Stock: key, WarehouseOrderId: id, LineNumber: l.GetLineNumber()}
			for _, c := range l.GetClaims() {
				if s.Claims[c.GetClaimKey()].Less(quantity.MustParse(c.GetQuantity())) {
					return facts(), fault.New(fault.Invalid, "CLAIM_EMPTY", "claim %s holds %s", c.GetClaimKey(), s.Claims[c.GetClaimKey()])
				}
				f.Claims = append(f.Claims, &im.ClaimUse{ClaimKey: c.GetClaimKey(), Quantity: c.GetQuantity()})
			}
			return facts(f), nil
		})
		if err != nil {
			return err
		}
	}
	_, err := i.orders.Update(ctx, id, func(store.Current[task]) (store.Decision[proto.Message], error) {
		return facts(created, allocated), nil
	})
	return err
}

// cancel cancels a warehouse order of which nothing is picked.
func (i *inventory) cancel(ctx context.Context, m *orderreleasev1.CancelRequested) error {
	id := warehouseOrderID(store.CauseOf(ctx).Tenant, m.GetReleaseId())
	var w task
	_, err := i.orders.Update(ctx, id, func(c store.Current[task]) (store.Decision[proto.Message], error) {
		if w = c.State; len(w.Picked) > 0 {
			return facts(&im.WarehouseOrderCancelRefused{Keys: w.keys(), Reason: "PICKING_BEGUN"}), nil
		}
		return facts(&im.WarehouseOrderCancelled{Keys: w.keys(), Reason: m.GetReason()}), nil
	})
	if err != nil || len(w.Picked) > 0 {
		return err
	}
	for line, place := range w.Stocks {
		site, item := cutPlace(place)
		_, err := i.on(store.WithItem(ctx, line), site, item, func(_ shelf, key *im.StockKey) (store.Decision[proto.Message], error) {
			return facts(&im.AllocationFreed{Stock: key, WarehouseOrderId: id, Quantity: w.Open[line].String()}), nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// receive puts pieces into the bin.
func (i *inventory) receive(t testing.TB, tenant, site, item string, n int) {
	t.Helper()
	_, err := i.on(command(t, tenant), site, item, func(_ shelf, key *im.StockKey) (store.Decision[proto.Message], error) {
		return facts(&im.StockMoved{
			Stock: key, Type: im.MovementType_MOVEMENT_TYPE_RECEIPT, Quantity: strconv.Itoa(n),
			From: &im.Place{Location: "SUPPLIER", Status: im.StockStatus_STOCK_STATUS_AVAILABLE},
			To:   &im.Place{Location: "BIN", Status: im.StockStatus_STOCK_STATUS_AVAILABLE},
		}), nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
