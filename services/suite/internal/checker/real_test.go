package checker

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"google.golang.org/grpc"

	"github.com/lockstep-logistics/lockstep/libs/clock"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	imv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	orv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	retv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/returns/v1"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/campaign/scripts"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/fleet"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/history"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/lifecycle"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/rest"
)

const within = 4 * time.Minute

// start runs the suite as a process on servers of this machine.
func start(t *testing.T) (*fleet.Fleet, Suite) {
	t.Helper()
	bin := t.TempDir()
	if err := fleet.Build(t.Context(), testkit.Root(), bin, "", "./services/suite/cmd/lockstep"); err != nil {
		t.Fatal(err)
	}
	uri := testkit.Mongo(t)
	prefix := testkit.Database(t, uri) + "_"
	f, err := fleet.NewWhole(bin, t.TempDir(), &fleet.Servers{Mongo: uri, Prefix: prefix, NATS: testkit.StartNATS(t).URL(), Redis: testkit.Redis(t)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	t.Cleanup(f.Kill)
	if err := f.Start(ctx); err != nil {
		t.Fatal(err)
	}
	client, err := mongo.Connect(options.Client().ApplyURI(uri))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Disconnect(context.WithoutCancel(t.Context())) })
	api := func(tenant string) grpc.ClientConnInterface {
		token, err := f.Token(guard.AdminCaller(tenant))
		if err != nil {
			t.Fatal(err)
		}
		return &rest.Conn{Base: f.URL, Token: token, HTTP: &http.Client{Timeout: time.Minute}}
	}
	return f, Suite{Client: client, Prefix: prefix, API: api}
}

// ways are a straight order, what pickers do not find, and what becomes of what comes back.
var ways = []lifecycle.Way{
	{},
	{Short: lifecycle.Short{Reason: imv1.ShortReason_SHORT_REASON_MISSING}, Back: back(retv1.Disposition_DISPOSITION_RESTOCK)},
	{Short: lifecycle.Short{Reason: imv1.ShortReason_SHORT_REASON_DAMAGED, Cancel: true}, Back: back(retv1.Disposition_DISPOSITION_QUARANTINE)},
	{Back: lifecycle.Back{Any: true, Decide: true, Last: retv1.Disposition_DISPOSITION_SCRAP}},
	{Back: back(retv1.Disposition_DISPOSITION_BACK_TO_CUSTOMER)},
	{Back: back(retv1.Disposition_DISPOSITION_UNSPECIFIED)},
}

// turns are orders that are held and stopped, held too late, put back, not cancelled after all, and
// promised of what comes late and short.
var turns = []scripts.Script{
	{Kind: scripts.Held},
	{Kind: scripts.Held, Begun: true, Other: true},
	{Kind: scripts.PutBack, Begun: true},
	{Kind: scripts.PutBack, Other: true},
	{Kind: scripts.Inbound, Begun: true, Other: true},
}

// asked is how many aggregates can be asked for after a load: of each tenant six orders with
// what can be returned of them, seven releases on their way, and five returns; then five orders, four
// of them with what can be returned, six releases with their shipments, and a delivery.
const asked = 2 * (2*6 + 4*7 + 5 + 5 + 4 + 2*6 + 1)

func back(last retv1.Disposition) lifecycle.Back { return lifecycle.Back{Any: true, Last: last} }

