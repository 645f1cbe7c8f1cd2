// Package app holds the use cases of master data: put, retire, get and list
// records of each type, alone and in batches.
package app

import (
	"context"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/master-data/internal/domain"
)

// Registry keeps the records of one type, each under the id derived from the
// tenant and its business code.
type Registry[V domain.Value] struct {
	prefix  string
	records store.Aggregates[domain.Record[V], domain.Fact[V]]
}

// NewRegistry returns the registry whose ids have the prefix.
func NewRegistry[V domain.Value](prefix string, records store.Aggregates[domain.Record[V], domain.Fact[V]]) *Registry[V] {
	return &Registry[V]{prefix, records}
}

// ID returns the id of the record with the code, for the tenant in ctx.
func (r *Registry[V]) ID(ctx context.Context, code string) string {
	if code == "" { // the tenant's own record
		return ident.Derive(r.prefix, store.CauseOf(ctx).Tenant)
	}
	return ident.Derive(r.prefix, store.CauseOf(ctx).Tenant, code)
}

// Put creates or replaces a record.
func (r *Registry[V]) Put(ctx context.Context, value V) (store.Receipt, error) {
	return r.change(ctx, value.Key(), func(id string, current domain.Record[V]) ([]domain.Fact[V], error) {
		return domain.Put(id, current, value)
	})
}

// Retire takes a record out of use.
func (r *Registry[V]) Retire(ctx context.Context, code string) (store.Receipt, error) {
	return r.change(ctx, code, domain.Retire[V])
}

func (r *Registry[V]) change(ctx context.Context, code string, decide func(string, domain.Record[V]) ([]domain.Fact[V], error)) (store.Receipt, error) {
	return r.records.Update(ctx, r.ID(ctx, code), func(c store.Current[domain.Record[V]]) (store.Decision[domain.Fact[V]], error) {
		facts, err := decide(c.ID, c.State)
		return store.Decision[domain.Fact[V]]{Facts: facts, State: string(domain.After(c.State, facts))}, err
	})
}

// Get returns a record.
func (r *Registry[V]) Get(ctx context.Context, code string) (store.View[domain.Record[V]], error) {
	return r.records.Get(ctx, r.ID(ctx, code))
}

// Find returns the record with the code; its state is Absent when there is none.
func (r *Registry[V]) Find(ctx context.Context, code string) (domain.Record[V], error) {
	view, err := r.Get(ctx, code)
	if err != nil && !fault.IsKind(err, fault.NotFound) {
		return domain.Record[V]{}, err
	}
	return view.State, nil
}

// List pages the records that the query's index lists.
func (r *Registry[V]) List(ctx context.Context, q store.Query) (store.Page[domain.Record[V]], error) {
	return r.records.List(ctx, q)
}

// Locations is the registry of locations: a location takes its site from its parent.
type Locations struct{ *Registry[domain.Location] }

// Put creates or replaces a location under its parent.
func (l Locations) Put(ctx context.Context, value domain.Location) (store.Receipt, error) {
	var parent domain.Record[domain.Location]
	if value.Parent != "" && value.Parent != value.Code {
		var err error
		if parent, err = l.Find(ctx, value.Parent); err != nil {
			return store.Receipt{}, err
		}
	}
	return l.change(ctx, value.Code, func(id string, current domain.Record[domain.Location]) ([]domain.Fact[domain.Location], error) {
		placed, err := value.Under(parent)
		if err != nil {
			return nil, err
		}
		return domain.Put(id, current, placed)
	})
}

// Parties is the registry of parties: a partner or customer sees its own record only.
type Parties struct{ *Registry[domain.Party] }

// Get returns a party; one that the caller may not see is as unknown.
func (p Parties) Get(ctx context.Context, code string) (store.View[domain.Record[domain.Party]], error) {
	id := p.ID(ctx, code)
	if own, limited := ownParty(ctx); limited && own != id {
		return store.View[domain.Record[domain.Party]]{}, fault.New(fault.NotFound, "NOT_FOUND", "unknown")
	}
	return p.Registry.Get(ctx, code)
}

// List pages the parties that the caller may see.
func (p Parties) List(ctx context.Context, q store.Query) (store.Page[domain.Record[domain.Party]], error) {
	own, limited := ownParty(ctx)
	if !limited {
		return p.Registry.List(ctx, q)
	}
	views, err := p.records.GetMany(ctx, []string{own})
	return store.Page[domain.Record[domain.Party]]{Items: views}, err
}

// ownParty returns the id of the party that limits what the caller sees.
func ownParty(ctx context.Context) (id string, limited bool) {
	c, ok := guard.CallerOf(ctx)
	return c.Party, ok && c.Party != ""
}
