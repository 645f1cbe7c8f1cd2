package bus

import (
	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/fault/wire"
)

// Reasons that consumers act on.
const (
	reasonGeneration = "GENERATION_CHANGED"
	reasonTooOld     = "FACTS_TOO_OLD"
	reasonNoExport   = "EXPORT_UNSUPPORTED"
	reasonNoHeads    = "NO_HEADS"
)

// badFact is permanent: the bytes will not change, so the aggregate is parked.
func badFact(f Fact, err error) error {
	return fault.New(fault.Invalid, "FACT_UNREADABLE", "fact %s of type %s cannot be read", f.ID, f.Type).Wrap(err)
}

// reasonOf returns the reason of a failed call, whether it is still a fault or came as a status.
func reasonOf(err error) string {
	if f, ok := fault.As(wire.FromStatus(err)); ok {
		return f.Reason
	}
	return ""
}
