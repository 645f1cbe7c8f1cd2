// Package domain decides about documents: that one message is one document, how far its
// records have been handed over, and where it ends. Pure: what reading and handing over
// found out comes in, facts come out.
package domain

import "time"

// State is where a document stands, the name of the contract's value.
type State string

// States. None is a document that is not there yet.
const (
	None        State = ""
	Received    State = "RECEIVED"
	Parsed      State = "PARSED"
	Applied     State = "APPLIED"
	Partial     State = "PARTIAL"
	Quarantined State = "QUARANTINED"
)

// Done reports whether nothing more will happen to a document.
func (s State) Done() bool { return s == Applied || s == Partial || s == Quarantined }

// Header is what is known of a document before it is read.
type Header struct {
	Type     string    `bson:"t"` // name of the contract's value, e.g. "ORDERS"
	Format   string    `bson:"f"` // "CSV" or "JSON"
	Source   Source    `bson:"s"`
	Size     int64     `bson:"n"` // bytes
	SHA256   string    `bson:"h"` // hexadecimal
	Sender   string    `bson:"w"` // principal
	Received time.Time `bson:"r"`
	// Portions end after so many records or bytes: fixed when the document is received, so
	// that every run, under whatever settings, hands over the same records.
	PortionRecords int   `bson:"pr"`
	PortionBytes   int64 `bson:"pb"`
}

// Source is where a document comes from.
type Source struct {
	System    string    `bson:"s"`
	MessageID string    `bson:"m,omitempty"`
	EventTime time.Time `bson:"t,omitempty"`
	Offset    int       `bson:"o,omitempty"`
	Zone      string    `bson:"z,omitempty"`
	Sequence  int64     `bson:"q,omitempty"`
}

// Place is a place in a document, between two records.
type Place struct {
	Offset  int64 `bson:"o"` // byte, from 0
	Line    int64 `bson:"l"` // from 1
	Records int64 `bson:"r"` // before it
}

// Reason says why a whole document is quarantined.
type Reason struct {
	Code    string `bson:"c"`
	Field   string `bson:"f,omitempty"`
	Message string `bson:"m,omitempty"`
}

// Counts are what became of records.
type Counts struct {
	Applied int64 `bson:"a"`
	Refused int64 `bson:"r"`
	Errors  int64 `bson:"e"` // in the report; a record may have several
}

func (c Counts) plus(d Counts) Counts {
	return Counts{c.Applied + d.Applied, c.Refused + d.Refused, c.Errors + d.Errors}
}

// Document is the state of one.
type Document struct {
	ID         string   `bson:"i"`
	Header     Header   `bson:"h"`
	State      State    `bson:"s"`
	Rows       int64    `bson:"rw"`
	Records    int64    `bson:"rc"`
	Next       Place    `bson:"nx"`
	Portions   int      `bson:"p"` // handed over
	Counts     Counts   `bson:"c"`
	Reasons    []Reason `bson:"e,omitempty"`
	Duplicates int64    `bson:"d"`
}

// Fact is something that happened to a document.
type Fact interface{ fact() }

// Keys name the document in every fact.
type Keys struct{ ID, MessageID string }

// DocumentReceived says that a document is kept.
type DocumentReceived struct {
	Keys
	Header Header
}

// DocumentRepeated says that it came again.
type DocumentRepeated struct {
	ID     string
	Sender string
}

// DocumentParsed says that it was read through.
type DocumentParsed struct {
	Keys
	Rows, Records int64
	Next          Place
}

// DocumentProgressed says that a portion was handed over.
type DocumentProgressed struct {
	Keys
	Portion int
	Counts  Counts
	Next    Place
}

// DocumentCompleted says that it is done.
type DocumentCompleted struct {
	Keys
	Type    string
	State   State
	Counts  Counts
	Reasons []Reason
}

func (DocumentReceived) fact()   {}
func (DocumentRepeated) fact()   {}
func (DocumentParsed) fact()     {}
func (DocumentProgressed) fact() {}
func (DocumentCompleted) fact()  {}

// Evolve applies a fact.
func Evolve(d Document, f Fact) Document {
	switch f := f.(type) {
	case DocumentReceived:
		d.ID, d.Header, d.State = f.ID, f.Header, Received
	case DocumentRepeated:
		d.Duplicates++
	case DocumentParsed:
		d.State, d.Rows, d.Records, d.Next = Parsed, f.Rows, f.Records, f.Next
	case DocumentProgressed:
		d.Portions, d.Next, d.Counts = f.Portion, f.Next, d.Counts.plus(f.Counts)
	case DocumentCompleted:
		d.State, d.Counts, d.Reasons = f.State, f.Counts, f.Reasons
	}
	return d
}
