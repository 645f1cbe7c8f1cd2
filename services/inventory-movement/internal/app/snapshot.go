package app

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// StockSnapshots is where snapshots of stock are kept.
type StockSnapshots = store.Aggregates[domain.Snapshot, domain.SnapshotFact]

// SnapshotRows keeps the rows of snapshots until they are closed, by the part of the keys that
// their stocks are in, so that one part at a time is in memory.
type SnapshotRows interface {
	// Put keeps rows of a portion by part; the same again changes nothing.
	Put(ctx context.Context, snapshot string, portion int, mark string, parts map[int][]domain.SnapshotRow) error
	// Part returns the rows of a part that the portions with these marks have.
	Part(ctx context.Context, snapshot string, part int, marks []string) ([]domain.SnapshotRow, error)
	// Delete deletes all rows of a snapshot.
	Delete(ctx context.Context, snapshot string) error
}

// StockScan pages all stocks of a tenant by id.
type StockScan interface {
	Scan(ctx context.Context, after string, limit int) ([]store.View[domain.Stock], error)
}

// Reconciliation is the use cases of snapshots of stock.
type Reconciliation struct {
	*App
	Snapshots StockSnapshots
	Rows      SnapshotRows
	Scan      StockScan
}

// CreateSnapshot announces a snapshot; keys lack the id and the system. One message is one
// snapshot; without a message id each command is.
func (a *Reconciliation) CreateSnapshot(ctx context.Context, k domain.SnapshotKeys, now time.Time) (store.Receipt, error) {
	if k.AsOf.After(now) {
		return store.Receipt{}, domain.Invalid("as_of_time", "TIME_INVALID", "it is not over yet")
	}
	ref, err := a.Reference.Lookup(ctx, k.Sites, nil)
	if err != nil {
		return store.Receipt{}, err
	}
	for i, site := range k.Sites {
		if s, ok := ref.Sites[site]; !ok || !s.IsSite {
			return store.Receipt{}, domain.Invalid("sites["+strconv.Itoa(i)+"]", "SITE_UNKNOWN", "no site %q: define it in master data", site)
		}
	}
	cause := store.CauseOf(ctx)
	if src := cause.Source; src.MessageID != "" {
		k.ID, k.System = ident.Derive("snp", cause.Tenant, "message", src.System, src.MessageID), src.System
	} else {
		k.ID, k.System = ident.Derive("snp", cause.Tenant, "command", cause.Principal, cause.Key), src.System
	}
	return a.onSnapshot(ctx, k.ID, true, func(s domain.Snapshot) ([]domain.SnapshotFact, error) { return domain.CreateSnapshot(s, k) }, nil)
}

// onSnapshot changes a snapshot, which must exist unless the command makes it.
func (a *Reconciliation) onSnapshot(
	ctx context.Context, id string, makes bool, decide func(domain.Snapshot) ([]domain.SnapshotFact, error), values map[string]string,
) (store.Receipt, error) {
	return a.Snapshots.Update(ctx, id, func(c store.Current[domain.Snapshot]) (store.Decision[domain.SnapshotFact], error) {
		if c.Version == 0 && !makes {
			return store.Decision[domain.SnapshotFact]{}, notFound()
		}
		facts, err := decide(c.State)
		if err != nil {
			return store.Decision[domain.SnapshotFact]{}, err
		}
		return store.Decision[domain.SnapshotFact]{Facts: facts, State: string(domain.ApplySnapshot(c.State, facts...).State()), Values: values}, nil
	})
}

