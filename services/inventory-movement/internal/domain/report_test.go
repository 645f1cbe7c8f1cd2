package domain

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// Of a report what fits is done and the rest is kept, under each reason: nothing is refused,
// nothing is lost, and no quantity of the order is more than it was to be.
func TestReportsThatContradict(t *testing.T) {
	known := func(line int, q int64) PickedLine {
		l := twoLines().Lines[line-1]
		return PickedLine{Line: line, Item: l.Item, SKU: l.SKU, Quantity: n(q), Unit: "EA"}
	}
	contradicts := func(why Contradicts, r Report, lines ...PickedLine) OrderFact {
		r.Lines = lines
		return ReportContradicted{twoLines().Keys, "DC1", "", why, r}
	}
	confirmed := func(lines ...PickedLine) OrderFact { return PickConfirmed{twoLines().Keys, "DC1", "", lines, t0} }
	shorted := func(lines ...PickedLine) OrderFact { return PickShorted{twoLines().Keys, "DC1", "", lines, true, t0} }
	partly := ApplyOrder(twoLines(), PickConfirmed{Lines: []PickedLine{picked(1, 7)}})
	issued := ApplyOrder(twoLines(), PickConfirmed{Lines: []PickedLine{picked(1, 10), picked(2, 4)}}, GoodsIssued{At: t0})
	cancelled := ApplyOrder(twoLines(), OrderCancelled{OrderKeys: twoLines().Keys, Reason: "changed mind"})
	never := ApplyOrder(WarehouseOrder{}, OrderCancelled{OrderKeys: twoLines().Keys, Reason: "early"})
	never.Site = "DC1"
	for name, tt := range map[string]struct {
		order  WarehouseOrder
		report Report
		want   []OrderFact
	}{
		"more than was to be picked": {twoLines(), picks(picked(1, 12)), []OrderFact{confirmed(known(1, 10)), contradicts(OverPick, picks(), known(1, 2))}},
		"more than is left, on the sum": {partly, picks(picked(1, 2), picked(1, 2)), []OrderFact{
			confirmed(known(1, 2), known(1, 1)), contradicts(OverPick, picks(), known(1, 1)),
		}},
		"more missing than is left": {partly, shorts(picked(1, 5)), []OrderFact{shorted(known(1, 3)), contradicts(OverShort, shorts(), known(1, 2))}},
		"a line of another order": {twoLines(), picks(picked(9, 1), picked(2, 4), picked(1, 11)), []OrderFact{
			confirmed(known(2, 4), known(1, 10)), contradicts(OverPick, picks(), known(1, 1)), contradicts(UnknownLine, picks(), picked(9, 1)),
		}},
		"after it was cancelled":       {cancelled, picks(picked(1, 3), picked(9, 1)), []OrderFact{contradicts(AfterCancel, picks(), known(1, 3), picked(9, 1))}},
		"of one that never came":       {never, picks(picked(1, 3)), []OrderFact{contradicts(AfterCancel, picks(), picked(1, 3))}},
		"missing after it was issued":  {issued, shorts(picked(2, 1)), []OrderFact{contradicts(AfterIssue, shorts(), known(2, 1))}},
		"the same once more, all done": {ApplyOrder(twoLines(), PickConfirmed{Lines: []PickedLine{picked(2, 4)}}), picks(picked(2, 4)), []OrderFact{contradicts(OverPick, picks(), known(2, 4))}},
	} {
		got, err := TakeReport(tt.order, tt.report)
		if err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: %v\n got %+v\nwant %+v", name, err, got, tt.want)
		}
		before, after := tt.order, ApplyOrder(tt.order, got...)
		kept := slices.IndexFunc(after.Contradictions, func(c Contradiction) bool {
			return c.By == "wms@dc1" && c.Source.MessageID == "945-1" && c.At == t0 && c.Report == tt.report.Kind && c.Damaged == tt.report.Damaged
		})
		if kept < 0 || after.Contradicted != len(after.Contradictions) {
			t.Errorf("%s: remembered %d, %+v", name, after.Contradicted, after.Contradictions)
		}
		if before.State() == Cancelled && after.State() != Cancelled || before.State() == Issued && after.State() != Issued {
			t.Errorf("%s: %s became %s", name, before.State(), after.State())
		}
	}
}

