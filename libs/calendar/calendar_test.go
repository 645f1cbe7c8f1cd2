package calendar_test

import (
	"testing"
	"time"
	_ "time/tzdata" // the zones of the cases, wherever this runs

	"pgregory.net/rapid"

	"github.com/lockstep-logistics/lockstep/libs/calendar"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func at(t testing.TB, s string) time.Time {
	t.Helper()
	moment, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return moment.UTC()
}

func date(t testing.TB, s string) calendar.Date {
	t.Helper()
	d, err := calendar.ParseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

const hour = 60

func TestMoment(t *testing.T) {
	for name, c := range map[string]struct {
		zone, date string
		minute     int
		last       bool
		want       string
	}{
		"winter":                {"Europe/Berlin", "2026-01-15", 17 * hour, false, "2026-01-15T17:00:00+01:00"},
		"summer":                {"Europe/Berlin", "2026-07-15", 17 * hour, false, "2026-07-15T17:00:00+02:00"},
		"before it springs":     {"Europe/Berlin", "2026-03-29", 1*hour + 59, false, "2026-03-29T01:59:00+01:00"},
		"skipped":               {"Europe/Berlin", "2026-03-29", 2*hour + 30, false, "2026-03-29T03:00:00+02:00"},
		"after it sprang":       {"Europe/Berlin", "2026-03-29", 3 * hour, false, "2026-03-29T03:00:00+02:00"},
		"twice, first":          {"Europe/Berlin", "2026-10-25", 2*hour + 30, false, "2026-10-25T02:30:00+02:00"},
		"twice, last":           {"Europe/Berlin", "2026-10-25", 2*hour + 30, true, "2026-10-25T02:30:00+01:00"},
		"end of a long day":     {"Europe/Berlin", "2026-10-25", calendar.EndOfDay, false, "2026-10-26T00:00:00+01:00"},
		"half an hour, skipped": {"Australia/Lord_Howe", "2026-10-04", 2*hour + 15, false, "2026-10-04T02:30:00+11:00"},
		"half an hour, twice":   {"Australia/Lord_Howe", "2026-04-05", 1*hour + 45, true, "2026-04-05T01:45:00+10:30"},
		"spring in Chicago":     {"America/Chicago", "2026-03-08", 2 * hour, false, "2026-03-08T03:00:00-05:00"},
		"no change":             {"Asia/Kolkata", "2026-03-29", 2*hour + 30, false, "2026-03-29T02:30:00+05:30"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := date(t, c.date).Moment(c.minute, zone(t, c.zone), c.last); !got.Equal(at(t, c.want)) {
				t.Errorf("%s, want %s", got.In(zone(t, c.zone)), c.want)
			}
		})
	}
}

// TestMomentIsTheInverseOfTheClock: every moment is found again from what the clock shows then,
// as the first or the last time that it does.
func TestMomentIsTheInverseOfTheClock(t *testing.T) {
	names := []string{"Europe/Berlin", "America/Chicago", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Kathmandu", "America/St_Johns", "Pacific/Auckland"}
	rapid.Check(t, func(r *rapid.T) {
		z := zone(t, rapid.SampledFrom(names).Draw(r, "zone"))
		moment := time.Unix(60*rapid.Int64Range(1_700_000_000/60, 1_900_000_000/60).Draw(r, "minute"), 0).UTC()
		d, minute := calendar.DateOf(moment, z), moment.In(z).Hour()*hour+moment.In(z).Minute()
		first, last := d.Moment(minute, z, false), d.Moment(minute, z, true)
		if !moment.Equal(first) && !moment.Equal(last) || last.Before(first) {
			r.Fatalf("%s is %s or %s", moment.In(z), first.In(z), last.In(z))
		}
	})
}

func weekdays(open, shut int) (week [7][]calendar.Hours) {
	for d := time.Monday; d <= time.Friday; d++ {
		week[d] = []calendar.Hours{{Open: open, Close: shut}}
	}
	return week
}

func TestNextWorking(t *testing.T) {
	office := calendar.Calendar{Week: weekdays(8*hour, 17*hour), Exceptions: map[calendar.Date][]calendar.Hours{
		date(t, "2026-12-25"): nil, date(t, "2026-12-24"): {{Open: 8 * hour, Close: 12 * hour}}, date(t, "2026-12-27"): {{Open: 10 * hour, Close: 11 * hour}},
	}}
	night := calendar.Calendar{}
	night.Week[time.Sunday] = []calendar.Hours{{Open: 2 * hour, Close: 4 * hour}, {Open: 0, Close: 1 * hour}}
	skipped := calendar.Calendar{}
	skipped.Week[time.Sunday] = []calendar.Hours{{Open: 2 * hour, Close: 3 * hour}}
	for name, c := range map[string]struct {
		calendar    calendar.Calendar
		after, want string
	}{
		"at work":                {office, "2026-11-25T09:30:00+01:00", "2026-11-25T09:30:00+01:00"},
		"before work":            {office, "2026-11-25T05:00:00+01:00", "2026-11-25T08:00:00+01:00"},
		"closing time is over":   {office, "2026-11-25T17:00:00+01:00", "2026-11-26T08:00:00+01:00"},
		"the weekend":            {office, "2026-11-27T18:00:00+01:00", "2026-11-30T08:00:00+01:00"},
		"over the change":        {office, "2026-03-27T18:00:00+01:00", "2026-03-30T08:00:00+02:00"},
		"half a day, a holiday":  {office, "2026-12-24T13:00:00+01:00", "2026-12-27T10:00:00+01:00"},
		"hours in any order":     {night, "2026-11-22T01:30:00+01:00", "2026-11-22T02:00:00+01:00"},
		"the second 02:30":       {night, "2026-10-25T02:30:00+01:00", "2026-10-25T02:30:00+01:00"},
		"an hour that is not":    {skipped, "2026-03-28T12:00:00+01:00", "2026-04-05T02:00:00+02:00"},
		"an hour that is twice":  {skipped, "2026-10-25T02:59:00+01:00", "2026-10-25T02:59:00+01:00"},
		"the day began long ago": {office, "2026-11-25T23:59:00+01:00", "2026-11-26T08:00:00+01:00"},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := c.calendar.NextWorking(at(t, c.after), zone(t, "Europe/Berlin"))
			if !ok || !got.Equal(at(t, c.want)) {
				t.Errorf("%s %t, want %s", got.In(zone(t, "Europe/Berlin")), ok, c.want)
			}
		})
	}
	if got, ok := (calendar.Calendar{}).NextWorking(at(t, "2026-11-25T09:30:00Z"), time.UTC); ok {
		t.Errorf("nobody ever works, and yet %s", got)
	}
}

