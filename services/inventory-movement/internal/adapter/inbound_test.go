package adapter

import (
	"testing"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	imv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

func inboundFacts() []domain.InboundFact {
	keys := domain.InboundKeys{ID: "asn_a", ASN: "A-1", PurchaseOrder: "PO-1", Supplier: "ACME", Site: "DC1", Owner: "OWN"}
	stored := bin
	stored.Location = "B-2"
	moves := []domain.InboundMove{{Task: 1, Line: 1, Item: "itm_a", SKU: "TEA", Unit: "EA", From: bin, To: stored, Quantity: quantity.Int(3)}}
	return []domain.InboundFact{
		domain.AsnRegistered{
			InboundKeys: keys, Expected: at,
			Lines: []domain.InboundLine{{
				Number: 1, Item: "itm_a", SKU: "TEA", Unit: "EA", Announced: quantity.Int(20), Lot: "L1", Expiry: "2027-01-31", Percent: "2.5",
				Tolerance: twelve, Inspect: true,
			}},
			Units: []domain.InboundUnit{{SSCC: box.SSCC, Contents: []domain.UnitContent{{Line: 1, Quantity: twelve, Unit: "EA"}}}},
		},
		domain.DeliveryArrived{InboundKeys: keys, Dock: "D-1", At: at},
		domain.GoodsReceived{
			InboundKeys: keys, Message: "mark", At: at, Source: ident.SourceRef{System: "wms", MessageID: "861-1", EventTime: at, Offset: 60, Zone: "Europe/Berlin", Sequence: 7},
			Parts: []domain.Part{
				{Line: 1, Item: "itm_a", SKU: "TEA", Unit: "EA", Quantity: twelve, Place: bin, SSCC: box.SSCC, Inspect: true},
				{Line: 100001, Item: "itm_b", SKU: "POT", Unit: "EA", Quantity: twelve, Over: twelve, Place: bin, InsteadOf: 1},
			},
		},
		domain.DiscrepancyFound{InboundKeys: keys, Line: 100001, SKU: "POT", Unit: "EA", ReceiptDifference: domain.ReceiptDifference{Type: domain.WrongItem, Quantity: twelve}},
		domain.RemainderCancelled{InboundKeys: keys, Lines: []domain.UnitContent{{Line: 1, Quantity: quantity.Int(1), Unit: "EA"}}, Reason: "SHORT"},
		domain.InspectionRecorded{InboundKeys: keys, Moves: moves, At: at},
		domain.OverReceiptResolved{InboundKeys: keys, Decision: domain.KeepOver, Moves: moves, At: at},
		domain.PutawayConfirmed{InboundKeys: keys, Moves: moves, At: at},
	}
}

// rescheduledFacts are those of a delivery that is late, and late again.
func rescheduledFacts() []domain.InboundFact {
	keys := domain.InboundKeys{ID: "asn_a", ASN: "A-1", Supplier: "ACME", Site: "DC1", Owner: "OWN"}
	return []domain.InboundFact{
		domain.AsnRegistered{InboundKeys: keys, Expected: at},
		domain.DeliveryRescheduled{InboundKeys: keys, Before: at, Expected: at.Add(time.Hour), Reason: "VESSEL_LATE"},
		domain.DeliveryRescheduled{InboundKeys: keys, Before: at.Add(time.Hour), Expected: at.Add(2 * time.Hour)},
	}
}

// Every published message that has the keys of an inbound delivery can be read back.
func TestEveryInboundFactIsRead(t *testing.T) {
	messages := imv1.File_lockstep_inventorymovement_v1_inbound_events_proto.Messages()
	for i := range messages.Len() {
		m := messages.Get(i)
		if _, read := inboundReaders[string(m.FullName())]; m.Fields().ByName("keys") != nil && !read {
			t.Errorf("%s cannot be read", m.FullName())
		}
	}
}

func TestNamesOfInboundValues(t *testing.T) {
	for _, s := range []domain.InboundState{
		domain.Expected, domain.Arrived, domain.Receiving, domain.FullyReceived, domain.StoredAway, domain.InboundCancelled,
	} {
		known(t, inboundState(s), string(s))
	}
	for _, d := range []domain.DiscrepancyType{
		domain.OverReceipt, domain.ShortReceipt, domain.DamagedReceipt, domain.WrongItem, domain.UnexpectedItem,
	} {
		known(t, discrepancy(d), string(d))
		if fromDiscrepancy(discrepancy(d)) != d {
			t.Errorf("%s comes back as %s", d, fromDiscrepancy(discrepancy(d)))
		}
	}
	for _, d := range []domain.OverDecision{domain.KeepOver, domain.ReturnOver} {
		known(t, overDecision(d), string(d))
	}
}
