package app

import (
	"context"

	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/integration/internal/document"
	"github.com/lockstep-logistics/lockstep/services/integration/internal/domain"
)

// Get returns one document.
func (a *App) Get(ctx context.Context, id string) (store.View[domain.Document], error) {
	return a.Documents.Get(ctx, id)
}

// List pages documents.
func (a *App) List(ctx context.Context, q store.Query) (store.Page[domain.Document], error) {
	return a.Documents.List(ctx, q)
}

// Errors pages the errors of a document. What a portion found that is not counted yet is
// left out, so that the report never says more than the document does.
func (a *App) Errors(ctx context.Context, id string, from Cursor, limit int) ([]document.Error, *Cursor, error) {
	view, err := a.Documents.Get(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	return a.Report.Page(ctx, store.CauseOf(ctx).Tenant, id, from, view.State.Portions, limit)
}
