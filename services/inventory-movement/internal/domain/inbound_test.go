package domain

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

const pallet = "340123450000000017"

func announcedTea(n, tolerance int64) AsnRegistered {
	return AsnRegistered{
		InboundKeys: InboundKeys{ID: "asn_a", ASN: "A-1", Site: "DC1", Owner: OwnStock},
		Lines: []InboundLine{
			{Number: 1, Item: "itm_tea", SKU: "TEA", Unit: "EA", Announced: quantity.Int(n), Tolerance: quantity.Int(tolerance), Lot: "L1", Expiry: "2027-01-31"},
		},
		Units: []InboundUnit{{SSCC: pallet, Contents: []UnitContent{{Line: 1, Quantity: quantity.Int(n / 2), Unit: "EA"}}}},
	}
}

func tea(n int64) Arrival {
	return Arrival{Item: teaIt, Quantity: quantity.Quantity{Value: quantity.Int(n), Unit: "EA"}, Place: Place{Location: "IN-1"}}
}

// deliver announces tea and takes the goods, one report each.
func deliver(t *testing.T, f AsnRegistered, goods ...Arrival) Inbound {
	t.Helper()
	d := ApplyInbound(Inbound{}, f)
	for _, g := range goods {
		facts, err := TakeGoods(d, InboundReport{Goods: []Arrival{g}, At: noon})
		if err != nil {
			t.Fatal(err)
		}
		d = ApplyInbound(d, facts...)
	}
	return d
}

// told renders a delivery: its state, and of each line what came, differs and stands where.
func (d Inbound) told() string {
	out := []string{string(d.State())}
	for _, l := range d.Lines {
		text := fmt.Sprintf("%d: %s of %s, over %s, open %s", l.Number, l.Received, l.Announced, l.Over, l.Open())
		for _, x := range l.Discrepancies {
			text += fmt.Sprintf(", %s %s", x.Type, x.Quantity)
		}
		out = append(out, text)
	}
	for _, s := range d.Standings {
		out = append(out, fmt.Sprintf("%s %s %s", s.Quantity, s.Place.Status, s.Place.Location))
	}
	return strings.Join(out, "; ")
}

func TestWhatArrives(t *testing.T) {
	damaged, pots, wrong, unit := tea(5), tea(3), tea(2), Arrival{SSCC: pallet, Place: Place{Location: "IN-1"}}
	damaged.Damaged, pots.Item, wrong.Item, wrong.Line = true, potIt, potIt, 1
	for name, c := range map[string]struct {
		announced, tolerance int64
		goods                []Arrival
		want                 string
	}{
		"nothing yet":         {100, 2, nil, "EXPECTED; 1: 0 of 100, over 0, open 100"},
		"exactly":             {100, 2, []Arrival{tea(60), tea(40)}, "RECEIVED; 1: 100 of 100, over 0, open 0; 100 AVAILABLE IN-1"},
		"over by four of two": {100, 2, []Arrival{tea(104)}, "RECEIVED; 1: 104 of 100, over 4, open 0, OVER 2; 102 AVAILABLE IN-1; 2 QUARANTINE IN-1"},
		"over bit by bit":     {100, 2, []Arrival{tea(101), tea(3)}, "RECEIVED; 1: 104 of 100, over 4, open 0, OVER 2; 102 AVAILABLE IN-1; 2 QUARANTINE IN-1"},
		"within":              {100, 2, []Arrival{tea(102)}, "RECEIVED; 1: 102 of 100, over 2, open 0; 102 AVAILABLE IN-1"},
		"damaged":             {10, 0, []Arrival{damaged}, "RECEIVING; 1: 5 of 10, over 0, open 5, DAMAGED 5; 5 DAMAGED IN-1"},
		"unexpected": {
			10, 0,
			[]Arrival{pots},
			"EXPECTED; 1: 0 of 10, over 0, open 10; 100001: 3 of 0, over 3, open 0, UNEXPECTED 3; 3 AVAILABLE IN-1",
		},
		"wrong": {
			10, 0,
			[]Arrival{wrong},
			"EXPECTED; 1: 0 of 10, over 0, open 10; 100001: 2 of 0, over 2, open 0, WRONG_ITEM 2; 2 AVAILABLE IN-1",
		},
		"by its pallet": {10, 0, []Arrival{unit}, "RECEIVING; 1: 5 of 10, over 0, open 5; 5 AVAILABLE IN-1"},
	} {
		want := strings.Replace(c.want, "EXPECTED; 1: 0 of 10,", "RECEIVING; 1: 0 of 10,", 1)
		if got := deliver(t, announcedTea(c.announced, c.tolerance), c.goods...).told(); got != want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, want)
		}
	}
}

