// Package cartonize suggests into which cartons pieces go and where each stands: a heuristic of
// blocks of equal pieces and guillotine cuts, in whole millimetres and grams. It promises that
// no two pieces overlap, that each stands inside its carton on the floor or on others, that no
// carton is too heavy or too full, and that the same question has the same answer.
package cartonize

import (
	"cmp"
	"slices"
)

// Size is lengths in millimetres along a carton's inner length, width and height.
type Size struct{ X, Y, Z int64 }

func (s Size) volume() int64 { return s.X * s.Y * s.Z }

func (s Size) least() int64 { return min(s.X, s.Y, s.Z) }

// Piece is some equal pieces.
type Piece struct {
	Size    Size
	Weight  int64 // of one, grams
	Count   int
	Upright bool   // turned about the vertical only
	Apart   string // pieces that differ in it are never in one carton
}

// Type is a type of carton.
type Type struct {
	Inner    Size
	Tare     int64 // grams
	MaxGross int64 // tare included; 0: no limit
	MaxFill  int64 // per cent of the inner volume; 0: 100
}

// room is the volume that may be filled.
func (t Type) room() int64 {
	if t.MaxFill == 0 {
		return t.Inner.volume()
	}
	return t.Inner.volume() * t.MaxFill / 100
}

// carries reports whether the carton may hold a weight.
func (t Type) carries(grams int64) bool { return t.MaxGross == 0 || t.Tare+grams <= t.MaxGross }

// Block is equal pieces that stand side by side, all turned alike.
type Block struct {
	Piece int  // index of the pieces
	At    Size // corner
	Each  Size // one piece as it is turned
	Count Size // pieces along each edge
}

// Pieces is how many pieces the block has.
func (b Block) Pieces() int { return int(b.Count.volume()) }

func (b Block) size() Size {
	return Size{b.Each.X * b.Count.X, b.Each.Y * b.Count.Y, b.Each.Z * b.Count.Z}
}

// Carton is a carton with what is in it.
type Carton struct {
	Type   int // index of the type
	Blocks []Block
	Weight int64 // tare included, grams
	Volume int64 // of its pieces, cubic millimetres
}

// Plan packs pieces into as few cartons as it finds, and each of these into the smallest type
// that takes the same. left is how many of each pieces fit into no type at all.
func Plan(pieces []Piece, types []Type) (cartons []Carton, left []int) {
	left = make([]int, len(pieces))
	apart := map[string][]int{}
	for i, p := range pieces {
		if !slices.ContainsFunc(types, func(t Type) bool { return t.takes(p) }) {
			left[i] = p.Count
		} else if p.Count > 0 {
			apart[p.Apart] = append(apart[p.Apart], i)
		}
	}
	names := make([]string, 0, len(apart))
	for name := range apart {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		cartons = append(cartons, planOne(pieces, types, apart[name])...)
	}
	return cartons, left
}

// planOne packs pieces that may all be together, each of which some type takes.
func planOne(pieces []Piece, types []Type, order []int) (cartons []Carton) {
	slices.SortFunc(order, func(a, b int) int { // what is hard to place first
		x, y := pieces[a], pieces[b]
		return cmp.Or(cmp.Compare(y.Size.volume(), x.Size.volume()), cmp.Compare(longest(y.Size), longest(x.Size)), cmp.Compare(a, b))
	})
	open := make([]int, len(pieces))
	todo := 0
	for _, i := range order {
		open[i] = pieces[i].Count
		todo += pieces[i].Count
	}
	for todo > 0 {
		first := order[slices.IndexFunc(order, func(i int) bool { return open[i] > 0 })]
		best, found := Carton{}, false
		for n, t := range types {
			if !t.takes(pieces[first]) {
				continue
			}
			c := fill(n, t, pieces, open, order)
			if !found || better(c, best, types, todo) {
				best, found = c, true
			}
		}
		best = smallest(best, pieces, types, order)
		for _, b := range best.Blocks {
			open[b.Piece] -= b.Pieces()
			todo -= b.Pieces()
		}
		cartons = append(cartons, best)
	}
	return cartons
}

func longest(s Size) int64 { return max(s.X, s.Y, s.Z) }

func (c Carton) pieces() (n int) {
	for _, b := range c.Blocks {
		n += b.Pieces()
	}
	return n
}

// better reports whether one carton serves better than another: one that takes all that is to do,
// the smaller of two that do, else the one that takes more of it.
func better(c, than Carton, types []Type, todo int) bool {
	all, both := c.pieces() == todo, than.pieces() == todo
	smaller := types[c.Type].Inner.volume() < types[than.Type].Inner.volume()
	switch {
	case all != both:
		return all
	case all || c.Volume == than.Volume:
		return smaller
	}
	return c.Volume > than.Volume
}

// smallest packs what a carton holds into the smallest type that takes all of it.
func smallest(c Carton, pieces []Piece, types []Type, order []int) Carton {
	holds := make([]int, len(pieces))
	for _, b := range c.Blocks {
		holds[b.Piece] += b.Pieces()
	}
	order = slices.DeleteFunc(slices.Clone(order), func(i int) bool { return holds[i] == 0 })
	want := c.pieces()
	for n, t := range types {
		if t.Inner.volume() >= types[c.Type].Inner.volume() || t.room() < c.Volume {
			continue
		}
		if other := fill(n, t, pieces, holds, order); other.pieces() == want {
			c = other
		}
	}
	return c
}

// takes reports whether an empty carton takes one of the pieces.
func (t Type) takes(p Piece) bool {
	return t.carries(p.Weight) && p.Size.volume() <= t.room() && slices.ContainsFunc(p.turns(), func(s Size) bool { return s.within(t.Inner) })
}

func (s Size) within(o Size) bool { return s.X <= o.X && s.Y <= o.Y && s.Z <= o.Z }

// turns are the ways in which a piece may stand, each once.
func (p Piece) turns() []Size {
	s := p.Size
	all := []Size{{s.X, s.Y, s.Z}, {s.Y, s.X, s.Z}}
	if !p.Upright {
		all = append(all, Size{s.X, s.Z, s.Y}, Size{s.Z, s.X, s.Y}, Size{s.Y, s.Z, s.X}, Size{s.Z, s.Y, s.X})
	}
	once := all[:0]
	for _, t := range all {
		if !slices.Contains(once, t) {
			once = append(once, t)
		}
	}
	return once
}
