package document_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/lockstep-logistics/lockstep/services/integration/internal/document"
)

// judged reads a document as it is handed over.
func judged(t *testing.T, documentType, format, data string) []document.Record {
	t.Helper()
	apart := document.FindApart(document.Spec{Type: documentType, Format: format, System: "erp"}, []byte(data))
	records := read(t, documentType, format, data)
	for i := range records {
		apart.Judge(&records[i])
	}
	return records
}

// TestRowsApart: of a record whose rows do not stand together every part is refused, and the
// others are not.
func TestRowsApart(t *testing.T) {
	const one, two, three = "SO-1,C-1,1,TEA,1,EA,,\n", "SO-2,C-1,1,TEA,1,EA,,\n", "SO-3,C-1,1,TEA,1,EA,,\n"
	const more = "SO-1,C-1,2,CUP,1,EA,,\n"
	for name, tt := range map[string]struct{ rows, want string }{
		"together":               {one + more + two, "SO-1; SO-2"},
		"apart":                  {one + two + more, "SO-1 2 ROWS_APART; SO-2; SO-1 4 ROWS_APART"},
		"in three places":        {one + two + more + three + more, "SO-1 2 ROWS_APART; SO-2; SO-1 4 ROWS_APART; SO-3; SO-1 6 ROWS_APART"},
		"empty lines between":    {one + "\n\n" + more + two, "SO-1; SO-2"},
		"blanks around the key":  {one + two + " " + more, "SO-1 2 ROWS_APART; SO-2; SO-1 4 ROWS_APART"},
		"wrong in itself too":    {"SO-1,C-1,x,TEA,1,EA,,\n" + two + more, "SO-1 2 ROWS_APART 2 line_number VALUE_INVALID; SO-2; SO-1 4 ROWS_APART"},
		"one begins another":     {one + "SO-10,C-1,1,TEA,1,EA,,\n" + two, "SO-1; SO-10; SO-2"},
		"broken row apart":       {one + two + "SO-1,\"C-1,2,TEA,1,EA,,\n" + three, "SO-1 2 ROWS_APART; SO-2; 4:6 QUOTE_UNBALANCED; SO-3"},
		"too short a row apart":  {one + two + "SO-1,,2\n" + three, "SO-1 2 ROWS_APART; SO-2; 4 FIELD_COUNT; SO-3"},
		"broken row of the next": {one + "SO-10,\"C-1,1,TEA,1,EA,,\nSO-10,C-1,2,TEA,1,EA,,\n" + two, "SO-1 3:7 QUOTE_UNBALANCED; SO-10 4 ROWS_APART; SO-2"},
	} {
		for form, data := range map[string]string{
			"commas":             ordersHeader + tt.rows,
			"semicolons and BOM": "\ufeff" + strings.ReplaceAll(strings.ReplaceAll(ordersHeader+tt.rows, ",", ";"), "\n", "\r\n"),
		} {
			if got := told(judged(t, "ORDERS", "CSV", data)); got != tt.want {
				t.Errorf("%s, %s:\n got %s\nwant %s", name, form, got, tt.want)
			}
		}
	}
}

// TestWhatMayStandApart: where one row or one value is a record, a key may come again.
func TestWhatMayStandApart(t *testing.T) {
	for documentType, tt := range map[string]struct{ format, data, want string }{
		"LOCATIONS":        {"CSV", "code,name,kind\nDC1,A,SITE\nDC2,B,SITE\nDC1,C,SITE\n", "DC1; DC2; DC1"},
		"STOCK_RECEIPTS":   {"CSV", "site,sku,location,quantity,unit\nDC1,TEA,A,1,EA\nDC1,CUP,A,1,EA\nDC1,TEA,A,1,EA\n", "DC1/TEA; DC1/CUP; DC1/TEA"},
		"ITEMS":            {"JSON", `[{"sku":"A","name":"A","baseUnit":"EA"},{"sku":"B","name":"B","baseUnit":"EA"},{"sku":"A","name":"A","baseUnit":"EA"}]`, "A; B; A"},
		"FREIGHT_INVOICES": {"CSV", "carrier,invoice_number,invoice_date,reference,charge_code,amount,currency\nUPS,BC,2026-11-24,P,BASE,1,EUR\nUPSB,C,2026-11-24,P,BASE,1,EUR\nDHL,BC,2026-11-24,P,BASE,1,EUR\n", "UPS/BC; UPSB/C; DHL/BC"},
	} {
		if got := told(judged(t, documentType, tt.format, tt.data)); got != tt.want {
			t.Errorf("%s: got %s, want %s", documentType, got, tt.want)
		}
	}
}

// TestApartSaysWhere: each part names where the others are, and a check of the document tells so.
func TestApartSaysWhere(t *testing.T) {
	data := ordersHeader + strings.Repeat("SO-1,C-1,1,TEA,1,EA,,\nSO-2,C-1,1,TEA,1,EA,,\n", 8)
	e := judged(t, "ORDERS", "CSV", data)[2].Errors[0]
	if e.Line != 4 || e.Record != 3 || e.Key != "SO-1" || e.Message != "the rows of SO-1 must stand together: some are at line 4, others at line 2, 6, 8, 10, 12 and 2 more" {
		t.Errorf("%+v", e)
	}
	_, records, _, errs, usable := document.Through(document.Spec{Type: "ORDERS", Format: "CSV", System: "erp"}, []byte(data), true)
	if records != 16 || len(errs) != 16 || errs[15].Reason != "ROWS_APART" || !usable {
		t.Errorf("checked: %d records, errors %v", records, errs)
	}
}

// TestApartLikeModel holds what is handed over of rows in any order against what stands together.
func TestApartLikeModel(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		var data strings.Builder
		data.WriteString(ordersHeader)
		places, runs := map[string]int{}, []string(nil)
		for i := range 1 + r.IntN(12) {
			key := fmt.Sprintf("SO-%d", r.IntN(6))
			fmt.Fprintf(&data, "%s,C-1,%d,TEA,1,EA,,\n", key, i+1)
			if len(runs) == 0 || runs[len(runs)-1] != key {
				runs = append(runs, key)
				places[key]++
			}
		}
		want := slices.DeleteFunc(slices.Clone(runs), func(key string) bool { return places[key] > 1 })
		var got []string
		records := judged(t, "ORDERS", "CSV", data.String())
		for _, record := range records {
			if len(record.Errors) == 0 {
				got = append(got, record.Key)
			}
		}
		if len(records) != len(runs) || !slices.Equal(got, want) {
			t.Fatalf("seed %d: got %v, want %v of\n%s", seed, got, want, data.String())
		}
	}
}
