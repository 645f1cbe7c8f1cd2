package domain

import (
	"fmt"
	"strconv"

	"github.com/lockstep-logistics/lockstep/libs/fault"
)

// Numbers hands out serial numbers of one GS1 company prefix in blocks, so that none is
// ever handed out twice. A block that is not used up is lost: gaps are allowed.
type Numbers struct {
	Prefix string `bson:"p"`
	Last   int64  `bson:"l"`
}

// NumbersFact is what happened to the numbers.
type NumbersFact interface{ isNumbersFact() }

// NumbersTaken hands out a block, both ends inclusive.
type NumbersTaken struct {
	Prefix      string
	First, Last int64
}

func (NumbersTaken) isNumbersFact() {}

// EvolveNumbers applies one fact.
func EvolveNumbers(n Numbers, f NumbersFact) Numbers {
	if t, ok := f.(NumbersTaken); ok {
		n.Prefix, n.Last = t.Prefix, t.Last
	}
	return n
}

// TakeNumbers hands out the next count numbers.
func TakeNumbers(n Numbers, prefix string, count int64) ([]NumbersFact, error) {
	return []NumbersFact{NumbersTaken{prefix, n.Last + 1, n.Last + count}}, nil
}

func itoa(i int) string { return strconv.Itoa(i) }

func invalid(field, reason, format string, args ...any) error {
	e := fault.New(fault.Invalid, "INVALID_REQUEST", "%s: %s", field, fmt.Sprintf(format, args...))
	return e.WithField(field, reason, format, args...)
}
