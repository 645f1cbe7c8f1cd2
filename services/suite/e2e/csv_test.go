package e2e

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	integrationv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/integration/v1"
	masterdatav1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/fleet"
)

// sheet hands over a document of CSV and returns what became of it, once that is known.
func (p party) sheet(t *testing.T, kind, message, csv string) *integrationv1.Document {
	t.Helper()
	body := fmt.Sprintf(`{"documents":[{"type":"DOCUMENT_TYPE_%s","format":"DOCUMENT_FORMAT_CSV","content":%q,"source":{"system":"erp","messageId":%q}}]}`,
		kind, base64.StdEncoding.EncodeToString([]byte(csv)), message)
	a := p.command(t, http.MethodPost, "/v1/documents:batchImport", message, body)
	resp := &integrationv1.BatchImportDocumentsResponse{}
	unmarshal(t, a.body, resp)
	if a.status != http.StatusOK || len(resp.GetResults()) != 1 || resp.GetResults()[0].GetReceipt() == nil {
		t.Fatalf("%s: %d %s", message, a.status, a.body)
	}
	return p.document(t, resp.GetResults()[0].GetReceipt().GetId())
}

// export reads all pages of an export as one document, a few records a page.
func (p party) export(t *testing.T, kind string) string {
	t.Helper()
	var all strings.Builder
	for token := ""; ; {
		resp := &masterdatav1.ExportRecordsResponse{}
		unmarshal(t, p.read(t, "/v1/record-exports?page_size=2&type=EXPORT_TYPE_"+kind+"&page_token="+url.QueryEscape(token)), resp)
		all.Write(resp.GetContent())
		if token = resp.GetNextPageToken(); token == "" {
			return all.String()
		}
	}
}

// sheets are documents of every kind of record, in the order in which they name each other, with
// a bad row each and how the report names it.
var sheets = []struct{ kind, csv, report string }{
	{"LOCATIONS", "code,name,kind,parent_code,time_zone,un_locode,address_line1,address_city,address_country,default_site,gs1_company_prefix,latitude,longitude\r\n" +
		"DC1,Hamburg,SITE,,Europe/Berlin,DEHAM,Am Kai 1,Hamburg,DE,true,4012345,53.54360,-9.9886\r\nDC1/A,Aisle,ZONE,DC1,,,,,,,,,\r\nB-1,Bin,BIN,DC1/A,,,,,,,,,\r\nB-2,Bin,BIN,NOWHERE,,,,,,,,,\r\n", "5 parent_code PARENT_INVALID B-2"},
	{"PARTIES", "code,name,roles,gln,address_code,address_name,address_line1,address_line2,address_line3,address_city,address_country,address_time_zone\r\n" +
		"C-1,\"Buyer, Ltd\",CUSTOMER|SHIP_TO,4012345000009,MAIN,Dock 4,Am Kai 1,Halle 3,Tor 7,Hamburg,DE,Europe/Berlin\r\nC-1,,,,EAST,,Elm St,,,Gary,US,America/Chicago\r\n" +
		"C-2,Other,CUSTOMER,4012345000011,,,,,,,,\r\n", "4 gln CHECK_DIGIT C-2"},
	{"ITEMS", "sku,name,base_unit,base_weight_grams,length_mm,lot,expiry,shelf_life_days,un_number,hazard_class,customs_code,country_of_origin,gtin," +
		"packaging_unit,packaging_numerator,packaging_gross_weight_grams,packaging_height_mm,packaging_gtin,identifier_type,identifier_value,identifier_party\r\n" +
		"TEA,\"Tea \"\"green\"\"\",EA,512.5,100,yes,yes,300,1950,2.1,090210,CN,4006381333931,CS,12,6500,400,14006381333938,CUSTOMER,K-77,C-1\r\nTEA,,,,,,,,,,,,,PL,480,,,,,,\r\n" +
		"CUP,Cup,EA,,,,,,,,,,,,,,,,,,\r\nBAD,Bad,XYZ,,,,,,,,,,,,,,,,,,\r\n", "5 base_unit UNIT_UNKNOWN BAD"},
	{
		"CARRIERS", "code,name,party_code,service_code,service_name,mode,transit_days\r\nUPSN,UPS,C-1,GROUND,By road,PARCEL,3\r\nUPSN,,,AIR,,AIR,1\r\nDHLX,DHL,,,,,\r\nBADX,Bad,,ONE,,ROCKET,\r\n",
		"5 mode VALUE_INVALID BADX",
	},
	{"CROSS_REFERENCES", "system,object_type,external_id,object_key,direction,valid_from,valid_to\r\nerp,ITEM,4711,TEA,BOTH,,2026-07-01\r\nerp,ITEM,4711,CUP,BOTH,2026-07-01,\r\n" +
		"tms,CARRIER_SERVICE,G1,UPSN/GROUND,OUTBOUND,,\r\nerp,ITEM,4712,NOBODY,BOTH,,\r\n", "5 object_key OBJECT_UNKNOWN erp/ITEM/4712"},
}

// rowsOf are the rows of a document in an order of their own: records of one batch are put side
// by side, so the order in which they first were is not that of the document.
func rowsOf(csv string) []string { return slices.Sorted(strings.Lines(csv)) }

