package brunel

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/money"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	freightsettlementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/freightsettlement/v1"
)

// sample are tables of our own in the form of the published ones.
var sample = map[string]string{
	"OrderList.csv": `Order ID,Order Date,Origin Port,Carrier,TPT,Service Level,Ship ahead day count,Ship Late Day count,Customer,Product ID,Plant Code,Destination Port,Unit quantity,Weight
1,2/3/24,P1,CA,2,DTP,3,0,C-1,I-1,W1,D1,10,0.4999996
2,2/1/24,P1,CA,2,DTP,3,0,C-1,I-1,W2,D1,5,12.5
3,2/1/24,P1,CA,2,DTP,3,0,C-2,I-2,W1,D1,7,600
4,2/1/24,P1,CA,9,DTD,3,0,C-2,I-2,W1,D1,7,1
5,2/1/24,P1,CU,1,CRF,3,0,C-2,I-2,W1,D1,7,1
6,2/1/24,P2,CA,2,DTP,3,0,C-1,I-1,W1,D1,1,1
7,2/1/24,P1,CA,2,DTP,3,0,C-1,I-3,W1,D1,1,1
8,2/1/24,P2,CA,2,DTP,3,0,C-2,I-1,W3,D1,1,1
1,2/1/24,P1,CA,2,DTP,3,0,C-1,I-1,W1,D1,10,1
9,2/1/24,P1,CA,2,DTP,3,0,C-1,I-1,W1,D2,1,0.5
`,
	"FreightRates.csv": `Carrier,orig_port_cd,dest_port_cd,minm_wgh_qty,max_wgh_qty,svc_cd,minimum cost,rate,mode_dsc,tpt_day_cnt,Carrier type
CA,P1,D1,0,0.5,DTP, $1.20 , $0.20 ,AIR   ,2,V
CA,P1,D1,0,0.5,DTP, $1.20 , $0.20 ,AIR   ,2,V
CA,P1,D1,0.51,499.99,DTP," $1,043.23 ", $100.5 ,AIR   ,2,V
CA,P1,D1,10,20,DTP, $0.01 , $0.01 ,AIR   ,2,V
CA,P1,D1,"1,000","9,999.99",DTP, $0.01 , $0.01 ,AIR   ,2,V
`,
	"PlantPorts.csv":       "Plant Code,Port\nW1,P1\nW2,P1\nW3,P2\n",
	"ProductsPerPlant.csv": "Plant Code,Product ID\nW1,I-1\nW1,I-2\nW2,I-1\nW3,I-1\n",
	"VmiCustomers.csv":     "Plant Code,Customers\nW3,C-1\n,\n",
}

func read(t *testing.T, tables map[string]string) (*Dataset, error) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range tables {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(strings.ReplaceAll(text, "\n", "\r\n")), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return Read(dir)
}

