package document_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/testkit"
	freightsettlementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/freightsettlement/v1"
	masterdatav1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
	orderreleasev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	"github.com/lockstep-logistics/lockstep/services/integration/internal/document"
	"github.com/lockstep-logistics/lockstep/services/integration/internal/domain"
)

// read reads a whole document.
func read(t *testing.T, documentType, format, data string) []document.Record {
	t.Helper()
	return readFrom(t, document.Spec{Type: documentType, Format: format, System: "erp"}, []byte(data), domain.Place{})
}

func readFrom(t *testing.T, spec document.Spec, data []byte, at domain.Place) (records []document.Record) {
	t.Helper()
	r, errs := document.Open(spec, data, at, false)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	for {
		record, ok := r.Next()
		if !ok {
			return records
		}
		records = append(records, record)
	}
}

// told renders records: their keys, and of bad ones "line:position field REASON".
func told(records []document.Record) string {
	var all []string
	for _, r := range records {
		text := r.Key
		for _, e := range r.Errors {
			text += fmt.Sprintf(" %s %s", strings.TrimPrefix(e.Place(), "line "), e.Reason)
		}
		all = append(all, strings.TrimSpace(text))
	}
	return strings.Join(all, "; ")
}

// TestCrossReferencesOfCSV: a row is a meaning; the same id may come again for another time.
func TestCrossReferencesOfCSV(t *testing.T) {
	records := read(t, "CROSS_REFERENCES", "CSV", "system,object_type,external_id,object_key,direction,valid_from,valid_to\n"+
		"erp,item,4711,TEA,both,,2026-07-01\n"+
		"erp,ITEM,4711,CUP,BOTH,2026-07-01T00:00:00Z,\n"+
		"erp,PLANET,1,TEA,BOTH,,\n"+
		"ERP,ITEM,2,TEA,BOTH,,\n"+
		"erp,ITEM,3,,BOTH,,\n")
	want := "erp/item/4711; erp/ITEM/4711; erp/PLANET/1 4 object_type VALUE_INVALID; ERP/ITEM/2 5 system STRING_PATTERN; erp/ITEM/3 6 object_key STRING_PATTERN"
	if got := told(records); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	m := records[1].Message.(*masterdatav1.CrossReference)
	if m.GetObjectKey() != "CUP" || m.GetDirection() != masterdatav1.CrossReferenceDirection_CROSS_REFERENCE_DIRECTION_BOTH || m.GetValidFrom().AsTime().Month() != 7 || m.GetValidTo() != nil {
		t.Errorf("%v", m)
	}
}

// TestIdentifiersOfCSV: identifiers of any type stand in columns of their own; a type that is
// none is refused in its column.
func TestIdentifiersOfCSV(t *testing.T) {
	records := read(t, "ITEMS", "CSV", "sku,name,base_unit,packaging_unit,packaging_numerator,packaging_height_mm,identifier_type,identifier_value,identifier_party,identifier_unit\n"+
		"TEA,Tea,EA,CS,12,40,gtin,4006381333931,,CS\n"+
		"TEA,,,,,,CUSTOMER,K-77,C-1,\n"+
		"CUP,Cup,EA,,,,COLOUR,red,,\n")
	if got, want := told(records), "TEA; CUP 4 identifier_value ENUM_NOT_IN"; got != want {
		t.Fatalf("got %s, want %s", got, want)
	}
	item := records[0].Message.(*masterdatav1.Item)
	if len(item.GetPackagingUnits()) != 1 || item.GetPackagingUnits()[0].GetDimensions().GetHeightMm() != 40 || len(item.GetIdentifiers()) != 2 ||
		item.GetIdentifiers()[0].GetUnit() != "CS" || item.GetIdentifiers()[1].GetPartyCode() != "C-1" {
		t.Errorf("%v", item)
	}
}

const ordersHeader = "order_number,sold_to,line_number,sku,quantity,unit,currency,value\n"

