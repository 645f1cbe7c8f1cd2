package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/redis/go-redis/v9"
	"google.golang.org/grpc"

	"github.com/lockstep-logistics/lockstep/libs/bus"
	"github.com/lockstep-logistics/lockstep/libs/clock"
	"github.com/lockstep-logistics/lockstep/libs/faultpoint"
	"github.com/lockstep-logistics/lockstep/libs/guard"
)

// Parts are what a process brings along instead of having it connected by
// configuration: the embedded engines, a test's clock. Zero fields are filled in.
type Parts struct {
	Clock clock.Clock
	NATS  *nats.Conn
	Redis redis.UniversalClient
	Log   io.Writer  // where log lines go; nil: standard error
	Bus   bus.Timing // periods of the bus, for tests; zero: its defaults
	// Listen is where each of several services listens for other processes, by name, host:port;
	// one that is not there is served in memory. A single service listens at listen.grpc.
	Listen map[string]string
	// Writes is told of every journaled write of documents to a collection, for benchmarks.
	Writes func(collection string, documents int)
}

// Host is a running process: its services, their servers and buses, the admin port.
type Host struct {
	process string
	cfg     Config
	parts   Parts
	tel     *telemetry
	keys    keyring
	wires   *wires
	certs   *certificates
	ready   readiness
	running []*running
	admin   *http.Server

	front, work         context.Context // of doors; of consumers, loops and the readiness poll
	stopFront, stopWork context.CancelFunc
	fronts, works       sync.WaitGroup
	failed              chan error // the first failure of anything that should run on
	closers             []func(context.Context) error
}

// Start builds the units' services and serves them. What it began is undone when it fails.
func Start(ctx context.Context, process string, cfg Config, parts Parts, units ...*Unit) (*Host, error) {
	h := &Host{process: process, cfg: cfg, parts: parts, failed: make(chan error, 1), ready: readiness{look: make(chan struct{}, 1)}}
	h.front, h.stopFront = context.WithCancel(context.WithoutCancel(ctx))
	h.work, h.stopWork = context.WithCancel(context.WithoutCancel(ctx))
	if err := h.start(ctx, units); err != nil {
		cleanup, cancel := context.WithTimeout(context.WithoutCancel(ctx), cfg.Shutdown.Drain)
		defer cancel()
		return nil, errors.Join(err, h.abandon(cleanup))
	}
	return h, nil
}

func (h *Host) start(ctx context.Context, units []*Unit) (err error) {
	if len(units) > 1 && h.cfg.Listen.GRPC != "" {
		return errors.New("listen.grpc: several services of one process talk in memory, it must be empty")
	}
	if err := h.connect(ctx, units); err != nil {
		return err
	}
	for _, u := range units {
		r, err := h.assemble(ctx, u)
		if err != nil {
			return fmt.Errorf("%s: %w", u.Name, err)
		}
		h.running = append(h.running, r)
	}
	if err := h.wires.listen(units); err != nil {
		return err
	}
	for _, r := range h.running {
		h.launch(r)
	}
	h.works.Go(h.poll)
	return h.openAdmin()
}

// Dial returns a connection to a service under the identity of an owner whose key this
// process holds: guard.Gateway, for callers in the context, or a service of its own.
func (h *Host) Dial(owner, service string) grpc.ClientConnInterface {
	issuer, ok := h.keys.issuers[owner]
	if !ok {
		return missing{fmt.Errorf("this process holds no key of %s", owner)}
	}
	return h.wires.to(service, issuer)
}

// Failed yields the error of a part that ended while it should have gone on.
func (h *Host) Failed() <-chan error { return h.failed }

// Ready returns what keeps the process from serving, by service; empty when it serves.
func (h *Host) Ready() map[string]string { return h.ready.why() }

// Rules returns the access rules of a service of this process.
func (h *Host) Rules(service string) guard.Rules {
	for _, r := range h.running {
		if r.service.Name == service {
			return r.server.chain.access.Rules
		}
	}
	return nil
}

// run runs f until its context ends; a failure, a panic or an early end is the process's.
func (h *Host) run(ctx context.Context, group *sync.WaitGroup, name string, f func(context.Context) error) {
	group.Go(func() {
		err := safely(ctx, f)
		if ctx.Err() != nil && (err == nil || errors.Is(err, context.Canceled)) {
			return
		}
		if err == nil {
			err = errors.New("ended by itself")
		}
		select {
		case h.failed <- fmt.Errorf("%s: %w", name, err):
		default: // one failure is enough to stop
		}
	})
}

// Stop ends the process in order: no new work, work in progress finished, then the
// parts closed in reverse. It returns what could not be finished. ctx cuts it short.
func (h *Host) Stop(ctx context.Context) error {
	h.tel.log.Info("stopping")
	h.ready.stopping.Store(true)
	for _, r := range h.running {
		r.server.setServing(false)
	}
	_ = faultpoint.Hit(faultpoint.S1)
	select {
	case <-ctx.Done():
	case <-time.After(h.cfg.Shutdown.Wait):
	}

	grace, cancel := context.WithTimeout(ctx, h.cfg.Shutdown.Grace)
	defer cancel()
	h.stopFront()
	await(grace, &h.fronts)
	var servers sync.WaitGroup
	for _, r := range h.running {
		servers.Go(func() { r.server.stop(grace, h.tel.log) })
	}
	servers.Wait()
	_ = faultpoint.Hit(faultpoint.S2)

	drain, cancel := context.WithTimeout(ctx, h.cfg.Shutdown.Drain)
	defer cancel()
	return h.abandon(drain)
}

// abandon stops what works in the background and closes everything.
func (h *Host) abandon(ctx context.Context) error {
	h.stopFront()
	h.stopWork()
	for _, r := range h.running {
		r.server.grpc.Stop() // no-op after an orderly stop
	}
	var errs []error
	if !await(ctx, &h.works) {
		errs = append(errs, errors.New("consumers or loops did not finish in time"))
	}
	_ = faultpoint.Hit(faultpoint.S3)
	for i := len(h.closers) - 1; i >= 0; i-- {
		errs = append(errs, h.closers[i](ctx))
	}
	_ = faultpoint.Hit(faultpoint.S4)
	return errors.Join(errs...)
}

// await waits for a group and reports whether it ended before the context.
func await(ctx context.Context, group *sync.WaitGroup) bool {
	done := make(chan struct{})
	go func() {
		group.Wait()
		close(done)
	}()
	select {
	case <-done:
		return true
	case <-ctx.Done():
		return false
	}
}

// Run serves the units until the context ends or a part fails, then stops.
func Run(ctx context.Context, process string, cfg Config, parts Parts, units ...*Unit) error {
	h, err := Start(ctx, process, cfg, parts, units...)
	if err != nil {
		return err
	}
	select {
	case <-ctx.Done():
	case err = <-h.Failed():
		h.tel.log.Error("a part failed, the process ends", "error", err)
	}
	return errors.Join(err, h.Stop(context.WithoutCancel(ctx)))
}

func (p Parts) withDefaults() Parts {
	if p.Clock == nil {
		p.Clock = clock.System{}
	}
	if p.Log == nil {
		p.Log = os.Stderr
	}
	return p
}
