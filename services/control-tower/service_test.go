package controltower_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/lockstep-logistics/lockstep/libs/bus"
	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/host"
	"github.com/lockstep-logistics/lockstep/libs/host/hosttest"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	controltowerv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/controltower/v1"
	controltower "github.com/lockstep-logistics/lockstep/services/control-tower"
	"github.com/lockstep-logistics/lockstep/services/control-tower/internal/storytest"
)

// within bounds how long something may take to happen on a loaded machine.
const within = time.Minute

func unit() *host.Unit {
	return host.Bind(controltower.Name, controltower.Defaults(), controltower.New)
}

// count is the state of a source's aggregate: how many facts it has.
type count struct {
	N int64 `bson:"n"`
}

type collection = *store.Collection[count, store.RawFact]

// source stands for a service that owns aggregates and publishes their facts through the
// real store and bus.
type source struct {
	name        string
	prefixes    map[string]string // aggregate type → id prefix
	collections atomic.Pointer[map[string]collection]
}

func (s *source) unit() *host.Unit {
	return host.Bind(s.name, noSettings{}, func(_ noSettings, d host.Deps) (*host.Service, error) {
		made := map[string]collection{}
		for name, prefix := range s.prefixes {
			made[name] = store.Register(d.Store, store.Type[count, store.RawFact]{
				Name: name, Prefix: prefix, Fold: 1,
				Evolve: func(c count, _ store.RawFact) count { c.N++; return c },
				Encode: func(f store.RawFact) (string, []byte, error) { return f.Type, f.Data, nil },
				Decode: func(name string, data []byte) (store.RawFact, error) {
					return store.RawFact{Type: name, Data: data}, nil
				},
			})
		}
		s.collections.Store(&made)
		return &host.Service{Register: func(grpc.ServiceRegistrar) {}}, nil
	})
}

type noSettings struct{}

func (noSettings) Validate() error { return nil }

// sources are all services whose facts the control tower takes.
type sources map[string]*source

func newSources() sources {
	out := sources{}
	for name, prefixes := range map[string]map[string]string{
		storytest.Orders:      {"order": "ord"},
		storytest.Inventory:   {"warehouse_order": "who", "stock": "stk"},
		storytest.Shipments:   {"shipment": "shp"},
		storytest.Freight:     {"freight": "frt", "freight_invoice": "inv"},
		storytest.Returns:     {"rma": "rma"},
		storytest.Integration: {"document": "doc"},
	} {
		out[name] = &source{name: name, prefixes: prefixes}
	}
	return out
}

func (s sources) units() []*host.Unit {
	var out []*host.Unit
	for _, source := range s {
		out = append(out, source.unit())
	}
	return out
}

// commit makes a commit as its service would.
func (s sources) commit(t *testing.T, tenant string, c storytest.Commit) {
	t.Helper()
	var facts []store.RawFact
	for _, m := range c.Facts {
		name, data, err := protovalue.Encode(m)
		if err != nil {
			t.Fatal(err)
		}
		facts = append(facts, store.RawFact{Type: name, Data: data})
	}
	s.commitRaw(t, tenant, c, facts...)
}

