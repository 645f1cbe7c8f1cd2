package domain

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// shelves are a site's bins as a decision sees them.
type shelves struct {
	of map[int][]string
	in map[string][]BinGoods
}

func (s shelves) Of(rule int) ([]string, error)     { return s.of[rule], nil }
func (s shelves) In(bin string) ([]BinGoods, error) { return s.in[bin], nil }
func always(int, PutawayGoods) (bool, error)        { return true, nil }
func teaIn(q int64) BinGoods                        { return BinGoods{"itm_tea", "L1", n(q), n(500)} }

func potsIn(q int64) BinGoods { return BinGoods{"itm_pot", "", n(q), n(2000)} }

func ruled(name string, s PutawayStrategy) PutawayRule  { return PutawayRule{Name: name, Strategy: s} }
func limited(r PutawayRule, pieces int64) PutawayRule   { r.Limit.Quantity = n(pieces); return r }
func weighing(r PutawayRule, grams int64) PutawayRule   { r.Limit.Weight = n(grams); return r }
func single(r PutawayRule) PutawayRule                  { r.Limit.SingleItem = true; return r }
func forStatus(r PutawayRule, s ...Status) PutawayRule  { r.Statuses = s; return r }
func where(r PutawayRule, condition string) PutawayRule { r.Condition = condition; return r }
func rulesOf(all ...PutawayRule) PutawayBook            { return PutawayBook{Version: 3, List: all, Fits: always} }

func proposal(t ProposedTask) (out []string) {
	for _, p := range t.Parts {
		out = append(out, fmt.Sprintf("%s %s by %s", p.Quantity, p.Bin, p.Rule))
	}
	for _, c := range t.Considered {
		out = append(out, strings.TrimSuffix(fmt.Sprintf("%s %s: %s", c.Rule, c.Outcome, c.Message), ": "))
	}
	if !t.Unplaced.IsZero() {
		out = append(out, t.Unplaced.String()+" left")
	}
	return out
}

func cartonsOfTea(q int64, s Status) PutawayGoods {
	it := teaIt
	it.Weight = n(500)
	return PutawayGoods{Keys: InboundKeys{ID: "asn_a", Site: "DC1"}, Task: 1, Item: it, Place: Place{Location: "IN-1", Lot: "L1", Status: s}, Quantity: n(q)}
}

