package brunel

import (
	"errors"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/quantity"
	freightsettlementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/freightsettlement/v1"
)

// published returns the published data set. It is no part of the repository, so a clone goes
// without it, CI's too.
func published(t *testing.T) *Dataset {
	t.Helper()
	d, err := Read(Folder(""))
	if errors.Is(err, ErrAbsent) {
		t.Skipf("the data set is optional: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestRealTotals: nothing of the published files is lost or made up on the way into the plan.
func TestRealTotals(t *testing.T) {
	d := published(t)
	p, err := Map(d, 0)
	if err != nil {
		t.Fatal(err)
	}
	var units int64
	var kilograms quantity.Decimal
	customers, products, plants := map[string]bool{}, map[string]bool{}, map[string]int{}
	for _, o := range p.Orders {
		units += o.Quantity
		kilograms = kilograms.Add(o.Kilograms)
		customers[o.Customer], products[o.Product] = true, true
		plants[o.Plant]++
	}
	lanes, bands := p.Lanes()
	for what, c := range map[string]struct{ got, want any }{
		"orders":       {len(p.Orders) + len(p.Refused), 9215},
		"refused":      {len(p.Refused), 0},
		"units":        {units, int64(29_513_315)},
		"weight":       {kilograms.String(), "183117.600525362"},
		"customers":    {len(customers), 46},
		"products":     {len(products), 772},
		"of PLANT03":   {plants["PLANT03"], 8541},
		"rate rows":    {len(d.Rates), 1540},
		"repeated":     {p.Repeated, 3},
		"cards":        {len(p.Cards), 9},
		"lanes":        {lanes, 190},
		"bands":        {bands, 3854},
		"sites":        {len(p.sites().rows), 19},
		"party rows":   {len(p.customers().rows), 46},
		"stock places": {len(p.Stock().rows), 780},
	} {
		if c.got != c.want {
			t.Errorf("%s: %v, want %v", what, c.got, c.want)
		}
	}
}

// between is the one order whose weight lies between two bands (to 1, from 1.01 kg) and, rounded
// to the gram, in the lower one: 1.000060909 kg.
const between = "1447228695"

// TestRealPrices: every order has a price or the reason why there is none, and the cards say
// the same of its weight in grams, to a cent, as the rows of the file of its exact weight.
func TestRealPrices(t *testing.T) {
	p, err := Map(published(t), 0)
	if err != nil {
		t.Fatal(err)
	}
	why, cents := map[string]int{}, map[int64]int{}
	for _, o := range p.Orders {
		expected := p.Expected(o.Number)
		why[expected.Why]++
		band := fitting(p, o)
		if o.Number == between && band.GetToGrams() == 1000 && expected.Why == "NO_BAND" {
			continue
		}
		if (band == nil) != (expected.Why != "") {
			t.Errorf("order %s of %s kg: card %v, file %+v", o.Number, o.Kilograms, band, expected)
			continue
		}
		if band != nil {
			cents[charge(t, band, o.Grams)-expected.Charge.Minor]++
		}
	}
	for reason, want := range map[string]int{"": 6991, "NO_BAND": 1370, "NO_RATE_CARD": 854, "NO_LANE": 0} {
		if why[reason] != want {
			t.Errorf("%d orders with %q, want %d", why[reason], reason, want)
		}
	}
	if p.Ambiguous != 727 {
		t.Errorf("several bands fit %d orders, want 727", p.Ambiguous)
	}
	for off, n := range cents {
		if off < -1 || off > 1 {
			t.Errorf("%d orders are %d cents off for their weight in grams", n, off)
		}
	}
	t.Logf("charges of weights in grams less those of exact weights, cents: %v", cents)
}

// TestRealCardsFit: a card can be published, and its carrier sells every service of its lanes.
func TestRealCardsFit(t *testing.T) {
	p, err := Map(published(t), 0)
	if err != nil {
		t.Fatal(err)
	}
	sold := map[Pair]bool{}
	for _, row := range p.carriers().rows {
		sold[Pair{row[0], row[2]}] = true
	}
	for _, c := range p.Cards {
		if len(c.GetLanes()) > maxLanes || proto.Size(c) > maxCard {
			t.Errorf("%s: %d lanes, %d bytes", c.GetCarrier(), len(c.GetLanes()), proto.Size(c))
		}
		for _, l := range c.GetLanes() {
			if len(l.GetBands()) > maxBands || !sold[Pair{c.GetCarrier(), l.GetService()}] {
				t.Errorf("%s, lane %s → %s %s: %d bands", c.GetCarrier(), l.GetOrigin(), l.GetDestinationPlace(), l.GetService(), len(l.GetBands()))
			}
		}
	}
	for _, o := range p.Orders {
		if !sold[Pair{o.Carrier, service(o.Service, o.Days)}] {
			t.Errorf("order %s: %s does not sell %s", o.Number, o.Carrier, service(o.Service, o.Days))
		}
	}
}

// fitting is the first band of the cards that fits an order, as freight-settlement looks for it.
func fitting(p *Plan, o OrderRow) *freightsettlementv1.WeightBand {
	for _, c := range p.Cards {
		for _, l := range c.GetLanes() {
			if c.GetCarrier() != o.Carrier || l.GetOrigin() != o.Plant || l.GetDestinationPlace() != o.Destination || l.GetService() != service(o.Service, o.Days) {
				continue
			}
			for _, b := range l.GetBands() {
				if b.GetFromGrams() <= o.Grams && o.Grams <= b.GetToGrams() {
					return b
				}
			}
		}
	}
	return nil
}
