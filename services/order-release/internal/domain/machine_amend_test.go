package domain

import (
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// amend asks for less of a release, or for something that cannot be had.
func (m *machine) amend(t *rapid.T) {
	release, _ := m.told(t, "PICKED")
	number := m.ledger.sentAs(release)
	cells := m.ledger.cells(number)
	wants, wrong := map[int]int64{}, false
	var lines []LineAmendment
	for range 1 + draw(t, 1, "count") {
		c := &cell{line: 5}
		if len(cells) > 0 && draw(t, 9, "of it") > 0 {
			c = pick(t, "line", cells...)
		}
		to := pick(t, "to", c.live(), c.live()-1, c.picked(), c.picked(), c.picked()-1, 0, c.live()+1)
		q := quantity.Quantity{Value: quantity.Int(to), Unit: pick(t, "unit", "EA", "EA", "EA", "EA", "EA", "EA", "CS")}
		lines = append(lines, LineAmendment{c.line, q})
		_, twice := wants[c.line]
		wrong = wrong || twice || c.line == 5 || q.Unit != "EA" || to < c.picked() || to > c.live() || to < 0
		wants[c.line] = to
	}
	facts, err := m.order.Amend(m.env(), release, lines, "LESS")
	possible := number > 0 && !wrong && slices.Contains(active, m.ledger.state(m.order.Attempt.State == AttemptOpen))
	if number > 0 {
		r, state := m.order.Releases[m.order.releaseIndex(number)], m.ledger.releases[number].state()
		with := []ReleaseState{ReleaseSent, ReleaseAcknowledgedBy, ReleaseInExecution}
		possible = possible && slices.Contains(with, state) && !r.StopAsked && m.ledger.releases[number].amending == nil
		if possible {
			possible = m.ledger.changes(number, wants)
		}
	}
	if possible != (err == nil) {
		t.Fatalf("%v of %s: possible %t, %v", lines, release, possible, err)
	}
	if fault.IsKind(err, fault.Invalid) {
		m.untouched(t, "Amend")
		return
	}
	m.do(t, "Amend", facts, err)
	if err == nil {
		m.ledger.releases[number].amending = wants
	}
}

// changes reports whether quantities are other than what a release stands for, and leave something.
func (g *ledger) changes(release int, wants map[int]int64) bool {
	var changed bool
	var left int64
	for _, c := range g.cells(release) {
		to, asked := wants[c.line]
		if !asked {
			to = c.live()
		}
		changed, left = changed || to != c.live(), left+to
	}
	return changed && left > 0
}

// answer: a warehouse takes off what it was asked to, or goes on with the release as it is, once.
func (m *machine) answer(t *rapid.T, release string) {
	number := m.ledger.sentAs(release)
	version, asked := 2, map[int]int64(nil)
	if number > 0 {
		version = m.order.Releases[m.order.releaseIndex(number)].Amendment.Version - pick(t, "late", 0, 0, 0, 1)
		if version == m.order.Releases[m.order.releaseIndex(number)].Amendment.Version {
			asked = m.ledger.releases[number].amending
		}
	}
	if draw(t, 2, "refused") == 0 {
		facts, err := m.order.AmendmentRefused(m.env(), release, version, []Reason{{Code: "QUANTITY_PICKED"}})
		if (len(facts) > 0) != (asked != nil) {
			t.Fatalf("refused %v of %s: %+v", asked, release, facts)
		}
		m.answered(t, "AmendmentRefused", facts, err)
	} else {
		before := maps.Clone(m.ledger.cancelled)
		want := m.ledger.takeOff(number, asked, m.order)
		facts, err := m.order.Amended(m.env(), release, version)
		m.answered(t, "Amended", facts, err)
		for line, n := range want {
			if m.ledger.cancelled[line]-before[line] != n {
				t.Fatalf("%d of line %d were to be cancelled: %+v", n, line, facts)
			}
		}
		if asked != nil && m.order.Releases[m.order.releaseIndex(number)].Current() != version {
			t.Fatalf("%s has version %d, want %d", release, m.order.Releases[m.order.releaseIndex(number)].Current(), version)
		}
	}
	if asked != nil {
		m.ledger.releases[number].amending = nil
	}
}

// answered is do for an answer to an amendment: what nobody asked for is invalid, and changes nothing.
func (m *machine) answered(t *rapid.T, name string, facts []Fact, err error) {
	if fault.IsKind(err, fault.Invalid) {
		m.untouched(t, name)
		return
	}
	m.do(t, name, facts, err)
}

// takeOff reckons what an amendment takes off: no more than is there and not picked.
func (g *ledger) takeOff(release int, asked map[int]int64, o Order) map[int]int64 {
	off := map[int]int64{}
	if asked == nil {
		return off
	}
	for _, a := range o.Releases[o.releaseIndex(release)].Amendment.Lines {
		c := g.cell(release, a.Line)
		if n := min(whole(a.From)-asked[a.Line], c.live()-c.picked()); n > 0 {
			off[a.Line], c.cancelled = n, c.cancelled+n
		}
	}
	return off
}

// TestFreezePoint: until when a release may be amended is what its channel says.
func TestFreezePoint(t *testing.T) {
	states := []func(p *play){
		func(*play) {},
		func(p *play) { p.do(p.order.Acknowledge(p.env(), p.r(1), "who_1")) },
		func(p *play) { p.do(p.order.Picked(p.env(), p.r(1), lines(1, 2))) },
	}
	for point, open := range map[FreezePoint][]bool{
		FreezePicked: {true, true, true}, FreezeFirstPick: {true, true, false}, FreezeAcknowledged: {true, false, false},
		FreezeReleased: {false, false, false}, "": {true, true, true},
	} {
		p := newPlay(t, Partial, Automatic, 5)
		p.promise(map[string]int{"i1": 5})
		e := p.env()
		e.Freeze = func(Header, string) FreezePoint { return point }
		for n, step := range states {
			step(p)
			facts, err := p.order.Amend(e, p.r(1), []LineAmendment{{1, ea(3)}}, "LESS")
			if f, _ := fault.As(err); open[n] != (err == nil) || err != nil && (f.Reason != "AMENDMENT_FROZEN" || f.Metadata["freeze_point"] != string(point)) {
				t.Errorf("%q after step %d: %v %v", point, n, facts, err)
			}
		}
	}
}

// TestAmendment: what is taken off is cancelled, the release has one version more, and all that is
// wrong with a request is said at once.
func TestAmendment(t *testing.T) {
	p := newPlay(t, Partial, Automatic, 10, 4)
	facts, err := p.order.Amend(p.env(), p.r(1), []LineAmendment{{1, ea(8)}}, "LESS")
	p.refused("RELEASE_NOT_AMENDABLE", facts, err)
	p.promise(map[string]int{"i1": 10, "i2": 4})
	p.do(p.order.Picked(p.env(), p.r(1), lines(1, 3)))
	half := quantity.Quantity{Value: quantity.MustParse("3.5"), Unit: "EA"}
	_, err = p.order.Amend(p.env(), p.r(1), []LineAmendment{{1, ea(2)}, {2, ea(5)}, {7, ea(1)}, {2, half}}, "LESS")
	f, _ := fault.As(err)
	var got []string
	for _, x := range f.Fields {
		got = append(got, x.Path+" "+x.Reason)
	}
	want := []string{"lines[0].quantity QUANTITY_PICKED", "lines[1].quantity QUANTITY_RAISED", "lines[2].line_number LINE_UNKNOWN", "lines[3].quantity QUANTITY_INVALID"}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	for reason, lines := range map[string][]LineAmendment{"NOTHING_AMENDED": {{1, ea(10)}}, "NOTHING_LEFT": {{1, ea(0)}, {2, ea(0)}}} {
		q := newPlay(t, Partial, Automatic, 10, 4)
		q.promise(map[string]int{"i1": 10, "i2": 4})
		facts, err := q.order.Amend(q.env(), q.r(1), lines, "LESS")
		q.refused(reason, facts, err)
	}
	p.facts = nil
	p.do(p.order.Amend(p.env(), p.r(1), []LineAmendment{{1, ea(8)}, {2, ea(0)}}, "LESS"))
	facts, err = p.order.Amend(p.env(), p.r(1), []LineAmendment{{1, ea(7)}}, "LESS")
	p.refused("AMENDMENT_OPEN", facts, err)
	p.do(p.order.AmendmentRefused(p.env(), p.r(1), 2, []Reason{{"QUANTITY_CHANGED", "lines.1", "9"}}))
	p.do(p.order.Amend(p.env(), p.r(1), []LineAmendment{{1, ea(8)}, {2, ea(0)}}, "LESS"))
	p.do(p.order.Amended(p.env(), p.r(1), 2))
	p.do(p.order.Amended(p.env(), p.r(1), 2)) // told twice
	p.want(InExecution, "AmendmentAsked", "AmendmentRefused", "AmendmentAsked", "ReleaseAmended", "RemainderCancelled")
	q := p.order.Quantities()
	if r := p.order.Releases[0]; r.Current() != 2 || r.Version != 1 || q[0].Released != quantity.Int(8) || q[0].Cancelled != quantity.Int(2) || q[1].Cancelled != quantity.Int(4) {
		t.Errorf("%+v %+v", r, q)
	}
	p.do(p.order.Picked(p.env(), p.r(1), lines(1, 5)))
	p.do(p.order.Issued(p.env(), p.r(1), lines(1, 8)))
	p.want(Fulfilled, "LinesPicked", "LinesIssued", "OrderFulfilled")
}
