package scripts

import (
	"math/rand/v2"
	"testing"
)

// TestChoose: a seed gives the same scripts again, and every kind comes in every manner.
func TestChoose(t *testing.T) {
	const draws = 1000
	a, b := rand.New(rand.NewPCG(7, 1)), rand.New(rand.NewPCG(7, 1))
	seen := map[Script]int{}
	for range draws {
		s := Choose(a)
		if again := Choose(b); again != s {
			t.Fatalf("%+v, then %+v", s, again)
		}
		seen[s]++
	}
	if len(seen) != 4*Kinds {
		t.Errorf("%v", seen)
	}
	for s, n := range seen {
		if n < draws/(16*Kinds) {
			t.Errorf("%+v came %d times of %d", s, n, draws)
		}
	}
}
