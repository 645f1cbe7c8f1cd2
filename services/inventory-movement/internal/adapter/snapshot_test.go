package adapter

import (
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/quantity"
	imv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

func snapshotFacts() []domain.SnapshotFact {
	keys := domain.SnapshotKeys{ID: "snp_a", System: "wms", Sites: []string{"DC1", "DC2"}, AsOf: at}
	differs := domain.SnapshotDifference{
		StockKey: domain.StockKey{ID: "stk_a", Site: "DC1", Item: "itm_a", SKU: "TEA", Owner: "OWN", Unit: "EA"},
		Place:    domain.Place{Location: "B-1", Lot: "L1", Status: domain.Available}, Line: 7, Ledger: twelve, Snapshot: quantity.Int(10), Result: domain.Lagging,
		Lag: domain.PickNotReported,
	}
	coarse := differs
	coarse.Place, coarse.Result, coarse.Lag = domain.Place{}, domain.Mismatch, ""
	counts := domain.SnapshotCounts{Matched: 5, Lagging: 1, Mismatch: 2, MissingLeft: 3, MissingRight: 4, Unreadable: 6}
	return []domain.SnapshotFact{
		domain.SnapshotCreated{SnapshotKeys: keys},
		domain.SnapshotRowsAdded{
			SnapshotKeys: keys, Portion: 1, Mark: "mark", Columns: []string{"sku", "quantity", "unit"}, Separator: ";", Lines: 4, Rows: 2, BadRows: 1,
			Errors: []domain.RowError{{Line: 3, Field: "sku", Reason: "ITEM_UNKNOWN", Message: "define it"}},
		},
		domain.ComparisonStarted{SnapshotKeys: keys, Run: 1},
		domain.SnapshotPartCompared{SnapshotKeys: keys, Run: 1, Next: 128, Counts: counts, Differences: []domain.SnapshotDifference{differs, coarse}},
		domain.SnapshotCompared{SnapshotKeys: keys, Run: 1, Counts: counts},
		domain.SnapshotClosed{SnapshotKeys: keys},
	}
}

func TestNamesOfSnapshotValues(t *testing.T) {
	for _, s := range []domain.SnapshotState{domain.SnapshotReceiving, domain.SnapshotComparing, domain.SnapshotDone, domain.SnapshotOver} {
		known(t, imv1.SnapshotState(imv1.SnapshotState_value["SNAPSHOT_STATE_"+string(s)]), string(s))
	}
	for _, r := range []domain.SnapshotResult{domain.Matched, domain.Lagging, domain.Mismatch, domain.MissingLeft, domain.MissingRight} {
		known(t, imv1.SnapshotResult(imv1.SnapshotResult_value["SNAPSHOT_RESULT_"+string(r)]), string(r))
	}
	for _, l := range []domain.SnapshotLag{domain.MovedLater, domain.PickNotReported} {
		known(t, imv1.SnapshotLag(imv1.SnapshotLag_value["SNAPSHOT_LAG_"+string(l)]), string(l))
	}
}

// Every published message that has the keys of a snapshot can be read back.
func TestEverySnapshotFactIsRead(t *testing.T) {
	messages := imv1.File_lockstep_inventorymovement_v1_snapshot_events_proto.Messages()
	for i := range messages.Len() {
		m := messages.Get(i)
		if _, read := snapshotReaders[string(m.FullName())]; m.Fields().ByName("keys") != nil && !read {
			t.Errorf("%s cannot be read", m.FullName())
		}
	}
}
