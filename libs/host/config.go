package host

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
)

// Config is what every process is told: where it listens, where its parts are. The
// doc tags are the comments of the fields; flags, environment and tables derive from them.
type Config struct {
	Listen    Listen            `koanf:"listen"`
	Store     Store             `koanf:"store"`
	NATS      NATS              `koanf:"nats"`
	Redis     Redis             `koanf:"redis"`
	Services  map[string]string `koanf:"services" doc:"Addresses of the services by name, host:port, or host:port;host:port… for replicas that no name stands for; those of the same process need one only where a part of the suite is served: there they listen."`
	TLS       TLS               `koanf:"tls"`
	Tokens    Tokens            `koanf:"tokens"`
	Log       Log               `koanf:"log"`
	Telemetry Telemetry         `koanf:"telemetry"`
	Limits    Limits            `koanf:"limits"`
	Shutdown  Shutdown          `koanf:"shutdown"`
}

// Listen says where the process listens.
type Listen struct {
	GRPC     string `koanf:"grpc" doc:"Address of the gRPC server; empty: in memory only, for services of the same process."`
	Admin    string `koanf:"admin" doc:"Address of the admin port (probes, metrics, profiles, reflection); empty: none."`
	Insecure bool   `koanf:"insecure" doc:"Allows plain gRPC beyond loopback, where something else encrypts (a service mesh)."`
}

// Store says where the databases are.
type Store struct {
	URI    Secret `koanf:"uri" doc:"mongodb://… of a replica set, or sqlite:<folder>."`
	Prefix string `koanf:"prefix" doc:"Put before the name of each service's database."`
}

// NATS says where the bus is.
type NATS struct {
	URL       Secret `koanf:"url" doc:"nats://… of one or more servers, separated by commas."`
	Replicas  int    `koanf:"replicas" doc:"Servers that keep each service's stream, 1 to 5, where NATS is a cluster of as many; a stream whose servers are all gone is begun anew, and consumers fetch what they miss from the owner."`
	StreamMiB int    `koanf:"stream_mib" doc:"Most that each service's stream keeps, in MiB, 1 to 1048576; each of its servers sets so much of its disk aside, and makes no stream that does not fit: consumers then fetch from the owner, more slowly."`
}

// Redis says where the cache is.
type Redis struct {
	URL     Secret        `koanf:"url" doc:"redis://… or rediss://…; empty: none, repeated commands go to the store."`
	Timeout time.Duration `koanf:"timeout" doc:"Longest wait for Redis; after it the command goes on without."`
	Keep    time.Duration `koanf:"keep" doc:"How long a finished answer is remembered there."`
}

// TLS names the files of this process's certificate; they are read again when they change.
type TLS struct {
	Cert string `koanf:"cert" doc:"Certificate chain, PEM."`
	Key  string `koanf:"key" doc:"Private key, PEM."`
	CA   string `koanf:"ca" doc:"Certificates of the authority that signs services; with it both sides of a connection prove themselves."`
}

// Tokens says with what calls are signed and whom to believe.
type Tokens struct {
	Key     Secret `koanf:"key" doc:"Ed25519 private key of this service, PKCS #8 PEM (openssl genpkey -algorithm ed25519)."`
	Keys    string `koanf:"keys" doc:"Folder of such keys, <service>.pem, instead of the one key where several services share a process."`
	Trusted string `koanf:"trusted" doc:"Folder of the public keys, <owner>.pem, of gateway and services."`
}

// Log says what is logged, and how.
type Log struct {
	Level  string `koanf:"level" doc:"debug, info, warn or error."`
	Format string `koanf:"format" doc:"json, text, or auto: text on a terminal."`
}

// Telemetry says how much is traced; exporters are chosen by the OTEL_… variables.
type Telemetry struct {
	Sample float64 `koanf:"sample" doc:"Share of new traces that are recorded, 0 to 1, when an exporter is configured."`
}

// Limits bound what a service takes on.
type Limits struct {
	Concurrent int           `koanf:"concurrent" doc:"Calls a service works on at a time; twice as many may queue."`
	Deadline   time.Duration `koanf:"deadline" doc:"Time a call may take when its caller does not say; the most it may take is 30 s."`
}

// Shutdown says how long each phase of an orderly end may take.
type Shutdown struct {
	Wait  time.Duration `koanf:"wait" doc:"Between readiness going off and the first connection being closed, for load balancers to notice."`
	Grace time.Duration `koanf:"grace" doc:"For calls in progress to finish."`
	Drain time.Duration `koanf:"drain" doc:"For consumers, loops and databases to finish."`
}

