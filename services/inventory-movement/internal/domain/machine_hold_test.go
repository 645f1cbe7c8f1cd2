package domain

import (
	"time"

	"pgregory.net/rapid"

	"github.com/lockstep-logistics/lockstep/libs/fault"
)

func reference(t *rapid.T) string {
	return rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(t, "reference")
}

// hour is a moment of the day on which reservations are made and end.
func hour(t *rapid.T, name string) time.Time {
	return t0.Add(time.Duration(rapid.IntRange(0, 9).Draw(t, name)) * time.Hour)
}

// soft is what reservations hold that are not over at a time and may be displaced by a priority.
func (b *stockBooks) soft(now time.Time, priority int) (n int64) {
	for key, end := range b.ends {
		if end > now.UnixMilli() && b.first[key] < priority {
			n += b.claims[key]
		}
	}
	return n
}

// over is what reservations hold whose time is over.
func (b *stockBooks) over(now time.Time) (n int64) {
	for key, end := range b.ends {
		if end != 0 && end <= now.UnixMilli() {
			n += b.claims[key]
		}
	}
	return n
}

// book: a reservation gets what nobody has, what is over, and what gives way to it; claims of
// orders, confirmed reservations and those of its own priority give way to nobody.
func (m *stockMachine) book(t *rapid.T) {
	by, now := rule(t), hour(t, "now")
	b := Booking{
		Reference: reference(t), Expires: hour(t, "expires"), Priority: rapid.IntRange(0, 2).Draw(t, "priority"), Partial: rapid.Bool().Draw(t, "partial"),
	}
	claim := ClaimOf(b.Reference)
	end, booked := m.books.ends[claim]
	booked = booked && (end == 0 || end > now.UnixMilli())
	atp := m.books.promisable(by.Day()) + m.books.over(now)
	most := atp + m.books.soft(now, b.Priority)
	q := about(t, most)
	b.Quantity = n(q)
	kept := map[string]int64{}
	for key, left := range m.books.claims {
		if end, is := m.books.ends[key]; !is || end == 0 || m.books.first[key] >= b.Priority && end > now.UnixMilli() {
			kept[key] = left
		}
	}
	facts, err := Book(m.stock, key, b, by, now)
	switch {
	case fault.IsKind(err, fault.Invalid):
		if b.Expires.After(now) {
			t.Fatalf("%+v at %s: %v", b, now, err)
		}
		return
	case booked != reasonIs(err, "RESERVATION_EXISTS"):
		t.Fatalf("%s, booked %t: %v", claim, booked, err)
	}
	m.do(t, "Book", facts, err)
	if err != nil {
		if can := max(most, 0); !booked && (b.Partial && can > 0 || can >= q && can > 0) {
			t.Fatalf("%+v was refused, %d can be had: %v", b, can, err)
		}
		return
	}
	if got, want := m.books.claims[claim], min(q, most); got != want {
		t.Fatalf("%+v got %d, not %d", b, got, want)
	}
	for key, n := range kept {
		if m.books.claims[key] != n {
			t.Fatalf("%s held %d and holds %d after %+v", key, n, m.books.claims[key], b)
		}
	}
}

func reasonIs(err error, reason string) bool {
	f, ok := fault.As(err)
	return ok && f.Reason == reason
}

// confirm: only what is not over can be made to last.
func (m *stockMachine) confirm(t *rapid.T) {
	ref, now := reference(t), hour(t, "now")
	end, booked := m.books.ends[ClaimOf(ref)]
	facts, err := Confirm(m.stock, ref, now)
	switch may := booked && (end == 0 || end > now.UnixMilli()); {
	case may != (err == nil), may && (end == 0) != (len(facts) == 0):
		t.Fatalf("%s ends %d, booked %t: %+v %v", ref, end, booked, facts, err)
	case fault.IsKind(err, fault.NotFound):
		return
	}
	m.do(t, "Confirm", facts, err)
}

func (m *stockMachine) unbook(t *rapid.T) {
	ref := reference(t)
	_, booked := m.books.ends[ClaimOf(ref)]
	facts, err := Unbook(m.stock, ref)
	if booked != (err == nil) || booked != (len(facts) == 1) {
		t.Fatalf("%s, booked %t: %+v %v", ref, booked, facts, err)
	}
	if booked {
		m.do(t, "Unbook", facts, nil)
	}
}

// lapse: what is over ends, and nothing else.
func (m *stockMachine) lapse(t *rapid.T) {
	now := hour(t, "now")
	over, before := m.books.over(now), len(m.books.claims)
	facts := Lapse(m.stock, key, now)
	m.do(t, "Overdue", Overdue(m.stock, now), nil) // as the sweep does
	m.do(t, "Lapse", facts, nil)
	if m.books.over(now) != 0 || len(m.books.claims) != before-len(facts) || (over > 0) != (len(facts) > 0) {
		t.Fatalf("%d were over at %s: %+v", over, now, facts)
	}
	if due := m.stock.Due(); !due.IsZero() && !due.After(now) {
		t.Fatalf("something ends at %s still", due)
	}
}
