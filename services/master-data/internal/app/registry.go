// Package app holds the use cases of master data: put, retire, get and list
// records of each type, alone and in batches.
package app

import (
	"context"

	"github.com/lockstep-logistics/lockstep/libs/authority"
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
	owners  *Owners // who owns what of the records; nil: nobody
	of      string  // the type of object that the owners are asked about
}

// NewRegistry returns the registry whose ids have the prefix.
func NewRegistry[V domain.Value](prefix string, records store.Aggregates[domain.Record[V], domain.Fact[V]]) *Registry[V] {
	return &Registry[V]{prefix: prefix, records: records}
}

// Governed returns the registry as one whose records are of a type of object that systems may own
// fields of.
func (r *Registry[V]) Governed(owners *Owners, objectType string) *Registry[V] {
	return &Registry[V]{prefix: r.prefix, records: r.records, owners: owners, of: objectType}
}

// ID returns the id of the record with the code, for the tenant in ctx.
func (r *Registry[V]) ID(ctx context.Context, code string) string {
	tenant := store.CauseOf(ctx).Tenant
	if code == "" { // the tenant's own record
		return ident.Derive(r.prefix, tenant)
	}
	return ident.Derive(r.prefix, append([]string{tenant}, domain.Split(code)...)...)
}

// Put creates or replaces a record, as far as the system that says so owns what it changes.
func (r *Registry[V]) Put(ctx context.Context, value V) (store.Receipt, error) {
	return r.put(ctx, value.Key(), func(store.Current[domain.Record[V]]) (V, error) { return value, nil })
}

// put puts the value that is made of what is there.
func (r *Registry[V]) put(ctx context.Context, code string, value func(store.Current[domain.Record[V]]) (V, error)) (store.Receipt, error) {
	return r.change(ctx, code, func(c store.Current[domain.Record[V]], w authority.Word, t authority.Table) (domain.Outcome[V], []store.Reason, error) {
		v, err := value(c)
		if err != nil {
			return domain.Outcome[V]{}, nil, err
		}
		out, err := domain.PutBy(c.ID, c.State, v, w, t)
		return out, nil, err
	})
}

// Retire takes a record out of use, if the system that says so may.
func (r *Registry[V]) Retire(ctx context.Context, code string) (store.Receipt, error) {
	return r.change(ctx, code, func(c store.Current[domain.Record[V]], w authority.Word, t authority.Table) (domain.Outcome[V], []store.Reason, error) {
		out, err := domain.RetireBy(c.ID, c.State, w, t)
		return out, nil, err
	})
}

// decide decides on a record; the reasons are what the receipt says beside the outcome.
type decide[V domain.Value] func(store.Current[domain.Record[V]], authority.Word, authority.Table) (domain.Outcome[V], []store.Reason, error)

func (r *Registry[V]) change(ctx context.Context, code string, decide decide[V]) (store.Receipt, error) {
	source := store.CauseOf(ctx).Source
	var table authority.Table
	if r.owners != nil && source.System != "" {
		var err error
		if table, err = r.owners.Table(ctx, r.of); err != nil {
			return store.Receipt{}, err
		}
	}
	return r.records.Update(ctx, r.ID(ctx, code), func(c store.Current[domain.Record[V]]) (store.Decision[domain.Fact[V]], error) {
		out, reasons, err := decide(c, authority.Word{System: source.System, Message: source.MessageID, At: c.Now}, table)
		return store.Decision[domain.Fact[V]]{
			Facts: out.Facts, State: string(domain.After(c.State, out.Facts)), Reasons: append(foreign(out.Foreign), reasons...),
		}, err
	})
}

// maxReasons bounds what a receipt says about fields that were not taken; the record has them all.
const maxReasons = 10

// foreign says in a receipt what of a word was not taken.
func foreign(list []authority.Observation) []store.Reason {
	var out []store.Reason
	for _, o := range list[:min(len(list), maxReasons)] {
		out = append(out, store.Reason{
			Code: "FIELD_NOT_OWNED", Field: o.Field, Message: "owned by " + o.Owner + ", rule " + string(o.Rule) + ": kept as it was, noted what " + o.System + " said",
		})
	}
	return out
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
	return l.put(ctx, value.Code, func(store.Current[domain.Record[domain.Location]]) (domain.Location, error) {
		return value.Under(parent)
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
