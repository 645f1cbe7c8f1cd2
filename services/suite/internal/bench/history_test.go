package bench

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/clock"
	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	controltowerv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/controltower/v1"
	freightsettlementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/freightsettlement/v1"
	inventorymovementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	orderreleasev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	shipmentvisibilityv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/shipmentvisibility/v1"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/lifecycle"
)

// Seeded orders have the form of walked ones, are read like them, whether by snapshot or from
// their commits alone, are told by the tower like them, and stand in nobody's way.
func TestSeededOrders(t *testing.T) {
	if testing.Short() {
		t.Skip("walks ten orders on a whole suite, one after another")
	}
	uri := testkit.Mongo(t)
	client, err := mongo.Connect(options.Client().ApplyURI(uri))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Disconnect(context.Background()) })
	ctx := t.Context()
	from, to := testkit.Database(t, uri)+"_", testkit.Database(t, uri)+"_"
	walked, err := walkFinished(ctx, uri, client, from)
	if err != nil {
		t.Fatal(err)
	}
	if err := seed(ctx, uri, to, walked, copied); err != nil {
		t.Fatal(err)
	}
	before, after := stored(t, client, from), stored(t, client, to)
	for n, f := range walked {
		c := copyOf(t, f, n)
		after.without(t, c.walked)
		want, got := before.forms(t, f, strings.NewReplacer()), after.forms(t, c.finished, c.back)
		if diff := cmp.Diff(want, got); diff != "" || len(want) < 50 {
			t.Errorf("order %d left %d documents: -walked +seeded\n%s", n, len(want), diff)
		}
	}
	for _, p := range copyOf(t, walked[0], 0).pasts { // it has to be read from its commits
		db := to + strings.ReplaceAll(p.service, "-", "_")
		got, err := client.Database(db).Collection("state_"+p.kind).DeleteOne(ctx, bson.D{{Key: "_id", Value: tenantOf(ctx) + "/" + p.ID}})
		if err != nil || got.DeletedCount != 1 {
			t.Fatal(got, err)
		}
	}
	e, err := onPrefix(ctx, "seeded", uri, client, to)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.close() })
	quiet(t, e)
	for n, f := range walked {
		c := copyOf(t, f, n)
		if n < 2 {
			read(t, e, c.finished)
		}
		tell(t, e, c)
	}
	repeat(t, e, copyOf(t, walked[3], 3).finished)
	d := &lifecycle.Driver{Dial: e.grpc().dial, Now: clock.System{}.Now}
	if err := d.Walk(ctx, "W000000001", wide(3)); err != nil {
		t.Error(err)
	}
}

func tenantOf(ctx context.Context) string { return store.CauseOf(asTenant(ctx)).Tenant }

// seededCopy is a copy under its own names, which back replaces by those of the walked order.
type seededCopy struct {
	*finished
	of     *finished
	back   *strings.Replacer
	walked []string
}

func copyOf(t *testing.T, f *finished, n int) (c seededCopy) {
	t.Helper()
	names, err := f.names(n)
	if err != nil {
		t.Fatal(err)
	}
	for pair := range slices.Chunk(names, 2) {
		c.walked = append(c.walked, pair[0])
	}
	there := strings.NewReplacer(names...)
	slices.Reverse(names)
	c.of, c.back, c.finished = f, strings.NewReplacer(names...), &finished{number: there.Replace(f.number)}
	for _, code := range f.cartons {
		c.cartons = append(c.cartons, there.Replace(code))
	}
	for _, p := range f.pasts {
		p.ID = there.Replace(p.ID)
		c.pasts = append(c.pasts, p)
	}
	return c
}

// document is a stored document.
type document struct {
	db, collection string // the database without its prefix
	raw            bson.Raw
}

type everything []document

