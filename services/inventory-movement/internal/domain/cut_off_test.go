package domain

import (
	"testing"
	"time"

	_ "time/tzdata"

	"pgregory.net/rapid"

	"github.com/lockstep-logistics/lockstep/libs/calendar"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

func berlin(t *testing.T) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func moment(text string) time.Time {
	at, err := time.Parse("2006-01-02 15:04", text)
	if err != nil {
		panic(err)
	}
	return at
}

// everyDay is a cut-off at a local time of every day, with a lead.
func everyDay(hour int, lead time.Duration) (all []calendar.CutOff) {
	for d := range time.Weekday(7) {
		all = append(all, calendar.CutOff{Weekday: d, Minute: hour * 60, Lead: lead})
	}
	return all
}

// TestTimetable: the cut-offs of the service count, else those of the carrier, else the site's, at
// the site's clock, also on the days on which it is set, and not on holidays.
func TestTimetable(t *testing.T) {
	table := Timetable{
		Zone: berlin(t),
		CutOffs: []CutOffs{
			{Carrier: "UPSN", Service: "EXPRESS", Times: everyDay(18, time.Hour)},
			{Carrier: "UPSN", Times: everyDay(17, 0)},
			{Calendar: "DE", Times: everyDay(16, 0)},
		},
		Holidays: map[string]map[calendar.Date]bool{"DE": {{Year: 2026, Month: 3, Day: 2}: true}},
	}
	for name, tt := range map[string]struct{ carrier, service, at, cutOff, readyBy string }{
		"of the service":       {"UPSN", "EXPRESS", "2026-03-02 09:00", "2026-03-02 17:00", "2026-03-02 16:00"},
		"of the carrier":       {"UPSN", "GROUND", "2026-03-02 09:00", "2026-03-02 16:00", "2026-03-02 16:00"},
		"of the site":          {"DHLX", "", "2026-03-03 09:00", "2026-03-03 15:00", "2026-03-03 15:00"},
		"on a holiday":         {"DHLX", "", "2026-03-02 09:00", "2026-03-03 15:00", "2026-03-03 15:00"},
		"just in time":         {"UPSN", "EXPRESS", "2026-03-02 16:00", "2026-03-02 17:00", "2026-03-02 16:00"},
		"a minute too late":    {"UPSN", "EXPRESS", "2026-03-02 16:01", "2026-03-03 17:00", "2026-03-03 16:00"},
		"before summer time":   {"UPSN", "", "2026-03-28 09:00", "2026-03-28 16:00", "2026-03-28 16:00"},
		"as summer time began": {"UPSN", "", "2026-03-28 16:01", "2026-03-29 15:00", "2026-03-29 15:00"},
		"as summer time ends":  {"UPSN", "", "2026-10-24 15:01", "2026-10-25 16:00", "2026-10-25 16:00"},
	} {
		next, ok := table.Next(tt.carrier, tt.service, moment(tt.at))
		if !ok || !next.At.Equal(moment(tt.cutOff)) || !next.ReadyBy.Equal(moment(tt.readyBy)) {
			t.Errorf("%s: %+v", name, next)
		}
	}
	if next, ok := (Timetable{Zone: time.UTC}).Next("UPSN", "", t0); ok {
		t.Errorf("%+v", next)
	}
}

// job is a warehouse order with lines to pick and lines that are picked and not packed.
func job(id string, pick, picked int) WarehouseOrder {
	o := WarehouseOrder{Keys: OrderKeys{ID: id}, Carrier: "UPSN", IsAllocated: true}
	for i := range pick + picked {
		l := OrderLine{Number: i + 1, Quantity: quantity.Quantity{Value: n(5), Unit: "EA"}}
		if i >= pick {
			l.Picked = n(5)
		}
		o.Lines = append(o.Lines, l)
	}
	return o
}

// TestProject: what comes first is worked first, each stage as fast as it is, and the stage that
// holds an order up the longest is named.
func TestProject(t *testing.T) {
	table := Timetable{Zone: berlin(t), CutOffs: []CutOffs{{Carrier: "UPSN", Times: everyDay(17, 0)}}}
	released := moment("2026-03-02 09:00")
	var jobs []Job
	for _, o := range []WarehouseOrder{job("who_c", 60, 0), job("who_a", 0, 30), job("who_b", 30, 0)} {
		j, ok := JobOf(o, released, table)
		if !ok {
			t.Fatal(o)
		}
		jobs = append(jobs, j)
	}
	other := job("who_d", 1, 0)
	other.Carrier = "NONE"
	if j, ok := JobOf(other, released.Add(-time.Hour), table); ok && !j.HasCutOff {
		jobs = append(jobs, j)
	}
	over := job("who_e", 0, 1)
	over.IssuedAt = released
	if _, ok := JobOf(over, released, table); ok {
		t.Error("one that has left is work")
	}
	got := Project(jobs, Rates{Pick: 60, Pack: 30, Load: 6}, moment("2026-03-02 13:00"))
	for i, want := range []struct {
		id, ready string
		blocked   Stage
		late      time.Duration
	}{
		{"who_a", "2026-03-02 14:10", StagePack, -110 * time.Minute}, // packed 14:00
		{"who_b", "2026-03-02 15:10", StagePack, -50 * time.Minute},  // picked 13:30, packed 15:00
		{"who_c", "2026-03-02 17:10", StagePack, 70 * time.Minute},   // picked 14:30, packed 17:00
		{"who_d", "2026-03-02 17:20", StagePick, 0},
	} {
		j := got[i]
		if j.Order.Keys.ID != want.id || !j.Ready.Equal(moment(want.ready)) && want.id != "who_d" || j.HasCutOff && (j.Blocked != want.blocked || j.Late() != want.late) {
			t.Errorf("%s: ready %s, blocked by %s, late by %s", j.Order.Keys.ID, j.Ready, j.Blocked, j.Late())
		}
	}
}

// TestProjectedWork: no stage does more than its rate, nobody is passed by one with a later
// cut-off, and nothing is ready before it is loaded.
func TestProjectedWork(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := Rates{Pick: rapid.IntRange(1, 200).Draw(t, "pick"), Pack: rapid.IntRange(1, 200).Draw(t, "pack"), Load: rapid.IntRange(1, 50).Draw(t, "load")}
		var jobs []Job
		picks, packs := 0, 0
		for i := range rapid.IntRange(1, 20).Draw(t, "jobs") {
			j := Job{Order: WarehouseOrder{Keys: OrderKeys{ID: string(rune('a' + i))}}, HasCutOff: true}
			j.Pick = rapid.IntRange(0, 9).Draw(t, "lines to pick")
			j.Pack = j.Pick + rapid.IntRange(0, 4).Draw(t, "lines to pack")
			j.CutOff.ReadyBy = t0.Add(time.Duration(rapid.IntRange(0, 5).Draw(t, "hours")) * time.Hour)
			picks, packs = picks+j.Pick, packs+j.Pack
			jobs = append(jobs, j)
		}
		got := Project(jobs, r, t0)
		last := got[len(got)-1].Ready
		for _, least := range []time.Duration{takes(picks, r.Pick), takes(packs, r.Pack), takes(len(jobs), r.Load)} {
			if last.Sub(t0) < least {
				t.Fatalf("all is ready after %s, %s of work", last.Sub(t0), least)
			}
		}
		for i := 1; i < len(got); i++ {
			if got[i].CutOff.ReadyBy.Before(got[i-1].CutOff.ReadyBy) || got[i].Ready.Before(got[i-1].Ready) {
				t.Fatalf("%+v before %+v", got[i-1], got[i])
			}
		}
	})
}
