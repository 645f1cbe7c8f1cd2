package domain

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/lockstep-logistics/lockstep/libs/money"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

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
