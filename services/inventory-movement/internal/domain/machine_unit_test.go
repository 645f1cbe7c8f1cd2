package domain

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/lockstep-logistics/lockstep/libs/fault"
)

// unitMachine drives some units. A nesting and an unnesting have steps at two units: each may be
// taken late, and again, as by another caller or after a crash; the outcome of a step stands.
type unitMachine struct {
	units map[string]HandlingUnit
	names []string
	steps []func(t *rapid.T)
	kept  map[string]error            // outcome of a step by its key
	taken map[string]func(t *rapid.T) // how the last nesting of a unit goes on: before what happened to it later
}

func (m *unitMachine) change(t *rapid.T, name string, decide func(HandlingUnit) ([]UnitFact, error)) error {
	u := m.units[name]
	facts, err := decide(u)
	if err != nil && (len(facts) > 0 || !fault.IsKind(err, fault.Refused)) {
		t.Fatalf("%v with %v", err, facts)
	}
	m.units[name] = ApplyUnit(u, facts...)
	return err
}

// once takes a step under a key.
func (m *unitMachine) once(t *rapid.T, key, name string, decide func(HandlingUnit) ([]UnitFact, error)) error {
	err, done := m.kept[key]
	if !done {
		err = m.change(t, name, decide)
		m.kept[key] = err
	}
	return err
}

func (m *unitMachine) later(step func(t *rapid.T)) { m.steps = append(m.steps, step) }

func (m *unitMachine) any(t *rapid.T, label string) string {
	return rapid.SampledFrom(m.names).Draw(t, label)
}

func (m *unitMachine) nest(t *rapid.T) {
	child, parent := m.any(t, "child"), m.any(t, "parent")
	var asked NestRequested
	err := m.change(t, child, func(u HandlingUnit) ([]UnitFact, error) {
		facts, err := RequestNest(u, m.units[parent], t0)
		if err == nil {
			asked = facts[0].(NestRequested)
		}
		return facts, err
	})
	if err != nil {
		return
	}
	key := fmt.Sprint(child, asked.Attempt)
	m.taken[child] = func(t *rapid.T) {
		refused := m.once(t, key+"take", parent, func(u HandlingUnit) ([]UnitFact, error) { return TakeChild(u, child, asked.Attempt, asked.Level) })
		if refused != nil {
			m.later(func(t *rapid.T) {
				_ = m.once(t, key+"refuse", child, func(u HandlingUnit) ([]UnitFact, error) { return RefuseNest(u, parent, asked.Attempt, "X"), nil })
			})
		}
	}
	m.later(m.taken[child])
}

func (m *unitMachine) unnest(t *rapid.T) {
	parent := m.any(t, "parent")
	if len(m.units[parent].Children) == 0 {
		return
	}
	c := rapid.SampledFrom(m.units[parent].Children).Draw(t, "child")
	before := m.units[parent].Stands
	if m.change(t, parent, func(u HandlingUnit) ([]UnitFact, error) { return Unnest(u, c.SSCC, t0) }) != nil {
		return
	}
	m.later(func(t *rapid.T) {
		_ = m.once(t, fmt.Sprint(c.SSCC, c.Attempt, "free"), c.SSCC, func(u HandlingUnit) ([]UnitFact, error) { return Free(u, parent, c.Attempt), nil })
	})
	m.left(parent, before)
}

// left tells the unit that one is in that it left, if it did.
func (m *unitMachine) left(name string, before UnitState) {
	u := m.units[name]
	if before == UnitIssued || u.Stands != UnitIssued || u.Parent == "" {
		return
	}
	m.later(func(t *rapid.T) {
		m.taken[name](t)
		was := m.units[u.Parent].Stands
		_ = m.change(t, u.Parent, func(p HandlingUnit) ([]UnitFact, error) { return TakeChildIssue(p, name, t0), nil })
		m.left(u.Parent, was)
	})
}

func (m *unitMachine) simple(decide func(HandlingUnit) ([]UnitFact, error)) func(t *rapid.T) {
	return func(t *rapid.T) {
		name := m.any(t, "unit")
		before := m.units[name].Stands
		_ = m.change(t, name, decide)
		m.left(name, before)
	}
}

// step takes any step that is open, or one that was taken before again.
func (m *unitMachine) step(t *rapid.T) {
	if len(m.steps) == 0 {
		return
	}
	i := rapid.IntRange(0, len(m.steps)-1).Draw(t, "step")
	step := m.steps[i]
	if !rapid.Bool().Draw(t, "again") {
		m.steps = slices.Delete(m.steps, i, i+1)
	}
	step(t)
}

