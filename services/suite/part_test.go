package suite_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/host"
	"github.com/lockstep-logistics/lockstep/services/suite"
)

// external is what a part of the suite needs: servers, addresses and keys.
func external(s *suite.Suite) []string {
	env := []string{
		"LOCKSTEP_STORE__URI=mongodb://127.0.0.1:1/?replicaSet=rs0", "LOCKSTEP_NATS__URL=nats://127.0.0.1:1", "LOCKSTEP_REDIS__URL=redis://127.0.0.1:1/0",
		"LOCKSTEP_TOKENS__KEYS=/keys", "LOCKSTEP_TOKENS__TRUSTED=/trusted",
	}
	for i, name := range s.Names() {
		if name != "gateway" {
			env = append(env, "LOCKSTEP_SERVICES__"+strings.ToUpper(strings.ReplaceAll(name, "-", "_"))+"=10.0.0.1:700"+string(rune('0'+i)))
		}
	}
	return env
}

// without drops the variables that begin like this.
func without(env []string, prefix string) []string {
	return slices.DeleteFunc(slices.Clone(env), func(v string) bool { return strings.HasPrefix(v, prefix) })
}

// part returns a suite that is to serve the named services in an environment.
func part(t *testing.T, names []string, env func(*suite.Suite) []string) *suite.Suite {
	t.Helper()
	s, err := suite.New()
	if err != nil {
		t.Fatal(err)
	}
	s.Data = t.TempDir()
	if err := host.Load("", env(s), nil, &s.Config, s.Units...); err != nil {
		t.Fatal(err)
	}
	if err := s.Only(names...); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestAPartNeedsWhatAllPartsShare: whatever is missing is named with the variable that sets it,
// and the start is refused for the same reason.
func TestAPartNeedsWhatAllPartsShare(t *testing.T) {
	two := []string{"order-release", "inventory-movement"}
	for name, tc := range map[string]struct {
		names []string
		drop  string // of the environment
		add   string
		want  []string // in the refusal; none: it may be served
	}{
		"all is there":          {names: two},
		"embedded engines":      {names: two, drop: "LOCKSTEP_", want: []string{"LOCKSTEP_STORE__URI", "LOCKSTEP_NATS__URL", "LOCKSTEP_REDIS__URL", "LOCKSTEP_TOKENS__KEYS", "LOCKSTEP_SERVICES__RETURNS"}},
		"embedded store":        {names: two, drop: "LOCKSTEP_STORE", want: []string{"store.uri"}},
		"store in files":        {names: two, add: "LOCKSTEP_STORE__URI=sqlite:/data", want: []string{"store.uri"}},
		"embedded bus":          {names: two, drop: "LOCKSTEP_NATS", want: []string{"nats.url"}},
		"embedded cache":        {names: two, drop: "LOCKSTEP_REDIS", want: []string{"redis.url"}},
		"no keys":               {names: two, drop: "LOCKSTEP_TOKENS", want: []string{"tokens.keys", "tokens.trusted"}},
		"nowhere to listen":     {names: two, drop: "LOCKSTEP_SERVICES__ORDER", want: []string{"services.order-release", "where it listens"}},
		"another part unknown":  {names: two, drop: "LOCKSTEP_SERVICES__RETURNS", want: []string{"services.returns", "where it is called"}},
		"one port for two":      {names: two, add: "LOCKSTEP_LISTEN__GRPC=127.0.0.1:7000", want: []string{"listen.grpc", "port 0"}},
		"one port for one":      {names: two[:1], add: "LOCKSTEP_LISTEN__GRPC=127.0.0.1:7000"},
		"gateway has no store":  {names: []string{"gateway"}, drop: "LOCKSTEP_STORE"},
		"gateway calls all":     {names: []string{"gateway"}, drop: "LOCKSTEP_SERVICES__RETURNS", want: []string{"services.returns"}},
		"no names, nothing set": {drop: "LOCKSTEP_"},
	} {
		s := part(t, tc.names, func(s *suite.Suite) []string {
			env := external(s)
			if tc.drop != "" {
				env = without(env, tc.drop)
			}
			if tc.add != "" {
				env = append(env, tc.add)
			}
			return env
		})
		err := s.Check()
		if (err != nil) != (len(tc.want) > 0) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, want := range tc.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v lacks %s", name, err, want)
			}
		}
		if err != nil {
			if again := s.Start(t.Context()); again == nil || again.Error() != err.Error() {
				t.Errorf("%s: the start says %v", name, again)
			}
		}
	}
}

// TestAPartListensAtItsAddresses: each service at its own, on the host that listen.grpc names.
func TestAPartListensAtItsAddresses(t *testing.T) {
	names := []string{"inventory-movement", "order-release"}
	for grpc, want := range map[string]string{"": "10.0.0.1", "0.0.0.0:0": "0.0.0.0"} {
		s := part(t, names, external)
		s.Config.Listen.GRPC = grpc
		got := strings.Fields(strings.Join(s.Served(), " "))
		if expect := []string{"order-release", want + ":7001", "inventory-movement", want + ":7002"}; !slices.Equal(got, expect) {
			t.Errorf("%q: %v, want %v", grpc, got, expect)
		}
	}
	if err := part(t, names, external).Start(t.Context()); err == nil || !strings.Contains(err.Error(), "tokens.keys") {
		t.Errorf("keys that are not there: %v", err)
	}
}

// TestNamesOfAPart: unknown ones are refused with those that there are; all are the whole suite.
func TestNamesOfAPart(t *testing.T) {
	s, err := suite.New()
	if err != nil {
		t.Fatal(err)
	}
	err = s.Only("order-release", "orders")
	if err == nil || !strings.Contains(err.Error(), `"orders"`) || !strings.Contains(err.Error(), strings.Join(s.Names(), ", ")) {
		t.Errorf("an unknown name: %v", err)
	}
	if err := s.Only(s.Names()...); err != nil || !s.Whole() || !s.Embedded() {
		t.Errorf("all names are not the whole suite: %v", err)
	}
	if err := s.Only("returns", "returns"); err != nil || s.Whole() || s.Embedded() || !s.Serves("returns") || s.Serves("gateway") {
		t.Errorf("a name twice: %v", err)
	}
}
