package guard

import (
	"reflect"
	"testing"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/clock"
	"github.com/lockstep-logistics/lockstep/libs/fault"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
)

func TestAPITokens(t *testing.T) {
	now := clock.NewManual(time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC))
	key, err := NewKey("issuer")
	if err != nil {
		t.Fatal(err)
	}
	issuer, verifier := NewAPIIssuer(key, now), NewAPIVerifier(Trust(key.Trusted()), now)
	want := Caller{Tenant: "acme", Principal: "wms-connector", Roles: []commonv1.Role{commonv1.Role_ROLE_LOGISTICS}, Systems: []string{"wms"}, Party: "pty_1"}
	token, err := issuer.Token(want, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := verifier.Verify(token); err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("%+v, %v", got, err)
	}
	if _, err := NewVerifier(Trust(key.Trusted()), now).Verify(token); !fault.IsKind(err, fault.Unauthenticated) {
		t.Errorf("a service takes an API token: %v", err)
	}
	gateway, err := NewKey(Gateway)
	if err != nil {
		t.Fatal(err)
	}
	inner, err := NewIssuer(gateway, now).Token(want)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewAPIVerifier(Trust(gateway.Trusted()), now).Verify(inner); !fault.IsKind(err, fault.Unauthenticated) {
		t.Errorf("the gateway takes an internal token: %v", err)
	}
	now.Step(time.Hour + time.Minute)
	if _, err := verifier.Verify(token); !fault.IsKind(err, fault.Unauthenticated) {
		t.Errorf("an expired token: %v", err)
	}
}

func TestWhoMayHoldAPITokens(t *testing.T) {
	key, err := NewKey("issuer")
	if err != nil {
		t.Fatal(err)
	}
	issuer := NewAPIIssuer(key, clock.System{})
	for name, c := range map[string]Caller{
		"no tenant":       {Principal: "p"},
		"bad tenant":      {Tenant: "a/b", Principal: "p"},
		"no principal":    {Tenant: "acme"},
		"a service":       {Tenant: "acme", Principal: "service:order-release", Service: "order-release"},
		"as a service":    {Tenant: "acme", Principal: "service:order-release"},
		"nameless system": {Tenant: "acme", Principal: "p", Systems: []string{""}},
		"a customer":      {Tenant: "acme", Principal: "p", Roles: []commonv1.Role{commonv1.Role_ROLE_CUSTOMER}},
		"a partner":       {Tenant: "acme", Principal: "p", Roles: []commonv1.Role{commonv1.Role_ROLE_PARTNER}},
	} {
		if token, err := issuer.Token(c, time.Hour); err == nil {
			t.Errorf("%s got %s", name, token)
		}
	}
	for _, life := range []time.Duration{0, -time.Second, APITokenLife + time.Second} {
		if _, err := issuer.Token(AdminCaller("acme"), life); err == nil {
			t.Errorf("a token that lives %v", life)
		}
	}
	if !AdminCaller("acme").Has(commonv1.Role_ROLE_FINANCE) || !AdminCaller("acme").SpeaksFor("tms") {
		t.Error("the admin may not do everything")
	}
}
