package e2e

import (
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	integrationv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/integration/v1"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/fleet"
)

// wholeData names the folder of the data sets, and asks for all 25,445 ports: they take minutes.
const wholeData = "LOCKSTEP_TEST_DATA"

// dataSet returns a folder of public data sets. They are no part of the repository, so a clone
// goes without them, CI's too.
func dataSet(t *testing.T, name string) string {
	t.Helper()
	root := os.Getenv(wholeData)
	if root == "" {
		root = filepath.Join(testkit.Root(), "..", "shared", "data")
	}
	folder := filepath.Join(root, name)
	switch _, err := os.Stat(folder); {
	case errors.Is(err, fs.ErrNotExist):
		t.Skipf("the data set is optional: %v", err)
	case err != nil:
		t.Fatal(err)
	}
	return folder
}

// TestRealMasterData: the published data sets are taken whole, but for the rows that are bad,
// each of which is named by its line, its column and the reason.
func TestRealMasterData(t *testing.T) {
	works, lists := dataSet(t, "adventureworks"), dataSet(t, "reference")
	f, err := fleet.NewWhole(programs, t.TempDir(), nil)
	started(t, f, err)
	p := speak(t, f, guard.AdminCaller(testkit.Name("t")))
	t.Run("adventureworks", func(t *testing.T) { adventureWorks(t, p, works) })
	t.Run("reference", func(t *testing.T) { referenceLists(t, p, lists) })
}

// raw reads a file of rows without a header, each field trimmed.
func raw(t *testing.T, file, between string) (rows [][]string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(strings.TrimPrefix(string(data), "\ufeff")) {
		fields := strings.Split(strings.TrimSuffix(strings.TrimRight(line, "\r\n"), "&|"), between)
		for i := range fields {
			fields[i] = strings.TrimSpace(fields[i])
		}
		rows = append(rows, fields)
	}
	return rows
}

// written is a document being written, with the report that it must get.
type written struct {
	kind  string
	lines int
	text  strings.Builder
	bad   []string
	keys  map[string]bool // of the bad rows
}

func newSheet(kind, header string) *written {
	w := &written{kind: kind, keys: map[string]bool{}}
	w.row(strings.Fields(header)...)
	return w
}

func (w *written) row(fields ...string) {
	c := csv.NewWriter(&w.text)
	_ = c.Write(fields) // into memory
	c.Flush()
	w.lines++
}

// expect says that the row just written is bad.
func (w *written) expect(field, reason, key string) {
	w.bad = append(w.bad, fmt.Sprintf("%d %s %s %s", w.lines, field, reason, key))
	w.keys[key] = true
}

// load hands a document over and holds its report against what it must be.
func (p party) load(t *testing.T, w *written, message string, applied int) {
	t.Helper()
	d := p.sheet(t, w.kind, message, w.text.String())
	report := p.whole(t, d.GetDocumentId())
	slices.Sort(report)
	slices.Sort(w.bad)
	if d.GetRows() != int64(w.lines-1) || d.GetApplied() != int64(applied) || !slices.Equal(report, w.bad) {
		t.Errorf("%s: %d of %d rows, want %d; reported\n%s\nwant\n%s", message, d.GetApplied(), d.GetRows(), applied, strings.Join(report, "\n"), strings.Join(w.bad, "\n"))
	}
}

// grams turns a weight of a product into grams, exactly.
func grams(t *testing.T, value, unit string) string {
	t.Helper()
	if value == "" {
		return ""
	}
	code := map[string]string{"LB": "LBR", "G": "GRM"}[unit]
	info, ok := quantity.Unit(code)
	weight, good := new(big.Rat).SetString(value)
	if !ok || !good {
		t.Fatalf("weight %s %s", value, unit)
	}
	weight.Mul(weight, big.NewRat(info.Factor.Num*1000, info.Factor.Den))
	return strings.TrimRight(strings.TrimRight(weight.FloatString(9), "0"), ".")
}

