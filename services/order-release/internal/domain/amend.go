package domain

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// An amendment takes something off a release that its warehouse has, until the freeze point of the
// channel that it went by. The warehouse decides, on all of it or nothing; what it takes off is
// cancelled, and the release has one version more.

// FreezePoint is until when a release may be amended. What is picked stays, whatever it says.
type FreezePoint string

// The freeze points.
const (
	FreezePicked       FreezePoint = "PICKED" // as long as something is not picked
	FreezeFirstPick    FreezePoint = "FIRST_PICK"
	FreezeAcknowledged FreezePoint = "ACKNOWLEDGED"
	FreezeReleased     FreezePoint = "RELEASED" // never
)

// AmendmentState is where an amendment stands.
type AmendmentState string

// The states of an amendment.
const (
	AmendmentRequested  AmendmentState = "REQUESTED"
	AmendmentAccepted   AmendmentState = "ACCEPTED"
	AmendmentWasRefused AmendmentState = "REFUSED"
)

// Amendment is the newest amendment of a release.
type Amendment struct {
	Version  int            `bson:"v"` // that the release has with it
	State    AmendmentState `bson:"s"`
	Lines    []AmendedLine  `bson:"l"`
	Reason   string         `bson:"r"`
	Refusals []Reason       `bson:"n,omitempty"`
}

// IsZero reports that there was none: a release without one is stored without.
func (a Amendment) IsZero() bool { return a.Version == 0 }

// AmendedLine is what a release stands for of a line, and is to stand for.
type AmendedLine struct {
	Line int              `bson:"n"`
	From quantity.Decimal `bson:"f"`
	To   quantity.Decimal `bson:"t"`
}

// The facts of amendments.
type (
	// AmendmentAsked asks the warehouse.
	AmendmentAsked struct {
		Keys
		Release, Version int // under which the warehouse has it
		Amended          int // version with the amendment
		Site, Reason     string
		Lines            []AmendedLine
	}
	// ReleaseAmended reports that it took something off.
	ReleaseAmended struct {
		Keys
		Release, Amended int
		Lines            []LineQuantity // taken off
	}
	// AmendmentRefused reports that it goes on with the release as it is.
	AmendmentRefused struct {
		Keys
		Release, Amended int
		Reasons          []Reason
	}
)

func (AmendmentAsked) fact()   {}
func (ReleaseAmended) fact()   {}
func (AmendmentRefused) fact() {}

// Current is the version of the release that its warehouse has.
func (r Release) Current() int { return r.Version + r.Amendments }

// asked reports whether the warehouse owes an answer about the release.
func (r Release) asked() bool {
	return r.CancelAsked || r.StopAsked || r.Amendment.State == AmendmentRequested
}

// evolveAmendment applies a fact of an amendment.
func (o Order) evolveAmendment(f Fact) Order {
	switch f := f.(type) {
	case AmendmentAsked:
		return o.reported(f.Release, nil, func(r *Release) {
			r.Amendment = Amendment{Version: f.Amended, State: AmendmentRequested, Lines: f.Lines, Reason: f.Reason}
		}, nil)
	case ReleaseAmended:
		return o.reported(f.Release, f.Lines, func(r *Release) {
			r.Amendments++
			r.Amendment.State = AmendmentAccepted
		}, func(l *ReleaseLine, q quantity.Decimal) { l.Cancelled = l.Cancelled.Add(q) })
	case AmendmentRefused:
		return o.reported(f.Release, nil, func(r *Release) { r.Amendment.State, r.Amendment.Refusals = AmendmentWasRefused, f.Reasons }, nil)
	}
	return o
}

// LineAmendment is what is asked of a line: what its release is to stand for, in the base unit.
type LineAmendment struct {
	Line     int
	Quantity quantity.Quantity
}

// Amend asks the warehouse to take something off a release. All that is wrong with the request is
// said at once.
func (o Order) Amend(e Env, release string, lines []LineAmendment, reason string) ([]Fact, error) {
	if err := o.permit(CommandAmend); err != nil {
		return nil, err
	}
	r, _ := o.reportedOn(release, "", nil)
	if r == nil {
		return nil, fault.New(fault.Refused, "RELEASE_NOT_AMENDABLE", "no warehouse has release %s of the order", release).With("from", "")
	}
	if err := o.amendable(e, *r); err != nil {
		return nil, err
	}
	f := AmendmentAsked{Keys: o.keys(), Release: r.Number, Version: r.Version, Amended: r.Current() + 1, Site: r.Site, Reason: reason}
	wrong := fault.New(fault.Invalid, "INVALID_REQUEST", "the release cannot be amended so")
	seen := map[int]bool{}
	for n, l := range lines {
		field := "lines[" + strconv.Itoa(n) + "]"
		a, code, why := o.amendment(*r, l)
		switch {
		case code != "":
			wrong = wrong.WithField(field+"."+fieldOf(code), code, "%s", why)
		case seen[l.Line]:
			wrong = wrong.WithField(field+".line_number", "LINE_DUPLICATE", "line %d is there twice", l.Line)
		case a.From != a.To:
			f.Lines = append(f.Lines, a)
		}
		seen[l.Line] = true
	}
	switch {
	case len(wrong.Fields) > 0:
		return nil, wrong
	case len(f.Lines) == 0:
		return nil, fault.New(fault.Refused, "NOTHING_AMENDED", "the release stands for exactly that already")
	case o.emptied(*r, f.Lines):
		return nil, fault.New(fault.Refused, "NOTHING_LEFT", "nothing would be left of the release: RequestCancel cancels it")
	}
	s := o.begin(e)
	s.add(f)
	return s.end(), nil
}

