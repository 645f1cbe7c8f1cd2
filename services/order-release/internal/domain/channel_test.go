package domain

import (
	"strings"
	"testing"
	"time"

	_ "time/tzdata"

	"pgregory.net/rapid"

	"github.com/lockstep-logistics/lockstep/libs/fault"
)

func utc(text string) time.Time {
	t, err := time.Parse("2006-01-02 15:04", text)
	if err != nil {
		panic(err)
	}
	return t
}

func hm(text string) int {
	t, err := time.Parse("15:04", text)
	if err != nil {
		return 24 * 60
	}
	return t.Hour()*60 + t.Minute()
}

// daily has the same windows on the days, "08:00-16:30".
func daily(zone string, days string, windows ...string) Channel {
	c := Channel{Code: "C", Site: "DC1", Zone: zone, State: ChannelOpen}
	for _, d := range days {
		for _, w := range windows {
			from, to, _ := strings.Cut(w, "-")
			c.Windows = append(c.Windows, Window{Day: int(d - '0'), Opens: hm(from), CutOff: hm(to)})
		}
	}
	return c
}

// TestGate: a channel is open inside its windows by its own clock, also on the days on which
// that is set; otherwise it says why, and when it opens.
func TestGate(t *testing.T) {
	const weekdays, week = "12345", "1234567"
	for name, tt := range map[string]struct {
		c           Channel
		now         string
		reason, nxt string
	}{
		"always":                        {Channel{Zone: "UTC", State: ChannelOpen}, "2026-03-02 08:00", "", ""},
		"before it opens":               {daily("Europe/Berlin", weekdays, "08:00-16:30"), "2026-03-02 06:59", "CHANNEL_CLOSED", "2026-03-02 07:00"},
		"as it opens":                   {daily("Europe/Berlin", weekdays, "08:00-16:30"), "2026-03-02 07:00", "", ""},
		"a minute before the cut-off":   {daily("Europe/Berlin", weekdays, "08:00-16:30"), "2026-03-02 15:29", "", ""},
		"at the cut-off":                {daily("Europe/Berlin", weekdays, "08:00-16:30"), "2026-03-02 15:30", "CUT_OFF_PASSED", "2026-03-03 07:00"},
		"friday evening":                {daily("Europe/Berlin", weekdays, "08:00-16:30"), "2026-03-06 20:00", "CUT_OFF_PASSED", "2026-03-09 07:00"},
		"on a sunday":                   {daily("Europe/Berlin", weekdays, "08:00-16:30"), "2026-03-08 12:00", "CHANNEL_CLOSED", "2026-03-09 07:00"},
		"between two windows":           {daily("Europe/Berlin", weekdays, "08:00-10:00", "14:00-16:00"), "2026-03-02 11:00", "CUT_OFF_PASSED", "2026-03-02 13:00"},
		"over the weekend of the leap":  {daily("Europe/Berlin", weekdays, "08:00-16:30"), "2026-03-27 18:00", "CUT_OFF_PASSED", "2026-03-30 06:00"},
		"to the end of the day":         {daily("Europe/Berlin", week, "20:00-24:00"), "2026-03-02 22:59", "", ""},
		"after the end of the day":      {daily("Europe/Berlin", week, "20:00-24:00"), "2026-03-02 23:00", "CHANNEL_CLOSED", "2026-03-03 19:00"},
		"the clock leaps into it":       {daily("Europe/Berlin", week, "02:30-04:00"), "2026-03-29 00:59", "CHANNEL_CLOSED", "2026-03-29 01:00"},
		"the clock leapt into it":       {daily("Europe/Berlin", week, "02:30-04:00"), "2026-03-29 01:00", "", ""},
		"the clock leaps over it":       {daily("Europe/Berlin", week, "02:10-02:50"), "2026-03-29 01:00", "CUT_OFF_PASSED", "2026-03-30 00:10"},
		"the hour comes twice, first":   {daily("Europe/Berlin", week, "02:30-04:00"), "2026-10-25 00:30", "", ""},
		"the hour comes twice, again":   {daily("Europe/Berlin", week, "02:30-04:00"), "2026-10-25 01:10", "", ""},
		"the cut-off comes twice":       {daily("Europe/Berlin", week, "01:00-02:30"), "2026-10-25 00:30", "CUT_OFF_PASSED", "2026-10-26 00:00"},
		"another side of the date line": {daily("Pacific/Auckland", "1", "08:00-09:00"), "2026-03-01 19:30", "", ""},
		"a day that there never was":    {daily("Pacific/Apia", "5", "08:00-09:00"), "2011-12-29 20:00", "CHANNEL_CLOSED", "2012-01-05 18:00"},
		"a zone that is unknown is UTC": {daily("Mars/Base", week, "08:00-09:00"), "2026-03-02 08:30", "", ""},
		"locked":                        {Channel{State: ChannelLocked}, "2026-03-02 08:00", "CHANNEL_LOCKED", ""},
		"asleep":                        {Channel{State: ChannelAsleep, Until: utc("2026-03-02 09:00")}, "2026-03-02 08:59", "CHANNEL_ASLEEP", "2026-03-02 09:00"},
		"awake":                         {Channel{State: ChannelAsleep, Until: utc("2026-03-02 09:00")}, "2026-03-02 09:00", "", ""},
	} {
		g := tt.c.Gate(utc(tt.now))
		next := ""
		if !g.Next.IsZero() {
			next = g.Next.Format("2006-01-02 15:04")
		}
		if g.Reason != tt.reason || next != tt.nxt {
			t.Errorf("%s: %q until %q, want %q until %q", name, g.Reason, next, tt.reason, tt.nxt)
		}
	}
	asleep := daily("Europe/Berlin", weekdays, "08:00-16:30")
	asleep.State, asleep.Until = ChannelAsleep, utc("2026-03-02 20:00")
	if g := asleep.Gate(utc("2026-03-02 10:00")); g.Next != utc("2026-03-03 07:00") {
		t.Errorf("it wakes after the cut-off, and opens %s", g.Next)
	}
}

