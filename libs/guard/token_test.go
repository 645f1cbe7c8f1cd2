package guard

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/lockstep-logistics/lockstep/libs/clock"
	"github.com/lockstep-logistics/lockstep/libs/fault"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func mustKey(t *testing.T, owner string) Key {
	t.Helper()
	k, err := NewKey(owner)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func person() Caller {
	return Caller{
		Tenant: "t1", Principal: "ada", Roles: []commonv1.Role{commonv1.Role_ROLE_LOGISTICS},
		Systems: []string{"erp", "wms"}, Party: "pty_1",
	}
}

func TestTokenCarriesTheCaller(t *testing.T) {
	c := clock.NewManual(noon)
	gateway, orders := mustKey(t, Gateway), mustKey(t, "order-release")
	v := NewVerifier(Trust(gateway.Trusted(), orders.Trusted()), c)
	for _, tc := range []struct {
		key    Key
		caller Caller
	}{
		{gateway, person()},
		{orders, ServiceCaller("order-release", "t1")},
		{orders, ServiceCaller("order-release", "")},
	} {
		i := NewIssuer(tc.key, c)
		token, err := i.Token(tc.caller)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second from the verifier's memory
			got, err := v.Verify(token)
			if err != nil || !reflect.DeepEqual(got, tc.caller) {
				t.Fatalf("%s: got %+v, %v; want %+v", tc.key.Owner, got, err, tc.caller)
			}
		}
	}
}

func TestTokenIsReusedForHalfItsLifeAndEnds(t *testing.T) {
	c := clock.NewManual(noon)
	key := mustKey(t, Gateway)
	i, v := NewIssuer(key, c), NewVerifier(Trust(key.Trusted()), c)
	first, err := i.Token(person())
	if err != nil {
		t.Fatal(err)
	}
	c.Step(29 * time.Second)
	if again, _ := i.Token(person()); again != first {
		t.Error("no reuse after 29 s")
	}
	c.Step(2 * time.Second)
	if again, _ := i.Token(person()); again == first {
		t.Error("reused after 31 s")
	}
	for _, step := range []struct {
		at time.Duration // since it was minted
		ok bool
	}{{59 * time.Second, true}, {119 * time.Second, true}, {121 * time.Second, false}} {
		c.Step(noon.Add(step.at).Sub(c.Now()))
		if _, err := v.Verify(first); (err == nil) != step.ok {
			t.Errorf("after %v: %v", step.at, err)
		}
	}
}

// TestClocksMayDiffer: clocks of two machines may be a minute apart, either way, also for a
// token that its issuer gives out for the last time.
func TestClocksMayDiffer(t *testing.T) {
	key := mustKey(t, Gateway)
	for _, tc := range []struct {
		apart time.Duration // the verifier's clock, less the issuer's
		ok    bool
	}{
		{0, true},
		{time.Minute, true},
		{-time.Minute, true},
		{91 * time.Second, false},
		{-61 * time.Second, false},
	} {
		theirs, ours := clock.NewManual(noon), clock.NewManual(noon.Add(tc.apart))
		i, v := NewIssuer(key, theirs), NewVerifier(Trust(key.Trusted()), ours)
		minted, err := i.Token(person())
		if err != nil {
			t.Fatal(err)
		}
		if tc.apart <= 0 {
			if _, err := v.Verify(minted); (err == nil) != tc.ok {
				t.Errorf("%v apart, a new token: %v", tc.apart, err)
			}
			continue
		}
		last := tokenLife/2 - time.Millisecond
		theirs.Step(last)
		ours.Step(last)
		if again, err := i.Token(person()); again != minted || err != nil {
			t.Fatalf("not given out again: %v", err)
		}
		if _, err := v.Verify(minted); (err == nil) != tc.ok {
			t.Errorf("%v apart, an old token: %v", tc.apart, err)
		}
	}
}

// TestClockSetBack: a token that was minted before a clock was set back is not used any more,
// neither by who minted it nor by who has seen it; a new one holds at once.
func TestClockSetBack(t *testing.T) {
	c := clock.NewManual(noon)
	key := mustKey(t, Gateway)
	i, v := NewIssuer(key, c), NewVerifier(Trust(key.Trusted()), c)
	old, err := i.Token(person())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.Verify(old); err != nil {
		t.Fatal(err)
	}
	c.Step(-time.Hour)
	if _, err := v.Verify(old); !fault.IsKind(err, fault.Unauthenticated) {
		t.Errorf("a token from the future: %v", err)
	}
	again, err := i.Token(person())
	if err != nil || again == old {
		t.Fatalf("the same token an hour before, %v", err)
	}
	for _, verifier := range []*Verifier{v, NewVerifier(Trust(key.Trusted()), c)} {
		if _, err := verifier.Verify(again); err != nil {
			t.Error(err)
		}
	}
}