// amendable refuses a release that nothing can be taken off any more, or not now.
func (o Order) amendable(e Env, r Release) error {
	id := ReleaseID(o.ID, r.Number)
	state := r.State()
	switch state {
	case ReleaseSent, ReleaseAcknowledgedBy, ReleaseInExecution, ReleaseCancelAsked:
	default:
		return fault.New(fault.Refused, "RELEASE_NOT_AMENDABLE", "release %s is %s", id, state).With("from", string(state))
	}
	if r.asked() {
		return fault.New(fault.Refused, "AMENDMENT_OPEN", "the warehouse has not answered an earlier request about release %s", id)
	}
	point := e.freeze(o.Header, r.Site)
	frozen := point == FreezeReleased || point == FreezeAcknowledged && state != ReleaseSent || point == FreezeFirstPick && state == ReleaseInExecution
	if frozen {
		return fault.New(fault.Refused, "AMENDMENT_FROZEN", "release %s is %s; it may be amended until %s only", id, state, point).
			With("freeze_point", string(point)).With("from", string(state))
	}
	return nil
}

// freeze is until when a site's releases may be amended.
func (e Env) freeze(h Header, site string) FreezePoint {
	if e.Freeze == nil {
		return FreezePicked
	}
	return e.Freeze(h, site)
}

// fieldOf is which part of a line a code is about.
func fieldOf(code string) string {
	if code == "LINE_UNKNOWN" {
		return "line_number"
	}
	return "quantity"
}

// amendment is what is asked of one line, or why it cannot be.
func (o Order) amendment(r Release, l LineAmendment) (a AmendedLine, code, why string) {
	n := r.lineIndex(l.Line)
	if n < 0 {
		return a, "LINE_UNKNOWN", fmt.Sprintf("the release has no line %d", l.Line)
	}
	have := r.Lines[n]
	a = AmendedLine{Line: l.Line, From: have.Live(), To: l.Quantity.Value}
	base := o.Lines[o.lineIndex(l.Line)].Base
	switch {
	case l.Quantity.Unit != base.Unit:
		return a, "UNIT_UNKNOWN", fmt.Sprintf("the line is counted in %s", base.Unit)
	case a.To.Sign() < 0 || fraction(l.Quantity):
		return a, "QUANTITY_INVALID", "must be 0 or more, and whole where the unit counts pieces"
	case a.From.Less(a.To):
		return a, "QUANTITY_RAISED", fmt.Sprintf("the release stands for %s: what is open of the order goes as a release of its own", a.From)
	case a.To.Less(have.Picked):
		return a, "QUANTITY_PICKED", fmt.Sprintf("%s are picked: RequestCancel has them put back", have.Picked)
	}
	return a, "", ""
}

// emptied reports whether an amendment leaves nothing of a release.
func (o Order) emptied(r Release, lines []AmendedLine) bool {
	return !slices.ContainsFunc(r.Lines, func(l ReleaseLine) bool {
		i := slices.IndexFunc(lines, func(a AmendedLine) bool { return a.Line == l.Line })
		if i >= 0 {
			return lines[i].To.Sign() > 0
		}
		return l.Live().Sign() > 0
	})
}

// Amended records that the warehouse took off what it was asked to: it is cancelled.
func (o Order) Amended(e Env, release string, version int) ([]Fact, error) {
	r, err := o.amending(release, version)
	if r == nil || err != nil {
		return nil, err
	}
	f := ReleaseAmended{Keys: o.keys(), Release: r.Number, Amended: version}
	for _, a := range r.Amendment.Lines {
		l := r.Lines[r.lineIndex(a.Line)]
		if off := quantity.Min(a.From.Sub(a.To), l.Live().Sub(l.Picked)); off.Sign() > 0 { // it knew of no more
			f.Lines = append(f.Lines, o.quantity(o.lineIndex(a.Line), off))
		}
	}
	s := o.begin(e)
	s.add(f)
	if len(f.Lines) > 0 {
		s.add(RemainderCancelled{Keys: o.keys(), Lines: f.Lines, Reason: r.Amendment.Reason})
	}
	return s.end(), nil
}

// AmendmentRefused records that the warehouse goes on with the release as it is.
func (o Order) AmendmentRefused(_ Env, release string, version int, reasons []Reason) ([]Fact, error) {
	r, err := o.amending(release, version)
	if r == nil || err != nil {
		return nil, err
	}
	return []Fact{AmendmentRefused{Keys: o.keys(), Release: r.Number, Amended: version, Reasons: reasons}}, nil
}

// amending finds the release whose amendment an answer is about; nil when it was answered before.
func (o Order) amending(release string, version int) (*Release, error) {
	r, _ := o.reportedOn(release, "", nil)
	switch {
	case r == nil || r.Amendment.Version < version:
		return nil, fault.New(fault.Invalid, "AMENDMENT_UNKNOWN", "nobody asked for version %d of release %s", version, release)
	case r.Amendment.Version > version || r.Amendment.State != AmendmentRequested:
		return nil, nil
	}
	return r, nil
}

// explainAmendments says which amendments wait for their warehouses, and which were refused.
func (o Order) explainAmendments() (reasons []Reason) {
	for _, r := range o.Releases {
		id := ReleaseID(o.ID, r.Number)
		switch r.Amendment.State {
		case AmendmentRequested:
			reasons = append(reasons, Reason{"AMENDMENT_OPEN", id, fmt.Sprintf("the warehouse has not answered the amendment to version %d yet", r.Amendment.Version)})
		case AmendmentWasRefused:
			for _, why := range r.Amendment.Refusals {
				reasons = append(reasons, Reason{"AMENDMENT_REFUSED", id, "the warehouse goes on with the release as it is: " + why.Message})
			}
		}
	}
	return reasons
}
