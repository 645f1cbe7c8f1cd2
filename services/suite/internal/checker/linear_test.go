package checker

import (
	"fmt"
	"testing"
	"time"

	"github.com/lockstep-logistics/lockstep/services/suite/internal/history"
)

const adjustMethod = "/lockstep.inventorymovement.v1.InventoryMovementService/AdjustStock"

// say makes an entry of a history: when it was sent and answered, and what.
func say(client int, from, to time.Duration, key, change, reason, answer string) *history.Entry {
	e := &history.Entry{
		Client: client, Tenant: "t", Principal: "p", Key: key, Method: adjustMethod, Call: from, Return: to,
		Request: fmt.Appendf(nil, `{"site":"DC1", "sku":"A", "location":"C-01", "change":{"value":%q,"unit":"EA"}, "reason":%q}`, change, reason),
	}
	switch answer {
	case unknown:
		e.Outcome, e.Return = history.Unknown, 0
	case keyReused, insufficient, inProgress:
		e.Outcome, e.Code = history.Refused, answer
	default:
		e.Outcome, e.Response = history.OK, fmt.Appendf(nil, `{"receipt":{"id":"stk_a","etag":%q}}`, answer)
	}
	return e
}

func TestKeys(t *testing.T) {
	key := func(client int, from, to time.Duration, body, answer string) *history.Entry {
		return say(client, from, to, "k", body, reasonKey, answer)
	}
	for _, c := range []struct {
		name string
		bad  bool
		of   []*history.Entry
	}{
		{"one answer for all", false, []*history.Entry{key(1, 0, 5, "1", "7"), key(2, 1, 4, "1", "7"), key(3, 9, 10, "1", "7")}},
		{"two effects", true, []*history.Entry{key(1, 0, 5, "1", "7"), key(2, 1, 4, "1", "8")}},
		{"two effects, one after the other", true, []*history.Entry{key(1, 0, 1, "1", "7"), key(2, 2, 3, "1", "8")}},
		{"another request refused", false, []*history.Entry{key(1, 0, 5, "1", "7"), key(2, 1, 4, "2", keyReused)}},
		{"another request accepted", true, []*history.Entry{key(1, 0, 5, "1", "7"), key(2, 6, 7, "2", "8")}},
		{"refused for nothing", true, []*history.Entry{key(1, 0, 1, "2", keyReused), key(2, 2, 3, "1", "7")}},
		{"refused for itself", true, []*history.Entry{key(1, 0, 1, "1", "7"), key(2, 2, 3, "1", keyReused)}},
		{"refused while the first was under way", false, []*history.Entry{key(1, 0, 9, "1", "7"), key(2, 1, 2, "2", keyReused), key(3, 3, 4, "1", "7")}},
		{"the outcome of the first is unknown", false, []*history.Entry{key(1, 0, 0, "1", unknown), key(2, 5, 6, "2", keyReused), key(3, 7, 8, "1", "7")}},
		{"the first came to nothing", false, []*history.Entry{key(1, 0, 0, "1", unknown), key(2, 5, 6, "2", "7"), key(3, 7, 8, "1", keyReused)}},
		{"the first came late, the second counts too", true, []*history.Entry{key(1, 0, 0, "1", unknown), key(2, 5, 6, "2", "7"), key(3, 7, 8, "1", "9")}},
		{"another under way proves nothing", true, []*history.Entry{key(1, 0, 9, "1", keyReused), key(2, 1, 2, "2", keyReused), key(3, 3, 4, "2", "7")}},
		{"under way", false, []*history.Entry{key(1, 0, 9, "1", "7"), key(2, 1, 2, "1", inProgress)}},
		{"forgotten", true, []*history.Entry{key(1, 0, 1, "1", "7"), key(2, 2, 3, "2", "8"), key(3, 4, 5, "2", "8")}},
	} {
		r := &Report{}
		Keys(c.of, r)
		if r.Has("I1") != c.bad {
			t.Errorf("%s: %v", c.name, r.Violations)
		}
	}
}

func TestStocks(t *testing.T) {
	n := 0
	move := func(from, to time.Duration, change, answer string) *history.Entry {
		n++
		return say(n, from, to, fmt.Sprint("k", n), change, reasonStock, answer)
	}
	for _, c := range []struct {
		name string
		bad  bool
		of   []*history.Entry
	}{
		{"enough", false, []*history.Entry{move(0, 1, "5", "1"), move(2, 3, "-5", "2")}},
		{"oversold", true, []*history.Entry{move(0, 1, "5", "1"), move(2, 6, "-3", "2"), move(3, 5, "-3", "3")}},
		{"one of two is refused", false, []*history.Entry{move(0, 1, "5", "1"), move(2, 6, "-3", "2"), move(3, 5, "-3", insufficient)}},
		{"refused although it was there", true, []*history.Entry{move(0, 1, "5", "1"), move(2, 3, "-5", insufficient)}},
		{"refused before it was there", false, []*history.Entry{move(0, 9, "5", "1"), move(2, 3, "-5", insufficient)}},
		{"taken before it was there", true, []*history.Entry{move(2, 3, "-1", "1"), move(4, 5, "5", "2")}},
		{"an unknown receipt was one", false, []*history.Entry{move(0, 0, "5", unknown), move(9, 10, "-5", "2")}},
		{"an unknown receipt was none", false, []*history.Entry{move(0, 0, "5", unknown), move(9, 10, "-5", insufficient)}},
		{"an unknown receipt counts once", true, []*history.Entry{move(0, 0, "5", unknown), move(9, 10, "-5", "2"), move(11, 12, "-5", "3")}},
		{"lost after it was acknowledged", true, []*history.Entry{move(0, 1, "5", "1"), move(2, 3, "-1", "2"), move(4, 5, "-4", insufficient)}},
	} {
		r := &Report{}
		Stocks(c.of, r)
		if r.Has("I2") != c.bad {
			t.Errorf("%s: %v", c.name, r.Violations)
		}
	}
}

// TestManyAtOnce: a hundred commands of ten clients, a tenth of them unknown, are decided.
func TestManyAtOnce(t *testing.T) {
	var of []*history.Entry
	q := 0
	for i := range 100 {
		from := time.Duration(i * 10)
		change, answer := "-1", fmt.Sprint(i)
		switch {
		case i%10 == 0:
			change, answer = "1", unknown
		case i%2 == 0:
			change = "1"
			q++
		case q == 0:
			answer = insufficient
		default:
			q--
		}
		of = append(of, say(i%10, from, from+85, fmt.Sprint("k", i), change, reasonStock, answer))
	}
	r := &Report{}
	Stocks(of, r)
	if len(r.Violations) > 0 || len(r.Undecided) > 0 {
		t.Errorf("%+v", r)
	}
}
