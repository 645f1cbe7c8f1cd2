package domain

import (
	"strconv"

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

// NumberOf is the number of the prefix that an SSCC stands for; false when it is none of the prefix.
func NumberOf(prefix, sscc string) (number int64, ok bool) {
	if len(sscc) != 18 || sscc[1:1+len(prefix)] != prefix {
		return 0, false
	}
	serial, err := strconv.ParseInt(sscc[1+len(prefix):17], 10, 64)
	return int64(sscc[0]-'0')*serials(prefix) + serial, err == nil
}

// Prefixes are the company prefixes that an SSCC may have been made from.
func Prefixes(sscc string) []string {
	var all []string
	for n := minPrefix; n <= maxPrefix; n++ {
		all = append(all, sscc[1:1+n])
	}
	return all
}

// Lengths of a GS1 company prefix.
const (
	minPrefix = 4
	maxPrefix = 12
)

// ForeignSSCC is an SSCC that a warehouse gave a carton itself, and the order that has it; of a
// unit that others go into, that unit.
type ForeignSSCC struct {
	Order string `bson:"o"`
}

// SSCCClaimed gives an SSCC to a warehouse order.
type SSCCClaimed struct{ SSCC, Order string }

// EvolveSSCC applies the one fact that there is.
func EvolveSSCC(_ ForeignSSCC, f SSCCClaimed) ForeignSSCC { return ForeignSSCC{f.Order} }

// ClaimSSCC gives an SSCC to a warehouse order; only one order ever has it.
func ClaimSSCC(f ForeignSSCC, sscc, order string) ([]SSCCClaimed, error) {
	switch f.Order {
	case "":
		return []SSCCClaimed{{sscc, order}}, nil
	case order:
		return nil, nil
	}
	return nil, SSCCUsed(sscc)
}

// SSCCUsed is the refusal of an SSCC that another carton has.
func SSCCUsed(sscc string) error {
	return fault.New(fault.Refused, "SSCC_INVALID", "SSCC %s is another carton's", sscc)
}
