package cartonize_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain/cartonize"
)

type size = cartonize.Size

func TestPlan(t *testing.T) {
	small, large := cartonize.Type{Inner: size{300, 200, 100}, Tare: 100}, cartonize.Type{Inner: size{600, 400, 400}, Tare: 400}
	brick := cartonize.Piece{Size: size{100, 100, 100}, Weight: 500, Count: 6}
	with := func(p cartonize.Piece, change func(*cartonize.Piece)) cartonize.Piece {
		change(&p)
		return p
	}
	limited := large
	limited.MaxGross = 400 + 4*500
	half := large
	half.MaxFill = 50
	for name, tt := range map[string]struct {
		pieces []cartonize.Piece
		types  []cartonize.Type
		want   string // type × pieces of each carton; what is left
	}{
		"the smallest carton that takes all": {[]cartonize.Piece{brick}, []cartonize.Type{large, small}, "1×6 left 0"},
		"to the last piece":                  {[]cartonize.Piece{with(brick, func(p *cartonize.Piece) { p.Count = 96 })}, []cartonize.Type{large, small}, "0×96 left 0"},
		"one more":                           {[]cartonize.Piece{with(brick, func(p *cartonize.Piece) { p.Count = 97 })}, []cartonize.Type{large, small}, "0×96 1×1 left 0"},
		"as heavy as it may be":              {[]cartonize.Piece{brick}, []cartonize.Type{limited}, "0×4 0×2 left 0"},
		"as full as it may be":               {[]cartonize.Piece{with(brick, func(p *cartonize.Piece) { p.Count = 96 })}, []cartonize.Type{half}, "0×48 0×48 left 0"},
		"turned to fit": {
			[]cartonize.Piece{{Size: size{90, 290, 190}, Weight: 1, Count: 1}}, []cartonize.Type{small}, "0×1 left 0",
		},
		"not turned when upright": {
			[]cartonize.Piece{{Size: size{290, 90, 190}, Weight: 1, Count: 2, Upright: true}}, []cartonize.Type{small}, "left 2",
		},
		"upright, but about the vertical": {
			[]cartonize.Piece{{Size: size{190, 290, 90}, Weight: 1, Count: 1, Upright: true}}, []cartonize.Type{small}, "0×1 left 0",
		},
		"too large":      {[]cartonize.Piece{{Size: size{601, 1, 1}, Weight: 1, Count: 3}, brick}, []cartonize.Type{large}, "0×6 left 3 0"},
		"too heavy":      {[]cartonize.Piece{with(brick, func(p *cartonize.Piece) { p.Weight = 2001 })}, []cartonize.Type{limited}, "left 6"},
		"kept apart":     {[]cartonize.Piece{brick, with(brick, func(p *cartonize.Piece) { p.Apart = "3" })}, []cartonize.Type{large}, "0×6 0×6 left 0 0"},
		"no type at all": {[]cartonize.Piece{brick}, nil, "left 6"},
		"nothing":        {[]cartonize.Piece{with(brick, func(p *cartonize.Piece) { p.Count = 0 })}, []cartonize.Type{large}, "left 0"},
		"two sizes beside each other": {
			[]cartonize.Piece{{Size: size{300, 400, 400}, Weight: 1, Count: 1}, {Size: size{150, 200, 200}, Weight: 1, Count: 8}}, []cartonize.Type{large}, "0×9 left 0 0",
		},
	} {
		cartons, left := cartonize.Plan(tt.pieces, tt.types)
		if why := unsound(tt.pieces, tt.types, cartons, left); why != "" {
			t.Errorf("%s: %s", name, why)
		}
		got := ""
		for _, c := range cartons {
			got += fmt.Sprintf("%d×%d ", c.Type, count(c))
		}
		got += "left"
		for _, n := range left {
			got += fmt.Sprint(" ", n)
		}
		if got != tt.want {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
	}
}

func count(c cartonize.Carton) (n int) {
	for _, b := range c.Blocks {
		n += b.Pieces()
	}
	return n
}

func volume(s size) int64 { return s.X * s.Y * s.Z }

// unsound says what a plan breaks of what is promised, counted piece by piece; "" for nothing.
func unsound(pieces []cartonize.Piece, types []cartonize.Type, cartons []cartonize.Carton, left []int) string {
	packed := slices.Clone(left)
	for n, c := range cartons {
		typ := types[c.Type]
		weight, filled := typ.Tare, int64(0)
		apart := map[string]bool{}
		type box struct{ at, size size }
		var boxes []box
		for _, b := range c.Blocks {
			p := pieces[b.Piece]
			packed[b.Piece] += b.Pieces()
			apart[p.Apart] = true
			a, z := []int64{p.Size.X, p.Size.Y, p.Size.Z}, []int64{b.Each.X, b.Each.Y, b.Each.Z}
			if slices.Sort(a); p.Upright && b.Each.Z != p.Size.Z {
				return fmt.Sprintf("carton %d: an upright piece lies", n)
			}
			if slices.Sort(z); !slices.Equal(a, z) {
				return fmt.Sprintf("carton %d: a piece of %v has become one of %v", n, a, z)
			}
			for x := range b.Count.X {
				for y := range b.Count.Y {
					for h := range b.Count.Z {
						boxes = append(boxes, box{size{b.At.X + x*b.Each.X, b.At.Y + y*b.Each.Y, b.At.Z + h*b.Each.Z}, b.Each})
						weight, filled = weight+p.Weight, filled+volume(p.Size)
					}
				}
			}
		}
		for i, b := range boxes {
			if b.at.X < 0 || b.at.Y < 0 || b.at.Z < 0 || b.at.X+b.size.X > typ.Inner.X || b.at.Y+b.size.Y > typ.Inner.Y || b.at.Z+b.size.Z > typ.Inner.Z {
				return fmt.Sprintf("carton %d: %v stands out", n, b)
			}
			stands := b.at.Z == 0
			for j, o := range boxes {
				if j > i && meet(b.at.X, b.size.X, o.at.X, o.size.X) && meet(b.at.Y, b.size.Y, o.at.Y, o.size.Y) && meet(b.at.Z, b.size.Z, o.at.Z, o.size.Z) {
					return fmt.Sprintf("carton %d: %v and %v overlap", n, b, o)
				}
				stands = stands || o.at.Z+o.size.Z == b.at.Z && meet(b.at.X, b.size.X, o.at.X, o.size.X) && meet(b.at.Y, b.size.Y, o.at.Y, o.size.Y)
			}
			if !stands {
				return fmt.Sprintf("carton %d: %v hangs in the air", n, b)
			}
		}
		fill := typ.MaxFill
		if fill == 0 {
			fill = 100
		}
		switch {
		case len(boxes) == 0 || len(apart) != 1:
			return fmt.Sprintf("carton %d: %d pieces of %v", n, len(boxes), apart)
		case weight != c.Weight || typ.MaxGross > 0 && weight > typ.MaxGross:
			return fmt.Sprintf("carton %d weighs %d, says %d, may %d", n, weight, c.Weight, typ.MaxGross)
		case filled != c.Volume || filled*100 > volume(typ.Inner)*fill:
			return fmt.Sprintf("carton %d is filled %d, says %d", n, filled, c.Volume)
		}
	}
	for i, p := range pieces {
		if packed[i] != p.Count {
			return fmt.Sprintf("%d of %d pieces of %d are packed or left", packed[i], p.Count, i)
		}
	}
	return ""
}

// meet reports whether two stretches share some length.
func meet(a, length, b, other int64) bool { return a < b+other && b < a+length }

// TestPlansAreSound: whatever is packed into whatever.
func TestPlansAreSound(t *testing.T) {
	edge := rapid.Int64Range(1, 250)
	rapid.Check(t, func(t *rapid.T) {
		pieces := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) cartonize.Piece {
			return cartonize.Piece{
				Size: size{edge.Draw(t, "x"), edge.Draw(t, "y"), edge.Draw(t, "z")}, Weight: rapid.Int64Range(0, 5000).Draw(t, "weight"),
				Count: rapid.IntRange(0, 25).Draw(t, "count"), Upright: rapid.Bool().Draw(t, "upright"), Apart: rapid.SampledFrom([]string{"", "", "3", "8"}).Draw(t, "apart"),
			}
		}), 0, 6).Draw(t, "pieces")
		types := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) cartonize.Type {
			return cartonize.Type{
				Inner: size{rapid.Int64Range(50, 600).Draw(t, "x"), rapid.Int64Range(50, 400).Draw(t, "y"), rapid.Int64Range(50, 400).Draw(t, "z")},
				Tare:  rapid.Int64Range(0, 500).Draw(t, "tare"), MaxGross: rapid.SampledFrom([]int64{0, 0, 2000, 20_000}).Draw(t, "gross"),
				MaxFill: rapid.SampledFrom([]int64{0, 0, 85, 40}).Draw(t, "fill"),
			}
		}), 0, 4).Draw(t, "types")
		cartons, left := cartonize.Plan(pieces, types)
		if why := unsound(pieces, types, cartons, left); why != "" {
			t.Fatal(why)
		}
		for i, n := range left {
			if n != 0 && n != pieces[i].Count {
				t.Fatalf("%d of %d are left of pieces that some carton takes", n, pieces[i].Count)
			}
		}
		again, rest := cartonize.Plan(pieces, types)
		if !reflect.DeepEqual(cartons, again) || !reflect.DeepEqual(left, rest) {
			t.Fatal("the same question has another answer")
		}
	})
}

