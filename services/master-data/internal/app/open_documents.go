package app

import (
	"context"
	"strconv"

	"github.com/lockstep-logistics/lockstep/libs/authority"
	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/master-data/internal/domain"
)

// Documents knows the documents of other services that name a record.
type Documents interface {
	// Open finds those that are not finished. It answers within a bound: a service that does
	// not answer is named, and what it has is not known.
	Open(ctx context.Context, objectType, key, id string) Open
}

// Open is the open documents that name a record.
type Open struct {
	Documents []OpenDocument // the first of them
	More      bool           // there are more
	NotAsked  []string       // services that did not answer
}

// OpenDocument is one of them.
type OpenDocument struct{ Type, ID, Number, State string }

// objectOf is the type of a proposed change's record, with its key.
func objectOf(c domain.Change) (objectType, key string) {
	switch {
	case c.Item != nil:
		return "ITEM", c.Item.SKU
	case c.Party != nil:
		return "PARTY", c.Party.Code
	case c.Location != nil:
		return "LOCATION", c.Location.Code
	case c.Carrier != nil:
		return "CARRIER", c.Carrier.Code
	}
	return "", ""
}

// toldOf is how many open documents a receipt names.
const toldOf = 5

// warnings says in a receipt which open documents a change of a field may break.
func (o Open) warnings(field string) []store.Reason {
	var out []store.Reason
	for _, d := range o.Documents[:min(len(o.Documents), toldOf)] {
		out = append(out, store.Reason{Code: "OPEN_DOCUMENTS", Field: field, Message: d.text()})
	}
	for _, service := range o.NotAsked {
		out = append(out, store.Reason{Code: "OPEN_DOCUMENTS_UNKNOWN", Field: field, Message: service + " did not say which of its documents name the record"})
	}
	return out
}

func (d OpenDocument) text() string {
	text := d.Type + " " + d.ID
	if d.Number != "" {
		text += " (" + d.Number + ")"
	}
	if d.State != "" {
		text += " is " + d.State
	}
	return text
}

// count is how many open documents are known, with a plus where there are more.
func (o Open) count() string {
	n := strconv.Itoa(len(o.Documents))
	if o.More {
		n += "+"
	}
	return n
}

// refused is the refusal of a change that open documents may break by; nil when there are none.
// That a service did not answer refuses nothing: master data goes on while others are down.
func (o Open) refused() error {
	if len(o.Documents) == 0 {
		return nil
	}
	err := fault.New(fault.Refused, "OPEN_DOCUMENTS", "%s open documents name the record: finish them, or set allow_open_documents", o.count()).With("open_documents", o.count())
	for _, d := range o.Documents[:min(len(o.Documents), toldOf)] {
		err = err.WithField("allow_open_documents", "OPEN_DOCUMENTS", "%s", d.text())
	}
	return err
}

// retirement is the field of a record that a retirement changes.
const retirement = "state"

// OpenOf finds the open documents that name a record.
func (r Changes) OpenOf(ctx context.Context, objectType, key string) (Open, error) {
	var id string
	var err error
	switch objectType {
	case "ITEM":
		id, err = idOf(ctx, r.Items, key)
	case "PARTY":
		id, err = idOf(ctx, r.Parties, key)
	case "LOCATION":
		id, err = idOf(ctx, r.Locations.Registry, key)
	default:
		id, err = idOf(ctx, r.Carriers, key)
	}
	if err != nil {
		return Open{}, err
	}
	return r.Documents.Open(ctx, objectType, key, id), nil
}

func idOf[V domain.Value](ctx context.Context, r *Registry[V], key string) (string, error) {
	view, err := r.Get(ctx, key)
	return view.ID, err
}

// Retire takes a record out of use. One that open documents name stays, unless they are allowed.
func Retire[V domain.Value](ctx context.Context, docs Documents, r *Registry[V], key string, allow bool) (store.Receipt, error) {
	record, err := r.Find(ctx, key)
	if err != nil {
		return store.Receipt{}, err
	}
	var open Open
	if record.State == domain.Active {
		open = docs.Open(ctx, r.of, key, r.ID(ctx, key))
	}
	return r.change(ctx, key, func(c store.Current[domain.Record[V]], w authority.Word, t authority.Table) (domain.Outcome[V], []store.Reason, error) {
		out, err := domain.RetireBy(c.ID, c.State, w, t)
		if err != nil || len(out.Facts) == 0 || domain.After(c.State, out.Facts) != domain.Retired {
			return out, nil, err
		}
		if err := open.refused(); err != nil && !allow {
			return domain.Outcome[V]{}, nil, err
		}
		return out, open.warnings(retirement), nil
	})
}

// Breaking is what a change may break.
type Breaking struct {
	Fields []string // of the record; none: nothing
	Open   Open
}

// Preview says what a change may break as the record and the documents stand now.
func (r Changes) Preview(ctx context.Context, change domain.Change) (Breaking, error) {
	var b Breaking
	var err error
	switch {
	case change.Item != nil:
		b.Fields, err = breaks(ctx, r.Items, *change.Item)
	case change.Location != nil:
		b.Fields, err = breaks(ctx, r.Locations.Registry, *change.Location)
	case change.Carrier != nil:
		b.Fields, err = breaks(ctx, r.Carriers, *change.Carrier)
	}
	if err != nil || len(b.Fields) == 0 {
		return b, err
	}
	objectType, key := objectOf(change)
	b.Open, err = r.OpenOf(ctx, objectType, key)
	return b, err
}

func breaks[V domain.Value](ctx context.Context, r *Registry[V], next V) ([]string, error) {
	record, err := r.Find(ctx, next.Key())
	return domain.Breaks(record, next), err
}

// field is what warnings and refusals of a change are about.
func (b Breaking) field() string {
	if len(b.Fields) == 0 {
		return ""
	}
	return b.Fields[0]
}
