package brunel

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/lockstep-logistics/lockstep/libs/money"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	freightsettlementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/freightsettlement/v1"
)

// Plan is the data set in the suite's terms.
type Plan struct {
	Orders  []OrderRow // to hand over, as the file has them
	Refused []Refusal  // not handed over: they break a table of the data set
	Cards   []*freightsettlementv1.RateCard

	Repeated  int // rows of the rate table that are in it twice
	Ambiguous int // orders for which several bands fit: the first of the file counts
	Rounded   int // orders whose weight is no whole number of grams

	data     *Dataset
	rates    []RateRow // each once
	expected map[string]Expected
}

// Refusal is an order that is not taken, and why.
type Refusal struct{ Number, Reason, Message string }

// Expected is what the rate table says of an order, on its exact weight.
type Expected struct {
	Charge money.Amount
	Why    string // why there is none, as freight-settlement names it; empty when there is one
}

// String is the charge, or why there is none.
func (e Expected) String() string {
	if e.Why != "" {
		return e.Why
	}
	return e.Charge.String()
}

// customersFreight is the service level at which the customer arranges and pays the carrier.
const customersFreight = "CRF"

// CustomersFreight reports whether the customer sends its own carrier.
func (o OrderRow) CustomersFreight() bool { return o.Service == customersFreight }

// service is the code of a carrier's service. The rate table has a price for each number of
// transit days, and orders name the days, so both are one service.
func service(level, days string) string { return level + "-" + days }

// Reasons for which an order is not handed over.
const (
	plantPort    = "PLANT_PORT_NOT_LINKED"
	plantProduct = "PLANT_DOES_NOT_MAKE_PRODUCT"
	vmiCustomer  = "VMI_PLANT_OF_OTHER_CUSTOMERS"
	twice        = "ORDER_NUMBER_TWICE"
)

// Map maps the data set; limit > 0 takes so many orders, evenly spread over the file.
func Map(d *Dataset, limit int) (*Plan, error) {
	p := &Plan{data: d, expected: map[string]Expected{}}
	if err := p.cards(); err != nil {
		return nil, err
	}
	check := p.checks()
	for _, o := range spread(d.Orders, limit) {
		if reason, message := check(o); reason != "" {
			p.Refused = append(p.Refused, Refusal{o.Number, reason, message})
			continue
		}
		expected, fits, err := p.price(o)
		if err != nil {
			return nil, fmt.Errorf("order %s: %w", o.Number, err)
		}
		if fits > 1 {
			p.Ambiguous++
		}
		if !quantity.Int(o.Grams).Equal(exactGrams(o.Kilograms)) {
			p.Rounded++
		}
		p.expected[o.Number] = expected
		p.Orders = append(p.Orders, o)
	}
	return p, nil
}

// Expected is what the rate table says of an order.
func (p *Plan) Expected(number string) Expected { return p.expected[number] }

// spread takes n of all, evenly; all for n <= 0.
func spread[T any](all []T, n int) []T {
	if n <= 0 || n >= len(all) {
		return all
	}
	some := make([]T, n)
	for i := range some {
		some[i] = all[i*len(all)/n]
	}
	return some
}

func exactGrams(kg quantity.Decimal) quantity.Decimal {
	g, err := kg.Mul(quantity.Ratio{Num: 1000, Den: 1})
	if err != nil { // beyond any weight
		return kg
	}
	return g
}

// checks returns what the constraints of the data set say about an order.
func (p *Plan) checks() func(OrderRow) (reason, message string) {
	set := func(pairs []Pair) map[Pair]bool {
		all := map[Pair]bool{}
		for _, pair := range pairs {
			all[pair] = true
		}
		return all
	}
	ports, products, vmi := set(p.data.PlantPorts), set(p.data.Products), set(p.data.VMI)
	reserved, seen := map[string]bool{}, map[string]bool{}
	for _, pair := range p.data.VMI {
		reserved[pair.Plant] = true
	}
	return func(o OrderRow) (string, string) {
		switch again := seen[o.Number]; {
		case again:
			return twice, "order " + o.Number + " stands in the file twice"
		case !ports[Pair{o.Plant, o.OriginPort}]:
			return plantPort, o.Plant + " does not ship through " + o.OriginPort
		case !products[Pair{o.Plant, o.Product}]:
			return plantProduct, o.Plant + " does not make " + o.Product
		case reserved[o.Plant] && !vmi[Pair{o.Plant, o.Customer}]:
			return vmiCustomer, o.Plant + " keeps the stock of other customers than " + o.Customer
		}
		seen[o.Number] = true
		return "", ""
	}
}

