package guard

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Gateway is the owner whose key may vouch for people and API clients. Any other
// owner is a service and may only vouch for itself.
const Gateway = "gateway"

// Key is an Ed25519 signing key with its owner: Gateway or the name of a service.
type Key struct {
	Owner   string
	private ed25519.PrivateKey
}

// NewKey generates a key: what a process that runs everything does at start.
func NewKey(owner string) (Key, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	return Key{owner, private}, err
}

// ParseKey reads a PKCS #8 private key in PEM, as `openssl genpkey -algorithm ed25519` writes it.
func ParseKey(owner string, text []byte) (Key, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return Key{}, errors.New("no PEM block")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return Key{}, err
	}
	private, ok := parsed.(ed25519.PrivateKey)
	if !ok {
		return Key{}, fmt.Errorf("an Ed25519 key is needed, not %T", parsed)
	}
	return Key{owner, private}, nil
}

// Trusted returns the public half.
func (k Key) Trusted() Trusted {
	return Trusted{k.Owner, k.private.Public().(ed25519.PublicKey)}
}

// Trusted is a public key with the owner it speaks for.
type Trusted struct {
	Owner  string
	public ed25519.PublicKey
}

// id names the key in a token's header.
func (t Trusted) id() string {
	sum := sha256.Sum256(t.public)
	return hex.EncodeToString(sum[:8])
}

// Keys is the set of public keys that a verifier trusts, by id.
type Keys struct {
	mu     sync.RWMutex
	byID   map[string]Trusted
	folder string // read again when an unknown id appears; "" for a fixed set
	read   time.Time
}

// rereadAfter bounds what a flood of tokens with unknown key ids can cost.
const rereadAfter = 30 * time.Second

// Trust returns a fixed set.
func Trust(keys ...Trusted) *Keys {
	k := &Keys{byID: map[string]Trusted{}}
	for _, t := range keys {
		k.byID[t.id()] = t
	}
	return k
}

// LoadKeys reads the PEM public keys of a folder: "<owner>.pem", or, while a key is
// rotated, "<owner>.<anything>.pem" beside it. A key that appears later is found
// within 30 seconds of its first use.
func LoadKeys(folder string) (*Keys, error) {
	byID, err := readKeys(folder)
	if err != nil {
		return nil, err
	}
	return &Keys{byID: byID, folder: folder, read: time.Now()}, nil
}

func readKeys(folder string) (map[string]Trusted, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.pem"))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("no public keys (*.pem) in %s", folder)
	}
	keys := map[string]Trusted{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		owner, _, _ := strings.Cut(filepath.Base(file), ".")
		t, err := parsePublic(owner, text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		keys[t.id()] = t
	}
	return keys, nil
}

func parsePublic(owner string, text []byte) (Trusted, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return Trusted{}, errors.New("no PEM block")
	}
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return Trusted{}, err
	}
	public, ok := parsed.(ed25519.PublicKey)
	if !ok {
		return Trusted{}, fmt.Errorf("an Ed25519 key is needed, not %T", parsed)
	}
	return Trusted{owner, public}, nil
}

// find returns the key with an id.
func (k *Keys) find(id string) (Trusted, bool) {
	k.mu.RLock()
	t, ok := k.byID[id]
	stale := !ok && k.folder != "" && time.Since(k.read) > rereadAfter
	k.mu.RUnlock()
	if !stale {
		return t, ok
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if time.Since(k.read) > rereadAfter {
		k.read = time.Now()
		if byID, err := readKeys(k.folder); err == nil { // a half-written folder keeps the old set
			k.byID = byID
		}
	}
	t, ok = k.byID[id]
	return t, ok
}