func TestOrdersOfCSV(t *testing.T) {
	records := read(t, "ORDERS", "CSV", ordersHeader+
		"SO-1,C-1,1,TEA,12.5,KGM,EUR,99.90\n"+
		"SO-1,,2,CUP,3,EA,,\n"+
		"SO-2,C-2,1,TEA,1,EA,JPY,500\n")
	if got := told(records); got != "SO-1; SO-2" {
		t.Fatal(got)
	}
	want := &orderreleasev1.OrderDocument{}
	err := protojson.Unmarshal([]byte(`{"sourceSystem":"erp","orderNumber":"SO-1","soldTo":{"partyCode":"C-1"},"currency":"EUR",
		"value":{"amountMinor":"9990","currency":"EUR"},"lines":[
		{"lineNumber":1,"sku":"TEA","quantity":{"value":"12.5","unit":"KGM"}},{"lineNumber":2,"sku":"CUP","quantity":{"value":"3","unit":"EA"}}]}`), want)
	if err != nil || !proto.Equal(records[0].Message, want) {
		t.Errorf("%v\n got %v\nwant %v", err, records[0].Message, want)
	}
	if v := records[1].Message.(*orderreleasev1.OrderDocument).GetValue(); v.GetAmountMinor() != 500 {
		t.Errorf("yen have no decimals: %v", v)
	}
	e := records[0].Refuse("lines[1].quantity", "UNIT_UNKNOWN", "no such unit")
	if e.Line != 3 || e.Field != "quantity" || e.Key != "SO-1" {
		t.Errorf("the owner's refusal stands at %+v", e)
	}
}

// TestBadRows: a bad row costs its record, and an order that may lack a line is no order.
func TestBadRows(t *testing.T) {
	const good = "SO-9,C-1,1,TEA,1,EA,,\n"
	for name, tt := range map[string]struct{ rows, want string }{
		"values": {
			"SO-1,C-1,x,TEA,1,EA,,\nSO-2,C-1,1,TEA,one,EA,,\nSO-3,C-1,1,TEA,1,EA,EUR,1.234\n" + good,
			"SO-1 2 line_number VALUE_INVALID; SO-2 3 quantity STRING_PATTERN; SO-3 4 value VALUE_INVALID; SO-9",
		},
		"second line of an order":    {"SO-1,C-1,1,TEA,1,EA,,\nSO-1,C-1,2,TEA,-,EA,,\n" + good, "SO-1 3 quantity STRING_PATTERN; SO-9"},
		"header differs":             {"SO-1,C-1,1,TEA,1,EA,,\nSO-1,C-2,2,TEA,1,EA,,\n" + good, "SO-1 3 sold_to VALUE_DIFFERS; SO-9"},
		"too few fields, its order":  {"SO-1,C-1,1,TEA,1,EA,,\nSO-1,C-1,2\nSO-1,C-1,3,TEA,1,EA,,\n" + good, "SO-1 3 FIELD_COUNT; SO-9"},
		"broken first row":           {"SO-1,\"C-1,1,TEA,1,EA,,\nSO-1,C-1,2,TEA,1,EA,,\n" + good, "SO-1 2:6 QUOTE_UNBALANCED; SO-9"},
		"broken row of nobody":       {good + "x,y\nSO-1,C-1,1,TEA,1,EA,,\n", "SO-9; 3 FIELD_COUNT; SO-1"},
		"row without a key":          {"SO-1,C-1,1,TEA,1,EA,,\n,C-1,2,TEA,1,EA,,\nSO-2,C-1,1,TEA,1,EA,,\n" + good, "SO-1 3 VALUE_MISSING; SO-2; SO-9"},
		"row without a key at first": {",C-1,2,TEA,1,EA,,\nSO-2,C-1,1,TEA,1,EA,,\n" + good, "SO-2 2 VALUE_MISSING; SO-9"},
		"no item":                    {"SO-1,C-1,1,,1,EA,,\n" + good, "SO-1 2 ONE_ITEM; SO-9"},
		"no party":                   {"SO-1,,1,TEA,1,EA,,\n" + good, "SO-1 2 sold_to VALUE_MISSING; SO-9"},
	} {
		if got := told(read(t, "ORDERS", "CSV", ordersHeader+tt.rows)); got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, tt.want)
		}
	}
}