// load walks orders of two tenants and lets clients of one fight; it returns what they were answered.
func load(t *testing.T, s Suite) []*history.Entry {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	file := filepath.Join(t.TempDir(), "history")
	log, err := history.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for n, tenant := range []string{testkit.Name("t"), testkit.Name("t")} {
		conn := func(client int) grpc.ClientConnInterface {
			return &history.Conn{API: s.API(tenant).(*rest.Conn), Log: log, Client: client, Tenant: tenant, Principal: guard.AdminCaller(tenant).Principal}
		}
		d := &lifecycle.Driver{Dial: func(string) grpc.ClientConnInterface { return conn(n) }, Now: clock.System{}.Now}
		if err := d.Setup(ctx, 3, 100); err != nil {
			t.Fatal(err)
		}
		for o, way := range ways {
			all.Go(func() {
				lines := []lifecycle.Line{{SKU: lifecycle.SKU(o % 3), Quantity: 3}, {SKU: lifecycle.SKU((o + 1) % 3), Quantity: 2}}
				if err := d.WalkBy(ctx, fmt.Sprintf("SO-%d", o), lines, way); err != nil {
					t.Error(err)
				}
			})
		}
		by := scripts.Client{Conn: conn(n), Now: clock.System{}.Now, Item: "OWN"}
		if err := by.Supply(ctx, "own"); err != nil {
			t.Fatal(err)
		}
		for o, turn := range turns {
			all.Go(func() {
				lines := []lifecycle.Line{{SKU: lifecycle.SKU(o % 3), Quantity: 3}, {SKU: lifecycle.SKU((o + 1) % 3), Quantity: 2}}
				if turn.Kind == scripts.Inbound {
					lines[0].Quantity = 1 // all that comes goes at once
				}
				if err := by.Run(ctx, fmt.Sprintf("TO-%d", o), lines, turn); err != nil {
					t.Error(err)
				}
			})
		}
		if n == 0 {
			all.Go(func() {
				conns := []grpc.ClientConnInterface{conn(10), conn(11), conn(12), conn(13)}
				if err := Contend(ctx, conns, lifecycle.Site, "A", 12); err != nil {
					t.Error(err)
				}
			})
		}
	}
	all.Wait()
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	entries, err := history.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

// TestRealSuite: a suite that did what it should is found without fault; each kind of damage
// that a defect would leave behind is named by the invariant that it breaks.
func TestRealSuite(t *testing.T) {
	f, s := start(t)
	entries := load(t, s)
	if t.Failed() {
		return
	}
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	if still, err := Settle(ctx, s); err != nil || len(still) > 0 {
		t.Fatalf("the suite does not come to rest: %v %v", err, still)
	}
	r := verdict(t, s, entries)
	for _, v := range r.Violations {
		t.Errorf("a sound suite: %s", v)
	}
	refusals := map[string]int{}
	for _, e := range entries {
		refusals[e.Code]++
	}
	if refusals[keyReused] == 0 || refusals[insufficient] == 0 {
		t.Errorf("nobody fought: %v", refusals)
	}
	if r.Acknowledged < 100 || r.Facts < 200 || r.Asked != asked || r.Lost+r.Twice+r.NotApplied != 0 || len(r.Undecided) > 0 {
		t.Errorf("%+v", r)
	}
	t.Logf("%d commands acknowledged, %d commits, %d facts", r.Acknowledged, r.Commits, r.Facts)
	t.Run("answers", func(t *testing.T) { lies(t, s, entries) })
	if err := f.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	s.API = nil
	if t.Failed() {
		return
	}
	for _, d := range slices.Concat(damages, damagesOfReturns, damagesOfTurns) {
		t.Run(d.name, func(t *testing.T) { d.try(t, s, entries) })
	}
	t.Run("settle", func(t *testing.T) { neverSettles(t, s) })
	if again := verdict(t, s, entries); len(again.Violations) > 0 {
		t.Errorf("damage was left behind: %v", again.Violations)
	}
}

// neverSettles: a suite in which something is open is waited for, and what is open is told.
func neverSettles(t *testing.T, s Suite) {
	v := &vandal{t: t, s: s}
	defer v.undo()
	position := bson.D{{Key: "_id", Value: own + "/books"}}
	v.change(warehouse, "rows_bus_positions", position, func(bson.D) any { return nil })
	want := warehouse + ": the consumer books has not begun"
	for limit := 10 * lookEvery; ; limit *= 2 {
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		still, err := Settle(ctx, s)
		waited := ctx.Err() != nil
		cancel()
		if slices.Equal(still, []string{"nothing was seen"}) && limit < within { // a busy machine looks slowly
			continue
		}
		if err != nil || !slices.Equal(still, []string{want}) {
			t.Errorf("%q %v, want %q", still, err, want)
		}
		if !waited {
			t.Error("it did not wait")
		}
		return
	}
}

func verdict(t *testing.T, s Suite, entries []*history.Entry) *Report {
	t.Helper()
	r, err := Check(t.Context(), s, entries)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// liar changes answers on their way.
type liar struct {
	grpc.ClientConnInterface
	change func(reply any)
}

func (l liar) Invoke(ctx context.Context, method string, args, reply any, opts ...grpc.CallOption) error {
	err := l.ClientConnInterface.Invoke(ctx, method, args, reply, opts...)
	l.change(reply)
	return err
}

// lies: what the API answers is held against the facts.
func lies(t *testing.T, s Suite, entries []*history.Entry) {
	for _, c := range []struct {
		name, invariant string
		change          func(reply any)
	}{
		{"a row of a stock", "I2", func(reply any) {
			if m, ok := reply.(*imv1.GetStockResponse); ok {
				m.Stock.Rows[0].OnHand.Value += "1"
			}
		}},
		{"a row is missing", "I2", func(reply any) {
			if m, ok := reply.(*imv1.GetStockResponse); ok {
				m.Stock.Rows = m.Stock.Rows[1:]
			}
		}},
		{"what is promised", "I2", func(reply any) {
			if m, ok := reply.(*imv1.GetAvailabilityResponse); ok {
				m.Availabilities[0].Promised.Value = "1"
			}
		}},
		{"an order's state", "I7", func(reply any) {
			if m, ok := reply.(*orv1.GetOrderResponse); ok {
				m.Order.State = orv1.OrderState_ORDER_STATE_FULFILLED
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			lying := s
			lying.API = func(tenant string) grpc.ClientConnInterface { return liar{s.API(tenant), c.change} }
			found(t, verdict(t, lying, entries), c.invariant)
		})
	}
	for _, l := range lieOfEach {
		t.Run(l.name, func(t *testing.T) {
			lying := s
			lying.API = func(tenant string) grpc.ClientConnInterface { return liar{s.API(tenant), l.change} }
			found(t, verdict(t, lying, entries), "I7")
		})
	}
}

// found checks that exactly these invariants are named.
func found(t *testing.T, r *Report, invariants ...string) {
	t.Helper()
	got := map[string]bool{}
	for _, v := range r.Violations {
		got[v.Invariant] = true
	}
	for _, want := range invariants {
		want, maybe := strings.CutSuffix(want, "?")
		if !got[want] && !maybe {
			t.Errorf("%s is not named: %v", want, r.Violations)
		}
		delete(got, want)
	}
	for extra := range got {
		t.Errorf("%s is named: %v", extra, r.Violations)
	}
}
