package lifecycle

import (
	"math/rand/v2"
	"testing"

	inventorymovementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	returnsv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/returns/v1"
)

// TestChoose: a seed gives the same ways again, one order in eight comes back and one in ten is
// picked short, in every manner.
func TestChoose(t *testing.T) {
	const orders = 8000
	a, b := rand.New(rand.NewPCG(7, 1)), rand.New(rand.NewPCG(7, 1))
	back, short := map[returnsv1.Disposition]int{}, map[Short]int{}
	backs, shorts := 0, 0
	for range orders {
		w := Choose(a)
		if again := Choose(b); again != w {
			t.Fatalf("%+v, then %+v", w, again)
		}
		if w.Back.Any {
			backs++
			back[w.Back.Last]++
		}
		if w.Short.Reason != 0 {
			shorts++
			short[w.Short]++
		}
	}
	if backs < orders/10 || backs > orders/6 || shorts < orders/12 || shorts > orders/8 {
		t.Errorf("%d of %d come back, %d are picked short", backs, orders, shorts)
	}
	if len(back) != len(returnsv1.Disposition_name) || len(short) != 2*(len(inventorymovementv1.ShortReason_name)-1) {
		t.Errorf("%v %v", back, short)
	}
}

// TestMissing: something is always left to pick.
func TestMissing(t *testing.T) {
	way := Way{Short: Short{Reason: inventorymovementv1.ShortReason_SHORT_REASON_MISSING}}
	for _, c := range []struct {
		lines   []Line
		line, n int
	}{
		{[]Line{{"A", 5}}, 1, 2},
		{[]Line{{"A", 1}, {"B", 2}}, 2, 1},
		{[]Line{{"A", 1}, {"B", 1}}, 1, 1},
		{[]Line{{"A", 1}}, 0, 0},
	} {
		w := &walk{Way: way, lines: c.lines}
		if line, n := w.missing(); line != c.line || n != c.n {
			t.Errorf("%v: %d of line %d, want %d of %d", c.lines, n, line, c.n, c.line)
		}
		parts := w.parts()
		if want := 1 + min(c.n, 1); len(parts) != want {
			t.Errorf("%v: %d parts, want %d", c.lines, len(parts), want)
		}
		sum := 0
		for _, n := range parts[0].picked {
			sum += n
		}
		if sum == 0 {
			t.Errorf("%v: nothing is picked", c.lines)
		}
	}
}