func TestHeaders(t *testing.T) {
	for header, want := range map[string]string{
		"sku,name,base_unit\n":           "",
		"SKU ; Name;Base_Unit\n":         "",
		"sku,name\n":                     "line 1 base_unit COLUMN_MISSING",
		"sku,name,base_unit,colour\n":    "line 1 colour COLUMN_UNKNOWN",
		"sku,name,base_unit,sku\n":       "line 1 sku COLUMN_TWICE",
		"\n\nsku,\"name,base_unit\nA,B,": "line 3:5 QUOTE_UNBALANCED",
		"":                               "line 1 EMPTY",
	} {
		var got []string
		_, errs := document.Open(document.Spec{Type: "ITEMS", Format: "CSV"}, []byte(header), domain.Place{}, false)
		for _, e := range errs {
			got = append(got, e.Place()+" "+e.Reason)
		}
		if text := strings.Join(got, "; "); text != want {
			t.Errorf("%q: got %s, want %s", header, text, want)
		}
	}
}

// TestEveryType reads one record of each type from CSV, with what is particular to it.
func TestEveryType(t *testing.T) {
	item := read(t, "ITEMS", "CSV", "sku,name,base_unit,gtin,lot,packaging_unit,packaging_numerator,packaging_gtin,un_number,hazard_class\n"+
		"TEA,Tea,EA,4006381333931,yes,CS,12,14006381333938,1950,2.1\nTEA,,,,,PL,480,,,\n")
	tea, _ := item[0].Message.(*masterdatav1.Item)
	if told(item) != "TEA" || len(tea.GetPackagingUnits()) != 2 || tea.GetPackagingUnits()[1].GetDenominator() != 1 ||
		len(tea.GetIdentifiers()) != 2 || tea.GetIdentifiers()[1].GetUnit() != "CS" || !tea.GetTracking().GetLot() || tea.GetHazmat().GetUnNumber() != "1950" {
		t.Errorf("item: %s %v", told(item), tea)
	}
	party := read(t, "PARTIES", "CSV", "code,name,roles,address_code,address_line1,address_line2,address_country\nC-1,Acme,customer|SHIP TO,MAIN,Hafen 1,Tor 2,DE\nC-1,,,DOCK,Kai 2,,DE\n")
	acme, _ := party[0].Message.(*masterdatav1.Party)
	if told(party) != "C-1" || len(acme.GetRoles()) != 2 || len(acme.GetAddresses()) != 2 || len(acme.GetAddresses()[0].GetAddress().GetLines()) != 2 {
		t.Errorf("party: %s %v", told(party), acme)
	}
	site := read(t, "LOCATIONS", "CSV", "code,name,kind,time_zone,address_country,default_site\nDC1,Hamburg,site,Europe/Berlin,DE,true\nDC1,Again,moon,,,\n")
	if got := told(site); got != "DC1; DC1 3 kind VALUE_INVALID" || !site[0].Message.(*masterdatav1.Location).GetDefaultSite() {
		t.Errorf("location: %s", got)
	}
	carrier := read(t, "CARRIERS", "CSV", "code,name,service_code,mode,transit_days\nUPSN,UPS,GROUND,PARCEL,3\nUPSN,,AIR,air,1\n")
	if got := told(carrier); got != "UPSN" || len(carrier[0].Message.(*masterdatav1.Carrier).GetServices()) != 2 {
		t.Errorf("carrier: %s", got)
	}
	stock := read(t, "STOCK_RECEIPTS", "CSV", "site,sku,location,quantity,unit\nDC1,TEA,DC1/A-01,0.123456789,KGM\nDC1,TEA,DC1/A-01,0.1234567891,KGM\n")
	if got := told(stock); got != "DC1/TEA; DC1/TEA 3 quantity STRING_PATTERN" {
		t.Errorf("receipt: %s", got)
	}
	invoice := read(t, "FREIGHT_INVOICES", "CSV", "carrier,invoice_number,invoice_date,reference,charge_code,amount,currency\n"+
		"UPSN,I-1,2026-11-24,PRO1,BASE,120.00,EUR\nUPSN,I-1,2026-11-24,PRO1,FUEL,14.4,EUR\nUPSN,I-2,24.11.2026,PRO1,BASE,1,EUR\n")
	in, _ := invoice[0].Message.(*freightsettlementv1.ReceiveFreightInvoiceRequest)
	if got := told(invoice); !strings.HasPrefix(got, "UPSN/I-1; UPSN/I-2 4 invoice_date VALUE_INVALID") || in.GetLines()[1].GetAmount().GetAmountMinor() != 1440 {
		t.Errorf("invoice: %s %v", got, in)
	}
}

