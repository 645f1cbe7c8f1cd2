// Package calendar computes with working hours and cut-offs: pure functions over local times of
// a time zone. It promises that the answers are exact across changes to and from daylight
// saving time: a local time that comes twice, or not at all, has one moment here.
package calendar

import (
	"fmt"
	"slices"
	"time"
)

// EndOfDay is the minute at which a local day ends; working hours may end at it.
const EndOfDay = 24 * 60

// Hours is a stretch of working time of one local day, in minutes from its midnight; Close is
// not in it.
type Hours struct{ Open, Close int }

// Date is a day of the calendar of a place.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// DateOf returns the local date at t.
func DateOf(t time.Time, zone *time.Location) Date {
	y, m, d := t.In(zone).Date()
	return Date{y, m, d}
}

// ParseDate reads a date of ISO 8601, e.g. "2026-12-25".
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, s)
	y, m, d := t.Date()
	return Date{y, m, d}, err
}

// String returns the date as ISO 8601 has it.
func (d Date) String() string { return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day) }

// Plus returns the date n days later.
func (d Date) Plus(n int) Date {
	y, m, day := time.Date(d.Year, d.Month, d.Day+n, 0, 0, 0, 0, time.UTC).Date()
	return Date{y, m, day}
}

// Weekday returns the day of the week.
func (d Date) Weekday() time.Weekday {
	return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC).Weekday()
}

// Moment returns when a clock of the zone shows a minute of a date. Where it shows it twice,
// that is the first time, or with last set the last one. Where it never does, because the
// clock is put forward over it, that is the moment at which it is put forward.
func (d Date) Moment(minute int, zone *time.Location, last bool) time.Time {
	wall := time.Date(d.Year, d.Month, d.Day, 0, minute, 0, 0, time.UTC)
	_, before := wall.Add(-36 * time.Hour).In(zone).Zone()
	_, after := wall.Add(36 * time.Hour).In(zone).Zone()
	var found []time.Time
	for _, offset := range []int{before, after} {
		t := wall.Add(-time.Duration(offset) * time.Second)
		if _, is := t.In(zone).Zone(); is == offset {
			found = append(found, t)
		}
	}
	if len(found) == 0 {
		start, _ := wall.Add(-time.Duration(before) * time.Second).In(zone).ZoneBounds()
		return start.UTC()
	}
	slices.SortFunc(found, time.Time.Compare)
	if last {
		return found[len(found)-1]
	}
	return found[0]
}

// Calendar is the working time of a place.
type Calendar struct {
	Week       [7][]Hours       // by time.Weekday; none: no work on that day
	Exceptions map[Date][]Hours // instead of the weekday's; none: a holiday
}

// On returns the working hours of a date.
func (c Calendar) On(d Date) []Hours {
	if hours, ok := c.Exceptions[d]; ok {
		return hours
	}
	return c.Week[d.Weekday()]
}

// Horizon is how many days ahead is looked.
const Horizon = 400

// NextWorking returns the first moment at or after t that is working time; false when there is
// none within Horizon days. A day's work begins when the clock first shows the hour and ends
// when it last does.
func (c Calendar) NextWorking(t time.Time, zone *time.Location) (time.Time, bool) {
	for n := -1; n <= Horizon; n++ {
		date := DateOf(t, zone).Plus(n)
		hours := slices.Clone(c.On(date))
		slices.SortFunc(hours, func(a, b Hours) int { return a.Open - b.Open })
		for _, h := range hours {
			open, shut := date.Moment(h.Open, zone, false), date.Moment(h.Close, zone, true)
			switch {
			case !t.Before(shut) || !open.Before(shut):
			case t.Before(open):
				return open, true
			default:
				return t.UTC(), true
			}
		}
	}
	return time.Time{}, false
}

// CutOff is a local time of a weekday up to which a carrier takes what leaves that day. What
// is to make it must be ready Lead earlier.
type CutOff struct {
	Weekday time.Weekday
	Minute  int // from local midnight
	Lead    time.Duration
}

// Next is a cut-off that comes.
type Next struct {
	At      time.Time // UTC
	ReadyBy time.Time // At less its lead
	Date    Date      // local
	Minute  int       // local, as the cut-off says it
}

// NextCutOff returns the first cut-off that what is ready at t still makes; false when there
// is none within Horizon days. On closed dates there is none. A cut-off at a local time that
// comes twice is at the first; one that the clock is put forward over is when that happens.
func NextCutOff(cutOffs []CutOff, closed func(Date) bool, t time.Time, zone *time.Location) (Next, bool) {
	for n := -1; n <= Horizon; n++ {
		date := DateOf(t, zone).Plus(n)
		if closed(date) {
			continue
		}
		var best Next
		found := false
		for _, c := range cutOffs {
			if c.Weekday != date.Weekday() {
				continue
			}
			at := date.Moment(c.Minute, zone, false)
			next := Next{At: at, ReadyBy: at.Add(-c.Lead), Date: date, Minute: c.Minute}
			if !next.ReadyBy.Before(t) && DateOf(at, zone) == date && (!found || at.Before(best.At)) {
				best, found = next, true
			}
		}
		if found {
			return best, true
		}
	}
	return Next{}, false
}
