package domain

import (
	"github.com/lockstep-logistics/lockstep/libs/fault"
)

func (d Document) keys() Keys { return Keys{d.ID, d.Header.Source.MessageID} }

// Receive takes a document, or says that it is here: a duplicate when it is the same one,
// a conflict when the message id stands for another.
func Receive(d Document, id string, h Header) ([]Fact, error) {
	if d.State == None {
		return []Fact{DocumentReceived{Keys: Keys{id, h.Source.MessageID}, Header: h}}, nil
	}
	if d.Header.SHA256 != h.SHA256 || d.Header.Type != h.Type || d.Header.Format != h.Format {
		return nil, fault.New(fault.Conflict, "MESSAGE_ID_TAKEN", "%s has sent another document as message %q",
			h.Source.System, h.Source.MessageID).With("document_id", d.ID)
	}
	return []Fact{DocumentRepeated{ID: d.ID, Sender: h.Sender}}, nil
}

// Reading is what reading a document through has found.
type Reading struct {
	Rows, Records int64
	First         Place    // of the first record
	Reasons       []Reason // why nothing of it can be used
	Errors        int64    // written into the report for those reasons
}

// Read takes the outcome of reading. It changes nothing when the document has been read
// before: another run was faster.
func Read(d Document, r Reading) []Fact {
	if d.State != Received {
		return nil
	}
	if len(r.Reasons) > 0 {
		return []Fact{DocumentCompleted{
			Keys: d.keys(), Type: d.Header.Type, State: Quarantined,
			Counts: Counts{Errors: r.Errors}, Reasons: r.Reasons,
		}}
	}
	return []Fact{DocumentParsed{Keys: d.keys(), Rows: r.Rows, Records: r.Records, Next: r.First}}
}

// Portion is what handing over a portion has brought about.
type Portion struct {
	From   Place // where it began
	Next   Place // where the following one begins
	Last   bool  // nothing follows
	Counts Counts
}

// Progress takes the outcomes of portions that follow one another, one fact each. It changes
// nothing from the first on that was taken before, or whose turn it is not.
func Progress(d Document, portions ...Portion) []Fact {
	var facts []Fact
	for _, p := range portions {
		if d.State != Parsed || d.Next != p.From {
			return facts
		}
		progressed := []Fact{DocumentProgressed{Keys: d.keys(), Portion: d.Portions + 1, Counts: p.Counts, Next: p.Next}}
		if p.Last {
			sum := d.Counts.plus(p.Counts)
			progressed = append(progressed, DocumentCompleted{Keys: d.keys(), Type: d.Header.Type, State: outcome(sum), Counts: sum})
		}
		facts, d = append(facts, progressed...), After(d, progressed)
	}
	return facts
}

func outcome(c Counts) State {
	switch {
	case c.Refused == 0:
		return Applied
	case c.Applied == 0:
		return Quarantined
	}
	return Partial
}

// After returns the state after facts.
func After(d Document, facts []Fact) Document {
	for _, f := range facts {
		d = Evolve(d, f)
	}
	return d
}
