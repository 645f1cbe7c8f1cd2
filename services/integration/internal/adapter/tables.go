package adapter

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	lru "github.com/hashicorp/golang-lru/v2"
	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/store"
	integrationv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/integration/v1"
	"github.com/lockstep-logistics/lockstep/services/integration/internal/app"
	"github.com/lockstep-logistics/lockstep/services/integration/internal/document"
)

const (
	pieceBytes = 256 << 10 // of content in one row
	recently   = 8         // documents whose content is kept in memory, for their next portions
)

// Contents keeps the bytes of documents in a table, in pieces, by their hash.
type Contents struct {
	rows   store.Rows
	recent *lru.Cache[string, []byte]
}

// NewContents opens the table.
func NewContents(db *store.DB) *Contents {
	recent, err := lru.New[string, []byte](recently)
	if err != nil { // only of a size below 1
		panic(err)
	}
	return &Contents{rows: db.Table("contents"), recent: recent}
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

// Get returns content.
func (c *Contents) Get(ctx context.Context, tenant, sha string, size int64) ([]byte, error) {
	if content, ok := c.recent.Get(tenant + "/" + sha); ok {
		return content, nil
	}
	ids := pieces(sha, size)
	rows, err := c.rows.GetMany(ctx, tenant, ids)
	if err != nil {
		return nil, err
	}
	found := map[string][]byte{}
	for _, row := range rows {
		found[row.ID] = row.Body
	}
	var whole bytes.Buffer
	for _, id := range ids {
		whole.Write(found[id])
	}
	if int64(whole.Len()) != size {
		return nil, fault.New(fault.Internal, "CONTENT_LOST", "%d of %d bytes of content %s are there", whole.Len(), size, sha)
	}
	c.recent.Add(tenant+"/"+sha, whole.Bytes())
	return whole.Bytes(), nil
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
