package domain

import (
	"reflect"
	"slices"
	"strconv"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/gs1"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// Percent reads a percentage of at most four decimals, from 0 to 100.
func Percent(text, field string) (quantity.Decimal, error) {
	d, err := quantity.Parse(text)
	if err != nil || d.Sign() < 0 || quantity.Int(100).Less(d) {
		return d, Invalid(field, "QUANTITY_INVALID", "%q is no percentage from 0 to 100", text)
	}
	if _, ok := scaled(d); !ok {
		return d, Invalid(field, "QUANTITY_INVALID", "%q has more than four decimals", text)
	}
	return d, nil
}

// percentScale makes a percentage of four decimals a whole number.
const percentScale = 10_000

// scaled is a percentage of four decimals as a whole number.
func scaled(percent quantity.Decimal) (int64, bool) {
	d, err := percent.Mul(quantity.Ratio{Num: percentScale, Den: 1})
	if err != nil {
		return 0, false
	}
	return d.Int64()
}

// Allowance is so many per cent of a quantity, rounded down to what can be counted of it.
func Allowance(q quantity.Quantity, percent quantity.Decimal) (quantity.Decimal, error) {
	n, ok := scaled(percent)
	if !ok || n == 0 {
		return quantity.Decimal{}, nil
	}
	decimals := quantity.FractionDigits
	if !whole(quantity.Quantity{Value: quantity.MustParse("0.5"), Unit: q.Unit}) {
		decimals = 0
	}
	return q.Value.MulRounded(quantity.Ratio{Num: n, Den: 100 * percentScale}, decimals, quantity.Down)
}

// Announce registers an ASN. The same again changes nothing; another under its number is refused.
func Announce(d Inbound, f AsnRegistered) ([]InboundFact, error) {
	if err := wellFormed(f); err != nil {
		return nil, err
	}
	if d.Keys.ID == "" {
		return []InboundFact{f}, nil
	}
	if !same(d, f) {
		return nil, fault.New(fault.Refused, "ASN_REGISTERED", "ASN %s of %s is registered with other content", f.ASN, f.Supplier).
			With("inbound_delivery_id", d.Keys.ID)
	}
	return nil, nil
}

// same reports whether an ASN says what the delivery was announced with.
func same(d Inbound, f AsnRegistered) bool {
	was := AsnRegistered{InboundKeys: d.Keys, Expected: d.announcedFor()}
	for _, l := range d.Lines {
		if l.Number <= unannounced {
			l.Received, l.Over, l.Cancelled, l.Discrepancies = quantity.Decimal{}, quantity.Decimal{}, quantity.Decimal{}, nil
			was.Lines = append(was.Lines, l)
		}
	}
	for _, u := range d.Units {
		u.Received = false
		was.Units = append(was.Units, u)
	}
	return was.Expected.Equal(f.Expected) && was.InboundKeys == f.InboundKeys && reflect.DeepEqual(was.Lines, f.Lines) && reflect.DeepEqual(was.Units, f.Units)
}

// wellFormed holds an ASN against itself: numbers are unique, and units hold no more than the lines.
func wellFormed(f AsnRegistered) error {
	left := map[int]quantity.Decimal{}
	for i, l := range f.Lines {
		if _, twice := left[l.Number]; twice {
			return Invalid("lines["+strconv.Itoa(i)+"].line_number", "LINE_DUPLICATE", "line %d is there already", l.Number)
		}
		left[l.Number] = l.Announced
	}
	for i, u := range f.Units {
		field := "units[" + strconv.Itoa(i) + "]"
		if _, err := gs1.ParseSSCC(u.SSCC); err != nil {
			return Invalid(field+".sscc", "SSCC_INVALID", "its check digit is wrong")
		}
		if slices.ContainsFunc(f.Units[:i], func(o InboundUnit) bool { return o.SSCC == u.SSCC }) {
			return Invalid(field+".sscc", "LINE_DUPLICATE", "unit %s is there already", u.SSCC)
		}
		for n, c := range u.Contents {
			at := field + ".contents[" + strconv.Itoa(n) + "]"
			rest, known := left[c.Line]
			if !known {
				return Invalid(at+".line_number", "LINE_UNKNOWN", "the ASN has no line %d", c.Line)
			}
			if rest.Less(c.Quantity) {
				return Invalid(at+".quantity", "UNIT_CONTENT_EXCEEDED", "at most %s of line %d are left for it", rest, c.Line)
			}
			left[c.Line] = rest.Sub(c.Quantity)
		}
	}
	return nil
}

// Arrive records that the delivery is at the site; when it was told first counts.
func Arrive(d Inbound, dock string, at time.Time) []InboundFact {
	if !d.ArrivedAt.IsZero() {
		return nil
	}
	return []InboundFact{DeliveryArrived{d.Keys, dock, at}}
}

// CancelRest ends the wait for what is open of the lines, all of them if none is named. What
// was received stays as it is.
func CancelRest(d Inbound, lines []int, reason string) ([]InboundFact, error) {
	f := RemainderCancelled{InboundKeys: d.Keys, Reason: reason}
	facts := []InboundFact{}
	for i, n := range lines {
		field := "line_numbers[" + strconv.Itoa(i) + "]"
		l, known := d.Line(n)
		if !known {
			return nil, Invalid(field, "LINE_UNKNOWN", "the delivery has no line %d", n)
		}
		if l.Open().Sign() <= 0 {
			return nil, fault.New(fault.Refused, "NOTHING_OPEN", "%s: nothing is open on line %d", field, n)
		}
	}
	for _, l := range d.Lines {
		open := l.Open()
		if open.Sign() <= 0 || len(lines) > 0 && !slices.Contains(lines, l.Number) {
			continue
		}
		f.Lines = append(f.Lines, UnitContent{l.Number, open, l.Unit})
		facts = append(facts, DiscrepancyFound{d.Keys, l.Number, l.SKU, l.Unit, ReceiptDifference{ShortReceipt, open}})
	}
	if len(f.Lines) == 0 {
		return nil, fault.New(fault.Refused, "NOTHING_OPEN", "nothing is open on the delivery")
	}
	return append([]InboundFact{f}, facts...), nil
}
