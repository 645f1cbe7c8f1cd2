package bus

import "github.com/lockstep-logistics/lockstep/libs/fault"

// badFact is permanent: the bytes will not change, so the aggregate is parked.
func badFact(f Fact, err error) error {
	return fault.New(fault.Invalid, "FACT_UNREADABLE", "fact %s of type %s cannot be read", f.ID, f.Type).Wrap(err)
}
