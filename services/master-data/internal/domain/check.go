package domain

import (
	"fmt"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/gs1"
)

// check collects the fields that break a rule; the first one's reason is the fault's.
type check struct{ err *fault.Error }

// that notes a broken rule unless ok.
func (c *check) that(ok bool, path, reason, format string, args ...any) {
	if ok {
		return
	}
	if c.err == nil {
		c.err = fault.New(fault.Invalid, reason, format, args...)
	}
	c.err = c.err.WithField(path, reason, format, args...)
}

// done returns the fault, or nil.
func (c *check) done() error {
	if c.err == nil {
		return nil
	}
	return c.err
}

func (c *check) code(path, code string) {
	c.that(code != "", path, "REQUIRED", "the record needs its code")
}

// zone accepts "" and the names of the IANA database; "Local" is a Go word, no zone.
func (c *check) zone(path, name string) {
	_, err := time.LoadLocation(name)
	c.that(err == nil && name != "Local", path, "TIME_ZONE_UNKNOWN", "%q is not in the IANA time zone database", name)
}

// country accepts "" and the codes of ISO 3166-1.
func (c *check) country(path, code string) {
	_, known := countryNames[code]
	c.that(code == "" || known, path, "COUNTRY_UNKNOWN", "%q is no ISO 3166-1 alpha-2 code", code)
}

// gln accepts "" and a Global Location Number with its check digit.
func (c *check) gln(path, gln string) {
	if gln == "" {
		return
	}
	_, err := gs1.GLN(gln)
	c.that(err == nil, path, "CHECK_DIGIT", "%q is no GLN: 13 digits with a GS1 check digit", gln)
}

// address checks the parts of an address that a standard defines.
func (c *check) address(path string, a Address) {
	c.that(a.Country != "", path+".country", "REQUIRED", "an address needs its country")
	c.country(path+".country", a.Country)
}

// unique reports repeated keys in a list.
type unique map[string]bool

func (u unique) add(c *check, key, path, what string) {
	c.that(!u[key], path, "DUPLICATE", "%s is named twice", what)
	u[key] = true
}

func at(list string, i int, field string) string { return fmt.Sprintf("%s[%d].%s", list, i, field) }
