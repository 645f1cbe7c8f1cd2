package domain

import (
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/gs1"
)

func TestNumbersOfAPrefix(t *testing.T) {
	const prefix = "401234512345" // 12 digits leave 4 for the serial number
	for number, want := range map[int64]string{1: "040123451234500013", 9999: "040123451234599995", 10001: "140123451234500010"} {
		got, err := SSCC(prefix, number)
		if err != nil || got[:17] != want[:17] {
			t.Errorf("%d: %s %v, want %s", number, got, err, want)
		}
		if _, err := gs1.ParseSSCC(got); err != nil {
			t.Error(err)
		}
	}
	n, handed := Numbers{}, int64(0)
	for {
		facts, err := TakeNumbers(n, prefix, 30_000)
		if err != nil {
			if f, _ := fault.As(err); f.Reason != "SSCC_EXHAUSTED" {
				t.Error(err)
			}
			break
		}
		taken := facts[0].(NumbersTaken)
		if taken.First != n.Last+1 || taken.Last < taken.First {
			t.Fatalf("%+v after %d", taken, n.Last)
		}
		handed += taken.Last - taken.First + 1
		n = EvolveNumbers(n, taken)
	}
	if handed != 99_999 {
		t.Errorf("%d numbers handed out", handed)
	}
	if _, err := SSCC(prefix, n.Last); err != nil {
		t.Errorf("the last one: %v", err)
	}
}
