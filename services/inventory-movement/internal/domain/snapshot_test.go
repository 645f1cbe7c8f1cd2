package domain

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

var (
	teaStock = StockKey{ID: "stk_a", Site: "DC1", Item: "itm_tea", SKU: "TEA", Owner: OwnStock, Unit: "EA"}
	nightly  = SnapshotKeys{ID: "snp_a", Sites: []string{"DC1"}, AsOf: noon}
	finest   = Grain{Location: true, Lot: true, Status: true}
)

func standsAt(location string, n, allocated int64) Row {
	return Row{Place: Place{Location: location, Status: Available}, OnHand: quantity.Int(n), Allocated: quantity.Int(allocated)}
}

func said(location string, n, line int64) SnapshotRow {
	return SnapshotRow{Site: "DC1", SKU: "TEA", Owner: OwnStock, Unit: "EA", Place: Place{Location: location, Status: Available}, Quantity: quantity.Int(n), Line: line}
}

// judged renders what a comparison found: of each key that differs how, by how much and why.
func judged(counts SnapshotCounts, found []SnapshotDifference) string {
	out := []string{fmt.Sprintf("%d matched", counts.Matched)}
	if counts.Unreadable > 0 {
		out = append(out, fmt.Sprintf("%d unreadable", counts.Unreadable))
	}
	for _, d := range found {
		out = append(out, strings.TrimSpace(fmt.Sprintf("%s %s %s %s", d.Place.Location, d.Result, d.Delta(), d.Lag)))
	}
	return strings.Join(out, "; ")
}

func TestCompareStock(t *testing.T) {
	bad := said("B-1", 0, 2)
	bad.Bad = true
	later := func(location string, n int64) Moved {
		return Moved{At: noon.Add(time.Hour), Rows: []Row{standsAt(location, n, 0)}}
	}
	packed := standsAt(Packing, 4, 0)
	for name, c := range map[string]struct {
		file  []SnapshotRow
		rows  []Row
		later []Moved
		now   []Row
		grain Grain
		want  string
	}{
		"alike":                       {[]SnapshotRow{said("B-1", 6, 2)}, []Row{standsAt("B-1", 6, 0)}, nil, nil, finest, "1 matched"},
		"rows of one key add up":      {[]SnapshotRow{said("B-1", 4, 2), said("B-1", 2, 3)}, []Row{standsAt("B-1", 6, 0)}, nil, nil, finest, "1 matched"},
		"more":                        {[]SnapshotRow{said("B-1", 8, 2)}, []Row{standsAt("B-1", 6, 0)}, nil, nil, finest, "0 matched; B-1 MISMATCH 2"},
		"less":                        {[]SnapshotRow{said("B-1", 5, 2)}, []Row{standsAt("B-1", 6, 0)}, nil, nil, finest, "0 matched; B-1 MISMATCH -1"},
		"the ledger has nothing":      {[]SnapshotRow{said("B-1", 5, 2)}, nil, nil, nil, finest, "0 matched; B-1 MISSING_LEFT 5"},
		"the file has nothing":        {nil, []Row{standsAt("B-1", 5, 0)}, nil, nil, finest, "0 matched; B-1 MISSING_RIGHT -5"},
		"both say nothing":            {[]SnapshotRow{said("B-1", 0, 2)}, nil, nil, nil, finest, "1 matched"},
		"it cannot be read":           {[]SnapshotRow{bad}, []Row{standsAt("B-1", 5, 0)}, nil, nil, finest, "0 matched; 1 unreadable"},
		"it moved later":              {[]SnapshotRow{said("B-1", 9, 2)}, []Row{standsAt("B-1", 6, 0)}, []Moved{later("B-1", 2), later("B-1", 1), later("B-1", 5)}, nil, finest, "0 matched; B-1 LAGGING 3 MOVED_LATER"},
		"it moved elsewhere later":    {[]SnapshotRow{said("B-1", 9, 2)}, []Row{standsAt("B-1", 6, 0)}, []Moved{later("B-2", 3)}, nil, finest, "0 matched; B-1 MISMATCH 3"},
		"it moved, but not so much":   {[]SnapshotRow{said("B-1", 9, 2)}, []Row{standsAt("B-1", 6, 0)}, []Moved{later("B-1", 2)}, nil, finest, "0 matched; B-1 MISMATCH 3"},
		"a pick is not told yet":      {[]SnapshotRow{said("B-1", 4, 2)}, []Row{standsAt("B-1", 6, 3)}, nil, []Row{standsAt("B-1", 6, 3)}, finest, "0 matched; B-1 LAGGING -2 PICK_NOT_REPORTED"},
		"less than picks explain":     {[]SnapshotRow{said("B-1", 2, 2)}, []Row{standsAt("B-1", 6, 3)}, nil, []Row{standsAt("B-1", 6, 3)}, finest, "0 matched; B-1 MISMATCH -4"},
		"without bins":                {[]SnapshotRow{said("", 10, 2)}, []Row{standsAt("B-1", 4, 0), standsAt("B-2", 2, 0), packed}, nil, nil, Grain{Status: true}, "1 matched"},
		"what is packed is in no bin": {[]SnapshotRow{said("B-1", 4, 2)}, []Row{standsAt("B-1", 4, 0), packed}, nil, nil, finest, "1 matched"},
		"outside is not in it":        {nil, []Row{{Place: Place{Location: Supplier, Status: Available}, OnHand: quantity.Int(-4)}}, nil, nil, finest, "0 matched"},
	} {
		now := c.now
		if got := judged(CompareStock(teaStock, c.file, LedgerStock{Key: teaStock, Rows: c.rows, Later: c.later, Now: now}, c.grain)); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, c.want)
		}
	}
}

