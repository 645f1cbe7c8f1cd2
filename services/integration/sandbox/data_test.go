package sandbox

import (
	"encoding/csv"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/gs1"
	or "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	"github.com/lockstep-logistics/lockstep/services/integration/internal/document"
	"github.com/lockstep-logistics/lockstep/services/integration/internal/domain"
)

// column returns a column of a data file, row by row.
func column(t *testing.T, file, name string) (values []string) {
	t.Helper()
	text, err := data.ReadFile("data/" + file)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(string(text))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	at := slices.Index(rows[0], name)
	if at < 0 {
		t.Fatalf("%s has no column %s", file, name)
	}
	for _, row := range rows[1:] {
		values = append(values, row[at])
	}
	return values
}

// TestDataIsSound: the documents' door takes every record of the sample data, and there is
// enough of everything.
func TestDataIsSound(t *testing.T) {
	for file, tt := range map[string]struct {
		documentType string
		least        int64
	}{
		"items.csv": {"ITEMS", 12}, "locations.csv": {"LOCATIONS", 3 * 15}, "parties.csv": {"PARTIES", 6}, "carriers.csv": {"CARRIERS", 2}, "stock.csv": {"STOCK_RECEIPTS", 12},
	} {
		text, err := data.ReadFile("data/" + file)
		if err != nil {
			t.Fatal(err)
		}
		_, records, _, errs, usable := document.Through(document.Spec{Type: tt.documentType, Format: "CSV", System: erp}, text, true)
		if !usable || records < tt.least || len(errs) > 0 {
			t.Errorf("%s: %d records, %v", file, records, errs)
		}
	}
	for _, gtin := range append(column(t, "items.csv", "gtin"), column(t, "items.csv", "packaging_gtin")...) {
		if _, err := gs1.GTIN(gtin); gtin != "" && err != nil {
			t.Errorf("%s is no GTIN", gtin)
		}
	}
}

// TestScenariosNameTheData: what scenarios name is in the data, and numbers are told apart.
func TestScenariosNameTheData(t *testing.T) {
	skus, parties, places := column(t, "items.csv", "sku"), column(t, "parties.csv", "code"), column(t, "locations.csv", "code")
	services := column(t, "carriers.csv", "service_code")
	numbers := map[string]bool{}
	knows := func(list []string, code, what string) {
		if !slices.Contains(list, code) {
			t.Errorf("no %s %s", what, code)
		}
	}
	for _, s := range Scenarios("X-") {
		if numbers[s.Number] || !strings.HasPrefix(s.Number, "X-") {
			t.Errorf("number %s", s.Number)
		}
		numbers[s.Number] = true
		knows(parties, s.Customer, "party")
		knows(places, s.Site, "site")
		knows(services, s.Service, "service")
		for _, l := range s.Lines {
			knows(skus, l.SKU, "item")
		}
		for _, g := range append(s.Receive, s.Replenish...) {
			knows(skus, g.SKU, "item")
			knows(places, g.Bin, "bin")
		}
		for _, b := range s.Returns {
			knows(places, b.Restock, "bin")
		}
	}
}

// TestOrdersAreExportedAlike: an order in CSV is the order in JSON, and the same text every time.
func TestOrdersAreExportedAlike(t *testing.T) {
	for _, s := range Scenarios("X-") {
		var orders []*or.OrderDocument
		for _, format := range []string{"CSV", "JSON"} {
			s.Format = format
			text, err := orderText(s)
			again, _ := orderText(s)
			if err != nil || text != again {
				t.Fatalf("%s: %v\n%s\n%s", s.Name, err, text, again)
			}
			r, errs := document.Open(document.Spec{Type: "ORDERS", Format: format, System: erp}, []byte(text), domain.Place{}, false)
			if len(errs) > 0 {
				t.Fatal(errs)
			}
			record, _ := r.Next()
			if _, more := r.Next(); len(record.Errors) > 0 || more {
				t.Fatalf("%s: %v, more: %t", s.Name, record.Errors, more)
			}
			orders = append(orders, record.Message.(*or.OrderDocument))
		}
		if !proto.Equal(orders[0], orders[1]) || orders[0].GetOrderNumber() != s.Number {
			t.Errorf("%s:\n%v\n%v", s.Name, orders[0], orders[1])
		}
	}
}
