package domain

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// What counts as shipped is not what happened but what the tenant makes of it: a policy, of the channel
// or the tenant, says which facts count. A release keeps the policy it went with, so that nothing is
// posted twice, or never, when the policy is changed while goods are under way.

// ShippedPolicy says which facts make a release count as shipped; "" leaves it to who is asked next.
type ShippedPolicy string

// The policies.
const (
	ShippedOnIssue    ShippedPolicy = "GOODS_ISSUE"
	ShippedOnDispatch ShippedPolicy = "DISPATCH"
	ShippedOnBoth     ShippedPolicy = "GOODS_ISSUE_AND_DISPATCH" // the later of both
)

// ShippedSource is who decided on a policy.
type ShippedSource string

// Who decides on a policy, whoever comes first.
const (
	ShippedByChannel ShippedSource = "CHANNEL"
	ShippedByTenant  ShippedSource = "TENANT"
	ShippedByDefault ShippedSource = ""
)

// ShippedRule is a policy with who decided on it. The zero value is that of releases from before rules
// were kept: goods issue counts, and nobody is told.
type ShippedRule struct {
	Policy  ShippedPolicy `bson:"p,omitempty"`
	Source  ShippedSource `bson:"s,omitempty"`
	Channel string        `bson:"c,omitempty"` // code of the channel that did
}

// DefaultShipped is the rule where nobody has said anything.
var DefaultShipped = ShippedRule{Policy: ShippedOnBoth}

// ShippedAs returns who decides: the channel, else the tenant, else nobody.
func ShippedAs(channel Channel, tenant ShippedPolicy) ShippedRule {
	switch {
	case channel.Shipped != "":
		return ShippedRule{Policy: channel.Shipped, Source: ShippedByChannel, Channel: channel.Code}
	case tenant != "":
		return ShippedRule{Policy: tenant, Source: ShippedByTenant}
	}
	return DefaultShipped
}

// ships is the rule of a release that goes now.
func (g Gate) ships() ShippedRule {
	if g.Shipped.Policy == "" {
		return DefaultShipped
	}
	return g.Shipped
}

// LinesDispatched reports what left on a shipment.
type LinesDispatched struct {
	Keys
	Release  int
	Shipment string
	Lines    []LineQuantity
	At       time.Time
}

// LinesShipped says how much more, or less, of a release counts as shipped by its policy.
type LinesShipped struct {
	Keys
	Release int
	Policy  ShippedPolicy
	Lines   []LineQuantity
	At      time.Time
}

func (LinesDispatched) fact() {}
func (LinesShipped) fact()    {}

const reportDispatched = "DISPATCHED"

// Shipping is by which rule a release counts as shipped, and when its facts happened.
type Shipping struct {
	ShippedRule `bson:",inline"`
	Issued      time.Time `bson:"i,omitempty"` // newest goods issue
	Left        time.Time `bson:"l,omitempty"` // newest dispatch
}

// at is when the newest of the facts happened that the policy asks for; zero if that is not known.
func (s Shipping) at() time.Time {
	switch s.Policy {
	case ShippedOnDispatch:
		return s.Left
	case ShippedOnBoth:
		return newer(s.Issued, s.Left)
	}
	return s.Issued
}

