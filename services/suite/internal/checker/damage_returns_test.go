package checker

import (
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
	"google.golang.org/protobuf/proto"

	fsv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/freightsettlement/v1"
	imv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	orv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	retv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/returns/v1"
)

const returning = "returns"

// These tell the facts that a damage is about from others.
func disposedTo(location string) func(*imv1.StockMoved) bool {
	return func(m *imv1.StockMoved) bool {
		return m.GetType() == imv1.MovementType_MOVEMENT_TYPE_DISPOSITION && m.GetTo().GetLocation() == location
	}
}

func missing(m *imv1.StockMoved) bool {
	return m.GetType() == imv1.MovementType_MOVEMENT_TYPE_ADJUSTMENT && m.GetReason() == "MISSING" && m.GetWarehouseOrderId() != ""
}

func scrapped(m *retv1.ItemsDisposed) bool {
	return m.GetDisposition() == retv1.Disposition_DISPOSITION_SCRAP
}

// altered alters the facts of a type that fit, in the first history that has one.
func altered[M proto.Message](service string, fits func(M) bool, alter func(M)) func(*vandal) {
	return func(v *vandal) {
		var zero M
		v.rewriteIf(service, zero, func(commits []bson.D) bool {
			found := false
			refact(v.t, commits, func(m M) { found = found || fits(m) })
			return found
		}, func(commits []bson.D) []bson.D {
			return refact(v.t, commits, func(m M) {
				if fits(m) {
					alter(m)
				}
			})
		})
	}
}

func every[M proto.Message](M) bool { return true }

// without takes all facts of a type out of the first history that has one. Whether the history is
// then shorter than the tower knows it, which I4 names, depends on what else was in their commit.
func without(service string, of proto.Message) func(*vandal) {
	return func(v *vandal) {
		v.rewrite(service, of, func(commits []bson.D) []bson.D { return only(commits, of) })
	}
}

var damagesOfReturns = []damage{
	{
		"what was scrapped is sold", altered(warehouse, disposedTo("SCRAP"), func(m *imv1.StockMoved) {
			m.To = &imv1.Place{Location: "A-01", Status: imv1.StockStatus_STOCK_STATUS_AVAILABLE}
		}),
		[]string{"I2", "I9"},
		"what is decided of goods that came back moves in stock: 2 followed where 1", notApplied,
	},
	{
		"what came back for sale stays apart", altered(warehouse, disposedTo("A-01"), func(m *imv1.StockMoved) {
			m.To.Status = imv1.StockStatus_STOCK_STATUS_BLOCKED
		}),
		[]string{"I2", "I9"},
		"what is decided of goods that came back moves in stock", notApplied,
	},
	{
		"what came back was booked as more", altered(warehouse, func(m *imv1.StockMoved) bool {
			return m.GetType() == imv1.MovementType_MOVEMENT_TYPE_RETURN_RECEIPT
		}, func(m *imv1.StockMoved) { m.Quantity = "7" }),
		[]string{"I2"},
		"what comes back moves in stock: 7 followed", twice,
	},
	{
		"what is missing stays in stock", altered(warehouse, missing, func(m *imv1.StockMoved) { m.To = m.GetFrom() }),
		[]string{"I2", "I9"},
		"what is short leaves its place", notApplied,
	},
	{
		"a short pick was never told to the order", without(release, &orv1.LinesShorted{}),
		[]string{"I4?", "I6", "I7", "I9"},
		"what is short is told to the order: 0 of 1", notApplied,
	},
	{
		"what was short is forgotten", func(v *vandal) {
			short := func(commits []bson.D) bool { return count(v.t, commits, every[*orv1.LinesShorted]) > 0 }
			v.rewriteIf(release, &orv1.RemainderCancelled{}, short, func(commits []bson.D) []bson.D {
				return refact(v.t, commits, func(m *orv1.RemainderCancelled) { m.Lines[0].Quantity.Value = "0" })
			})
		},
		[]string{"I6", "I9"},
		"is fulfilled with", notApplied,
	},
	{
		"more came back than was delivered", altered(returning, every[*retv1.ReturnReceiptRecorded], func(m *retv1.ReturnReceiptRecorded) { m.Quantity.Value = "9" }),
		[]string{"I1", "I6"},
		"what comes back was delivered: ", twice,
	},
	{
		"a receipt was never told to the return", without(returning, &retv1.ReturnReceiptRecorded{}),
		[]string{"I4?", "I6", "I7", "I9"},
		"what comes back is told to the return: 0 of", notApplied,
	},
	{
		"what was rejected is restocked", altered(returning, scrapped, func(m *retv1.ItemsDisposed) {
			m.Disposition, m.ToLocation = retv1.Disposition_DISPOSITION_RESTOCK, "A-01"
		}),
		[]string{"I2", "I6", "I9"},
		"more is restocked than was accepted", nil,
	},
	{
		"a return ended and its goods lie about", without(returning, &retv1.ItemsDisposed{}),
		[]string{"I2", "I4?", "I6", "I7", "I9"},
		"not disposed of", nil,
	},
	{
		"returns hold more than was issued", altered(returning, every[*retv1.ReturnClaimed], func(m *retv1.ReturnClaimed) { m.Lines[0].Quantity.Value = "50" }),
		[]string{"I6", "I9"},
		"more than was issued", nil,
	},
	{
		"what never came stays held", without(returning, &retv1.ReturnClaimReleased{}),
		[]string{"I4?", "I7", "I9"},
		"what a return does not need is given back: 0 of 1", notApplied,
	},
	{
		"more was credited than was paid", func(v *vandal) {
			v.rewrite(returning, &retv1.CreditRequested{}, func(commits []bson.D) []bson.D {
				refact(v.t, commits, func(m *retv1.CreditConfirmed) { m.Amount.AmountMinor++ })
				return refact(v.t, commits, func(m *retv1.CreditRequested) {
					m.Gross.AmountMinor, m.Net.AmountMinor = m.Gross.AmountMinor+1, m.Net.AmountMinor+1
					m.Lines[0].Gross.AmountMinor, m.Lines[0].Net.AmountMinor = m.Lines[0].Gross.AmountMinor+1, m.Lines[0].Net.AmountMinor+1
				})
			})
		},
		[]string{"I3"},
		"what is credited was paid for", twice,
	},
	{
		"another amount was confirmed than was credited", altered(returning, every[*retv1.CreditConfirmed], func(m *retv1.CreditConfirmed) { m.Amount.AmountMinor-- }),
		[]string{"I3"},
		"is confirmed of", nil,
	},
	{
		"a credit was confirmed twice", func(v *vandal) {
			v.rewrite(returning, &retv1.CreditConfirmed{}, func(commits []bson.D) []bson.D { return again(commits, &retv1.CreditConfirmed{}) })
		},
		[]string{"I3", "I4", "I5", "I7", "I9"},
		"is confirmed again", nil,
	},
	{
		"freight cost what no rate says", altered(settlement, every[*fsv1.RateCardPublished], func(m *fsv1.RateCardPublished) {
			m.Card.Lanes[0].Bands[0].RatePerKg = "0.3"
		}),
		[]string{"I3"},
		"the rate card makes it", nil,
	},
	{
		"freight was paid for what was not delivered", altered(settlement, every[*fsv1.FreightFinalised], func(m *fsv1.FreightFinalised) { m.DeliveredGrams++ }),
		[]string{"I3"},
		"were delivered", nil,
	},
}

