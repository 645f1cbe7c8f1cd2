package domain

import (
	"slices"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/calendar"
)

// Capacity is how much a channel lets go in one window; 0 is no bound.
type Capacity struct {
	Releases int `bson:"cr,omitempty"`
	Lines    int `bson:"cl,omitempty"`
}

// maxPlaced bounds the releases of one window.
const maxPlaced = 5000

// Limits reports whether there is a bound.
func (c Capacity) Limits() bool { return c.Releases > 0 || c.Lines > 0 }

// Slot is one window of a channel at a time.
type Slot struct {
	Channel, Site string
	Opens, Ends   time.Time // UTC
	Next          time.Time // when the next one opens; zero for never
	Capacity      Capacity
}

// slot is the window of a channel that is open at a time: of one without windows it is the day.
func (c Channel) slot(now time.Time, zone *time.Location) *Slot {
	s := &Slot{Channel: c.Code, Site: c.Site, Capacity: c.Capacity}
	today := calendar.DateOf(now, zone)
	if len(c.Windows) == 0 {
		s.Opens, s.Ends = today.Moment(0, zone, false), today.Plus(1).Moment(0, zone, false)
		s.Next = s.Ends
		return s
	}
	for d := -1; d <= 1; d++ {
		date := today.Plus(d)
		for _, w := range c.on(date) {
			opens, ends := date.Moment(w.Opens, zone, false), date.Moment(w.CutOff, zone, false)
			if !now.Before(opens) && now.Before(ends) {
				s.Opens, s.Ends, s.Next = opens, ends, c.opens(ends, zone)
				return s
			}
		}
	}
	return nil
}

// Load is what has gone, or may go, in one window of a channel.
type Load struct {
	Channel string    `bson:"c"`
	Site    string    `bson:"s"`
	Opens   time.Time `bson:"o"`
	Placed  []Placed  `bson:"p,omitempty"`
}

// Placed is the place of one release.
type Placed struct {
	Order string `bson:"o"`
	Turn  int    `bson:"t"` // which release of the order from the site, from 1
	Lines int    `bson:"l"`
}

// LoadFact is something that happened to a window's load.
type LoadFact interface{ loadFact() }

// The facts of a window's load.
type (
	// PlaceTaken gives a release a place, or its place more lines.
	PlaceTaken struct {
		Channel, Site string
		Opens         time.Time
		Placed
	}
	// PlaceFreed takes it back.
	PlaceFreed struct {
		Channel, Site string
		Opens         time.Time
		Order         string
		Turn          int
	}
)

func (PlaceTaken) loadFact() {}
func (PlaceFreed) loadFact() {}

// EvolveLoad applies one fact.
func EvolveLoad(l Load, fact LoadFact) Load {
	switch f := fact.(type) {
	case PlaceTaken:
		l.Channel, l.Site, l.Opens = f.Channel, f.Site, f.Opens
		l.Placed = append(l.without(f.Order, f.Turn), f.Placed)
	case PlaceFreed:
		l.Placed = l.without(f.Order, f.Turn)
	}
	return l
}

func (l Load) without(order string, turn int) []Placed {
	return slices.DeleteFunc(slices.Clone(l.Placed), func(p Placed) bool { return p.Order == order && p.Turn == turn })
}

// Has is the place of a release; its lines are 0 when it has none.
func (l Load) Has(order string, turn int) Placed {
	i := slices.IndexFunc(l.Placed, func(p Placed) bool { return p.Order == order && p.Turn == turn })
	if i < 0 {
		return Placed{Order: order, Turn: turn}
	}
	return l.Placed[i]
}

// Lines are those of all releases that have a place.
func (l Load) Lines() (sum int) {
	for _, p := range l.Placed {
		sum += p.Lines
	}
	return sum
}

// Take gives a release a place for its lines; false when the window has none. A release of more
// lines than any window has goes as the only one of its lines' window so far.
func (l Load) Take(s Slot, p Placed) (facts []LoadFact, ok bool) {
	had := l.Has(p.Order, p.Turn)
	if had.Lines >= p.Lines {
		return nil, true
	}
	others := l
	others.Placed = l.without(p.Order, p.Turn)
	c := s.Capacity
	full := len(others.Placed) >= maxPlaced || c.Releases > 0 && len(others.Placed) >= c.Releases || c.Lines > 0 && len(others.Placed) > 0 && others.Lines()+p.Lines > c.Lines
	if full {
		return nil, false
	}
	return []LoadFact{PlaceTaken{Channel: s.Channel, Site: s.Site, Opens: s.Opens, Placed: p}}, true
}

// Free takes a release's place back.
func (l Load) Free(order string, turn int) []LoadFact {
	if l.Has(order, turn).Lines == 0 {
		return nil
	}
	return []LoadFact{PlaceFreed{Channel: l.Channel, Site: l.Site, Opens: l.Opens, Order: order, Turn: turn}}
}

// Admission is what somebody found out about the place of a site's release.
type Admission struct {
	Turn, Lines int  // that it has
	Full        bool // it has none in this window
}

// Turn is which release of a site the next one is, from 1.
func (o Order) Turn(site string) int {
	turn := 1
	for _, r := range o.Releases {
		if r.Site == site && !r.Sent.IsZero() {
			turn++
		}
	}
	return turn
}

// Place is what the next release from a site needs of its channel's window.
func (o Order) Place(site string) Placed {
	p := Placed{Order: o.ID, Turn: o.Turn(site)}
	for _, l := range o.Lines {
		if len(l.claimsAt(site)) > 0 {
			p.Lines++
		}
	}
	return p
}

// admitted is the gate for a release: one of a channel that lets so much go is open only for
// what has a place.
func (s *step) admitted(site string, g Gate) Gate {
	if g.Reason != "" || g.Slot == nil {
		return g
	}
	need, has := s.Place(site), s.Admitted[site]
	if has.Turn == need.Turn && has.Lines >= need.Lines {
		return g
	}
	g.Reason = reasonTurn
	known := s.waitsAt(s.Env, site)
	switch {
	case has.Full:
		g.Reason, g.Next = reasonFull, g.Slot.Next
	case has.Turn == 0 && known.Reason == reasonFull: // nobody asked again
		g = known
	}
	return g
}

// waitsAt is the gate at a site as an order is told it: also that its release waits for a place.
func (o Order) waitsAt(e Env, site string) Gate {
	g := o.gate(e, site)
	i := o.deferralIndex(site)
	if g.Reason != "" || g.Slot == nil || i < 0 {
		return g
	}
	switch d := o.Deferred[i]; {
	case d.Reason == reasonTurn:
		g.Reason = reasonTurn
	case d.Reason == reasonFull && (d.Next.IsZero() || e.Now.Before(d.Next)):
		g.Reason, g.Next = reasonFull, d.Next
	}
	return g
}