func adventureWorks(t *testing.T, p party, folder string) {
	read := func(name, between string) [][]string { return raw(t, filepath.Join(folder, name), between) }
	locations := newSheet("LOCATIONS", "code name kind parent_code time_zone address_country")
	locations.row("AW", "Adventure Works", "SITE", "", "America/Los_Angeles", "US")
	for _, l := range read("Location.csv", "\t") {
		locations.row("AW/"+l[0], l[1], "ZONE", "AW", "", "")
	}
	p.load(t, locations, "aw-locations", 15)

	carriers := newSheet("CARRIERS", "code name service_code mode")
	for _, m := range read("ShipMethod.csv", "\t") {
		carriers.row("SHIP-"+m[0], m[1], "STANDARD", "FULL_TRUCKLOAD")
	}
	p.load(t, carriers, "aw-carriers", 5)

	items, ids := newSheet("ITEMS", "sku name base_unit base_weight_grams"), newSheet("CROSS_REFERENCES", "system object_type external_id object_key direction")
	for _, r := range read("Product.csv", "\t") {
		items.row(r[2], r[1], "EA", grams(t, r[13], r[12]))
		ids.row("adventure-works", "ITEM", r[0], r[2], "BOTH")
	}
	p.load(t, items, "aw-items", 504)

	places := map[string][]string{}
	for _, r := range read("StateProvince.csv", "\t") {
		places[r[0]] = r
	}
	addresses := map[string][]string{}
	for _, r := range read("Address.vendors.csv", "\t") {
		addresses[r[0]] = r
	}
	at := map[string][]string{}
	for _, r := range read("BusinessEntityAddress.vendors.csv", "+|") {
		at[r[0]] = addresses[r[1]]
	}
	parties := newSheet("PARTIES", "code name roles address_code address_line1 address_line2 address_city address_region address_postal_code address_country")
	for _, v := range read("Vendor.csv", "\t") {
		a := at[v[0]]
		state := places[a[4]]
		parties.row(v[1], v[2], "SUPPLIER", "MAIN", a[1], a[2], a[3], state[1], a[5], state[2])
		ids.row("adventure-works", "PARTY", v[0], v[1], "BOTH")
	}
	p.load(t, parties, "aw-parties", 104)

	good := 504 + 104
	for _, u := range read("UnitMeasure.csv", "\t") { // their codes taken for Recommendation 20's, which most are not
		ids.row("adventure-works", "UNIT", u[0], u[0], "INBOUND")
		if _, known := quantity.Unit(u[0]); known {
			good++
		} else {
			ids.expect("object_key", "OBJECT_UNKNOWN", "adventure-works/UNIT/"+u[0])
		}
	}
	p.load(t, ids, "aw-references", good)
}

var locode = regexp.MustCompile(`^[A-Z]{2}[A-Z2-9]{3}$`)

func referenceLists(t *testing.T, p party, folder string) {
	table := func(name string) []map[string]string {
		file, err := os.Open(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = file.Close() }() // read only
		return records(t, file)
	}
	const header = "code name entry_code canonical_code meaning"
	countries := newSheet("CODE_LISTS", header)
	for _, r := range table("country-codes.csv") {
		countries.row("COUNTRIES", "Countries", r["ISO3166-1-Alpha-2"], r["ISO3166-1-Alpha-3"], r["CLDR display name"])
	}
	p.load(t, countries, "ref-countries", 1)

	units := newSheet("CODE_LISTS", header)
	all := table("units-of-measure-rec20.csv")
	slices.SortStableFunc(all, func(a, b map[string]string) int { return strings.Compare(a["CommonCode"][:1], b["CommonCode"][:1]) })
	letters := map[string]bool{}
	for _, r := range all {
		letter := r["CommonCode"][:1]
		letters[letter] = true
		units.row("REC20-"+letter, "", r["CommonCode"], "", r["Name"])
	}
	p.load(t, units, "ref-units", len(letters))

	currencies, entities := newSheet("CODE_LISTS", header), map[string]bool{}
	for _, r := range table("currency-codes.csv") {
		if r["WithdrawalDate"] != "" {
			continue
		}
		currencies.row("CURRENCIES", "", cutTo(r["Entity"], 64), r["AlphabeticCode"], r["Currency"])
		if entity := cutTo(r["Entity"], 64); entities[entity] {
			currencies.expect("entry_code", "DUPLICATE", "CURRENCIES")
		} else {
			entities[entity] = true
		}
	}
	p.load(t, currencies, "ref-currencies", 0)

	parts, seen, countriesOf := newSheet("CODE_LISTS", header), map[string]bool{}, map[string]bool{}
	for _, r := range table("un-locode-subdivisions.csv") {
		list := "SUBDIVISIONS-" + r["SUCountry"]
		countriesOf[list] = true
		parts.row(list, "", r["SUCode"], "", r["SUName"])
		if key := list + " " + r["SUCode"]; seen[key] {
			parts.expect("entry_code", "DUPLICATE", list)
		} else {
			seen[key] = true
		}
	}
	p.load(t, parts, "ref-subdivisions", len(countriesOf)-len(parts.keys))
	ports(t, p, filepath.Join(folder, "un-locode-2015-1.ports-airports.csv.gz"))
}