// What was announced is what goods are by default: their lot and date.
func TestGoodsAreAsAnnounced(t *testing.T) {
	d := deliver(t, announcedTea(10, 0), Arrival{SSCC: pallet, Place: Place{Location: "IN-1"}})
	if at := d.Standings[0].Place; at.Lot != "L1" || at.Expiry != "2027-01-31" || !d.Units[0].Received {
		t.Errorf("%+v %+v", at, d.Units)
	}
}

func TestCancelRemaining(t *testing.T) {
	d := deliver(t, announcedTea(100, 2), tea(60), tea(25))
	facts, err := CancelRest(d, nil, "SUPPLIER_SHORT")
	if err != nil {
		t.Fatal(err)
	}
	d = ApplyInbound(d, facts...)
	if got := d.told(); got != "RECEIVED; 1: 85 of 100, over 0, open 0, SHORT 15; 85 AVAILABLE IN-1" {
		t.Error(got)
	}
	_, err = CancelRest(d, []int{1}, "AGAIN")
	expect(t, err, fault.Refused, "NOTHING_OPEN")
	// What comes after is too much: nobody waits for it any more.
	late, err := TakeGoods(d, InboundReport{Goods: []Arrival{tea(1)}, At: noon})
	if err != nil {
		t.Fatal(err)
	}
	if got := ApplyInbound(d, late...).told(); got != "RECEIVED; 1: 86 of 100, over 1, open 0, SHORT 15, OVER 1; 85 AVAILABLE IN-1; 1 QUARANTINE IN-1" {
		t.Error(got)
	}
}

// expect asserts the kind and reason of a refusal.
func expect(t *testing.T, err error, kind fault.Kind, reason string) {
	t.Helper()
	if f, ok := fault.As(err); !ok || f.Kind != kind || f.Reason != reason {
		t.Errorf("got %v, want %s %s", err, kind, reason)
	}
}

