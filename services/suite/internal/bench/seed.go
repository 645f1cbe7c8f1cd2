package bench

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"

	"github.com/lockstep-logistics/lockstep/libs/bus"
	"github.com/lockstep-logistics/lockstep/libs/clock"
	"github.com/lockstep-logistics/lockstep/libs/host"
	"github.com/lockstep-logistics/lockstep/libs/store"
	controltower "github.com/lockstep-logistics/lockstep/services/control-tower"
	freightsettlement "github.com/lockstep-logistics/lockstep/services/freight-settlement"
	inventorymovement "github.com/lockstep-logistics/lockstep/services/inventory-movement"
	orderrelease "github.com/lockstep-logistics/lockstep/services/order-release"
	"github.com/lockstep-logistics/lockstep/services/returns"
	shipmentvisibility "github.com/lockstep-logistics/lockstep/services/shipment-visibility"
)

// keepers declare to a database what their service keeps in it.
var keepers = map[string]func(host.Deps) (*host.Service, error){
	orderrelease.Name:       keeper(orderrelease.Defaults(), orderrelease.New),
	inventorymovement.Name:  keeper(inventorymovement.Defaults(), inventorymovement.New),
	shipmentvisibility.Name: keeper(shipmentvisibility.Defaults(), shipmentvisibility.New),
	freightsettlement.Name:  keeper(freightsettlement.Defaults(), freightsettlement.New),
	returns.Name:            keeper(returns.Defaults(), returns.New),
	controltower.Name:       keeper(controltower.Defaults(), controltower.New),
}

func keeper[C any](cfg C, build func(C, host.Deps) (*host.Service, error)) func(host.Deps) (*host.Service, error) {
	return func(d host.Deps) (*host.Service, error) { return build(cfg, d) }
}

// databases are those of the services that keep something of an order, while none runs.
type databases struct {
	of    map[string]*store.DB
	tower map[string]bus.Consumer // the tower's recorder of each service's facts
}

func open(ctx context.Context, uri, prefix string) (*databases, error) {
	out := &databases{map[string]*store.DB{}, map[string]bus.Consumer{}}
	log := slog.New(slog.DiscardHandler)
	for name, declare := range keepers {
		db, err := store.Open(ctx, store.Config{URI: uri, Database: prefix + strings.ReplaceAll(name, "-", "_")}, store.Options{Log: log})
		if err != nil {
			return nil, errors.Join(err, out.close(ctx))
		}
		out.of[name] = db
		// What it would serve is not run, so it calls nobody.
		nowhere := func(string) grpc.ClientConnInterface { return nil }
		service, err := declare(host.Deps{Log: log, Clock: clock.System{}, Store: db, Dial: nowhere})
		if err != nil {
			return nil, errors.Join(err, out.close(ctx))
		}
		if name == controltower.Name {
			for _, c := range service.Consumers {
				out.tower[c.From] = c
			}
		}
	}
	return out, nil
}

func (d *databases) close(ctx context.Context) error {
	var errs []error
	for _, db := range d.of {
		errs = append(errs, db.Close(context.WithoutCancel(ctx)))
	}
	return errors.Join(errs...)
}

// applied is the bus's table of how far the tower has recorded each aggregate.
func (d *databases) applied() store.Rows { return d.of[controltower.Name].Table("bus_applied") }

// How much is done at once. That many facts keep the tower's writes full, as under load.
const (
	atOnce  = 1000
	telling = 512
)

// seed brings copies of finished orders, in turns, into databases that no suite has opened yet.
// Histories are loaded; the tower records the facts of each; relays begin behind them, for
// everybody who would follow has them.
func seed(ctx context.Context, uri, prefix string, all []*finished, orders int) error {
	to, err := open(ctx, uri, prefix)
	if err != nil {
		return err
	}
	g, gctx := errgroup.WithContext(asTenant(ctx))
	for kind := range all[0].pasts {
		g.Go(func() error { return to.load(gctx, all, kind, orders) })
	}
	g.Go(func() error { return to.tell(gctx, all, orders) })
	err = g.Wait()
	for _, db := range to.of {
		if err == nil {
			err = db.BeginHere(ctx)
		}
	}
	return errors.Join(err, to.close(ctx))
}

// load loads the histories of one kind.
func (d *databases) load(ctx context.Context, all []*finished, kind, orders int) error {
	pasts := make([]store.Past[store.RawFact], 0, atOnce)
	for n := range orders {
		of := all[n%len(all)]
		names, err := of.names(n)
		if err != nil {
			return err
		}
		if pasts = append(pasts, of.pasts[kind].copied(strings.NewReplacer(names...))); len(pasts) < atOnce && n < orders-1 {
			continue
		}
		if err := d.of[of.pasts[kind].service].Load(ctx, of.pasts[kind].kind, pasts); err != nil {
			return err
		}
		pasts = pasts[:0]
	}
	return nil
}

// tell has the tower record the facts of every order, and then how far that is.
func (d *databases) tell(ctx context.Context, all []*finished, orders int) error {
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(telling)
	var applied []store.Row
	for n := range orders {
		of := all[n%len(all)]
		list, err := of.names(n)
		if err != nil {
			return errors.Join(err, g.Wait())
		}
		names := strings.NewReplacer(list...)
		for _, f := range of.facts {
			g.Go(func() error { return d.tower[f.Service].Handle(gctx, copiedFact(f, names, n)) })
		}
		for _, r := range of.applied {
			r.ID = names.Replace(r.ID)
			applied = append(applied, r)
		}
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for rows := range slices.Chunk(applied, atOnce) {
		if err := d.applied().Put(ctx, rows...); err != nil {
			return err
		}
	}
	return nil
}
