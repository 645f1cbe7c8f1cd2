package gateway

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-logistics/lockstep/gateway/internal/edge"
	"github.com/lockstep-logistics/lockstep/libs/clock"
	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/host"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	"github.com/lockstep-logistics/lockstep/proto/gen/openapi"
)

// document is the part of the OpenAPI document that is compared.
type document struct {
	Paths      map[string]map[string]json.RawMessage `json:"paths"`
	Components struct {
		Schemas map[string]struct {
			Properties map[string]json.RawMessage `json:"properties"`
		} `json:"schemas"`
	} `json:"components"`
}

func published(t *testing.T) document {
	t.Helper()
	var doc document
	if err := json.Unmarshal(openapi.Document, &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

// TestRoutesAreTheDocument: what is described is served, and nothing else is.
func TestRoutesAreTheDocument(t *testing.T) {
	routes, err := edge.Routes(services)
	if err != nil {
		t.Fatal(err)
	}
	var served, described []string
	for _, r := range routes {
		served = append(served, r.Path+" "+strings.ToLower(r.Method))
	}
	for path, item := range published(t).Paths {
		for verb := range item {
			if slices.Contains([]string{"get", "put", "post", "patch", "delete"}, verb) {
				described = append(described, path+" "+verb)
			}
		}
	}
	slices.Sort(served)
	slices.Sort(described)
	if diff := cmp.Diff(described, served); diff != "" {
		t.Errorf("routes (-described +served):\n%s", diff)
	}
}

// TestProblemIsTheDocuments: the error bodies have the fields that are described.
func TestProblemIsTheDocuments(t *testing.T) {
	doc := published(t)
	for schema, value := range map[string]any{"Problem": edge.Problem{}, "FieldProblem": edge.FieldProblem{}} {
		var fields, described []string
		for _, f := range reflect.VisibleFields(reflect.TypeOf(value)) {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			fields = append(fields, name)
		}
		for name := range doc.Components.Schemas[schema].Properties {
			described = append(described, name)
		}
		slices.Sort(fields)
		slices.Sort(described)
		if diff := cmp.Diff(described, fields); diff != "" {
			t.Errorf("%s (-described +sent):\n%s", schema, diff)
		}
	}
}

const adminToken = "0123456789abcdef0123456789abcdef"

func TestWhoIsLetIn(t *testing.T) {
	now := clock.NewManual(time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC))
	key, err := guard.NewKey("issuer")
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := guard.NewKey("issuer")
	if err != nil {
		t.Fatal(err)
	}
	client := guard.Caller{Tenant: "acme", Principal: "wms", Roles: []commonv1.Role{commonv1.Role_ROLE_LOGISTICS}, Systems: []string{"wms"}}
	good, err := guard.NewAPIIssuer(key, now).Token(client, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	forged, err := guard.NewAPIIssuer(stranger, now).Token(client, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	cfg := Defaults()
	cfg.AdminToken, cfg.IssuerKeys = adminToken, []guard.Trusted{key.Trusted()}
	authenticate, err := authenticator(cfg, now)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		token string
		want  guard.Caller
	}{"admin": {adminToken, guard.AdminCaller("main")}, "API token": {good, client}} {
		got, err := authenticate(c.token)
		if diff := cmp.Diff(c.want, got); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", name, err, diff)
		}
	}
	for name, token := range map[string]string{"nothing": "", "nearly the admin's": adminToken[1:], "of a stranger": forged, "cut": good[:len(good)-2]} {
		if c, err := authenticate(token); !fault.IsKind(err, fault.Unauthenticated) {
			t.Errorf("%s: %+v, %v", name, c, err)
		}
	}
	if _, err := authenticator(Defaults(), now); err == nil {
		t.Error("a gateway that nobody can pass was started")
	}
}

func TestNoAdminTokenIsNoEmptyToken(t *testing.T) {
	key, err := guard.NewKey("issuer")
	if err != nil {
		t.Fatal(err)
	}
	cfg := Defaults()
	cfg.IssuerKeys = []guard.Trusted{key.Trusted()}
	authenticate, err := authenticator(cfg, clock.System{})
	if err != nil {
		t.Fatal(err)
	}
	if c, err := authenticate(""); err == nil {
		t.Errorf("the empty token is %+v", c)
	}
}

func TestConfig(t *testing.T) {
	if err := Defaults().Validate(); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(*Config)
		key    string
	}{
		"beyond loopback":   {func(c *Config) { c.Listen = "0.0.0.0:8080" }, "listen"},
		"every address":     {func(c *Config) { c.Listen = ":8080" }, "listen"},
		"no address":        {func(c *Config) { c.Listen = "x" }, "listen"},
		"half of a pair":    {func(c *Config) { c.Cert = "cert.pem" }, "cert"},
		"short admin token": {func(c *Config) { c.AdminToken = host.Secret(adminToken[:31]) }, "admin_token"},
		"bad tenant":        {func(c *Config) { c.AdminTenant = "a b" }, "admin_tenant"},
		"small batch":       {func(c *Config) { c.BatchMax = 1 }, "body_max"},
		"nothing in flight": {func(c *Config) { c.InFlight = 0 }, "in_flight"},
		"long deadline":     {func(c *Config) { c.Deadline = time.Hour }, "deadline"},
		"long view":         {func(c *Config) { c.ViewTime = time.Minute }, "view_time"},
		"no grace":          {func(c *Config) { c.Grace = 0 }, "grace"},
	} {
		cfg := Defaults()
		c.change(&cfg)
		if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), c.key+":") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, change := range map[string]func(*Config){
		"plain": func(c *Config) { c.Listen, c.Plain = "0.0.0.0:8080", true },
		"TLS":   func(c *Config) { c.Listen, c.Cert, c.Key = ":443", "c", "k" },
	} {
		cfg := Defaults()
		change(&cfg)
		if err := cfg.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