func TestWhatCannotBe(t *testing.T) {
	twice, bad, unknown, much := announcedTea(10, 0), announcedTea(10, 0), announcedTea(10, 0), announcedTea(10, 0)
	twice.Lines = append(twice.Lines, twice.Lines[0])
	bad.Units = []InboundUnit{{SSCC: "340123450000000018"}}
	unknown.Units = []InboundUnit{{SSCC: pallet, Contents: []UnitContent{{Line: 7, Quantity: quantity.Int(1)}}}}
	much.Units = []InboundUnit{{SSCC: pallet, Contents: []UnitContent{{Line: 1, Quantity: quantity.Int(11)}}}}
	for reason, f := range map[string]AsnRegistered{"LINE_DUPLICATE": twice, "SSCC_INVALID": bad, "LINE_UNKNOWN": unknown, "UNIT_CONTENT_EXCEEDED": much} {
		_, err := Announce(Inbound{}, f)
		expect(t, err, fault.Invalid, reason)
	}
	d := deliver(t, announcedTea(10, 0), Arrival{SSCC: pallet}, tea(5), tea(2))
	facts, err := Announce(d, announcedTea(10, 0))
	if err != nil || len(facts) > 0 {
		t.Errorf("the same again: %v %v", facts, err)
	}
	_, err = Announce(d, announcedTea(12, 0))
	expect(t, err, fault.Refused, "ASN_REGISTERED")
	take := func(g Arrival) error {
		_, err := TakeGoods(d, InboundReport{Goods: []Arrival{g}})
		return err
	}
	expect(t, take(Arrival{SSCC: pallet}), fault.Refused, "UNIT_RECEIVED")
	expect(t, take(Arrival{SSCC: "340123450000000024"}), fault.Invalid, "SSCC_UNKNOWN")
	none, line := tea(0), tea(1)
	line.Line = 9
	expect(t, take(none), fault.Invalid, "QUANTITY_INVALID")
	expect(t, take(line), fault.Invalid, "LINE_UNKNOWN")
	pots := tea(1) // another item, which is kept by lot
	pots.Item = potIt
	pots.Item.Lot = true
	expect(t, take(pots), fault.Invalid, "LOT_REQUIRED")
	kept := tea(1) // of the lot that was announced
	kept.Item.Lot = true
	if err := take(kept); err != nil {
		t.Error(err)
	}
	_, err = Inspect(d, 1, "", Some{Quantity: quantity.Int(1)}, Some{}, noon)
	expect(t, err, fault.Refused, "INSPECTION_EXCEEDED")
	_, err = ResolveOver(d, 1, KeepOver, Some{Quantity: quantity.Int(3)}, noon)
	expect(t, err, fault.Refused, "QUARANTINE_EXCEEDED")
	_, err = ConfirmPutaway(d, 99, "B-1", quantity.Int(1), nil, noon)
	expect(t, err, fault.Invalid, "TASK_UNKNOWN")
	_, err = ConfirmPutaway(d, d.Standings[0].Number, "", quantity.Int(1), nil, noon)
	expect(t, err, fault.Invalid, "PUTAWAY_LOCATION_REQUIRED")
	_, err = ConfirmPutaway(d, d.Standings[0].Number, "B-1", quantity.Int(1000), nil, noon)
	expect(t, err, fault.Refused, "TASK_EXCEEDED")
}

// Goods that an order has already go to their bin with its allocation.
func TestAllocatedGoodsArePutAway(t *testing.T) {
	key := StockKey{ID: "stk_a", Site: "DC1", Item: "itm_tea", SKU: "TEA", Owner: OwnStock, Unit: "EA"}
	in, bin := Place{Location: "IN-1", Status: Available}, Place{Location: "B-1", Status: Available}
	facts, err := Received(Stock{}, key, in, quantity.Int(10), "ASN", noon)
	if err != nil {
		t.Fatal(err)
	}
	s := ApplyStock(Stock{}, facts...)
	s = ApplyStock(s, StockAllocated{StockKey: key, Order: "who_a", Line: 1, Parts: []Allocation{{"who_a", 1, in, quantity.Int(6)}}})
	s = ApplyStock(s, TakeInbound(s, key, InboundMove{From: in, To: bin, Quantity: quantity.Int(10)}, PutAway, "ASN", noon)...)
	i := slices.IndexFunc(s.Rows, func(r Row) bool { return r.Place == bin })
	if i < 0 || s.Rows[i].OnHand != quantity.Int(10) || s.Rows[i].Allocated != quantity.Int(6) || len(s.Rows) != 2 {
		t.Errorf("%+v", s.Rows)
	}
	if a := s.AllocatedTo("who_a", 1); len(a) != 1 || a[0].Place != bin || a[0].Quantity != quantity.Int(6) {
		t.Errorf("%+v", a)
	}
}

func TestAllowance(t *testing.T) {
	for _, c := range []struct{ q, unit, percent, want string }{
		{"100", "EA", "2", "2"}, {"149", "EA", "2", "2"}, {"150", "EA", "2", "3"}, {"12.5", "KGM", "2.5", "0.3125"}, {"100", "EA", "0", "0"},
	} {
		percent, err := Percent(c.percent, "f")
		if err != nil {
			t.Fatal(err)
		}
		got, err := Allowance(quantity.Quantity{Value: quantity.MustParse(c.q), Unit: c.unit}, percent)
		if err != nil || got.String() != c.want {
			t.Errorf("%s %% of %s %s: %s %v, want %s", c.percent, c.q, c.unit, got, err, c.want)
		}
	}
	for _, text := range []string{"-1", "100.1", "x", "0.00001", ""} {
		if _, err := Percent(text, "f"); err == nil {
			t.Errorf("%q is a percentage", text)
		}
	}
}
