package adapter

import (
	"bytes"
	"context"
	"encoding/csv"
	"strconv"

	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/store"
	imv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/app"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// CreateSnapshot announces a balance file.
func (s *Server) CreateSnapshot(ctx context.Context, r *imv1.CreateSnapshotRequest) (*imv1.CreateSnapshotResponse, error) {
	k := domain.SnapshotKeys{Sites: r.GetSites(), AsOf: protovalue.FromTime(r.GetAsOfTime())}
	receipt, err := s.Reconciliation.CreateSnapshot(ctx, k, s.Clock.Now())
	return &imv1.CreateSnapshotResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// AddSnapshotRows takes a portion of a balance file.
func (s *Server) AddSnapshotRows(ctx context.Context, r *imv1.AddSnapshotRowsRequest) (*imv1.AddSnapshotRowsResponse, error) {
	receipt, err := s.Reconciliation.AddRows(ctx, r.GetSnapshotId(), int(r.GetPortionNumber()), r.GetContent())
	return &imv1.AddSnapshotRowsResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// CompareSnapshot begins to compare a snapshot.
func (s *Server) CompareSnapshot(ctx context.Context, r *imv1.CompareSnapshotRequest) (*imv1.CompareSnapshotResponse, error) {
	receipt, err := s.Reconciliation.StartComparison(ctx, r.GetSnapshotId())
	return &imv1.CompareSnapshotResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// CloseSnapshot ends work on a snapshot.
func (s *Server) CloseSnapshot(ctx context.Context, r *imv1.CloseSnapshotRequest) (*imv1.CloseSnapshotResponse, error) {
	receipt, err := s.Reconciliation.CloseSnapshot(ctx, r.GetSnapshotId())
	return &imv1.CloseSnapshotResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// GetSnapshot returns one snapshot.
func (s *Server) GetSnapshot(ctx context.Context, r *imv1.GetSnapshotRequest) (*imv1.GetSnapshotResponse, error) {
	v, err := s.Reconciliation.Snapshot(ctx, r.GetSnapshotId())
	if err != nil {
		return nil, err
	}
	return &imv1.GetSnapshotResponse{Snapshot: snapshot(v)}, nil
}

// ListSnapshots pages snapshots.
func (s *Server) ListSnapshots(ctx context.Context, r *imv1.ListSnapshotsRequest) (*imv1.ListSnapshotsResponse, error) {
	q := store.Query{PageSize: int(r.GetPageSize()), PageToken: r.GetPageToken()}
	if r.GetSite() != "" {
		q.Index, q.Key = app.IndexSite, r.GetSite()
	}
	page, err := s.Reconciliation.ListSnapshots(ctx, q)
	if err != nil {
		return nil, err
	}
	return &imv1.ListSnapshotsResponse{
		Snapshots: protovalue.Each(page.Items, snapshot), NextPageToken: page.NextToken, AsOfTime: protovalue.Time(page.AsOf),
	}, nil
}

func snapshot(v store.View[domain.Snapshot]) *imv1.StockSnapshot {
	s := v.State
	return &imv1.StockSnapshot{
		SnapshotId: v.ID, State: imv1.SnapshotState(imv1.SnapshotState_value["SNAPSHOT_STATE_"+string(s.State())]), Sites: s.Keys.Sites,
		AsOfTime: protovalue.Time(s.Keys.AsOf), System: s.Keys.System, Portions: int32(len(s.Portions)), Rows: s.Rows, BadRows: s.BadRows,
		Columns: s.Columns, Runs: int32(s.Runs), Counts: snapshotCounts(s.Counts), ReconciliationRatePercent: s.Counts.Rate(),
		KeptDifferences: int32(len(s.Kept)), Etag: v.ETag, CreateTime: protovalue.Time(v.Created),
	}
}

// ListSnapshotDifferences pages the keys that differ.
func (s *Server) ListSnapshotDifferences(ctx context.Context, r *imv1.ListSnapshotDifferencesRequest) (*imv1.ListSnapshotDifferencesResponse, error) {
	v, err := s.Reconciliation.Snapshot(ctx, r.GetSnapshotId())
	if err != nil {
		return nil, err
	}
	var list []domain.SnapshotDifference
	for _, d := range v.State.Kept {
		if r.GetResult() == 0 || protovalue.Name(r.GetResult(), "SNAPSHOT_RESULT_") == string(d.Result) {
			list = append(list, d)
		}
	}
	page, next, err := pageOf(list, r.GetPageToken(), r.GetPageSize())
	if err != nil {
		return nil, err
	}
	return &imv1.ListSnapshotDifferencesResponse{
		NextPageToken: next,
		Differences: protovalue.Each(page, func(d domain.SnapshotDifference) *imv1.ListedDifference {
			return &imv1.ListedDifference{Difference: snapshotDifference(d), ProposedAdjustment: proposed(d, v.State.Keys)}
		}),
	}, nil
}

// proposed is the adjustment that would end a difference; nil for none.
func proposed(d domain.SnapshotDifference, k domain.SnapshotKeys) *imv1.ProposedAdjustment {
	if !d.Adjustable() {
		return nil
	}
	return &imv1.ProposedAdjustment{
		Site: d.Site, Sku: d.SKU, Owner: d.Owner, Location: d.Place.Location, Lot: d.Place.Lot, Serial: d.Place.Serial, Status: status(d.Place.Status),
		Change: amount(d.Delta(), d.Unit), Reason: domain.SnapshotReason, AsOfTime: protovalue.Time(k.AsOf),
	}
}

// pageOf is a page of a list that is read whole; its token is the place of the next one.
func pageOf[T any](list []T, token string, size int32) (page []T, next string, err error) {
	from, err := fromPageToken(token)
	if err != nil {
		return nil, "", err
	}
	if from >= uint64(len(list)) {
		return nil, "", nil
	}
	page = list[from:]
	if n := pageSize(size); len(page) > n {
		return page[:n], pageToken(from + uint64(n)), nil
	}
	return page, "", nil
}

// ExportSnapshotDifferences writes the keys that differ as CSV.
func (s *Server) ExportSnapshotDifferences(ctx context.Context, r *imv1.ExportSnapshotDifferencesRequest) (*imv1.ExportSnapshotDifferencesResponse, error) {
	v, err := s.Reconciliation.Snapshot(ctx, r.GetSnapshotId())
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.UseCRLF = true
	rows := [][]string{{"site", "sku", "owner", "location", "lot", "status", "unit", "ledger", "snapshot", "delta", "result", "lag", "line", "serial"}}
	for _, d := range v.State.Kept {
		rows = append(rows, []string{
			d.Site, d.SKU, d.Owner, d.Place.Location, d.Place.Lot, string(d.Place.Status), d.Unit, d.Ledger.String(), d.Snapshot.String(), d.Delta().String(),
			string(d.Result), string(d.Lag), strconv.FormatInt(d.Line, 10), d.Place.Serial,
		})
	}
	err = w.WriteAll(rows)
	return &imv1.ExportSnapshotDifferencesResponse{Content: b.Bytes()}, err
}

// ListSnapshotErrors pages the rows that were not taken.
func (s *Server) ListSnapshotErrors(ctx context.Context, r *imv1.ListSnapshotErrorsRequest) (*imv1.ListSnapshotErrorsResponse, error) {
	v, err := s.Reconciliation.Snapshot(ctx, r.GetSnapshotId())
	if err != nil {
		return nil, err
	}
	page, next, err := pageOf(v.State.Errors, r.GetPageToken(), r.GetPageSize())
	if err != nil {
		return nil, err
	}
	return &imv1.ListSnapshotErrorsResponse{Errors: protovalue.Each(page, snapshotError), NextPageToken: next, BadRows: v.State.BadRows}, nil
}
