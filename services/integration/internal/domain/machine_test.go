package domain_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/services/integration/internal/domain"
)

// documentMachine drives one document at random: it comes again, as itself or as another, is
// read more than once and handed over in portions, late, twice and out of turn. Beside it
// stands a tally of what was handed over.
type documentMachine struct {
	document domain.Document
	shown    string // the document when its last fact was in
	facts    []domain.Fact

	received, parsed, unreadable bool
	records, done                int64
	portions                     int
	counts                       domain.Counts
	repeated                     int64
	past                         []domain.Portion // handed over before
	next                         domain.Place
}

func from[T any](t *rapid.T, label string, of ...T) T { return rapid.SampledFrom(of).Draw(t, label) }

func (m *documentMachine) do(t *rapid.T, name string, facts []domain.Fact) {
	next := domain.After(m.document, facts)
	if now := fmt.Sprintf("%+v", m.document); m.shown != "" && now != m.shown {
		t.Fatalf("%s changed the old state:\n%s\n%s", name, m.shown, now)
	}
	if m.document.State.Done() && (next.State != m.document.State || next.Counts != m.document.Counts || next.Portions != m.document.Portions) {
		t.Fatalf("%s took a document that was done from %+v to %+v", name, m.document, next)
	}
	m.document, m.facts, m.shown = next, append(m.facts, facts...), fmt.Sprintf("%+v", next)
}

// receive: one message is one document, however often it comes.
func (m *documentMachine) receive(t *rapid.T) {
	h := header("M", from(t, "content", "a", "a", "a", "b"))
	h.Type, h.Format = from(t, "type", "ORDERS", "ORDERS", "ORDERS", "ITEMS"), from(t, "format", "CSV", "CSV", "CSV", "JSON")
	facts, err := domain.Receive(m.document, "doc_1", h)
	first := m.document.Header
	same := h.SHA256 == first.SHA256 && h.Type == first.Type && h.Format == first.Format
	switch {
	case m.received && !same:
		if !fault.IsKind(err, fault.Conflict) || len(facts) > 0 {
			t.Fatalf("another document under the id: %s %v", names(facts), err)
		}
		return
	case err != nil:
		t.Fatal(err)
	case !m.received && names(facts) != "Received", m.received && names(facts) != "Repeated":
		t.Fatalf("received, before %t: %s", m.received, names(facts))
	case m.received:
		m.repeated++
	}
	m.received = true
	m.do(t, "receive", facts)
}

// read: the first reading counts, whatever a later one finds.
func (m *documentMachine) read(t *rapid.T) {
	r := domain.Reading{Rows: 50, Records: from[int64](t, "records", 1, 2, 7, 40, 1_000_000), First: domain.Place{Offset: 10, Line: 2}}
	if from(t, "unreadable", 0, 0, 0, 0, 1) > 0 {
		r.Reasons, r.Errors = []domain.Reason{{Code: "EMPTY"}}, from[int64](t, "errors", 0, 1, 1000)
	}
	facts := domain.Read(m.document, r)
	if first := m.received && !m.parsed && !m.unreadable; first != (len(facts) == 1) {
		t.Fatalf("read, for the first time %t: %s", first, names(facts))
	} else if first && len(r.Reasons) > 0 {
		m.unreadable, m.counts.Errors = true, r.Errors
	} else if first {
		m.parsed, m.records, m.next = true, r.Records, r.First
	}
	m.do(t, "read", facts)
}

// hand hands over the next portions, or some of which one was before or is not yet: what
// stands before that one counts.
func (m *documentMachine) hand(t *rapid.T) {
	var portions []domain.Portion
	var want []string
	next, done, sum, turn := m.next, m.done, m.counts, m.parsed && m.done < m.records
	wrong := from(t, "turn", 0, 0, 0, 0, 1, 2)
	at := from(t, "which", 0, 0, 1, 2)
	for i := range from(t, "portions", 1, 1, 2, 3) {
		left := m.records - done
		n := min(max(1, from(t, "portion", 1, 2, left/2, left-1, left, left)), max(1, left))
		bad := from(t, "bad", 0, 0, n, 1, n-1)
		p := domain.Portion{
			From: next, Next: domain.Place{Offset: next.Offset + n, Line: next.Line + n, Records: next.Records + n}, Last: n >= left,
			Counts: domain.Counts{Applied: n - bad, Refused: bad, Errors: 2 * bad},
		}
		switch {
		case i == at && wrong == 1 && len(m.past) > 0:
			p, turn = from(t, "again", m.past...), false
		case i == at && wrong == 2:
			p.From.Offset, turn = p.From.Offset+1, false
		}
		portions = append(portions, p)
		if turn = turn && done < m.records; !turn {
			continue
		}
		want = append(want, "Progressed")
		if p.Last {
			want = append(want, "Completed")
		}
		next, done = p.Next, done+n
		sum.Applied += n - bad
		sum.Refused += bad
		sum.Errors += 2 * bad
		m.past, m.portions = append(m.past, p), m.portions+1
	}
	facts := domain.Progress(m.document, portions...)
	if names(facts) != strings.Join(want, " ") {
		t.Fatalf("%+v, %d of %d done: %s, want %v", portions, m.done, m.records, names(facts), want)
	}
	m.do(t, "hand over", facts)
	m.next, m.done, m.counts = next, done, sum
}

// anyFact: a fact of any kind can be folded onto any state.
func (m *documentMachine) anyFact(t *rapid.T) {
	d := domain.Evolve(m.document, from(t, "fact", append([]domain.Fact{
		domain.DocumentReceived{}, domain.DocumentRepeated{}, domain.DocumentParsed{}, domain.DocumentProgressed{}, domain.DocumentCompleted{},
	}, m.facts...)...))
	_ = d.State.Done()
}

// check holds the document against the tally: each record is applied or refused once, and the
// end follows from how many.
func (m *documentMachine) check(t *rapid.T) {
	d := m.document
	if again := domain.After(domain.Document{}, m.facts); fmt.Sprintf("%+v", again) != fmt.Sprintf("%+v", d) {
		t.Fatalf("the facts give\n%+v\nthe state is\n%+v", again, d)
	}
	want := domain.None
	switch {
	case m.unreadable:
		want = domain.Quarantined
	case m.parsed && m.done < m.records:
		want = domain.Parsed
	case m.parsed && m.counts.Refused == 0:
		want = domain.Applied
	case m.parsed && m.counts.Applied == 0:
		want = domain.Quarantined
	case m.parsed:
		want = domain.Partial
	case m.received:
		want = domain.Received
	}
	switch {
	case d.State != want, d.Counts != m.counts, d.Portions != m.portions, d.Duplicates != m.repeated, d.Records != m.records:
		t.Fatalf("%+v, the tally has %s %+v of %d in %d portions, repeated %d times", d, want, m.counts, m.records, m.portions, m.repeated)
	case d.Counts.Applied+d.Counts.Refused != m.done, m.done > m.records, m.parsed && d.Next != m.next:
		t.Fatalf("%+v after %d of %d", d, m.done, m.records)
	case (d.State == domain.Quarantined && m.unreadable) != (len(d.Reasons) > 0):
		t.Fatalf("quarantined for %v: %+v", d.Reasons, d)
	}
}

// TestDocument walks documents of any size in any portions; whatever comes again or out of
// turn, each record counts once, and nothing happens after the end.
func TestDocument(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &documentMachine{}
		t.Repeat(map[string]func(*rapid.T){
			"receive": m.receive, "read": m.read, "hand over": m.hand, "hand over more": m.hand, "and more": m.hand, "any fact": m.anyFact, "": m.check,
		})
	})
}