// price is what the first band that fits asks for an order, and how many fit.
func (p *Plan) price(o OrderRow) (Expected, int, error) {
	var expected Expected
	carrier, lane, fits := false, false, 0
	for _, r := range p.rates {
		if carrier = carrier || r.Carrier == o.Carrier; r.Carrier != o.Carrier || r.Origin != o.OriginPort ||
			r.Destination != o.Destination || r.Service != o.Service || r.Days != o.Days {
			continue
		}
		lane = true
		if r.From.Cmp(o.Kilograms) > 0 || o.Kilograms.Cmp(r.To) > 0 {
			continue
		}
		if fits++; fits > 1 {
			continue
		}
		charge, err := money.Price(r.Rate, currency, o.Kilograms, quantity.HalfUp)
		if err != nil {
			return expected, 0, err
		}
		charge.Minor = max(charge.Minor, r.Minimum.Minor)
		expected.Charge = charge
	}
	switch {
	case fits > 0:
	case lane:
		expected.Why = "NO_BAND"
	case carrier:
		expected.Why = "NO_LANE"
	default:
		expected.Why = "NO_RATE_CARD"
	}
	return expected, fits, nil
}

// Bounds of a rate card, as freight-settlement has them.
const (
	maxLanes = 2000
	maxBands = 100     // of a lane
	maxCard  = 256_000 // bytes; a commit has 256 KiB
)

// laneKey tells the lanes of a card apart before they are split by plant.
type laneKey struct{ origin, destination, service, mode string }

// cards makes one rate card a carrier: each plant that ships through the origin port has the
// lane, in bands as the file has them; a lane of too many bands goes on in another one.
func (p *Plan) cards() error {
	type draft struct {
		order []laneKey
		bands map[laneKey][]*freightsettlementv1.WeightBand
	}
	drafts, carriers, seen := map[string]*draft{}, []string(nil), map[RateRow]bool{}
	for _, r := range p.data.Rates {
		if seen[r] {
			p.Repeated++
			continue
		}
		seen[r] = true
		p.rates = append(p.rates, r)
		d := drafts[r.Carrier]
		if d == nil {
			d = &draft{bands: map[laneKey][]*freightsettlementv1.WeightBand{}}
			drafts[r.Carrier], carriers = d, append(carriers, r.Carrier)
		}
		band, err := bandOf(r)
		if err != nil {
			return err
		}
		key := laneKey{r.Origin, r.Destination, service(r.Service, r.Days), r.Mode}
		if d.bands[key] == nil {
			d.order = append(d.order, key)
		}
		d.bands[key] = append(d.bands[key], band)
	}
	slices.Sort(carriers)
	for _, carrier := range carriers {
		card := &freightsettlementv1.RateCard{Carrier: carrier, Currency: currency, ValidFrom: timestamppb.New(p.from())}
		for _, key := range drafts[carrier].order {
			card.Lanes = append(card.Lanes, p.lanes(key, drafts[carrier].bands[key])...)
		}
		if len(card.GetLanes()) > maxLanes || proto.Size(card) > maxCard {
			return fmt.Errorf("rate card of %s: %d lanes in %d bytes are more than a card holds", carrier, len(card.GetLanes()), proto.Size(card))
		}
		p.Cards = append(p.Cards, card)
	}
	return nil
}

// from is the first day of the orders: rates are valid from then on.
func (p *Plan) from() time.Time {
	if len(p.data.Orders) == 0 {
		return time.Unix(0, 0).UTC()
	}
	return slices.MinFunc(p.data.Orders, func(a, b OrderRow) int { return cmp.Compare(a.Date.Unix(), b.Date.Unix()) }).Date
}

func bandOf(r RateRow) (*freightsettlementv1.WeightBand, error) {
	from, err := grams(r.From)
	if err != nil {
		return nil, err
	}
	to, err := grams(r.To)
	if err != nil {
		return nil, err
	}
	return &freightsettlementv1.WeightBand{
		FromGrams: from, ToGrams: to, MinimumMinor: r.Minimum.Minor, RatePerKg: r.Rate.String(), Basis: freightsettlementv1.RateBasis_RATE_BASIS_KILOGRAM,
	}, nil
}

func (p *Plan) lanes(key laneKey, bands []*freightsettlementv1.WeightBand) (all []*freightsettlementv1.Lane) {
	for _, link := range p.data.PlantPorts {
		if link.Of != key.origin {
			continue
		}
		for some := range slices.Chunk(bands, maxBands) {
			all = append(all, &freightsettlementv1.Lane{
				Origin: link.Plant, DestinationPlace: key.destination, Service: key.service, Mode: key.mode, Bands: some,
			})
		}
	}
	return all
}

// Lanes is how many lanes and bands all cards have.
func (p *Plan) Lanes() (lanes, bands int) {
	for _, c := range p.Cards {
		lanes += len(c.GetLanes())
		for _, l := range c.GetLanes() {
			bands += len(l.GetBands())
		}
	}
	return lanes, bands
}
