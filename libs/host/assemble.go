package host

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"strings"
	"time"

	"google.golang.org/grpc"

	"github.com/lockstep-logistics/lockstep/libs/bus"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/store"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
)

// running is one service of the process with what runs it.
type running struct {
	service *Service
	log     *slog.Logger
	server  *server
	store   *store.DB // nil, as the bus, for a stateless unit
	bus     *bus.Bus
}

// openWithin bounds how long a database may take to open.
const openWithin = time.Minute

// assemble builds a unit's service on its own database, with its server and its bus.
func (h *Host) assemble(ctx context.Context, u *Unit) (*running, error) {
	log := h.tel.log.With("service", u.Name)
	issuer := h.keys.issuers[u.Name]
	deps := Deps{
		Log: log, Clock: h.parts.Clock, NATS: h.parts.NATS, Redis: h.parts.Redis,
		Dial: func(service string) grpc.ClientConnInterface { return h.wires.to(service, issuer) },
	}
	if !u.stateless {
		ctx, cancel := context.WithTimeout(ctx, openWithin)
		defer cancel()
		db, err := store.Open(ctx, store.Config{
			URI: h.cfg.Store.URI.Reveal(), Database: h.cfg.Store.Prefix + strings.ReplaceAll(u.Name, "-", "_"),
		}, store.Options{Clock: h.parts.Clock, Log: log, Monitor: h.parts.Writes})
		if err != nil {
			return nil, fmt.Errorf("store: %w", err)
		}
		h.closers = append(h.closers, db.Close)
		deps.Store = db
		if deps.Bus, err = h.newBus(u.Name, deps); err != nil {
			return nil, err
		}
	}
	s, err := u.build(deps)
	if err != nil {
		return nil, err
	}
	s.Name = u.Name
	r := &running{service: s, log: log, store: deps.Store, bus: deps.Bus}
	registers := []func(grpc.ServiceRegistrar){s.Register}
	if r.bus != nil {
		if err := r.bus.Add(s.Consumers...); err != nil {
			return nil, err
		}
		registers = append(registers, func(g grpc.ServiceRegistrar) { commonv1.RegisterFactsServiceServer(g, r.bus.Server()) },
			(&deadLetters{service: u.Name, letters: r.bus.DeadLetters(), log: log}).register)
	} else if len(s.Consumers) > 0 {
		return nil, errors.New("a stateless unit has no place to keep what its consumers have seen")
	}
	answers := &guard.Answers{Redis: h.parts.Redis, Timeout: h.cfg.Redis.Timeout, Keep: h.cfg.Redis.Keep}
	r.server, err = newServer(u.Name, r.bus.Here, h.cfg, h.tel, h.keys.verifier, answers, h.certs.server(), registers...)
	return r, err
}

func (h *Host) newBus(service string, d Deps) (*bus.Bus, error) {
	return bus.New(bus.Config{
		Service: service, DB: d.Store, NATS: d.NATS, Dial: d.Dial, Clock: d.Clock, Log: d.Log, Timing: h.parts.Bus,
		Stream: bus.Stream{Replicas: h.cfg.NATS.Replicas, MaxBytes: int64(h.cfg.NATS.StreamMiB) << 20},
		Prepare: func(ctx context.Context, f bus.Fact) context.Context {
			return guard.WithCaller(ctx, guard.ServiceCaller(service, f.Tenant))
		},
		Copied: h.ready.changed,
	})
}

// launch starts what a service runs: its server, bus, loops and front.
func (h *Host) launch(r *running) {
	door := h.wires.doors[r.service.Name]
	// A server ends when it is stopped, which comes after the doors are told to close.
	h.run(h.front, &h.works, r.service.Name+" server", func(context.Context) error { return r.server.grpc.Serve(door) })
	ctx := withLog(guard.WithCaller(h.work, guard.ServiceCaller(r.service.Name, "")), r.log)
	if r.bus != nil {
		h.run(ctx, &h.works, r.service.Name+" store", r.store.Watch)
		h.run(ctx, &h.works, r.service.Name+" bus", r.bus.Run)
	}
	for i, loop := range r.service.Loops {
		h.run(ctx, &h.works, fmt.Sprintf("%s loop %d", r.service.Name, i), loop)
	}
	if r.service.Front != nil {
		h.run(withLog(h.front, r.log), &h.fronts, r.service.Name+" front", r.service.Front)
	}
}

const pollEvery = time.Second

// poll keeps readiness up to date: at once when something is known to have changed, and every
// second, as a copy may have been made by another replica.
func (h *Host) poll() {
	var told map[string]string
	for tick := time.NewTicker(pollEvery); ; {
		why := map[string]string{}
		for _, r := range h.running {
			err := r.ready(h.work)
			if err != nil {
				why[r.service.Name] = err.Error()
			}
			r.server.setServing(err == nil && !h.ready.stopping.Load())
		}
		h.ready.waiting.Store(&why)
		if !maps.Equal(why, told) {
			h.tel.log.Info("readiness", "ready", len(why) == 0, "waiting", why)
			told = why
		}
		select {
		case <-h.work.Done():
			tick.Stop()
			return
		case <-h.ready.look:
		case <-tick.C:
		}
	}
}

// ready asks the store, the service and its bus.
func (r *running) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, pollEvery)
	defer cancel()
	if r.store != nil {
		if err := r.store.Ready(); err != nil {
			return err
		}
	}
	if r.service.Ready != nil {
		if err := r.service.Ready(ctx); err != nil {
			return err
		}
	}
	if r.bus != nil {
		return r.bus.Ready(ctx)
	}
	return nil
}

// openAdmin serves the admin port, if one is configured.
func (h *Host) openAdmin() error {
	if h.cfg.Listen.Admin == "" {
		return nil
	}
	var servers []*server
	for _, r := range h.running {
		servers = append(servers, r.server)
	}
	l, err := net.Listen("tcp", h.cfg.Listen.Admin)
	if err != nil {
		return err
	}
	h.admin = adminServer(h.tel, &h.ready, servers)
	h.closers = append(h.closers, func(context.Context) error { return h.admin.Close() })
	h.tel.log.Info("serving admin", "address", l.Addr().String())
	go func() { _ = h.admin.Serve(l) }() // ends with Close; without it the process still serves
	return nil
}
