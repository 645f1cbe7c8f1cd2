package domain

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// Reasons for which a remainder is cancelled without anybody asking.
const (
	reasonRule      = "DELIVERY_RULE"
	reasonReleases  = "TOO_MANY_RELEASES"
	reasonWarehouse = "WAREHOUSE"
)

// Release hands what is promised to the warehouses, one release a site; what is not follows
// the delivery rule. On an order of which nothing is open it changes nothing.
func (o Order) Release(e Env) ([]Fact, error) {
	if err := o.permit(CommandRelease); err != nil {
		return nil, err
	}
	if o.isSent() && totals(o.Quantities()).Open.IsZero() {
		return nil, nil
	}
	return o.release(e)
}

// ReleaseRemainder releases what was promised meanwhile of an order that was released before.
func (o Order) ReleaseRemainder(e Env) ([]Fact, error) {
	if err := o.permit(CommandRemainder); err != nil {
		return nil, err
	}
	if len(o.Releases) == 0 {
		return nil, fault.New(fault.Refused, "ORDER_STATE", "the order has no remainder: nothing was released yet").
			With("from", string(o.State())).With("command", string(CommandRemainder))
	}
	return o.release(e)
}

func (o Order) release(e Env) ([]Fact, error) {
	if err := o.MayGo(e); err != nil {
		return nil, err
	}
	s := o.begin(e)
	s.dispatch()
	return s.end(), nil
}

// Releasable returns why nothing can be released now, or nil.
func (o Order) Releasable() error {
	if len(o.Holds) > 0 {
		names := make([]string, len(o.Holds))
		for i, h := range o.Holds {
			names[i] = string(h.Type)
		}
		list := strings.Join(names, ", ")
		return fault.New(fault.Refused, "ORDER_ON_HOLD", "the order is on hold: %s", list).With("holds", list)
	}
	t := totals(o.Quantities())
	switch {
	case o.Attempt.State == AttemptOpen:
		return fault.New(fault.Refused, "PROMISE_OPEN", "stock is being claimed; attempt %d is open", o.Attempt.Number)
	case t.Promised.IsZero():
		return fault.New(fault.Refused, "NOTHING_PROMISED", "nothing is promised that could be released")
	case o.Header.Rule.together() && t.Promised != t.Open:
		return fault.New(fault.Refused, "NOT_COMPLETE", "the order leaves together, and not everything is promised")
	}
	return nil
}

// Continue takes an automatic order's next step, if there is one.
func (o Order) Continue(e Env) ([]Fact, error) {
	s := o.begin(e)
	if !s.sourceAgain() {
		s.proceed()
	}
	return s.end(), nil
}

// proceed lets an automatic order go on: promise what was never promised, then release. Of a
// manual one goes what somebody asked for and its channel kept.
func (s *step) proceed() {
	switch {
	case !s.Valid || s.Cancel != "":
	case s.Header.Mode != Automatic:
		opens := slices.ContainsFunc(s.Deferrals(), func(d Deferral) bool { return s.gate(s.Env, d.Site).Reason == "" })
		if opens || s.Resumes && s.Releasable() == nil {
			s.dispatch()
		}
	case s.Attempt.Number == 0:
		if s.Available == nil && s.Chooses() {
			return // its sites are chosen by who looks at stock first
		}
		if f, ok := s.intent(s.Env, Wanted{}); ok {
			s.add(f)
		}
	case len(s.Holds) == 0 && (s.Attempt.State == AttemptPromised || s.Attempt.State == AttemptRefused):
		s.dispatch()
	}
}

