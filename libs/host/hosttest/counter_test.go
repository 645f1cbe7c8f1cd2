package hosttest

import (
	"context"
	"errors"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/bus"
	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/host"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/store"
	probev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/probe/v1"
)

// counter is the smallest aggregate; added its only fact.
type counter struct {
	Value int64 `bson:"v"`
}

type added int64

type counters = store.Collection[counter, added]

func register(db *store.DB) *counters {
	return store.Register(db, store.Type[counter, added]{
		Name: "counter", Prefix: "cnt",
		Evolve: func(s counter, f added) counter { s.Value += int64(f); return s },
		Encode: func(f added) (string, []byte, error) {
			data, err := proto.Marshal(&probev1.Added{Amount: int64(f)})
			return "lockstep.probe.v1.Added", data, err
		},
		Decode: func(_ string, data []byte) (added, error) {
			var m probev1.Added
			err := proto.Unmarshal(data, &m)
			return added(m.Amount), err
		},
	})
}

// settings of the probe.
type settings struct {
	Most int64 `koanf:"most" doc:"The most that a counter may reach."`
}

func (s settings) Validate() error {
	if s.Most < 1 {
		return errors.New("most: must be at least 1")
	}
	return nil
}

// probe serves counters.
type probe struct {
	probev1.UnimplementedProbeServiceServer
	counters *counters
	most     int64
}

func newProbe(cfg settings, d host.Deps) (*host.Service, error) {
	p := &probe{counters: register(d.Store), most: cfg.Most}
	return &host.Service{Register: func(r grpc.ServiceRegistrar) { probev1.RegisterProbeServiceServer(r, p) }}, nil
}

func probeUnit() *host.Unit { return host.Bind("probe", settings{Most: 1000}, newProbe) }

func idOf(ctx context.Context, name string) string {
	return ident.Derive("cnt", store.CauseOf(ctx).Tenant, name)
}

func (p *probe) Add(ctx context.Context, req *probev1.AddRequest) (*probev1.AddResponse, error) {
	receipt, err := p.counters.Update(ctx, idOf(ctx, req.CounterId), func(c store.Current[counter]) (store.Decision[added], error) {
		if c.State.Value+req.Amount > p.most {
			return store.Decision[added]{}, fault.New(fault.Refused, "COUNTER_FULL", "the counter is full")
		}
		return store.Decision[added]{Facts: []added{added(req.Amount)}, Values: map[string]string{"a": "1", "b": "2"}}, nil
	})
	if err != nil {
		return nil, err
	}
	return &probev1.AddResponse{Receipt: guard.Receipt(ctx, receipt)}, nil
}

func (p *probe) GetCount(ctx context.Context, req *probev1.GetCountRequest) (*probev1.GetCountResponse, error) {
	v, err := p.counters.Get(ctx, idOf(ctx, req.CounterId))
	if err != nil {
		return nil, err
	}
	return &probev1.GetCountResponse{Value: v.State.Value, Etag: v.ETag}, nil
}

// newMirror follows the probe: what is added anywhere it adds, by a call, to the counter "sum".
func newMirror(_ settings, d host.Deps) (*host.Service, error) {
	register(d.Store)
	client := probev1.NewProbeServiceClient(d.Dial("probe"))
	return &host.Service{Consumers: []bus.Consumer{bus.Routes(bus.Reactor, "sum", "probe",
		bus.On(func(ctx context.Context, f bus.Fact, m *probev1.Added) error {
			if f.AggregateID == ident.Derive("cnt", f.Tenant, "sum") {
				return nil
			}
			_, err := client.Add(ctx, &probev1.AddRequest{CounterId: "sum", Amount: m.Amount})
			return err
		}),
	)}}, nil
}

func mirrorUnit() *host.Unit { return host.Bind("mirror", settings{Most: 1}, newMirror) }