// What an order remembers is bounded; it counts all.
func TestRememberedContradictionsAreBounded(t *testing.T) {
	o := twoLines()
	for range 2 {
		var lines []PickedLine
		for i := range maxContradictions {
			lines = append(lines, picked(100+i, 1))
		}
		facts, err := TakeReport(o, picks(lines...))
		if err != nil {
			t.Fatal(err)
		}
		o = ApplyOrder(o, facts...)
	}
	if o.Contradicted != 2*maxContradictions || len(o.Contradictions) != maxContradictions || o.Contradictions[0].Line.Line != 100 {
		t.Errorf("%d, %d remembered", o.Contradicted, len(o.Contradictions))
	}
}

// warehouse is an order and the stock of its item, booked as reports come: line 1 has 10, line
// 2 has 4, and perhaps less than that is in the bin.
type warehouse struct {
	order    WarehouseOrder
	stock    Stock
	came     quantity.Decimal         // what the bin had
	reported map[int]quantity.Decimal // by line, by whatever report
	odd      map[int]quantity.Decimal
}

func (w *warehouse) take(t *rapid.T, facts []OrderFact, err error) {
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range facts {
		w.order = EvolveOrder(w.order, f)
		switch f := f.(type) {
		case PickConfirmed:
			for _, l := range f.Lines {
				w.stock = ApplyStock(w.stock, TakePick(w.stock, key, "who_a", l, t0)...)
			}
		case PickShorted:
			for _, l := range f.Lines {
				w.stock = ApplyStock(w.stock, TakeShort(w.stock, key, "who_a", l, f.Damaged, t0)...)
			}
		case GoodsIssued:
			for _, l := range f.Lines {
				w.stock = ApplyStock(w.stock, TakeIssue(w.stock, key, "who_a", l, t0)...)
			}
		case OrderCancelled:
			w.stock = ApplyStock(w.stock, CloseOrder(w.stock, key, "who_a")...)
		case ReportContradicted:
			for _, l := range f.Lines {
				w.odd[l.Line] = w.odd[l.Line].Add(l.Quantity)
			}
		}
	}
}

// holds: every piece that was reported is done or kept as a contradiction, no line is done
// beyond what it was to be, and what stands in PACKING or left is what the order has picked.
func (w *warehouse) holds(t *rapid.T) {
	done, picked := map[int]quantity.Decimal{}, quantity.Decimal{}
	for _, l := range w.order.Lines {
		done[l.Number] = l.Picked.Add(l.Short)
		picked = picked.Add(l.Picked)
		if l.left().Sign() < 0 || l.Picked.Less(l.Packed) {
			t.Fatalf("line %+v", l)
		}
	}
	for line, q := range w.reported {
		if got := done[line].Add(w.odd[line]); got != q {
			t.Fatalf("of %s reported of line %d %s are done and %s kept", q, line, done[line], w.odd[line])
		}
	}
	packing, _ := w.stock.onHand(Place{Location: Packing, Status: Available})
	left, _ := w.stock.onHand(Place{Location: Customer, Status: Available})
	if got := packing.Add(left); got != picked {
		t.Fatalf("%s are in PACKING and %s left, %s were picked", packing, left, picked)
	}
	if w.order.IsCancelled && picked.Sign() > 0 {
		t.Fatalf("%s were picked of an order that is cancelled", picked)
	}
	w.free(t)
	if !w.order.IssuedAt.IsZero() && left != picked {
		t.Fatalf("%s left, %s were picked", left, picked)
	}
	checkBooks(t, w.stock)
}

