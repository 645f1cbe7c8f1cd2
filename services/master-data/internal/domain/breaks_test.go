package domain_test

import (
	"fmt"
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/quantity"
	"github.com/lockstep-logistics/lockstep/services/master-data/internal/domain"
)

func active[V domain.Value](v V) domain.Record[V] {
	return domain.Record[V]{State: domain.Active, Value: v}
}

// TestBreaks: what open documents rely on is named, all else may change.
func TestBreaks(t *testing.T) {
	cs := domain.Packaging{Unit: "CS", Ratio: quantity.Ratio{Num: 12, Den: 1}}
	bx := domain.Packaging{Unit: "BX", Ratio: quantity.Ratio{Num: 4, Den: 1}}
	dozen, ten := domain.Item{SKU: "TEA", Packagings: []domain.Packaging{cs}}, cs
	ten.Ratio.Num = 10
	site := domain.Location{Code: "DC1", Kind: domain.Site, TimeZone: "Europe/Berlin"}
	carrier := domain.Carrier{Code: "EXPR", Services: []domain.Service{{Code: "STD"}, {Code: "FAST"}}}
	with := func(i domain.Item, change func(*domain.Item)) domain.Item {
		change(&i)
		return i
	}
	for name, c := range map[string]struct {
		got  []string
		want string
	}{
		"the same":       {domain.Breaks(active(dozen), dozen), "[]"},
		"another name":   {domain.Breaks(active(dozen), with(dozen, func(i *domain.Item) { i.Name = "Tea" })), "[]"},
		"another ratio":  {domain.Breaks(active(dozen), with(dozen, func(i *domain.Item) { i.Packagings = []domain.Packaging{ten} })), "[packaging_units]"},
		"a unit is gone": {domain.Breaks(active(dozen), with(dozen, func(i *domain.Item) { i.Packagings = nil })), "[packaging_units]"},
		"a unit more":    {domain.Breaks(active(dozen), with(dozen, func(i *domain.Item) { i.Packagings = []domain.Packaging{bx, cs} })), "[]"},
		"lots": {domain.Breaks(active(dozen), with(dozen, func(i *domain.Item) {
			i.Tracking, i.Packagings = domain.Tracking{Lot: true}, nil
		})), "[packaging_units tracking]"},
		"shelf life":        {domain.Breaks(active(dozen), with(dozen, func(i *domain.Item) { i.Tracking.ShelfLifeDays = 30 })), "[]"},
		"not there":         {domain.Breaks(domain.Record[domain.Item]{}, dozen), "[]"},
		"retired":           {domain.Breaks(domain.Record[domain.Item]{State: domain.Retired, Value: dozen}, domain.Item{SKU: "TEA"}), "[]"},
		"zone":              {domain.Breaks(active(site), domain.Location{Code: "DC1", Kind: domain.Site, TimeZone: "Europe/Paris"}), "[time_zone]"},
		"name of a site":    {domain.Breaks(active(site), domain.Location{Code: "DC1", Name: "X", Kind: domain.Site, TimeZone: "Europe/Berlin"}), "[]"},
		"a service is gone": {domain.Breaks(active(carrier), domain.Carrier{Code: "EXPR", Services: carrier.Services[:1]}), "[services]"},
		"party":             {domain.Breaks(active(domain.Party{Code: "A"}), domain.Party{Code: "A", Name: "B"}), "[]"},
	} {
		if fmt.Sprint(c.got) != c.want {
			t.Errorf("%s: %v, want %s", name, c.got, c.want)
		}
	}
}
