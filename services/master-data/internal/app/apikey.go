package app

import (
	"context"
	"crypto/rand"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/master-data/internal/domain"
)

// APIKeys is the registry of the keys of API clients.
type APIKeys struct {
	*Registry[domain.APIKey]
	Parties *Registry[domain.Party]
	Log     *slog.Logger
}

const saltBytes = 16

// Create makes a key. The second result is the key as its bearer shows it; empty for a repeat of
// the command, as nothing of it is kept, and for a trial.
func (r APIKeys) Create(ctx context.Context, key domain.APIKey) (store.Receipt, string, error) {
	by := guard.Author(ctx)
	var party domain.Record[domain.Party]
	if key.Party != "" {
		var err error
		if party, err = r.Parties.Find(ctx, key.Party); err != nil {
			return store.Receipt{}, "", err
		}
	}
	cause := store.CauseOf(ctx)
	made := guard.NewAPIKey(cause.Tenant, r.ID(ctx, key.Name))
	salt := make([]byte, saltBytes)
	_, _ = rand.Read(salt) // never fails
	key.Prefix, key.Salt, key.Hash = made.Prefix(), salt, domain.SecretHash(salt, made.Digest())
	receipt, err := r.decide(ctx, key.Name, func(c store.Current[domain.Record[domain.APIKey]]) (domain.APIKey, error) {
		return key.Create(c.State, party, by, c.Now)
	})
	if err != nil || receipt.Replayed || cause.Validate {
		return receipt, "", err
	}
	return receipt, made.Reveal(), nil
}

// Revoke revokes a key.
func (r APIKeys) Revoke(ctx context.Context, name string) (store.Receipt, error) {
	by := guard.Author(ctx)
	return r.decide(ctx, name, func(c store.Current[domain.Record[domain.APIKey]]) (domain.APIKey, error) {
		return c.State.Value.Revoke(by, c.Now)
	})
}

// decide takes a step of a key's life; the receipt's state is the key's.
func (r APIKeys) decide(ctx context.Context, name string, step func(store.Current[domain.Record[domain.APIKey]]) (domain.APIKey, error)) (store.Receipt, error) {
	return r.records.Update(ctx, r.ID(ctx, name), func(c store.Current[domain.Record[domain.APIKey]]) (store.Decision[domain.Fact[domain.APIKey]], error) {
		next, err := step(c)
		if err != nil {
			return store.Decision[domain.Fact[domain.APIKey]]{}, err
		}
		facts, err := domain.Put(c.ID, c.State, next)
		return store.Decision[domain.Fact[domain.APIKey]]{Facts: facts, State: string(next.State(c.Now))}, err
	})
}

// Resolve returns the key whose bearer has a digest, with the id of the party that limits it.
func (r APIKeys) Resolve(ctx context.Context, id string, digest []byte, now time.Time) (key domain.APIKey, party string, err error) {
	if strings.HasPrefix(id, r.prefix+"_") { // else it is another type's
		view, err := r.records.Get(ctx, id)
		if err != nil && !fault.IsKind(err, fault.NotFound) {
			return key, "", err
		}
		key = view.State.Value // that of none has no secret
	}
	if err := key.Admit(digest, now); err != nil {
		return key, "", err
	}
	r.used(ctx, key, now)
	if key.Party != "" {
		party = r.Parties.ID(ctx, key.Party)
	}
	return key, party, nil
}

// used keeps the hour of a use. That it cannot be kept keeps nobody out.
func (r APIKeys) used(ctx context.Context, key domain.APIKey, now time.Time) {
	seen, another := key.Seen(now)
	if !another {
		return
	}
	name := "api-key:" + key.Name + ":used:" + strconv.FormatInt(seen.Used.Unix(), 10)
	_, err := r.decide(guard.Derived(ctx, store.CauseOf(ctx).Tenant, name, seen.Used), key.Name, func(c store.Current[domain.Record[domain.APIKey]]) (domain.APIKey, error) {
		next, _ := c.State.Value.Seen(now)
		return next, nil
	})
	if err != nil {
		r.Log.WarnContext(ctx, "the use of an API key is not kept", "key", key.Name, "error", err)
	}
}