// stored reads all commits, snapshots and rows.
func stored(t *testing.T, client *mongo.Client, prefix string) (out everything) {
	t.Helper()
	dbs, err := client.ListDatabaseNames(t.Context(), bson.D{{Key: "name", Value: bson.D{{Key: "$regex", Value: "^" + prefix}}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, db := range dbs {
		collections, err := client.Database(db).ListCollectionNames(t.Context(), bson.D{})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range collections {
			cursor, err := client.Database(db).Collection(c).Find(t.Context(), bson.D{})
			if err != nil {
				t.Fatal(err)
			}
			for cursor.Next(t.Context()) {
				out = append(out, document{strings.TrimPrefix(db, prefix), c, bytes.Clone(cursor.Current)})
			}
			if err := cursor.Err(); err != nil {
				t.Fatal(err)
			}
		}
	}
	return out
}

// without checks that no document names what was walked.
func (ds everything) without(t *testing.T, names []string) {
	t.Helper()
	for _, d := range ds {
		for _, name := range names {
			if bytes.Contains(d.raw, []byte(name)) {
				t.Errorf("seeded %s/%s names %s: %s", d.db, d.collection, name, d.raw.Lookup("_id"))
			}
		}
	}
}

// forms renders all that an order left: commits and snapshots of its aggregates, and all rows
// that name it but the tower's rows of facts, which hold those of several orders where there
// are many: what these tell is compared as told.
func (ds everything) forms(t *testing.T, f *finished, back *strings.Replacer) (out []string) {
	t.Helper()
	mine := slices.Concat(f.ids(), f.cartons, []string{f.number})
	for _, d := range ds {
		id, _ := d.raw.Lookup("_id").StringValueOK()
		_, own, _ := strings.Cut(id, "/")
		switch {
		case d.collection == "commits" || strings.HasPrefix(d.collection, "state_"):
			own, _, _ = strings.Cut(own, "/")
			if !slices.Contains(f.ids(), own) {
				continue
			}
			receipts(t, d)
		case !strings.HasPrefix(d.collection, "rows_") || strings.HasPrefix(own, "f/"):
			continue
		case !slices.ContainsFunc(mine, func(name string) bool { return bytes.Contains(d.raw, []byte(name)) }):
			continue
		}
		out = append(out, d.db+"/"+d.collection+form("", bson.RawValue{Type: bson.TypeEmbeddedDocument, Value: d.raw}, back))
	}
	slices.Sort(out)
	return out
}

// hashes are the fields that are made of names or of other bytes: only their size is a form's.
var hashes = []string{".p", ".c[]", ".r[].h", ".rc", ".rd"}

// form renders a value with everything within it, under the names of the walked order.
func form(path string, v bson.RawValue, back *strings.Replacer) string {
	line := func(value any) string { return fmt.Sprintf("\n  %s %s %v", path, v.Type, value) }
	switch v.Type {
	case bson.TypeEmbeddedDocument, bson.TypeArray:
		elements, _ := bson.Raw(v.Value).Elements()
		within := make([]string, len(elements))
		for i, e := range elements {
			name := path + "." + e.Key()
			if v.Type == bson.TypeArray {
				name = path + "[]"
			}
			within[i] = form(name, e.Value(), back)
		}
		if path == ".x" { // index keys: a map
			slices.Sort(within)
		}
		return line(len(elements)) + strings.Join(within, "")
	case bson.TypeString:
		text := v.StringValue()
		if i := strings.LastIndex(text, "|"); path == "._id" && i > 0 { // a number's row ends with it in base64
			return line(back.Replace(text[:i]) + fmt.Sprint(" and ", len(text)-i))
		}
		return line(back.Replace(text))
	case bson.TypeBinary:
		_, data := v.Binary()
		if slices.Contains(hashes, path) {
			return line(len(data))
		}
		return line(fmt.Sprintf("%q", back.Replace(string(data))))
	}
	if slices.Contains(hashes, path) {
		return line("")
	}
	return line(v)
}

// receipts checks that those of a commit are found under their keys.
func receipts(t *testing.T, d document) {
	t.Helper()
	var c struct {
		Receipts []struct {
			Hash      bson.Binary `bson:"h"`
			Key       string      `bson:"k"`
			Derived   bool        `bson:"d"`
			Principal string      `bson:"pr"`
		} `bson:"r"`
		Causes []bson.Binary `bson:"c"`
	}
	if d.collection != "commits" {
		return
	}
	if err := bson.Unmarshal(d.raw, &c); err != nil || len(c.Causes) != len(c.Receipts) {
		t.Fatalf("%v, %d receipts under %d hashes", err, len(c.Receipts), len(c.Causes))
	}
	for i, r := range c.Receipts {
		scope := "c\x00" + r.Principal + "\x00" + r.Key
		if r.Derived {
			scope = "d\x00" + r.Key
		}
		if sum := sha256.Sum256([]byte(scope)); !bytes.Equal(sum[:16], r.Hash.Data) || !bytes.Equal(sum[:16], c.Causes[i].Data) {
			t.Errorf("the receipt of %q is not found under its key", r.Key)
		}
	}
}

// quiet waits until consumers are, and checks that nothing seeded was relayed: the tower has
// heard of the rate card and of goods received, but of no order yet.
func quiet(t *testing.T, e *running) {
	t.Helper()
	lags, err := e.quiet(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	heard := map[string]float64{}
	for consumer, h := range lags {
		if strings.HasPrefix(consumer, "trace-") {
			heard[consumer[len("trace-0-"):]] = h[math.Inf(1)]
		}
	}
	if diff := cmp.Diff(map[string]float64{"freight-settlement": 1, "inventory-movement": skus}, heard); diff != "" {
		t.Errorf("facts that the tower heard of each service: -want +got\n%s", diff)
	}
}

// read gets every aggregate of a finished order that the API shows.
func read(t *testing.T, e *running, of *finished) {
	t.Helper()
	ctx, dial := t.Context(), e.grpc().dial
	order, err := orderreleasev1.NewOrderReleaseServiceClient(dial("order-release")).GetOrder(ctx, &orderreleasev1.GetOrderRequest{OrderId: of.id("ord")})
	if err != nil || order.GetOrder().GetState() != orderreleasev1.OrderState_ORDER_STATE_CLOSED {
		t.Errorf("order %v, %v", order, err)
	}
	warehouse, err := inventorymovementv1.NewInventoryMovementServiceClient(dial("inventory-movement")).GetWarehouseOrder(ctx,
		&inventorymovementv1.GetWarehouseOrderRequest{WarehouseOrderId: of.id("who")})
	if err != nil || warehouse.GetWarehouseOrder().GetOrderId() != of.id("ord") {
		t.Errorf("warehouse order %v, %v", warehouse, err)
	}
	shipment, err := shipmentvisibilityv1.NewShipmentVisibilityServiceClient(dial("shipment-visibility")).GetShipment(ctx,
		&shipmentvisibilityv1.GetShipmentRequest{ShipmentId: of.id("shp")})
	if err != nil || shipment.GetShipment().GetState() != shipmentvisibilityv1.ShipmentState_SHIPMENT_STATE_CLOSED {
		t.Errorf("shipment %v, %v", shipment, err)
	}
	freights := freightsettlementv1.NewFreightSettlementServiceClient(dial("freight-settlement"))
	freight, err := freights.GetFreight(ctx, &freightsettlementv1.GetFreightRequest{FreightId: of.id("frt")})
	if err != nil || freight.GetFreight().GetState() != freightsettlementv1.FreightState_FREIGHT_STATE_SETTLED {
		t.Errorf("freight %v, %v", freight, err)
	}
	invoice, err := freights.GetFreightInvoice(ctx, &freightsettlementv1.GetFreightInvoiceRequest{InvoiceId: of.id("inv")})
	if err != nil || invoice.GetInvoice().GetState() != freightsettlementv1.FreightInvoiceState_FREIGHT_INVOICE_STATE_PAID {
		t.Errorf("invoice %v, %v", invoice, err)
	}
}

// id returns the order's aggregate of a kind.
func (f *finished) id(prefix string) string {
	return f.ids()[slices.IndexFunc(f.ids(), func(id string) bool { return strings.HasPrefix(id, prefix+"_") })]
}

// tell has the tower tell the stories of a seeded order and of the walked one: they are the same.
func tell(t *testing.T, e *running, c seededCopy) {
	t.Helper()
	got, err := e.trace(t.Context(), c.number)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(lines(t, c.of.story, strings.NewReplacer()), lines(t, got.story, c.back)); diff != "" {
		t.Errorf("the story of %s: -walked +seeded\n%s", c.number, diff)
	}
}

// ofStock is the event id of a fact of a stock, of which copies are later ones.
var ofStock = regexp.MustCompile(`(stk_[a-z2-7]{26}):[0-9]+:`)

// lines renders a story; what is as near or happened at once has no order.
func lines(t *testing.T, story *controltowerv1.TraceResponse, back *strings.Replacer) (out []string) {
	t.Helper()
	add := func(m proto.Message) {
		text, err := protojson.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, ofStock.ReplaceAllString(strings.ReplaceAll(back.Replace(string(text)), ": ", ":"), "$1"))
	}
	for _, k := range story.GetKeys() {
		add(k)
	}
	for _, n := range story.GetNodes() {
		add(n)
	}
	for _, e := range story.GetEdges() {
		add(e)
	}
	for _, s := range story.GetSteps() {
		add(s)
	}
	slices.Sort(out)
	return out
}

// repeat sends a command of a seeded order again: its receipt is found under the client's key,
// and tells that the request is another, for its fingerprint is that of the walked order's.
func repeat(t *testing.T, e *running, f *finished) {
	t.Helper()
	for key, want := range map[string]fault.Kind{"walk:" + f.number + ":CloseOrder": fault.KeyReused, "another-key": fault.Refused} {
		ctx := metadata.AppendToOutgoingContext(t.Context(), guard.MetaKey, key)
		_, err := orderreleasev1.NewOrderReleaseServiceClient(e.grpc().dial("order-release")).CloseOrder(ctx, &orderreleasev1.CloseOrderRequest{OrderId: f.id("ord")})
		if !fault.IsKind(err, want) {
			t.Errorf("closed again under %s: %v", key, err)
		}
	}
}
