package domain

import (
	"slices"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// CountState is where a count stands.
type CountState string

// States of a count.
const (
	CountIsPlanned  CountState = "PLANNED"
	CountInProgress CountState = "IN_PROGRESS"
	CountValidation CountState = "IN_VALIDATION"
	CountComplete   CountState = "COMPLETE"
	CountCalledOff  CountState = "CANCELLED"
)

// Bounds of a count.
const (
	maxCountLines    = 1000
	maxCountMessages = 1000
	maxCountings     = 10 // of one place
)

// CountReason is the reason of a count's adjustments if nobody gives another.
const CountReason = "CYCLE_COUNT"

// CountKeys names a count.
type CountKeys struct {
	ID    string `bson:"i"`
	Site  string `bson:"s"`
	Owner string `bson:"o"`
}

// CountPlace is a place at which one item is counted.
type CountPlace struct {
	Item  string `bson:"i"`
	SKU   string `bson:"k"`
	Unit  string `bson:"u"`
	Place Place  `bson:"p"`
}

// same reports whether two are one.
func (p CountPlace) same(o CountPlace) bool { return p.Item == o.Item && p.Place.holds(o.Place) }

// holds reports whether two places are one for somebody who counts: the expiry date follows from
// the lot, if there is one.
func (p Place) holds(o Place) bool {
	return p.Location == o.Location && p.Lot == o.Lot && p.Serial == o.Serial && p.Status == o.Status && (p.Lot != "" || p.Expiry == o.Expiry)
}

// Counting is what one person counted at a place.
type Counting struct {
	Quantity quantity.Decimal `bson:"q"`
	Expected quantity.Decimal `bson:"e"` // what the ledger had as of that moment, as was known then
	By       string           `bson:"b"`
	At       int64            `bson:"t"` // ms since 1970
}

// CountLine is a place of a count.
type CountLine struct {
	CountPlace `bson:"p"`
	Planned    bool             `bson:"n,omitempty"`
	Countings  []Counting       `bson:"c,omitempty"` // newest last
	Recount    bool             `bson:"r,omitempty"` // by somebody who has not counted it
	Posting    bool             `bson:"g,omitempty"` // its adjustment is on its way
	Posted     bool             `bson:"d,omitempty"` // the ledger says what was counted
	Final      bool             `bson:"f,omitempty"` // Expected is what the ledger has as is known since
	Expected   quantity.Decimal `bson:"e,omitempty"`
	Superseded bool             `bson:"z,omitempty"` // a later count of the place was posted
	Refusal    string           `bson:"x,omitempty"`
	HeldBy     []string         `bson:"h,omitempty"`
}

// Last is what was counted last; false when nothing was.
func (l CountLine) Last() (Counting, bool) {
	if len(l.Countings) == 0 {
		return Counting{}, false
	}
	return l.Countings[len(l.Countings)-1], true
}

// open reports whether somebody has to count the place.
func (l CountLine) open() bool { return l.Recount || l.Planned && len(l.Countings) == 0 }

// countedBy reports whether a person counted the place.
func (l CountLine) countedBy(person string) bool {
	return slices.ContainsFunc(l.Countings, func(c Counting) bool { return c.By == person })
}

// Balance is what the ledger has, and by how much what was counted differs.
func (l CountLine) Balance() (expected, variance quantity.Decimal) {
	c, counted := l.Last()
	if !counted {
		return expected, variance
	}
	if expected = c.Expected; l.Final {
		expected = l.Expected
	}
	return expected, c.Quantity.Sub(expected)
}

// At reports whether goods that stand at a place are those of the line.
func (p CountPlace) At(o Place) bool { return p.Place.holds(o) }

// In is what a stock has at the place.
func (p CountPlace) In(s Stock) (sum quantity.Decimal) {
	for _, r := range s.Rows {
		if p.At(r.Place) {
			sum = sum.Add(r.OnHand)
		}
	}
	return sum
}

// Count is a cycle count.
type Count struct {
	Keys       CountKeys   `bson:"k"`
	Locations  []string    `bson:"l,omitempty"` // none: all
	SKUs       []string    `bson:"s,omitempty"` // none: all
	Policy     CountPolicy `bson:"p"`
	Lines      []CountLine `bson:"c,omitempty"`
	Started    bool        `bson:"b,omitempty"`
	Attempt    int         `bson:"a,omitempty"` // times that posting was asked for
	ApprovedBy string      `bson:"y,omitempty"`
	Reason     string      `bson:"r,omitempty"`
	Completed  bool        `bson:"d,omitempty"`
	CalledOff  bool        `bson:"x,omitempty"`
	Messages   []string    `bson:"m,omitempty"` // marks of the messages that told what was counted, newest last
}

// State says where the count stands; it follows from what was done.
func (c Count) State() CountState {
	switch {
	case c.Keys.ID == "":
		return ""
	case c.CalledOff:
		return CountCalledOff
	case c.Completed:
		return CountComplete
	case !c.Started:
		return CountIsPlanned
	case c.Open() > 0:
		return CountInProgress
	}
	return CountValidation
}

// Open is how many places are still to be counted.
func (c Count) Open() (n int) {
	for _, l := range c.Lines {
		if l.open() {
			n++
		}
	}
	return n
}

// Counted is how many times a place was counted, all together.
func (c Count) Counted() (n int) {
	for _, l := range c.Lines {
		n += len(l.Countings)
	}
	return n
}

// Posting reports whether adjustments are on their way to the stock.
func (c Count) Posting() bool {
	return slices.ContainsFunc(c.Lines, func(l CountLine) bool { return l.Posting })
}

func (c Count) refusal(command string) error {
	from := c.State()
	return fault.New(fault.Refused, "COUNT_STATE", "a count that is %s cannot be %s", from, command).With("from", string(from)).With("command", command)
}

// line returns the index of a place; -1 when the count does not have it.
func (c Count) line(p CountPlace) int {
	return slices.IndexFunc(c.Lines, func(l CountLine) bool { return l.same(p) })
}

// Covers reports whether a place is of the bins and items that the count is of.
func (c Count) Covers(p CountPlace) bool {
	return (len(c.Locations) == 0 || slices.Contains(c.Locations, p.Place.Location)) && (len(c.SKUs) == 0 || slices.Contains(c.SKUs, p.SKU))
}

// CountFact is what happened to a count.
type CountFact interface{ isCountFact() }

// The facts of a count.
type (
	// CountPlanned says what is to be counted.
	CountPlanned struct {
		CountKeys
		Locations, SKUs []string
		Policy          CountPolicy
		Places          []CountPlace
	}
	// CountStarted begins to count.
	CountStarted struct{ CountKeys }
	// CountSubmitted is what a person counted.
	CountSubmitted struct {
		CountKeys
		Places  []CountedPlace
		By      string
		At      time.Time
		Message string // mark of the message that told it
	}
	// CountApproved has the ledger follow what was counted.
	CountApproved struct {
		CountKeys
		Attempt     int
		By          string
		Reason      string
		Adjustments []CountAdjustment // all that is not posted yet
	}
	// CountAdjusted says what became of the adjustments of one item.
	CountAdjusted struct {
		CountKeys
		Attempt  int
		Item     string
		Outcomes []CountOutcome
	}
	// CountCompleted ends a count.
	CountCompleted struct{ CountKeys }
	// CountCancelled calls a count off.
	CountCancelled struct {
		CountKeys
		Reason string
	}
)

// CountedPlace is a place as it was counted.
type CountedPlace struct {
	CountPlace
	Quantity, Expected quantity.Decimal
	Recount            bool // it is to be counted again
}

// CountAdjustment is a place as it is to be posted.
type CountAdjustment struct {
	Line int // from 1
	CountPlace
	Expected, Variance quantity.Decimal
	At                 time.Time // of counting
	Superseded         bool
	Anew               bool // it is to be counted anew: the books were corrected there since
}

// CountOutcome is what became of an adjustment; without a refusal it was posted.
type CountOutcome struct {
	Line    int
	Refusal string
	HeldBy  []string
}

func (CountPlanned) isCountFact()   {}
func (CountStarted) isCountFact()   {}
func (CountSubmitted) isCountFact() {}
func (CountApproved) isCountFact()  {}
func (CountAdjusted) isCountFact()  {}
func (CountCompleted) isCountFact() {}
func (CountCancelled) isCountFact() {}
