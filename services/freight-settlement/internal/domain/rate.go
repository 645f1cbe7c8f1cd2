// Package domain is what freight costs, as pure functions: rate cards, the expected and
// settled charges of a shipment, and carriers' invoices. Money is exact in minor units;
// the same inputs give the same charges to the byte.
package domain

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/money"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// Band is a weight band of a lane; both ends are inclusive, in grams.
type Band struct {
	From    int64      `bson:"f"`
	To      int64      `bson:"t"`
	Minimum int64      `bson:"m"` // minor units of the card's currency
	Per     money.Rate `bson:"r"` // major units for one unit of the basis
	Basis   Basis      `bson:"b,omitempty"`
	Flat    int64      `bson:"x,omitempty"` // minor units, added before the minimum applies
}

// Basis is the weight that a rate is for; empty is a kilogram.
type Basis string

// The bases of a rate.
const (
	Kilogram      Basis = "KILOGRAM"
	Hundredweight Basis = "HUNDREDWEIGHT" // 100 lb
)

// of returns a weight in units of the basis, to nine decimals, and the unit's name.
func (b Basis) of(grams int64) (quantity.Decimal, string, error) {
	if b == Hundredweight {
		cwt, err := quantity.Int(grams).MulRounded(quantity.Ratio{Num: 1000, Den: 45_359_237}, quantity.FractionDigits, quantity.HalfUp)
		return cwt, "cwt", err
	}
	kg, err := quantity.Int(grams).Mul(quantity.Ratio{Num: 1, Den: 1000})
	return kg, "kg", err
}

// Lane is what it costs from a site to a destination; empty fields fit everything.
type Lane struct {
	Origin  string `bson:"o,omitempty"`
	Place   string `bson:"p,omitempty"`
	Country string `bson:"c,omitempty"` // ISO 3166-1 alpha-2
	Region  string `bson:"g,omitempty"` // ISO 3166-2 subdivision part
	Postal  string `bson:"z,omitempty"` // prefix of the postal code
	Service string `bson:"s,omitempty"`
	Mode    string `bson:"m,omitempty"`
	Bands   []Band `bson:"b"`
}

// Card is one version of a carrier's rate card.
type Card struct {
	Carrier  string     `bson:"c"`
	Version  int        `bson:"v"`
	Currency string     `bson:"y"`
	From     time.Time  `bson:"f"`
	To       time.Time  `bson:"t,omitempty"` // zero: open
	Fuel     money.Rate `bson:"u"`           // percent of the base charge
	Lanes    []Lane     `bson:"l"`
}

// Cards are the published versions of one carrier's card, oldest first.
type Cards struct {
	Versions []Card `bson:"v"`
}

// maxCards bounds the versions kept at hand; older ones stay in the history.
const maxCards = 8

// CardPublished is the fact of a published version.
type CardPublished struct{ Card Card }

// CardFact is what happened to a carrier's rate cards.
type CardFact interface{ isCardFact() }

func (CardPublished) isCardFact() {}

// EvolveCards applies one fact.
func EvolveCards(c Cards, f CardFact) Cards {
	if p, ok := f.(CardPublished); ok {
		versions := append(slices.Clone(c.Versions), p.Card)
		if len(versions) > maxCards {
			versions = versions[len(versions)-maxCards:]
		}
		c.Versions = versions
	}
	return c
}

// Publish adds a version. One that starts after every published one takes over from its
// first moment on; any other must leave every moment alone that a published one covers,
// for what was rated would change.
func Publish(c Cards, card Card) ([]CardFact, error) {
	if _, ok := money.Exponent(card.Currency); !ok {
		return nil, invalid("card.currency", "CURRENCY_UNKNOWN", "%s is no ISO 4217 currency", card.Currency)
	}
	if !card.To.IsZero() && !card.To.After(card.From) {
		return nil, invalid("card.valid_to", "VALIDITY_EMPTY", "must be after valid_from")
	}
	for i, l := range card.Lanes {
		for j, b := range l.Bands {
			if b.To < b.From {
				return nil, invalid(fmt.Sprintf("card.lanes[%d].bands[%d].to_grams", i, j), "BAND_EMPTY", "must be at least from_grams")
			}
		}
	}
	card.Version = 1
	for _, v := range c.Versions {
		if card.overlaps(v) && !card.From.After(v.From) {
			return nil, fault.New(fault.Refused, "VALIDITY_OVERLAP", "version %d is valid from %s", v.Version, v.From.Format(time.RFC3339)).
				With("version", strconv.Itoa(v.Version))
		}
		card.Version = max(card.Version, v.Version+1)
	}
	return []CardFact{CardPublished{card}}, nil
}

