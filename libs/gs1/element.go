package gs1

import (
	"strconv"
	"strings"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// Element is one application identifier with its data.
type Element struct {
	AI    string // "00", "01", "3102" …
	Value string // as encoded; GTINs are 14 digits
}

// FNC1 separates data of variable length in a scan, as readers transmit it.
const FNC1 = "\x1d"

// format says how the data of an application identifier looks.
type format struct {
	ai       string // its first characters; a trailing n stands for a decimal-point digit
	length   int    // exact length, or the longest when variable
	digits   bool
	variable bool // data ends at FNC1 or at the end
	valid    func(string) error
}

var formats = []format{
	// shipping container, item, item contained
	{ai: "00", length: 18, digits: true, valid: func(s string) error { return check("SSCC", s) }},
	{ai: "01", length: 14, digits: true, valid: func(s string) error { return check("GTIN", s) }},
	{ai: "02", length: 14, digits: true, valid: func(s string) error { return check("GTIN", s) }},
	{ai: "10", length: 20, variable: true},              // batch or lot
	{ai: "11", length: 6, digits: true, valid: date},    // production
	{ai: "15", length: 6, digits: true, valid: date},    // best before
	{ai: "17", length: 6, digits: true, valid: date},    // expiry
	{ai: "21", length: 20, variable: true},              // serial
	{ai: "310n", length: 6, digits: true},               // net weight, kg
	{ai: "320n", length: 6, digits: true},               // net weight, lb
	{ai: "330n", length: 6, digits: true},               // gross weight, kg
	{ai: "37", length: 8, digits: true, variable: true}, // count of contained items
	{ai: "400", length: 30, variable: true},             // customer's purchase order number
	{ai: "401", length: 30, variable: true},             // consignment number (GINC)
	// shipment number, ship to
	{ai: "402", length: 17, digits: true, valid: func(s string) error { return check("GSIN", s) }},
	{ai: "410", length: 13, digits: true, valid: func(s string) error { return check("GLN", s) }},
	{ai: "420", length: 20, variable: true}, // ship-to postal code within one postal authority
}

const longestScan = 1024 // characters; a label carries fewer than 100

// Parse reads the application identifiers 00, 01, 02, 10, 11, 15, 17, 21, 310n,
// 320n, 330n, 37, 400, 401, 402, 410 and 420 from a scan, where FNC1 ends data of variable
// length and a symbology identifier ("]C1", "]d2", "]Q3", "]e0") may stand in
// front, or from the printed form with the identifiers in parentheses. Another
// identifier, wrong data and a repeated identifier with other data are faults.
func Parse(data string) ([]Element, error) {
	if len(data) > longestScan {
		return nil, malformed("%d characters are too many", len(data))
	}
	for _, symbology := range []string{"]C1", "]d2", "]Q3", "]e0"} {
		data = strings.TrimPrefix(data, symbology)
	}
	next := scanned
	if strings.HasPrefix(data, "(") {
		next = printed
	}
	data = strings.TrimPrefix(data, FNC1)
	if data == "" {
		return nil, malformed("no data")
	}
	var elements []Element
	seen := map[string]string{}
	for data != "" {
		e, rest, err := next(data)
		if err != nil {
			return nil, err
		}
		if old, twice := seen[e.AI]; twice && old != e.Value {
			return nil, malformed("(%s) says %q and %q", e.AI, old, e.Value)
		} else if !twice {
			elements = append(elements, e)
		}
		seen[e.AI], data = e.Value, rest
	}
	return elements, nil
}

// scanned takes the first element off raw data.
func scanned(data string) (Element, string, error) {
	f, ai, data, err := identify(data)
	if err != nil {
		return Element{}, "", err
	}
	end := min(f.length, len(data))
	if f.variable {
		if i := strings.Index(data, FNC1); i >= 0 {
			end = i
		} else {
			end = len(data)
		}
	}
	e := Element{ai, data[:end]}
	return e, strings.TrimPrefix(data[end:], FNC1), f.check(e)
}

// printed takes the first element off "(01)09501101530003(17)…". A parenthesis
// in data starts an identifier only when a known one follows.
func printed(data string) (Element, string, error) {
	f, ai, data, err := parenthesised(data)
	if err != nil {
		return Element{}, "", err
	}
	end := len(data)
	for i := range len(data) {
		if data[i] != '(' {
			continue
		}
		if _, _, _, err := parenthesised(data[i:]); err == nil {
			end = i
			break
		}
	}
	e := Element{ai, data[:end]}
	return e, data[end:], f.check(e)
}

func parenthesised(data string) (f format, ai, rest string, err error) {
	inside, rest, found := strings.Cut(strings.TrimPrefix(data, "("), ")")
	if !found || data[0] != '(' {
		return f, "", "", malformed("an identifier in parentheses is missing")
	}
	f, ai, left, err := identify(inside)
	if err == nil && left != "" {
		err = malformed("(%s) is no known application identifier", inside)
	}
	return f, ai, rest, err
}

// identify returns the format that data starts with, the identifier and what follows it.
func identify(data string) (f format, ai, rest string, err error) {
	for _, f := range formats {
		fixed, point := strings.CutSuffix(f.ai, "n")
		if !strings.HasPrefix(data, fixed) || len(data) < len(f.ai) {
			continue
		}
		if n := len(f.ai); !point || data[n-1] >= '0' && data[n-1] <= '6' {
			return f, data[:n], data[n:], nil
		}
	}
	return f, "", "", malformed("no known application identifier at %.4q", data)
}

func (f format) check(e Element) error {
	n := len(e.Value)
	switch {
	case n == 0 || n > f.length || !f.variable && n != f.length:
		return malformed("(%s) has %d characters", e.AI, n)
	case f.digits && !numeric(e.Value):
		return malformed("(%s) has only digits", e.AI)
	case !f.digits && !printable(e.Value):
		return malformed("(%s) has a character outside the GS1 set", e.AI)
	case f.valid != nil:
		return f.valid(e.Value)
	}
	return nil
}

// printable reports whether s is of the GS1 encodable character set 82.
func printable(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c < '!' || c > 'z' || strings.IndexByte("#$@[\\]^`", c) >= 0 {
			return false
		}
	}
	return true
}

