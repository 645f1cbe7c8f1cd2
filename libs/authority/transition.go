package authority

import (
	"slices"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
)

// Assertion is a command that a system gives.
type Assertion struct {
	Command   string // its name, such as "PostGoodsIssue"
	System    string // "" is the tenant's own staff, whom no table binds
	Message   string // id of the message in that system
	EventTime time.Time
	Said      string // what it asks or reports, as one line of text
}

// Verdict is what becomes of an assertion. The zero value lets it count.
type Verdict struct {
	Assertion
	Owner string
	Rule  Rule // Refuse or Observe; "" lets it count
}

// Decide returns what becomes of an assertion.
func (t Table) Decide(a Assertion) Verdict {
	p, foreign := t.Judge(a.Command, a.System)
	if !foreign || p.Rule == Accept {
		return Verdict{}
	}
	a.Said = Cut(a.Said)
	return Verdict{a, p.Owner, p.Rule}
}

// Counts reports whether the assertion is decided upon as if its system owned the transition.
func (v Verdict) Counts() bool { return v.Rule == "" }

// NotOwned is the code of what is said about an assertion that does not count.
const NotOwned = "TRANSITION_NOT_OWNED"

// Text says what became of an assertion that changed nothing.
func (v Verdict) Text() string {
	return v.Command + " is owned by " + v.Owner + ", rule " + string(v.Rule) + ": nothing changed, noted what " + v.System + " said"
}

// Refusal is the fault of an assertion that is refused, nil of every other one.
func (v Verdict) Refusal() error {
	if v.Rule != Refuse {
		return nil
	}
	return fault.New(fault.Refused, NotOwned, "%s is owned by %s and cannot be given by %s, by the rule %s", v.Command, v.Owner, v.System, v.Rule).
		With("command", v.Command).With("system", v.System).With("owner", v.Owner).With("rule", string(v.Rule))
}

// Heard is an assertion that changed nothing, as it is kept beside the object.
type Heard struct {
	Command     string    `bson:"c"`
	System      string    `bson:"s"`
	Owner       string    `bson:"o"`
	Said        string    `bson:"t,omitempty"`
	Contradicts bool      `bson:"x,omitempty"` // the object has it otherwise, and the owner has not given the command since
	Message     string    `bson:"m,omitempty"`
	EventTime   time.Time `bson:"e,omitempty"`
	At          time.Time `bson:"a"`
}

// MaxHeard bounds what is kept beside one object; the oldest leave first.
const MaxHeard = 20

// Take decides upon a command by whose word it is. What counts is decided; what is refused is refused;
// what is observed becomes the fact that keep makes of it, unless the system said just that last time.
// It contradicts when the object would have changed by it, or refused it.
func Take[F any](v Verdict, now time.Time, heard []Heard, decide func() ([]F, error), keep func(Heard) F) ([]F, error) {
	if err := v.Refusal(); err != nil {
		return nil, err
	}
	facts, err := decide()
	if v.Counts() || err != nil && !fault.IsKind(err, fault.Refused, fault.Conflict) {
		return facts, err
	}
	h := Heard{
		Command: v.Command, System: v.System, Owner: v.Owner, Said: v.Said, Contradicts: err != nil || len(facts) > 0,
		Message: v.Message, EventTime: v.EventTime, At: now,
	}
	if repeats(heard, h) {
		return nil, nil
	}
	return []F{keep(h)}, nil
}

// repeats reports whether the last that the system said by the command is the same.
func repeats(heard []Heard, h Heard) bool {
	for _, before := range slices.Backward(heard) {
		if before.Command == h.Command && before.System == h.System {
			return before.Said == h.Said && before.Contradicts == h.Contradicts && before.EventTime.Equal(h.EventTime)
		}
	}
	return false
}

// Hear returns what is kept beside an object after one more assertion.
func Hear(heard []Heard, h Heard) []Heard {
	heard = append(slices.Clip(heard), h)
	return heard[max(0, len(heard)-MaxHeard):]
}

// Settle returns what is kept beside an object after the owner gave a command: what others said by
// it contradicts no more.
func Settle(heard []Heard, command string) []Heard {
	open := func(h Heard) bool { return h.Command == command && h.Contradicts }
	if !slices.ContainsFunc(heard, open) {
		return heard
	}
	heard = slices.Clone(heard)
	for i, h := range heard {
		heard[i].Contradicts = h.Contradicts && !open(h)
	}
	return heard
}