// free: a cancelled order holds nothing, and what was short is not free for others: of what came
// the bin's AVAILABLE part lacks what the books have as DAMAGED or as a discrepancy.
func (w *warehouse) free(t *rapid.T) {
	if !w.order.IsCancelled {
		return
	}
	good, _ := w.stock.onHand(bin)
	bad := bin
	bad.Status = Damaged
	damaged, _ := w.stock.onHand(bad)
	missing, _ := w.stock.onHand(Place{Location: Discrepancy, Status: Available})
	short := quantity.Decimal{}
	for _, l := range w.order.Lines {
		short = short.Add(l.Short)
	}
	f := w.stock.Figures("")
	if len(w.stock.Allocations) > 0 || f.Allocated.Sign() != 0 || f.ATP != good || good.Add(damaged).Add(missing) != w.came || short.Less(damaged.Add(missing)) {
		t.Fatalf("cancelled: of %s that came %s are good, %s damaged, %s missing, %s short; %+v", w.came, good, damaged, missing, short, f)
	}
	if w.came == quantity.Sum(n(10), n(4)) && damaged.Add(missing) != short { // all was allocated
		t.Fatalf("%s are short, the books have %s damaged and %s missing", short, damaged, missing)
	}
}

// Whatever a warehouse reports, in whatever order with packing, goods issue and cancellation:
// the plan's quantities stay exact, and stock moves by what fits them only.
func TestReportsKeepThePlan(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &warehouse{order: twoLines(), reported: map[int]quantity.Decimal{}, odd: map[int]quantity.Decimal{}}
		w.came = n(rapid.OneOf(rapid.Just(int64(14)), rapid.Int64Range(1, 30)).Draw(t, "stock"))
		facts, err := Received(w.stock, key, bin, w.came, "", t0)
		if err != nil {
			t.Fatal(err)
		}
		w.stock = ApplyStock(w.stock, facts...)
		w.stock = ApplyStock(w.stock, Allocate(w.stock, key, "who_a", []Wanted{{Line: 1, Quantity: n(10)}, {Line: 2, Quantity: n(4)}}, on(""))...)
		lines := func() []PickedLine {
			return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) PickedLine {
				return picked(rapid.IntRange(1, 3).Draw(t, "line"), rapid.Int64Range(1, 6).Draw(t, "q"))
			}), 1, 3).Draw(t, "lines")
		}
		report := func(r Report) {
			for _, l := range r.Lines {
				w.reported[l.Line] = w.reported[l.Line].Add(l.Quantity)
			}
			facts, err := TakeReport(w.order, r)
			w.take(t, facts, err)
		}
		t.Repeat(map[string]func(*rapid.T){
			"pick":  func(*rapid.T) { report(picks(lines()...)) },
			"short": func(*rapid.T) { report(shorts(lines()...)) },
			"pack": func(t *rapid.T) {
				c := Carton{SSCC: rapid.StringN(9, 9, 9).Draw(t, "sscc"), Lines: lines()}
				if facts, err := Pack(w.order, c); err == nil {
					w.take(t, facts, nil)
				}
			},
			"pack the rest": func(t *rapid.T) {
				for _, l := range w.order.Lines {
					rest := PickedLine{Line: l.Number, Quantity: l.Picked.Sub(l.Packed), Unit: "EA"}
					c := Carton{SSCC: fmt.Sprint("rest ", len(w.order.Cartons)), Lines: []PickedLine{rest}}
					if facts, err := Pack(w.order, c); err == nil {
						w.take(t, facts, nil)
					}
				}
			},
			"issue": func(t *rapid.T) {
				if facts, err := IssueGoods(w.order, t0); err == nil {
					w.take(t, facts, nil)
				}
			},
			"cancel": func(t *rapid.T) {
				if rapid.IntRange(0, 9).Draw(t, "seldom") == 0 {
					facts, err := Cancel(w.order, w.order.Keys, "changed mind")
					w.take(t, facts, err)
				}
			},
			"": w.holds,
		})
	})
}