// AddRows takes a portion of a file. Its rows are kept before it is said that they are, under
// a mark of their content: those of a portion that was never taken are nobody's.
func (a *Reconciliation) AddRows(ctx context.Context, id string, portion int, content []byte) (store.Receipt, error) {
	v, err := a.Snapshot(ctx, id)
	if err != nil {
		return store.Receipt{}, err
	}
	mark := ident.Derive("m", string(content))[2:22]
	known, err := v.State.Expects(portion, mark)
	var read domain.Portion
	if err == nil && !known {
		if read, err = a.read(ctx, v.State, content); err != nil {
			return store.Receipt{}, err
		}
		tenant, parts := store.CauseOf(ctx).Tenant, map[int][]domain.SnapshotRow{}
		for _, r := range read.Rows {
			part := partOf(StockID(tenant, r.Site, ItemID(tenant, r.SKU), r.Owner))
			parts[part] = append(parts[part], r)
		}
		if err := a.Rows.Put(ctx, id, portion, mark, parts); err != nil {
			return store.Receipt{}, err
		}
	}
	return a.onSnapshot(ctx, id, false, func(s domain.Snapshot) ([]domain.SnapshotFact, error) {
		return domain.AddRows(s, portion, mark, read)
	}, map[string]string{"rows": strconv.FormatInt(read.Taken, 10), "bad_rows": strconv.FormatInt(read.Bad, 10)})
}

// itemsAtOnce is how many items are looked up at a time.
const itemsAtOnce = 500

// read reads a portion against master data.
func (a *Reconciliation) read(ctx context.Context, s domain.Snapshot, content []byte) (domain.Portion, error) {
	p := domain.Portion{Header: domain.Header{Columns: s.Columns, Separator: s.Separator}}
	if len(s.Portions) == 0 {
		first, _, _ := cutLine(content)
		var err error
		if p.Header, err = domain.ReadHeader(first, len(s.Keys.Sites)); err != nil {
			return p, err
		}
	}
	lines, count := domain.Lines(content, p.Header, s.Lines)
	p.Lines = count
	for len(lines) > 0 {
		some := lines[:min(len(lines), itemsAtOnce)]
		lines = lines[len(some):]
		var skus []string
		for _, l := range some {
			if sku := l.SKU(p.Header); sku != "" {
				skus = append(skus, sku)
			}
		}
		ref, err := a.Reference.Lookup(ctx, nil, skus)
		if err != nil {
			return p, err
		}
		for _, l := range some {
			p.Add(l, s.Keys, ref.Items)
		}
	}
	return p, nil
}

// cutLine is the first line of a text, without its break.
func cutLine(content []byte) (line, rest string, more bool) {
	i := slices.Index(content, '\n')
	if i < 0 {
		return string(content), "", false
	}
	end := i
	if end > 0 && content[end-1] == '\r' {
		end--
	}
	return string(content[:end]), string(content[i+1:]), true
}

// StartComparison begins to compare a snapshot.
func (a *Reconciliation) StartComparison(ctx context.Context, id string) (store.Receipt, error) {
	return a.onSnapshot(ctx, id, false, domain.StartComparison, nil)
}

// CloseSnapshot ends work on a snapshot.
func (a *Reconciliation) CloseSnapshot(ctx context.Context, id string) (store.Receipt, error) {
	return a.onSnapshot(ctx, id, false, domain.CloseSnapshot, nil)
}

// FollowClose deletes the rows of a snapshot that is closed.
func (a *Reconciliation) FollowClose(ctx context.Context, id string) error {
	return a.Rows.Delete(ctx, id)
}

// Snapshot returns one snapshot.
func (a *Reconciliation) Snapshot(ctx context.Context, id string) (store.View[domain.Snapshot], error) {
	return found(a.Snapshots.Get(ctx, id))
}

// ListSnapshots pages snapshots by a declared index.
func (a *Reconciliation) ListSnapshots(ctx context.Context, q store.Query) (store.Page[domain.Snapshot], error) {
	return a.Snapshots.List(ctx, q)
}

// partKey is the key of the command that records a part.
func partKey(ctx context.Context, id string, run, part int, at time.Time) context.Context {
	return guard.Derived(ctx, store.CauseOf(ctx).Tenant, "compare:"+id+":"+strconv.Itoa(run)+":"+strconv.Itoa(part), at)
}