// readFile reads a file as the use case does and renders the rows and what is wrong with others.
func readFile(t *testing.T, k SnapshotKeys, text string) (rows, errs []string) {
	t.Helper()
	first, _, _ := strings.Cut(text, "\n")
	h, err := ReadHeader(first, len(k.Sites))
	if err != nil {
		t.Fatal(err)
	}
	p := Portion{Header: h}
	lines, _ := Lines([]byte(text), h, 0)
	for _, l := range lines {
		p.Add(l, k, map[string]Item{"TEA": teaIt, "POT": potIt})
	}
	for _, r := range p.Rows {
		rows = append(rows, fmt.Sprintf("%d %s/%s/%s %s %s %s %v", r.Line, r.Site, r.SKU, r.Owner, r.Place.Location, r.Place.Status, r.Quantity, r.Bad))
	}
	for _, e := range p.Errors {
		errs = append(errs, strings.TrimSpace(fmt.Sprintf("%d %s %s", e.Line, e.Field, e.Reason)))
	}
	if p.Bad != int64(len(errs)) {
		t.Errorf("%d are bad: %v", p.Bad, errs)
	}
	return rows, errs
}

// Every bad row is named by its line, its column and the reason, and costs no other row.
func TestBadRowsOfASnapshot(t *testing.T) {
	rows, errs := readFile(t, nightly, "\ufeffsite;sku;owner;location;lot;status;quantity;unit;as_of_time\r\n"+
		"DC1;TEA;;B-1;L1;AVAILABLE;2;CS;2026-03-02T12:00:00Z\r\n"+
		"\r\n"+
		"DC2;TEA;;B-1;;AVAILABLE;2;EA;\r\n"+
		"DC1;NOPE;;B-1;;AVAILABLE;2;EA;\r\n"+
		"DC1;;;B-1;;AVAILABLE;2;EA;\r\n"+
		"DC1;TEA;;;;AVAILABLE;2;EA;\r\n"+
		"DC1;TEA;;CUSTOMER;;AVAILABLE;2;EA;\r\n"+
		"DC1;TEA;;B-1;;SOLD;2;EA;\r\n"+
		"DC1;TEA;;B-2;;AVAILABLE;x;EA;\r\n"+
		"DC1;TEA;;B-3;;AVAILABLE;-1;EA;\r\n"+
		"DC1;TEA;;B-4;;AVAILABLE;1;PF;\r\n"+
		"DC1;TEA;;B-5;;AVAILABLE;0.5;EA;\r\n"+
		"DC1;TEA;;B-6;;AVAILABLE;1;EA;2026-03-02T12:00:01Z\r\n"+
		"DC1;TEA;B-7\r\n"+
		"DC1;\"TEA;;B-8;;AVAILABLE;1;EA;\r\n"+
		"DC1;\"POT\";3PL;B-9;;blocked;0;;\r\n"+
		"DC1;TEA;;B-1;;AVAILABLE;\xff;EA;\r\n")
	wantErrs := []string{
		"4 site SITE_OUT_OF_SCOPE", "5 sku ITEM_UNKNOWN", "6 sku VALUE_REQUIRED", "7 location VALUE_REQUIRED", "8 location LOCATION_RESERVED",
		"9 status STATUS_UNKNOWN", "10 quantity QUANTITY_INVALID", "11 quantity QUANTITY_INVALID", "12 unit UNIT_UNKNOWN", "13 quantity QUANTITY_INEXACT",
		"14 as_of_time AS_OF_CONFLICT", "15  ROW_MALFORMED", "16  ROW_MALFORMED", "18  ROW_MALFORMED",
	}
	wantRows := []string{
		"2 DC1/TEA/OWN B-1 AVAILABLE 24 false", "10 DC1/TEA/OWN B-2 AVAILABLE 0 true", "11 DC1/TEA/OWN B-3 AVAILABLE 0 true",
		"12 DC1/TEA/OWN B-4 AVAILABLE 0 true", "13 DC1/TEA/OWN B-5 AVAILABLE 0 true", "17 DC1/POT/3PL B-9 BLOCKED 0 false",
	}
	if !slices.Equal(errs, wantErrs) {
		t.Errorf("\n got %q\nwant %q", errs, wantErrs)
	}
	if !slices.Equal(rows, wantRows) {
		t.Errorf("\n got %q\nwant %q", rows, wantRows)
	}
	for _, header := range []string{"sku,quantity", "sku,unit", "sku,quantity,unit,colour", "sku,sku,quantity,unit", `"sku,quantity,unit`} {
		_, err := ReadHeader(header, 1)
		expect(t, err, fault.Invalid, "COLUMNS_INVALID")
	}
	_, err := ReadHeader("sku,quantity,unit", 2)
	expect(t, err, fault.Invalid, "COLUMNS_INVALID")
}