// TestPlanAgainstSimpleOnes packs orders of a shop into its cartons and says how well. No plan has
// fewer cartons than the volume needs, nor more than one for each piece, and over all orders it
// needs at most a quarter more than first fit by volume alone, which does not ask whether pieces fit.
func TestPlanAgainstSimpleOnes(t *testing.T) {
	types := []cartonize.Type{
		{Inner: size{200, 150, 100}, Tare: 60},
		{Inner: size{300, 200, 150}, Tare: 120},
		{Inner: size{400, 300, 200}, Tare: 250},
		{Inner: size{600, 400, 400}, Tare: 600, MaxGross: 30_000},
	}
	random := rand.New(rand.NewPCG(1, 2))
	most := volume(types[3].Inner)
	var planned, fitted, bound, filled, held int64
	for range 200 {
		var pieces []cartonize.Piece
		total, n := int64(0), 0
		for range 1 + random.IntN(8) {
			p := cartonize.Piece{
				Size:   size{20 + random.Int64N(230), 20 + random.Int64N(180), 20 + random.Int64N(130)},
				Weight: 50 + random.Int64N(1500), Count: 1 + random.IntN(12),
			}
			pieces, total, n = append(pieces, p), total+volume(p.Size)*int64(p.Count), n+p.Count
		}
		cartons, left := cartonize.Plan(pieces, types)
		if why := unsound(pieces, types, cartons, left); why != "" {
			t.Fatal(why)
		}
		low := (total + most - 1) / most
		if got := int64(len(cartons)); got < low || got > int64(n) {
			t.Errorf("%d cartons for %d pieces, the volume needs %d", got, n, low)
		}
		planned, bound, fitted = planned+int64(len(cartons)), bound+low, fitted+firstFit(pieces, types[3])
		for _, c := range cartons {
			filled, held = filled+c.Volume, held+volume(types[c.Type].Inner)
		}
	}
	t.Logf("%d cartons, filled to %d %% on average; first fit by volume %d, lower bound %d", planned, 100*filled/held, fitted, bound)
	if planned*4 > fitted*5 {
		t.Errorf("%d cartons, first fit by volume %d", planned, fitted)
	}
}