// overlaps reports whether both versions are valid at some moment.
func (c Card) overlaps(o Card) bool {
	before := func(from, to time.Time) bool { return to.IsZero() || from.Before(to) }
	return before(c.From, o.To) && before(o.From, c.To)
}

func invalid(field, reason, format string, args ...any) error {
	e := fault.New(fault.Invalid, "INVALID_REQUEST", "%s: %s", field, fmt.Sprintf(format, args...))
	return e.WithField(field, reason, format, args...)
}

// Shipment is what a rate depends on.
type Shipment struct {
	Carrier     string    `bson:"c"`
	Service     string    `bson:"s,omitempty"`
	Site        string    `bson:"o"`
	Place       string    `bson:"p,omitempty"` // destination city, port or UN/LOCODE
	Country     string    `bson:"k,omitempty"`
	Region      string    `bson:"g,omitempty"`
	PostalCode  string    `bson:"z,omitempty"`
	WeightGrams int64     `bson:"w"`
	At          time.Time `bson:"a"` // moment whose rates count
}

// Charge is one charge and the rule that made it.
type Charge struct {
	Code     string       `bson:"c"` // BASE or FUEL
	Amount   money.Amount `bson:"a"`
	Rule     string       `bson:"r,omitempty"`
	Invoice  string       `bson:"i,omitempty"` // claimed or settled by
	Attempt  int          `bson:"n,omitempty"` // of the claim
	Invoiced money.Amount `bson:"v,omitempty"` // what that invoice asks
	Settled  bool         `bson:"s,omitempty"`
	Paid     money.Amount `bson:"p,omitempty"`
}

// Why is a reason in words and code.
type Why struct {
	Code    string `bson:"c"`
	Field   string `bson:"f,omitempty"`
	Message string `bson:"m,omitempty"`
}

// Rating is what a shipment costs, or why no rate covers it.
type Rating struct {
	Carrier string       `bson:"c"`
	Service string       `bson:"s,omitempty"`
	Weight  int64        `bson:"w"` // grams
	Version int          `bson:"v"` // of the rate card; 0: not rated
	Charges []Charge     `bson:"h,omitempty"`
	Total   money.Amount `bson:"t"`
	Why     []Why        `bson:"y,omitempty"`
	At      time.Time    `bson:"a"`
}

// Rated reports whether a rate covers the shipment.
func (r Rating) Rated() bool { return r.Version > 0 }

// Rate reckons what a shipment costs by the version valid at its moment.
func Rate(c Cards, s Shipment) Rating {
	card, ok := c.at(s.At)
	if !ok {
		return unrated(s, "NO_RATE_CARD", "%s has no rate card for %s", s.Carrier, s.At.Format(time.DateOnly))
	}
	return card.rate(s)
}

// RateAgain reckons what a shipment costs by the version that rated it before, so that one
// published since changes nothing; by the version valid at its moment if none has.
func RateAgain(c Cards, s Shipment, version int) Rating {
	if version == 0 {
		return Rate(c, s)
	}
	i := slices.IndexFunc(c.Versions, func(card Card) bool { return card.Version == version })
	if i < 0 {
		return unrated(s, "NO_RATE_CARD", "version %d of %s is no longer at hand", version, s.Carrier)
	}
	return c.Versions[i].rate(s)
}

func unrated(s Shipment, code, format string, args ...any) Rating {
	return Rating{
		Carrier: s.Carrier, Service: s.Service, Weight: s.WeightGrams, At: s.At,
		Why: []Why{{Code: code, Message: fmt.Sprintf(format, args...)}},
	}
}

