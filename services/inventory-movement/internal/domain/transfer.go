package domain

import (
	"slices"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// The virtual locations of transfers between sites. What was sent and has not come stands in
// IN_TRANSIT of the site that sent it; each site books it against OTHER_SITE when it changes hands.
const (
	InTransit = "IN_TRANSIT"
	OtherSite = "OTHER_SITE"
)

// What transfers move stock by.
const (
	TransferOut  MovementType = "TRANSFER_OUT"
	TransferIn   MovementType = "TRANSFER_IN"
	TransferBack MovementType = "TRANSFER_BACK"
)

// Bounds of a transfer.
const (
	maxTransferMessages = 1000
	maxTransferParts    = 2000
)

// TransferState is where a transfer stands; it follows from what was done.
type TransferState string

// States of a transfer.
const (
	TransferRequestedState TransferState = "REQUESTED"
	TransferUnderway       TransferState = "IN_TRANSIT"
	TransferReceiving      TransferState = "RECEIVING"
	TransferDone           TransferState = "RECEIVED"
	TransferCalledOff      TransferState = "CANCELLED"
)

// TransferKeys names a transfer.
type TransferKeys struct {
	ID        string `bson:"i"`
	Reference string `bson:"r,omitempty"` // of whoever asked for it
	From      string `bson:"f"`           // site
	To        string `bson:"t"`           // site
	Owner     string `bson:"o"`
}

// TransferLine is goods of one place that are sent.
type TransferLine struct {
	Number   int              `bson:"n"`
	Item     string           `bson:"i"`
	SKU      string           `bson:"s"`
	Unit     string           `bson:"u"`
	Place    Place            `bson:"p"` // where they stood at the site that sends them
	Asked    quantity.Decimal `bson:"a"`
	Shipped  quantity.Decimal `bson:"h"`
	Received quantity.Decimal `bson:"r"` // of what was shipped, damaged ones too
	Damaged  quantity.Decimal `bson:"d"` // of all that came
	Over     quantity.Decimal `bson:"v"` // more than was shipped
	Returned quantity.Decimal `bson:"b"` // brought back
	Lost     quantity.Decimal `bson:"l"` // never came
	Refusal  string           `bson:"x,omitempty"`
}

// Open is what was shipped and is neither here nor there.
func (l TransferLine) Open() quantity.Decimal {
	return l.Shipped.Sub(l.Received).Sub(l.Returned).Sub(l.Lost)
}

// SiteTransfer is goods that go from one site to another; its zero value is "nothing yet".
type SiteTransfer struct {
	Keys     TransferKeys   `bson:"k"`
	Lines    []TransferLine `bson:"l,omitempty"`
	Expected time.Time      `bson:"e,omitempty"`
	At       time.Time      `bson:"a,omitempty"` // when it was asked for
	Settled  bool           `bson:"s,omitempty"` // the stocks have answered
	Parts    int            `bson:"p,omitempty"` // that were received
	Messages []string       `bson:"m,omitempty"` // marks of the messages that told receipts, newest last
}

// State says where the transfer stands.
func (t SiteTransfer) State() TransferState {
	var shipped, open, received bool
	for _, l := range t.Lines {
		shipped = shipped || l.Shipped.Sign() > 0
		open = open || l.Open().Sign() > 0
		received = received || l.Received.Sign() > 0 || l.Lost.Sign() > 0
	}
	switch {
	case t.Keys.ID == "":
		return ""
	case !t.Settled:
		return TransferRequestedState
	case open && received:
		return TransferReceiving
	case open:
		return TransferUnderway
	case received:
		return TransferDone
	}
	return TransferCalledOff
}

// Line returns a line by number.
func (t SiteTransfer) Line(number int) (TransferLine, bool) {
	i := slices.IndexFunc(t.Lines, func(l TransferLine) bool { return l.Number == number })
	if i < 0 {
		return TransferLine{}, false
	}
	return t.Lines[i], true
}

// TransferFact is what happened to a transfer.
type TransferFact interface{ isTransferFact() }

// The facts of a transfer.
type (
	// TransferRequested says what is to be sent.
	TransferRequested struct {
		TransferKeys
		Expected time.Time // at the other site; zero when nobody said
		Lines    []TransferLine
		At       time.Time
	}
	// TransferShipped says what left its bins, and what could not.
	TransferShipped struct {
		TransferKeys
		Expected time.Time
		Shipped  []TransferQuantity
		Refused  []TransferRefusal
		At       time.Time
	}
	// TransferReceived says what came.
	TransferReceived struct {
		TransferKeys
		Parts   []TransferPart
		Message string // mark of the message that told it
		At      time.Time
	}
	// TransferEnded ends the wait for what is open.
	TransferEnded struct {
		TransferKeys
		Outcome  TransferOutcome
		Location string // to which it was brought back
		Reason   string
		Lines    []TransferQuantity
		At       time.Time
	}
)

// TransferQuantity is goods of one line.
type TransferQuantity struct {
	Line            int
	Item, SKU, Unit string
	Place           Place // where they stood before
	Quantity        quantity.Decimal
}

// TransferRefusal is a line that could not be sent.
type TransferRefusal struct {
	Line   int
	Reason string
}

// TransferPart is goods that came.
type TransferPart struct {
	TransferQuantity
	To      Place
	Over    bool // more than was shipped
	Damaged bool
}

// TransferOutcome is what became of goods that did not come.
type TransferOutcome string

// What becomes of goods that do not come.
const (
	BroughtBack  TransferOutcome = "BROUGHT_BACK"
	LostOnTheWay TransferOutcome = "LOST"
)

func (TransferRequested) isTransferFact() {}
func (TransferShipped) isTransferFact()   {}
func (TransferReceived) isTransferFact()  {}
func (TransferEnded) isTransferFact()     {}

// EvolveTransfer applies one fact.
func EvolveTransfer(t SiteTransfer, fact TransferFact) SiteTransfer {
	switch f := fact.(type) {
	case TransferRequested:
		t.Keys, t.Lines, t.Expected, t.At = f.TransferKeys, f.Lines, f.Expected, f.At
	case TransferShipped:
		t.Settled = true
		for _, q := range f.Shipped {
			t = t.edit(q.Line, func(l *TransferLine) { l.Shipped = q.Quantity })
		}
		for _, r := range f.Refused {
			t = t.edit(r.Line, func(l *TransferLine) { l.Refusal = r.Reason })
		}
	case TransferReceived:
		t.Parts += len(f.Parts)
		for _, p := range f.Parts {
			t = t.edit(p.Line, func(l *TransferLine) {
				if p.Over {
					l.Over = l.Over.Add(p.Quantity)
				} else {
					l.Received = l.Received.Add(p.Quantity)
				}
				if p.Damaged {
					l.Damaged = l.Damaged.Add(p.Quantity)
				}
			})
		}
		if f.Message != "" {
			t.Messages = append(slices.Clip(t.Messages), f.Message)
			t.Messages = t.Messages[max(0, len(t.Messages)-maxTransferMessages):]
		}
	case TransferEnded:
		for _, q := range f.Lines {
			t = t.edit(q.Line, func(l *TransferLine) {
				if f.Outcome == BroughtBack {
					l.Returned = l.Returned.Add(q.Quantity)
				} else {
					l.Lost = l.Lost.Add(q.Quantity)
				}
			})
		}
	}
	return t
}

// ApplyTransfer folds facts onto a state.
func ApplyTransfer(t SiteTransfer, facts ...TransferFact) SiteTransfer {
	for _, f := range facts {
		t = EvolveTransfer(t, f)
	}
	return t
}

func (t SiteTransfer) edit(line int, change func(*TransferLine)) SiteTransfer {
	t.Lines = slices.Clone(t.Lines)
	for i := range t.Lines {
		if t.Lines[i].Number == line {
			change(&t.Lines[i])
		}
	}
	return t
}
