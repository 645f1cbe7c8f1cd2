// Package inventorymovement owns stock, the claims on it, and the warehouse's part of a
// release. It promises that every movement is double entry in one commit, that nothing is
// promised or allocated twice, and that what a warehouse reports is always booked.
package inventorymovement

import (
	"context"
	_ "time/tzdata" // sites have zones, wherever this runs

	"google.golang.org/grpc"

	"github.com/lockstep-logistics/lockstep/libs/authority/owners"
	"github.com/lockstep-logistics/lockstep/libs/host"
	"github.com/lockstep-logistics/lockstep/libs/store"
	inventorymovementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	operationsv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/operations/v1"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/adapter"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/app"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// Name is the service's name among the services.
const Name = "inventory-movement"

// New returns the service.
func New(cfg Config, d host.Deps) (*host.Service, error) {
	masterData := adapter.NewMasterData(d.Store)
	timetables := adapter.NewTimetables(d.Store)
	places := adapter.NewPlaces(d.Store, d.Dial("master-data"))
	reasons := adapter.NewReasons(d.Store)
	owned := owners.New(d.Store, d.Clock.Now)
	drift, err := adapter.NewDrift()
	if err != nil {
		return nil, err
	}
	conditions, err := adapter.NewPutawayConditions()
	if err != nil {
		return nil, err
	}
	shelves := adapter.NewShelves(d.Store)
	stocks := store.Register(d.Store, adapter.StockType())
	inbounds := store.Register(d.Store, adapter.InboundType())
	a := &app.App{
		Stocks: stocks,
		Ledger: stocks,
		Drift:  drift,
		Orders: store.Register(d.Store, adapter.OrderType()),
		SSCCs: app.NewSSCCs(
			store.Register(d.Store, adapter.NumbersType()), store.Register(d.Store, adapter.ForeignType()), int64(cfg.SSCCBlock),
		),
		Serials:    store.Register(d.Store, adapter.SerialType()),
		Inbounds:   inbounds,
		Clock:      d.Clock,
		Units:      store.Register(d.Store, adapter.UnitType()),
		Packing:    store.Register(d.Store, adapter.PackingType()),
		Waves:      store.Register(d.Store, adapter.WaveType()),
		Reference:  masterData,
		Places:     places,
		Reasons:    reasons,
		Owners:     owned,
		Parallel:   cfg.Parallel,
		Policies:   store.Register(d.Store, adapter.PolicyType()),
		Strategy:   domain.Strategy(cfg.Allocation),
		PackAudit:  domain.Tolerance{Grams: int64(cfg.PackAuditGrams), Percent: cfg.PackAuditPercent},
		Horizon:    cfg.Horizon,
		Timetables: timetables,
		Rates:      domain.Rates{Pick: cfg.PickLines, Pack: cfg.PackLines, Load: cfg.LoadOrders},
	}
	check := &app.Check{App: a, Snapshots: d.Store, AtOnce: cfg.VerifyAtOnce}
	inbound := &app.Inbound{App: a, Deliveries: inbounds, Tolerance: cfg.OverReceiptPercent, Putaways: app.Putaways{
		Rules: store.Register(d.Store, adapter.PutawayRulesType()), Plans: store.Register(d.Store, adapter.PutawayPlanType()),
		Conditions: conditions, Zones: places, Shelves: shelves,
	}}
	reconciliation := &app.Reconciliation{
		App: a, Snapshots: store.Register(d.Store, adapter.SnapshotType()), Rows: adapter.NewSnapshotRows(d.Store), Scan: stocks,
	}
	counting := &app.Counting{App: a, Counts: store.Register(d.Store, adapter.CountType()), Policies: store.Register(d.Store, adapter.CountPolicyType())}
	transfers := &app.Transfers{App: a, Transfers: store.Register(d.Store, adapter.TransferType())}
	return &host.Service{
		Name: Name,
		Register: func(r grpc.ServiceRegistrar) {
			inventorymovementv1.RegisterInventoryMovementServiceServer(r, &adapter.Server{App: a, Inbound: inbound, Reconciliation: reconciliation, Counting: counting, Transfers: transfers, Clock: d.Clock})
			operationsv1.RegisterOpenDocumentServiceServer(r, &adapter.OpenDocuments{App: a, Inbound: inbound})
		},
		Consumers: append(append(adapter.Consumers(a), adapter.ReversalConsumers(a)...), adapter.InboundConsumer(inbound), adapter.UnitConsumer(a), adapter.WaveConsumer(a), adapter.SnapshotConsumer(reconciliation), adapter.CountConsumer(counting), adapter.TransferConsumer(transfers), shelves.Consumer(), masterData.Follower(), places.Follower(), timetables.Follower(), reasons.Follower(), owned.Follower()),
		Loops: []func(context.Context) error{
			host.Every(cfg.VerifyEvery, check.Turn),
			host.Every(cfg.Sweep, func(ctx context.Context) error { return a.Sweep(ctx, d.Clock.Now()) }),
		},
	}, nil
}