// lie is a field of an answer that is not what the facts say.
type lie struct {
	name   string
	change func(reply any)
}

var lieOfEach = []lie{
	{"delivered", func(reply any) {
		if m, ok := reply.(*orv1.GetOrderResponse); ok {
			m.Order.Lines[0].Quantities.Delivered = "1000"
		}
	}},
	{"a release", func(reply any) {
		if m, ok := reply.(*orv1.GetOrderResponse); ok && len(m.Order.Releases) > 1 {
			m.Order.Releases = m.Order.Releases[:1]
		}
	}},
	{"short", func(reply any) {
		if m, ok := reply.(*imv1.GetWarehouseOrderResponse); ok {
			m.WarehouseOrder.Lines[0].Short.Value = "1000"
		}
	}},
	{"a charge", func(reply any) {
		if m, ok := reply.(*fsv1.GetFreightResponse); ok {
			m.Freight.Charges[0].Amount.AmountMinor++
		}
	}},
	{"nothing owed", func(reply any) {
		if m, ok := reply.(*fsv1.GetFreightResponse); ok {
			m.Freight.OpenAccrual.AmountMinor++
		}
	}},
	{"a voucher", func(reply any) {
		if m, ok := reply.(*fsv1.GetFreightInvoiceResponse); ok {
			m.Invoice.VoucherNumber = ""
		}
	}},
	{"still to come", func(reply any) {
		if m, ok := reply.(*imv1.GetInboundDeliveryResponse); ok {
			m.InboundDelivery.Lines[0].Open.Value = "1000"
		}
	}},
	{"put back", func(reply any) {
		if m, ok := reply.(*imv1.GetWarehouseOrderResponse); ok {
			m.WarehouseOrder.Lines[0].PutBack.Value = "1000"
		}
	}},
	{"restocked", func(reply any) {
		if m, ok := reply.(*retv1.GetReturnResponse); ok {
			m.Return.Lines[0].Disposed.Restocked = "1000"
		}
	}},
	{"an older version", func(reply any) {
		if m, ok := reply.(*retv1.GetReturnResponse); ok {
			m.Return.Etag = "1"
		}
	}},
	{"available", func(reply any) {
		if m, ok := reply.(*retv1.GetReturnableItemsResponse); ok {
			m.Items[0].Available = "1000"
		}
	}},
}

// TestRates holds the checker's own reckoning against figures made by hand.
func TestRates(t *testing.T) {
	card := &fsv1.RateCard{Currency: "EUR", FuelPercent: "12.5"}
	band := &fsv1.WeightBand{MinimumMinor: 690, RatePerKg: "0.35", Basis: fsv1.RateBasis_RATE_BASIS_KILOGRAM}
	for _, c := range []struct {
		grams, base, fuel int64
	}{
		{4_200, 690, 86},   // 1.47 is less than 6.90; 0.8625
		{27_178, 951, 119}, // 9.5123; 1.18875
		{30_000, 1050, 131},
	} {
		if got := charged(card, band, c.grams); got["BASE"] != c.base || got["FUEL"] != c.fuel || len(got) != 2 {
			t.Errorf("%d g: %v, want %d and %d", c.grams, got, c.base, c.fuel)
		}
	}
	band.Basis, band.FlatMinor, card.FuelPercent = fsv1.RateBasis_RATE_BASIS_HUNDREDWEIGHT, 100, ""
	if got := charged(card, band, 45_359_237); got["BASE"] != 35_000+100 || len(got) != 1 { // 1,000 cwt
		t.Errorf("%v", got)
	}
}
