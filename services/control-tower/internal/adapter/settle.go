package adapter

import (
	"context"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/control-tower/internal/domain"
)

// tenantsOwner has a row for each tenant with claims; no tenant's name begins so.
const tenantsOwner = "_tenants"

// madeAgain ends the ids of rows with a claim that was made after it had been given back.
const madeAgain = "+"

// Settle takes the mark off rows whose facts ask for nothing any more: that is all that is ever
// written for claims which went well, and what is left is what hangs or is under way. Nothing
// that was settled is unsettled by a later fact, so it does not matter when it runs or who else
// does.
func (r *Recorder) Settle(ctx context.Context) error {
	for after := ""; ; {
		tenants, err := r.rows.rows.List(ctx, tenantsOwner, "", "", after, pageOfRows)
		if err != nil {
			return err
		}
		for _, tenant := range tenants {
			after = tenant.ID
			if err := r.settle(ctx, tenant.ID); err != nil {
				return err
			}
		}
		if len(tenants) < pageOfRows {
			return nil
		}
	}
}

func (r *Recorder) settle(ctx context.Context, tenant string) error {
	for after := ""; ; {
		rows, err := r.rows.rows.List(ctx, tenant, index, owing, after, pageOfRows)
		if err != nil {
			return err
		}
		t := claimsOn(r.rows.rows, tenant)
		group, inside := errgroup.WithContext(ctx)
		group.SetLimit(lookups)
		for _, row := range rows {
			after = row.ID
			group.Go(func() error { return t.settle(inside, row) })
		}
		if err := group.Wait(); err != nil {
			return err
		}
		if len(rows) < pageOfRows {
			return nil
		}
	}
}

// settle takes the mark off one row, unless something in it still asks for something. A row
// that is changed meanwhile has its turn later.
func (t *tracer) settle(ctx context.Context, row store.Row) error {
	of, err := t.unpacked(row)
	if err != nil {
		return err
	}
	books := map[string]book{}
	for _, n := range of.owing(row) {
		b, known := books[n.Key.Document]
		if !known {
			if b, err = t.book(ctx, n.Key.Document); err != nil {
				return err
			}
			books[n.Key.Document] = b
		}
		if b.claims.Owes(n) {
			return nil
		}
	}
	next := row
	next.Version++
	keys := slices.DeleteFunc(slices.Clone(row.Keys[index]), func(k string) bool { return k == owing })
	next.Keys = map[string][]string{index: keys}
	_, err = t.rows.Swap(ctx, next, row.Version)
	return err
}

// markMadeAgain finds what no request and no give-back would lead to: a claim that was made
// although it had been given back, when its target had forgotten that. Whichever of the two
// facts is written last sees the other; only where this process stored the request and no
// give-back since is there nothing to see. The claim's fact is written once more, marked, in a
// row of its own; it is told once all the same.
func (r *Recorder) markMadeAgain(ctx context.Context, e entry) error {
	documents := map[string]bool{}
	for _, n := range e.claims {
		d := document{e.tenant, n.Key.Document}
		switch n.Effect {
		case domain.Requested:
			r.quiet.Add(d, struct{}{})
		case domain.GivenBack:
			r.quiet.Remove(d)
			documents[d.id] = true
		case domain.Made:
			if !r.quiet.Contains(d) {
				documents[d.id] = true
			}
		}
	}
	for document := range documents {
		b, err := claimsOn(r.rows.rows, e.tenant).book(ctx, document)
		if err != nil {
			return err
		}
		for _, n := range b.notes {
			if n.Effect != domain.Made || !b.claims.Owes(n) {
				continue
			}
			again, err := entryFrom(e.tenant, b.steps[n.Fact.ID], n.Fact.Version, n.Fact.Index)
			if err != nil {
				return err
			}
			again.keys = append(again.keys, owing)
			row := pack([]entry{again})
			row.ID += madeAgain
			if err := r.rows.rows.Put(ctx, row, tenantRow(e.tenant)); err != nil {
				return err
			}
		}
	}
	return nil
}

func tenantRow(tenant string) store.Row {
	return store.Row{Tenant: tenantsOwner, ID: tenant, Version: 1}
}