// dispatch releases what is promised and settles the remainder.
func (s *step) dispatch() {
	parents := map[string]int{}
	t := totals(s.Quantities())
	if !s.Header.Rule.together() || t.Promised == t.Open {
		for _, site := range s.sites() {
			f, ok := s.send(site)
			if !ok {
				continue
			}
			g := s.admitted(site, s.gate(s.Env, site))
			if g.Reason != "" {
				s.deferredTo(site, g)
				continue
			}
			f.Shipped = g.ships()
			s.add(f)
			parents[site] = f.Release
		}
	}
	if len(s.Deferred) > 0 && len(s.Releases) == 0 && t.Promised == t.Open {
		return // all of it waits for channels only, and nothing for stock
	}
	s.settle(parents)
}

// send makes the release of what is promised at a site. A backordered release there is the
// one that goes; else it is a new one.
func (s *step) send(site string) (OrderReleased, bool) {
	f := OrderReleased{Keys: s.keys(), Header: s.Header, Release: s.nextRelease(), Version: 1, Site: site, At: s.Now}
	if w := s.waitingIndex(site); w >= 0 {
		f.Release, f.Parent = s.Releases[w].Number, s.Releases[w].Parent
	}
	for i, l := range s.Lines {
		claims := l.claimsAt(site)
		if len(claims) == 0 {
			continue
		}
		f.Lines = append(f.Lines, ReleasedLine{
			Line: l.Number, Item: l.Item, SKU: l.SKU, Quantity: s.quantity(i, l.PromisedAt(site)).Quantity,
			Unit: l.Quantity.Unit, CustomerItem: l.CustomerItem, Claims: claims,
		})
	}
	return f, len(f.Lines) > 0
}

func (o Order) nextRelease() int { return len(o.Releases) + 1 }

// anywhere stands, among the parents of what waits, for the sites that have none of their own.
const anywhere = ""

// settle lets what is still open wait or cancels it, as the delivery rule says. parents
// names the release of each site whose remainder it is. What waits at a site and is delivered
// by another waits no longer: the release that waited is published without it.
func (s *step) settle(parents map[string]int) {
	if s.Cancel != "" {
		s.cancelOpen(s.sites(), s.Cancel)
		return
	}
	if s.Header.Rule == CancelRemainder {
		s.cancelOpen(s.sites(), reasonRule)
		return
	}
	quantities := s.Quantities()
	for _, site := range s.sites() {
		var open []LineQuantity
		for i, q := range quantities {
			if at := s.openAt(i, site, q); at.Sign() > 0 {
				open = append(open, s.quantity(i, at))
			}
		}
		w := s.waitingIndex(site)
		switch {
		case w < 0 && len(open) == 0, w >= 0 && same(s.Releases[w], open):
		case w >= 0:
			r := s.Releases[w]
			s.add(ReleaseBackordered{Keys: s.keys(), Release: r.Number, Parent: r.Parent, Site: site, Lines: open})
		case len(s.Releases) < MaxReleases:
			s.add(ReleaseBackordered{Keys: s.keys(), Release: s.nextRelease(), Parent: cmp.Or(parents[site], parents[anywhere]), Site: site, Lines: open})
		default:
			s.cancelOpen([]string{site}, reasonReleases)
		}
	}
}

// same reports whether the release waits for exactly these lines.
func same(r Release, open []LineQuantity) bool {
	waits := map[int]quantity.Decimal{}
	for _, l := range r.Lines {
		if !l.Quantity.IsZero() {
			waits[l.Line] = l.Quantity
		}
	}
	wanted := map[int]quantity.Decimal{}
	for _, l := range open {
		wanted[l.Line] = l.Quantity.Value
	}
	return maps.Equal(waits, wanted)
}

// cancelOpen cancels what is open and not promised at the sites.
func (s *step) cancelOpen(sites []string, reason string) {
	f := RemainderCancelled{Keys: s.keys(), Reason: reason}
	for i, q := range s.Quantities() {
		if slices.Contains(sites, s.Lines[i].Site) && q.Unpromised().Sign() > 0 {
			f.Lines = append(f.Lines, s.quantity(i, q.Unpromised()))
		}
	}
	if len(f.Lines) > 0 {
		s.add(f)
	}
}
