package lifecycle

import (
	"math/rand/v2"

	inventorymovementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	orderreleasev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	returnsv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/returns/v1"
)

// Way says where an order leaves the straight way; the zero value is straight.
type Way struct {
	Short Short
	Back  Back
}

// Short is what pickers do not find of an order of two pieces or more. One piece they find.
type Short struct {
	Reason inventorymovementv1.ShortReason // unspecified: they find everything
	Cancel bool                            // what is missing is cancelled; else it follows in a release of its own
}

// Back is what the customer sends back of the first two lines after delivery.
type Back struct {
	Any    bool
	Decide bool // somebody has to authorise it; else the policy does
	// Last is what becomes of the last piece of the first line: restocked with the others, or
	// rejected and sent where it says. Unspecified: it never arrives, and the return ends without.
	Last returnsv1.Disposition
}

// One order in so many is returned in part, and one is picked short.
const (
	backOf  = 8
	shortOf = 10
)

// Choose draws a way: most are straight.
func Choose(random *rand.Rand) (w Way) {
	if random.IntN(backOf) == 0 {
		w.Back = Back{Any: true, Decide: random.IntN(2) == 0, Last: returnsv1.Disposition(random.IntN(len(returnsv1.Disposition_name)))}
	}
	if random.IntN(shortOf) == 0 {
		w.Short = Short{Reason: inventorymovementv1.ShortReason(1 + random.IntN(len(inventorymovementv1.ShortReason_name)-1)), Cancel: random.IntN(2) == 0}
	}
	return w
}

// rule is the delivery rule that the order asks for.
func (w Way) rule() orderreleasev1.DeliveryRule {
	if w.Short.Reason != 0 && w.Short.Cancel {
		return orderreleasev1.DeliveryRule_DELIVERY_RULE_CANCEL_REMAINDER
	}
	return orderreleasev1.DeliveryRule_DELIVERY_RULE_UNSPECIFIED
}

// parts are the releases that the order will have.
func (w *walk) parts() []*part {
	first := &part{walk: w, n: 1, picked: map[int]int{}, short: map[int]int{}}
	for i, l := range w.lines {
		first.picked[i+1] = l.Quantity
	}
	line, n := w.missing()
	if n == 0 {
		return []*part{first}
	}
	first.picked[line], first.short[line] = first.picked[line]-n, n
	if w.Short.Cancel {
		return []*part{first}
	}
	return []*part{first, {walk: w, n: 2, picked: map[int]int{line: n}}}
}

// missing is what pickers do not find: half of the first line that has more than a piece,
// else all of the first of several.
func (w *walk) missing() (line, n int) {
	if w.Short.Reason == 0 {
		return 0, 0
	}
	for i, l := range w.lines {
		if l.Quantity > 1 {
			return i + 1, l.Quantity / 2
		}
	}
	if len(w.lines) > 1 {
		return 1, w.lines[0].Quantity
	}
	return 0, 0
}
