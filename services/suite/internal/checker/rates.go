package checker

import (
	"fmt"
	"math/big"
	"strings"
	"time"

	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	fsv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/freightsettlement/v1"
	svv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/shipmentvisibility/v1"
)

// rates hold what freights cost against the rate cards (I3), by a reckoning of their own.
type rates struct {
	cards     map[string]*fsv1.RateCard // by tenant, carrier and version
	rated     []rated
	newest    map[string]map[string]int64 // by tenant and freight: what each charge is, as the checker reckons
	delivered map[string]int64            // grams, by tenant and shipment
	approved  []*fact
}

// rated is one rating of a freight.
type rated struct {
	f       *fact
	rating  *fsv1.Rating
	site    string
	to      *commonv1.Address
	final   bool
	grams   int64 // said to be delivered
	claimed bool  // by an invoice: its charges stay as that found them
	of      string
}

func newRates() *rates {
	return &rates{cards: map[string]*fsv1.RateCard{}, newest: map[string]map[string]int64{}, delivered: map[string]int64{}}
}

func cardKey(tenant, carrier string, version int32) string {
	return fmt.Sprintf("%s %s %d", tenant, carrier, version)
}

func (r *rates) publish(facts [][]*fact) {
	for _, of := range facts {
		for _, f := range of {
			if m, ok := f.msg.(*fsv1.RateCardPublished); ok {
				r.cards[cardKey(f.tenant, m.GetCard().GetCarrier(), m.GetCard().GetVersion())] = m.GetCard()
			}
		}
	}
}

// watch notes ratings, deliveries and approvals.
func (r *rates) watch(facts [][]*fact) {
	var site string
	var to *commonv1.Address
	claimed := map[string]bool{}
	for _, of := range facts {
		for _, f := range of {
			n := rated{f: f}
			switch m := f.msg.(type) {
			case *svv1.ShipmentDelivered:
				r.delivered[f.tenant+" "+m.GetShipmentId()] = m.GetGrossWeightGrams()
			case *fsv1.FreightInvoiceApproved:
				r.approved = append(r.approved, f)
			case *fsv1.ChargesClaimed:
				claimed[m.GetInvoiceId()] = true
			case *fsv1.ChargesFreed:
				delete(claimed, m.GetInvoiceId())
			case *fsv1.FreightEstimated:
				site, to = m.GetSite(), m.GetShipTo()
				n.rating, n.of = m.GetRating(), m.GetShipmentId()
			case *fsv1.FreightAccrued:
				site, to = m.GetSite(), m.GetShipTo()
				n.rating, n.of = m.GetRating(), m.GetShipmentId()
			case *fsv1.FreightFinalised:
				n.rating, n.of, n.final, n.grams = m.GetRating(), m.GetShipmentId(), true, m.GetDeliveredGrams()
			}
			if n.rating.GetRateCardVersion() > 0 {
				n.site, n.to, n.claimed = site, to, len(claimed) > 0
				r.rated = append(r.rated, n)
			}
		}
	}
}

// check reckons every rating again: each charge is what the card says for the weight, the final
// one for what was delivered, and an invoice was expected to be just that.
func (r *rates) check(report *Report) {
	for _, n := range r.rated {
		bad := func(format string, args ...any) { report.add("I3", Whole, n.f.where()+" "+n.f.id, format, args...) }
		delivered := r.delivered[n.f.tenant+" "+n.of]
		if n.final && n.grams != delivered {
			bad("is final on %d g, and %d were delivered", n.grams, delivered)
		}
		if n.claimed {
			continue
		}
		if n.final && n.rating.GetWeightGrams() != delivered {
			bad("is rated on %d g, and %d were delivered", n.rating.GetWeightGrams(), delivered)
		}
		card := r.cards[cardKey(n.f.tenant, n.rating.GetCarrier(), n.rating.GetRateCardVersion())]
		want, why := reckon(card, n)
		if why != "" {
			bad("%s", why)
			continue
		}
		for _, c := range n.rating.GetCharges() {
			if c.GetAmount().GetAmountMinor() != want[c.GetCode()] || c.GetAmount().GetCurrency() != card.GetCurrency() {
				bad("%s is %v, the rate card makes it %d", c.GetCode(), c.GetAmount(), want[c.GetCode()])
			}
		}
		if len(n.rating.GetCharges()) != len(want) {
			bad("has %d charges, the rate card %d", len(n.rating.GetCharges()), len(want))
		}
		r.newest[n.f.tenant+" "+n.f.agg] = want
	}
	for _, f := range r.approved {
		for i, l := range f.msg.(*fsv1.FreightInvoiceApproved).GetLines() {
			want, known := r.newest[f.tenant+" "+l.GetFreightId()]
			if known && l.GetExpected().GetAmountMinor() != want[l.GetChargeCode()] {
				report.add("I3", Whole, f.where()+" "+f.id, "line %d: %v was expected of %s, the rate card makes it %d",
					i+1, l.GetExpected(), l.GetChargeCode(), want[l.GetChargeCode()])
			}
		}
	}
}