// thereAndBack: documents of every kind of record cost a bad row only; what is exported is taken
// by another tenant whole, and exported from there again it has the same rows.
func thereAndBack(t *testing.T, f *fleet.Fleet) {
	here, there := speak(t, f, guard.AdminCaller(testkit.Name("t"))), speak(t, f, guard.AdminCaller(testkit.Name("t")))
	for _, s := range sheets {
		d := here.sheet(t, s.kind, "there-"+s.kind, s.csv)
		if report := here.report(t, d.GetDocumentId()); d.GetState() != integrationv1.DocumentState_DOCUMENT_STATE_PARTIAL || !slices.Equal(report, []string{s.report}) {
			t.Errorf("%s: %s %v, want %s", s.kind, d.GetState(), report, s.report)
		}
	}
	for _, s := range sheets {
		var text string
		rows := strings.Count(s.csv, "\r\n") - 1
		testkit.Eventually(t, within, func() error { // lists trail
			if text = here.export(t, s.kind); strings.Count(text, "\r\n") < rows {
				return fmt.Errorf("%s: want %d rows:\n%s", s.kind, rows, text)
			}
			return nil
		})
		if header := there.export(t, s.kind); strings.Count(header, "\n") != 1 {
			t.Errorf("%s of a tenant that has nothing: %s", s.kind, header)
		}
		if d := there.sheet(t, s.kind, "back-"+s.kind, text); d.GetState() != integrationv1.DocumentState_DOCUMENT_STATE_APPLIED {
			t.Errorf("%s: %v %v\n%s", s.kind, d, there.report(t, d.GetDocumentId()), text)
		}
		testkit.Eventually(t, within, func() error {
			if again := there.export(t, s.kind); !slices.Equal(rowsOf(again), rowsOf(text)) {
				return fmt.Errorf("%s was\n%s\nand is\n%s", s.kind, text, again)
			}
			return nil
		})
	}
	item := &masterdatav1.GetItemResponse{}
	unmarshal(t, there.read(t, "/v1/items/TEA"), item)
	if i := item.GetItem().GetItem(); len(i.GetIdentifiers()) != 3 || len(i.GetPackagingUnits()) != 2 || i.GetPackagingUnits()[0].GetDimensions().GetHeightMm() != 400 || i.GetHazmat().GetUnNumber() != "1950" {
		t.Errorf("the item came back as %v", i)
	}
}

// codeLists: a tenant's codes come as a file; two meanings of one code are named by their line
// and nothing of that list is taken. They go over the embedded list until they are retired.
func codeLists(t *testing.T, f *fleet.Fleet) {
	p := speak(t, f, guard.AdminCaller(testkit.Name("t")))
	const header = "code,name,entry_code,canonical_code,meaning,valid_from,valid_to\r\n"
	means := func(list, query string) string {
		t.Helper()
		a := p.get(t, "/v1/code-lists/"+list+":resolve?as_of_time="+anyMoment+"&"+query)
		if a.status != http.StatusOK {
			return a.problem().Code
		}
		resp := &masterdatav1.ResolveCodeResponse{}
		unmarshal(t, a.body, resp)
		return resp.GetEntries()[0].GetCode() + "=" + resp.GetEntries()[0].GetCanonicalCode()
	}
	d := p.sheet(t, "CODE_LISTS", "code-lists-1", header+"HOLDS,Holds of the ERP,01,CREDIT,,,\r\nHOLDS,,02,EXPORT,,,\r\nHOLDS,,01,PRICE,,2026-01-01,\r\nX12-355,Units,QQ,EA,mutually defined,,\r\nX12-355,,CA,CT,,,\r\n")
	if report := p.report(t, d.GetDocumentId()); d.GetApplied() != 1 || !slices.Equal(report, []string{"4 entry_code DUPLICATE HOLDS"}) {
		t.Errorf("%v: %v", d, report)
	}
	if d := p.sheet(t, "CODE_LISTS", "code-lists-2", header+"HOLDS,Holds of the ERP,01,CREDIT,,,2026-01-01\r\nHOLDS,,01,PRICE,,2026-01-01,\r\n"); d.GetApplied() != 1 {
		t.Errorf("corrected: %v %v", d, p.report(t, d.GetDocumentId()))
	}
	for query, want := range map[string]string{
		"HOLDS entry_code=01": "01=PRICE", "HOLDS entry_code=02": "CODE_UNKNOWN", "X12-355 entry_code=QQ": "QQ=EA", "X12-355 entry_code=CA": "CA=CT",
		"X12-355 canonical_code=CS": "CODE_UNKNOWN", "X12-355 entry_code=LB": "LB=LBR", "X12-1650 entry_code=D1": "D1=DELIVERED",
	} {
		list, query, _ := strings.Cut(query, " ")
		if got := means(list, query); got != want {
			t.Errorf("%s %s: %s, want %s", list, query, got, want)
		}
	}
	p.put(t, http.MethodPost, "/v1/code-lists/X12-355:retire", `{}`)
	if got := means("X12-355", "entry_code=CA"); got != "CA=CS" {
		t.Errorf("taken back: %s", got)
	}
}
