package domain

import (
	"slices"
	"strconv"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// RequestTransfer says what is to be sent; again it changes nothing.
func RequestTransfer(t SiteTransfer, f TransferRequested) ([]TransferFact, error) {
	if t.Keys.ID != "" {
		return nil, nil
	}
	for i, l := range f.Lines {
		other := func(o TransferLine) bool { return o.Item == l.Item && o.Place == l.Place }
		if slices.ContainsFunc(f.Lines[:i], other) {
			return nil, Invalid("lines["+strconv.Itoa(i)+"].location", "LINE_DUPLICATE", "goods of the place are there already")
		}
	}
	return []TransferFact{f}, nil
}

// SettleTransfer says what left its bins; refused are the reasons of lines that could not, by number.
func SettleTransfer(t SiteTransfer, refused map[int]string, at time.Time) []TransferFact {
	if t.State() != TransferRequestedState {
		return nil
	}
	f := TransferShipped{TransferKeys: t.Keys, Expected: t.Expected, At: at}
	for _, l := range t.Lines {
		if why := refused[l.Number]; why != "" {
			f.Refused = append(f.Refused, TransferRefusal{l.Number, why})
		} else {
			f.Shipped = append(f.Shipped, l.of(l.Asked))
		}
	}
	return []TransferFact{f}
}

func (l TransferLine) of(q quantity.Decimal) TransferQuantity {
	return TransferQuantity{l.Number, l.Item, l.SKU, l.Unit, l.Place, q}
}

func (t SiteTransfer) refusal(command string) error {
	from := t.State()
	return fault.New(fault.Refused, "TRANSFER_STATE", "a transfer that is %s cannot be %s", from, command).With("from", string(from)).With("command", command)
}

// TransferArrival is goods of a line that came, as a report has them.
type TransferArrival struct {
	Line     int
	Quantity quantity.Decimal
	Location string
	Damaged  bool
}

// ReceiveTransfer books what came: a report of what happened. What is more than was shipped and is
// not accounted for stands in QUARANTINE, damaged goods are DAMAGED, the others have the status
// that they had. The same message changes nothing.
func ReceiveTransfer(t SiteTransfer, arrivals []TransferArrival, message string, at time.Time) ([]TransferFact, error) {
	switch {
	case message != "" && slices.Contains(t.Messages, message):
		return nil, nil
	case !t.Settled || !slices.ContainsFunc(t.Lines, func(l TransferLine) bool { return l.Shipped.Sign() > 0 }):
		return nil, t.refusal("received")
	case t.Parts+2*len(arrivals) > maxTransferParts:
		return nil, fault.New(fault.Refused, "TRANSFER_FULL", "%d parts were received already", t.Parts)
	}
	f := TransferReceived{TransferKeys: t.Keys, Message: message, At: at}
	for i, a := range arrivals {
		l, known := t.Line(a.Line)
		if !known || l.Shipped.IsZero() {
			return nil, Invalid("lines["+strconv.Itoa(i)+"].line_number", "LINE_UNKNOWN", "no line %d was sent", a.Line)
		}
		part := TransferPart{TransferQuantity: l.of(quantity.Min(a.Quantity, l.Open())), To: l.Place, Damaged: a.Damaged}
		part.To.Location = a.Location
		if a.Damaged {
			part.To.Status = Damaged
		}
		over := part
		over.To.Serial = "" // the piece is the one that was sent
		over.Over, over.Quantity = true, a.Quantity.Sub(part.Quantity)
		if !a.Damaged {
			over.To.Status = Quarantine
		}
		for _, p := range []TransferPart{part, over} {
			if p.Quantity.Sign() > 0 {
				f.Parts = append(f.Parts, p)
				t = EvolveTransfer(t, TransferReceived{Parts: []TransferPart{p}})
			}
		}
	}
	return []TransferFact{f}, nil
}

// EndTransfer ends the wait for what is open of the lines, all of them if none is named: it was
// brought back to a bin of the site that sent it, or is lost.
func EndTransfer(t SiteTransfer, outcome TransferOutcome, location, reason string, lines []int, at time.Time) ([]TransferFact, error) {
	if !t.Settled {
		return nil, t.refusal("ended")
	}
	f := TransferEnded{TransferKeys: t.Keys, Outcome: outcome, Location: location, Reason: reason, At: at}
	for i, n := range lines {
		if l, known := t.Line(n); !known || l.Open().Sign() <= 0 {
			return nil, Invalid("line_numbers["+strconv.Itoa(i)+"]", "NOTHING_OPEN", "nothing is open on line %d", n)
		}
	}
	for _, l := range t.Lines {
		if open := l.Open(); open.Sign() > 0 && (len(lines) == 0 || slices.Contains(lines, l.Number)) {
			f.Lines = append(f.Lines, l.of(open))
		}
	}
	if len(f.Lines) == 0 {
		return nil, fault.New(fault.Refused, "NOTHING_OPEN", "nothing is open on the transfer")
	}
	return []TransferFact{f}, nil
}
