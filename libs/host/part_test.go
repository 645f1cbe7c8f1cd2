package host

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	probev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/probe/v1"
)

// keysOf writes key pairs and returns the settings that name their folders.
func keysOf(t *testing.T, owners ...string) Tokens {
	t.Helper()
	cfg := Tokens{Keys: t.TempDir(), Trusted: t.TempDir()}
	for _, owner := range owners {
		public, private, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		mine, err := x509.MarshalPKCS8PrivateKey(private)
		if err != nil {
			t.Fatal(err)
		}
		theirs, err := x509.MarshalPKIXPublicKey(public)
		if err != nil {
			t.Fatal(err)
		}
		for path, block := range map[string]*pem.Block{
			filepath.Join(cfg.Keys, owner+".pem"):    {Type: "PRIVATE KEY", Bytes: mine},
			filepath.Join(cfg.Trusted, owner+".pem"): {Type: "PUBLIC KEY", Bytes: theirs},
		} {
			if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	return cfg
}

// TestSeveralServicesListenForOthers: each at its own address, under its own key; another
// process calls them, a stranger's key opens nothing, and what is not to listen does not.
func TestSeveralServicesListenForOthers(t *testing.T) {
	cfg := quick()
	cfg.Tokens = keysOf(t, guard.Gateway, "one", "two", "mute")
	cfg.Services = map[string]string{"one": freeAddress(t), "two": freeAddress(t)}
	start := func(cfg Config, listen map[string]string, units ...*Unit) *Host {
		h, err := Start(t.Context(), "test", cfg, Parts{Log: io.Discard, Listen: listen}, units...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := h.Stop(context.WithoutCancel(t.Context())); err != nil {
				t.Error(err)
			}
		})
		return h
	}
	part := start(cfg, cfg.Services, newProbe().unit("one"), newProbe().unit("two"), newProbe().unit("mute"))
	get := func(h *Host, service string) error {
		_, err := probev1.NewProbeServiceClient(h.Dial(guard.Gateway, service)).GetCount(as(t, ""), &probev1.GetCountRequest{CounterId: "c"})
		return err
	}
	other := start(cfg, nil, newProbe().unit(guard.Gateway))
	for _, service := range []string{"one", "two"} {
		if err := get(other, service); err != nil {
			t.Errorf("%s from another process: %v", service, err)
		}
	}
	if err := get(other, "mute"); err == nil || !strings.Contains(err.Error(), "services.mute") {
		t.Errorf("a service without an address: %v", err)
	}
	for _, service := range []string{"one", "mute"} {
		client := probev1.NewProbeServiceClient(part.Dial("two", service))
		ctx := guard.WithCaller(t.Context(), guard.ServiceCaller("two", "t1"))
		if _, err := client.GetCount(ctx, &probev1.GetCountRequest{CounterId: "c"}); err != nil {
			t.Errorf("%s from its own process: %v", service, err)
		}
	}
	strange := cfg
	strange.Tokens = keysOf(t, guard.Gateway)
	if err := get(start(strange, nil, newProbe().unit(guard.Gateway)), "one"); !fault.IsKind(err, fault.Unauthenticated) {
		t.Errorf("under a key that is not trusted: %v", err)
	}
}

func TestSeveralServicesAreRefused(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*Config)
		listen map[string]string
		want   string
	}{
		"one key":               {func(c *Config) { c.Tokens.Key, c.Tokens.Keys = "x", "" }, nil, "tokens.keys"},
		"a key that is missing": {func(c *Config) { c.Tokens.Keys = t.TempDir() }, nil, "one.pem"},
		"one address":           {func(c *Config) { c.Listen.GRPC = "127.0.0.1:0" }, nil, "listen.grpc"},
		"plain beyond loopback": {func(*Config) {}, map[string]string{"two": "0.0.0.0:0"}, "two: 0.0.0.0:0 is beyond loopback"},
	} {
		cfg := quick()
		cfg.Tokens, cfg.Shutdown.Drain = keysOf(t, "one", "two"), time.Second
		tc.change(&cfg)
		_, err := Start(t.Context(), "test", cfg, Parts{Log: io.Discard, Listen: tc.listen}, newProbe().unit("one"), newProbe().unit("two"))
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