func mapped(t *testing.T, limit int) *Plan {
	t.Helper()
	d, err := read(t, sample)
	if err != nil {
		t.Fatal(err)
	}
	p, err := Map(d, limit)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestMapRefuses(t *testing.T) {
	p := mapped(t, 0)
	want := []Refusal{
		{Number: "6", Reason: plantPort}, {Number: "7", Reason: plantProduct}, {Number: "8", Reason: vmiCustomer}, {Number: "1", Reason: twice},
	}
	if len(p.Refused) != len(want) || len(p.Orders) != 6 {
		t.Fatalf("%d orders, refused %+v", len(p.Orders), p.Refused)
	}
	for i, r := range p.Refused {
		if r.Number != want[i].Number || r.Reason != want[i].Reason || r.Message == "" {
			t.Errorf("refusal %d: %+v, want %+v", i, r, want[i])
		}
	}
}

func TestMapPrices(t *testing.T) {
	p := mapped(t, 0)
	for number, want := range map[string]struct {
		minor int64
		why   string
	}{
		"1": {minor: 120},     // the minimum
		"2": {minor: 125_625}, // 12.5 × 100.50, the first of two bands
		"3": {why: "NO_BAND"},
		"4": {why: "NO_LANE"},
		"5": {why: "NO_RATE_CARD"},
		"9": {why: "NO_LANE"},
	} {
		if got := p.Expected(number); got.Why != want.why || got.Charge.Minor != want.minor {
			t.Errorf("order %s: %+v, want %+v", number, got, want)
		}
	}
	if p.Ambiguous != 1 || p.Rounded != 1 || p.Repeated != 1 {
		t.Errorf("ambiguous %d, rounded %d, repeated %d", p.Ambiguous, p.Rounded, p.Repeated)
	}
}

func TestMapCards(t *testing.T) {
	p := mapped(t, 0)
	if len(p.Cards) != 1 || len(p.Cards[0].GetLanes()) != 2 {
		t.Fatalf("cards: %v", p.Cards)
	}
	card := p.Cards[0]
	if at := card.GetValidFrom().AsTime().Format("2006-01-02"); at != "2024-02-01" || card.GetCurrency() != "USD" {
		t.Errorf("valid from %s in %s", at, card.GetCurrency())
	}
	for i, plant := range []string{"W1", "W2"} { // both ship through P1
		l := card.GetLanes()[i]
		if l.GetOrigin() != plant || l.GetDestinationPlace() != "D1" || l.GetService() != "DTP-2" || l.GetMode() != "AIR" || len(l.GetBands()) != 4 {
			t.Errorf("lane %d: %v", i, l)
		}
	}
	b := card.GetLanes()[0].GetBands()[1]
	if b.GetFromGrams() != 510 || b.GetToGrams() != 499_990 || b.GetMinimumMinor() != 104_323 || b.GetRatePerKg() != "100.5" {
		t.Errorf("band: %v", b)
	}
	if o := p.Orders[0]; o.Grams != 500 || fitting(p, o) == nil {
		t.Errorf("order %s of %d g fits no band", o.Number, o.Grams)
	}
}

// TestMapSplitsLanes: what one lane has no room for goes on in the next.
func TestMapSplitsLanes(t *testing.T) {
	d, err := read(t, sample)
	if err != nil {
		t.Fatal(err)
	}
	d.Rates = d.Rates[:0]
	for i := range int64(2*maxBands + 1) {
		d.Rates = append(d.Rates, RateRow{
			Carrier: "CA", Origin: "P2", Destination: "D1", Service: "DTD", Days: "1", Mode: "AIR", From: quantity.Int(i), To: quantity.Int(i),
			Minimum: money.Amount{Currency: currency}, Rate: money.MustRate("1"),
		})
	}
	p, err := Map(d, 0)
	if err != nil {
		t.Fatal(err)
	}
	if lanes, bands := p.Lanes(); lanes != 3 || bands != 2*maxBands+1 {
		t.Errorf("%d lanes, %d bands", lanes, bands)
	}
}

func TestDocuments(t *testing.T) {
	p := mapped(t, 0)
	for _, c := range []struct {
		sheet sheet
		want  string
	}{
		{p.customers(), "code,name,roles,address_code,address_name,address_city,address_country\n" +
			"C-1,Customer C-1,CUSTOMER|SHIP_TO,D1,C-1,D1,US\nC-1,Customer C-1,CUSTOMER|SHIP_TO,D2,C-1,D2,US\nC-2,Customer C-2,CUSTOMER|SHIP_TO,D1,C-2,D1,US\n"},
		{p.carriers(), "code,name,service_code,service_name,mode,transit_days\n" +
			"CA,Carrier CA,DTP-2,DTP in 2 days,AIR,2\nCA,Carrier CA,DTD-9,DTD in 9 days,COURIER,9\nCU,Carrier CU,CRF-1,CRF in 1 days,COURIER,1\n"},
		{p.Stock(), "site,sku,location,quantity,unit,document\n" +
			"W1,I-1,BULK,11,EA,OPENING\nW2,I-1,BULK,5,EA,OPENING\nW1,I-2,BULK,21,EA,OPENING\n"},
		{export("O", p.Orders[:1]), "order_number,sold_to,ship_to,ship_to_address,site,carrier,service_level,requested_time,line_number,sku,quantity,unit\n" +
			"1,C-1,C-1,D1,W1,CA,DTP-2,2024-02-03,1,I-1,10,EA\n"},
	} {
		if got := c.sheet.text(); got != c.want {
			t.Errorf("%s:\n%swant:\n%s", c.sheet.message, got, c.want)
		}
	}
}

func TestSpread(t *testing.T) {
	d, err := read(t, sample)
	if err != nil {
		t.Fatal(err)
	}
	for _, limit := range []int{0, 1, 3, 10, 11} {
		p, err := Map(d, limit)
		if err != nil {
			t.Fatal(err)
		}
		want := limit
		if limit == 0 || limit > 10 {
			want = 10
		}
		if got := len(p.Orders) + len(p.Refused); got != want {
			t.Errorf("limit %d: %d orders", limit, got)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	if _, err := Read(t.TempDir()); !errors.Is(err, ErrAbsent) {
		t.Errorf("an empty folder: %v", err)
	}
	for _, c := range []struct{ table, old, new, want string }{
		{"OrderList.csv", "10,0.4999996", "ten,0.4999996", "OrderList.csv: line 2"},
		{"OrderList.csv", "10,0.4999996", "10", "OrderList.csv"},
		{"OrderList.csv", "2/3/24", "24-03-02", "OrderList.csv: line 2"},
		{"FreightRates.csv", " $0.20 ", " ? ", "FreightRates.csv: line 2"},
		{"FreightRates.csv", " $1.20 ", " $1.205 ", "FreightRates.csv: line 2"},
	} {
		tables := map[string]string{}
		for name, text := range sample {
			tables[name] = text
		}
		tables[c.table] = strings.Replace(tables[c.table], c.old, c.new, 1)
		if _, err := read(t, tables); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s with %q: %v, want %q", c.table, c.new, err, c.want)
		}
	}
}

// charge is what a band asks for a weight, reckoned as freight-settlement does.
func charge(t *testing.T, b *freightsettlementv1.WeightBand, grams int64) int64 {
	t.Helper()
	kg, err := quantity.Int(grams).Mul(quantity.Ratio{Num: 1, Den: 1000})
	if err != nil {
		t.Fatal(err)
	}
	amount, err := money.Price(money.MustRate(b.GetRatePerKg()), currency, kg, quantity.HalfUp)
	if err != nil {
		t.Fatal(err)
	}
	return max(amount.Minor, b.GetMinimumMinor())
}
