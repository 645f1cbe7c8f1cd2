package domain

import (
	"slices"
	"strconv"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// Arrival is goods as a report tells of them. Their item is the master data's; with an SSCC they
// are what was announced of that unit.
type Arrival struct {
	Line     int
	SSCC     string
	Item     Item
	Quantity quantity.Quantity
	Place    Place // without its status
	Serials  []string
	Damaged  bool
}

// InboundReport is what a message tells of goods received.
type InboundReport struct {
	Goods   []Arrival
	Inspect bool   // lines that were not announced go to inspection
	Message string // mark of the message and its content; empty if it has no id
	At      time.Time
	Source  ident.SourceRef
}

// intake collects what one report makes of a delivery.
type intake struct {
	d      Inbound
	report InboundReport
	parts  []Part
	found  []InboundFact
}

// TakeGoods records goods received: a report, so that what does not fit is received as well and
// told as a discrepancy. Refused is only what cannot be read. A message that was booked before
// changes nothing.
func TakeGoods(d Inbound, r InboundReport) ([]InboundFact, error) {
	if d.Knows(r.Message) {
		return nil, nil
	}
	in := intake{d: d, report: r}
	for i, g := range r.Goods {
		if err := in.take(g, "goods["+strconv.Itoa(i)+"]"); err != nil {
			return nil, err
		}
	}
	f := GoodsReceived{InboundKeys: d.Keys, Parts: in.parts, Message: r.Message, At: r.At, Source: r.Source}
	return append([]InboundFact{f}, in.found...), nil
}

// Knows reports whether a message was booked before.
func (d Inbound) Knows(message string) bool {
	return message != "" && slices.Contains(d.Messages, message)
}

func (in *intake) take(g Arrival, field string) error {
	if g.SSCC != "" {
		return in.unit(g, field)
	}
	q, err := g.Item.Base(g.Quantity, field+".quantity")
	if err != nil {
		return err
	}
	pieces, err := g.Item.Pieces(g.Place, q.Value, g.Serials, false)
	if err != nil {
		return Below(field, err)
	}
	for i, p := range pieces {
		g.Place = p.Place
		if err := in.fresh(g, field+".serials["+strconv.Itoa(i)+"]"); err != nil {
			return err
		}
		l, err := in.line(g, field)
		if err != nil {
			return err
		}
		if err := in.book(l, g, p.Quantity, field); err != nil {
			return err
		}
	}
	return nil
}

// fresh refuses a piece that the report names twice, or that was received under the delivery before.
func (in *intake) fresh(g Arrival, field string) error {
	at, has := in.d.Piece(g.Item.ID, g.Place.Serial)
	switch {
	case g.Place.Serial == "" || !has:
		return nil
	case in.before(g):
		return SerialElsewhere(StockKey{Site: in.d.Keys.Site, Owner: in.d.Keys.Owner, Item: g.Item.ID, SKU: g.Item.SKU}, at)
	}
	return Invalid(field, "SERIAL_DUPLICATE", "piece %s is named twice", g.Place.Serial)
}

// before reports whether a piece was received before the report.
func (in *intake) before(g Arrival) bool {
	return !slices.ContainsFunc(in.parts, func(p Part) bool { return p.Item == g.Item.ID && p.Place.Serial == g.Place.Serial })
}

// unit receives an announced pallet or carton as it was announced.
func (in *intake) unit(g Arrival, field string) error {
	i := slices.IndexFunc(in.d.Units, func(u InboundUnit) bool { return u.SSCC == g.SSCC })
	if i < 0 {
		return Invalid(field+".sscc", "SSCC_UNKNOWN", "unit %s was not announced: say what is in it", g.SSCC)
	}
	u := in.d.Units[i]
	if u.Received {
		return fault.New(fault.Refused, "UNIT_RECEIVED", "%s.sscc: unit %s was received already", field, g.SSCC)
	}
	for _, c := range u.Contents {
		l, err := in.d.named(c.Line)
		if err != nil {
			return err
		}
		if err := in.book(l, g, c.Quantity, field); err != nil {
			return err
		}
	}
	return nil
}

// line finds the line that goods are of: the one they name, else one of their item that is
// still open, else any of their item, else one of their own.
func (in *intake) line(g Arrival, field string) (InboundLine, error) {
	own := InboundLine{Number: in.next(), Item: g.Item.ID, SKU: g.Item.SKU, Unit: g.Item.BaseUnit, Inspect: in.report.Inspect}
	if g.Line > 0 {
		l, known := in.d.Line(g.Line)
		switch {
		case !known:
			return l, Invalid(field+".line_number", "LINE_UNKNOWN", "the delivery has no line %d", g.Line)
		case l.Item == g.Item.ID:
			return l, nil
		}
		own.InsteadOf, own.Inspect = l.Number, l.Inspect
	}
	alike := func(l InboundLine) bool { return l.Item == g.Item.ID && l.InsteadOf == own.InsteadOf }
	for _, fits := range []func(InboundLine) bool{
		func(l InboundLine) bool { return alike(l) && l.Open().Sign() > 0 && l.Lot == g.Place.Lot },
		func(l InboundLine) bool { return alike(l) && l.Open().Sign() > 0 && (l.Lot == "" || g.Place.Lot == "") },
		alike,
	} {
		if i := slices.IndexFunc(in.d.Lines, fits); i >= 0 {
			return in.d.Lines[i], nil
		}
	}
	return own, nil
}

// next is the number of the next line that was not announced.
func (in *intake) next() int {
	last := unannounced
	for _, l := range in.d.Lines {
		last = max(last, l.Number)
	}
	return last + 1
}

// book receives a quantity of a line: what is open and within its tolerance in the status that
// it is to have, what is beyond in QUARANTINE. Damaged goods are DAMAGED, however many they are.
func (in *intake) book(l InboundLine, g Arrival, q quantity.Decimal, field string) error {
	if len(in.d.Lines) >= maxInboundLines || len(in.d.Standings) >= maxStandings {
		return fault.New(fault.Refused, "DELIVERY_FULL", "%s: the delivery has as many lines or standings as it can have", field)
	}
	at := g.Place
	if at.Lot == "" {
		at.Lot = l.Lot
	}
	if at.Expiry == "" && at.Lot == l.Lot {
		at.Expiry = l.Expiry
	}
	if g.Item.Lot && at.Lot == "" {
		return Invalid(field+".lot", "LOT_REQUIRED", "item %s is kept by lot: name it", g.Item.SKU)
	}
	matched := quantity.Min(quantity.Max(l.Open(), quantity.Decimal{}), q)
	over := q.Sub(matched)
	var within quantity.Decimal
	switch {
	case l.Number > unannounced:
		within = over
		kind := UnexpectedItem
		if l.InsteadOf > 0 {
			kind = WrongItem
		}
		if in.d.Keys.ASN != "" {
			in.differ(l, kind, q)
		}
	default:
		within = quantity.Min(over, l.room())
		in.differ(l, OverReceipt, over.Sub(within))
	}
	part := Part{Line: l.Number, Item: l.Item, SKU: l.SKU, Unit: l.Unit, SSCC: g.SSCC, InsteadOf: l.InsteadOf, Inspect: l.Inspect, Place: at}
	if g.Damaged {
		in.differ(l, DamagedReceipt, q)
		in.add(part, Damaged, q, over)
		return nil
	}
	good := Available
	if l.Inspect {
		good = QI
	}
	in.add(part, good, matched.Add(within), within)
	in.add(part, Quarantine, over.Sub(within), over.Sub(within))
	return nil
}

func (in *intake) add(p Part, s Status, q, over quantity.Decimal) {
	if q.Sign() > 0 {
		p.Place.Status, p.Quantity, p.Over = s, q, over
		in.parts = append(in.parts, p)
		in.d = in.d.receive(p)
	}
}

func (in *intake) differ(l InboundLine, t DiscrepancyType, q quantity.Decimal) {
	if q.Sign() > 0 {
		in.found = append(in.found, DiscrepancyFound{in.d.Keys, l.Number, l.SKU, l.Unit, ReceiptDifference{t, q}})
	}
}
