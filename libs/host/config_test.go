package host

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"google.golang.org/grpc"

	"github.com/lockstep-logistics/lockstep/libs/testkit"
)

// ownSettings are those of a made-up service.
type ownSettings struct {
	Lines  int           `koanf:"lines" doc:"Most lines."`
	Wait   time.Duration `koanf:"wait" doc:"Longest wait."`
	Codes  []string      `koanf:"codes" doc:"Codes."`
	Secret Secret        `koanf:"secret" doc:"A secret."`
	Nested struct {
		On bool `koanf:"on" doc:"On."`
	} `koanf:"nested"`
}

func (o ownSettings) Validate() error {
	if o.Lines < 1 {
		return errors.New("lines: must be at least 1")
	}
	return nil
}

func made(got *ownSettings) *Unit {
	return Bind("made-up", ownSettings{Lines: 10, Wait: time.Second}, func(c ownSettings, _ Deps) (*Service, error) {
		*got = c
		return &Service{}, nil
	})
}

func load(t *testing.T, yaml string, env []string, flags map[string]string) (Config, ownSettings, error) {
	t.Helper()
	file := ""
	if yaml != "" {
		file = filepath.Join(t.TempDir(), "config.yaml")
		if err := os.WriteFile(file, []byte(yaml), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cfg, own := Defaults(), ownSettings{}
	u := made(&own)
	err := Load(file, env, flags, &cfg, u)
	if err == nil {
		_, err = u.build(Deps{})
	}
	return cfg, own, err
}

func TestLaterSourcesWin(t *testing.T) {
	yaml := `
listen: {grpc: "127.0.0.1:1", admin: "127.0.0.1:2"}
limits: {concurrent: 7, deadline: 3s}
services: {order-release: "a:1"}
made-up: {lines: 20, codes: [A, B], nested: {on: true}}
`
	cfg, own, err := load(t, yaml,
		[]string{"LOCKSTEP_LISTEN__GRPC=127.0.0.1:3", "LOCKSTEP_SERVICES__INVENTORY_MOVEMENT=b:2", "MADE_UP__LINES=30", "MADE_UP__WAIT=4s", "PATH=/bin"},
		map[string]string{"listen.grpc": "127.0.0.1:4"})
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Listen.GRPC != "127.0.0.1:4" || cfg.Listen.Admin != "127.0.0.1:2" || cfg.Limits.Concurrent != 7 || cfg.Limits.Deadline != 3*time.Second {
		t.Errorf("host: %+v", cfg)
	}
	if want := map[string]string{"order-release": "a:1", "inventory-movement": "b:2"}; !reflect.DeepEqual(cfg.Services, want) {
		t.Errorf("services: %v", cfg.Services)
	}
	if own.Lines != 30 || own.Wait != 4*time.Second || !reflect.DeepEqual(own.Codes, []string{"A", "B"}) || !own.Nested.On {
		t.Errorf("own: %+v", own)
	}
}

func TestWhatNobodyKnowsIsRefusedByName(t *testing.T) {
	for name, tc := range map[string]struct {
		yaml string
		env  []string
		want string
	}{
		"key":                   {"listen: {grcp: x}", nil, "listen.grcp"},
		"section":               {"order-release: {lines: 1}", nil, "order-release.lines"},
		"key of the service":    {"made-up: {line: 1}", nil, "made-up.line"},
		"variable":              {"", []string{"LOCKSTEP_LISTEN__GRCP=x"}, "LOCKSTEP_LISTEN__GRCP"},
		"variable of service":   {"", []string{"MADE_UP__LINE=1"}, "MADE_UP__LINE"},
		"wrong type":            {"limits: {concurrent: many}", nil, "concurrent"},
		"wrong duration":        {"", []string{"MADE_UP__WAIT=4 parsecs"}, "wait"},
		"service's own rule":    {"made-up: {lines: 0}", nil, "made-up: lines"},
		"no such file":          {"store: {uri: \"file:/no/such/file\"}", nil, "/no/such/file"},
		"no such variable":      {"store: {uri: \"env:NO_SUCH_VARIABLE\"}", nil, "NO_SUCH_VARIABLE"},
		"plain beyond loopback": {"listen: {grpc: \":9090\"}", nil, "listen.grpc"},
		"store":                 {"store: {uri: \"postgres://x\"}", nil, "store.uri"},
		"no stream":             {"nats: {stream_mib: 0}", nil, "nats.stream_mib"},
		"too large a stream":    {"nats: {stream_mib: 1048577}", nil, "nats.stream_mib"},
		"half of TLS":           {"tls: {cert: x}", nil, "tls"},
		"half of tokens":        {"tokens: {trusted: x}", nil, "tokens"},
		"level":                 {"log: {level: loud}", nil, "log.level"},
		"deadline":              {"limits: {deadline: 31s}", nil, "limits.deadline"},
	} {
		if _, _, err := load(t, tc.yaml, tc.env, nil); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestVariablesOfTheClusterAreNoSettings(t *testing.T) {
	_, _, err := load(t, "", []string{
		"LOCKSTEP_GATEWAY_SERVICE_HOST=10.0.0.1", "LOCKSTEP_GATEWAY_SERVICE_PORT_HTTP=80", "LOCKSTEP_GATEWAY_PORT_80_TCP_ADDR=10.0.0.1",
		"LOCKSTEP_GATEWAY_PORT=tcp://10.0.0.1:80", "LOCKSTEP_TEST_MONGO_URI=x", "LOCKSTEP_CONFIG=x",
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
}

func TestSecretsAreHidden(t *testing.T) {
	file := filepath.Join(t.TempDir(), "uri")
	if err := os.WriteFile(file, []byte("mongodb://user:canary@db/\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("MY_SECRET", "canary2")
	cfg, own := Defaults(), ownSettings{}
	u := made(&own)
	if err := Load("", []string{"LOCKSTEP_STORE__URI=file:" + file, "MADE_UP__SECRET=env:MY_SECRET"}, nil, &cfg, u); err != nil {
		t.Fatal(err)
	}
	if _, err := u.build(Deps{}); err != nil {
		t.Fatal(err)
	}
	if cfg.Store.URI.Reveal() != "mongodb://user:canary@db/" || own.Secret.Reveal() != "canary2" {
		t.Fatalf("not read: %q, %q", cfg.Store.URI.Reveal(), own.Secret.Reveal())
	}
	var log strings.Builder
	newLog(Log{Level: "info", Format: "json"}, &log).Info("settings", "cfg", cfg, "own", own, "uri", cfg.Store.URI)
	for name, text := range map[string]string{
		"Describe": Describe(&cfg, u), "%v": fmt.Sprintf("%v %v", cfg, own), "%+v": fmt.Sprintf("%+v %+v", cfg, own), "%#v": fmt.Sprintf("%#v %#v", cfg, own), "log": log.String(),
	} {
		if strings.Contains(text, "canary") {
			t.Errorf("%s shows a secret: %s", name, text)
		}
	}
}

func TestEverySettingIsDocumented(t *testing.T) {
	cfg := Defaults()
	for _, s := range all(&cfg, nil) {
		if !strings.HasSuffix(s.doc, ".") {
			t.Errorf("%s: %q is no sentence", s.key, s.doc)
		}
	}
	if err := cfg.Validate(); err != nil {
		t.Error(err)
	}
}

func TestCommandLine(t *testing.T) {
	run := func(args ...string) (string, error) {
		var own ownSettings
		var out strings.Builder
		cmd := Command(made(&own))
		cmd.SetArgs(args)
		cmd.SetOut(&out)
		err := cmd.ExecuteContext(t.Context())
		return out.String(), err
	}
	if out, err := run("--config-table"); err != nil || !strings.Contains(out, "| `made-up.lines` | `MADE_UP__LINES` | `10` | Most lines. |") {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err := run("--check-config", "--made-up.lines=12"); err != nil || !strings.Contains(out, "made-up.lines: 12\n") || !strings.Contains(out, "store.uri: ***\n") {
		t.Errorf("%v\n%s", err, out)
	}
	if _, err := run("--check-config", "--made-up.lines=0"); err == nil {
		t.Error("a bad setting passes the check")
	}
	if _, err := run("--store.uri=mongodb://x"); err == nil || !strings.Contains(err.Error(), "unknown flag") {
		t.Errorf("a secret as a flag: %v", err)
	}
	if out, err := run("--help"); err != nil || !strings.Contains(out, "--limits.concurrent") {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestTheStreamIsAsLargeAsSet: a service's stream sets aside what the setting says.
func TestTheStreamIsAsLargeAsSet(t *testing.T) {
	nc := testkit.StartNATS(t).Connect(t)
	cfg := quick()
	cfg.Store.URI = Secret("sqlite:" + t.TempDir())
	cfg.NATS = NATS{URL: Secret(nc.ConnectedUrl()), Replicas: 1, StreamMiB: 7}
	startHost(t, cfg, Bind("made-up", none{}, func(none, Deps) (*Service, error) {
		return &Service{Register: func(grpc.ServiceRegistrar) {}}, nil
	}))
	js, err := jetstream.New(nc, jetstream.WithDefaultTimeout(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, time.Minute, func() error {
		s, err := js.Stream(t.Context(), "EVT_made-up")
		if err == nil && s.CachedInfo().Config.MaxBytes != 7<<20 {
			t.Fatalf("%d bytes", s.CachedInfo().Config.MaxBytes)
		}
		return err
	})
}