func TestSnapshotSteps(t *testing.T) {
	h := Header{Columns: []string{"sku", "quantity", "unit"}, Separator: ","}
	s := ApplySnapshot(Snapshot{}, SnapshotCreated{nightly})
	step := func(facts []SnapshotFact, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		s = ApplySnapshot(s, facts...)
	}
	_, err := StartComparison(s)
	expect(t, err, fault.Refused, "SNAPSHOT_EMPTY")
	_, err = AddRows(s, 2, "m2", Portion{Header: h})
	expect(t, err, fault.Refused, "PORTION_OUT_OF_ORDER")
	step(AddRows(s, 1, "m1", Portion{Header: h, Lines: 3, Taken: 2}))
	_, err = AddRows(s, 1, "other", Portion{Header: h})
	expect(t, err, fault.Refused, "PORTION_CHANGED")
	step(AddRows(s, 1, "m1", Portion{Header: h}))
	step(AddRows(s, 2, "m2", Portion{Lines: 1, Bad: 1, Errors: []RowError{{Line: 4, Reason: "ROW_MALFORMED"}}}))
	if s.Lines != 4 || s.Rows != 2 || s.BadRows != 1 || len(s.Portions) != 2 || len(s.Columns) != 3 {
		t.Errorf("%+v", s)
	}
	_, err = CreateSnapshot(s, SnapshotKeys{ID: "snp_a", Sites: []string{"DC2"}, AsOf: noon})
	expect(t, err, fault.Refused, "SNAPSHOT_EXISTS")
	step(CreateSnapshot(s, nightly))
	step(StartComparison(s))
	step(StartComparison(s))
	if s.Run != 1 || s.State() != SnapshotComparing {
		t.Errorf("run %d, %s", s.Run, s.State())
	}
	_, err = AddRows(s, 3, "m3", Portion{})
	expect(t, err, fault.Refused, "SNAPSHOT_STATE")
	_, err = CloseSnapshot(s)
	expect(t, err, fault.Refused, "SNAPSHOT_STATE")
	found := []SnapshotDifference{{StockKey: teaStock, Result: Mismatch}}
	for part := 0; part < SnapshotParts; part += 64 {
		step(NotePart(s, 1, part, part+64, SnapshotCounts{Matched: 24_999, Mismatch: 1}, found), nil)
		step(NotePart(s, 1, part, part+64, SnapshotCounts{Matched: 9}, nil), nil) // told again
		step(NotePart(s, 7, part, part+64, SnapshotCounts{Matched: 9}, nil), nil) // of no run that there is
	}
	if s.State() != SnapshotDone || s.Counts != (SnapshotCounts{Matched: 49_998, Mismatch: 2}) || s.Counts.Rate() != "99.996" || len(s.Kept) != 2 {
		t.Errorf("%s %+v %s %d", s.State(), s.Counts, s.Counts.Rate(), len(s.Kept))
	}
	step(CloseSnapshot(s))
	step(CloseSnapshot(s))
	_, err = StartComparison(s)
	expect(t, err, fault.Refused, "SNAPSHOT_STATE")
}

