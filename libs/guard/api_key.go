package guard

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"hash/crc32"
	"strings"
)

// APIKey is the key of an API client: whose it is, which, and the secret that proves it.
type APIKey struct {
	Tenant, ID string
	secret     []byte
}

// Parts of a key as text: "lockstep.<tenant>.<id>.<secret><check>". The check tells what was cut
// or mistyped from what was guessed, before anybody is asked, and lets scanners find leaked keys.
const (
	keyBrand    = "lockstep"
	keySecret   = 32 // bytes
	keyCheck    = 8  // hexadecimal digits of the CRC-32 of all before it
	keySeparate = "."
)

// NewAPIKey returns a key with a new secret.
func NewAPIKey(tenant, id string) APIKey {
	k := APIKey{tenant, id, make([]byte, keySecret)}
	_, _ = rand.Read(k.secret) // never fails
	return k
}

// Prefix is what may be shown of the key.
func (k APIKey) Prefix() string {
	return strings.Join([]string{keyBrand, k.Tenant, k.ID}, keySeparate)
}

// Reveal returns the key as its bearer shows it.
func (k APIKey) Reveal() string {
	text := k.Prefix() + keySeparate + base64.RawURLEncoding.EncodeToString(k.secret)
	return text + checkOf(text)
}

// String implements fmt.Stringer: a key that is printed does not leave.
func (k APIKey) String() string { return k.Prefix() }

// Digest is what proves the secret to those inside: its SHA-256.
func (k APIKey) Digest() []byte {
	sum := sha256.Sum256(k.secret)
	return sum[:]
}

// ParseAPIKey reads a key; false for text that was never one.
func ParseAPIKey(text string) (APIKey, bool) {
	cut := len(text) - keyCheck
	if cut < 0 || checkOf(text[:cut]) != text[cut:] {
		return APIKey{}, false
	}
	parts := strings.Split(text[:cut], keySeparate)
	if len(parts) != 4 || parts[0] != keyBrand {
		return APIKey{}, false
	}
	secret, err := base64.RawURLEncoding.DecodeString(parts[3])
	return APIKey{parts[1], parts[2], secret}, err == nil && len(secret) == keySecret
}

func checkOf(text string) string { return fmt.Sprintf("%08x", crc32.ChecksumIEEE([]byte(text))) }