func TestNextCutOff(t *testing.T) {
	cutOffs := []calendar.CutOff{
		{Weekday: time.Monday, Minute: 17 * hour, Lead: 2 * time.Hour},
		{Weekday: time.Monday, Minute: 11 * hour},
		{Weekday: time.Friday, Minute: 16*hour + 30},
		{Weekday: time.Sunday, Minute: 2*hour + 30, Lead: time.Hour},
	}
	for name, c := range map[string]struct {
		after  string
		closed string
		want   string
		ready  string
	}{
		"the first of a day":          {"2026-11-23T08:00:00+01:00", "", "2026-11-23T11:00:00+01:00", "2026-11-23T11:00:00+01:00"},
		"at the last moment":          {"2026-11-23T15:00:00+01:00", "", "2026-11-23T17:00:00+01:00", "2026-11-23T15:00:00+01:00"},
		"its lead is over":            {"2026-11-23T15:00:01+01:00", "", "2026-11-27T16:30:00+01:00", "2026-11-27T16:30:00+01:00"},
		"a holiday":                   {"2026-11-23T15:00:01+01:00", "2026-11-27", "2026-11-29T02:30:00+01:00", "2026-11-29T01:30:00+01:00"},
		"over the change":             {"2026-03-27T17:00:00+01:00", "", "2026-03-29T03:00:00+02:00", "2026-03-29T01:00:00+01:00"},
		"twice that night: the first": {"2026-10-25T00:10:00+02:00", "", "2026-10-25T02:30:00+02:00", "2026-10-25T01:30:00+02:00"},
		"the second is none":          {"2026-10-25T02:00:00+02:00", "", "2026-10-26T11:00:00+01:00", "2026-10-26T11:00:00+01:00"},
	} {
		t.Run(name, func(t *testing.T) {
			closed := func(d calendar.Date) bool { return d.String() == c.closed }
			got, ok := calendar.NextCutOff(cutOffs, closed, at(t, c.after), zone(t, "Europe/Berlin"))
			if !ok || !got.At.Equal(at(t, c.want)) || !got.ReadyBy.Equal(at(t, c.ready)) {
				t.Errorf("%+v %t, want %s, ready by %s", got, ok, c.want, c.ready)
			}
		})
	}
	never := func(calendar.Date) bool { return true }
	if got, ok := calendar.NextCutOff(cutOffs, never, at(t, "2026-11-23T08:00:00Z"), time.UTC); ok {
		t.Errorf("always closed, and yet %+v", got)
	}
}

// TestACutOffIsNeverMissedNorLate: the answer is made in time, and no cut-off between is passed over.
func TestACutOffIsNeverMissedNorLate(t *testing.T) {
	z := zone(t, "Europe/Berlin")
	rapid.Check(t, func(r *rapid.T) {
		c := calendar.CutOff{
			Weekday: time.Weekday(rapid.IntRange(0, 6).Draw(r, "weekday")), Minute: rapid.IntRange(0, calendar.EndOfDay-1).Draw(r, "minute"),
			Lead: time.Duration(rapid.IntRange(0, 2000).Draw(r, "lead")) * time.Minute,
		}
		after := time.Unix(rapid.Int64Range(1_760_000_000, 1_800_000_000).Draw(r, "after"), 0).UTC()
		open := func(calendar.Date) bool { return false }
		got, ok := calendar.NextCutOff([]calendar.CutOff{c}, open, after, z)
		if !ok || got.ReadyBy.Before(after) || got.At.Sub(after) > 9*24*time.Hour+c.Lead {
			r.Fatalf("%+v %t after %s", got, ok, after.In(z))
		}
		local := got.At.In(z)
		if local.Weekday() != c.Weekday {
			r.Fatalf("%s is no %s", local, c.Weekday)
		}
		if earlier := got.Date.Plus(-7).Moment(c.Minute, z, false).Add(-c.Lead); !earlier.Before(after) {
			r.Fatalf("%s was to be made as well", earlier.In(z))
		}
	})
}
