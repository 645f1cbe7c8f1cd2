package domain

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/money"
)

var (
	t0   = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	keys = Keys{"frt_a", "shp_a", "ord_a", "SO-1"}
)

func usd(minor int64) money.Amount { return money.Amount{Minor: minor, Currency: "USD"} }

func cards(t interface{ Fatal(...any) }) Cards {
	facts, err := Publish(Cards{}, Card{
		Carrier: "ACME", Currency: "USD", From: t0.AddDate(0, -1, 0), Fuel: money.MustRate("10"),
		Lanes: []Lane{{Origin: "DC1", Country: "DE", Bands: []Band{
			{From: 0, To: 10_000, Minimum: 500, Per: money.MustRate("0.50")},
			{From: 10_001, To: 1_000_000, Minimum: 900, Per: money.MustRate("0.333")},
		}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return EvolveCards(Cards{}, facts[0])
}

func ship(weight int64) Shipment {
	return Shipment{Carrier: "ACME", Site: "DC1", Country: "DE", PostalCode: "53111", WeightGrams: weight, At: t0}
}

func TestRateExplainsItself(t *testing.T) {
	cases := []struct {
		name       string
		s          Shipment
		base, fuel int64
		why        string
	}{
		{"minimum", ship(1_000), 500, 50, ""},
		{"rate", ship(9_999), 500, 50, ""},
		{"second band, rounded half up", ship(100_500), 3347, 335, ""}, // 100.5 × 0.333 = 33.4665
		{"too heavy", ship(2_000_000), 0, 0, "NO_BAND"},
		{"elsewhere", Shipment{Carrier: "ACME", Site: "DC1", Country: "FR", WeightGrams: 1, At: t0}, 0, 0, "NO_LANE"},
		{"before the card", Shipment{Carrier: "ACME", Site: "DC1", Country: "DE", WeightGrams: 1, At: t0.AddDate(-1, 0, 0)}, 0, 0, "NO_RATE_CARD"},
	}
	c := cards(t)
	for _, x := range cases {
		r := Rate(c, x.s)
		if x.why != "" {
			if r.Rated() || r.Why[0].Code != x.why {
				t.Errorf("%s: %+v", x.name, r)
			}
			continue
		}
		if !r.Rated() || r.Charges[0].Amount != usd(x.base) || r.Charges[1].Amount != usd(x.fuel) || r.Total != usd(x.base+x.fuel) {
			t.Errorf("%s: %+v", x.name, r)
		}
	}
}

// TestRatesOfEveryKind: bases, flat parts, lanes and currencies with other exponents.
func TestRatesOfEveryKind(t *testing.T) {
	at := Shipment{Carrier: "ACME", Site: "DC1", Country: "US", Region: "TX", PostalCode: "75001", Place: "Addison", WeightGrams: 100_000, At: t0}
	anywhere := func(b Band) Lane { b.To = 1_000_000; return Lane{Bands: []Band{b}} }
	cases := []struct {
		name     string
		currency string
		lane     Lane
		want     int64
		why      string
	}{
		{"kilograms", "USD", anywhere(Band{Per: money.MustRate("1.5")}), 15000, ""},
		{"hundredweight", "USD", anywhere(Band{Per: money.MustRate("10"), Basis: Hundredweight}), 2205, ""}, // 2.204622622 cwt
		{"flat", "USD", anywhere(Band{Flat: 7500}), 7500, ""},
		{"flat and rate", "USD", anywhere(Band{Flat: 7500, Per: money.MustRate("0.1")}), 8500, ""},
		{"minimum over both", "USD", anywhere(Band{Flat: 100, Per: money.MustRate("0.1"), Minimum: 2000}), 2000, ""},
		{"yen have no decimals", "JPY", anywhere(Band{Per: money.MustRate("12.345")}), 1235, ""}, // 1234.5 half up
		{"dinars have three", "KWD", anywhere(Band{Per: money.MustRate("0.012345")}), 1235, ""},  // 1.2345 half up
		{"region", "USD", Lane{Country: "US", Region: "TX", Bands: []Band{{To: 1_000_000, Flat: 1}}}, 1, ""},
		{"another region", "USD", Lane{Country: "US", Region: "CA", Bands: []Band{{To: 1_000_000, Flat: 1}}}, 0, "NO_LANE"},
		{"postal prefix", "USD", Lane{Postal: "750", Bands: []Band{{To: 1_000_000, Flat: 1}}}, 1, ""},
		{"another prefix", "USD", Lane{Postal: "751", Bands: []Band{{To: 1_000_000, Flat: 1}}}, 0, "NO_LANE"},
		{"place", "USD", Lane{Place: "Addison", Bands: []Band{{To: 1_000_000, Flat: 1}}}, 1, ""},
		{"service", "USD", Lane{Service: "EXPRESS", Bands: []Band{{To: 1_000_000, Flat: 1}}}, 0, "NO_LANE"},
		{"site", "USD", Lane{Origin: "DC2", Bands: []Band{{To: 1_000_000, Flat: 1}}}, 0, "NO_LANE"},
		{"between bands", "USD", Lane{Bands: []Band{{To: 99_999, Flat: 1}, {From: 100_001, To: 200_000, Flat: 1}}}, 0, "NO_BAND"},
	}
	for _, x := range cases {
		facts, err := Publish(Cards{}, Card{Carrier: "ACME", Currency: x.currency, From: t0, Lanes: []Lane{x.lane}})
		if err != nil {
			t.Fatal(x.name, err)
		}
		r := Rate(EvolveCards(Cards{}, facts[0]), at)
		switch {
		case x.why != "" && (r.Rated() || r.Why[0].Code != x.why):
			t.Errorf("%s: %+v, want %s", x.name, r, x.why)
		case x.why == "" && r.Total != money.Amount{Minor: x.want, Currency: x.currency}:
			t.Errorf("%s: %v %+v, want %d", x.name, r.Total, r.Charges, x.want)
		}
	}
}

func TestALaterCardTakesOver(t *testing.T) {
	c := cards(t)
	card := c.Versions[0]
	card.From = t0.AddDate(0, 1, 0)
	card.Fuel = money.MustRate("0")
	facts, err := Publish(c, card)
	if err != nil {
		t.Fatal(err)
	}
	c = EvolveCards(c, facts[0])
	if r := Rate(c, ship(1)); r.Version != 1 {
		t.Errorf("the ship date pins version 1, not %d", r.Version)
	}
	later := ship(1)
	later.At = t0.AddDate(0, 2, 0)
	if r := Rate(c, later); r.Version != 2 || len(r.Charges) != 1 {
		t.Errorf("%+v", r)
	}
	if r := RateAgain(c, later, 1); r.Version != 1 || len(r.Charges) != 2 {
		t.Errorf("rated by version 1 it stays so: %+v", r)
	}
	card.From = t0
	if _, err := Publish(c, card); !fault.IsKind(err, fault.Refused) {
		t.Errorf("an earlier start must be refused: %v", err)
	}
	card.From, card.To = t0.AddDate(-1, 0, 0), c.Versions[0].From
	facts, err = Publish(c, card)
	if err != nil {
		t.Fatalf("a card for a time that none covers: %v", err)
	}
	c = EvolveCards(c, facts[0])
	early := ship(1)
	early.At = card.From
	if r := Rate(c, early); r.Version != 3 {
		t.Errorf("%+v", r)
	}
	if r := Rate(c, ship(1)); r.Version != 1 {
		t.Errorf("%+v", r)
	}
}

// The same inputs give the same charges to the byte, and no published card changes what
// another had rated.
func TestRatingIsRepeatable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := cards(t)
		s := ship(rapid.Int64Range(0, 1_200_000).Draw(t, "weight"))
		s.At = t0.Add(time.Duration(rapid.Int64Range(-60, 60).Draw(t, "day")) * 24 * time.Hour)
		first := Rate(c, s)
		if again := Rate(c, s); fmt.Sprintf("%#v", again) != fmt.Sprintf("%#v", first) {
			t.Fatalf("%#v\n%#v", first, again)
		}
		next := c.Versions[0]
		next.From = t0.Add(time.Duration(rapid.Int64Range(-90, 90).Draw(t, "from")) * 24 * time.Hour)
		next.To = next.From.Add(time.Duration(rapid.Int64Range(1, 90).Draw(t, "days")) * 24 * time.Hour)
		facts, err := Publish(c, next)
		if err != nil {
			return
		}
		after := EvolveCards(c, facts[0])
		if again := RateAgain(after, s, first.Version); first.Rated() && fmt.Sprintf("%#v", again) != fmt.Sprintf("%#v", first) {
			t.Fatalf("%#v\n%#v", first, again)
		}
		if now := Rate(after, s); now.Version == 1 != first.Rated() && (s.At.Before(next.From) || !s.At.Before(next.To)) {
			t.Fatalf("a card of another time changed the rate: %+v, before %+v", now, first)
		}
	})
}
