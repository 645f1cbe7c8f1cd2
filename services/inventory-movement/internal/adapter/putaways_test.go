package adapter

import (
	"context"
	"log/slog"
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/quantity"
	"github.com/lockstep-logistics/lockstep/libs/store"
	imv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/app"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

func putawayRulesFacts() []domain.PutawayRulesSet {
	return []domain.PutawayRulesSet{
		{Rules: domain.PutawayRules{Site: "DC1", Version: 1, Note: "n", By: "ann", At: at, List: []domain.PutawayRule{
			{
				Name: "held", Condition: "goods.sku != ''", Statuses: []domain.Status{domain.QI, domain.Blocked}, Zone: "Z", Strategy: domain.EmptyBin,
				Limit: domain.BinLimit{Quantity: twelve, Weight: quantity.Int(800), SingleItem: true},
			},
			{Name: "rest", Bins: []string{"B-1", "B-2"}, Strategy: domain.FixedBins},
		}}},
		{Rules: domain.PutawayRules{Site: "DC1", Version: 2, By: "bob", At: at}},
	}
}

func putawayFacts() []domain.PutawayFact {
	keys := domain.InboundKeys{ID: "asn_a", ASN: "A-1", PurchaseOrder: "PO-1", Supplier: "ACME", Site: "DC1", Owner: "OWN"}
	return []domain.PutawayFact{
		domain.PutawayProposed{InboundKeys: keys, Tasks: []domain.ProposedTask{{
			Task: 1, Item: "itm_a", SKU: "TEA", Unit: "EA", Lot: "L1", Weight: twelve, Version: 3, Unplaced: quantity.Int(2),
			Parts: []domain.BinPart{{Bin: "B-1", Rule: "rest", Quantity: twelve}, {Bin: "B-2", Rule: "rest", Quantity: quantity.Int(4)}},
			Considered: []domain.Considered{
				{Rule: "held", Outcome: domain.RuleOtherStatus}, {Rule: "odd", Outcome: domain.RuleUndecided, Message: "why"}, {Rule: "rest", Outcome: domain.RulePartly},
			},
		}, {Task: 2, Item: "itm_b", SKU: "POT", Unit: "EA", Version: 3, Unplaced: quantity.Int(1), Considered: []domain.Considered{{Rule: "held", Outcome: domain.RuleNoRoom}}}}},
		domain.PutawaySettled{InboundKeys: keys, Parts: []domain.SettledPart{
			{Task: 1, Bin: "B-1", Unit: "EA", Quantity: quantity.Int(5), PutAway: true}, {Task: 1, Unit: "EA", Quantity: quantity.Int(3)},
		}, Over: []int{2}},
	}
}

// placedFacts are those of a delivery that is put away by rules and against them.
func placedFacts() []domain.InboundFact {
	keys := domain.InboundKeys{ID: "asn_a", Site: "DC1", Owner: "OWN"}
	to := func(location string) domain.Place {
		p := bin
		p.Location = location
		return p
	}
	move := func(location string, n int64) domain.InboundMove {
		return domain.InboundMove{
			Task: 1, Line: 100001, Item: "itm_a", SKU: "TEA", Unit: "EA", From: bin, To: to(location), Quantity: quantity.Int(n), Proposed: "B-2", Rule: "rest",
		}
	}
	return []domain.InboundFact{
		domain.GoodsReceived{InboundKeys: keys, At: at, Parts: []domain.Part{{Line: 100001, Item: "itm_a", SKU: "TEA", Unit: "EA", Quantity: quantity.Int(10), Over: quantity.Int(10), Place: bin}}},
		domain.PutawayConfirmed{InboundKeys: keys, At: at, Moves: []domain.InboundMove{move("B-2", 4), move("B-3", 3)}},
	}
}

func TestEveryPutawayFactIsRead(t *testing.T) {
	messages := imv1.File_lockstep_inventorymovement_v1_putaway_events_proto.Messages()
	for i := range messages.Len() {
		m := messages.Get(i)
		if _, read := putawayReaders[string(m.FullName())]; m.Fields().ByName("keys") != nil && !read {
			t.Errorf("%s cannot be read", m.FullName())
		}
	}
}

func TestNamesOfPutawayValues(t *testing.T) {
	for _, s := range []domain.PutawayStrategy{domain.FixedBins, domain.SameLot, domain.EmptyBin, domain.NearestBin} {
		known(t, putawayStrategy(s), string(s))
		if fromPutawayStrategy(putawayStrategy(s)) != s {
			t.Errorf("%s comes back as %s", s, fromPutawayStrategy(putawayStrategy(s)))
		}
	}
	if fromPutawayStrategy(0) != domain.NearestBin {
		t.Error("a rule that does not say is not NEAREST")
	}
	for _, o := range []domain.PutawayOutcome{
		domain.RuleChosen, domain.RulePartly, domain.RuleOtherStatus, domain.RuleCondition, domain.RuleUndecided, domain.RuleNoBin, domain.RuleNoRoom, domain.RuleWeightUnknown,
	} {
		known(t, putawayOutcome(o), string(o))
	}
}

// TestShelves: what is noted of a bin is listed there until it is forgotten, which it is not when
// goods came after somebody looked.
func TestShelves(t *testing.T) {
	db, err := store.Open(t.Context(), store.Config{URI: "sqlite:" + t.TempDir(), Database: "shelves"}, store.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close(context.Background()) }) // the test is over
	s := NewShelves(db)
	ctx := store.WithCause(t.Context(), store.Cause{Tenant: "t"})
	in := func(ctx context.Context, bins ...string) (seen map[string][]app.Noted) {
		t.Helper()
		seen, err := s.Stocks(ctx, "DC1", bins)
		if err != nil {
			t.Fatal(err)
		}
		return seen
	}
	note := func(bin, stock string) {
		t.Helper()
		if err := s.Note(ctx, "DC1", bin, stock); err != nil {
			t.Fatal(err)
		}
	}
	forget := func(seen []app.Noted) {
		t.Helper()
		if err := s.Forget(ctx, "DC1", "B-1", seen); err != nil {
			t.Fatal(err)
		}
	}
	note("B-1", "stk_a")
	note("B-1", "stk_b")
	note("B-2", "stk_a")
	looked := in(ctx, "B-1", "B-2", "B-3")
	if len(looked["B-1"]) != 2 || len(looked["B-2"]) != 1 || len(looked["B-3"]) != 0 {
		t.Fatalf("%v", looked)
	}
	note("B-1", "stk_a") // came meanwhile
	forget(looked["B-1"])
	if now := in(ctx, "B-1")["B-1"]; len(now) != 1 || now[0].Stock != "stk_a" {
		t.Fatalf("%v", now)
	}
	forget(in(ctx, "B-1")["B-1"])
	note("B-1", "stk_b")
	if now := in(ctx, "B-1", "B-2"); len(now["B-1"]) != 1 || now["B-1"][0].Stock != "stk_b" || len(now["B-2"]) != 1 {
		t.Fatalf("%v", now)
	}
	if others := in(store.WithCause(t.Context(), store.Cause{Tenant: "u"}), "B-1", "B-2"); len(others["B-1"])+len(others["B-2"]) != 0 {
		t.Fatalf("another tenant sees %v", others)
	}
}
