package adapter

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/store"
	integrationv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/integration/v1"
	"github.com/lockstep-logistics/lockstep/services/integration/internal/app"
	"github.com/lockstep-logistics/lockstep/services/integration/internal/document"
	"github.com/lockstep-logistics/lockstep/services/integration/internal/memory"
)

const (
	pieceBytes   = 256 << 10 // of content in one row
	piecesAtOnce = 4         // rows that are read at a time
)

// Contents keeps the bytes of documents in a table, in pieces, by their hash.
type Contents struct {
	rows   store.Rows
	budget *memory.Budget
	recent *memory.Recent[[]byte] // for the next portions
}

// NewContents opens the table. Besides what it lends within the budget it keeps so many bytes.
func NewContents(db *store.DB, budget *memory.Budget, keep int64) *Contents {
	return newContents(db.Table("contents"), budget, keep)
}

func newContents(rows store.Rows, budget *memory.Budget, keep int64) *Contents {
	return &Contents{rows, budget, memory.NewRecent(keep, func(content []byte) int64 { return int64(len(content)) })}
}

func pieces(sha string, size int64) (ids []string) {
	for i := int64(0); i*pieceBytes < size; i++ {
		ids = append(ids, fmt.Sprintf("%s-%03d", sha, i))
	}
	return ids
}

// Put keeps content.
func (c *Contents) Put(ctx context.Context, tenant, sha string, content []byte) error {
	ids := pieces(sha, int64(len(content)))
	var rows []store.Row
	i := 0
	for piece := range slices.Chunk(content, pieceBytes) {
		rows = append(rows, store.Row{Tenant: tenant, ID: ids[i], Version: 1, Body: piece})
		i++
	}
	return c.rows.Put(ctx, rows...)
}

// Lend lends content while it is used.
func (c *Contents) Lend(ctx context.Context, tenant, sha string, size int64, use func(content []byte)) error {
	done, err := c.budget.Wait(ctx, size)
	if err != nil {
		return err
	}
	defer done()
	key := tenant + "/" + sha
	content, ok := c.recent.Get(key)
	if !ok {
		if content, err = c.read(ctx, tenant, sha, size); err != nil {
			return err
		}
		c.recent.Add(key, content)
	}
	use(content)
	return nil
}

func (c *Contents) read(ctx context.Context, tenant, sha string, size int64) ([]byte, error) {
	whole := make([]byte, 0, size)
	for ids := range slices.Chunk(pieces(sha, size), piecesAtOnce) {
		rows, err := c.rows.GetMany(ctx, tenant, ids)
		if err != nil {
			return nil, err
		}
		slices.SortFunc(rows, func(a, b store.Row) int { return strings.Compare(a.ID, b.ID) })
		for _, row := range rows {
			whole = append(whole, row.Body...)
		}
	}
	if int64(len(whole)) != size {
		return nil, fault.New(fault.Internal, "CONTENT_LOST", "%d of %d bytes of content %s are there", len(whole), size, sha)
	}
	return whole, nil
}

// Report keeps the errors of documents in a table, one row a portion.
type Report struct{ rows store.Rows }

const indexDocument = "document"

// NewReport opens the table.
func NewReport(db *store.DB) *Report { return &Report{db.Table("errors", indexDocument)} }

func portionRow(id string, portion int) string { return fmt.Sprintf("%s-%06d", id, portion) }

// Write replaces the errors of a portion: a run that was cut off may have left others.
func (r *Report) Write(ctx context.Context, tenant, id string, portion int, errs []document.Error) error {
	row := portionRow(id, portion)
	if err := r.rows.Delete(ctx, tenant, row); err != nil || len(errs) == 0 {
		return err
	}
	var list integrationv1.ListDocumentErrorsResponse
	for _, e := range errs {
		list.Errors = append(list.Errors, toError(e))
	}
	body, err := proto.Marshal(&list)
	if err != nil {
		return fault.New(fault.Internal, "REPORT_UNWRITABLE", "the errors of %s cannot be written", row).Wrap(err)
	}
	return r.rows.Put(ctx, store.Row{Tenant: tenant, ID: row, Version: 1, Body: body, Keys: map[string][]string{indexDocument: {id}}})
}

// portionsAtOnce are read for a page.
const portionsAtOnce = 4

// Page returns errors from a place on.
func (r *Report) Page(ctx context.Context, tenant, id string, from app.Cursor, upTo, limit int) ([]document.Error, *app.Cursor, error) {
	var errs []document.Error
	after := ""
	if from.Portion > 0 {
		after = portionRow(id, from.Portion-1)
	}
	for {
		rows, err := r.rows.List(ctx, tenant, indexDocument, id, after, portionsAtOnce)
		if err != nil {
			return nil, nil, err
		}
		for _, row := range rows {
			var portion int
			if _, err := fmt.Sscanf(row.ID[len(id):], "-%d", &portion); err != nil || portion > upTo {
				return errs, nil, nil
			}
			var list integrationv1.ListDocumentErrorsResponse
			if err := proto.Unmarshal(row.Body, &list); err != nil {
				return nil, nil, fault.New(fault.Internal, "REPORT_UNREADABLE", "the errors of %s cannot be read", row.ID).Wrap(err)
			}
			for i, e := range list.GetErrors() {
				if portion == from.Portion && i < from.Index {
					continue
				}
				if len(errs) == limit {
					return errs, &app.Cursor{Portion: portion, Index: i}, nil
				}
				errs = append(errs, fromError(e))
			}
		}
		if len(rows) < portionsAtOnce {
			return errs, nil, nil
		}
		after = rows[len(rows)-1].ID
	}
}
