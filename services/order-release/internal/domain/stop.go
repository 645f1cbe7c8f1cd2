package domain

import (
	"cmp"
	"slices"

	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// A hold that is placed after the release asks the warehouse to stop. One that has not begun to pick
// gives the release back: what it stood for is open again, and promised, because its stock is kept.
// It goes as a new release once nothing is held.

// StopAsked asks a warehouse to stop because of a hold.
type StopAsked struct {
	Keys
	Release, Version int
	Site             string
	Hold             HoldType
}

// StopRefused reports that the warehouse goes on.
type StopRefused struct {
	Keys
	Release int
	Reason  string
}

// ReleaseWithdrawn reports that the warehouse stopped: lines are open again, claims hold what of them.
type ReleaseWithdrawn struct {
	Keys
	Release int
	Lines   []LineQuantity
	Claims  []WithdrawnClaim
}

// WithdrawnClaim is the part of a claim that a line holds again.
type WithdrawnClaim struct {
	Line     int
	Key      string
	Quantity quantity.Decimal
}

func (StopAsked) fact()        {}
func (StopRefused) fact()      {}
func (ReleaseWithdrawn) fact() {}

// Kept is a claim that the stock of a stopped release has become.
type Kept struct {
	Key, Item string
	Quantity  quantity.Decimal
}

// evolveStop applies a fact about a release that was to be stopped.
func (o Order) evolveStop(f Fact) Order {
	switch f := f.(type) {
	case StopAsked:
		return o.reported(f.Release, nil, func(r *Release) { r.StopAsked, r.StopRefused = true, "" }, nil)
	case StopRefused:
		return o.reported(f.Release, nil, func(r *Release) { r.StopAsked, r.StopRefused = false, f.Reason }, nil)
	case ReleaseWithdrawn:
		o = o.reported(f.Release, f.Lines, func(r *Release) { r.StopAsked = false }, func(l *ReleaseLine, q quantity.Decimal) {
			l.Withdrawn = l.Withdrawn.Add(q)
		})
		o.Resumes = true
		return o.holding(f)
	}
	return o.evolveReversal(f)
}

// holding gives the lines the claims that a withdrawn release had.
func (o Order) holding(f ReleaseWithdrawn) Order {
	r := o.releaseIndex(f.Release)
	if r < 0 {
		return o
	}
	o.Lines = slices.Clone(o.Lines)
	for _, c := range f.Claims {
		i := o.lineIndex(c.Line)
		if i < 0 {
			continue
		}
		claim := LineClaim{Key: c.Key, Quantity: c.Quantity}
		if site := o.Releases[r].Site; site != o.Lines[i].Site {
			claim.Site = site
		}
		o.Lines[i].Claims = append(slices.Clip(o.Lines[i].Claims), claim)
	}
	return o
}

// stopAll asks the warehouses that may still stop.
func (s *step) stopAll(t HoldType) {
	for _, r := range s.Releases {
		switch r.State() {
		case ReleaseSent, ReleaseAcknowledgedBy, ReleaseInExecution:
			if !r.StopAsked && r.StopRefused == "" {
				s.add(StopAsked{Keys: s.keys(), Release: r.Number, Version: r.Version, Site: r.Site, Hold: t})
			}
		}
	}
}

// Withdrawn records that the warehouse stopped a release, and what of its stock is kept. If the
// order is cancelled meanwhile all of it is; if the hold is lifted meanwhile it goes again.
func (o Order) Withdrawn(e Env, release string, kept []Kept) ([]Fact, error) {
	r, contradicted := o.reportedOn(release, "STOPPED", nil)
	if r == nil {
		return contradicted, nil
	}
	f := ReleaseWithdrawn{Keys: o.keys(), Release: r.Number}
	left := map[string]quantity.Decimal{}
	for _, k := range kept {
		left[k.Key] = k.Quantity
	}
	for _, l := range r.Lines {
		i := o.lineIndex(l.Line)
		open := l.Live().Sub(l.Picked)
		if i < 0 || open.Sign() <= 0 {
			continue
		}
		f.Lines = append(f.Lines, o.quantity(i, open))
		for _, k := range kept {
			if part := quantity.Min(open, left[k.Key]); k.Item == o.Lines[i].Item && part.Sign() > 0 {
				f.Claims = append(f.Claims, WithdrawnClaim{Line: l.Line, Key: k.Key, Quantity: part})
				open, left[k.Key] = open.Sub(part), left[k.Key].Sub(part)
			}
		}
	}
	if len(f.Lines) == 0 {
		return nil, nil
	}
	s := o.begin(e)
	s.add(f)
	if s.Cancel != "" {
		s.cancelRest(s.Cancel)
	} else {
		s.settle(map[string]int{r.Site: r.Number, anywhere: r.Number})
	}
	s.proceed()
	return s.end(), nil
}

// StopRefused records that the warehouse goes on with a release, whatever is held.
func (o Order) StopRefused(e Env, release, reason string) ([]Fact, error) {
	r, contradicted := o.reportedOn(release, "STOP_REFUSED", nil)
	if r == nil {
		return contradicted, nil
	}
	return []Fact{StopRefused{Keys: o.keys(), Release: r.Number, Reason: reason}}, nil
}

// cancelRest cancels all that is open, and gives back what claims hold of it.
func (s *step) cancelRest(reason string) {
	rest := RemainderCancelled{Keys: s.keys(), Reason: reason}
	if s.Attempt.State == AttemptOpen {
		rest.GiveBack = s.Attempt.refs()
	}
	given := map[string]bool{}
	for i, q := range s.Quantities() {
		if q.Open.Sign() <= 0 {
			continue
		}
		rest.Lines = append(rest.Lines, s.quantity(i, q.Open))
		for _, c := range s.Lines[i].Claims {
			if !given[c.Key] {
				given[c.Key] = true
				rest.GiveBack = append(rest.GiveBack, ClaimRef{Key: c.Key, Stock: stockOf(c.Key), Site: cmp.Or(c.Site, s.Lines[i].Site), Item: s.Lines[i].Item})
			}
		}
	}
	if len(rest.Lines) > 0 {
		s.add(rest)
	}
}