func TestPropose(t *testing.T) {
	here := shelves{
		of: map[int][]string{0: {"A-1", "A-2", "A-10"}, 1: {"B-1"}},
		in: map[string][]BinGoods{"A-1": {potsIn(3)}, "A-2": {teaIn(4)}},
	}
	kept := PutawayPlan{Tasks: []PlannedTask{{Delivery: "asn_x", Number: 1, Item: "itm_tea", Lot: "L1", Weight: n(500), Bins: []KeptBin{{Bin: "A-10", Quantity: n(6), Done: n(1)}}}}}
	undecided := rulesOf(where(ruled("u", NearestBin), "c"), ruled("b", NearestBin))
	undecided.Fits = func(i int, _ PutawayGoods) (bool, error) { return i > 0, errors.New("why") }
	other := rulesOf(where(ruled("o", NearestBin), "c"), ruled("b", NearestBin))
	other.Fits = func(i int, _ PutawayGoods) (bool, error) { return i > 0, nil }
	unknown := cartonsOfTea(5, Available)
	unknown.Item.Weight = quantity.Decimal{}
	standing := cartonsOfTea(5, Available)
	standing.Place.Location = "A-1"
	for name, c := range map[string]struct {
		plan  PutawayPlan
		book  PutawayBook
		goods PutawayGoods
		want  []string
	}{
		"nearest":                  {PutawayPlan{}, rulesOf(ruled("a", NearestBin)), cartonsOfTea(5, Available), []string{"5 A-1 by a", "a CHOSEN"}},
		"nearest of one item":      {PutawayPlan{}, rulesOf(single(ruled("a", NearestBin))), cartonsOfTea(5, Available), []string{"5 A-2 by a", "a CHOSEN"}},
		"same lot":                 {PutawayPlan{}, rulesOf(ruled("a", SameLot)), cartonsOfTea(5, Available), []string{"5 A-2 by a", "a CHOSEN"}},
		"same lot on its way":      {kept, rulesOf(limited(ruled("a", SameLot), 4)), cartonsOfTea(5, Available), []string{"a NO_ROOM", "5 left"}},
		"empty":                    {PutawayPlan{}, rulesOf(ruled("a", EmptyBin)), cartonsOfTea(5, Available), []string{"5 A-10 by a", "a CHOSEN"}},
		"empty, but kept":          {kept, rulesOf(ruled("a", EmptyBin), ruled("b", NearestBin)), cartonsOfTea(5, Available), []string{"5 B-1 by b", "a NO_BIN", "b CHOSEN"}},
		"what fits, then the next": {PutawayPlan{}, rulesOf(limited(ruled("a", SameLot), 6), ruled("b", FixedBins)), cartonsOfTea(5, Available), []string{"2 A-2 by a", "3 B-1 by b", "a PARTLY", "b CHOSEN"}},
		"several bins":             {PutawayPlan{}, rulesOf(limited(ruled("a", NearestBin), 6)), cartonsOfTea(20, Available), []string{"3 A-1 by a", "2 A-2 by a", "6 A-10 by a", "a PARTLY", "9 left"}},
		"what is kept counts":      {kept, rulesOf(limited(ruled("a", NearestBin), 6)), cartonsOfTea(20, Available), []string{"3 A-1 by a", "2 A-2 by a", "1 A-10 by a", "a PARTLY", "14 left"}},
		"for no rule":              {PutawayPlan{}, rulesOf(ruled("x", SameLot), ruled("b", FixedBins)), cartonsOfTea(5, QI), []string{"x STATUS", "b STATUS", "5 left"}},
		"weight":                   {PutawayPlan{}, rulesOf(weighing(ruled("a", NearestBin), 3200)), cartonsOfTea(5, Available), []string{"2 A-2 by a", "3 A-10 by a", "a CHOSEN"}},
		"weight not known":         {PutawayPlan{}, rulesOf(weighing(ruled("a", EmptyBin), 3200)), unknown, []string{"a WEIGHT_UNKNOWN", "5 left"}},
		"status":                   {PutawayPlan{}, rulesOf(ruled("a", NearestBin), forStatus(ruled("b", FixedBins), QI, Blocked)), cartonsOfTea(5, QI), []string{"5 B-1 by b", "a STATUS", "b CHOSEN"}},
		"condition":                {PutawayPlan{}, other, cartonsOfTea(5, Available), []string{"5 B-1 by b", "o CONDITION", "b CHOSEN"}},
		"cannot be decided":        {PutawayPlan{}, undecided, cartonsOfTea(5, Available), []string{"5 B-1 by b", "u UNDECIDED: why", "b CHOSEN"}},
		"not where they stand":     {PutawayPlan{}, rulesOf(single(ruled("a", NearestBin))), standing, []string{"5 A-2 by a", "a CHOSEN"}},
		"a rule without bins":      {PutawayPlan{}, rulesOf(forStatus(ruled("a", NearestBin), QI), forStatus(ruled("b", NearestBin), QI), ruled("c", NearestBin)), cartonsOfTea(1, Available), []string{"a STATUS", "b STATUS", "c NO_BIN", "1 left"}},
	} {
		got, err := c.plan.Propose(c.book, c.goods, here)
		if err != nil || !slices.Equal(proposal(got), c.want) {
			t.Errorf("%s: %q, %v, want %q", name, proposal(got), err, c.want)
		}
	}
}

