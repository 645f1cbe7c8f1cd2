package adapter

import (
	"context"

	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/bus"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/store"
	imv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/app"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// SnapshotType declares snapshots of stock to the store.
func SnapshotType() store.Type[domain.Snapshot, domain.SnapshotFact] {
	return store.Type[domain.Snapshot, domain.SnapshotFact]{
		Name: "stock_snapshot", Prefix: "snp", Fold: 1,
		Evolve: domain.EvolveSnapshot,
		Encode: func(f domain.SnapshotFact) (string, []byte, error) { return protovalue.Encode(snapshotMessage(f)) },
		Decode: snapshotReaders.Decode,
		Indexes: map[string]func(domain.Snapshot) []string{
			app.IndexSite: func(s domain.Snapshot) []string { return s.Keys.Sites },
		},
	}
}

// SnapshotConsumer compares snapshots, a few parts a fact, so that a comparison goes on wherever
// it was left.
func SnapshotConsumer(a *app.Reconciliation) bus.Consumer {
	return bus.Routes(bus.Reactor, "snapshots", "inventory-movement",
		bus.On(func(ctx context.Context, _ bus.Fact, m *imv1.SnapshotComparisonStarted) error {
			return a.ComparePart(ctx, m.GetKeys().GetSnapshotId(), int(m.GetRun()), 0)
		}),
		bus.On(func(ctx context.Context, _ bus.Fact, m *imv1.SnapshotPartCompared) error {
			return a.ComparePart(ctx, m.GetKeys().GetSnapshotId(), int(m.GetRun()), int(m.GetNextPart()))
		}),
		bus.On(func(ctx context.Context, _ bus.Fact, m *imv1.SnapshotClosed) error {
			return a.FollowClose(ctx, m.GetKeys().GetSnapshotId())
		}),
	)
}

// snapshotMessage is a fact of a snapshot as it is stored and published.
func snapshotMessage(f domain.SnapshotFact) proto.Message {
	switch f := f.(type) {
	case domain.SnapshotCreated:
		return &imv1.SnapshotCreated{Keys: snapshotKeys(f.SnapshotKeys)}
	case domain.SnapshotRowsAdded:
		return &imv1.SnapshotRowsAdded{
			Keys: snapshotKeys(f.SnapshotKeys), PortionNumber: int32(f.Portion), ContentMark: f.Mark, Columns: f.Columns, Separator: f.Separator,
			Lines: f.Lines, Rows: f.Rows, BadRows: f.BadRows, Errors: protovalue.Each(f.Errors, snapshotError),
		}
	case domain.ComparisonStarted:
		return &imv1.SnapshotComparisonStarted{Keys: snapshotKeys(f.SnapshotKeys), Run: int32(f.Run)}
	case domain.SnapshotPartCompared:
		return &imv1.SnapshotPartCompared{
			Keys: snapshotKeys(f.SnapshotKeys), Run: int32(f.Run), NextPart: int32(f.Next), Counts: snapshotCounts(f.Counts),
			Differences: protovalue.Each(f.Differences, snapshotDifference),
		}
	case domain.SnapshotCompared:
		return &imv1.SnapshotCompared{
			Keys: snapshotKeys(f.SnapshotKeys), Run: int32(f.Run), Counts: snapshotCounts(f.Counts), ReconciliationRatePercent: f.Counts.Rate(),
		}
	case domain.SnapshotClosed:
		return &imv1.SnapshotClosed{Keys: snapshotKeys(f.SnapshotKeys)}
	}
	return nil
}

// snapshotReaders reads every fact type that a snapshot may have.
var snapshotReaders = func() protovalue.Readers[domain.SnapshotFact] {
	rs := protovalue.Readers[domain.SnapshotFact]{}
	protovalue.Read(rs, func(m *imv1.SnapshotCreated) (domain.SnapshotFact, error) {
		return domain.SnapshotCreated{SnapshotKeys: fromSnapshotKeys(m.GetKeys())}, nil
	})
	protovalue.Read(rs, func(m *imv1.SnapshotRowsAdded) (domain.SnapshotFact, error) {
		return domain.SnapshotRowsAdded{
			SnapshotKeys: fromSnapshotKeys(m.GetKeys()), Portion: int(m.GetPortionNumber()), Mark: m.GetContentMark(), Columns: m.GetColumns(),
			Separator: m.GetSeparator(), Lines: m.GetLines(), Rows: m.GetRows(), BadRows: m.GetBadRows(),
			Errors: protovalue.Each(m.GetErrors(), fromSnapshotError),
		}, nil
	})
	protovalue.Read(rs, func(m *imv1.SnapshotComparisonStarted) (domain.SnapshotFact, error) {
		return domain.ComparisonStarted{SnapshotKeys: fromSnapshotKeys(m.GetKeys()), Run: int(m.GetRun())}, nil
	})
	protovalue.Read(rs, func(m *imv1.SnapshotPartCompared) (domain.SnapshotFact, error) {
		differences, err := protovalue.TryEach(m.GetDifferences(), fromSnapshotDifference)
		return domain.SnapshotPartCompared{
			SnapshotKeys: fromSnapshotKeys(m.GetKeys()), Run: int(m.GetRun()), Next: int(m.GetNextPart()), Counts: fromSnapshotCounts(m.GetCounts()),
			Differences: differences,
		}, err
	})
	protovalue.Read(rs, func(m *imv1.SnapshotCompared) (domain.SnapshotFact, error) {
		return domain.SnapshotCompared{SnapshotKeys: fromSnapshotKeys(m.GetKeys()), Run: int(m.GetRun()), Counts: fromSnapshotCounts(m.GetCounts())}, nil
	})
	protovalue.Read(rs, func(m *imv1.SnapshotClosed) (domain.SnapshotFact, error) {
		return domain.SnapshotClosed{SnapshotKeys: fromSnapshotKeys(m.GetKeys())}, nil
	})
	return rs
}()

func snapshotKeys(k domain.SnapshotKeys) *imv1.SnapshotKeys {
	return &imv1.SnapshotKeys{SnapshotId: k.ID, System: k.System, Sites: k.Sites, AsOfTime: protovalue.Time(k.AsOf)}
}

func fromSnapshotKeys(k *imv1.SnapshotKeys) domain.SnapshotKeys {
	return domain.SnapshotKeys{ID: k.GetSnapshotId(), System: k.GetSystem(), Sites: k.GetSites(), AsOf: protovalue.FromTime(k.GetAsOfTime())}
}

func snapshotError(e domain.RowError) *imv1.SnapshotError {
	return &imv1.SnapshotError{Line: e.Line, Field: e.Field, Reason: e.Reason, Message: e.Message}
}

func fromSnapshotError(m *imv1.SnapshotError) domain.RowError {
	return domain.RowError{Line: m.GetLine(), Field: m.GetField(), Reason: m.GetReason(), Message: m.GetMessage()}
}

func snapshotCounts(c domain.SnapshotCounts) *imv1.SnapshotCounts {
	return &imv1.SnapshotCounts{
		Matched: c.Matched, Lagging: c.Lagging, Mismatch: c.Mismatch, MissingLeft: c.MissingLeft, MissingRight: c.MissingRight, Unreadable: c.Unreadable,
	}
}

func fromSnapshotCounts(m *imv1.SnapshotCounts) domain.SnapshotCounts {
	return domain.SnapshotCounts{
		Matched: m.GetMatched(), Lagging: m.GetLagging(), Mismatch: m.GetMismatch(), MissingLeft: m.GetMissingLeft(), MissingRight: m.GetMissingRight(),
		Unreadable: m.GetUnreadable(),
	}
}

func snapshotDifference(d domain.SnapshotDifference) *imv1.SnapshotDifference {
	return &imv1.SnapshotDifference{
		StockId: d.ID, Site: d.Site, ItemId: d.Item, Sku: d.SKU, Owner: d.Owner, Location: d.Place.Location, Lot: d.Place.Lot, Serial: d.Place.Serial, Status: status(d.Place.Status),
		Line: d.Line, Ledger: amount(d.Ledger, d.Unit), Snapshot: amount(d.Snapshot, d.Unit), Delta: amount(d.Delta(), d.Unit),
		Result: imv1.SnapshotResult(imv1.SnapshotResult_value["SNAPSHOT_RESULT_"+string(d.Result)]),
		Lag:    imv1.SnapshotLag(imv1.SnapshotLag_value["SNAPSHOT_LAG_"+string(d.Lag)]),
	}
}

func fromSnapshotDifference(m *imv1.SnapshotDifference) (domain.SnapshotDifference, error) {
	d := domain.SnapshotDifference{
		StockKey: domain.StockKey{ID: m.GetStockId(), Site: m.GetSite(), Item: m.GetItemId(), SKU: m.GetSku(), Owner: m.GetOwner(), Unit: m.GetLedger().GetUnit()},
		Place:    domain.Place{Location: m.GetLocation(), Lot: m.GetLot(), Serial: m.GetSerial()}, Line: m.GetLine(),
		Result: domain.SnapshotResult(protovalue.Name(m.GetResult(), "SNAPSHOT_RESULT_")),
	}
	if m.GetStatus() != 0 {
		d.Place.Status = fromStatus(m.GetStatus())
	}
	if m.GetLag() != 0 {
		d.Lag = domain.SnapshotLag(protovalue.Name(m.GetLag(), "SNAPSHOT_LAG_"))
	}
	ours, err := protovalue.StoredQuantity(m.GetLedger())
	if err != nil {
		return d, err
	}
	theirs, err := protovalue.StoredQuantity(m.GetSnapshot())
	d.Ledger, d.Snapshot = ours.Value, theirs.Value
	return d, err
}
