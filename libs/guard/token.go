package guard

import (
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/lockstep-logistics/lockstep/libs/clock"
	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
)

const (
	tokenLife = 60 * time.Second
	leeway    = 60 * time.Second // between the clocks of two machines
	tokenMax  = 8 << 10
	audience  = "lockstep"
	tokenType = "lockstep+jwt" // so that no other JWT can pass for one
	cacheSize = 4096           // tokens in use at a time: principals × 60 s
)

// claims are what an internal token says.
type claims struct {
	jwt.RegisteredClaims
	Tenant  string   `json:"ten,omitempty"`
	Roles   []string `json:"rol,omitempty"`
	Systems []string `json:"sys,omitempty"`
	Service string   `json:"svc,omitempty"`
	Party   string   `json:"pty,omitempty"`
}

// Issuer mints internal tokens: JWTs that live 60 seconds, signed with Ed25519.
type Issuer struct {
	key   Key
	clock clock.Clock
	cache *lru.Cache[string, minted]
}

type minted struct {
	token string
	span
}

// span is a time in which a remembered token is used. It has two ends: a clock that was set
// back makes a token one from the future, which others refuse.
type span struct{ from, until time.Time }

func (s span) has(t time.Time) bool { return !t.Before(s.from) && t.Before(s.until) }

// NewIssuer returns an issuer for the owner of the key.
func NewIssuer(key Key, c clock.Clock) *Issuer {
	cache, _ := lru.New[string, minted](cacheSize) // fails only for a size below 1
	return &Issuer{key, c, cache}
}

// Owner returns whose key signs.
func (i *Issuer) Owner() string { return i.key.Owner }

// Token returns a token for the caller that is good for at least 30 seconds.
func (i *Issuer) Token(c Caller) (string, error) {
	if err := mayVouch(i.key.Owner, c); err != nil {
		return "", err
	}
	key := strings.Join([]string{c.Tenant, c.Principal, fmt.Sprint(c.Roles), strings.Join(c.Systems, ","), c.Service, c.Party}, "\x00")
	now := i.clock.Now()
	if m, ok := i.cache.Get(key); ok && m.has(now) {
		return m.token, nil
	}
	t := jwt.NewWithClaims(jwt.SigningMethodEdDSA, claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: i.key.Owner, Subject: c.Principal, Audience: jwt.ClaimStrings{audience},
			IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(tokenLife)),
		},
		Tenant: c.Tenant, Roles: roleNames(c.Roles), Systems: c.Systems, Service: c.Service, Party: c.Party,
	})
	t.Header["typ"], t.Header["kid"] = tokenType, i.key.Trusted().id()
	signed, err := t.SignedString(i.key.private)
	if err != nil {
		return "", err
	}
	i.cache.Add(key, minted{signed, span{now, now.Add(tokenLife / 2)}})
	return signed, nil
}

// kind is one of the two kinds of token; neither can pass for the other.
type kind struct {
	typ, audience string
	// may checks that the caller is one that a key's owner may speak for.
	may func(owner string, c Caller) error
}

var internal = kind{tokenType, audience, mayVouch}

// Verifier turns tokens of one kind into callers.
type Verifier struct {
	kind   kind
	keys   *Keys
	clock  clock.Clock
	parser *jwt.Parser
	cache  *lru.Cache[string, verified]
}

type verified struct {
	caller Caller
	kid    string // of the key that signed, which must still be trusted
	owner  string // for whom it was
	span
}

// NewVerifier returns a verifier of internal tokens that trusts the keys.
func NewVerifier(keys *Keys, c clock.Clock) *Verifier { return newVerifier(internal, keys, c) }

func newVerifier(k kind, keys *Keys, c clock.Clock) *Verifier {
	cache, _ := lru.New[string, verified](cacheSize) // fails only for a size below 1
	return &Verifier{k, keys, c, jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodEdDSA.Alg()}),
		jwt.WithAudience(k.audience), jwt.WithExpirationRequired(), jwt.WithIssuedAt(),
		jwt.WithLeeway(leeway), jwt.WithTimeFunc(c.Now),
	), cache}
}

// Verify returns the caller that a token vouches for, or fault.Unauthenticated;
// fault.Denied when the token holds but names a caller that no token may name.
func (v *Verifier) Verify(token string) (Caller, error) {
	if hit, ok := v.cache.Get(token); ok && hit.has(v.clock.Now()) {
		if key, trusted := v.keys.find(hit.kid); trusted && key.Owner == hit.owner {
			return hit.caller, nil
		}
		v.cache.Remove(token)
	}
	if len(token) > tokenMax {
		return Caller{}, badToken(fmt.Errorf("%d bytes long", len(token)))
	}
	var said claims
	kid, owner := "", ""
	_, err := v.parser.ParseWithClaims(token, &said, func(t *jwt.Token) (any, error) {
		kid, _ = t.Header["kid"].(string)
		key, ok := v.keys.find(kid)
		if !ok || t.Header["typ"] != v.kind.typ {
			return nil, fmt.Errorf("no key %q for type %v", kid, t.Header["typ"])
		}
		owner = key.Owner
		return key.public, nil
	})
	if err != nil {
		return Caller{}, badToken(err)
	}
	c := Caller{
		Tenant: said.Tenant, Principal: said.Subject, Roles: rolesNamed(said.Roles),
		Systems: said.Systems, Service: said.Service, Party: said.Party,
	}
	if err := v.kind.may(owner, c); err != nil {
		if f, ok := fault.As(err); ok {
			return Caller{}, f // the token holds, its bearer may not come in: say why
		}
		return Caller{}, badToken(err)
	}
	life := span{until: said.ExpiresAt.Add(leeway)}
	if said.IssuedAt != nil {
		life.from = said.IssuedAt.Add(-leeway)
	}
	v.cache.Add(token, verified{c, kid, owner, life})
	return c, nil
}

// mayVouch checks that a caller is one that the owner of a key may speak for.
func mayVouch(owner string, c Caller) error {
	switch {
	case c.Tenant != "" && !ident.Valid(c.Tenant):
		return fmt.Errorf("%q is no tenant", c.Tenant)
	case owner == Gateway && c.Service == "":
		if c.Tenant == "" || c.Principal == "" || strings.HasPrefix(c.Principal, servicePrefix) {
			return fmt.Errorf("principal %q of tenant %q cannot be a person or client", c.Principal, c.Tenant)
		}
	case c.Service != owner || c.Principal != servicePrefix+owner || len(c.Roles) > 0:
		return fmt.Errorf("%s may not vouch for %q", owner, c.Principal)
	}
	return nil
}

const servicePrefix = "service:"

// ServiceCaller is the identity under which a service calls others, for one tenant or, with "", for none.
func ServiceCaller(service, tenant string) Caller {
	return Caller{Tenant: tenant, Principal: servicePrefix + service, Service: service}
}

func badToken(err error) error {
	return fault.New(fault.Unauthenticated, "TOKEN_INVALID", "the token is not valid").Wrap(err)
}

// roleNames and rolesNamed turn roles into the words of the token; a role that this
// binary does not know gives no right here.
func roleNames(roles []commonv1.Role) []string {
	var names []string
	for _, r := range roles {
		names = append(names, r.String())
	}
	return names
}

func rolesNamed(names []string) []commonv1.Role {
	var roles []commonv1.Role
	for _, n := range names {
		if r := commonv1.Role(commonv1.Role_value[n]); r != commonv1.Role_ROLE_UNSPECIFIED {
			roles = append(roles, r)
		}
	}
	return roles
}