// firstFit counts the cartons of one type that first fit by volume and weight needs, the largest first.
func firstFit(pieces []cartonize.Piece, t cartonize.Type) int64 {
	type load struct{ volume, weight int64 }
	var loads []load
	order := slices.Clone(pieces)
	slices.SortFunc(order, func(a, b cartonize.Piece) int { return int(volume(b.Size) - volume(a.Size)) })
	for _, p := range order {
		for range p.Count {
			i := slices.IndexFunc(loads, func(l load) bool {
				return l.volume+volume(p.Size) <= volume(t.Inner) && t.Tare+l.weight+p.Weight <= t.MaxGross
			})
			if i < 0 {
				i, loads = len(loads), append(loads, load{})
			}
			loads[i].volume, loads[i].weight = loads[i].volume+volume(p.Size), loads[i].weight+p.Weight
		}
	}
	return int64(len(loads))
}

// TestPlanEnds: a thousand pieces, no two alike, fifty types.
func TestPlanEnds(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	var pieces []cartonize.Piece
	for range 1000 {
		pieces = append(pieces, cartonize.Piece{Size: size{20 + random.Int64N(300), 20 + random.Int64N(300), 20 + random.Int64N(300)}, Weight: 100, Count: 1})
	}
	var types []cartonize.Type
	for i := range int64(50) {
		types = append(types, cartonize.Type{Inner: size{320 + i, 320 + 2*i, 320 + 3*i}, Tare: 100, MaxGross: 20_000})
	}
	started := time.Now()
	cartons, left := cartonize.Plan(pieces, types)
	if why := unsound(pieces, types, cartons, left); why != "" {
		t.Fatal(why)
	}
	t.Logf("%d cartons in %v", len(cartons), time.Since(started))
	if took := time.Since(started); took > time.Minute {
		t.Errorf("it took %v", took)
	}
}