func TestCheckPutawayRules(t *testing.T) {
	kinds := map[string]PlaceKind{"Z": ZonePlace, "B-1": BinPlace}
	compile := func(c string) error {
		if c == "bad" {
			return errors.New("line 1")
		}
		return nil
	}
	good := PutawayRule{Name: "a", Zone: "Z", Strategy: NearestBin}
	if err := CheckPutawayRules([]PutawayRule{good, {Name: "b", Bins: []string{"B-1"}, Strategy: FixedBins, Condition: "good"}}, kinds, compile); err != nil {
		t.Error(err)
	}
	err := CheckPutawayRules([]PutawayRule{
		good,
		{Name: "a", Condition: "bad", Strategy: NearestBin},
		{Name: "c", Zone: "B-1", Strategy: FixedBins},
		{Name: "d", Zone: "Z", Bins: []string{"B-1", "B-9"}},
	}, kinds, compile)
	f, ok := fault.As(err)
	if !ok || f.Kind != fault.Invalid {
		t.Fatal(err)
	}
	var got []string
	for _, x := range f.Fields {
		got = append(got, x.Path+" "+x.Reason)
	}
	want := []string{
		"rules[1].name RULE_NAME_DUPLICATE", "rules[1].condition CONDITION_INVALID", "rules[1].zone PUTAWAY_DESTINATION_INVALID",
		"rules[2].bins PUTAWAY_DESTINATION_INVALID", "rules[2].zone ZONE_UNKNOWN", "rules[3].bins PUTAWAY_DESTINATION_INVALID", "rules[3].bins[1] BIN_UNKNOWN",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	many := make([]PutawayRule, maxPutawayRules+1)
	for i := range many {
		many[i] = good
		many[i].Name = fmt.Sprint(i)
	}
	if f, ok := fault.As(CheckPutawayRules(many, kinds, compile)); !ok || len(f.Fields) != 1 || f.Fields[0].Reason != "PUTAWAY_RULES_FULL" {
		t.Errorf("too many: %v", f)
	}
}

func TestVersionsOfPutawayRules(t *testing.T) {
	first := PutawayRules{Site: "DC1", List: []PutawayRule{ruled("a", NearestBin)}}
	r := EvolvePutawayRules(PutawayRules{}, SetPutawayRules(PutawayRules{}, first)[0])
	if r.Version != 1 || len(SetPutawayRules(r, first)) != 0 {
		t.Errorf("version %d, and the same again is another", r.Version)
	}
	if next := SetPutawayRules(r, PutawayRules{Site: "DC1"}); len(next) != 1 || next[0].Rules.Version != 2 {
		t.Errorf("none any more: %v", next)
	}
}

// TestConfirmPutawayByProposal: without a location to where it was proposed, with one an override.
func TestConfirmPutawayByProposal(t *testing.T) {
	d := ApplyInbound(Inbound{}, GoodsReceived{InboundKeys: InboundKeys{ID: "asn_a", Site: "DC1"}, Parts: []Part{{
		Line: 100001, Item: "itm_tea", SKU: "TEA", Unit: "EA", Quantity: n(10), Place: Place{Location: "IN-1", Status: Available},
	}}})
	plan := EvolvePutaways(PutawayPlan{}, PutawayProposed{InboundKeys: d.Keys, Tasks: []ProposedTask{{
		Task: 1, Item: "itm_tea", Parts: []BinPart{{"B-1", "r", n(4)}, {"B-2", "s", n(3)}}, Unplaced: n(3),
	}}})
	put := func(location string, q int64) (string, error) {
		facts, err := ConfirmPutaway(d, 1, location, n(q), plan.Parts(d, 1), noon)
		d = ApplyInbound(d, facts...)
		var moves []string
		for _, f := range facts {
			for _, m := range f.(PutawayConfirmed).Moves {
				moves = append(moves, strings.TrimSpace(fmt.Sprintf("%s %s %s", m.Quantity, m.To.Location, m.Proposed)))
			}
		}
		return strings.Join(moves, ", "), err
	}
	if got, err := put("", 5); err != nil || got != "4 B-1 B-1, 1 B-2 B-2" {
		t.Error(got, err)
	}
	// The plan has not heard of it yet, and still nothing goes to B-1 again.
	if _, err := put("", 3); faultReason(err) != "PUTAWAY_UNPROPOSED" {
		t.Error(err)
	}
	if got, err := put("B-9", 1); err != nil || got != "1 B-9 B-2" {
		t.Error(got, err)
	}
	if got, err := put("", 0); err != nil || got != "1 B-2 B-2" {
		t.Error(got, err)
	}
	if _, err := put("", 0); faultReason(err) != "PUTAWAY_LOCATION_REQUIRED" {
		t.Error(err)
	}
	if got, err := put("B-9", 0); err != nil || got != "3 B-9" {
		t.Error(got, err)
	}
	if len(d.Overrides) != 1 || d.Overrides[0].Proposed != "B-2" || d.Overrides[0].Location != "B-9" || d.Overrides[0].Rule != "s" || len(d.Taken) != 0 || d.State() != StoredAway {
		t.Errorf("%+v", d)
	}
}

func faultReason(err error) string {
	f, ok := fault.As(err)
	if !ok {
		return ""
	}
	return f.Reason
}

// putawayMachine receives, inspects and puts away goods of two deliveries at random, by the rules
// and against them. Bins take at most so many pieces, of one item.
type putawayMachine struct {
	plan      PutawayPlan
	d         map[string]Inbound
	stocks    map[string]Stock
	booked    map[string][]PutawayConfirmed // confirmed, and the plan has not heard of it
	rules     PutawayBook
	retired   string
	elsewhere map[string]bool // bins that people filled against the proposals
}

const binTakes = 7

func newPutawayMachine(t *rapid.T) *putawayMachine {
	strategies := []PutawayStrategy{FixedBins, SameLot, EmptyBin, NearestBin}
	m := &putawayMachine{d: map[string]Inbound{}, stocks: map[string]Stock{}, booked: map[string][]PutawayConfirmed{}, elsewhere: map[string]bool{}}
	for i := range rapid.IntRange(1, 4).Draw(t, "rules") {
		r := PutawayRule{Name: fmt.Sprint(i), Strategy: rapid.SampledFrom(strategies).Draw(t, "strategy"), Limit: BinLimit{Quantity: n(binTakes), SingleItem: true}}
		if rapid.IntRange(0, 2).Draw(t, "inspected") == 0 {
			r.Statuses = []Status{QI, Blocked}
		}
		m.rules.List = append(m.rules.List, r)
	}
	m.rules.Version, m.rules.Fits = 1, always
	return m
}

// Of implements Bins: each rule has bins of its own and shares one with the next.
func (m *putawayMachine) Of(rule int) (out []string, _ error) {
	for i := range 3 {
		if bin := fmt.Sprintf("B-%d", rule*2+i); bin != m.retired {
			out = append(out, bin)
		}
	}
	return out, nil
}

// In implements Bins.
func (m *putawayMachine) In(bin string) (out []BinGoods, _ error) {
	for _, item := range []string{"itm_pot", "itm_tea"} {
		out = append(out, m.stocks[item].InBin(bin, quantity.Decimal{})...)
	}
	return out, nil
}

func (m *putawayMachine) delivery(t *rapid.T) string {
	return rapid.SampledFrom([]string{"asn_a", "asn_b"}).Draw(t, "delivery")
}

func (m *putawayMachine) receive(t *rapid.T) {
	id := m.delivery(t)
	if m.d[id].Keys.ID == "" {
		m.d[id] = Inbound{Keys: InboundKeys{ID: id, Site: "DC1", Owner: OwnStock}}
	}
	g := Arrival{
		Item: rapid.SampledFrom([]Item{teaIt, potIt}).Draw(t, "item"), Place: Place{Location: "IN-1"},
		Quantity: quantity.Quantity{Value: n(rapid.Int64Range(1, 12).Draw(t, "pieces")), Unit: "EA"},
	}
	facts, err := TakeGoods(m.d[id], InboundReport{Goods: []Arrival{g}, Inspect: rapid.Bool().Draw(t, "inspect"), At: noon})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range facts {
		for _, p := range f.(GoodsReceived).Parts {
			key := StockKey{ID: "stk_" + p.Item, Site: "DC1", Item: p.Item, SKU: p.SKU, Owner: OwnStock, Unit: p.Unit}
			booked, err := Received(m.stocks[p.Item], key, p.Place, p.Quantity, "ASN", noon)
			if err != nil {
				t.Fatal(err)
			}
			m.stocks[p.Item] = ApplyStock(m.stocks[p.Item], booked...)
		}
	}
	m.d[id] = ApplyInbound(m.d[id], facts...)
	m.propose(t, id)
}

func (m *putawayMachine) propose(t *rapid.T, id string) {
	for _, g := range m.plan.Wanting(m.d[id], map[string]Item{"itm_tea": teaIt, "itm_pot": potIt}) {
		found, err := m.plan.Propose(m.rules, g, m)
		again, _ := m.plan.Propose(m.rules, g, m)
		if err != nil || !reflect.DeepEqual(found, again) {
			t.Fatalf("%v, %v, again %v", found, err, again)
		}
		sum := found.Unplaced
		for _, p := range found.Parts {
			if sum = sum.Add(p.Quantity); p.Bin == m.retired || p.Quantity.Sign() <= 0 {
				t.Fatalf("%+v is proposed", p)
			}
		}
		if !sum.Equal(g.Quantity) {
			t.Fatalf("%s found for %s", sum, g.Quantity)
		}
		m.plan = EvolvePutaways(m.plan, PutawayProposed{InboundKeys: m.d[id].Keys, Tasks: []ProposedTask{found}})
	}
}

func (m *putawayMachine) confirm(t *rapid.T) {
	id := m.delivery(t)
	d := m.d[id]
	task := rapid.IntRange(1, max(1, d.LastTask)).Draw(t, "task")
	location := rapid.SampledFrom([]string{"", "", "", "X-1", "B-1"}).Draw(t, "location")
	facts, err := ConfirmPutaway(d, task, location, n(rapid.Int64Range(0, 5).Draw(t, "pieces")), m.plan.Parts(d, task), noon)
	if err != nil {
		return
	}
	if location != "" {
		m.elsewhere[location] = true
	}
	m.d[id] = ApplyInbound(d, facts...)
	m.booked[id] = append(m.booked[id], facts[0].(PutawayConfirmed))
}

// hear has the plan hear of a put-away once it is booked.
func (m *putawayMachine) hear(t *rapid.T) {
	id := m.delivery(t)
	if len(m.booked[id]) == 0 {
		return
	}
	f := m.booked[id][0]
	m.booked[id] = m.booked[id][1:]
	m.settle(t, id, f.Moves, PutAway)
}

func (m *putawayMachine) settle(t *rapid.T, id string, moves []InboundMove, kind MovementType) {
	for _, x := range moves {
		s := m.stocks[x.Item]
		m.stocks[x.Item] = ApplyStock(s, TakeInbound(s, s.Key, x, kind, "ASN", noon)...)
	}
	m.plan = ApplyPutaways(m.plan, SettlePutaways(m.plan, m.d[id], moves, kind == PutAway)...)
	m.propose(t, id)
}

func (m *putawayMachine) inspect(t *rapid.T) {
	id := m.delivery(t)
	if len(m.booked[id]) > 0 || len(m.d[id].Lines) == 0 {
		return // facts of one delivery are heard of in their order
	}
	line := rapid.SampledFrom(m.d[id].Lines).Draw(t, "line").Number
	facts, err := Inspect(m.d[id], line, "", Some{Quantity: n(rapid.Int64Range(0, 4).Draw(t, "good"))}, Some{Quantity: n(rapid.Int64Range(0, 2).Draw(t, "bad"))}, noon)
	if err != nil {
		return
	}
	m.d[id] = ApplyInbound(m.d[id], facts...)
	m.settle(t, id, facts[0].(InspectionRecorded).Moves, StatusChange)
}

func (m *putawayMachine) retire(t *rapid.T) {
	m.retired = rapid.SampledFrom([]string{"", "B-0", "B-2", "B-5"}).Draw(t, "bin")
}

// check: no bin that people left to the rules ever has, or will have, more than it takes or two items.
func (m *putawayMachine) check(t *rapid.T) {
	for i := range 10 {
		bin := fmt.Sprintf("B-%d", i)
		in, _ := m.In(bin)
		in = append(in, m.plan.keptIn(bin)...)
		var sum quantity.Decimal
		for _, x := range in {
			if sum = sum.Add(x.Quantity); x.Item != in[0].Item && !m.elsewhere[bin] {
				t.Fatalf("two items in %s: %+v", bin, in)
			}
		}
		if n(binTakes).Less(sum) && !m.elsewhere[bin] {
			t.Fatalf("%s in %s: %+v", sum, bin, in)
		}
	}
	for _, task := range m.plan.Tasks {
		for _, b := range task.Bins {
			if b.kept().Sign() < 0 || b.Done.Sign() < 0 {
				t.Fatalf("kept %+v", task)
			}
		}
		if s, err := m.d[task.Delivery].Task(task.Number); err == nil && len(m.booked[task.Delivery]) == 0 && s.Quantity.Less(task.kept()) {
			t.Fatalf("%+v keeps more than stands: %+v", task, s)
		}
		if _, err := m.d[task.Delivery].Task(task.Number); err != nil && len(m.booked[task.Delivery]) == 0 {
			t.Fatalf("%+v is over", task)
		}
	}
}

func TestPutawayMachine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newPutawayMachine(t)
		t.Repeat(map[string]func(*rapid.T){"receive": m.receive, "confirm": m.confirm, "hear": m.hear, "inspect": m.inspect, "retire": m.retire, "": m.check})
	})
}
