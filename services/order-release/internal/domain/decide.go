package domain

import (
	"time"

	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// Inline is how many lines a command may carry over several facts. A larger order goes on
// in commits of their own (Continue), so that each stays within the bound of a commit.
const Inline = 400

// Env is what a decision takes from outside.
type Env struct {
	Now      time.Time
	At       time.Time                      // when happened what is reported; zero when the report does not tell
	By       string                         // who asks
	Stock    func(site, item string) string // id of the stock of an item at a site
	Limits   Limits
	Sourcing Sourcing // of the lines of an order that is submitted
	// Gate is whether a channel lets what is promised at a site go; nil when there are none.
	Gate func(h Header, site string, now time.Time) Gate
	// Freeze is until when a site's releases may be amended; nil: as long as something is not picked.
	Freeze func(h Header, site string) FreezePoint
	// Admitted are the places that the releases of sites have, or have not, in the windows of
	// channels that let so much go; nil when nobody asked.
	Admitted map[string]Admission
	// Available is what somebody has just seen in stock; nil when nobody looked.
	Available Places
}

// step collects the facts of one decision with the order as they make it.
type step struct {
	Env
	Order
	facts []Fact
}

func (o Order) begin(e Env) *step { return &step{Env: e, Order: o} }

func (s *step) add(facts ...Fact) {
	s.facts = append(s.facts, facts...)
	s.Order = Apply(s.Order, facts...)
}

// end adds the facts of what has come to count as shipped, and that the order is over, if it now is.
func (s *step) end() []Fact {
	s.tellShipped()
	if s.Done {
		return s.facts
	}
	switch s.State() {
	case Fulfilled:
		f := OrderFulfilled{Keys: s.keys()}
		for i, q := range s.Quantities() {
			f.Issued = append(f.Issued, s.quantity(i, q.Issued))
		}
		s.add(f)
	case Cancelled:
		f := OrderCancelled{Keys: s.keys()}
		for _, earlier := range s.facts {
			if c, ok := earlier.(RemainderCancelled); ok {
				f.Reason = c.Reason
			}
		}
		s.add(f)
	}
	return s.facts
}

func (o Order) keys() Keys { return Keys{Order: o.ID, Number: o.Header.Number} }

// quantity is d of the i-th line.
func (o Order) quantity(i int, d quantity.Decimal) LineQuantity {
	l := o.Lines[i]
	return LineQuantity{Line: l.Number, Quantity: quantity.Quantity{Value: d, Unit: l.Base.Unit}}
}
