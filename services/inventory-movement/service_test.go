package inventorymovement_test

import (
	"slices"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/host/hosttest"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	im "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	inventorymovement "github.com/lockstep-logistics/lockstep/services/inventory-movement"
)

func TestInventory(t *testing.T) {
	onEngines(t, map[string]func(*testing.T, *world){
		"from release to goods issue":    fromReleaseToIssue,
		"short picks":                    shortPicks,
		"cancelled before picking":       cancelledBeforePicking,
		"put back after picking":         putBackAfterPicking,
		"a cancellation refused":         cancellationRefused,
		"cancelled too late":             cancelledTooLate,
		"stopped for a hold":             stopped,
		"stopped too late":               stoppedTooLate,
		"goods issue reversed":           issueReversed,
		"goods issue reversed in part":   issueReversedInPart,
		"reversals that are refused":     reversalsRefused,
		"cancelled after short picks":    cancelledAfterShorts,
		"cancelled before it came":       cancelledBeforeItCame,
		"the last unit":                  lastUnit,
		"claims":                         claims,
		"stock movements":                movements,
		"changes of status":              statusChanges,
		"mistakes name the field":        mistakes,
		"places of a site":               places,
		"batch of receipts":              batch,
		"picks the books do not have":    beyondTheBooks,
		"picks beyond the order":         beyondTheOrder,
		"picks of an order that is over": ofAnOrderThatIsOver,
		"returned goods":                 returnedGoods,
		"owners":                         ownersApart,
		"SSCCs":                          ssccs,
		"balances as of any moment":      balances,
		"verified and rebuilt":           verified,
		"reservations":                   reservations,
		"reservations that end":          lapsed,
		"what lives long enough":         shelfLife,
		"lots and their dates":           lots,
		"first received, first out":      firstReceived,
		"policies of sites":              policies,
		"more releases than stock":       atOnce,
		"two lines of one item":          theSumOfLines,
		"crossed orders of 64 callers":   crossed,
		"replays":                        replays,
		"another tenant finds nothing":   strangers,
	})
}

func replays(t *testing.T, w *world) {
	sku := w.stocked(t, 10)
	_, who := w.release(t, line{sku, 10, ""})
	w.state(t, who, "ALLOCATED")
	one := []*im.WarehouseLineQuantity{picked(1, 9)}
	short := []*im.WarehouseLineQuantity{picked(1, 1)}
	var header metadata.MD
	h := grpc.Header(&header)
	for _, tt := range []struct {
		name string
		run  func(key string) (proto.Message, error)
	}{
		{"receipt", func(k string) (proto.Message, error) {
			return w.wms.RecordReceipt(hosttest.WithKey(t.Context(), k), &im.RecordReceiptRequest{Receipt: &im.GoodsReceipt{Site: "DC1", Sku: sku, Location: "B-2", Quantity: ea(1)}}, h)
		}},
		{"return", func(k string) (proto.Message, error) {
			return w.wms.RecordReturnReceipt(hosttest.WithKey(t.Context(), k), &im.RecordReturnReceiptRequest{
				Site: "DC1", Sku: sku, Location: "B-9", Quantity: ea(1), RmaId: w.id("rma", sku),
			}, h)
		}},
		{"adjustment", func(k string) (proto.Message, error) {
			return w.wms.AdjustStock(hosttest.WithKey(t.Context(), k), &im.AdjustStockRequest{Site: "DC1", Sku: sku, Location: "B-2", Change: ea(1), Reason: "COUNT"}, h)
		}},
		{"move", func(k string) (proto.Message, error) {
			return w.wms.MoveStock(hosttest.WithKey(t.Context(), k), &im.MoveStockRequest{Site: "DC1", Sku: sku, FromLocation: "B-2", ToLocation: "B-3", Quantity: ea(1)}, h)
		}},
		{"acknowledgement", func(k string) (proto.Message, error) {
			return w.wms.AcknowledgeWarehouseOrder(hosttest.WithKey(t.Context(), k), &im.AcknowledgeWarehouseOrderRequest{WarehouseOrderId: who}, h)
		}},
		{"picks", func(k string) (proto.Message, error) {
			return w.wms.ConfirmPicks(hosttest.WithKey(t.Context(), k), &im.ConfirmPicksRequest{WarehouseOrderId: who, Lines: one}, h)
		}},
		{"short", func(k string) (proto.Message, error) {
			return w.wms.ReportShortPick(hosttest.WithKey(t.Context(), k), &im.ReportShortPickRequest{WarehouseOrderId: who, Lines: short, Reason: im.ShortReason_SHORT_REASON_MISSING}, h)
		}},
		{"carton", func(k string) (proto.Message, error) {
			return w.wms.PackCarton(hosttest.WithKey(t.Context(), k), &im.PackCartonRequest{WarehouseOrderId: who, Lines: one}, h)
		}},
		{"issue", func(k string) (proto.Message, error) {
			return w.wms.PostGoodsIssue(hosttest.WithKey(t.Context(), k), &im.PostGoodsIssueRequest{WarehouseOrderId: who}, h)
		}},
	} {
		key := "replay-" + tt.name + sku
		first, err := tt.run(key)
		if err != nil || len(header.Get(guard.MetaReplayed)) > 0 {
			t.Fatalf("%s: %v %v", tt.name, err, header)
		}
		w.Redis.FlushAll()
		again, err := tt.run(key)
		if err != nil || !proto.Equal(first, again) || !slices.Equal(header.Get(guard.MetaReplayed), []string{"true"}) {
			t.Errorf("%s: %v %v %v, first %v", tt.name, again, err, header, first)
		}
		header = nil
	}
	w.becomes(t, sku, "B-2 1, B-3 1, B-9 RETURNED 1, CUSTOMER 8, SUPPLIER -11")
	_, err := w.wms.RecordReceipt(hosttest.WithKey(t.Context(), "replay-receipt"+sku), &im.RecordReceiptRequest{
		Receipt: &im.GoodsReceipt{Site: "DC1", Sku: sku, Location: "B-2", Quantity: ea(2)},
	})
	if !fault.IsKind(err, fault.KeyReused) {
		t.Errorf("another body under the key: %v", err)
	}
}