// A file with many differences is counted whole and kept in part; a rate of 100 means all.
func TestSnapshotBounds(t *testing.T) {
	s := ApplySnapshot(Snapshot{}, SnapshotCreated{nightly}, SnapshotRowsAdded{SnapshotKeys: nightly, Portion: 1, Mark: "m"}, ComparisonStarted{nightly, 1})
	many := make([]SnapshotDifference, 700)
	for part := range SnapshotParts {
		s = ApplySnapshot(s, NotePart(s, 1, part, part+1, SnapshotCounts{Mismatch: 700}, many)...)
	}
	if len(s.Kept) != maxKept || s.Counts.Mismatch != 700*SnapshotParts {
		t.Errorf("%d kept of %d", len(s.Kept), s.Counts.Mismatch)
	}
	for want, c := range map[string]SnapshotCounts{
		"": {Unreadable: 3}, "0": {MissingLeft: 1}, "100": {Matched: 7}, "99.9999": {Matched: 9_999_999, Lagging: 1}, "99.994": {Matched: 49_997, Mismatch: 1, Lagging: 1, MissingRight: 1},
	} {
		if c.Rate() != want {
			t.Errorf("%+v: %q, want %q", c, c.Rate(), want)
		}
	}
}

// TestSnapshotMachine: whatever a file and a ledger say, every key is counted once; the same
// comparison finds the same; and when what is proposed is done nothing differs any more.
func TestSnapshotMachine(t *testing.T) {
	bins := []string{"B-1", "B-2", "B-3"}
	rapid.Check(t, func(t *rapid.T) {
		var s Stock
		for range rapid.IntRange(0, 6).Draw(t, "receipts") {
			p := Place{Location: rapid.SampledFrom(bins).Draw(t, "bin"), Lot: rapid.SampledFrom([]string{"", "L1"}).Draw(t, "lot"), Status: rapid.SampledFrom([]Status{Available, Blocked}).Draw(t, "status")}
			facts, err := Received(s, teaStock, p, quantity.Int(rapid.Int64Range(1, 5).Draw(t, "pieces")), "", noon)
			if err != nil {
				t.Fatal(err)
			}
			s = ApplyStock(s, facts...)
		}
		var file []SnapshotRow
		places := map[Place]bool{}
		for n := range rapid.IntRange(0, 6).Draw(t, "rows") {
			r := said(rapid.SampledFrom(bins).Draw(t, "its bin"), rapid.Int64Range(0, 5).Draw(t, "its pieces"), int64(n+2))
			r.Place.Lot, r.Place.Status = rapid.SampledFrom([]string{"", "L1"}).Draw(t, "its lot"), rapid.SampledFrom([]Status{Available, Blocked}).Draw(t, "its status")
			file, places[r.Place] = append(file, r), true
		}
		for _, r := range s.Rows {
			if !r.Place.outside() {
				places[r.Place] = true
			}
		}
		counts, found := CompareStock(teaStock, file, LedgerStock{Key: teaStock, Rows: s.Rows, Now: s.Rows}, finest)
		if counts.Keys() != int64(len(places)) || counts.Keys()-counts.Matched != int64(len(found)) {
			t.Fatalf("%d places: %+v %v", len(places), counts, found)
		}
		again, same := CompareStock(teaStock, file, LedgerStock{Key: teaStock, Rows: s.Rows, Now: s.Rows}, finest)
		if again != counts || !slices.Equal(same, found) {
			t.Fatalf("%v, and then %v", found, same)
		}
		for _, d := range found {
			facts, err := Adjust(s, teaStock, d.Place, d.Delta(), SnapshotReason, noon)
			if err != nil {
				t.Fatal(err)
			}
			s = ApplyStock(s, facts...)
		}
		if after, left := CompareStock(teaStock, file, LedgerStock{Key: teaStock, Rows: s.Rows, Now: s.Rows}, finest); after.Matched != after.Keys() {
			t.Fatalf("after all adjustments %v", left)
		}
	})
}
