package domain

import (
	"cmp"
	"slices"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/calendar"
	"github.com/lockstep-logistics/lockstep/libs/fault"
)

// ChannelState is what somebody decided about a channel, whatever its windows say.
type ChannelState string

// The states of a channel.
const (
	ChannelOpen   ChannelState = "OPEN"
	ChannelLocked ChannelState = "LOCKED" // until somebody opens it
	ChannelAsleep ChannelState = "ASLEEP" // until a time
)

// MaxWindows is how many windows a week a channel may have.
const MaxWindows = 28

// Channel lets orders of a kind go to a site at certain times of the week only.
type Channel struct {
	Code      string       `bson:"c"`
	Name      string       `bson:"n,omitempty"`
	Site      string       `bson:"s"`
	Condition string       `bson:"e,omitempty"` // CEL over the order; empty fits every one
	Priority  int          `bson:"p"`           // of the channels that fit, the lowest counts
	Zone      string       `bson:"z"`           // IANA time zone of the windows
	Windows   []Window     `bson:"w,omitempty"` // none: always
	Capacity  Capacity     `bson:",inline"`     // of one window
	Freeze    FreezePoint  `bson:"f,omitempty"` // of the releases that go by it
	State     ChannelState `bson:"t"`
	Until     time.Time    `bson:"u,omitempty"` // when an ASLEEP one wakes
	Note      string       `bson:"o,omitempty"`
	By        string       `bson:"b,omitempty"`
	At        time.Time    `bson:"a,omitempty"`

	Shipped ShippedPolicy `bson:"h,omitempty"` // of the releases that go by it; "" is the tenant's
}

// Window is when releases go on one day of the week, in minutes after midnight by the clock of
// the channel's zone: from Opens until before CutOff.
type Window struct {
	Day    int `bson:"d"` // 1 is Monday, 7 is Sunday, as ISO 8601 counts
	Opens  int `bson:"o"`
	CutOff int `bson:"c"`
}

// ChannelFact is something that happened to a channel.
type ChannelFact interface{ channelFact() }

// ChannelDefined is a channel as somebody defined it; what was decided about its state stays.
type ChannelDefined struct{ Channel Channel }

// ChannelClosed locks a channel, or puts it to sleep until a time.
type ChannelClosed struct {
	Code, Site string
	Until      time.Time // zero: locked
	Note, By   string
	At         time.Time
}

// ChannelOpened ends that.
type ChannelOpened struct {
	Code, Site string
	Note, By   string
	At         time.Time
}

func (ChannelDefined) channelFact() {}
func (ChannelClosed) channelFact()  {}
func (ChannelOpened) channelFact()  {}

// EvolveChannel applies one fact.
func EvolveChannel(c Channel, f ChannelFact) Channel {
	switch f := f.(type) {
	case ChannelDefined:
		next := f.Channel
		next.State, next.Until, next.Note, next.By, next.At = c.State, c.Until, c.Note, c.By, c.At
		if next.State == "" {
			next.State = ChannelOpen
		}
		return next
	case ChannelClosed:
		c.State, c.Until, c.Note, c.By, c.At = ChannelLocked, f.Until, f.Note, f.By, f.At
		if !f.Until.IsZero() {
			c.State = ChannelAsleep
		}
	case ChannelOpened:
		c.State, c.Until, c.Note, c.By, c.At = ChannelOpen, time.Time{}, f.Note, f.By, f.At
	}
	return c
}

// Define takes a channel's definition; the same again changes nothing.
func (c Channel) Define(d Channel) ([]ChannelFact, error) {
	if c.Code != "" && c.Site != d.Site {
		return nil, fault.New(fault.Invalid, "INVALID_REQUEST", "the site of a channel is fixed").
			WithField("channel.site", "SITE_FIXED", "channel %q is of site %q: define another one", c.Code, c.Site)
	}
	d.Windows = slices.Clone(d.Windows)
	slices.SortFunc(d.Windows, func(a, b Window) int { return cmp.Or(a.Day-b.Day, a.Opens-b.Opens) })
	if c.Name == d.Name && c.Code == d.Code && c.Condition == d.Condition && c.Priority == d.Priority && c.Zone == d.Zone &&
		c.Capacity == d.Capacity && c.Freeze == d.Freeze && c.Shipped == d.Shipped && slices.Equal(c.Windows, d.Windows) {
		return nil, nil
	}
	return []ChannelFact{ChannelDefined{d}}, nil
}

