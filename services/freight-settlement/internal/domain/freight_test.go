package domain

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/money"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
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
			{0, 10_000, 500, money.MustRate("0.50")}, {10_001, 1_000_000, 900, money.MustRate("0.333")},
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
	card.From = t0
	if _, err := Publish(c, card); !fault.IsKind(err, fault.Refused) {
		t.Errorf("an earlier start must be refused: %v", err)
	}
}

func dispatched(t interface{ Fatal(...any) }, lines ...Line) Freight {
	r := Rate(cards(t), ship(100_500))
	facts, err := Accrue(Freight{}, FreightAccrued{Keys: keys, Rating: r, Lines: lines, At: t0})
	if err != nil {
		t.Fatal(err)
	}
	return ApplyFreight(Freight{}, facts...)
}

func TestAccrualIsReversedExactlyOnce(t *testing.T) {
	f := dispatched(t, Line{1, "A", quantity.Int(10), 3000}, Line{2, "B", quantity.Int(1), 1000})
	if f.State() != Accrued || f.Open != usd(3682) {
		t.Fatalf("%s %v", f.State(), f.Open)
	}
	claim := Claim{"inv_a", 1}
	step := func(facts []FreightFact, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range facts {
			balanced(t, x)
		}
		f = ApplyFreight(f, facts...)
	}
	step(ClaimCharges(f, claim, []string{"BASE", "FUEL"}))
	if _, err := ClaimCharges(f, Claim{"inv_b", 1}, []string{"FUEL"}); !fault.IsKind(err, fault.Refused) {
		t.Fatalf("a charge on two invoices: %v", err)
	}
	pay := []Payment{{"BASE", usd(3400)}, {"FUEL", usd(335)}}
	step(Settle(f, "inv_a", pay))
	if f.State() != Settled || f.Open != usd(0) {
		t.Fatalf("%s %v", f.State(), f.Open)
	}
	var total int64
	for _, a := range f.Allocations {
		total += a.Amount.Minor
	}
	if total != 3735 {
		t.Errorf("allocated %d of 3735", total)
	}
	if again, err := Settle(f, "inv_a", pay); err != nil || len(again) != 0 {
		t.Errorf("settled twice: %v %v", again, err)
	}
}

func balanced(t interface{ Fatalf(string, ...any) }, f FreightFact) {
	var ps []Posting
	switch f := f.(type) {
	case FreightAccrued:
		ps = f.Postings
	case FreightFinalised:
		ps = f.Postings
	case ChargesSettled:
		ps = f.Postings
	}
	var sum int64
	for _, p := range ps {
		sum += p.Amount.Minor
	}
	if sum != 0 {
		t.Fatalf("debits and credits differ by %d: %+v", sum, ps)
	}
}

func TestAClaimThatArrivesAfterItWasClosedIsRefused(t *testing.T) {
	f := dispatched(t)
	c := Claim{"inv_a", 1}
	facts, err := FreeCharges(f, c)
	if err != nil {
		t.Fatal(err)
	}
	f = ApplyFreight(f, facts...)
	if _, err := ClaimCharges(f, c, []string{"BASE"}); err == nil || err.(*fault.Error).Reason != "CLAIM_CLOSED" {
		t.Fatalf("%v", err)
	}
	if _, err := ClaimCharges(f, Claim{"inv_a", 2}, []string{"BASE"}); err != nil {
		t.Fatalf("the next attempt is free to claim: %v", err)
	}
}

// Whatever comes in whatever order: postings balance, the open accrual is what was accrued
// less what was reversed, a charge has one invoice, allocations add up.
func TestFreightKeepsItsBooks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := Freight{}
		t.Repeat(map[string]func(*rapid.T){
			"estimate": func(t *rapid.T) { f = run(t, f)(Estimate(f, keys, rated(t))) },
			"accrue": func(t *rapid.T) {
				f = run(t, f)(Accrue(f, FreightAccrued{Keys: keys, Rating: rated(t), Lines: []Line{{1, "A", quantity.Int(3), 0}, {2, "B", quantity.Int(4), 0}}, At: t0}))
			},
			"finalise": func(t *rapid.T) { f = run(t, f)(Finalise(f, rated(t))) },
			"claim": func(t *rapid.T) {
				f = run(t, f)(ClaimCharges(f, claim(t), rapid.SampledFrom([][]string{{"BASE"}, {"FUEL"}, {"BASE", "FUEL"}, {"OTHER"}}).Draw(t, "codes")))
			},
			"free": func(t *rapid.T) { f = run(t, f)(FreeCharges(f, claim(t))) },
			"settle": func(t *rapid.T) {
				if f.Dispatched.IsZero() {
					return
				}
				f = run(t, f)(Settle(f, claim(t).Invoice, []Payment{{"BASE", usd(rapid.Int64Range(0, 5000).Draw(t, "paid"))}}))
			},
			"": func(t *rapid.T) {
				if f.Dispatched.IsZero() {
					return
				}
				var open int64
				for _, c := range f.Rating.Charges {
					if !c.Settled {
						open += c.Amount.Minor
					}
				}
				if f.Rating.Rated() && f.Open.Minor != open {
					t.Fatalf("open accrual %v, charges not settled %d", f.Open, open)
				}
			},
		})
	})
}

func claim(t *rapid.T) Claim {
	return Claim{rapid.SampledFrom([]string{"inv_a", "inv_b"}).Draw(t, "invoice"), rapid.IntRange(1, 3).Draw(t, "attempt")}
}

func rated(t *rapid.T) Rating {
	return Rate(cards(t), ship(rapid.Int64Range(1, 900_000).Draw(t, "weight")))
}

func run(t *rapid.T, f Freight) func([]FreightFact, error) Freight {
	return func(facts []FreightFact, err error) Freight {
		if err != nil && !fault.IsKind(err, fault.Refused) {
			t.Fatal(err)
		}
		for _, x := range facts {
			balanced(t, x)
			f = EvolveFreight(f, x)
		}
		return f
	}
}