func malformed(text string, args ...any) error {
	return fault.New(fault.Invalid, "GS1_MALFORMED", "no GS1 element string: "+text, args...)
}

// Measure returns the value of a 31nn, 32nn or 33nn element with its decimal
// point, in KGM or LBR; false for another identifier.
func (e Element) Measure() (quantity.Quantity, bool) {
	if len(e.AI) != 4 || e.AI[0] != '3' || len(e.Value) != 6 {
		return quantity.Quantity{}, false
	}
	point := 6 - int(e.AI[3]-'0')
	if point < 0 || point > 6 {
		return quantity.Quantity{}, false
	}
	unit := "KGM"
	if e.AI[:3] == "320" {
		unit = "LBR"
	}
	text := "0" + e.Value[:point]
	if point < 6 {
		text += "." + e.Value[point:]
	}
	q, err := quantity.New(text, unit)
	return q, err == nil
}

func date(s string) error {
	_, err := Date(s, time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC))
	return err
}

// Date reads YYMMDD as of now: the year is at most 50 years ahead and 49 back,
// and day 00 means the last of the month (General Specifications 7.12).
func Date(s string, now time.Time) (time.Time, error) {
	if len(s) != 6 || !numeric(s) {
		return time.Time{}, malformed("%q is no date of the form YYMMDD", s)
	}
	part := func(i int) int { n, _ := strconv.Atoi(s[i : i+2]); return n }
	century := now.Year() / 100
	switch ahead := part(0) - now.Year()%100; {
	case ahead >= 51:
		century--
	case ahead <= -50:
		century++
	}
	year, month, day := 100*century+part(0), time.Month(part(2)), part(4)
	if day == 0 {
		month, day = month+1, 0
	}
	t := time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	if m := part(2); m < 1 || m > 12 || t.Month() != time.Month(m) {
		return time.Time{}, malformed("%q is no day of the calendar", s)
	}
	return t, nil
}