// reckon makes the charges of a rating, or says why no rate fits.
func reckon(card *fsv1.RateCard, n rated) (charges map[string]int64, why string) {
	at := n.rating.GetRatedForTime().AsTime()
	if card == nil || at.Before(card.GetValidFrom().AsTime()) || card.GetValidTo() != nil && !at.Before(card.GetValidTo().AsTime()) {
		return nil, fmt.Sprintf("is rated by version %d, which is not valid at %s", n.rating.GetRateCardVersion(), at.Format(time.RFC3339))
	}
	for _, l := range card.GetLanes() {
		if !fits(l, n) {
			continue
		}
		for _, b := range l.GetBands() {
			if grams := n.rating.GetWeightGrams(); b.GetFromGrams() <= grams && grams <= b.GetToGrams() {
				return charged(card, b, grams), ""
			}
		}
	}
	return nil, fmt.Sprintf("is rated, and version %d has no lane and band for it", card.GetVersion())
}

// fits reports whether a lane leads where a freight goes; what it leaves open fits everything.
func fits(l *fsv1.Lane, n rated) bool {
	for _, is := range [][2]string{
		{l.GetOrigin(), n.site},
		{l.GetDestinationPlace(), n.to.GetCity()},
		{l.GetDestinationCountry(), n.to.GetCountry()},
		{l.GetDestinationRegion(), n.to.GetRegion()},
		{l.GetService(), n.rating.GetCarrierService()},
	} {
		if is[0] != "" && is[0] != is[1] {
			return false
		}
	}
	return strings.HasPrefix(n.to.GetPostalCode(), l.GetPostalPrefix())
}

// charged is weight × rate + flat, at least the minimum, and fuel of that; each rounded once, half up.
func charged(card *fsv1.RateCard, b *fsv1.WeightBand, grams int64) map[string]int64 {
	weight := big.NewRat(grams, 1000)
	if b.GetBasis() == fsv1.RateBasis_RATE_BASIS_HUNDREDWEIGHT { // of 45.359237 kg, to nine decimals
		nine := big.NewRat(1_000_000_000, 1)
		weight = new(big.Rat).Quo(big.NewRat(halfUp(new(big.Rat).Mul(big.NewRat(grams*1000, 45_359_237), nine)), 1), nine)
	}
	weight.Mul(weight, number(b.GetRatePerKg(), ignore))
	base := max(halfUp(weight.Mul(weight, minor(card.GetCurrency())))+b.GetFlatMinor(), b.GetMinimumMinor())
	charges := map[string]int64{"BASE": base}
	if card.GetFuelPercent() != "" {
		if fuel := halfUp(new(big.Rat).Mul(number(card.GetFuelPercent(), ignore), big.NewRat(base, 100))); fuel != 0 {
			charges["FUEL"] = fuel
		}
	}
	return charges
}

// halfUp rounds a number that is not negative.
func halfUp(r *big.Rat) int64 {
	r = new(big.Rat).Add(r, big.NewRat(1, 2))
	return new(big.Int).Quo(r.Num(), r.Denom()).Int64()
}

// exponents are the digits of minor units, where they are not two.
var exponents = map[string]int64{"JPY": 0, "KRW": 0, "CLP": 0, "ISK": 0, "VND": 0, "BHD": 3, "KWD": 3, "JOD": 3, "OMR": 3, "TND": 3}

// minor is how many minor units a major one of a currency has.
func minor(currency string) *big.Rat {
	digits, known := exponents[currency]
	if !known {
		digits = 2
	}
	return new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(digits), nil))
}
