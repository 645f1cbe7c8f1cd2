package domain

import (
	"fmt"
	"maps"
	"slices"

	"pgregory.net/rapid"

	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// stop: a warehouse stops with a release and keeps some of its stock; what is not picked is open again.
func (m *machine) stop(t *rapid.T, release string) {
	open, kept := m.ledger.withdraw(release, func(item string, most int64) int64 {
		return pick(t, "kept of "+item, most, most, most/2, 0)
	}, m.order)
	facts, err := m.order.Withdrawn(m.env(), release, kept)
	got := map[int]int64{}
	for _, f := range facts {
		if f, ok := f.(ReleaseWithdrawn); ok {
			for _, l := range f.Lines {
				got[l.Line] += whole(l.Quantity.Value)
			}
		}
	}
	if !maps.Equal(got, open) {
		t.Fatalf("%v of %s is open again, the ledger has %v", got, release, open)
	}
	for _, k := range kept {
		m.claims[k.Key] = whole(k.Quantity)
	}
	m.do(t, "Withdrawn", facts, err)
}

// sentAs is the number of a release that a warehouse has; 0 for none.
func (g *ledger) sentAs(release string) int {
	for n, s := range g.releases {
		if release == fmt.Sprintf("ord_x-R%d", n) && s.sent {
			return n
		}
	}
	return 0
}

// putBack takes what of a cancelled release was picked and stands in bins again, out of picked.
func (g *ledger) putBack(r *sending, lines []LineQuantity) []LineQuantity {
	back := map[int]int64{}
	for _, q := range lines {
		if q.Quantity.Unit == "EA" {
			back[q.Line] += whole(q.Quantity.Value)
		}
	}
	for line, n := range back {
		if r != nil && r.lines[line] != nil {
			c := r.lines[line]
			n = max(0, min(n, c.saidPicked-c.issued))
			c.saidPicked, c.back = c.saidPicked-n, c.back+n
		}
	}
	return nil
}

// withdraw opens again what of a stopped release is not picked, and gives its lines what of their
// stock is kept, the first lines first.
func (g *ledger) withdraw(release string, keep func(item string, most int64) int64, o Order) (open map[int]int64, kept []Kept) {
	open = map[int]int64{}
	n := g.sentAs(release)
	left := map[string]int64{}
	for _, c := range g.cells(n) {
		if rest := c.live() - c.picked(); rest > 0 {
			open[c.line] = rest
			c.withdrawn += rest
			left[o.Lines[o.lineIndex(c.line)].Item] += rest
		}
	}
	for _, item := range slices.Sorted(maps.Keys(left)) {
		if left[item] = keep(item, left[item]); left[item] > 0 {
			key := "clm:" + release + ":v1:" + stock(g.releases[n].site, item)
			kept = append(kept, Kept{Key: key, Item: item, Quantity: quantity.Int(left[item])})
		}
	}
	for _, c := range g.cells(n) {
		item := o.Lines[o.lineIndex(c.line)].Item
		part := min(open[c.line], left[item])
		left[item] -= part
		if g.promised[c.line] += part; part > 0 {
			g.at[cellAt{c.line, g.releases[n].site}] += part
		}
	}
	return open, kept
}