// strangers: another tenant's stock and orders are as unknown ones.
func strangers(t *testing.T, w *world) {
	sku := w.stocked(t, 5)
	_, who := w.release(t, line{sku, 5, ""})
	w.state(t, who, "ALLOCATED")
	c := w.Caller(commonv1.Role_ROLE_LOGISTICS)
	c.Tenant = testkit.Name("t")
	s := im.NewInventoryMovementServiceClient(w.Client(inventorymovement.Name, c))
	for name, ask := range map[string]func(who, stock string) error{
		"get": func(who, _ string) error {
			_, err := s.GetWarehouseOrder(t.Context(), &im.GetWarehouseOrderRequest{WarehouseOrderId: who})
			return err
		},
		"acknowledge": func(who, _ string) error {
			_, err := s.AcknowledgeWarehouseOrder(t.Context(), &im.AcknowledgeWarehouseOrderRequest{WarehouseOrderId: who})
			return err
		},
		"pack": func(who, _ string) error {
			_, err := s.PackCarton(t.Context(), &im.PackCartonRequest{WarehouseOrderId: who, Lines: []*im.WarehouseLineQuantity{picked(1, 1)}})
			return err
		},
		"issue": func(who, _ string) error {
			_, err := s.PostGoodsIssue(t.Context(), &im.PostGoodsIssueRequest{WarehouseOrderId: who})
			return err
		},
		"movements": func(_, stock string) error {
			_, err := s.ListMovements(t.Context(), &im.ListMovementsRequest{StockId: stock})
			return err
		},
	} {
		foreign := reason(t, ask(who, w.stockID(sku)), fault.NotFound, "NOT_FOUND")
		unknown := reason(t, ask(w.id("who", "none"), w.id("stk", "none")), fault.NotFound, "NOT_FOUND")
		if foreign.Message != unknown.Message {
			t.Errorf("%s: %q and %q", name, foreign.Message, unknown.Message)
		}
	}
	_, err := s.GetStock(t.Context(), &im.GetStockRequest{Site: "DC1", Sku: sku})
	reason(t, err, fault.NotFound, "NOT_FOUND")
}

// TestRestartInTheMiddle: an order goes on after a restart at every step, from where it stood.
func TestRestartInTheMiddle(t *testing.T) {
	for _, engine := range hosttest.Engines {
		t.Run(engine, func(t *testing.T) {
			w := newWorld(t, engine)
			sku := w.stocked(t, 10)
			w.reserve(t, false, w.claim("clm:r:1:x", sku, 10))
			w.Restart(t)
			_, who := w.release(t, line{sku, 10, "clm:r:1:x"})
			w.Restart(t)
			w.state(t, who, "ALLOCATED")
			w.confirm(t, who, picked(1, 10))
			w.Restart(t)
			first := w.pack(t, who, picked(1, 5))
			w.Restart(t)
			if second := w.pack(t, who, picked(1, 5)); second == first {
				t.Errorf("SSCC %s came twice", second)
			}
			w.issue(t, who)
			w.Restart(t)
			w.becomes(t, sku, "CUSTOMER 10, SUPPLIER -10")
			w.fewCommits(t, sku, 5)
		})
	}
}

func TestAccess(t *testing.T) {
	w := newWorld(t, "sqlite")
	w.AccessMatrix(t, inventorymovement.Name, "testdata/access.md")
}

func TestConfigTable(t *testing.T) { hosttest.ConfigTable(t, "README.md", unit()) }

func TestSettingsThatCannotBe(t *testing.T) {
	for name, cfg := range map[string]inventorymovement.Config{
		"nothing at a time":      changed(func(c *inventorymovement.Config) { c.Parallel = 0 }),
		"blocks without numbers": changed(func(c *inventorymovement.Config) { c.SSCCBlock = 0 }),
		"too much":               changed(func(c *inventorymovement.Config) { c.Parallel = 1001 }),
		"always verifying":       changed(func(c *inventorymovement.Config) { c.VerifyEvery = 0 }),
		"no such strategy":       changed(func(c *inventorymovement.Config) { c.Allocation = "FEFO" }),
		"always sweeping":        changed(func(c *inventorymovement.Config) { c.Sweep = 0 }),
		"verifying nothing":      changed(func(c *inventorymovement.Config) { c.VerifyAtOnce = 0 }),
		"a weight of less":       changed(func(c *inventorymovement.Config) { c.PackAuditGrams = -1 }),
		"no part of a weight":    changed(func(c *inventorymovement.Config) { c.PackAuditPercent = "3 %" }),
		"no percentage":          changed(func(c *inventorymovement.Config) { c.OverReceiptPercent = "2,5" }),
	} {
		if cfg.Validate() == nil {
			t.Errorf("%s is allowed", name)
		}
	}
	if err := inventorymovement.Defaults().Validate(); err != nil {
		t.Error(err)
	}
}

func changed(change func(*inventorymovement.Config)) inventorymovement.Config {
	c := inventorymovement.Defaults()
	change(&c)
	return c
}
