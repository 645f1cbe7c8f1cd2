package domain

import (
	"slices"
	"strconv"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/calendar"
)

// Calendar is the working time of a place. Times are minutes of the local day.
type Calendar struct {
	Code       string         `bson:"k"`
	Name       string         `bson:"n,omitempty"`
	Zone       string         `bson:"z"` // IANA
	Week       []WeekdayHours `bson:"w,omitempty"`
	Exceptions []Exception    `bson:"e,omitempty"`
}

// WeekdayHours are the hours of a day of the week, 1 for Monday to 7 for Sunday.
type WeekdayHours struct {
	Weekday int32   `bson:"d"`
	Hours   []Hours `bson:"h"`
}

// Exception are the hours of a date, none for a holiday.
type Exception struct {
	Date  string  `bson:"d"` // ISO 8601
	Name  string  `bson:"n,omitempty"`
	Hours []Hours `bson:"h,omitempty"`
}

// Hours is a stretch of working time, in minutes from local midnight.
type Hours struct {
	Open  int32 `bson:"o"`
	Close int32 `bson:"c"`
}

// Key implements Value.
func (k Calendar) Key() string { return k.Code }

// Check implements Value.
func (k Calendar) Check() error {
	var c check
	c.code("code", k.Code)
	c.zone("time_zone", k.Zone)
	days, dates := unique{}, unique{}
	for n, w := range k.Week {
		days.add(&c, strconv.Itoa(int(w.Weekday)), at("week", n, "weekday"), "the weekday")
		c.hours(at("week", n, "hours"), w.Hours)
	}
	for n, e := range k.Exceptions {
		_, err := calendar.ParseDate(e.Date)
		c.that(err == nil, at("exceptions", n, "date"), "DATE_INVALID", "%q is no date", e.Date)
		dates.add(&c, e.Date, at("exceptions", n, "date"), "date "+e.Date)
		c.hours(at("exceptions", n, "hours"), e.Hours)
	}
	return c.done()
}

// hours checks that stretches end after they begin, and do not overlap.
func (c *check) hours(path string, list []Hours) {
	ordered := slices.Clone(list)
	slices.SortFunc(ordered, func(a, b Hours) int { return int(a.Open - b.Open) })
	for i, h := range ordered {
		c.that(h.Open < h.Close, path, "HOURS_INVALID", "working hours end after they begin")
		c.that(i == 0 || ordered[i-1].Close <= h.Open, path, "HOURS_INVALID", "working hours overlap")
	}
}

// weekday turns ISO's number of a day into Go's.
func weekday(iso int32) time.Weekday { return time.Weekday(iso % 7) }

func stretches(list []Hours) []calendar.Hours {
	var out []calendar.Hours
	for _, h := range list {
		out = append(out, calendar.Hours{Open: int(h.Open), Close: int(h.Close)})
	}
	return out
}

// Working returns the calendar as functions of calendar take it.
func (k Calendar) Working() calendar.Calendar {
	out := calendar.Calendar{Exceptions: map[calendar.Date][]calendar.Hours{}}
	for _, w := range k.Week {
		out.Week[weekday(w.Weekday)] = stretches(w.Hours)
	}
	for _, e := range k.Exceptions {
		if d, err := calendar.ParseDate(e.Date); err == nil {
			out.Exceptions[d] = stretches(e.Hours)
		}
	}
	return out
}

// Closed reports whether a date is a holiday.
func (k Calendar) Closed(d calendar.Date) bool {
	for _, e := range k.Exceptions {
		if e.Date == d.String() {
			return len(e.Hours) == 0
		}
	}
	return false
}

// CutOff is up to when a site's goods go out with a carrier and its service on each day.
type CutOff struct {
	Site     string       `bson:"s"`
	Carrier  string       `bson:"c,omitempty"` // "": every one that has none of its own
	Service  string       `bson:"v,omitempty"` // "": every one that has none of its own
	Calendar string       `bson:"k,omitempty"` // code
	Zone     string       `bson:"z"`           // IANA, the site's
	Times    []CutOffTime `bson:"t"`
}

// CutOffTime is one cut-off.
type CutOffTime struct {
	Weekday int32 `bson:"d"` // 1 for Monday to 7 for Sunday
	Minute  int32 `bson:"m"` // from local midnight
	Lead    int32 `bson:"l,omitempty"`
}

// Key implements Value.
func (o CutOff) Key() string { return Joined(o.Site, o.Carrier, o.Service) }

// Check implements Value.
func (o CutOff) Check() error {
	var c check
	c.code("site_code", o.Site)
	c.that(o.Service == "" || o.Carrier != "", "carrier_code", "REQUIRED", "a service is a carrier's")
	c.zone("time_zone", o.Zone)
	seen := unique{}
	for n, t := range o.Times {
		seen.add(&c, Joined(strconv.Itoa(int(t.Weekday)), strconv.Itoa(int(t.Minute))), at("times", n, "local_time"), "the cut-off")
	}
	return c.done()
}

// At returns a cut-off record placed at its site with what it names; each record is Absent when
// there is none.
func (o CutOff) At(site Record[Location], carrier Record[Carrier], dates Record[Calendar]) (CutOff, error) {
	var c check
	c.that(site.State == Active && site.Value.Kind == Site, "site_code", "SITE_UNKNOWN", "there is no site %q in use", o.Site)
	if o.Carrier != "" {
		c.that(carrier.State == Active, "carrier_code", "OBJECT_UNKNOWN", "there is no carrier %q in use", o.Carrier)
		c.that(carrier.State != Active || o.Service == "" || carrier.Value.Sells(o.Service), "service_code", "OBJECT_UNKNOWN", "%s has no service %q", o.Carrier, o.Service)
	}
	c.that(o.Calendar == "" || dates.State == Active, "calendar_code", "CALENDAR_UNKNOWN", "there is no calendar %q", o.Calendar)
	o.Zone = site.Value.TimeZone
	return o, c.done()
}

// Rules returns the cut-offs as functions of calendar take them.
func (o CutOff) Rules() []calendar.CutOff {
	var out []calendar.CutOff
	for _, t := range o.Times {
		out = append(out, calendar.CutOff{Weekday: weekday(t.Weekday), Minute: int(t.Minute), Lead: time.Duration(t.Lead) * time.Minute})
	}
	return out
}
