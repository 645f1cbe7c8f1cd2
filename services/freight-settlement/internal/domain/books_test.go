package domain

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/money"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// Whatever comes in whatever order: postings balance, the open accrual is what was accrued
// less what was reversed, a charge has one invoice, allocations add up.
func TestFreightKeepsItsBooks(t *testing.T) {
	lines := []Line{{1, "A", quantity.Int(3), 0}, {2, "B", quantity.Int(4), 0}}
	rapid.Check(t, func(t *rapid.T) {
		f, revision := Freight{}, int64(0)
		next := func() int64 { revision += rapid.Int64Range(-1, 2).Draw(t, "revision"); return revision }
		t.Repeat(map[string]func(*rapid.T){
			"estimate": func(t *rapid.T) {
				f = run(t, f)(Estimate(f, FreightEstimated{Keys: keys, Basis: ship(1), Rating: rated(t), Revision: next()}))
			},
			"accrue": func(t *rapid.T) {
				f = run(t, f)(Accrue(f, FreightAccrued{Keys: keys, Basis: ship(1), Rating: rated(t), Lines: lines, At: t0, Revision: next()}))
			},
			"finalise": func(t *rapid.T) { r := rated(t); f = run(t, f)(Finalise(f, keys, r.Weight, r)) },
			"refer": func(t *rapid.T) {
				r := Reported{Refs: Refs{PRO: rapid.SampledFrom([]string{"", "PRO-1", "PRO-2"}).Draw(t, "pro")}, Revision: next()}
				f = run(t, f)(Refer(f, theOne, r))
			},
			"true up": func(t *rapid.T) { f = run(t, f)(TrueUp(f, rated(t))) },
			"rerate":  func(t *rapid.T) { f = run(t, f)(Rerate(f, rated(t))) },
			"reverse": func(t *rapid.T) { f = run(t, f)(Reverse(f, theOne, "CALLED_OFF", next())) },
			"claim": func(t *rapid.T) {
				f = run(t, f)(ClaimCharges(f, claim(t), "ACME", payments(t)))
			},
			"free": func(t *rapid.T) { f = run(t, f)(FreeCharges(f, theOne, claim(t))) },
			"settle": func(t *rapid.T) {
				if !f.Dispatched.IsZero() {
					f = run(t, f)(Settle(f, theOne, claim(t).Invoice, payments(t)))
				}
			},
			"": func(t *rapid.T) { invariants(t, f) },
		})
	})
}

func invariants(t *rapid.T, f Freight) {
	if f.Dispatched.IsZero() {
		return
	}
	var open, allocated int64
	for _, c := range f.Rating.Charges {
		if !c.Settled {
			open += c.Amount.Minor
		}
	}
	for _, a := range f.Allocations {
		allocated += a.Amount.Minor
	}
	if f.Open.Minor != open {
		t.Fatalf("open accrual %v, charges not settled %d", f.Open, open)
	}
	if cost := f.Paid.Minor + f.Open.Minor; allocated != cost {
		t.Fatalf("allocated %d of %d", allocated, cost)
	}
}

func payments(t *rapid.T) []Payment {
	codes := rapid.SampledFrom([][]string{{"BASE"}, {"FUEL"}, {"BASE", "FUEL"}, {"BASE", "BASE"}, {"OTHER"}}).Draw(t, "codes")
	var out []Payment
	for _, c := range codes {
		out = append(out, Payment{c, usd(rapid.Int64Range(0, 5000).Draw(t, "amount"))})
	}
	return out
}

func claim(t *rapid.T) Claim {
	return Claim{rapid.SampledFrom([]string{"inv_a", "inv_b"}).Draw(t, "invoice"), rapid.IntRange(1, 3).Draw(t, "attempt")}
}

// rated is a rating, sometimes one that no band fits.
func rated(t *rapid.T) Rating {
	return Rate(cards(t), ship(rapid.Int64Range(1, 1_100_000).Draw(t, "weight")))
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

// TestAllocationsAddUp: for any lines and any amount of any currency.
func TestAllocationsAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		total := money.Amount{
			Minor:    rapid.Int64Range(-maxMinor, maxMinor).Draw(t, "minor"),
			Currency: rapid.SampledFrom([]string{"USD", "JPY", "KWD"}).Draw(t, "currency"),
		}
		lines := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Line {
			return Line{SKU: "A", Quantity: quantity.Int(rapid.Int64Range(0, 1000).Draw(t, "quantity")), Weight: rapid.Int64Range(0, 1e9).Draw(t, "weight")}
		}), 1, 50).Draw(t, "lines")
		parts, err := Allocate(total, lines)
		if err != nil {
			t.Fatal(err)
		}
		var sum int64
		for _, p := range parts {
			sum += p.Amount.Minor
		}
		if sum != total.Minor || len(parts) != len(lines) {
			t.Fatalf("%d lines bear %d of %d", len(parts), sum, total.Minor)
		}
	})
}
