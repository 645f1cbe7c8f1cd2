package domain_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/services/master-data/internal/domain"
)

// day is the n-th day of a year; day 0 is since ever, or for ever.
func day(n int) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Date(2026, 1, n, 0, 0, 0, 0, time.UTC)
}

func meaning(object string, d domain.Direction, from, to int) domain.Meaning {
	return domain.Meaning{Object: object, Direction: d, From: day(from), To: day(to)}
}

func TestMeanings(t *testing.T) {
	tea := meaning("TEA", domain.Both, 5, 10)
	for name, c := range map[string]struct {
		put    domain.Meaning
		want   []domain.Meaning
		reason string
	}{
		"after it":                {meaning("CUP", domain.Inbound, 10, 0), []domain.Meaning{tea, meaning("CUP", domain.Inbound, 10, 0)}, ""},
		"before it":               {meaning("CUP", domain.Inbound, 0, 5), []domain.Meaning{meaning("CUP", domain.Inbound, 0, 5), tea}, ""},
		"at its last moment":      {meaning("CUP", domain.Inbound, 9, 0), nil, "EXTERNAL_ID_TAKEN"},
		"all the time":            {meaning("CUP", domain.Both, 0, 0), nil, "EXTERNAL_ID_TAKEN"},
		"only told":               {meaning("CUP", domain.Outbound, 0, 0), []domain.Meaning{meaning("CUP", domain.Outbound, 0, 0), tea}, ""},
		"the same object, longer": {meaning("TEA", domain.Both, 1, 0), []domain.Meaning{meaning("TEA", domain.Both, 1, 0)}, ""},
		"the same object, later":  {meaning("TEA", domain.Both, 20, 0), []domain.Meaning{tea, meaning("TEA", domain.Both, 20, 0)}, ""},
		"no moment":               {meaning("TEA", domain.Both, 7, 7), nil, "VALIDITY_INVALID"},
		"backwards":               {meaning("TEA", domain.Both, 7, 6), nil, "VALIDITY_INVALID"},
	} {
		t.Run(name, func(t *testing.T) {
			r := domain.CrossReference{System: "erp", Type: "ITEM", External: "1", Meanings: []domain.Meaning{tea}}
			got, err := r.With(c.put, day(15))
			if f, _ := fault.As(err); c.reason != "" && (f == nil || f.Reason != c.reason) || c.reason == "" && err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got.Meanings); c.reason == "" && diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff([]domain.Meaning{tea}, r.Meanings); diff != "" {
				t.Errorf("the state was changed: %s", diff)
			}
		})
	}
}

func TestEnded(t *testing.T) {
	r := domain.CrossReference{Meanings: []domain.Meaning{
		meaning("A", domain.Inbound, 0, 5), meaning("B", domain.Both, 5, 0), meaning("C", domain.Outbound, 20, 0),
	}}
	got, err := r.Ended("", day(10))
	if diff := cmp.Diff([]domain.Meaning{meaning("A", domain.Inbound, 0, 5), meaning("B", domain.Both, 5, 10)}, got.Meanings); err != nil || diff != "" {
		t.Error(err, diff)
	}
	if _, err := r.Ended("A", day(10)); !fault.IsKind(err, fault.NotFound) {
		t.Errorf("what is over ends again: %v", err)
	}
	if got, err := r.Ended("B", day(5)); err != nil || len(got.Meanings) != 2 {
		t.Errorf("what ends as it begins is none: %v %v", got, err)
	}
}

func TestMeaningsAreBounded(t *testing.T) {
	var r domain.CrossReference
	var err error
	for n := range domain.MaxMeanings + 1 {
		if r, err = r.With(meaning(fmt.Sprint("O", n), domain.Inbound, n+1, n+2), day(n+1)); err != nil {
			t.Fatal(n, err)
		}
	}
	if len(r.Meanings) != domain.MaxMeanings || r.Meanings[0].Object != "O1" {
		t.Errorf("%d meanings, the first is %+v", len(r.Meanings), r.Meanings[0])
	}
	if _, err := r.With(meaning("NEW", domain.Inbound, 80, 81), day(1)); !fault.IsKind(err, fault.Refused) {
		t.Errorf("one more while none is over: %v", err)
	}
}

// TestOneMeaningAtAMoment: after any puts and ends, what a model day by day says is what the
// record says, and no day has two inbound meanings.
func TestOneMeaningAtAMoment(t *testing.T) {
	const days = 12
	rapid.Check(t, func(t *rapid.T) {
		var r domain.CrossReference
		model := map[int]map[string]domain.Direction{} // by day, by object
		for n := 1; n <= days; n++ {
			model[n] = map[string]domain.Direction{}
		}
		in := func(d domain.Direction) bool { return d == domain.Inbound || d == domain.Both }
		for range rapid.IntRange(1, 15).Draw(t, "steps") {
			object := rapid.SampledFrom([]string{"A", "B", "C"}).Draw(t, "object")
			from := rapid.IntRange(0, days).Draw(t, "from")
			if rapid.IntRange(0, 4).Draw(t, "end") == 0 {
				at := max(from, 1)
				next, err := r.Ended(object, day(at))
				if err == nil {
					r = next
				}
				for n := at; n <= days; n++ {
					delete(model[n], object)
				}
				continue
			}
			to := rapid.SampledFrom([]int{0, from + 1, from + 3}).Draw(t, "to")
			d := rapid.SampledFrom([]domain.Direction{domain.Inbound, domain.Outbound, domain.Both}).Draw(t, "direction")
			m := meaning(object, d, from, to)
			next, err := r.With(m, day(1))
			taken := false
			for n := 1; n <= days; n++ {
				for other, od := range model[n] {
					taken = taken || m.Holds(day(n)) && other != object && in(d) && in(od)
				}
			}
			if taken && !fault.IsKind(err, fault.Conflict) {
				t.Fatalf("put %+v beside %v: %v", m, model, err)
			}
			if err != nil {
				continue
			}
			for _, old := range r.Meanings { // it stands for those of its object that it overlaps
				if old.Object == object && old.Overlaps(m) {
					for n := 1; n <= days; n++ {
						if old.Holds(day(n)) {
							delete(model[n], object)
						}
					}
				}
			}
			r = next
			for n := 1; n <= days; n++ {
				if m.Holds(day(n)) {
					model[n][object] = d
				}
			}
		}
		for n := 1; n <= days; n++ {
			meant := ""
			for object, d := range model[n] {
				if in(d) {
					if meant != "" {
						t.Fatalf("two meanings on day %d", n)
					}
					meant = object
				}
				if _, told := r.Names(object, day(n)); told != (d != domain.Inbound) {
					t.Fatalf("day %d: %s is told %t, is %s", n, object, told, d)
				}
			}
			if m, ok := r.Means(day(n)); ok != (meant != "") || m.Object != meant {
				t.Fatalf("day %d means %q %t, want %q: %+v", n, m.Object, ok, meant, r)
			}
		}
	})
}