// Close locks the channel, or puts it to sleep until a time. The same again changes nothing.
func (c Channel) Close(e Env, until time.Time, note string) ([]ChannelFact, error) {
	switch {
	case !until.IsZero() && !until.After(e.Now):
		return nil, fault.New(fault.Invalid, "INVALID_REQUEST", "the time to wake is over").
			WithField("until_time", "TIME_PAST", "it is %s already", e.Now.Format(time.RFC3339))
	case c.State == ChannelLocked && until.IsZero(), c.State == ChannelAsleep && c.Until.Equal(until):
		return nil, nil
	}
	return []ChannelFact{ChannelClosed{Code: c.Code, Site: c.Site, Until: until, Note: note, By: e.By, At: e.Now}}, nil
}

// Open opens the channel: from now on its windows count. Opening an open one changes nothing.
func (c Channel) Open(e Env, note string) ([]ChannelFact, error) {
	if c.State == ChannelOpen {
		return nil, nil
	}
	return []ChannelFact{ChannelOpened{Code: c.Code, Site: c.Site, Note: note, By: e.By, At: e.Now}}, nil
}

// Reasons for which a channel lets nothing go.
const (
	reasonLocked  = "CHANNEL_LOCKED"
	reasonAsleep  = "CHANNEL_ASLEEP"
	reasonClosed  = "CHANNEL_CLOSED" // no window is open
	reasonCutOff  = "CUT_OFF_PASSED" // one was, today
	reasonUnknown = "CHANNEL_FAILED" // whether it fits the order cannot be decided
	reasonTurn    = "CHANNEL_TURN"   // its place in the window is asked for
	reasonFull    = "CHANNEL_FULL"   // the window has no place for it
)

// Gate is whether a channel lets releases go; the zero value is open.
type Gate struct {
	Channel string
	Zone    string
	Reason  string    // empty: it is open
	Next    time.Time // when it opens, UTC; zero when somebody has to open it
	Note    string
	Slot    *Slot // the window that is open, of a channel that lets so much go in one

	Shipped ShippedRule // of a release that goes now
}

// Undecided is the gate of a channel of which nobody can say whether it fits.
func (c Channel) Undecided(err error) Gate {
	return Gate{Channel: c.Code, Zone: c.Zone, Reason: reasonUnknown, Note: err.Error()}
}

// Gate returns whether the channel is open at a time. A zone that is not known is UTC.
func (c Channel) Gate(now time.Time) Gate {
	g := Gate{Channel: c.Code, Zone: c.Zone}
	zone, err := time.LoadLocation(c.Zone)
	if err != nil {
		zone = time.UTC
	}
	switch {
	case c.State == ChannelLocked:
		g.Reason, g.Note = reasonLocked, c.Note
	case c.State == ChannelAsleep && now.Before(c.Until):
		g.Reason, g.Note, g.Next = reasonAsleep, c.Note, c.opens(c.Until, zone)
	default:
		next := c.opens(now, zone)
		if next.IsZero() || next.After(now) {
			g.Reason, g.Next = c.why(now, zone), next
		}
	}
	if g.Reason == "" && c.Capacity.Limits() {
		g.Slot = c.slot(now, zone)
	}
	return g
}

// daysAhead covers a week of windows and a day that a zone leaves out of its calendar.
const daysAhead = 9

// opens returns the first time, from a time on, at which a window is open; zero if there is none.
func (c Channel) opens(from time.Time, zone *time.Location) time.Time {
	if len(c.Windows) == 0 {
		return from
	}
	var first time.Time
	today := calendar.DateOf(from, zone)
	for d := -1; d <= daysAhead; d++ {
		date := today.Plus(d)
		for _, w := range c.on(date) {
			opens, cut := date.Moment(w.Opens, zone, false), date.Moment(w.CutOff, zone, false)
			if !cut.After(opens) || !cut.After(from) {
				continue
			}
			if opens.Before(from) {
				opens = from
			}
			if first.IsZero() || opens.Before(first) {
				first = opens
			}
		}
	}
	return first.UTC()
}

// why says whether a window was open today, by the zone's calendar.
func (c Channel) why(now time.Time, zone *time.Location) string {
	today := calendar.DateOf(now, zone)
	for _, w := range c.on(today) {
		if !now.Before(today.Moment(w.CutOff, zone, false)) {
			return reasonCutOff
		}
	}
	return reasonClosed
}

// on are the windows of a date.
func (c Channel) on(d calendar.Date) (list []Window) {
	for _, w := range c.Windows {
		if w.Day%7 == int(d.Weekday()) {
			list = append(list, w)
		}
	}
	return list
}
