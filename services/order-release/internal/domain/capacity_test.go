package domain

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// TestSlot: a window is the same however late in it somebody asks, also on the days on which the
// clock is set; a channel without windows has the day of its zone.
func TestSlot(t *testing.T) {
	const week = "1234567"
	for name, tt := range map[string]struct {
		c                      Channel
		now, opens, ends, next string
	}{
		"a day":                    {Channel{Zone: "Europe/Berlin"}, "2026-03-02 12:00", "2026-03-01 23:00", "2026-03-02 23:00", "2026-03-02 23:00"},
		"a day of 23 hours":        {Channel{Zone: "Europe/Berlin"}, "2026-03-29 12:00", "2026-03-28 23:00", "2026-03-29 22:00", "2026-03-29 22:00"},
		"a day of 25 hours":        {Channel{Zone: "Europe/Berlin"}, "2026-10-25 12:00", "2026-10-24 22:00", "2026-10-25 23:00", "2026-10-25 23:00"},
		"the first of two windows": {daily("Europe/Berlin", week, "08:00-10:00", "14:00-16:00"), "2026-03-02 08:30", "2026-03-02 07:00", "2026-03-02 09:00", "2026-03-02 13:00"},
		"as it opens":              {daily("Europe/Berlin", week, "08:00-10:00"), "2026-03-02 07:00", "2026-03-02 07:00", "2026-03-02 09:00", "2026-03-03 07:00"},
		"over the weekend":         {daily("Europe/Berlin", "12345", "08:00-10:00"), "2026-03-06 08:59", "2026-03-06 07:00", "2026-03-06 09:00", "2026-03-09 07:00"},
		"the clock leapt into it":  {daily("Europe/Berlin", week, "02:30-04:00"), "2026-03-29 01:30", "2026-03-29 01:00", "2026-03-29 02:00", "2026-03-30 00:30"},
	} {
		c := tt.c
		c.Code, c.State, c.Capacity = "C", ChannelOpen, Capacity{Releases: 1}
		g := c.Gate(utc(tt.now))
		if g.Reason != "" || g.Slot == nil {
			t.Errorf("%s: %+v", name, g)
			continue
		}
		if s := g.Slot; !s.Opens.Equal(utc(tt.opens)) || !s.Ends.Equal(utc(tt.ends)) || !s.Next.Equal(utc(tt.next)) {
			t.Errorf("%s: %s to %s, then %s", name, s.Opens, s.Ends, s.Next)
		}
	}
	closed := daily("UTC", week, "08:00-10:00")
	closed.Capacity.Lines = 5
	if g := closed.Gate(utc("2026-03-02 11:00")); g.Slot != nil || g.Reason != "CUT_OFF_PASSED" {
		t.Errorf("%+v", g)
	}
}

// TestLoad: whatever is asked for in whatever order, a window never has more than its capacity,
// whoever has a place keeps it, and what is given back can be had again.
func TestLoad(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := Slot{Channel: "C", Site: "DC1", Opens: start, Capacity: Capacity{Releases: draw(t, 4, "releases"), Lines: draw(t, 12, "lines")}}
		var l Load
		has := map[Placed]int{} // lines, by release
		key := func(t *rapid.T) Placed {
			return Placed{Order: pick(t, "order", "a", "b", "c", "d", "e"), Turn: pick(t, "turn", 1, 2)}
		}
		sum := func() (n int) {
			for _, lines := range has {
				n += lines
			}
			return n
		}
		t.Repeat(map[string]func(*rapid.T){
			"take": func(t *rapid.T) {
				k, lines := key(t), 1+draw(t, 5, "how many")
				p := k
				p.Lines = lines
				facts, ok := l.Take(s, p)
				others, more := len(has), sum()-has[k]
				if has[k] > 0 {
					others--
				}
				fits := has[k] >= lines ||
					(s.Capacity.Releases == 0 || others < s.Capacity.Releases) && (s.Capacity.Lines == 0 || others == 0 || more+lines <= s.Capacity.Lines)
				if ok != fits || !ok && len(facts) > 0 {
					t.Fatalf("%+v, beside %v of %+v: %t, %+v", p, has, s.Capacity, ok, facts)
				}
				if ok {
					has[k] = max(has[k], lines)
				}
				for _, f := range facts {
					l = EvolveLoad(l, f)
				}
				if twice, ok := l.Take(s, p); ok != fits || len(twice) > 0 {
					t.Fatalf("%+v a second time: %+v", p, twice)
				}
			},
			"free": func(t *rapid.T) {
				k := key(t)
				facts := l.Free(k.Order, k.Turn)
				if (len(facts) == 1) != (has[k] > 0) {
					t.Fatalf("%+v of %v: %+v", k, has, facts)
				}
				delete(has, k)
				for _, f := range facts {
					l = EvolveLoad(l, f)
				}
			},
			"": func(t *rapid.T) {
				if len(l.Placed) != len(has) || l.Lines() != sum() {
					t.Fatalf("%+v, not %v", l, has)
				}
				if c := s.Capacity; c.Releases > 0 && len(l.Placed) > c.Releases || c.Lines > 0 && len(l.Placed) > 1 && l.Lines() > max(c.Lines, l.Placed[0].Lines) {
					t.Fatalf("%+v is more than %+v", l, c)
				}
			},
		})
	})
}

