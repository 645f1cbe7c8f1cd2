package adapter

import (
	"testing"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/quantity"
	imv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// supplyFacts are those of what is to come: announced, promised, late, received and claimed.
func supplyFacts() []domain.StockFact {
	due := at.Truncate(time.Millisecond)
	u := domain.Supply{Delivery: "asn_a", Line: 1, ASN: "A-1", Expected: due.UnixMilli()}
	late := u
	late.Overdue = true
	here := u
	here.Arrived = true
	return []domain.StockFact{
		domain.SupplyChanged{StockKey: stk, Supply: u, Change: quantity.Int(20), Reason: domain.SupplyAnnounced},
		domain.SupplyPromised{StockKey: stk, Promise: "dtd:ord_a", Change: twelve},
		domain.SupplyPromiseDated{StockKey: stk, Reason: domain.DatePromised, Cover: domain.Cover{
			Key: "dtd:ord_a", Parts: []domain.SupplyPart{{Delivery: "asn_a", ASN: "A-1", Expected: due.UnixMilli(), Quantity: twelve}},
		}},
		domain.SupplyChanged{StockKey: stk, Supply: late, Reason: domain.SupplyOverdue},
		domain.SupplyPromiseDated{StockKey: stk, Reason: domain.DateOverdue, Before: due, Cover: domain.Cover{Key: "dtd:ord_a", Uncovered: twelve}},
		domain.SupplyChanged{StockKey: stk, Supply: here, Reason: domain.SupplyArrived},
		domain.SupplyChanged{StockKey: stk, Supply: here, Change: quantity.Int(-3), Reason: domain.SupplyReceived},
		domain.SupplyPromiseDated{StockKey: stk, Reason: domain.DateReceived, Cover: domain.Cover{
			Key: "dtd:ord_a", Parts: []domain.SupplyPart{{Quantity: twelve}},
		}},
		domain.StockReserved{StockKey: stk, Claim: domain.Claim{Key: clm.Key, Quantity: quantity.Int(3)}, Promise: "dtd:ord_a"},
		domain.SupplyPromised{StockKey: stk, Promise: "dtd:ord_a", Change: quantity.Int(-2)},
	}
}

// Every fact about supplies can be read back, and is told in a line of its own.
func TestEverySupplyFactIsRead(t *testing.T) {
	messages := imv1.File_lockstep_inventorymovement_v1_supplies_proto.Messages()
	for i := range messages.Len() {
		m := messages.Get(i)
		_, ofStock := stockReaders[string(m.FullName())]
		_, ofInbound := inboundReaders[string(m.FullName())]
		if m.Fields().ByName("stock") != nil && !ofStock || m.Fields().ByName("keys") != nil && !ofInbound {
			t.Errorf("%s cannot be read", m.FullName())
		}
	}
	for i, want := range []string{
		"SUPPLY 20 EA of ASN A-1 line 1 because ANNOUNCED, expected 2026-03-02T08:00:00Z",
		"PROMISED 12.5 EA of what is to come to dtd:ord_a",
		"DATED dtd:ord_a: 2026-03-02T08:00:00Z because PROMISED",
		"SUPPLY 0 EA of ASN A-1 line 1 because OVERDUE, expected 2026-03-02T08:00:00Z",
		"DATED dtd:ord_a: unknown because OVERDUE",
	} {
		if got := told(supplyFacts()[i]); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	if got := told(supplyFacts()[7]); got != "DATED dtd:ord_a: here because RECEIVED" {
		t.Error(got)
	}
}

func TestNamesOfSupplyValues(t *testing.T) {
	for _, r := range []domain.SupplyReason{
		domain.SupplyAnnounced, domain.SupplyReceived, domain.SupplyCancelled, domain.SupplyRescheduled, domain.SupplyArrived, domain.SupplyOverdue,
	} {
		known(t, supplyReason(r), string(r))
	}
	for _, r := range []domain.DateReason{
		domain.DatePromised, domain.DateReceived, domain.DateCancelled, domain.DateRescheduled, domain.DateOverdue, domain.DateAnnounced, domain.DateStockChanged,
	} {
		known(t, dateReason(r), string(r))
	}
}
