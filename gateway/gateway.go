// Package gateway is the one door for callers from outside: every public RPC of the suite
// as REST on one HTTP port, and reads that are composed from several services.
//
// It promises that a request changes at most one aggregate, that a service that is down
// costs only its own routes and parts, and that what reaches a service has passed the
// service's own interceptors: the gateway has no rule of the domain and no shortcut.
package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"

	"github.com/lockstep-logistics/lockstep/gateway/internal/edge"
	"github.com/lockstep-logistics/lockstep/gateway/internal/view"
	"github.com/lockstep-logistics/lockstep/libs/host"
	gatewayv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/gateway/v1"
	masterdatav1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
	"github.com/lockstep-logistics/lockstep/proto/gen/openapi"
)

// Name is the gateway's name among the services.
const Name = "gateway"

// Unit returns the gateway for a host that is configured before it is built.
func Unit(defaults Config) *host.Unit {
	return host.Bind(Name, defaults, New, host.Stateless)
}

// New returns the gateway as a service: composed reads over gRPC, everything over HTTP.
func New(cfg Config, d host.Deps) (*host.Service, error) {
	f := &front{cfg: cfg, log: d.Log}
	handler, err := handlerOf(cfg, d, f.ready)
	if err != nil {
		return nil, err
	}
	f.handler = handler
	views := view.NewServer(d.Dial, d.Clock, cfg.ViewTime)
	return &host.Service{
		Name:     Name,
		Register: func(r grpc.ServiceRegistrar) { gatewayv1.RegisterOrderViewServiceServer(r, views) },
		Front:    f.serve,
	}, nil
}

func handlerOf(cfg Config, d host.Deps, ready func(context.Context) error) (http.Handler, error) {
	authenticate, err := authenticator(cfg, d.Clock)
	if err != nil {
		return nil, err
	}
	return edge.New(
		edge.Config{BodyMax: cfg.BodyMax, BatchMax: cfg.BatchMax, InFlight: cfg.InFlight, Deadline: cfg.Deadline, Secure: cfg.Cert != ""},
		edge.Parts{
			Log: d.Log, Authenticate: authenticate, AuthenticateKey: newAPIKeys(masterdatav1.NewMasterDataServiceClient(d.Dial("master-data"))).authenticate, Dial: dialer(d.Dial), OpenAPI: openapi.Document, Ready: ready,
		},
		services,
	)
}

// front is the HTTP server.
type front struct {
	cfg      Config
	log      *slog.Logger
	handler  http.Handler
	draining atomic.Bool
}

func (f *front) ready(context.Context) error {
	if f.draining.Load() {
		return errors.New("shutting down")
	}
	return nil
}

// serve answers requests until the context ends, then finishes those in progress.
func (f *front) serve(ctx context.Context) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", f.cfg.Listen)
	if err != nil {
		return fmt.Errorf("gateway: %w", err)
	}
	server := &http.Server{
		Handler:           f.handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      f.cfg.Deadline + 30*time.Second, // what the deadline leaves for a slow reader
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    edge.HeaderBytes,
		ErrorLog:          slog.NewLogLogger(f.log.Handler(), slog.LevelDebug),
	}
	f.log.Info("gateway listens", "address", listener.Addr().String())
	if f.cfg.Listening != nil {
		f.cfg.Listening(listener.Addr())
	}
	done := make(chan error, 1)
	go func() {
		if f.cfg.Cert != "" {
			done <- server.ServeTLS(listener, f.cfg.Cert, f.cfg.Key)
		} else {
			done <- server.Serve(listener)
		}
	}()
	select {
	case err := <-done:
		return fmt.Errorf("gateway: %w", err)
	case <-ctx.Done():
	}
	f.draining.Store(true)
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), f.cfg.Grace)
	defer cancel()
	if err := server.Shutdown(grace); err != nil {
		f.log.Warn("requests did not finish in time and are cut")
		return server.Close()
	}
	return nil
}
