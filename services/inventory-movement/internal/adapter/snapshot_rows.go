package adapter

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/lockstep-logistics/lockstep/libs/quantity"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// SnapshotRows keeps the rows of snapshots in a table: a document has those of one portion
// that are in one part.
type SnapshotRows struct{ rows store.Rows }

// NewSnapshotRows returns the table in the database.
func NewSnapshotRows(db *store.DB) *SnapshotRows { return &SnapshotRows{db.Table("snapshot_rows")} }

// rowsAtOnce is how many documents are read or deleted at a time.
const rowsAtOnce = 100

func prefixOf(snapshot string, part int) string { return fmt.Sprintf("%s/%03d/", snapshot, part) }

// Put implements app.SnapshotRows.
func (r *SnapshotRows) Put(ctx context.Context, snapshot string, portion int, mark string, parts map[int][]domain.SnapshotRow) error {
	docs := make([]store.Row, 0, len(parts))
	for part, rows := range parts {
		var body strings.Builder
		for _, row := range rows {
			writeRow(&body, row)
		}
		docs = append(docs, store.Row{
			Tenant: store.CauseOf(ctx).Tenant, ID: fmt.Sprintf("%s%04d/%s", prefixOf(snapshot, part), portion, mark), Version: 1, Body: []byte(body.String()),
		})
	}
	return r.rows.Put(ctx, docs...)
}

// Part implements app.SnapshotRows.
func (r *SnapshotRows) Part(ctx context.Context, snapshot string, part int, marks []string) ([]domain.SnapshotRow, error) {
	prefix := prefixOf(snapshot, part)
	var out []domain.SnapshotRow
	err := r.each(ctx, prefix, func(docs []store.Row) error {
		for _, d := range docs {
			_, mark, _ := strings.Cut(strings.TrimPrefix(d.ID, prefix), "/")
			if !slices.Contains(marks, mark) {
				continue // of a portion that was never taken
			}
			for line := range strings.Lines(string(d.Body)) {
				row, err := readRow(strings.TrimSuffix(line, "\n"))
				if err != nil {
					return err
				}
				out = append(out, row)
			}
		}
		return nil
	})
	return out, err
}

// Delete implements app.SnapshotRows.
func (r *SnapshotRows) Delete(ctx context.Context, snapshot string) error {
	return r.each(ctx, snapshot+"/", func(docs []store.Row) error {
		ids := make([]string, len(docs))
		for i, d := range docs {
			ids[i] = d.ID
		}
		return r.rows.Delete(ctx, store.CauseOf(ctx).Tenant, ids...)
	})
}

// each pages the documents whose ids begin with a prefix.
func (r *SnapshotRows) each(ctx context.Context, prefix string, do func([]store.Row) error) error {
	for after := prefix; ; {
		page, err := r.rows.List(ctx, store.CauseOf(ctx).Tenant, "", "", after, rowsAtOnce)
		if err != nil {
			return err
		}
		end := slices.IndexFunc(page, func(d store.Row) bool { return !strings.HasPrefix(d.ID, prefix) })
		if end < 0 {
			end = len(page)
		}
		if end > 0 {
			if err := do(page[:end]); err != nil {
				return err
			}
		}
		if end < rowsAtOnce {
			return nil
		}
		after = page[end-1].ID
	}
}

// between stands between the fields of a row; no field has it, since it is no text.
const between = "\x1f"

func writeRow(b *strings.Builder, r domain.SnapshotRow) {
	bad := ""
	if r.Bad {
		bad = "!"
	}
	for _, field := range []string{
		r.Site, r.SKU, r.Owner, r.Unit, r.Place.Location, r.Place.Lot, string(r.Place.Status), r.Quantity.String(), strconv.FormatInt(r.Line, 10), bad, r.Place.Serial,
	} {
		b.WriteString(field)
		b.WriteString(between)
	}
	b.WriteByte('\n')
}

func readRow(line string) (domain.SnapshotRow, error) {
	f := strings.Split(line, between)
	if len(f) == 11 { // from before there were serial numbers
		f = append(f, "")
	}
	if len(f) != 12 {
		return domain.SnapshotRow{}, fmt.Errorf("a row of a snapshot has %d fields", len(f))
	}
	q, err := quantity.Parse(f[7])
	if err != nil {
		return domain.SnapshotRow{}, err
	}
	n, err := strconv.ParseInt(f[8], 10, 64)
	return domain.SnapshotRow{
		Site: f[0], SKU: f[1], Owner: f[2], Unit: f[3], Place: domain.Place{Location: f[4], Lot: f[5], Serial: f[10], Status: domain.Status(f[6])},
		Quantity: q, Line: n, Bad: f[9] != "",
	}, err
}
