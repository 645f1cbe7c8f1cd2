package domain

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/money"
)

// published is what a calendar on the wall says of one version: its flat price and its days.
type published struct{ version, price, from, to int } // to: 0 for open

func (p published) covers(day int) bool { return day >= p.from && (p.to == 0 || day < p.to) }

func onDay(day int) time.Time {
	if day == 0 {
		return time.Time{}
	}
	return t0.AddDate(0, 0, day)
}

// TestCardsOfACarrier publishes cards with any validity, again and in any order: on each day
// the version counts that the calendar says, a version never changes or comes twice, and what
// is rated by one stays so.
func TestCardsOfACarrier(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var cards Cards
		var facts []CardFact
		var calendar []published
		shown, newest := "", 0
		price := 0
		publish := func(t *rapid.T) {
			p := published{from: from(t, "from", 1, 2, 5, 10, 10, 20, 30), to: from(t, "to", 0, 0, 1, 2, 5, 10, 15, 20, 40)}
			if from(t, "takes over", 0, 0, 1) > 0 {
				p.from, p.to = 50+newest, 0
			}
			price++
			p.price = price
			card := Card{Carrier: "ACME", Currency: from(t, "currency", "USD", "USD", "USD", "USD", "ZZZ"), From: onDay(p.from), To: onDay(p.to)}
			band := Band{To: from[int64](t, "up to", 100, 100, 100, 100, -1), Flat: int64(p.price), Per: money.MustRate("0")}
			card.Lanes = []Lane{{Bands: []Band{band}}}
			cannotBe := card.Currency == "ZZZ" || p.to != 0 && p.to <= p.from || band.To < 0
			inTheWay := slices.ContainsFunc(calendar, func(o published) bool {
				return (p.to == 0 || o.from < p.to) && (o.to == 0 || p.from < o.to) && p.from <= o.from
			})
			more, err := Publish(cards, card)
			switch {
			case cannotBe != fault.IsKind(err, fault.Invalid), !cannotBe && inTheWay != fault.IsKind(err, fault.Refused), (err == nil) != (len(more) == 1):
				t.Fatalf("%+v beside %+v: %+v %v", p, calendar, more, err)
			case err != nil:
				return
			}
			newest++
			p.version = newest
			if got := more[0].(CardPublished).Card; got.Version != newest {
				t.Fatalf("version %d follows %d", got.Version, newest-1)
			}
			if now := fmt.Sprintf("%+v", cards); shown != "" && now != shown {
				t.Fatalf("publishing changed the old state:\n%s\n%s", shown, now)
			}
			facts = append(facts, more...)
			cards = EvolveCards(cards, more[0])
			shown = fmt.Sprintf("%+v", cards)
			calendar = append(calendar, p)
			calendar = calendar[max(0, len(calendar)-maxCards):] // older ones are not at hand
		}
		t.Repeat(map[string]func(*rapid.T){
			"publish": publish, "publish more": publish,
			"rate": func(t *rapid.T) {
				day := from(t, "day", 1, 2, 4, 5, 9, 10, 14, 15, 19, 20, 39, 40, 51, 60, 100)
				want := published{}
				for _, p := range calendar {
					if p.covers(day) {
						want = p
					}
				}
				s := ship(from[int64](t, "weight", 0, 1, 100))
				s.At = onDay(day)
				if r := Rate(cards, s); r.Version != want.version || r.Total.Minor != int64(want.price) {
					t.Fatalf("on day %d version %d counts at %v, the calendar has %+v of %+v", day, r.Version, r.Total, want, calendar)
				}
				for _, p := range calendar {
					if r := RateAgain(cards, s, p.version); r.Total.Minor != int64(p.price) || r.Version != p.version {
						t.Fatalf("rated again by %+v: %+v", p, r)
					}
				}
			},
			"any fact": func(t *rapid.T) {
				c := EvolveCards(cards, from(t, "fact", append(facts, CardPublished{})...))
				_ = Rate(c, ship(1))
			},
			"": func(t *rapid.T) {
				var again Cards
				for _, f := range facts {
					again = EvolveCards(again, f)
				}
				if now := fmt.Sprintf("%+v", cards); fmt.Sprintf("%+v", again) != now || len(cards.Versions) != len(calendar) {
					t.Fatalf("%s\nthe facts give %+v\nthe calendar has %+v", now, again, calendar)
				}
			},
		})
	})
}
