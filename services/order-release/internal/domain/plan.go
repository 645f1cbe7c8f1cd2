package domain

import (
	"cmp"
	"maps"
	"math/bits"
	"slices"
	"strings"

	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// part is what of the i-th line is to be claimed at a site.
type part struct {
	line     int
	site     string
	quantity quantity.Decimal
	seen     bool // there was stock for it when somebody looked
}

// plan is where the order's lines are to be claimed.
type plan struct {
	order Order
	left  Places // what the plan leaves of the stock that was seen
	parts []part // by line
	short int    // lines of which more is needed than was seen
	spare int    // how many claims there may be beyond one a line
}

// maxSpare bounds the claims of an attempt, so that it fits a commit.
const maxSpare = 200

// plan divides what is open and not promised among the sites: a line that one site delivers is
// claimed there, whatever is seen; the others where stock was seen, and the rest where they
// wait. With a place only its item's lines are planned, there.
func (o Order) plan(seen Places, w Wanted, only bool) plan {
	p := plan{order: o, left: maps.Clone(seen), spare: maxSpare}
	if p.left == nil {
		p.left = Places{}
	}
	chosen := make([][]int, len(o.Sourcing.Rules))
	for i, q := range o.Quantities() {
		need, sites := q.Unpromised(), o.Candidates(i)
		switch {
		case need.Sign() <= 0:
		case only && w != (Wanted{}):
			if o.Lines[i].Item == w.Item && slices.Contains(sites, w.Site) {
				p.parts = append(p.parts, part{line: i, site: w.Site, quantity: need})
			}
		case len(sites) == 1:
			got := p.take(i, sites[0], need)
			p.rest(i, sites[0], need.Sub(got))
		default:
			chosen[o.Lines[i].Rule-1] = append(chosen[o.Lines[i].Rule-1], i)
		}
	}
	needs := o.Quantities()
	for n, lines := range chosen {
		p.choose(o.Sourcing.Rules[n], lines, needs)
	}
	slices.SortStableFunc(p.parts, func(a, b part) int { return a.line - b.line })
	return p
}

// take claims of a line what was seen at a site, at most most.
func (p *plan) take(line int, site string, most quantity.Decimal) quantity.Decimal {
	w := Wanted{site, p.order.Lines[line].Item}
	got := quantity.Min(most, p.left[w])
	if got.Sign() <= 0 {
		return quantity.Decimal{}
	}
	p.left[w] = p.left[w].Sub(got)
	p.parts = append(p.parts, part{line: line, site: site, quantity: got, seen: true})
	return got
}

// rest claims of a line what was seen nowhere.
func (p *plan) rest(line int, site string, q quantity.Decimal) {
	if q.Sign() > 0 {
		p.short++
		p.parts = append(p.parts, part{line: line, site: site, quantity: q})
	}
}

// choose divides the lines of one rule among its sites.
func (p *plan) choose(of Sourcers, lines []int, needs []Quantities) {
	sites := of.Sites
	if of.Strategy == FewestSplits {
		sites = p.fewest(of.Sites, lines, needs)
	}
	for _, i := range lines {
		need, before := needs[i].Unpromised(), len(p.parts)
		if of.Strategy == FewestSplits || p.spare <= 0 {
			whole := slices.IndexFunc(sites, func(s string) bool { return !p.left[Wanted{s, p.order.Lines[i].Item}].Less(need) })
			if whole >= 0 {
				p.take(i, sites[whole], need)
				continue
			}
		}
		for _, site := range sites {
			if p.spare > 0 {
				need = need.Sub(p.take(i, site, need))
			}
		}
		p.rest(i, p.order.Lines[i].Site, need)
		p.spare -= len(p.parts) - before - 1
	}
}

// fewest returns the fewest sites that have all of the lines together, the earlier ones first
// when several sets do; all of them when none does.
func (p *plan) fewest(sites []string, lines []int, needs []Quantities) []string {
	items := map[string]quantity.Decimal{}
	for _, i := range lines {
		item := p.order.Lines[i].Item
		items[item] = items[item].Add(needs[i].Unpromised())
	}
	sets := make([]uint, 0, 1<<len(sites))
	for set := uint(1); set < 1<<len(sites); set++ {
		sets = append(sets, set)
	}
	slices.SortStableFunc(sets, func(a, b uint) int {
		// The first candidate is the lowest bit: of as many sites, the one with the lower bits comes first.
		return cmp.Or(bits.OnesCount(a)-bits.OnesCount(b), cmp.Compare(bits.Reverse(b), bits.Reverse(a)))
	})
	for _, set := range sets {
		chosen := make([]string, 0, len(sites))
		for n, site := range sites {
			if set&(1<<n) != 0 {
				chosen = append(chosen, site)
			}
		}
		if p.have(chosen, items) {
			return chosen
		}
	}
	return sites
}

// have reports whether the sites have all of the items together.
func (p *plan) have(sites []string, items map[string]quantity.Decimal) bool {
	for item, need := range items {
		for _, site := range sites {
			need = need.Sub(quantity.Max(p.left[Wanted{site, item}], quantity.Decimal{}))
		}
		if need.Sign() > 0 {
			return false
		}
	}
	return true
}

// claims makes one claim of all that is planned for a stock, ascending by stock.
func (o Order) claims(e Env, attempt int, parts []part) (claims []Claim) {
	at := map[Wanted]int{}
	for _, p := range parts {
		l := o.Lines[p.line]
		w := Wanted{p.site, l.Item}
		n, known := at[w]
		if !known {
			n = len(claims)
			at[w] = n
			stock := e.Stock(w.Site, w.Item)
			claims = append(claims, Claim{
				Key: ClaimKey(o.ID, attempt, stock), Stock: stock, Site: w.Site, Item: w.Item,
				Quantity: quantity.Quantity{Unit: l.Base.Unit},
			})
		}
		c := &claims[n]
		c.Quantity.Value = c.Quantity.Value.Add(p.quantity)
		if last := len(c.Lines) - 1; last >= 0 && c.Lines[last].Line == l.Number {
			c.Lines[last].Quantity.Value = c.Lines[last].Quantity.Value.Add(p.quantity)
			continue
		}
		c.Lines = append(c.Lines, o.quantity(p.line, p.quantity))
	}
	slices.SortFunc(claims, func(a, b Claim) int { return strings.Compare(a.Stock, b.Stock) })
	return claims
}
