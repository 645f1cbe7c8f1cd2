package gateway

import (
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/host"
	"github.com/lockstep-logistics/lockstep/libs/ident"
)

// Config is what the gateway is told beside the host's configuration.
type Config struct {
	Listen      string        `koanf:"listen" doc:"Address of the HTTP server."`
	Plain       bool          `koanf:"plain" doc:"Allows plain HTTP beyond loopback, where something else encrypts (an ingress)."`
	Cert        string        `koanf:"cert" doc:"Certificate chain of the HTTP server, PEM; empty: plain HTTP."`
	Key         string        `koanf:"key" doc:"Private key of the HTTP server, PEM."`
	AdminToken  host.Secret   `koanf:"admin_token" doc:"One token with every role of the admin tenant, at least 32 characters; empty: none."`
	AdminTenant string        `koanf:"admin_tenant" doc:"Tenant of the admin token."`
	Issuers     string        `koanf:"issuers" doc:"Folder of the public keys, <issuer>.pem, whose API tokens are accepted; empty: none."`
	BodyMax     int64         `koanf:"body_max" doc:"Largest body, bytes."`
	BatchMax    int64         `koanf:"batch_max" doc:"Largest body of a batch, bytes."`
	InFlight    int           `koanf:"in_flight" doc:"Requests worked on at a time; more are answered 503."`
	Deadline    time.Duration `koanf:"deadline" doc:"Time that a request may take."`
	ViewTime    time.Duration `koanf:"view_time" doc:"Time that a composed read waits for its parts."`
	Grace       time.Duration `koanf:"grace" doc:"Time for requests in progress to finish at the end."`

	// IssuerKeys are accepted beside those in the folder Issuers: for processes that hold both ends.
	IssuerKeys []guard.Trusted
	// Listening is told the address once it is known; nil if nobody asks.
	Listening func(net.Addr)
}

// Defaults returns the configuration of a gateway on a developer's machine.
func Defaults() Config {
	return Config{
		Listen: "127.0.0.1:8080", AdminTenant: "main",
		BodyMax: 1 << 20, BatchMax: 8 << 20, InFlight: 256,
		Deadline: 15 * time.Second, ViewTime: 3 * time.Second, Grace: 20 * time.Second,
	}
}

// Validate names every setting that cannot be.
func (c Config) Validate() error {
	var errs []error
	bad := func(key, format string, args ...any) {
		errs = append(errs, fmt.Errorf("%s: %s", key, fmt.Sprintf(format, args...)))
	}
	if name, _, err := net.SplitHostPort(c.Listen); err != nil {
		bad("listen", "%v", err)
	} else if ip := net.ParseIP(name); c.Cert == "" && !c.Plain && name != "localhost" && (ip == nil || !ip.IsLoopback()) {
		bad("listen", "%s is beyond loopback: give cert and key, or set plain where something else encrypts", c.Listen)
	}
	if (c.Cert == "") != (c.Key == "") {
		bad("cert", "cert and key come together")
	}
	if c.AdminToken != "" && len(c.AdminToken) < 32 {
		bad("admin_token", "must have at least 32 characters")
	}
	if !ident.Valid(c.AdminTenant) {
		bad("admin_tenant", "%q is no tenant", c.AdminTenant)
	}
	if c.BodyMax < 1 || c.BatchMax < c.BodyMax {
		bad("body_max", "must be at least 1, and batch_max no less")
	}
	if c.InFlight < 1 {
		bad("in_flight", "must be at least 1")
	}
	if c.Deadline <= 0 || c.Deadline > 30*time.Second {
		bad("deadline", "must be above 0 and at most 30s")
	}
	if c.ViewTime <= 0 || c.ViewTime > c.Deadline {
		bad("view_time", "must be above 0 and at most deadline")
	}
	if c.Grace <= 0 {
		bad("grace", "must be above 0")
	}
	return errors.Join(errs...)
}
