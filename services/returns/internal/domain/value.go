// Package domain decides on returns without knowing how anything is stored or sent: what of
// an order can come back, what a return may still do, and what is due for it. It promises
// that no more is returned than was issued, that what arrived is accounted for to the unit,
// and that no more is credited than was paid for goods that arrived and were accepted.
package domain

import (
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// Reason is one machine-readable reason.
type Reason struct {
	Code    string `bson:"c"`
	Field   string `bson:"f,omitempty"`
	Message string `bson:"m,omitempty"`
}

// Env is what a decision depends on beside state and command.
type Env struct {
	Now    time.Time
	By     string // principal
	Policy Policy
}

// ByPolicy is who authorises or denies when no person does.
const ByPolicy = "policy"

// Policy says what happens without a person.
type Policy struct {
	Auto        bool          // authorise within the window and for the reasons
	Window      time.Duration // after the last issue of the line
	AutoReasons []string      // reasons that need nobody
	AutoCredit  bool          // ask for a credit as soon as goods are accepted
	FeePoints   int           // restocking fee in basis points of what was paid
	FeeReasons  []string      // reasons that cost the fee
}

// check refuses a quantity that is not more than zero, not in the base unit or a fraction of pieces.
func check(q quantity.Quantity, unit, field string) error {
	if unit != "" && q.Unit != unit {
		return invalid(field, "UNIT_MISMATCH", q.String()+" is not in the base unit "+unit)
	}
	if q.Value.Sign() <= 0 || q.Value.Check() != nil {
		return invalid(field, "QUANTITY_INVALID", q.String()+" is not more than 0, or too large")
	}
	if info, known := quantity.Unit(q.Unit); known && info.Dimension == quantity.Count {
		if _, whole := q.Value.Int64(); !whole {
			return invalid(field, "QUANTITY_INVALID", q.String()+" is a fraction of a piece")
		}
	}
	return nil
}

func invalid(field, reason, message string) *fault.Error {
	return fault.New(fault.Invalid, reason, "%s", message).WithField(field, reason, "%s", message)
}
