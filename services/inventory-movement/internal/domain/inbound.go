package domain

import (
	"slices"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// Quarantine is the status of goods that are too many, until it is decided whether they are kept.
const Quarantine Status = "QUARANTINE"

// What inbound deliveries move stock by, beside receipts and changes of status.
const (
	PutAway        MovementType = "PUT_AWAY"
	SupplierReturn MovementType = "SUPPLIER_RETURN"
)

// Bounds of one inbound delivery.
const (
	maxInboundLines = 1000
	maxStandings    = 2000
	maxMessages     = 1000
	maxOverrides    = 200
	// unannounced is the number below those of lines that were not announced.
	unannounced = 100000
)

// InboundState is where an inbound delivery stands; derived from what was reported.
type InboundState string

// States of an inbound delivery.
const (
	Expected         InboundState = "EXPECTED"
	Arrived          InboundState = "ARRIVED"
	Receiving        InboundState = "RECEIVING"
	FullyReceived    InboundState = "RECEIVED"
	StoredAway       InboundState = "PUTAWAY"
	InboundCancelled InboundState = "CANCELLED"
)

// DiscrepancyType is how what came differs from what was announced.
type DiscrepancyType string

// Types of discrepancy.
const (
	OverReceipt    DiscrepancyType = "OVER"
	ShortReceipt   DiscrepancyType = "SHORT"
	DamagedReceipt DiscrepancyType = "DAMAGED"
	WrongItem      DiscrepancyType = "WRONG_ITEM"
	UnexpectedItem DiscrepancyType = "UNEXPECTED"
)

// InboundKeys are the business keys of an inbound delivery.
type InboundKeys struct {
	ID            string `bson:"i"`
	ASN           string `bson:"a,omitempty"` // empty: received blind
	PurchaseOrder string `bson:"p,omitempty"`
	Supplier      string `bson:"s,omitempty"`
	Site          string `bson:"l"`
	Owner         string `bson:"o"`
}

// ReceiptDifference is by how much a line differs.
type ReceiptDifference struct {
	Type     DiscrepancyType  `bson:"t"`
	Quantity quantity.Decimal `bson:"q"`
}

// InboundLine is a line with what came of it, in the item's base unit.
type InboundLine struct {
	Number        int                 `bson:"n"`
	Item          string              `bson:"i"`
	SKU           string              `bson:"s"`
	Unit          string              `bson:"u"`
	Announced     quantity.Decimal    `bson:"a"`
	Lot           string              `bson:"t,omitempty"`
	Expiry        string              `bson:"x,omitempty"`
	Percent       string              `bson:"pc,omitempty"` // tolerance as it was told
	Tolerance     quantity.Decimal    `bson:"tl"`           // by which more is accepted
	Inspect       bool                `bson:"q,omitempty"`
	InsteadOf     int                 `bson:"w,omitempty"` // line whose item should have come
	Received      quantity.Decimal    `bson:"r"`
	Over          quantity.Decimal    `bson:"v"` // of it more than was open
	Cancelled     quantity.Decimal    `bson:"c"`
	Discrepancies []ReceiptDifference `bson:"d,omitempty"`
}

// Open is what is still to come.
func (l InboundLine) Open() quantity.Decimal {
	return l.Announced.Sub(l.Received.Sub(l.Over)).Sub(l.Cancelled)
}

// room is by how much more than is open may still be accepted. What was cancelled is expected
// no longer, and then nothing beyond it is either.
func (l InboundLine) room() quantity.Decimal {
	if l.Cancelled.Sign() > 0 {
		return quantity.Decimal{}
	}
	return quantity.Max(l.Tolerance.Sub(l.Over), quantity.Decimal{})
}

// UnitContent is goods of one line in an announced pallet or carton.
type UnitContent struct {
	Line     int              `bson:"n"`
	Quantity quantity.Decimal `bson:"q"`
	Unit     string           `bson:"u,omitempty"`
}

// InboundUnit is a pallet or carton that was announced.
type InboundUnit struct {
	SSCC     string        `bson:"s"`
	Contents []UnitContent `bson:"c"`
	Received bool          `bson:"r,omitempty"`
}

// Standing is goods of a delivery that stand together.
type Standing struct {
	Number   int              `bson:"n"`
	Line     int              `bson:"l"`
	Place    Place            `bson:"p"`
	Quantity quantity.Decimal `bson:"q"`
	Stored   bool             `bson:"s,omitempty"` // put away
}

// Inbound is an inbound delivery; its zero value is "nothing yet".
type Inbound struct {
	Keys     InboundKeys   `bson:"k"`
	Lines    []InboundLine `bson:"l,omitempty"`
	Units    []InboundUnit `bson:"u,omitempty"`
	Expected time.Time     `bson:"e,omitempty"`
	// When the ASN said that it comes, where it was told otherwise since.
	AnnouncedFor time.Time  `bson:"ef,omitempty"`
	Rescheduled  bool       `bson:"er,omitempty"`
	ArrivedAt    time.Time  `bson:"a,omitempty"`
	Dock         string     `bson:"d,omitempty"`
	Standings    []Standing `bson:"s,omitempty"`
	LastTask     int        `bson:"t,omitempty"`
	Messages     []string   `bson:"m,omitempty"` // marks of the messages that told receipts, newest last
	// What of the bins that were proposed for a task is used up, and what was put elsewhere, newest last.
	Taken     []TakenBin `bson:"tb,omitempty"`
	Overrides []Override `bson:"o,omitempty"`
}

// State derives where the delivery stands.
func (d Inbound) State() InboundState {
	var received, open, standing bool
	for _, l := range d.Lines {
		received = received || l.Received.Sign() > 0
		open = open || l.Open().Sign() > 0
	}
	for _, s := range d.Standings {
		standing = standing || !s.Stored
	}
	switch {
	case d.Keys.ID == "":
		return ""
	case open && received:
		return Receiving
	case open && !d.ArrivedAt.IsZero():
		return Arrived
	case open:
		return Expected
	case !received:
		return InboundCancelled
	case standing:
		return FullyReceived
	}
	return StoredAway
}

// Line returns a line by number.
func (d Inbound) Line(number int) (InboundLine, bool) {
	i := slices.IndexFunc(d.Lines, func(l InboundLine) bool { return l.Number == number })
	if i < 0 {
		return InboundLine{}, false
	}
	return d.Lines[i], true
}

// Piece is where a piece of the delivery stands, if it was received under it.
func (d Inbound) Piece(item, serial string) (Place, bool) {
	for _, s := range d.Standings {
		if l, _ := d.Line(s.Line); s.Place.Serial == serial && l.Item == item {
			return s.Place, true
		}
	}
	return Place{}, false
}

// Part is goods received as they are booked.
type Part struct {
	Line      int
	Item      string
	SKU       string
	Unit      string
	Quantity  quantity.Decimal
	Over      quantity.Decimal // of it more than was open
	Place     Place
	SSCC      string
	InsteadOf int
	Inspect   bool
}

// InboundMove is goods that go from one place or status to another.
type InboundMove struct {
	Task     int
	Line     int
	Item     string
	SKU      string
	Unit     string
	From, To Place
	Quantity quantity.Decimal
	// Of a put-away: the bin that was proposed, and the rule that chose it; "": none was.
	Proposed, Rule string
}

// TakenBin is how much of a task was put into a bin that was proposed for it, or elsewhere instead.
type TakenBin struct {
	Task     int              `bson:"t"`
	Bin      string           `bson:"b"`
	Quantity quantity.Decimal `bson:"q"`
}

// Override is goods that were put elsewhere than was proposed.
type Override struct {
	Task     int              `bson:"t"`
	Line     int              `bson:"l"`
	Unit     string           `bson:"u"`
	Proposed string           `bson:"p"`
	Rule     string           `bson:"r"`
	Location string           `bson:"w"`
	Quantity quantity.Decimal `bson:"q"`
	At       time.Time        `bson:"a"`
}

// OverDecision is what becomes of goods that are too many.
type OverDecision string

// Decisions on goods that are too many.
const (
	KeepOver   OverDecision = "KEEP"
	ReturnOver OverDecision = "RETURN"
)

// InboundFact is what happened to an inbound delivery.
type InboundFact interface{ isInboundFact() }

// The facts of an inbound delivery.
type (
	// AsnRegistered announces it.
	AsnRegistered struct {
		InboundKeys
		Lines    []InboundLine
		Units    []InboundUnit
		Expected time.Time
	}
	// DeliveryArrived says that it is at the site.
	DeliveryArrived struct {
		InboundKeys
		Dock string
		At   time.Time
	}
	// GoodsReceived says what was received.
	GoodsReceived struct {
		InboundKeys
		Parts   []Part
		Message string // mark of the message that told it
		At      time.Time
		Source  ident.SourceRef
	}
	// DiscrepancyFound says how what came differs.
	DiscrepancyFound struct {
		InboundKeys
		Line int
		SKU  string
		Unit string
		ReceiptDifference
	}
	// RemainderCancelled ends the wait for what has not come.
	RemainderCancelled struct {
		InboundKeys
		Lines  []UnitContent
		Reason string
	}
	// InspectionRecorded says what inspection found.
	InspectionRecorded struct {
		InboundKeys
		Moves []InboundMove
		At    time.Time
	}
	// OverReceiptResolved says what becomes of goods that are too many.
	OverReceiptResolved struct {
		InboundKeys
		Decision OverDecision
		Moves    []InboundMove
		At       time.Time
	}
	// PutawayConfirmed says where goods are stored.
	PutawayConfirmed struct {
		InboundKeys
		Moves []InboundMove
		At    time.Time
	}
)

func (AsnRegistered) isInboundFact()       {}
func (DeliveryArrived) isInboundFact()     {}
func (GoodsReceived) isInboundFact()       {}
func (DiscrepancyFound) isInboundFact()    {}
func (RemainderCancelled) isInboundFact()  {}
func (InspectionRecorded) isInboundFact()  {}
func (OverReceiptResolved) isInboundFact() {}
func (PutawayConfirmed) isInboundFact()    {}
