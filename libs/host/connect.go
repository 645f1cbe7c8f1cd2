package host

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/redis/go-redis/v9"
	"google.golang.org/grpc"
	"google.golang.org/grpc/test/bufconn"

	"github.com/lockstep-logistics/lockstep/libs/bus"
	"github.com/lockstep-logistics/lockstep/libs/clock"
	"github.com/lockstep-logistics/lockstep/libs/guard"
)

// connect makes what all services of the process share: telemetry, keys, the bus's and
// the cache's connections, and the ways to other services.
func (h *Host) connect(ctx context.Context, units []*Unit) (err error) {
	h.parts = h.parts.withDefaults()
	if h.tel, err = newTelemetry(ctx, h.process, h.cfg, h.parts.Log); err != nil {
		return err
	}
	h.closers = append(h.closers, h.tel.close)
	if h.keys, err = newKeyring(h.cfg.Tokens, units, h.parts.Clock); err != nil {
		return err
	}
	if h.keys.generated && (h.cfg.Listen.GRPC != "" || len(h.parts.Listen) > 0) {
		h.tel.log.Warn("no tokens.key is configured: only this process can call its services")
	}
	if h.certs, err = newCertificates(h.cfg.TLS); err != nil {
		return err
	}
	if err := h.openNATS(); err != nil {
		return err
	}
	if err := h.openRedis(ctx); err != nil {
		return err
	}
	h.wires = &wires{host: h, memory: map[string]*bufconn.Listener{}, doors: map[string]net.Listener{}, open: map[string]*grpc.ClientConn{}}
	for _, u := range units {
		if h.address(u.Name) == "" {
			h.wires.memory[u.Name] = bufconn.Listen(1 << 20)
		}
	}
	h.closers = append(h.closers, h.wires.close)
	return nil
}

// address is where a service of this process listens, "" for in memory only.
func (h *Host) address(service string) string {
	return cmp.Or(h.parts.Listen[service], h.cfg.Listen.GRPC)
}

func (h *Host) openNATS() error {
	if h.parts.NATS != nil || h.cfg.NATS.URL == "" {
		return nil
	}
	nc, err := bus.Connect(h.cfg.NATS.URL.Reveal(), h.process,
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil { // not our own end
				h.tel.log.Warn("NATS is gone: facts are fetched from their owners until it is back", "error", err)
			}
		}),
		nats.ReconnectHandler(func(*nats.Conn) { h.tel.log.Info("NATS is back") }))
	if err != nil {
		return err
	}
	if !nc.IsConnected() {
		h.tel.log.Warn("NATS is not reached: facts are fetched from their owners until it is")
	}
	h.parts.NATS = nc
	h.closers = append(h.closers, func(context.Context) error { nc.Close(); return nil })
	return nil
}

func (h *Host) openRedis(ctx context.Context) error {
	if h.parts.Redis != nil || h.cfg.Redis.URL == "" {
		return nil
	}
	opts, err := redis.ParseURL(h.cfg.Redis.URL.Reveal())
	if err != nil {
		return fmt.Errorf("redis.url: %w", err)
	}
	opts.Protocol = 2
	opts.ContextTimeoutEnabled = true // calls end with their context
	opts.MaxRetries = -1              // a cache that does not answer is done without
	opts.DialTimeout = time.Second
	c := redis.NewClient(opts)
	ping, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if err := c.Ping(ping).Err(); err != nil {
		h.tel.log.Warn("Redis is not reached: answers and rate limits are not shared until it is", "error", err)
	}
	h.parts.Redis = c
	h.closers = append(h.closers, func(context.Context) error { return c.Close() })
	return nil
}

// keyring holds the signing keys of this process and whom it trusts.
type keyring struct {
	generated bool
	issuers   map[string]*guard.Issuer
	verifier  *guard.Verifier
}