// TestGateOpensWhenItSays: at the time that a closed channel names it is open, and at no minute
// before.
func TestGateOpensWhenItSays(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		zone := pick(rt, "zone", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/St_Johns", "Asia/Kolkata", "Africa/Casablanca", "UTC")
		c := Channel{Zone: zone, State: ChannelOpen}
		for range 1 + draw(rt, 3, "windows") {
			from := draw(rt, 1438, "from")
			c.Windows = append(c.Windows, Window{Day: 1 + draw(rt, 6, "day"), Opens: from, CutOff: from + 1 + draw(rt, 1439-from, "for")})
		}
		now := start.Add(time.Duration(draw(rt, 365*24*60, "minute")) * time.Minute)
		g := c.Gate(now)
		if g.Reason == "" {
			return
		}
		if !g.Next.After(now) || c.Gate(g.Next).Reason != "" {
			rt.Fatalf("at %s it opens %s, and is %+v then", now, g.Next, c.Gate(g.Next))
		}
		for range 20 {
			between := now.Add(time.Duration(rapid.Int64Range(0, int64(g.Next.Sub(now))-1).Draw(rt, "between")))
			if c.Gate(between).Reason == "" {
				rt.Fatalf("at %s it opens %s, and is open at %s already", now, g.Next, between)
			}
		}
	})
}

func TestChannelLifecycle(t *testing.T) {
	e := Env{Now: start, By: "ann"}
	var c Channel
	take := func(facts []ChannelFact, err error) int {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range facts {
			c = EvolveChannel(c, f)
		}
		return len(facts)
	}
	d := daily("UTC", "12", "08:00-09:00")
	if take(c.Define(d)) != 1 || c.State != ChannelOpen || take(c.Define(d)) != 0 {
		t.Errorf("%+v", c)
	}
	if take(c.Close(e, time.Time{}, "stocktaking")) != 1 || c.State != ChannelLocked || take(c.Close(e, time.Time{}, "")) != 0 {
		t.Errorf("%+v", c)
	}
	d.Name = "renamed"
	if take(c.Define(d)) != 1 || c.State != ChannelLocked || c.Name != "renamed" || c.Note != "stocktaking" {
		t.Errorf("a definition took its state: %+v", c)
	}
	if take(c.Close(e, start.Add(time.Hour), "")) != 1 || c.State != ChannelAsleep {
		t.Errorf("%+v", c)
	}
	if take(c.Open(e, "")) != 1 || c.State != ChannelOpen || !c.Until.IsZero() || take(c.Open(e, "")) != 0 {
		t.Errorf("%+v", c)
	}
	if _, err := c.Close(e, start, ""); !fault.IsKind(err, fault.Invalid) {
		t.Error(err)
	}
	d.Site = "DC2"
	if _, err := c.Define(d); !fault.IsKind(err, fault.Invalid) {
		t.Error(err)
	}
}
