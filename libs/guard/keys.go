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
	"sync/atomic"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/clock"
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
	folder string // read again every rereadAfter; "" for a fixed set
	byID   atomic.Pointer[map[string]Trusted]

	reading sync.Mutex                // of the one who reads the folder again; nobody waits for it
	read    atomic.Pointer[time.Time] // when that was
}

// rereadAfter is how long a key that was removed is trusted, and how soon one that was added
// is found. It also bounds what a flood of tokens with unknown key ids can cost.
const rereadAfter = 10 * time.Second

// Trust returns a fixed set.
func Trust(keys ...Trusted) *Keys {
	byID := map[string]Trusted{}
	for _, t := range keys {
		byID[t.id()] = t
	}
	return keysOf("", byID)
}

// LoadKeys reads the PEM public keys of a folder: "<owner>.pem", or, while a key is
// rotated, "<owner>.<anything>.pem" beside it. A key that is added or removed later is
// trusted, or no longer trusted, within 10 seconds. A folder that cannot be read, or holds
// a file that is no key, leaves the set as it was; a folder without keys trusts nobody.
func LoadKeys(folder string) (*Keys, error) {
	byID, err := readKeys(folder)
	if err != nil {
		return nil, err
	}
	if len(byID) == 0 {
		return nil, fmt.Errorf("no public keys (*.pem) in %s", folder)
	}
	return keysOf(folder, byID), nil
}

func keysOf(folder string, byID map[string]Trusted) *Keys {
	k := &Keys{folder: folder}
	k.byID.Store(&byID)
	k.readAt(clock.Monotonic())
	return k
}

func readKeys(folder string) (map[string]Trusted, error) {
	files, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	keys := map[string]Trusted{}
	for _, file := range files {
		owner, _, _ := strings.Cut(file.Name(), ".")
		if file.IsDir() || owner == "" || filepath.Ext(file.Name()) != ".pem" {
			continue
		}
		text, err := os.ReadFile(filepath.Join(folder, file.Name()))
		if err != nil {
			return nil, err
		}
		t, err := parsePublic(owner, text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file.Name(), err)
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

// find returns the key with an id, as the folder has it or had it rereadAfter ago.
func (k *Keys) find(id string) (Trusted, bool) {
	if k.folder != "" && k.age() > rereadAfter && k.reading.TryLock() {
		k.reread()
		k.reading.Unlock()
	}
	t, ok := (*k.byID.Load())[id]
	return t, ok
}

func (k *Keys) age() time.Duration { return clock.Elapsed(*k.read.Load()) }

func (k *Keys) reread() {
	if k.age() <= rereadAfter {
		return // somebody else just did
	}
	if byID, err := readKeys(k.folder); err == nil {
		k.byID.Store(&byID)
	}
	k.readAt(clock.Monotonic())
}

func (k *Keys) readAt(t time.Time) { k.read.Store(&t) }
