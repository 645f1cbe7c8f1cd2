package guard

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/lockstep-logistics/lockstep/libs/clock"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
)

// APITokenLife is the longest that a token for people and API clients may live.
const APITokenLife = 366 * 24 * time.Hour

// api is the kind of token that people and API clients show at the gateway (RFC 9068).
// Services do not accept it; the gateway exchanges it for an internal one.
var api = kind{"at+jwt", "lockstep-api", func(_ string, c Caller) error { return mayHoldAPIToken(c) }}

// APIIssuer mints the tokens of people and API clients: JWTs signed with Ed25519.
type APIIssuer struct {
	key   Key
	clock clock.Clock
}

// NewAPIIssuer returns an issuer that signs with the key.
func NewAPIIssuer(key Key, c clock.Clock) *APIIssuer { return &APIIssuer{key, c} }

// Token returns a token for the caller that lives as long as told, at most APITokenLife.
func (i *APIIssuer) Token(c Caller, life time.Duration) (string, error) {
	if err := mayHoldAPIToken(c); err != nil {
		return "", err
	}
	if life <= 0 || life > APITokenLife {
		return "", fmt.Errorf("a token lives up to %v, not %v", APITokenLife, life)
	}
	now := i.clock.Now()
	t := jwt.NewWithClaims(jwt.SigningMethodEdDSA, claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: i.key.Owner, Subject: c.Principal, Audience: jwt.ClaimStrings{api.audience},
			IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(life)),
		},
		Tenant: c.Tenant, Roles: roleNames(c.Roles), Systems: c.Systems, Party: c.Party,
	})
	t.Header["typ"], t.Header["kid"] = api.typ, i.key.Trusted().id()
	return t.SignedString(i.key.private)
}

// NewAPIVerifier returns a verifier of the tokens of people and API clients that trusts the keys.
func NewAPIVerifier(keys *Keys, c clock.Clock) *Verifier { return newVerifier(api, keys, c) }

// mayHoldAPIToken checks that the caller is a person or client of one tenant, and that a
// customer or partner has a party.
func mayHoldAPIToken(c Caller) error {
	switch {
	case !ident.Valid(c.Tenant):
		return fmt.Errorf("%q is no tenant", c.Tenant)
	case c.Principal == "" || strings.HasPrefix(c.Principal, servicePrefix) || c.Service != "":
		return fmt.Errorf("%q is no person or client", c.Principal)
	case slices.Contains(c.Systems, ""):
		return errors.New("a source system has a name")
	}
	return c.checkParty()
}

// AdminCaller returns the caller that has every role of a tenant and speaks for every
// system: what the one generated token of an embedded suite stands for.
func AdminCaller(tenant string) Caller {
	c := Caller{Tenant: tenant, Principal: "admin", Systems: []string{"*"}}
	for number := range commonv1.Role_name {
		if r := commonv1.Role(number); r != commonv1.Role_ROLE_UNSPECIFIED {
			c.Roles = append(c.Roles, r)
		}
	}
	slices.Sort(c.Roles)
	return c
}