// maxDeadline is the longest that a call may take, whatever its caller says.
const maxDeadline = 30 * time.Second

// Defaults returns the configuration of a process on a developer's machine.
func Defaults() Config {
	return Config{
		Listen:    Listen{GRPC: "127.0.0.1:9090", Admin: "127.0.0.1:9091"},
		Store:     Store{URI: "mongodb://127.0.0.1:27017/?replicaSet=rs0"},
		NATS:      NATS{URL: "nats://127.0.0.1:4222", Replicas: 1, StreamMiB: 1024},
		Redis:     Redis{URL: "redis://127.0.0.1:6379/0", Timeout: 100 * time.Millisecond, Keep: time.Hour},
		Log:       Log{Level: "info", Format: "auto"},
		Telemetry: Telemetry{Sample: 0.1},
		Limits:    Limits{Concurrent: 512, Deadline: 10 * time.Second},
		Shutdown:  Shutdown{Wait: 5 * time.Second, Grace: 20 * time.Second, Drain: 15 * time.Second},
	}
}

// Validate names every setting that cannot be.
func (c Config) Validate() error {
	var errs []error
	bad := func(key, format string, args ...any) {
		errs = append(errs, fmt.Errorf("%s: %s", key, fmt.Sprintf(format, args...)))
	}
	for key, address := range map[string]string{"listen.grpc": c.Listen.GRPC, "listen.admin": c.Listen.Admin} {
		if err := listens(address); err != nil {
			bad(key, "%v", err)
		}
	}
	if err := c.mayListen(c.Listen.GRPC); err != nil {
		bad("listen.grpc", "%v", err)
	}
	if uri := c.Store.URI.Reveal(); !strings.HasPrefix(uri, "mongodb://") && !strings.HasPrefix(uri, "mongodb+srv://") && !strings.HasPrefix(uri, "sqlite:") {
		bad("store.uri", "must begin with mongodb:// or sqlite:")
	}
	if c.NATS.Replicas < 1 || c.NATS.Replicas > 5 {
		bad("nats.replicas", "must be 1 to 5")
	}
	if c.NATS.StreamMiB < 1 || c.NATS.StreamMiB > 1<<20 {
		bad("nats.stream_mib", "must be 1 to %d", 1<<20)
	}
	if (c.TLS.Cert == "") != (c.TLS.Key == "") {
		bad("tls", "cert and key come together")
	}
	if (c.Tokens.Key == "" && c.Tokens.Keys == "") != (c.Tokens.Trusted == "") {
		bad("tokens", "key, or keys, and trusted come together")
	}
	if c.Tokens.Key != "" && c.Tokens.Keys != "" {
		bad("tokens", "key is for one service, keys for several: give one of them")
	}
	if _, err := level(c.Log.Level); err != nil {
		bad("log.level", "%v", err)
	}
	if f := c.Log.Format; f != "json" && f != "text" && f != "auto" {
		bad("log.format", "must be json, text or auto")
	}
	if c.Telemetry.Sample < 0 || c.Telemetry.Sample > 1 {
		bad("telemetry.sample", "must be 0 to 1")
	}
	if c.Limits.Concurrent < 1 {
		bad("limits.concurrent", "must be at least 1")
	}
	if c.Limits.Deadline <= 0 || c.Limits.Deadline > maxDeadline {
		bad("limits.deadline", "must be above 0 and at most %v", maxDeadline)
	}
	if s := c.Shutdown; s.Wait < 0 || s.Grace <= 0 || s.Drain <= 0 {
		bad("shutdown", "grace and drain must be above 0")
	}
	return errors.Join(errs...)
}

// listens refuses what is no host:port; empty is none.
func listens(address string) error {
	if address == "" {
		return nil
	}
	_, port, err := net.SplitHostPort(address)
	if err == nil {
		_, err = net.LookupPort("tcp", port)
	}
	if err != nil {
		return fmt.Errorf("%q: %w", address, err)
	}
	return nil
}

// mayListen refuses plain gRPC beyond loopback, unless something else encrypts it.
func (c Config) mayListen(address string) error {
	if address == "" || c.TLS.Cert != "" || c.Listen.Insecure || loopback(address) {
		return nil
	}
	return fmt.Errorf("%s is beyond loopback: give tls.cert and tls.key, or set listen.insecure where something else encrypts", address)
}

// loopback reports whether an address can only be reached from this machine.
func loopback(address string) bool {
	name, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(name)
	return name == "localhost" || ip != nil && ip.IsLoopback()
}