func TestKeysVouchOnlyForTheirOwner(t *testing.T) {
	c := clock.NewManual(noon)
	gateway, orders := mustKey(t, Gateway), mustKey(t, "order-release")
	for name, tc := range map[string]struct {
		key    Key
		caller Caller
	}{
		"service for a person":         {orders, person()},
		"service for another":          {orders, ServiceCaller("returns", "t1")},
		"service with a role":          {orders, Caller{Principal: "service:order-release", Service: "order-release", Roles: person().Roles}},
		"gateway for a service":        {gateway, ServiceCaller("order-release", "t1")},
		"gateway in a service's name":  {gateway, Caller{Tenant: "t1", Principal: "service:order-release"}},
		"gateway for no tenant":        {gateway, Caller{Principal: "ada"}},
		"gateway for a tenant with /":  {gateway, Caller{Tenant: "t1/x", Principal: "ada"}},
		"service of a tenant with dot": {orders, ServiceCaller("order-release", "a.b")},
	} {
		if _, err := NewIssuer(tc.key, c).Token(tc.caller); err == nil {
			t.Errorf("%s: minted", name)
		}
		forged := forge(t, tc.key, jwt.SigningMethodEdDSA, tc.key.private, func(_ *jwt.Token, said *claims) {
			said.Subject, said.Tenant, said.Service, said.Roles = tc.caller.Principal, tc.caller.Tenant, tc.caller.Service, roleNames(tc.caller.Roles)
		})
		if _, err := NewVerifier(Trust(gateway.Trusted(), orders.Trusted()), c).Verify(forged); !fault.IsKind(err, fault.Unauthenticated) {
			t.Errorf("%s: verified: %v", name, err)
		}
	}
}

// forge signs a token that may be wrong in any way.
func forge(t *testing.T, key Key, method jwt.SigningMethod, with any, change func(*jwt.Token, *claims)) string {
	t.Helper()
	said := &claims{Tenant: "t1", RegisteredClaims: jwt.RegisteredClaims{
		Subject: "ada", Audience: jwt.ClaimStrings{audience},
		IssuedAt: jwt.NewNumericDate(noon), ExpiresAt: jwt.NewNumericDate(noon.Add(time.Minute)),
	}}
	token := jwt.NewWithClaims(method, said)
	token.Header["typ"], token.Header["kid"] = tokenType, key.Trusted().id()
	if change != nil {
		change(token, said)
	}
	signed, err := token.SignedString(with)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func TestForgedTokensAreRefused(t *testing.T) {
	c := clock.NewManual(noon)
	key, stranger := mustKey(t, Gateway), mustKey(t, Gateway)
	v := NewVerifier(Trust(key.Trusted()), c)
	sign := func(change func(*jwt.Token, *claims)) string {
		return forge(t, key, jwt.SigningMethodEdDSA, key.private, change)
	}
	if _, err := v.Verify(sign(nil)); err != nil {
		t.Fatalf("the control is refused: %v", err)
	}
	good := sign(nil)
	public := []byte(key.private.Public().(ed25519.PublicKey))
	for name, token := range map[string]string{
		"empty":                    "",
		"no token":                 "hello",
		"dots":                     strings.Repeat(".", 1<<20),
		"alg none":                 forge(t, key, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, nil),
		"HMAC with the public key": forge(t, key, jwt.SigningMethodHS256, public, nil),
		"another key, same id":     forge(t, key, jwt.SigningMethodEdDSA, stranger.private, nil),
		"unknown key":              forge(t, stranger, jwt.SigningMethodEdDSA, stranger.private, nil),
		"cut signature":            good[:len(good)-4],
		"other type":               sign(func(j *jwt.Token, _ *claims) { j.Header["typ"] = "JWT" }),
		"other audience":           sign(func(_ *jwt.Token, s *claims) { s.Audience = jwt.ClaimStrings{"elsewhere"} }),
		"no expiry":                sign(func(_ *jwt.Token, s *claims) { s.ExpiresAt = nil }),
		"expired":                  sign(func(_ *jwt.Token, s *claims) { s.ExpiresAt = jwt.NewNumericDate(noon.Add(-leeway - time.Second)) }),
		"from the future":          sign(func(_ *jwt.Token, s *claims) { s.IssuedAt = jwt.NewNumericDate(noon.Add(leeway + time.Minute)) }),
	} {
		if c, err := v.Verify(token); !fault.IsKind(err, fault.Unauthenticated) {
			t.Errorf("%s: caller %+v, %v", name, c, err)
		}
	}
}

func TestUnknownRolesGiveNothing(t *testing.T) {
	c := clock.NewManual(noon)
	key := mustKey(t, Gateway)
	token := forge(t, key, jwt.SigningMethodEdDSA, key.private, func(_ *jwt.Token, s *claims) {
		s.Roles = []string{"ROLE_OF_THE_FUTURE", "ROLE_UNSPECIFIED", "ROLE_FINANCE"}
	})
	got, err := NewVerifier(Trust(key.Trusted()), c).Verify(token)
	if err != nil || !reflect.DeepEqual(got.Roles, []commonv1.Role{commonv1.Role_ROLE_FINANCE}) {
		t.Fatalf("roles %v, %v", got.Roles, err)
	}
}

func TestKeysFromFiles(t *testing.T) {
	folder := t.TempDir()
	if _, err := LoadKeys(folder); err == nil {
		t.Fatal("an empty folder is trusted")
	}
	old, next := mustKey(t, "order-release"), mustKey(t, "order-release")
	writePublic(t, filepath.Join(folder, "order-release.pem"), old)
	keys, err := LoadKeys(folder)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(next.private)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := ParseKey("order-release", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))
	if err != nil || parsed.Trusted().id() != next.Trusted().id() {
		t.Fatalf("a written key reads as %v, %v", parsed, err)
	}
	writePublic(t, filepath.Join(folder, "order-release.2.pem"), next)
	if _, ok := keys.find(next.Trusted().id()); ok {
		t.Fatal("the folder was read again at once: a flood of unknown ids would be dear")
	}
	keys.readAt(keys.read.Load().Add(-rereadAfter - time.Second))
	if got, ok := keys.find(next.Trusted().id()); !ok || got.Owner != "order-release" {
		t.Fatalf("a rotated key is not found: %+v", got)
	}
	if err := os.WriteFile(filepath.Join(folder, "bad.pem"), []byte("-----BEGIN"), 0o600); err != nil {
		t.Fatal(err)
	}
	keys.readAt(keys.read.Load().Add(-rereadAfter - time.Second))
	keys.find("nobody")
	if _, ok := keys.find(old.Trusted().id()); !ok {
		t.Fatal("a half-written folder threw the old keys away")
	}
}

