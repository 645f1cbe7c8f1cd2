package app

import (
	"context"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/codelist"
	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/master-data/internal/domain"
)

// CodeLists is the registry of the tenants' code lists, over the embedded ones.
type CodeLists struct{ *Registry[domain.CodeList] }

// Whole returns the list that holds, with the tenant's record of it.
func (r CodeLists) Whole(ctx context.Context, code string) (codelist.List, store.View[domain.Record[domain.CodeList]], error) {
	view, err := r.Get(ctx, code)
	if err != nil && !fault.IsKind(err, fault.NotFound) {
		return codelist.List{}, view, err
	}
	list, ok := domain.Whole(code, view.State)
	if !ok {
		return list, view, fault.New(fault.NotFound, "NOT_FOUND", "there is no code list %q", code)
	}
	return list, view, nil
}

// Resolve returns the entry of a code, or those that a canonical code is written as.
func (r CodeLists) Resolve(ctx context.Context, list, code, canonical string, at time.Time) ([]codelist.Entry, error) {
	if (code == "") == (canonical == "") {
		return nil, fault.New(fault.Invalid, "REQUIRED", "either a code or a canonical code is to be given").
			WithField("entry_code", "REQUIRED", "or canonical_code, but not both")
	}
	l, _, err := r.Whole(ctx, list)
	if err != nil {
		return nil, err
	}
	found := l.For(canonical, at)
	if code != "" {
		found = nil
		if e, ok := l.Resolve(code, at); ok {
			found = []codelist.Entry{e}
		}
	}
	if len(found) == 0 {
		return nil, fault.New(fault.NotFound, "CODE_UNKNOWN", "%s has no code %q at that moment", list, code+canonical)
	}
	return found, nil
}
