package domain

import (
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

func TestQuantitiesAreConvertedExactlyOrRefused(t *testing.T) {
	tea := Item{SKU: "TEA", BaseUnit: "EA", Units: map[string]quantity.Ratio{"CS": {Num: 12, Den: 1}, "HALF": {Num: 1, Den: 2}, "THIRD": {Num: 1, Den: 3}}}
	sugar := Item{SKU: "SUGAR", BaseUnit: "KGM", Units: map[string]quantity.Ratio{"BG": {Num: 1, Den: 3}}}
	for name, tt := range map[string]struct {
		item       Item
		value      string
		unit       string
		want, code string
	}{
		"base unit":                     {tea, "5", "EA", "5", ""},
		"cases":                         {tea, "2", "CS", "24", ""},
		"the standard's unit":           {sugar, "2500", "GRM", "2.5", ""},
		"a whole number of halves":      {tea, "4", "HALF", "2", ""},
		"half a piece":                  {tea, "1", "HALF", "", "QUANTITY_INEXACT"},
		"a third":                       {sugar, "1", "BG", "", "QUANTITY_INEXACT"},
		"a fraction of pieces":          {tea, "0.5", "EA", "", "QUANTITY_INEXACT"},
		"weight of what is counted":     {tea, "1", "KGM", "", "UNIT_UNKNOWN"},
		"a unit that is none":           {tea, "1", "XXQ", "", "UNIT_UNKNOWN"},
		"nothing":                       {tea, "0", "EA", "", "QUANTITY_INVALID"},
		"less than nothing":             {tea, "-1", "EA", "", "QUANTITY_INVALID"},
		"too large for what is counted": {tea, "999999999999999999", "CS", "", "QUANTITY_INVALID"},
	} {
		got, err := tt.item.Base(quantity.Quantity{Value: quantity.MustParse(tt.value), Unit: tt.unit}, "quantity")
		if tt.code == "" {
			if err != nil || got != (quantity.Quantity{Value: quantity.MustParse(tt.want), Unit: tt.item.BaseUnit}) {
				t.Errorf("%s: %v %v", name, got, err)
			}
			continue
		}
		f, ok := fault.As(err)
		if !ok || f.Kind != fault.Invalid || f.Reason != tt.code || len(f.Fields) != 1 || f.Fields[0].Path != "quantity" || f.Fields[0].Reason != tt.code {
			t.Errorf("%s: %v %v", name, got, err)
		}
	}
}
