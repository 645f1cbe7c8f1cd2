package gs1

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Symbol is one GS1-128 symbol of a label.
type Symbol struct {
	Elements []Element
	Data     string // as a scanner transmits it, FNC1 between elements that need it
	Printed  string // human readable interpretation: "(00)106141412345678908"
}

// longestSymbol is how many characters a GS1-128 symbol carries, FNC1 as a separator counted
// (General Specifications 5.4).
const longestSymbol = 48

// titles are the data titles of application identifiers (General Specifications 3.2).
var titles = map[string]string{
	"00": "SSCC", "01": "GTIN", "02": "CONTENT", "10": "BATCH/LOT", "11": "PROD DATE", "15": "BEST BEFORE or BEST BY",
	"17": "USE BY OR EXPIRY", "21": "SERIAL", "37": "COUNT", "310n": "NET WEIGHT (kg)", "320n": "NET WEIGHT (lb)",
	"330n": "GROSS WEIGHT (kg)", "400": "ORDER NUMBER", "401": "GINC", "402": "GSIN", "410": "SHIP TO LOC", "420": "SHIP TO POST",
}

// Title is the data title of the element's application identifier; "" if it is not known.
func (e Element) Title() string {
	f, _, rest, err := identify(e.AI)
	if err != nil || rest != "" {
		return ""
	}
	return titles[f.ai]
}

// Encode writes elements as one element string, as a scanner transmits it: FNC1 stands behind
// data that has no predefined length, unless it is the last. Wrong data is a fault.
func Encode(elements []Element) (string, error) {
	var b strings.Builder
	for i, e := range elements {
		f, _, rest, err := identify(e.AI)
		if err == nil && rest != "" {
			err = malformed("(%s) is no known application identifier", e.AI)
		}
		if err == nil {
			err = f.check(e)
		}
		if err != nil {
			return "", err
		}
		b.WriteString(e.AI + e.Value)
		if i < len(elements)-1 && !predefined(e.AI) {
			b.WriteString(FNC1)
		}
	}
	return b.String(), nil
}

// predefined reports whether the length of an identifier's data needs no FNC1 behind it
// (General Specifications 7.8.5).
func predefined(ai string) bool {
	switch two := ai[:2]; {
	case two >= "00" && two <= "04", two >= "11" && two <= "20", two >= "31" && two <= "36", two == "41":
		return true
	}
	return false
}

// Print is the human readable interpretation of elements.
func Print(elements []Element) string {
	var b strings.Builder
	for _, e := range elements {
		b.WriteString("(" + e.AI + ")" + e.Value)
	}
	return b.String()
}

// Label splits the elements of a logistic label into GS1-128 symbols of at most 48 characters,
// in their order, the SSCC in a symbol of its own at the end. Elements that may not stand on one
// label without others, or beside others, are a fault.
func Label(elements []Element) ([]Symbol, error) {
	if err := associated(elements); err != nil {
		return nil, err
	}
	var groups [][]Element
	var last []Element
	length := 0
	for _, e := range elements {
		if e.AI == "00" {
			last = []Element{e}
			continue
		}
		n := len(e.AI) + len(e.Value)
		if !predefined(e.AI) {
			n++
		}
		if len(groups) == 0 || length+n > longestSymbol {
			groups, length = append(groups, nil), 0
		}
		groups[len(groups)-1], length = append(groups[len(groups)-1], e), length+n
	}
	if last != nil {
		groups = append(groups, last)
	}
	symbols := make([]Symbol, len(groups))
	for i, g := range groups {
		data, err := Encode(g)
		if err != nil {
			return nil, err
		}
		symbols[i] = Symbol{g, data, Print(g)}
	}
	return symbols, nil
}

// associated holds elements against the pairs that must and must not stand together (General
// Specifications 4.13 and 4.14), as far as this package knows their identifiers.
func associated(elements []Element) error {
	has := map[string]bool{}
	for _, e := range elements {
		if has[e.AI] {
			return malformed("(%s) stands twice", e.AI)
		}
		has[e.AI] = true
	}
	need := func(ai string, others ...string) error {
		if !slices.ContainsFunc(others, func(a string) bool { return has[a] }) {
			return malformed("(%s) needs (%s)", ai, strings.Join(others, ") or ("))
		}
		return nil
	}
	for _, e := range elements {
		var err error
		switch f, _, _, unknown := identify(e.AI); {
		case unknown != nil:
			err = unknown
		case e.AI == "02":
			if err = need(e.AI, "37"); err == nil {
				err = need(e.AI, "00")
			}
		case e.AI == "37":
			err = need(e.AI, "02")
		case e.AI == "01" && has["02"]:
			err = malformed("(01) and (02) do not stand together")
		case e.AI == "21":
			err = need(e.AI, "01")
		case slices.Contains([]string{"10", "11", "15", "17", "310n", "320n"}, f.ai):
			err = need(e.AI, "01", "02")
		case f.ai == "330n":
			err = need(e.AI, "00", "01")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Kilograms is a weight in grams as an element of 310 (net) or 330 (gross), in kilograms with as
// many decimals as fit six digits, rounded half up where grams do not fit; false from 1,000 tonnes.
func Kilograms(ai string, grams int64) (Element, bool) {
	unit := int64(1)
	for decimals := 3; decimals >= 0 && grams >= 0; decimals-- {
		if n := (grams + unit/2) / unit; n < 1_000_000 {
			return Element{fmt.Sprintf("%s%d", ai, decimals), fmt.Sprintf("%06d", n)}, true
		}
		unit *= 10
	}
	return Element{}, false
}

// DateElement is a day as an element of 11, 15 or 17.
func DateElement(ai string, day time.Time) Element {
	return Element{ai, day.Format("060102")}
}
