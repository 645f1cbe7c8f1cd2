// Package suite runs every service and the gateway in one process, on engines inside the
// process or on servers by address. It promises that only addresses differ from one process
// a service: calls pass the same interceptors, facts the same bus.
package suite

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"google.golang.org/grpc"

	"github.com/lockstep-logistics/lockstep/gateway"
	"github.com/lockstep-logistics/lockstep/libs/clock"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/host"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/embedded"
)

// embeddedStore is SQLite in the data folder.
const embeddedStore = "sqlite:"

// issuer is the name under which a suite mints API tokens for itself.
const issuer = "lockstep"

// Suite is a suite before it is started and while it runs.
type Suite struct {
	// Config says where the servers are. An empty address of NATS or Redis, and a store of
	// SQLite without a folder, mean the embedded ones, in Data.
	Config host.Config
	// Units are the services, with their settings.
	Units []*host.Unit
	// Data is the folder of the embedded engines and of the admin token.
	Data string
	// Log is where log lines go; nil is standard error.
	Log io.Writer
	// Clock tells the time to everything in the process; nil is the system's.
	Clock clock.Clock
	// Writes is told of every journaled write of documents, for benchmarks; nil for nobody.
	Writes func(collection string, documents int)

	part    []string // names of what is served; empty for all
	key     guard.Key
	admin   string // the admin token in force
	tenant  string // and its tenant
	address chan net.Addr
	url     string
	engines *embedded.Parts
	host    *host.Host
}

// New returns a suite with the defaults of a newcomer's machine: everything embedded, data
// under ./data, the gateway on 127.0.0.1:8080.
func New() (*Suite, error) {
	key, err := guard.NewKey(issuer)
	if err != nil {
		return nil, err
	}
	s := &Suite{Config: host.Defaults(), Data: "data", key: key, address: make(chan net.Addr, 1)}
	s.Config.Listen = host.Listen{}
	s.Config.Store.URI, s.Config.NATS.URL, s.Config.Redis.URL = embeddedStore, "", ""
	s.Config.Shutdown.Wait = 0 // nothing balances load in front of one process
	s.Units = append(services(), s.gateway())
	return s, nil
}

// gateway is the gateway's unit; it accepts the admin token and the tokens minted by Token.
func (s *Suite) gateway() *host.Unit {
	defaults := gateway.Defaults()
	defaults.IssuerKeys = []guard.Trusted{s.key.Trusted()}
	defaults.Listening = func(a net.Addr) { s.address <- a }
	return host.Bind(gateway.Name, defaults, func(cfg gateway.Config, d host.Deps) (*host.Service, error) {
		if cfg.AdminToken == "" {
			token, err := s.adminToken()
			if err != nil {
				return nil, err
			}
			cfg.AdminToken = host.Secret(token)
		}
		s.admin, s.tenant = cfg.AdminToken.Reveal(), cfg.AdminTenant
		return gateway.New(cfg, d)
	}, host.Stateless)
}

// tokenFile keeps the generated admin token in the data folder.
const tokenFile = "admin-token"