func TestJSON(t *testing.T) {
	const order = `{"orderNumber":"SO-1","soldTo":{"partyCode":"C-1"},"lines":[{"lineNumber":1,"sku":"TEA","quantity":{"value":"1","unit":"EA"}}]}`
	other := strings.ReplaceAll(order, "SO-1", "SO-2")
	for name, tt := range map[string]struct{ data, want string }{
		"array":                     {"\ufeff [" + order + ",\n" + other + " ]\n", "SO-1; SO-2"},
		"lines":                     {order + "\n\n" + other + "\n", "SO-1; SO-2"},
		"one object over lines":     {strings.ReplaceAll(order, ",", ",\n"), "SO-1"},
		"empty array":               {"[]", ""},
		"unknown field":             {"[" + order + ",\n" + strings.Replace(other, "soldTo", "soldFrom", 1) + "]", "SO-1; 2:23 soldFrom FIELD_INVALID"},
		"value of another type":     {strings.Replace(order, `:1,"sku"`, `:"one","sku"`, 1), "1:75 lineNumber FIELD_INVALID"},
		"broken line":               {order + "\n{\"orderNumber\":\n" + other, "SO-1; 2:16 JSON_MALFORMED; SO-2"},
		"rule of a field":           {strings.Replace(order, `"value":"1"`, `"value":"1e3"`, 1), "SO-1 1 lines[0].quantity.value STRING_PATTERN"},
		"another system's order":    {`[{"sourceSystem":"wms",` + order[1:] + "]", "SO-1 1 source_system SOURCE_DIFFERS"},
		"array broken later":        {"[" + order + ",\n  {\"orderNumber\" 1}]", "SO-1; 2:18 JSON_MALFORMED"},
		"array without an end":      {"[" + order, "SO-1; 1:129 JSON_MALFORMED"},
		"array without a comma":     {"[" + order + " " + other + "]", "SO-1; 1:130 JSON_MALFORMED"},
		"something behind an array": {"[" + order + "]]", "SO-1; 1:130 JSON_MALFORMED"},
		"comma before the end":      {"[" + order + ",]", "SO-1; 1:130 JSON_MALFORMED"},
	} {
		if got := told(read(t, "ORDERS", "JSON", tt.data)); got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, tt.want)
		}
	}
}

func TestThrough(t *testing.T) {
	for name, tt := range map[string]struct{ format, data, want string }{
		"counts":             {"CSV", ordersHeader + "SO-1,,1,,,,,\nSO-1,,2,,,,,\nx\n", "3 rows, 2 records, usable"},
		"no UTF-8":           {"CSV", "a,b\nä,\xff\n", "0 rows, 0 records: line 2:3 ENCODING"},
		"header alone":       {"CSV", ordersHeader, "0 rows, 0 records: line 1 EMPTY"},
		"lines of JSON":      {"JSON", "{}\n{\n{}", "3 rows, 3 records, usable"},
		"array that is none": {"JSON", "[{},{]", "1 rows, 1 records: line 1:6 JSON_MALFORMED"},
		"white space":        {"JSON", " \n", "0 rows, 0 records: line 1 EMPTY"},
	} {
		rows, records, _, errs, usable := document.Through(document.Spec{Type: "ORDERS", Format: tt.format, System: "erp"}, []byte(tt.data), false)
		got := fmt.Sprintf("%d rows, %d records", rows, records)
		if usable {
			got += ", usable"
		} else {
			got += ": " + errs[0].Place() + " " + errs[0].Reason
		}
		if got != tt.want {
			t.Errorf("%s: got %s, want %s", name, got, tt.want)
		}
	}
}

