package domain

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
)

// Deferral is a release that waits for its channel: what a site has promised is not sent yet.
type Deferral struct {
	Site    string    `bson:"s"`
	Channel string    `bson:"c"`
	Reason  string    `bson:"r"`
	Zone    string    `bson:"z,omitempty"`
	Next    time.Time `bson:"n,omitempty"` // when the channel opens; zero when somebody has to open it
	Since   time.Time `bson:"a"`
}

// ReleaseDeferred says that what a site has promised waits for its channel.
type ReleaseDeferred struct {
	Keys
	Deferral Deferral
}

func (ReleaseDeferred) fact() {}

// gate is whether what the site has promised may go now.
func (o Order) gate(e Env, site string) Gate {
	if e.Gate == nil {
		return Gate{}
	}
	return e.Gate(o.Header, site, e.Now)
}

// deferredTo notes that a site's release waits for a channel, unless that is what is known.
func (s *step) deferredTo(site string, g Gate) {
	d := Deferral{Site: site, Channel: g.Channel, Reason: g.Reason, Zone: g.Zone, Next: g.Next, Since: s.Now}
	if i := s.deferralIndex(site); i >= 0 {
		was := s.Deferred[i]
		d.Since = was.Since
		if was.Next.Equal(d.Next) && was.Channel == d.Channel && was.Reason == d.Reason && was.Zone == d.Zone {
			return
		}
	}
	s.add(ReleaseDeferred{Keys: s.keys(), Deferral: d})
}

func (o Order) deferralIndex(site string) int {
	return slices.IndexFunc(o.Deferred, func(d Deferral) bool { return d.Site == site })
}

// waitingFor takes a deferral in, in the place of an earlier one of the site.
func (o Order) waitingFor(d Deferral) Order {
	o = o.gone(d.Site)
	o.Deferred = append(slices.Clip(o.Deferred), d)
	slices.SortFunc(o.Deferred, func(a, b Deferral) int { return strings.Compare(a.Site, b.Site) })
	return o
}

// gone drops the deferral of a site.
func (o Order) gone(site string) Order {
	if o.deferralIndex(site) >= 0 {
		o.Deferred = slices.DeleteFunc(slices.Clone(o.Deferred), func(d Deferral) bool { return d.Site == site })
	}
	return o
}

// Deferrals are the releases that wait for nothing but their channels.
func (o Order) Deferrals() []Deferral {
	if len(o.Deferred) == 0 || o.Releasable() != nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(o.Deferred), func(d Deferral) bool { return !o.promisesAt(d.Site) })
}

func (o Order) promisesAt(site string) bool {
	return slices.ContainsFunc(o.Lines, func(l Line) bool { return len(l.claimsAt(site)) > 0 })
}

// Opens is when the first channel that a release waits for opens; zero for never by itself.
func (o Order) Opens() (first time.Time) {
	for _, d := range o.Deferrals() {
		if !d.Next.IsZero() && (first.IsZero() || d.Next.Before(first)) {
			first = d.Next
		}
	}
	return first
}

// Wake releases what waited for channels that are open now.
func (o Order) Wake(e Env) ([]Fact, error) {
	if len(o.Deferrals()) == 0 {
		return nil, nil
	}
	s := o.begin(e)
	s.dispatch()
	return s.end(), nil
}

// shut returns why nothing of what is promised may go now: all its channels are closed, or full.
func (o Order) shut(e Env) error {
	var closed *fault.Error
	for _, site := range o.sites() {
		if !o.promisesAt(site) {
			continue
		}
		g := o.waitsAt(e, site)
		if g.Reason == "" || g.Reason == reasonTurn {
			return nil
		}
		if closed == nil {
			closed = g.refusal(site)
		}
	}
	if closed == nil {
		return nil
	}
	return closed
}

func (g Gate) refusal(site string) *fault.Error {
	f := fault.New(fault.Refused, g.Reason, "the release from %s waits for channel %s: %s", site, g.Channel, g.says()).
		With("channel", g.Channel).With("site", site).With("time_zone", g.Zone)
	if !g.Next.IsZero() {
		f = f.With("next_time", g.Next.Format(time.RFC3339))
	}
	return f
}

// says is the gate in words.
func (g Gate) says() string {
	what := map[string]string{
		reasonLocked:  "it is locked",
		reasonAsleep:  "it is asleep",
		reasonClosed:  "no window is open",
		reasonCutOff:  "today's cut-off is over",
		reasonUnknown: "whether it fits cannot be decided",
		reasonTurn:    "its place in the window is asked for",
		reasonFull:    "the window is full",
	}[g.Reason]
	if g.Note != "" {
		what += " (" + g.Note + ")"
	}
	switch {
	case g.Reason == reasonTurn:
		return what
	case g.Next.IsZero():
		return what + "; OpenReleaseChannel opens it"
	}
	zone, err := time.LoadLocation(g.Zone)
	if err != nil {
		zone = time.UTC
	}
	return fmt.Sprintf("%s; it opens at %s, %s in %s", what, g.Next.Format("2006-01-02 15:04Z"), g.Next.In(zone).Format("Mon 15:04"), zone)
}

// ExplainAt is Explain with what the order waits for at a time: the sites that are being chosen,
// and the channels of its releases.
func (o Order) ExplainAt(e Env) []Reason {
	reasons := o.Explain()
	if o.Releasable() != nil {
		return reasons
	}
	var waits []Reason
	free := false
	for _, site := range o.sites() {
		g := o.waitsAt(e, site)
		switch {
		case !o.promisesAt(site):
		case g.Reason == "":
			free = true
		default:
			waits = append(waits, Reason{g.Reason, "sites." + site, g.refusal(site).Message})
		}
	}
	if !free {
		reasons = slices.DeleteFunc(slices.Clone(reasons), func(r Reason) bool { return r.Code == "NOT_RELEASED" })
	}
	return append(reasons, waits...)
}

// MayGo returns why nothing can be released now, or nil: Releasable, and an open channel.
func (o Order) MayGo(e Env) error {
	if err := o.Releasable(); err != nil {
		return err
	}
	return o.shut(e)
}