// adminToken returns the token of the data folder, made at its first use.
func (s *Suite) adminToken() (string, error) {
	path := filepath.Join(s.Data, tokenFile)
	if have, err := os.ReadFile(path); err == nil {
		return strings.TrimSpace(string(have)), nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	raw := make([]byte, 32)
	_, _ = rand.Read(raw) // never fails
	token := hex.EncodeToString(raw)
	return token, os.WriteFile(path, []byte(token+"\n"), 0o600)
}

// startWithin bounds the wait of a whole suite for the first copies of what services follow; a
// part of it waits for the other parts as long as it takes.
const startWithin = time.Minute

// Start runs the suite until Stop; it returns once every service is ready.
func (s *Suite) Start(ctx context.Context) error {
	if err := s.Check(); err != nil {
		return err
	}
	doors, err := s.doors()
	if err != nil {
		return err
	}
	if s.Serves(gateway.Name) {
		if err := os.MkdirAll(s.Data, 0o700); err != nil {
			return err
		}
	}
	cfg, parts := s.Config, host.Parts{Clock: s.Clock, Log: s.Log, Writes: s.Writes, Listen: doors}
	if !s.Whole() {
		cfg.Listen.GRPC = "" // it is in the doors
	}
	if s.Embedded() {
		cfg.Store.URI = host.Secret("sqlite:" + filepath.Join(s.Data, "store"))
	}
	if s.Whole() && (cfg.NATS.URL == "" || cfg.Redis.URL == "") {
		engines, err := embedded.Start(s.Data)
		if err != nil {
			return err
		}
		s.engines = engines
		if cfg.NATS.URL == "" {
			parts.NATS = engines.NATS
		}
		if cfg.Redis.URL == "" {
			parts.Redis = engines.Redis
		}
	}
	h, err := host.Start(ctx, "lockstep", cfg, parts, s.units()...)
	if err != nil {
		s.closeEngines()
		return err
	}
	s.host = h
	if err := s.await(ctx); err != nil {
		return errors.Join(err, s.Stop(context.WithoutCancel(ctx)))
	}
	return nil
}

// await waits until the gateway listens and every service is ready.
func (s *Suite) await(ctx context.Context) error {
	if s.Whole() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, startWithin)
		defer cancel()
	}
	if s.Serves(gateway.Name) {
		select {
		case a := <-s.address:
			s.url = "http://" + a.String()
		case err := <-s.host.Failed():
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for tick := time.NewTicker(10 * time.Millisecond); ; {
		if len(s.host.Ready()) == 0 {
			tick.Stop()
			return nil
		}
		select {
		case <-tick.C:
		case err := <-s.host.Failed():
			return err
		case <-ctx.Done():
			return fmt.Errorf("not ready: %w: %v", ctx.Err(), s.host.Ready())
		}
	}
}

// Embedded reports whether state is kept in the data folder.
func (s *Suite) Embedded() bool { return s.Whole() && s.Config.Store.URI == embeddedStore }

// URL returns where the gateway is reached.
func (s *Suite) URL() string { return s.url }

// AdminToken returns the token that has every role of the admin tenant.
func (s *Suite) AdminToken() string { return s.admin }

// AdminTenant returns the tenant of the admin token.
func (s *Suite) AdminTenant() string { return s.tenant }

// Token mints an API token for a caller of any tenant, good for a day.
func (s *Suite) Token(c guard.Caller) (string, error) {
	return guard.NewAPIIssuer(s.key, clock.System{}).Token(c, 24*time.Hour)
}

// Dial returns a gRPC connection to a service, as the gateway has it: calls are made for the
// caller that guard.WithCaller put into their context.
func (s *Suite) Dial(service string) grpc.ClientConnInterface {
	return s.host.Dial(guard.Gateway, service)
}

// DialAs returns a gRPC connection to a service, as another service of the suite has it: calls
// carry that service's identity and the cause in their context.
func (s *Suite) DialAs(owner, service string) grpc.ClientConnInterface {
	return s.host.Dial(owner, service)
}

// Failed yields the error of a part that ended while it should have gone on.
func (s *Suite) Failed() <-chan error { return s.host.Failed() }

// Run serves until the context ends or a part fails, then stops.
func (s *Suite) Run(ctx context.Context) error {
	var err error
	select {
	case <-ctx.Done():
	case err = <-s.Failed():
	}
	return errors.Join(err, s.Stop(context.WithoutCancel(ctx)))
}

// Stop ends the suite in order.
func (s *Suite) Stop(ctx context.Context) error {
	err := s.host.Stop(ctx)
	s.closeEngines()
	return err
}

func (s *Suite) closeEngines() {
	if s.engines != nil {
		s.engines.Close()
		s.engines = nil
	}
}
