package domain

import (
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
)

// DeliveryRescheduled says that a delivery is expected at another time.
type DeliveryRescheduled struct {
	InboundKeys
	Before, Expected time.Time
	Reason           string
}

func (DeliveryRescheduled) isInboundFact() {}

// Reschedule expects a delivery at another time. The same time again changes nothing; one of
// which nothing is open is refused.
func Reschedule(d Inbound, expected time.Time, reason string) ([]InboundFact, error) {
	if d.Expected.Equal(expected) {
		return nil, nil
	}
	switch d.State() {
	case Expected, Arrived, Receiving:
		return []InboundFact{DeliveryRescheduled{d.Keys, d.Expected, expected, reason}}, nil
	}
	return nil, fault.New(fault.Refused, "NOTHING_OPEN", "nothing is open on the delivery")
}

// rescheduled keeps what was announced, so that the ASN is known again.
func (d Inbound) rescheduled(f DeliveryRescheduled) Inbound {
	if !d.Rescheduled {
		d.Rescheduled, d.AnnouncedFor = true, d.Expected
	}
	d.Expected = f.Expected
	return d
}

// announcedFor is when the ASN said that the delivery comes.
func (d Inbound) announcedFor() time.Time {
	if d.Rescheduled {
		return d.AnnouncedFor
	}
	return d.Expected
}