// TestRemovedKeysAreNotTrusted: neither a token that is new to the verifier nor one that it
// remembers outlives its key by more than rereadAfter.
func TestRemovedKeysAreNotTrusted(t *testing.T) {
	c := clock.NewManual(noon)
	folder := t.TempDir()
	stays, goes := mustKey(t, "returns"), mustKey(t, "order-release")
	writePublic(t, filepath.Join(folder, "returns.pem"), stays)
	writePublic(t, filepath.Join(folder, "order-release.pem"), goes)
	keys, err := LoadKeys(folder)
	if err != nil {
		t.Fatal(err)
	}
	v := NewVerifier(keys, c)
	seen := token(t, NewIssuer(goes, c), ServiceCaller("order-release", "t1"))
	unseen := token(t, NewIssuer(goes, c), ServiceCaller("order-release", "t2"))
	other := token(t, NewIssuer(stays, c), ServiceCaller("returns", "t1"))
	trusted := func(want bool, tokens ...string) {
		t.Helper()
		for i, tok := range tokens {
			if _, err := v.Verify(tok); want != (err == nil) || err != nil && !fault.IsKind(err, fault.Unauthenticated) {
				t.Errorf("token %d: %v", i, err)
			}
		}
	}
	stale := func() { keys.readAt(keys.read.Load().Add(-rereadAfter - time.Second)) }
	trusted(true, seen, other)
	if err := os.Remove(filepath.Join(folder, "order-release.pem")); err != nil {
		t.Fatal(err)
	}
	trusted(true, seen, other) // the folder is not read for every call
	stale()
	trusted(false, seen, unseen)
	trusted(true, other)
	writePublic(t, filepath.Join(folder, "gateway.pem"), stays) // the same key, now somebody else's
	if err := os.Remove(filepath.Join(folder, "returns.pem")); err != nil {
		t.Fatal(err)
	}
	stale()
	trusted(false, other)
	if err := os.Remove(filepath.Join(folder, "gateway.pem")); err != nil {
		t.Fatal(err)
	}
	stale()
	trusted(false, seen, unseen, other)
	writePublic(t, filepath.Join(folder, "order-release.pem"), goes)
	stale()
	trusted(true, seen, unseen)
}

func writePublic(t *testing.T, file string, k Key) {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(k.private.Public())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}
