package domain

import (
	"cmp"
	"slices"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/calendar"
)

// Stage is a stage of the work on a warehouse order.
type Stage string

// The stages, in the order in which an order passes them.
const (
	StagePick Stage = "PICK"
	StagePack Stage = "PACK"
	StageLoad Stage = "LOAD"
)

// Rates are how much of each stage a site does in an hour.
type Rates struct {
	Pick int // lines
	Pack int // lines
	Load int // orders
}

// CutOffs are the cut-offs of a site for a carrier and its service, as master data has them.
type CutOffs struct {
	Site     string            `json:"site"`
	Carrier  string            `json:"carrier,omitempty"`
	Service  string            `json:"service,omitempty"`
	Calendar string            `json:"calendar,omitempty"` // on whose holidays there is none
	Zone     string            `json:"zone"`
	Times    []calendar.CutOff `json:"times"`
}

// Timetable is what counts for the cut-offs of a site.
type Timetable struct {
	Zone     *time.Location
	CutOffs  []CutOffs
	Holidays map[string]map[calendar.Date]bool // by calendar
}

// Next is the first cut-off that what is ready at a moment still makes: of those of the service if
// there are any, else of the carrier, else of the site; false when there is none.
func (t Timetable) Next(carrier, service string, at time.Time) (calendar.Next, bool) {
	for _, key := range [][2]string{{carrier, service}, {carrier, ""}, {"", ""}} {
		i := slices.IndexFunc(t.CutOffs, func(c CutOffs) bool { return c.Carrier == key[0] && c.Service == key[1] })
		if i < 0 {
			continue
		}
		c := t.CutOffs[i]
		return calendar.NextCutOff(c.Times, func(d calendar.Date) bool { return t.Holidays[c.Calendar][d] }, at, t.Zone)
	}
	return calendar.Next{}, false
}

// Job is an open warehouse order with what is still to be done.
type Job struct {
	Order      WarehouseOrder
	Released   time.Time // since when the warehouse has it
	Pick, Pack int       // lines
	CutOff     calendar.Next
	HasCutOff  bool
	Ready      time.Time // when it is projected to be loaded
	Blocked    Stage     // in which it waits or is worked on the longest
}

// Late is by how much it misses its cut-off; less than 0 when it makes it.
func (j Job) Late() time.Duration { return j.Ready.Sub(j.CutOff.ReadyBy) }

// JobOf is what is still to be done of an open warehouse order; false when nothing is, or when
// it is over.
func JobOf(o WarehouseOrder, released time.Time, t Timetable) (Job, bool) {
	switch o.State() {
	case Issued, Cancelled, "":
		return Job{}, false
	}
	j := Job{Order: o, Released: released}
	for _, l := range o.Lines {
		if l.left().Sign() > 0 {
			j.Pick++
		}
		if l.left().Sign() > 0 || l.Packed.Less(l.Picked) {
			j.Pack++
		}
	}
	if j.Pick == 0 && !o.anyPicked() {
		return Job{}, false // all of it is short
	}
	j.CutOff, j.HasCutOff = t.Next(o.Carrier, o.Service, released)
	return j, true
}

// Project says when each job is ready: the work of a site is done in the order of the cut-offs,
// each stage as much in an hour as the rates say, and a job comes to a stage once the one before
// is done with it. Jobs without a cut-off come last. A rate of 0 is 1.
func Project(jobs []Job, r Rates, now time.Time) []Job {
	jobs = slices.Clone(jobs)
	slices.SortStableFunc(jobs, func(a, b Job) int {
		if a.HasCutOff != b.HasCutOff {
			if a.HasCutOff {
				return -1
			}
			return 1
		}
		return cmp.Or(a.CutOff.ReadyBy.Compare(b.CutOff.ReadyBy), a.Released.Compare(b.Released), cmp.Compare(a.Order.Keys.ID, b.Order.Keys.ID))
	})
	picked, packed, loaded := now, now, now
	for i := range jobs {
		j := &jobs[i]
		at := now
		if j.Pick > 0 {
			picked = picked.Add(takes(j.Pick, r.Pick))
			at = picked
		}
		pick := at
		if j.Pack > 0 {
			packed = later(packed, at).Add(takes(j.Pack, r.Pack))
			at = packed
		}
		pack := at
		loaded = later(loaded, at).Add(takes(1, r.Load))
		j.Ready = loaded
		j.Blocked = longest(pick.Sub(now), pack.Sub(pick), loaded.Sub(pack))
	}
	return jobs
}

// takes is how long so many units take of which a rate is done in an hour, rounded up.
func takes(units, rate int) time.Duration {
	n, per := int64(units)*int64(time.Hour), int64(max(rate, 1))
	return time.Duration((n + per - 1) / per)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// longest is the stage that takes the longest, the earlier one of two that take as long.
func longest(pick, pack, load time.Duration) Stage {
	switch {
	case pick >= pack && pick >= load:
		return StagePick
	case pack >= load:
		return StagePack
	}
	return StageLoad
}