// FuzzRecords: reading on from any place gives the records that reading from the beginning
// does; bare reading finds as many; and no record with errors has a message.
func FuzzRecords(f *testing.F) {
	f.Add("ORDERS", "CSV", []byte(ordersHeader+"SO-1,C-1,1,TEA,1,EA,,\nSO-1,\"C-1,2\n,,,\n"))
	f.Add("ITEMS", "JSON", []byte("{\"sku\":\"A\"}\n{\n{}"))
	f.Add("PARTIES", "JSON", []byte("[{\"code\":\"A\"},{}]"))
	f.Fuzz(func(t *testing.T, documentType, format string, data []byte) {
		if _, known := map[string]bool{"ORDERS": true, "ITEMS": true, "PARTIES": true, "LOCATIONS": true, "CARRIERS": true, "CROSS_REFERENCES": true, "CODE_LISTS": true, "STOCK_RECEIPTS": true, "FREIGHT_INVOICES": true}[documentType]; !known {
			documentType = "ORDERS"
		}
		spec := document.Spec{Type: documentType, Format: format, System: "erp"}
		r, errs := document.Open(spec, data, domain.Place{}, false)
		if len(errs) > 0 {
			return
		}
		var all []string
		places := []domain.Place{r.Place()}
		apart := document.FindApart(spec, data)
		for {
			record, ok := r.Next()
			if !ok || record.Number == 0 {
				break
			}
			apart.Judge(&record)
			if (record.Message == nil) != (len(record.Errors) > 0) {
				t.Fatalf("record %d has message %v and errors %v", record.Number, record.Message, record.Errors)
			}
			all = append(all, text(record))
			places = append(places, r.Place())
			if len(all) > 50 {
				return
			}
		}
		rows, records, _, _, usable := document.Through(spec, data, false)
		if usable && (int(records) != len(all) || rows < records) {
			t.Fatalf("%d rows, %d records read bare, %d in full", rows, records, len(all))
		}
		if !usable {
			return
		}
		for i, at := range places {
			if i == 0 {
				continue
			}
			var rest []string
			for _, record := range readFrom(t, spec, data, at) {
				apart.Judge(&record)
				rest = append(rest, text(record))
			}
			if want := all[i:]; len(want)+len(rest) > 0 && !reflect.DeepEqual(rest, want) {
				t.Fatalf("from %+v: got %q, want %q", at, rest, want)
			}
		}
	})
}

func text(r document.Record) string {
	return fmt.Sprint(r.Number, r.Line, r.Key, r.Errors, protojson.Format(r.Message))
}

// TestReadmeNamesColumns holds the README's table of columns against what is read.
func TestReadmeNamesColumns(t *testing.T) {
	var b strings.Builder
	b.WriteString("| type | columns, those in bold must be there |\n| --- | --- |\n")
	for _, documentType := range []string{"ORDERS", "ITEMS", "PARTIES", "LOCATIONS", "CARRIERS", "CROSS_REFERENCES", "CODE_LISTS", "STOCK_RECEIPTS", "FREIGHT_INVOICES"} {
		names, need := document.Columns(documentType)
		for i := range names {
			names[i] = "`" + names[i] + "`"
			if need[i] {
				names[i] = "**" + names[i] + "**"
			}
		}
		fmt.Fprintf(&b, "| %s | %s |\n", documentType, strings.Join(names, ", "))
	}
	testkit.GoldenSection(t, "../../README.md", "columns", b.String())
}
