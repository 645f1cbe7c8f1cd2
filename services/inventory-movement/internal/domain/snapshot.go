package domain

import (
	"slices"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// Bounds of one snapshot.
const (
	maxPortions       = 1000
	maxSnapshotErrors = 500
	maxKept           = 1000
	maxKeptAtOnce     = 400 // in one fact
	// SnapshotParts is how many parts the keys are compared in, by the ids of their stocks.
	SnapshotParts = 128
)

// SnapshotState is where a snapshot stands.
type SnapshotState string

// States of a snapshot.
const (
	SnapshotReceiving SnapshotState = "RECEIVING"
	SnapshotComparing SnapshotState = "COMPARING"
	SnapshotDone      SnapshotState = "COMPARED"
	SnapshotOver      SnapshotState = "CLOSED"
)

// SnapshotKeys say what a snapshot is of.
type SnapshotKeys struct {
	ID     string    `bson:"i"`
	System string    `bson:"y,omitempty"`
	Sites  []string  `bson:"s"`
	AsOf   time.Time `bson:"a"`
}

// RowError is a row of a file that was not taken.
type RowError struct {
	Line    int64  `bson:"l"`
	Field   string `bson:"f,omitempty"`
	Reason  string `bson:"r"`
	Message string `bson:"m"`
}

// SnapshotCounts say how many keys compared how.
type SnapshotCounts struct {
	Matched      int64 `bson:"m,omitempty"`
	Lagging      int64 `bson:"g,omitempty"`
	Mismatch     int64 `bson:"x,omitempty"`
	MissingLeft  int64 `bson:"l,omitempty"`
	MissingRight int64 `bson:"r,omitempty"`
	Unreadable   int64 `bson:"u,omitempty"`
}

// Plus adds counts.
func (c SnapshotCounts) Plus(o SnapshotCounts) SnapshotCounts {
	return SnapshotCounts{
		c.Matched + o.Matched, c.Lagging + o.Lagging, c.Mismatch + o.Mismatch, c.MissingLeft + o.MissingLeft,
		c.MissingRight + o.MissingRight, c.Unreadable + o.Unreadable,
	}
}

// Keys is how many keys were compared.
func (c SnapshotCounts) Keys() int64 {
	return c.Matched + c.Lagging + c.Mismatch + c.MissingLeft + c.MissingRight
}

// Rate is the reconciliation rate: of the compared keys those that matched, in per cent,
// rounded down to four decimals, so that 100 means all; "" when nothing was compared.
func (c SnapshotCounts) Rate() string {
	if c.Keys() == 0 {
		return ""
	}
	rate, err := quantity.Int(c.Matched).MulRounded(quantity.Ratio{Num: 100, Den: c.Keys()}, 4, quantity.Down)
	if err != nil {
		return ""
	}
	return rate.String()
}

// Snapshot is a balance file of another system; its zero value is "nothing yet".
type Snapshot struct {
	Keys      SnapshotKeys         `bson:"k"`
	Columns   []string             `bson:"c,omitempty"`
	Separator string               `bson:"p,omitempty"`
	Portions  []string             `bson:"o,omitempty"` // marks of their contents
	Lines     int64                `bson:"n,omitempty"`
	Rows      int64                `bson:"w,omitempty"`
	BadRows   int64                `bson:"b,omitempty"`
	Errors    []RowError           `bson:"e,omitempty"`
	Run       int                  `bson:"u,omitempty"` // comparison that is under way, or was last
	Next      int                  `bson:"x,omitempty"` // part that it compares next
	Running   SnapshotCounts       `bson:"g"`
	Found     []SnapshotDifference `bson:"f,omitempty"` // by the comparison that is under way
	Runs      int                  `bson:"d,omitempty"` // comparisons that ended
	Counts    SnapshotCounts       `bson:"t"`           // of the last of these
	Kept      []SnapshotDifference `bson:"q,omitempty"`
	Closed    bool                 `bson:"z,omitempty"`
}

// State derives where the snapshot stands.
func (s Snapshot) State() SnapshotState {
	switch {
	case s.Keys.ID == "":
		return ""
	case s.Closed:
		return SnapshotOver
	case s.Run > s.Runs:
		return SnapshotComparing
	case s.Runs > 0:
		return SnapshotDone
	}
	return SnapshotReceiving
}

// SnapshotFact is what happened to a snapshot.
type SnapshotFact interface{ isSnapshotFact() }

// The facts of a snapshot.
type (
	// SnapshotCreated announces it.
	SnapshotCreated struct{ SnapshotKeys }
	// SnapshotRowsAdded takes a portion of its rows.
	SnapshotRowsAdded struct {
		SnapshotKeys
		Portion              int
		Mark                 string
		Columns              []string // of the first portion
		Separator            string
		Lines, Rows, BadRows int64
		Errors               []RowError
	}
	// ComparisonStarted says that it is to be compared.
	ComparisonStarted struct {
		SnapshotKeys
		Run int
	}
	// SnapshotPartCompared says how a part of its keys compares.
	SnapshotPartCompared struct {
		SnapshotKeys
		Run, Next   int
		Counts      SnapshotCounts
		Differences []SnapshotDifference
	}
	// SnapshotCompared says how all of its keys compare.
	SnapshotCompared struct {
		SnapshotKeys
		Run    int
		Counts SnapshotCounts
	}
	// SnapshotClosed ends work on it.
	SnapshotClosed struct{ SnapshotKeys }
)

func (SnapshotCreated) isSnapshotFact()      {}
func (SnapshotRowsAdded) isSnapshotFact()    {}
func (ComparisonStarted) isSnapshotFact()    {}
func (SnapshotPartCompared) isSnapshotFact() {}
func (SnapshotCompared) isSnapshotFact()     {}
func (SnapshotClosed) isSnapshotFact()       {}

// EvolveSnapshot applies one fact.
func EvolveSnapshot(s Snapshot, fact SnapshotFact) Snapshot {
	switch f := fact.(type) {
	case SnapshotCreated:
		s.Keys = f.SnapshotKeys
	case SnapshotRowsAdded:
		s.Portions = append(slices.Clip(s.Portions), f.Mark)
		if f.Portion == 1 {
			s.Columns, s.Separator = f.Columns, f.Separator
		}
		s.Lines, s.Rows, s.BadRows = s.Lines+f.Lines, s.Rows+f.Rows, s.BadRows+f.BadRows
		s.Errors = append(slices.Clip(s.Errors), f.Errors...)
	case ComparisonStarted:
		s.Run, s.Next, s.Running, s.Found = f.Run, 0, SnapshotCounts{}, nil
	case SnapshotPartCompared:
		s.Next, s.Running = f.Next, s.Running.Plus(f.Counts)
		s.Found = append(slices.Clip(s.Found), f.Differences...)
	case SnapshotCompared:
		s.Runs, s.Counts, s.Kept = f.Run, f.Counts, s.Found
		s.Running, s.Found = SnapshotCounts{}, nil
	case SnapshotClosed:
		s.Closed = true
	}
	return s
}

// ApplySnapshot folds facts onto a state.
func ApplySnapshot(s Snapshot, facts ...SnapshotFact) Snapshot {
	for _, f := range facts {
		s = EvolveSnapshot(s, f)
	}
	return s
}

// CreateSnapshot announces a snapshot. The same again changes nothing.
func CreateSnapshot(s Snapshot, k SnapshotKeys) ([]SnapshotFact, error) {
	switch {
	case s.Keys.ID == "":
		return []SnapshotFact{SnapshotCreated{k}}, nil
	case !slices.Equal(s.Keys.Sites, k.Sites) || !s.Keys.AsOf.Equal(k.AsOf):
		return nil, fault.New(fault.Refused, "SNAPSHOT_EXISTS", "the message's snapshot is of other sites or another moment: give the file a message id of its own").
			With("snapshot_id", s.Keys.ID)
	}
	return nil, nil
}

func (s Snapshot) refuse(command string) error {
	return fault.New(fault.Refused, "SNAPSHOT_STATE", "%s is not for a snapshot that is %s", command, s.State()).
		With("from", string(s.State())).With("command", command)
}

// Expects checks that a portion is the next one; known reports that it was taken before.
func (s Snapshot) Expects(portion int, mark string) (known bool, err error) {
	last := len(s.Portions)
	switch {
	case portion >= 1 && portion <= last && s.Portions[portion-1] == mark:
		return true, nil
	case s.State() != SnapshotReceiving:
		return false, s.refuse("AddSnapshotRows")
	case portion >= 1 && portion <= last:
		return false, fault.New(fault.Refused, "PORTION_CHANGED", "portion %d was handed over with other content: begin a new snapshot", portion)
	case portion != last+1 || portion > maxPortions:
		return false, fault.New(fault.Refused, "PORTION_OUT_OF_ORDER", "portion %d is not the next one: hand over %d", portion, last+1)
	}
	return false, nil
}

// AddRows takes a portion that was read.
func AddRows(s Snapshot, portion int, mark string, p Portion) ([]SnapshotFact, error) {
	known, err := s.Expects(portion, mark)
	if err != nil || known {
		return nil, err
	}
	f := SnapshotRowsAdded{
		SnapshotKeys: s.Keys, Portion: portion, Mark: mark, Lines: p.Lines, Rows: p.Taken, BadRows: p.Bad,
		Errors: p.Errors[:min(len(p.Errors), maxSnapshotErrors-len(s.Errors))],
	}
	if portion == 1 {
		f.Columns, f.Separator = p.Header.Columns, p.Header.Separator
	}
	return []SnapshotFact{f}, nil
}

// StartComparison begins to compare. While it goes on there is nothing to begin.
func StartComparison(s Snapshot) ([]SnapshotFact, error) {
	switch {
	case s.State() == SnapshotOver:
		return nil, s.refuse("CompareSnapshot")
	case len(s.Portions) == 0:
		return nil, fault.New(fault.Refused, "SNAPSHOT_EMPTY", "nothing was handed over yet: add the rows of the file")
	case s.State() == SnapshotComparing:
		return nil, nil
	}
	return []SnapshotFact{ComparisonStarted{s.Keys, s.Run + 1}}, nil
}

// NotePart records how a part of the keys compares, and after the last part how all do. Another
// part than the one that is next, and one of an earlier comparison, changes nothing.
func NotePart(s Snapshot, run, part, next int, counts SnapshotCounts, differences []SnapshotDifference) []SnapshotFact {
	if s.State() != SnapshotComparing || run != s.Run || part != s.Next {
		return nil
	}
	keep := differences[:min(len(differences), maxKept-len(s.Found), maxKeptAtOnce)]
	facts := []SnapshotFact{SnapshotPartCompared{s.Keys, run, next, counts, keep}}
	if next >= SnapshotParts {
		facts = append(facts, SnapshotCompared{s.Keys, run, s.Running.Plus(counts)})
	}
	return facts
}

// CloseSnapshot ends work on a snapshot.
func CloseSnapshot(s Snapshot) ([]SnapshotFact, error) {
	switch s.State() {
	case SnapshotOver:
		return nil, nil
	case SnapshotComparing:
		return nil, s.refuse("CloseSnapshot")
	}
	return []SnapshotFact{SnapshotClosed{s.Keys}}, nil
}
