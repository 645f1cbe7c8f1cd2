package domain

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"slices"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
)

// MaxKeyLife is the longest that an API key may let in.
const MaxKeyLife = 366 * 24 * time.Hour

// usedEvery is how coarsely the last use of a key is kept.
const usedEvery = time.Hour

// APIKey is the key of an API client. Of its secret only a salted hash is known.
type APIKey struct {
	Name      string    `bson:"k"`
	Prefix    string    `bson:"p"`
	Roles     []string  `bson:"r"`
	Party     string    `bson:"c,omitempty"` // code
	Systems   []string  `bson:"s,omitempty"`
	Expires   time.Time `bson:"e"`
	Salt      []byte    `bson:"n"`
	Hash      []byte    `bson:"h"`
	By        string    `bson:"b"`
	Created   time.Time `bson:"t"`
	RevokedBy string    `bson:"x,omitempty"`
	Revoked   time.Time `bson:"v,omitempty"`
	Used      time.Time `bson:"u,omitempty"` // begin of the hour
}

// KeyState says whether a key lets in.
type KeyState string

// The states of a key.
const (
	KeyActive  KeyState = "ACTIVE"
	KeyExpired KeyState = "EXPIRED"
	KeyRevoked KeyState = "REVOKED"
)

// Key implements Value.
func (k APIKey) Key() string { return k.Name }

// Check implements Value: a customer's or partner's key is limited to a party.
func (k APIKey) Check() error {
	var c check
	roles, systems := unique{}, unique{}
	for n, r := range k.Roles {
		roles.add(&c, r, fmt.Sprintf("roles[%d]", n), "role "+r)
	}
	for n, s := range k.Systems {
		systems.add(&c, s, fmt.Sprintf("systems[%d]", n), "system "+s)
	}
	staff := slices.ContainsFunc(k.Roles, func(r string) bool { return r != "PARTNER" && r != "CUSTOMER" })
	c.that(staff || k.Party != "", "party_code", "PARTY_REQUIRED", "a customer's or partner's key needs a party that limits what it sees")
	return c.done()
}

// State is where the key stands at a moment.
func (k APIKey) State(now time.Time) KeyState {
	switch {
	case !k.Revoked.IsZero():
		return KeyRevoked
	case !now.Before(k.Expires):
		return KeyExpired
	}
	return KeyActive
}

// Create returns the key as it is created now. party is the record that it is limited to. A name
// is used once for ever: what was done under it is told apart by it.
func (k APIKey) Create(current Record[APIKey], party Record[Party], by string, now time.Time) (APIKey, error) {
	if current.State != Absent {
		return k, fault.New(fault.Conflict, "API_KEY_TAKEN", "an API key %s is or was there: take another name", k.Name).WithField("name", "API_KEY_TAKEN", "is or was there")
	}
	var c check
	c.that(k.Expires.After(now) && !k.Expires.After(now.Add(MaxKeyLife)), "expire_time", "EXPIRY_INVALID", "must be after now and within 366 days")
	c.that(k.Party == "" || party.State == Active, "party_code", "PARTY_REQUIRED", "there is no party %q in use", k.Party)
	k.By, k.Created = by, now
	return k, c.done()
}

// Revoke returns the key revoked; once more changes nothing.
func (k APIKey) Revoke(by string, now time.Time) (APIKey, error) {
	switch {
	case k.Name == "":
		return k, fault.New(fault.NotFound, "NOT_FOUND", "there is no API key of this name")
	case k.Revoked.IsZero():
		k.RevokedBy, k.Revoked = by, now
	}
	return k, nil
}

// SecretHash is what is kept of a secret's digest.
func SecretHash(salt, digest []byte) []byte {
	mac := hmac.New(sha256.New, salt)
	_, _ = mac.Write(digest) // never fails
	return mac.Sum(nil)
}

// Admit says why the bearer of a digest is not let in. What is wrong with a key is told to nobody
// who has not its secret; that takes as long as if there were none.
func (k APIKey) Admit(digest []byte, now time.Time) error {
	if !hmac.Equal(SecretHash(k.Salt, digest), k.Hash) {
		return fault.New(fault.Unauthenticated, "API_KEY_INVALID", "the API key is not valid")
	}
	switch k.State(now) {
	case KeyRevoked:
		return fault.New(fault.Unauthenticated, "API_KEY_REVOKED", "the API key was revoked: ask the tenant's administrator for another")
	case KeyExpired:
		return fault.New(fault.Unauthenticated, "API_KEY_EXPIRED", "the API key has expired: ask the tenant's administrator for another")
	}
	return nil
}

// Seen returns the key as it is used now, and whether that is another hour than is kept.
func (k APIKey) Seen(now time.Time) (APIKey, bool) {
	hour := now.Truncate(usedEvery)
	if !hour.After(k.Used) {
		return k, false
	}
	k.Used = hour
	return k, true
}
