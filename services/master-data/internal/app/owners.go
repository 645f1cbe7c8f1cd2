package app

import (
	"context"

	"github.com/lockstep-logistics/lockstep/libs/authority"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/master-data/internal/domain"
)

// Owners is the registry of ownership policies.
type Owners struct{ *Registry[domain.Ownership] }

// Put replaces the tenant's own policy about one type of object; one with the same rules is no
// new version.
func (o *Owners) Put(ctx context.Context, policy domain.Ownership) (store.Receipt, error) {
	return o.put(ctx, policy.Key(), func(c store.Current[domain.Record[domain.Ownership]]) (domain.Ownership, error) {
		return policy.After(c.State), nil
	})
}

type tablesKey struct{}

// Prepared returns a context in which the policy about a type is the one that holds now, so
// that the items of a batch need not read it one by one.
func (o *Owners) Prepared(ctx context.Context, objectType string) (context.Context, error) {
	if store.CauseOf(ctx).Source.System == "" {
		return ctx, nil
	}
	t, err := o.Table(ctx, objectType)
	return context.WithValue(ctx, tablesKey{}, map[string]authority.Table{objectType: t}), err
}

// Table returns the policy that holds for a type of object.
func (o *Owners) Table(ctx context.Context, objectType string) (authority.Table, error) {
	if prepared, ok := ctx.Value(tablesKey{}).(map[string]authority.Table); ok {
		if t, ok := prepared[objectType]; ok {
			return t, nil
		}
	}
	r, err := o.Find(ctx, objectType)
	return domain.TableOf(objectType, r), err
}
