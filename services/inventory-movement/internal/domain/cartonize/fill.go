package cartonize

import (
	"cmp"
	"slices"
)

// space is an empty part of a carton; spaces never overlap, and what stands on the floor of one
// stands on the floor of the carton or on pieces.
type space struct{ at, size Size }

// filling is a carton that is being filled.
type filling struct {
	carton Carton
	kind   Type
	spaces []space
	volume int64 // that may still be filled
	least  int64 // shortest edge of all pieces: a narrower space is of no use
}

// fill packs one carton with as much as it finds of what is open, in the order given.
func fill(n int, t Type, pieces []Piece, open, order []int) Carton {
	f := filling{carton: Carton{Type: n, Weight: t.Tare}, kind: t, spaces: []space{{size: t.Inner}}, volume: t.room()}
	for k, i := range order {
		if edge := pieces[i].Size.least(); k == 0 || edge < f.least {
			f.least = edge
		}
	}
	for _, i := range order {
		turns := pieces[i].turns()
		for left := open[i]; left > 0; {
			placed := f.place(i, pieces[i], turns, left)
			if placed == 0 {
				break
			}
			left -= placed
		}
	}
	return f.carton
}

// choice is a block that may be placed, and the space for it.
type choice struct {
	space int
	block Block
	count int
	rest  int64 // volume of the largest space that it leaves
}

// place puts the best block of at most left pieces, and returns how many it has.
func (f *filling) place(piece int, p Piece, turns []Size, left int) int {
	most := f.most(p, left)
	if most == 0 {
		return 0
	}
	var best choice
	for s, room := range f.spaces {
		if room.size.volume() < p.Size.volume() {
			continue
		}
		for _, turn := range turns {
			if !turn.within(room.size) {
				continue
			}
			count := grid(room.size, turn, most)
			c := choice{space: s, block: Block{piece, room.at, turn, count}, count: int(count.volume())}
			for _, left := range room.cut(c.block.size()) {
				c.rest = max(c.rest, left.size.volume())
			}
			if best.count == 0 || f.prefers(c, best) {
				best = c
			}
		}
	}
	if best.count == 0 {
		return 0
	}
	f.cut(best)
	f.carton.Blocks = append(f.carton.Blocks, best.block)
	f.carton.Weight += p.Weight * int64(best.count)
	f.carton.Volume += p.Size.volume() * int64(best.count)
	f.volume -= p.Size.volume() * int64(best.count)
	return best.count
}

// most is how many more of the pieces the carton may hold by volume and weight.
func (f *filling) most(p Piece, left int) int {
	n := min(int64(left), f.volume/p.Size.volume())
	if f.kind.MaxGross > 0 && p.Weight > 0 {
		n = min(n, (f.kind.MaxGross-f.carton.Weight)/p.Weight)
	}
	return int(max(n, 0))
}

// grid is a block of at most so many pieces in a space: whole layers, else whole rows of one layer,
// else a part of one row.
func grid(room, each Size, most int) Size {
	n := Size{room.X / each.X, room.Y / each.Y, room.Z / each.Z}
	left := int64(most)
	switch {
	case left >= n.X*n.Y:
		n.Z = min(n.Z, left/(n.X*n.Y))
	case left >= n.X:
		n.Y, n.Z = left/n.X, 1
	default:
		n.X, n.Y, n.Z = left, 1, 1
	}
	return n
}

// prefers reports whether one choice is better than another: more pieces, then the smaller space,
// then the larger space left, then the lowest place nearest to the corner.
func (f *filling) prefers(c, than choice) bool {
	a, b := f.spaces[c.space], f.spaces[than.space]
	return cmp.Or(
		cmp.Compare(than.count, c.count), cmp.Compare(a.size.volume(), b.size.volume()), cmp.Compare(than.rest, c.rest),
		cmp.Compare(a.at.Z, b.at.Z), cmp.Compare(a.at.Y, b.at.Y), cmp.Compare(a.at.X, b.at.X),
	) < 0
}

// cut leaves of a space what is above a block in its corner, beside it and before it. Of the two
// ways to cut the floor it takes the one that leaves the larger part whole.
func (s space) cut(size Size) [3]space {
	rest := Size{s.size.X - size.X, s.size.Y - size.Y, s.size.Z - size.Z}
	beside, before := Size{rest.X, s.size.Y, s.size.Z}, Size{size.X, rest.Y, s.size.Z}
	if wide := (Size{s.size.X, rest.Y, s.size.Z}); wide.volume() > beside.volume() {
		beside.Y, before = size.Y, wide
	}
	return [3]space{
		{Size{s.at.X, s.at.Y, s.at.Z + size.Z}, Size{size.X, size.Y, rest.Z}},
		{Size{s.at.X + size.X, s.at.Y, s.at.Z}, beside},
		{Size{s.at.X, s.at.Y + size.Y, s.at.Z}, before},
	}
}

// cut puts the spaces that a block leaves in the place of its own.
func (f *filling) cut(c choice) {
	room := f.spaces[c.space]
	f.spaces = slices.Delete(f.spaces, c.space, c.space+1)
	for _, s := range room.cut(c.block.size()) {
		if s.size.least() >= f.least {
			f.spaces = append(f.spaces, s)
		}
	}
}