func (s sources) commitRaw(t *testing.T, tenant string, c storytest.Commit, facts ...store.RawFact) {
	t.Helper()
	ctx := store.WithCause(t.Context(), store.Cause{
		Tenant: tenant, Principal: "tester", Derived: true, Key: fmt.Sprintf("test:%s:%d", c.ID, c.Version), KeyTime: c.Recorded,
		Correlation: "story", Causation: c.Causation, Source: ident.SourceRef{MessageID: c.Message},
	})
	_, err := (*s[c.Service].collections.Load())[c.Type].Update(ctx, c.ID, func(store.Current[count]) (store.Decision[store.RawFact], error) {
		return store.Decision[store.RawFact]{Facts: facts}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func client(s *hosttest.Suite, role commonv1.Role) controltowerv1.ControlTowerServiceClient {
	return controltowerv1.NewControlTowerServiceClient(s.Client(controltower.Name, s.Caller(role)))
}

// told waits until the story of a key has as many facts, and returns it as it is once all of
// them are there: a trace reads key after key, while facts still arrive.
func told(t *testing.T, c controltowerv1.ControlTowerServiceClient, key string, facts int) *controltowerv1.TraceResponse {
	t.Helper()
	var got *controltowerv1.TraceResponse
	testkit.Eventually(t, within, func() (err error) {
		got, err = c.Trace(t.Context(), &controltowerv1.TraceRequest{Key: key})
		if err == nil && len(got.GetSteps()) != facts {
			err = fmt.Errorf("%s tells %d of %d facts", key, len(got.GetSteps()), facts)
		}
		return err
	})
	got, err := c.Trace(t.Context(), &controltowerv1.TraceRequest{Key: key})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// TestTheStoryOfAnOrder walks an order through the real store and bus of every source; an
// order number, an SSCC, a PRO number and an invoice number each lead to all of it, also
// after a restart and after the projection was dropped and built anew.
func TestTheStoryOfAnOrder(t *testing.T) {
	for _, engine := range hosttest.Engines {
		t.Run(engine, func(t *testing.T) {
			all := newSources()
			dropped := "" // tenant whose projection goes at the next start: a running one would store its positions again
			units := append(all.units(), host.Bind(controltower.Name, controltower.Defaults(),
				func(cfg controltower.Config, d host.Deps) (*host.Service, error) {
					if dropped != "" {
						drop(t, d.Store, dropped, "trace_2", "bus_applied", "bus_positions")
					}
					return controltower.New(cfg, d)
				}))
			s := hosttest.Serve(t, engine, units...)
			story := storytest.New(s.Tenant)
			story.Import("ORDERS-0815")
			n := story.Ship("4711")
			bill := story.Invoice("INV-1", n)
			story.Return(n)
			half := len(story.Commits) / 2
			for _, c := range story.Commits[:half] {
				all.commit(t, s.Tenant, c)
			}
			s.Restart(t)
			for _, c := range story.Commits[half:] {
				all.commit(t, s.Tenant, c)
			}
			c := client(s, commonv1.Role_ROLE_CUSTOMER_SERVICE)
			total := len(story.Envelopes())
			before := told(t, c, n.Number, total)
			for _, key := range []string{n.SSCC, n.PRO, bill.Number, bill.Voucher, n.RMANumber, n.Shipment, "ORDERS-0815"} {
				got := told(t, c, key, total)
				if diff := cmp.Diff(before.GetSteps(), got.GetSteps(), protocmp.Transform()); diff != "" {
					t.Errorf("%s tells another story than %s: %s", key, n.Number, diff)
				}
			}
			keys, err := c.SearchKeys(t.Context(), &controltowerv1.SearchKeysRequest{Prefix: "pro-47"})
			if err != nil || len(keys.GetKeys()) != 1 || keys.GetKeys()[0].GetValue() != n.PRO {
				t.Errorf("search: %v, %v", keys, err)
			}
			foreign(t, s, n)
			dropped = s.Tenant
			s.Restart(t)
			after := told(t, c, n.Number, total)
			if diff := cmp.Diff(before, after, protocmp.Transform()); diff != "" {
				t.Errorf("built anew it tells another story: %s", diff)
			}
		})
	}
}

// foreign: another tenant sees nothing, and cannot tell it from what does not exist.
func foreign(t *testing.T, s *hosttest.Suite, n storytest.Names) {
	t.Helper()
	who := s.Caller(commonv1.Role_ROLE_TENANT_ADMIN)
	who.Tenant = testkit.Name("other")
	c := controltowerv1.NewControlTowerServiceClient(s.Client(controltower.Name, who))
	_, theirs := c.Trace(t.Context(), &controltowerv1.TraceRequest{Key: n.Number})
	_, none := c.Trace(t.Context(), &controltowerv1.TraceRequest{Key: "nowhere"})
	if !fault.IsKind(theirs, fault.NotFound) || theirs.Error() != none.Error() {
		t.Errorf("another's key: %v; an unknown one: %v", theirs, none)
	}
	keys, err := c.SearchKeys(t.Context(), &controltowerv1.SearchKeysRequest{Prefix: "pro-47"})
	if err != nil || len(keys.GetKeys()) != 0 {
		t.Errorf("another tenant finds %v, %v", keys, err)
	}
}

// drop deletes the projection and what the recorders have reached.
func drop(t *testing.T, db *store.DB, tenant string, tables ...string) {
	t.Helper()
	for _, name := range tables {
		for _, owner := range []string{tenant, "_bus"} {
			rows := db.Table(name)
			for {
				page, err := rows.List(t.Context(), owner, "", "", "", 500)
				if err != nil {
					t.Fatal(err)
				}
				if len(page) == 0 {
					break
				}
				var ids []string
				for _, row := range page {
					ids = append(ids, row.ID)
				}
				if err := rows.Delete(t.Context(), owner, ids...); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// TestUnknownFactIsAnOpaqueStep: a fact of a type that this release does not know, from a newer
// service, is told in its place by what its envelope says; it is no dead letter, and what
// comes behind it in its aggregate is told whole.
func TestUnknownFactIsAnOpaqueStep(t *testing.T) {
	for _, engine := range hosttest.Engines {
		t.Run(engine, func(t *testing.T) {
			all := newSources()
			var letters *bus.DeadLetters
			units := append(all.units(), host.Bind(controltower.Name, controltower.Defaults(),
				func(cfg controltower.Config, d host.Deps) (*host.Service, error) {
					letters = d.Bus.DeadLetters()
					return controltower.New(cfg, d)
				}))
			s := hosttest.Serve(t, engine, units...)
			story := storytest.New(s.Tenant)
			n := storytest.Of(s.Tenant, "4711")
			unknown := storytest.Commit{Service: storytest.Shipments, Type: "shipment", ID: n.Shipment, Version: 1}
			all.commitRaw(t, s.Tenant, unknown, store.RawFact{Type: "lockstep.shipmentvisibility.v1.ShipmentBlessed", Data: []byte("later")})
			story.Ship("4711")
			for _, c := range story.Commits {
				if c.Service == storytest.Shipments {
					c.Version++ // behind the unknown fact
				}
				all.commit(t, s.Tenant, c)
			}
			got := told(t, client(s, commonv1.Role_ROLE_LOGISTICS), n.Number, len(story.Envelopes())+1)
			var opaque []*controltowerv1.TraceStep
			for _, step := range got.GetSteps() {
				if step.GetOpaque() {
					opaque = append(opaque, step)
				}
			}
			want := &controltowerv1.TraceStep{
				EventId: bus.EventID(n.Shipment, 1, 0), Type: "lockstep.shipmentvisibility.v1.ShipmentBlessed", Title: "Shipment blessed", Opaque: true,
				Source:    &controltowerv1.SourceAggregate{Service: storytest.Shipments, AggregateType: "shipment", AggregateId: n.Shipment},
				Principal: "tester", CorrelationId: "story",
				Keys: []*controltowerv1.BusinessKey{{Type: commonv1.BusinessKeyType_BUSINESS_KEY_TYPE_SHIPMENT, Value: n.Shipment}},
			}
			when := protocmp.IgnoreFields(&controltowerv1.TraceStep{}, "recorded_time")
			if diff := cmp.Diff([]*controltowerv1.TraceStep{want}, opaque, protocmp.Transform(), when); diff != "" || opaque[0].GetRecordedTime() == nil {
				t.Errorf("opaque steps: %s", diff)
			}
			if list, err := letters.List(t.Context(), s.Tenant, "", "", 10); err != nil || len(list) != 0 {
				t.Errorf("dead letters %+v, %v", list, err)
			}
		})
	}
}

// TestFieldsAreNamed: rules of the contract and of the search name the field.
func TestFieldsAreNamed(t *testing.T) {
	s := hosttest.Serve(t, "sqlite", unit()) // none of the sources is up: what is there is answered
	c := client(s, commonv1.Role_ROLE_FINANCE)
	_, noKey := c.Trace(t.Context(), &controltowerv1.TraceRequest{})
	_, noType := c.Trace(t.Context(), &controltowerv1.TraceRequest{Key: "x", Type: 99})
	_, short := c.SearchKeys(t.Context(), &controltowerv1.SearchKeysRequest{Prefix: "-a-"})
	_, page := c.SearchKeys(t.Context(), &controltowerv1.SearchKeysRequest{Prefix: "ab", PageSize: 201})
	_, token := c.SearchKeys(t.Context(), &controltowerv1.SearchKeysRequest{Prefix: "ab", PageToken: "!"})
	list := func(req *controltowerv1.ListHangingClaimsRequest) error {
		_, err := c.ListHangingClaims(t.Context(), req)
		return err
	}
	for _, tt := range []struct {
		field string
		err   error
	}{
		{"key", noKey},
		{"type", noType},
		{"prefix", short},
		{"page_size", page},
		{"page_token", token},
		{"older_than", list(&controltowerv1.ListHangingClaimsRequest{OlderThan: durationpb.New(-1)})},
		{"older_than", list(&controltowerv1.ListHangingClaimsRequest{OlderThan: durationpb.New(30*24*time.Hour + 1)})},
		{"page_size", list(&controltowerv1.ListHangingClaimsRequest{PageSize: 201})},
		{"page_token", list(&controltowerv1.ListHangingClaimsRequest{PageToken: "!"})},
		{"page_token", list(&controltowerv1.ListHangingClaimsRequest{PageToken: "ay9BQg"})}, // of a search
	} {
		f, ok := fault.As(tt.err)
		if !ok || f.Kind != fault.Invalid || len(f.Fields) != 1 || f.Fields[0].Path != tt.field {
			t.Errorf("%s: %v %+v", tt.field, tt.err, f)
		}
	}
	if _, err := c.Trace(t.Context(), &controltowerv1.TraceRequest{Key: "x"}); !fault.IsKind(err, fault.NotFound) {
		t.Errorf("an unknown key: %v", err)
	}
}

func TestAccess(t *testing.T) {
	hosttest.Serve(t, "sqlite", unit()).AccessMatrix(t, controltower.Name, "testdata/access.md")
}

func TestReadmeIsTrue(t *testing.T) {
	hosttest.ConfigTable(t, "README.md", unit())
}

func TestConfig(t *testing.T) {
	for name, change := range map[string]func(*controltower.Config){
		"no nodes":       func(c *controltower.Config) { c.Nodes = 9 },
		"too many nodes": func(c *controltower.Config) { c.Nodes = 501 },
		"no steps":       func(c *controltower.Config) { c.Steps = 99 },
		"too many steps": func(c *controltower.Config) { c.Steps = 2001 },
		"at once":        func(c *controltower.Config) { c.OlderThan = 0 },
		"too late":       func(c *controltower.Config) { c.OlderThan = 25 * time.Hour },
		"all the time":   func(c *controltower.Config) { c.Compare = time.Millisecond },
		"never":          func(c *controltower.Config) { c.Compare = 10_000 * time.Hour },
	} {
		cfg := controltower.Defaults()
		change(&cfg)
		if cfg.Validate() == nil {
			t.Errorf("%s: %+v is taken", name, cfg)
		}
	}
	if err := controltower.Defaults().Validate(); err != nil {
		t.Error(err)
	}
}