// ports loads the ports and airports as sites.
func ports(t *testing.T, p party, name string) {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }() // read only
	text, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	reader := csv.NewReader(latin1(t, text))
	reader.FieldsPerRecord = -1
	rows, err := reader.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if os.Getenv(wholeData) == "" { // the bad rows, and a tenth of the good ones
		n := 0
		rows = slices.DeleteFunc(rows, func(r []string) bool {
			n++
			return n%10 > 0 && r[1] != "XZ" && locode.MatchString(r[1]+r[2])
		})
	}
	for n := 1; len(rows) > 0; n++ { // a document is waited for no longer than any other
		part := rows[:min(len(rows), portsAtOnce)]
		rows = rows[len(part):]
		p.ports(t, part, n)
	}
}

// portsAtOnce is how many ports stand in one document.
const portsAtOnce = 5000

func (p party) ports(t *testing.T, rows [][]string, n int) {
	t.Helper()
	sites, good := newSheet("LOCATIONS", "code name kind time_zone un_locode address_city address_country"), 0
	for _, r := range rows {
		code := r[1] + r[2]
		sites.row(code, r[3], "SITE", "UTC", code, r[4], r[1])
		switch {
		case !locode.MatchString(code):
			sites.expect("un_locode", "STRING_PATTERN", code)
		case r[1] == "XZ": // waters of no country
			sites.expect("un_locode", "COUNTRY_UNKNOWN", code)
			sites.expect("address_country", "COUNTRY_UNKNOWN", code)
		default:
			good++
		}
	}
	p.load(t, sites, fmt.Sprintf("ref-ports-%d", n), good)
}

// latin1 reads ISO 8859-1.
func latin1(t *testing.T, r io.Reader) io.Reader {
	t.Helper()
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, c := range data {
		b.WriteRune(rune(c))
	}
	return strings.NewReader(b.String())
}

// records reads rows with a header.
func records(t *testing.T, r io.Reader) (out []map[string]string) {
	t.Helper()
	rows, err := csv.NewReader(r).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows[1:] {
		record := map[string]string{}
		for i, name := range rows[0] {
			record[strings.TrimPrefix(name, "\ufeff")] = strings.TrimSpace(row[i])
		}
		out = append(out, record)
	}
	return out
}

// cutTo returns at most n bytes, whole characters.
func cutTo(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xC0 == 0x80 {
		n--
	}
	return strings.TrimSpace(s[:n])
}

// whole is the whole report of a document.
func (p party) whole(t *testing.T, id string) (all []string) {
	t.Helper()
	for token := ""; ; {
		resp := &integrationv1.ListDocumentErrorsResponse{}
		unmarshal(t, p.read(t, "/v1/documents/"+id+"/errors?page_size=200&page_token="+url.QueryEscape(token)), resp)
		for _, e := range resp.GetErrors() {
			all = append(all, fmt.Sprintf("%d %s %s %s", e.GetLine(), e.GetField(), e.GetReason(), e.GetKey()))
		}
		if token = resp.GetNextPageToken(); token == "" {
			return all
		}
	}
}
