package guard

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	mrand "math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/lockstep-logistics/lockstep/libs/fault"
)

// Answers remembers, in Redis, which keys are being worked on and what finished
// commands answered. It only saves work and tells of keys reused on another target:
// with Redis empty, slow or away nothing happens twice, for the store's receipts
// decide. It never says that a command is new.
type Answers struct {
	Redis   redis.UniversalClient
	Timeout time.Duration // of one call to Redis; default 100 ms
	Keep    time.Duration // how long an answer is remembered; default 1 h
	Wait    time.Duration // how long a second call waits for the first; default 2 s

	failures  atomic.Int32
	openUntil atomic.Int64 // µs; until then Redis is not asked
}

const (
	lockLife     = 15 * time.Second // the most a crashed holder can delay a retry
	tripAfter    = 5                // failures in a row
	tripFor      = time.Second
	kindLock     = 'L'
	kindAnswer   = 'A'
	defaultCall  = 100 * time.Millisecond
	defaultKeep  = time.Hour
	defaultWait  = 2 * time.Second
	retryAdvised = time.Second
)

// held is the lock on a key; the zero value holds nothing.
type held struct {
	key   string
	value []byte
}

// begin takes the lock of a scope, or returns the answer that an earlier run gave.
// Neither, with a nil error, means that Redis could not help.
func (a *Answers) begin(ctx context.Context, tenant, scope string, fingerprint []byte) (held, []byte, error) {
	if a == nil || a.Redis == nil {
		return held{}, nil, nil
	}
	token := make([]byte, 16)
	_, _ = rand.Read(token) // never fails
	h := held{answerKey(tenant, scope), encode(kindLock, fingerprint, token)}
	deadline := time.Now().Add(orDefault(a.Wait, defaultWait))
	for pause := 5 * time.Millisecond; ; pause = min(2*pause, 200*time.Millisecond) {
		found, ok := a.lockOrGet(ctx, h)
		switch {
		case !ok:
			return held{}, nil, nil
		case found == nil:
			return h, nil, nil
		}
		switch kind, seen, body := decode(found); {
		case kind == kindAnswer && bytes.Equal(seen, fingerprint):
			return held{}, body, nil
		case kind == kindAnswer:
			return held{}, nil, fault.New(fault.KeyReused, "IDEMPOTENCY_KEY_REUSED", "the idempotency key was used for another request")
		case kind != kindLock:
			return held{}, nil, nil // not ours
		}
		// A lock, whichever request's: it may yet come to nothing, so it proves no reuse.
		jittered := pause/2 + mrand.N(pause)
		if time.Now().Add(jittered).After(deadline) {
			return held{}, nil, fault.New(fault.InProgress, "IDEMPOTENCY_IN_PROGRESS", "a command with this key is being worked on").After(retryAdvised)
		}
		select {
		case <-ctx.Done():
			return held{}, nil, ctx.Err()
		case <-time.After(jittered):
		}
	}
}

// lockOrGet takes the lock (nil, true), or returns what holds it (value, true).
func (a *Answers) lockOrGet(ctx context.Context, h held) (found []byte, ok bool) {
	ok = a.call(ctx, func(ctx context.Context) error {
		for range 2 { // the holder may let go between the two calls
			taken, err := a.Redis.SetNX(ctx, h.key, h.value, lockLife).Result()
			if err != nil || taken {
				return err
			}
			found, err = a.Redis.Get(ctx, h.key).Bytes()
			if !errors.Is(err, redis.Nil) {
				return err
			}
		}
		return errors.New("the lock changes hands too fast")
	})
	return found, ok
}

// finish remembers the answer in place of the lock.
func (a *Answers) finish(ctx context.Context, h held, fingerprint, answer []byte) {
	if h.key == "" {
		return
	}
	a.call(context.WithoutCancel(ctx), func(ctx context.Context) error {
		return a.Redis.Set(ctx, h.key, encode(kindAnswer, fingerprint, answer), orDefault(a.Keep, defaultKeep)).Err()
	})
}

var letGo = redis.NewScript(`if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0`)

// release lets go of the lock after a command that left no answer to remember.
func (a *Answers) release(ctx context.Context, h held) {
	if h.key == "" {
		return
	}
	a.call(context.WithoutCancel(ctx), func(ctx context.Context) error {
		return letGo.Run(ctx, a.Redis, []string{h.key}, h.value).Err()
	})
}

// call runs f under the time limit and the breaker and reports whether it worked.
func (a *Answers) call(ctx context.Context, f func(context.Context) error) bool {
	now := time.Now().UnixMicro()
	if now < a.openUntil.Load() {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, orDefault(a.Timeout, defaultCall))
	defer cancel()
	if err := f(ctx); err != nil {
		if a.failures.Add(1) >= tripAfter {
			a.openUntil.Store(now + tripFor.Microseconds())
		}
		return false
	}
	a.failures.Store(0)
	return true
}

// answerKey is one slot a tenant, and reveals neither principal nor key.
func answerKey(tenant, scope string) string {
	sum := sha256.Sum256([]byte(scope))
	return "idem:{" + tenant + "}:" + base64.RawURLEncoding.EncodeToString(sum[:])
}

// A remembered value is its kind, the length of the fingerprint, the fingerprint, the rest.
func encode(kind byte, fingerprint, rest []byte) []byte {
	return append(append([]byte{kind, byte(len(fingerprint))}, fingerprint...), rest...)
}

func decode(value []byte) (kind byte, fingerprint, rest []byte) {
	if len(value) < 2 || len(value) < 2+int(value[1]) {
		return 0, nil, nil // not ours: the fingerprint will not match
	}
	return value[0], value[2 : 2+value[1]], value[2+int(value[1]):]
}

func orDefault(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return d
}
