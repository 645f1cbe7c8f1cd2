package app

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/master-data/internal/domain"
)

// Indexes of cross-references.
const (
	IndexSystem = "system" // of the external id
	IndexObject = "object" // type and key of our object
	IndexTold   = "told"   // the same and the system
)

// References is the registry of cross-references.
type References struct {
	*Registry[domain.CrossReference]
	Items     *Registry[domain.Item]
	Parties   *Registry[domain.Party]
	Locations *Registry[domain.Location]
	Carriers  *Registry[domain.Carrier]
}

// Reference is one meaning to be put.
type Reference struct {
	System, Type, External string
	Meaning                domain.Meaning
}

// Key is the key of the record that the meaning is put into.
func (r Reference) Key() string { return domain.Joined(r.System, r.Type, r.External) }

// Put gives an external id a meaning. An object of master data must be in use.
func (r References) Put(ctx context.Context, ref Reference) (store.Receipt, error) {
	if err := r.known(ctx, ref.Type, ref.Meaning.Object); err != nil {
		return store.Receipt{}, err
	}
	return r.put(ctx, ref.Key(), func(c store.Current[domain.Record[domain.CrossReference]]) (domain.CrossReference, error) {
		value := c.State.Value
		value.System, value.Type, value.External = ref.System, ref.Type, ref.External
		return value.With(ref.Meaning, c.Now)
	})
}

// End ends the meanings of an external id, those of one object or all, at a time; the zero time
// is now.
func (r References) End(ctx context.Context, ref Reference, at time.Time) (store.Receipt, error) {
	return r.put(ctx, ref.Key(), func(c store.Current[domain.Record[domain.CrossReference]]) (domain.CrossReference, error) {
		if c.State.State == domain.Absent {
			return domain.CrossReference{}, fault.New(fault.NotFound, "NOT_FOUND", "%s of %s is not known", ref.External, ref.System)
		}
		if at.IsZero() {
			return c.State.Value.Ended(ref.Meaning.Object, c.Now)
		}
		return c.State.Value.Ended(ref.Meaning.Object, at)
	})
}

// known refuses an object of master data that is not in use, and a unit that is none.
func (r References) known(ctx context.Context, objectType, key string) error {
	ok := true
	var err error
	switch objectType {
	case "ITEM":
		ok, err = inUse(ctx, r.Items, key)
	case "PARTY":
		ok, err = inUse(ctx, r.Parties, key)
	case "LOCATION":
		ok, err = inUse(ctx, r.Locations, key)
	case "CARRIER":
		ok, err = inUse(ctx, r.Carriers, key)
	case "CARRIER_SERVICE":
		code, service, _ := strings.Cut(key, "/")
		var carrier domain.Record[domain.Carrier]
		carrier, err = r.Carriers.Find(ctx, code)
		ok = carrier.State == domain.Active && carrier.Value.Sells(service)
	case "UNIT":
		_, ok = quantity.Unit(key)
	}
	if err != nil || ok {
		return err
	}
	return fault.New(fault.Invalid, "OBJECT_UNKNOWN", "there is no %s %q in use", strings.ToLower(objectType), key).
		WithField("object_key", "OBJECT_UNKNOWN", "is no %s in use", strings.ToLower(objectType))
}

func inUse[V domain.Value](ctx context.Context, r *Registry[V], code string) (bool, error) {
	record, err := r.Find(ctx, code)
	return record.State == domain.Active, err
}

// ObjectID returns the id of an object of ours; "" where its type has none.
func (r References) ObjectID(ctx context.Context, objectType, key string) string {
	switch objectType {
	case "ITEM":
		return r.Items.ID(ctx, key)
	case "PARTY":
		return r.Parties.ID(ctx, key)
	case "LOCATION":
		return r.Locations.ID(ctx, key)
	case "CARRIER":
		return r.Carriers.ID(ctx, key)
	case "UNIT", "CARRIER_SERVICE":
		return ""
	}
	return key
}

// Resolve says what an external id means at a moment.
func (r References) Resolve(ctx context.Context, ref Reference, at time.Time) (id string, m domain.Meaning, err error) {
	view, err := r.Get(ctx, ref.Key())
	if err != nil {
		return "", m, err
	}
	m, ok := view.State.Value.Means(at)
	if !ok {
		return "", m, fault.New(fault.NotFound, "NOT_IN_USE", "%s of %s means no %s at %s", ref.External, ref.System, strings.ToLower(ref.Type), at.Format(time.RFC3339))
	}
	return view.ID, m, nil
}

// Told is an id by which a system is told of an object.
type Told struct {
	ID, External string
	Meaning      domain.Meaning
}

// ResolveOut says by which ids a system knows an object of ours at a moment: the one that began
// last stands first.
func (r References) ResolveOut(ctx context.Context, ref Reference, at time.Time) ([]Told, time.Time, error) {
	page, err := r.List(ctx, store.Query{Index: IndexTold, Key: domain.Joined(ref.Type, ref.Meaning.Object, ref.System), PageSize: 200})
	if err != nil {
		return nil, time.Time{}, err
	}
	var all []Told
	for _, v := range page.Items {
		if m, ok := v.State.Value.Names(ref.Meaning.Object, at); ok {
			all = append(all, Told{v.ID, v.State.Value.External, m})
		}
	}
	if len(all) == 0 {
		return nil, page.AsOf, fault.New(fault.NotFound, "NOT_IN_USE", "%s knows no %s %s at %s", ref.System, strings.ToLower(ref.Type), ref.Meaning.Object, at.Format(time.RFC3339))
	}
	slices.SortStableFunc(all, func(a, b Told) int { return b.Meaning.From.Compare(a.Meaning.From) })
	return all, page.AsOf, nil
}
