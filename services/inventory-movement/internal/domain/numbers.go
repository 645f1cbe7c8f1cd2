package domain

import (
	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/gs1"
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

// serials is how many serial numbers one extension digit has.
func serials(prefix string) int64 {
	n := int64(1)
	for range 16 - len(prefix) {
		n *= 10
	}
	return n
}

// TakeNumbers hands out the next count numbers, fewer when the prefix has no more.
func TakeNumbers(n Numbers, prefix string, count int64) ([]NumbersFact, error) {
	most := 10*serials(prefix) - 1 // all extension digits
	if n.Last >= most {
		return nil, fault.New(fault.Refused, "SSCC_EXHAUSTED", "every SSCC of company prefix %s is handed out", prefix)
	}
	return []NumbersFact{NumbersTaken{prefix, n.Last + 1, min(n.Last+count, most)}}, nil
}

// SSCC is the serial shipping container code of a number of the prefix: the extension
// digit goes up when the serial numbers are used up.
func SSCC(prefix string, number int64) (string, error) {
	each := serials(prefix)
	return gs1.SSCC(prefix, int(number/each), uint64(number%each))
}
