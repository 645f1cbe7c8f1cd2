package adapter

import (
	"context"
	"encoding/json"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/lockstep-logistics/lockstep/libs/bus"
	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/store"
)

// unreadOwner has the rows of facts whose type the release that recorded them did not know; no
// tenant's name begins so. Their ids begin with the type, so that those of one lie together.
const unreadOwner = "_unread"

// knows reports whether this release has the type of a fact.
func knows(factType string) bool {
	_, err := protoregistry.GlobalTypes.FindMessageByName(protoreflect.FullName(factType))
	return err == nil
}

// unread keeps the whole of a fact that this release shows as an opaque step, for one that
// knows its type.
func unread(f bus.Fact) (store.Row, error) {
	body, err := json.Marshal(f)
	if err != nil {
		return store.Row{}, fault.New(fault.Internal, "FACT_UNWRITABLE", "%s cannot be written", f.ID).Wrap(err)
	}
	id := f.Type + "/" + f.Tenant + "/" + factID(f.Service, f.AggregateID, f.Version, f.Index)
	return store.Row{Tenant: unreadOwner, ID: id, Version: 1, Body: body}, nil
}

// Reread tells whole what earlier releases could only show as opaque steps and this one can
// read. Rows are changed where they lie, so a step keeps its place; one that another replica
// changes at the same time waits for the next turn.
func (r *Recorder) Reread(ctx context.Context) error {
	for after := ""; ; {
		rows, err := r.rows.rows.List(ctx, unreadOwner, "", "", after, pageOfRows)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			return nil
		}
		for _, row := range rows {
			var f bus.Fact
			if err := json.Unmarshal(row.Body, &f); err != nil {
				return fault.New(fault.Internal, "FACT_UNREADABLE", "row %s cannot be read", row.ID).Wrap(err)
			}
			if after = row.ID; !knows(f.Type) {
				after = f.Type + "0" // what follows "/": behind the last row of this type
				break
			}
			if err := r.reread(ctx, f); err != nil {
				return err
			}
			if err := r.rows.rows.Delete(ctx, unreadOwner, row.ID); err != nil {
				return err
			}
		}
	}
}

// reread replaces the opaque step of a fact wherever it was written, and stores its numbers.
func (r *Recorder) reread(ctx context.Context, f bus.Fact) error {
	e, numbers, err := entryOf(f)
	if err != nil {
		return err
	}
	was, err := entryFrom(f.Tenant, opaqueStep(f), f.Version, f.Index)
	if err != nil {
		return err
	}
	there, err := r.replace(ctx, was.keys[0], e)
	if err == nil && !there {
		err = r.rows.put(ctx, e, nil)
	}
	if err != nil || len(numbers) == 0 {
		return err
	}
	rows := make([]store.Row, 0, len(numbers))
	for _, row := range numbers {
		rows = append(rows, row)
	}
	return r.rows.rows.Put(ctx, rows...)
}

// replace puts an entry in the place of its opaque step in every row under a key that has it,
// and reports whether there was one, changed now or before.
func (r *Recorder) replace(ctx context.Context, key string, e entry) (there bool, err error) {
	for after := ""; ; {
		rows, err := r.rows.rows.List(ctx, e.tenant, index, key, after, pageOfRows)
		if err != nil {
			return there, err
		}
		for _, row := range rows {
			after = row.ID
			has, err := r.swap(ctx, row, e)
			if err != nil {
				return there, err
			}
			there = there || has
		}
		if len(rows) < pageOfRows {
			return there, nil
		}
	}
}

// swap does so in one row.
func (r *Recorder) swap(ctx context.Context, row store.Row, e entry) (has bool, err error) {
	of, err := unpack(row)
	if err != nil {
		return false, err
	}
	at := slices.IndexFunc(of.ids(), func(id string) bool { return id == e.id })
	if at < 0 || !of.steps[at].GetOpaque() {
		return at >= 0, nil
	}
	next := store.Row{Tenant: row.Tenant, ID: row.ID, Version: row.Version + 1}
	var keys []string
	for i, f := range of.facts {
		entry := e
		if i != at {
			if entry, err = entryFrom(row.Tenant, of.steps[i], f.Version, f.Index); err != nil {
				return true, err
			}
		}
		next.Body = protowire.AppendBytes(next.Body, entry.body)
		keys = append(keys, entry.keys...)
	}
	slices.Sort(keys)
	next.Keys = map[string][]string{index: slices.Compact(keys)}
	swapped, err := r.rows.rows.Swap(ctx, next, row.Version)
	if err == nil && !swapped {
		err = fault.New(fault.Unavailable, "ROW_CHANGED", "row %s was changed meanwhile", row.ID)
	}
	return true, err
}