func (m *unitMachine) check(t *rapid.T) {
	in := map[string]string{}
	for _, name := range m.names {
		u := m.units[name]
		for _, c := range u.Children {
			if other, twice := in[c.SSCC]; twice {
				t.Fatalf("%s is in %s and in %s", c.SSCC, other, name)
			}
			in[c.SSCC] = name
			child := m.units[c.SSCC]
			if child.Parent != name || child.Attempt != c.Attempt {
				t.Fatalf("%s has %s, which is in %q", name, c.SSCC, child.Parent)
			}
			if child.Level >= u.Level || child.Stands == UnitVoid {
				t.Fatalf("%s of level %d, %s, is in %s of level %d", c.SSCC, child.Level, child.Stands, name, u.Level)
			}
		}
		if u.Stands == UnitVoid && (len(u.Children) > 0 || len(u.Content) > 0) {
			t.Fatalf("%s is void and holds something", name)
		}
	}
	for _, name := range m.names {
		steps := 0
		for at := name; at != ""; at = in[at] {
			if steps++; steps > len(m.names) {
				t.Fatalf("%s is in itself", name)
			}
		}
	}
	m.contents(t)
}

// tree is a unit and all in it, each behind the one that it is in.
func (m *unitMachine) tree(name string) []HandlingUnit {
	out := []HandlingUnit{m.units[name]}
	for at := 0; at < len(out); at++ {
		for _, c := range out[at].Children {
			out = append(out, m.units[c.SSCC])
		}
	}
	return out
}

// contents: what a unit holds in all is what it holds itself and the sum of what its units hold in all.
func (m *unitMachine) contents(t *rapid.T) {
	for _, name := range m.names {
		u := m.units[name]
		sum := TotalContent([]HandlingUnit{u})
		for _, c := range u.Children {
			part := HandlingUnit{Content: TotalContent(m.tree(c.SSCC))}
			sum = TotalContent([]HandlingUnit{{Content: sum}, part})
		}
		if whole := TotalContent(m.tree(name)); !slices.Equal(whole, sum) {
			t.Fatalf("%s holds %v, its units %v", name, whole, sum)
		}
	}
}

// settle takes all steps that are open, and holds that both sides say the same then.
func (m *unitMachine) settle(t *rapid.T) {
	for len(m.steps) > 0 {
		step := m.steps[0]
		m.steps = m.steps[1:]
		step(t)
	}
	for _, name := range m.names {
		u := m.units[name]
		if u.Parent != "" && !slices.ContainsFunc(m.units[u.Parent].Children, func(c UnitChild) bool { return c.SSCC == name }) {
			t.Fatalf("%s is in %s, which does not have it", name, u.Parent)
		}
		staying := slices.ContainsFunc(u.Children, func(c UnitChild) bool { return m.units[c.SSCC].Stands != UnitIssued })
		if len(u.Children) > 0 && u.Stands == UnitIssued && staying {
			t.Fatalf("%s left without all that is in it", name)
		}
		if len(u.Children) > 0 && u.Stands != UnitIssued && !staying {
			t.Fatalf("%s is %s and all in it left", name, u.Stands)
		}
	}
}

func TestUnitMachine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &unitMachine{units: map[string]HandlingUnit{}, kept: map[string]error{}, taken: map[string]func(*rapid.T){}}
		for i := range 8 {
			name := fmt.Sprint(i)
			m.names = append(m.names, name)
			if i < 4 {
				m.units[name] = packedCarton(name, int64(i+1))
			} else {
				m.units[name] = emptyPallet(name, 2+i%3)
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"nest":   m.nest,
			"unnest": m.unnest,
			"step":   m.step,
			"close":  m.simple(func(u HandlingUnit) ([]UnitFact, error) { return CloseUnit(u, "") }),
			"reopen": m.simple(ReopenUnit),
			"void":   m.simple(func(u HandlingUnit) ([]UnitFact, error) { return VoidUnit(u, "X") }),
			"issue": m.simple(func(u HandlingUnit) ([]UnitFact, error) {
				if len(u.Content) == 0 {
					return nil, nil // goods issues name cartons
				}
				return TakeUnitIssue(u, t0), nil
			}),
			"settle": m.settle,
			"":       m.check,
		})
		m.settle(t)
		m.check(t)
	})
}