func newer(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// evolveShipped applies a fact about what left and what counts as shipped.
func (o Order) evolveShipped(f Fact) Order {
	switch f := f.(type) {
	case LinesDispatched:
		return o.reported(f.Release, f.Lines, func(r *Release) { r.Shipping.Left = newer(r.Shipping.Left, f.At) },
			func(l *ReleaseLine, q quantity.Decimal) { l.SaidDispatched = l.SaidDispatched.Add(q) })
	case LinesShipped:
		return o.reported(f.Release, f.Lines, nil, func(l *ReleaseLine, q quantity.Decimal) { l.Shipped = l.Shipped.Add(q) })
	}
	return o
}

// Dispatched records what left on a shipment. It may be told before the goods issue, and
// before what turned out to be short.
func (o Order) Dispatched(e Env, release, shipment string, lines []LineQuantity) ([]Fact, error) {
	facts, err := o.report(e, release, reportDispatched, lines, func(l ReleaseLine) quantity.Decimal { return l.Quantity.Sub(l.SaidDispatched) },
		func(s *step, r Release, taken []LineQuantity) {
			s.add(LinesDispatched{Keys: o.keys(), Release: r.Number, Shipment: shipment, Lines: taken, At: e.At})
		})
	for i, f := range facts {
		if c, ok := f.(ReportContradicted); ok {
			c.Shipment = shipment
			facts[i] = c
		}
	}
	return facts, err
}

// Counts is what of a line is shipped by the release's policy.
func (r Release) Counts(l ReleaseLine) quantity.Decimal {
	switch r.Shipping.Policy {
	case ShippedOnDispatch:
		return l.Dispatched
	case ShippedOnBoth:
		return quantity.Min(l.Issued, l.Dispatched)
	}
	return l.Issued
}

// tellShipped tells what of the releases has come to count as shipped, or does no more.
func (s *step) tellShipped() {
	for _, r := range s.Releases {
		if r.Shipping.Policy == "" {
			continue
		}
		f := LinesShipped{Keys: s.keys(), Release: r.Number, Policy: r.Shipping.Policy, At: s.Now}
		for _, l := range r.Lines {
			change := r.Counts(l).Sub(l.Shipped)
			if i := s.lineIndex(l.Line); i >= 0 && !change.IsZero() {
				f.Lines = append(f.Lines, s.quantity(i, change))
			}
			if at := r.Shipping.at(); change.Sign() > 0 && !at.IsZero() {
				f.At = at
			}
		}
		if len(f.Lines) > 0 {
			s.add(f)
		}
	}
}

// ShippedStatus is how much counts as shipped.
type ShippedStatus string

// How much counts as shipped.
const (
	NotShipped       ShippedStatus = ""
	PartiallyShipped ShippedStatus = "PARTIALLY_SHIPPED"
	Shipped          ShippedStatus = "SHIPPED" // all that is to be
)

// shippedOf is how much of something is shipped.
func shippedOf(part, all quantity.Decimal) ShippedStatus {
	switch {
	case part.IsZero():
		return NotShipped
	case part.Less(all):
		return PartiallyShipped
	}
	return Shipped
}

// combined is the status of parts; those of which nothing is to be shipped do not count.
func combined(parts []ShippedStatus) ShippedStatus {
	some, all := false, true
	for _, p := range parts {
		some, all = some || p != NotShipped, all && p == Shipped
	}
	switch {
	case !some:
		return NotShipped
	case all:
		return Shipped
	}
	return PartiallyShipped
}

// Shipped is how much of the order counts as shipped, each release by its own policy.
func (o Order) Shipped() ShippedStatus {
	var parts []ShippedStatus
	for _, q := range o.Quantities() {
		if want := q.Ordered.Sub(q.Cancelled); !want.IsZero() {
			parts = append(parts, shippedOf(q.Shipped, want))
		}
	}
	return combined(parts)
}

// progress is how much of what a release stands for something was done with.
func (r Release) progress(done func(ReleaseLine) quantity.Decimal) ShippedStatus {
	var parts []ShippedStatus
	for _, l := range r.Lines {
		if live := l.Live(); !live.IsZero() {
			parts = append(parts, shippedOf(done(l), live))
		}
	}
	return combined(parts)
}

// Shipped is how much of the release counts as shipped, and since when; zero while nothing does, or
// where that is not known.
func (r Release) Shipped() (status ShippedStatus, since time.Time) {
	if status = r.progress(r.Counts); status != NotShipped {
		since = r.Shipping.at()
	}
	return status, since
}

// ExplainShipped says in one sentence by which policy the release counts as shipped or not, and why.
func (r Release) ExplainShipped() string {
	says := func(s ShippedStatus) string {
		return map[ShippedStatus]string{NotShipped: "no", PartiallyShipped: "in part", Shipped: "yes"}[s]
	}
	status, _ := r.Shipped()
	policy := strings.ReplaceAll(strings.ToLower(string(cmp.Or(r.Shipping.Policy, ShippedOnIssue))), "_", " ")
	switch {
	case r.Shipping.Policy == "":
		policy += ", because it was released before policies were kept"
	case r.Shipping.Source == ShippedByChannel:
		policy += " of channel " + r.Shipping.Channel
	case r.Shipping.Source == ShippedByTenant:
		policy += " of the tenant"
	}
	issued := r.progress(func(l ReleaseLine) quantity.Decimal { return l.Issued })
	left := r.progress(func(l ReleaseLine) quantity.Decimal { return l.Dispatched })
	return fmt.Sprintf("shipped: %s, by policy %s; goods issue %s, dispatch %s", says(status), policy, says(issued), says(left))
}
