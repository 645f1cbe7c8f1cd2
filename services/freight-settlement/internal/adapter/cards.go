package adapter

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/money"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	freightsettlementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/freightsettlement/v1"
	"github.com/lockstep-logistics/lockstep/services/freight-settlement/internal/domain"
)

// cardMessage is a fact of rate cards as it is stored and published.
func cardMessage(f domain.CardFact) proto.Message {
	if f, ok := f.(domain.CardPublished); ok {
		return &freightsettlementv1.RateCardPublished{Card: card(f.Card)}
	}
	return nil
}

// cardReaders reads every fact type that rate cards may have.
var cardReaders = func() protovalue.Readers[domain.CardFact] {
	rs := protovalue.Readers[domain.CardFact]{}
	protovalue.Read(rs, func(m *freightsettlementv1.RateCardPublished) (domain.CardFact, error) {
		c, err := fromCard(m.GetCard())
		return domain.CardPublished{Card: c}, err
	})
	return rs
}()

func card(c domain.Card) *freightsettlementv1.RateCard {
	return &freightsettlementv1.RateCard{
		Carrier: c.Carrier, Version: int32(c.Version), Currency: c.Currency, FuelPercent: c.Fuel.String(),
		ValidFrom: protovalue.Time(c.From), ValidTo: protovalue.Time(c.To), Lanes: protovalue.Each(c.Lanes, lane),
	}
}

func lane(l domain.Lane) *freightsettlementv1.Lane {
	return &freightsettlementv1.Lane{
		Origin: l.Origin, DestinationPlace: l.Place, DestinationCountry: l.Country, DestinationRegion: l.Region,
		PostalPrefix: l.Postal, Service: l.Service, Mode: l.Mode, Bands: protovalue.Each(l.Bands, band),
	}
}

func band(b domain.Band) *freightsettlementv1.WeightBand {
	return &freightsettlementv1.WeightBand{
		FromGrams: b.From, ToGrams: b.To, MinimumMinor: b.Minimum, RatePerKg: b.Per.String(), Basis: basis(b.Basis), FlatMinor: b.Flat,
	}
}

// fromCard reads a rate card; a rate that cannot be read is fault.Invalid naming its field.
func fromCard(c *freightsettlementv1.RateCard) (domain.Card, error) {
	out := domain.Card{
		Carrier: c.GetCarrier(), Version: int(c.GetVersion()), Currency: c.GetCurrency(),
		From: protovalue.FromTime(c.GetValidFrom()), To: protovalue.FromTime(c.GetValidTo()),
	}
	var err error
	if out.Fuel, err = rate(c.GetFuelPercent(), "card.fuel_percent"); err != nil {
		return out, err
	}
	for i, l := range c.GetLanes() {
		to := domain.Lane{
			Origin: l.GetOrigin(), Place: l.GetDestinationPlace(), Country: l.GetDestinationCountry(), Region: l.GetDestinationRegion(),
			Postal: l.GetPostalPrefix(), Service: l.GetService(), Mode: l.GetMode(),
		}
		for j, b := range l.GetBands() {
			per, err := rate(b.GetRatePerKg(), fmt.Sprintf("card.lanes[%d].bands[%d].rate_per_kg", i, j))
			if err != nil {
				return out, err
			}
			to.Bands = append(to.Bands, domain.Band{
				From: b.GetFromGrams(), To: b.GetToGrams(), Minimum: b.GetMinimumMinor(), Per: per,
				Basis: domain.Basis(protovalue.Name(b.GetBasis(), "RATE_BASIS_")), Flat: b.GetFlatMinor(),
			})
		}
		out.Lanes = append(out.Lanes, to)
	}
	return out, nil
}

// rate reads a decimal; an empty one is 0.
func rate(text, field string) (money.Rate, error) {
	if text == "" {
		text = "0"
	}
	r, err := money.ParseRate(text)
	if err != nil {
		return r, fault.New(fault.Invalid, "INVALID_REQUEST", "%s cannot be read", field).
			WithField(field, "RATE_MALFORMED", "%v", err).Wrap(err)
	}
	return r, nil
}