// TestTurn: what waits for a place says so, goes when it has one, and not with more lines than that.
func TestTurn(t *testing.T) {
	slot := &Slot{Channel: "day", Site: "DC1", Opens: start, Ends: start.Add(time.Hour), Next: start.Add(2 * time.Hour)}
	e := Env{Now: start, Stock: stock, Limits: DefaultLimits, Gate: func(Header, string, time.Time) Gate { return Gate{Channel: "day", Zone: "UTC", Slot: slot} }}
	lines := []Line{
		{Number: 10, SKU: "A", Item: "a", Site: "DC1", Quantity: ea(4), Base: ea(4)},
		{Number: 20, SKU: "B", Item: "b", Site: "DC1", Quantity: ea(5), Base: ea(5)},
	}
	facts, err := Order{}.Submit(e, "ord_x", Header{Number: "SO-1", Source: "erp", Rule: Partial, Mode: Automatic}, lines, nil)
	if err != nil {
		t.Fatal(err)
	}
	o := Apply(Order{}, facts...)
	granted := map[string]quantity.Decimal{}
	for _, c := range o.Attempt.Claims {
		granted[c.Stock] = c.Quantity.Value
	}
	facts, err = o.DecidePromise(e, 1, granted)
	if err != nil {
		t.Fatal(err)
	}
	o = Apply(o, facts...)
	if d := o.Deferrals(); len(d) != 1 || d[0].Reason != reasonTurn || len(o.Releases) > 0 {
		t.Fatalf("%+v", o)
	}
	if p := o.Place("DC1"); p != (Placed{Order: "ord_x", Turn: 1, Lines: 2}) {
		t.Errorf("%+v", p)
	}
	for _, tt := range []struct {
		name   string
		has    Admission
		reason string
	}{
		{"a place for one line", Admission{Turn: 1, Lines: 1}, reasonTurn},
		{"of another release", Admission{Turn: 2, Lines: 2}, reasonTurn},
		{"none", Admission{Turn: 1, Full: true}, reasonFull},
		{"nobody asked again", Admission{}, reasonFull},
		{"a place", Admission{Turn: 1, Lines: 2}, ""},
	} {
		e.Admitted = map[string]Admission{"DC1": tt.has}
		facts, err := o.Wake(e)
		if err != nil {
			t.Fatal(tt.name, err)
		}
		o = Apply(o, facts...)
		reason := ""
		if d := o.Deferrals(); len(d) > 0 {
			reason = d[0].Reason
		}
		if reason != tt.reason || (reason == "") != (len(o.Releases) == 1) {
			t.Errorf("%s: %q, %+v", tt.name, reason, o.Releases)
		}
		if f := o.MayGo(e); reason == reasonFull && (f == nil || !o.Opens().Equal(slot.Next)) {
			t.Errorf("%s: may go: %v, opens %s", tt.name, f, o.Opens())
		}
	}
}