// newKeyring reads the key of the one service of the process, or those of several; without
// configuration every service of the process, and the gateway, gets a key of its own for this run.
func newKeyring(cfg Tokens, units []*Unit, c clock.Clock) (keyring, error) {
	k := keyring{issuers: map[string]*guard.Issuer{}}
	if cfg.Key != "" || cfg.Keys != "" {
		err := k.read(cfg, units, c)
		return k, err
	}
	k.generated = true
	var trusted []guard.Trusted
	for _, owner := range append([]string{guard.Gateway}, names(units)...) {
		if k.issuers[owner] != nil {
			continue // the gateway is one of the units
		}
		key, err := guard.NewKey(owner)
		if err != nil {
			return k, err
		}
		k.issuers[owner] = guard.NewIssuer(key, c)
		trusted = append(trusted, key.Trusted())
	}
	k.verifier = guard.NewVerifier(guard.Trust(trusted...), c)
	return k, nil
}

// read takes the keys that are configured.
func (k *keyring) read(cfg Tokens, units []*Unit, c clock.Clock) error {
	if cfg.Key != "" && len(units) != 1 {
		return errors.New("tokens.key: a key belongs to one service; give tokens.keys where several share a process")
	}
	for _, u := range units {
		setting, text := "tokens.key", []byte(cfg.Key.Reveal())
		if cfg.Key == "" {
			setting = "tokens.keys"
			var err error
			if text, err = os.ReadFile(filepath.Join(cfg.Keys, u.Name+".pem")); err != nil {
				return fmt.Errorf("%s: %w", setting, err)
			}
		}
		key, err := guard.ParseKey(u.Name, text)
		if err != nil {
			return fmt.Errorf("%s: %s: %w", setting, u.Name, err)
		}
		k.issuers[key.Owner] = guard.NewIssuer(key, c)
	}
	trusted, err := guard.LoadKeys(cfg.Trusted)
	if err != nil {
		return fmt.Errorf("tokens.trusted: %w", err)
	}
	k.verifier = guard.NewVerifier(trusted, c)
	return nil
}

func names(units []*Unit) []string {
	var out []string
	for _, u := range units {
		out = append(out, u.Name)
	}
	return out
}

// wires are the connections to other services, made when first asked for: over an
// in-memory listener to a service of the same process, by address to any other.
type wires struct {
	host   *Host
	memory map[string]*bufconn.Listener
	doors  map[string]net.Listener // of the services of this process, once they are open

	mu   sync.Mutex
	open map[string]*grpc.ClientConn // by "<owner>><service>"
}

// listen opens the doors of all services: before any of them calls another. One that has an
// address is called there by the others of its process too, so that there is one way to it.
func (w *wires) listen(units []*Unit) error {
	for _, u := range units {
		address := w.host.address(u.Name)
		if address == "" {
			w.doors[u.Name] = w.memory[u.Name]
			continue
		}
		if err := w.host.cfg.mayListen(address); err != nil {
			return fmt.Errorf("%s: %w", u.Name, err)
		}
		door, err := net.Listen("tcp", address)
		if err != nil {
			return fmt.Errorf("%s: %w", u.Name, err)
		}
		w.doors[u.Name] = door
		w.host.tel.log.Info("serving gRPC", "service", u.Name, "address", door.Addr().String())
	}
	return nil
}

func (w *wires) to(service string, issuer *guard.Issuer) grpc.ClientConnInterface {
	w.mu.Lock()
	defer w.mu.Unlock()
	key := issuer.Owner() + ">" + service
	if c, ok := w.open[key]; ok {
		return c
	}
	address := w.host.cfg.Services[service]
	var memory func(context.Context) (net.Conn, error)
	if l := w.memory[service]; l != nil {
		address, memory = service, l.DialContext
	}
	if address == "" {
		return missing{fmt.Errorf("no address of service %s: set services.%s", service, service)}
	}
	c, err := dial(address, memory, w.host.certs.client(), issuer, w.host.cfg, w.host.tel)
	if err != nil {
		return missing{err}
	}
	w.open[key] = c
	return c
}

func (w *wires) close(context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	var errs []error
	for _, c := range w.open {
		errs = append(errs, c.Close())
	}
	for _, l := range w.memory {
		_ = l.Close() // the server may have done so
	}
	for _, l := range w.doors {
		_ = l.Close() // the server may have done so
	}
	return errors.Join(errs...)
}