func (c Card) rate(s Shipment) Rating {
	lane, band, why := c.find(s)
	if why != "" {
		return unrated(s, why, "version %d of %s: nothing fits %s to %s, service %q, %d g", c.Version, s.Carrier, s.Site,
			words(s.Country, s.Region, s.PostalCode, s.Place), s.Service, s.WeightGrams)
	}
	charges, err := c.charges(lane, band, s.WeightGrams)
	if err != nil {
		return unrated(s, "NO_BAND", "%v", err)
	}
	r := Rating{Carrier: s.Carrier, Service: s.Service, Weight: s.WeightGrams, At: s.At, Version: c.Version, Charges: charges}
	if r.Total, err = total(c.Currency, charges); err != nil {
		return unrated(s, "NO_BAND", "%v", err)
	}
	return r
}

// words joins those that are not empty.
func words(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), " ")
}

func total(currency string, charges []Charge) (money.Amount, error) {
	amounts := make([]money.Amount, len(charges))
	for i, c := range charges {
		amounts[i] = c.Amount
	}
	return money.Sum(currency, amounts...)
}

// at returns the newest version valid at t.
func (c Cards) at(t time.Time) (Card, bool) {
	for _, card := range slices.Backward(c.Versions) {
		if !t.Before(card.From) && (card.To.IsZero() || t.Before(card.To)) {
			return card, true
		}
	}
	return Card{}, false
}

// find returns the first lane that fits and its band; else why nothing does.
func (c Card) find(s Shipment) (Lane, Band, string) {
	why := "NO_LANE"
	for _, l := range c.Lanes {
		if !l.fits(s) {
			continue
		}
		why = "NO_BAND"
		for _, b := range l.Bands {
			if b.From <= s.WeightGrams && s.WeightGrams <= b.To {
				return l, b, ""
			}
		}
	}
	return Lane{}, Band{}, why
}

func (l Lane) fits(s Shipment) bool {
	is := func(want, got string) bool { return want == "" || want == got }
	return is(l.Origin, s.Site) && is(l.Place, s.Place) && is(l.Country, s.Country) && is(l.Region, s.Region) && is(l.Service, s.Service) &&
		strings.HasPrefix(s.PostalCode, l.Postal)
}

// charges reckons base and fuel; each is rounded once, half up, as freight contracts do.
func (c Card) charges(l Lane, b Band, weight int64) ([]Charge, error) {
	measure, unit, err := b.Basis.of(weight)
	if err != nil {
		return nil, err
	}
	base, err := money.Price(b.Per, c.Currency, measure, quantity.HalfUp)
	if err != nil {
		return nil, err
	}
	rule := fmt.Sprintf("%s v%d %s %d–%d g: %s %s × %s", c.Carrier, c.Version,
		words(l.Origin, "→", l.Country, l.Region, l.Postal, l.Place, l.Service), b.From, b.To, measure, unit, b.Per)
	if b.Flat != 0 {
		flat := money.Amount{Minor: b.Flat, Currency: c.Currency}
		if base, err = base.Add(flat); err != nil {
			return nil, err
		}
		rule += " + " + flat.String()
	}
	if base.Minor < b.Minimum {
		base.Minor = b.Minimum
		rule += ", minimum"
	}
	charges := []Charge{{Code: "BASE", Amount: base, Rule: rule}}
	fuel, err := percent(base, c.Fuel)
	if err != nil || fuel.IsZero() {
		return charges, err
	}
	return append(charges, Charge{Code: "FUEL", Amount: fuel, Rule: fmt.Sprintf("%s %% of BASE", c.Fuel)}), nil
}

var hundredth = quantity.Ratio{Num: 1, Den: 100}

// percent returns p percent of an amount, rounded once.
func percent(a money.Amount, p money.Rate) (money.Amount, error) {
	whole, err := quantity.Parse(a.Decimal())
	if err != nil {
		return money.Amount{}, err
	}
	part, err := whole.Mul(hundredth)
	if err != nil {
		return money.Amount{}, err
	}
	return money.Price(p, a.Currency, part, quantity.HalfUp)
}
