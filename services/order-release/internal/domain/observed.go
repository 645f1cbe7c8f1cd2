package domain

import "github.com/lockstep-logistics/lockstep/libs/authority"

// OrderWordObserved keeps what a system said of the order by a command of which another one owns the
// transition. It changes nothing.
type OrderWordObserved struct {
	Keys
	Word authority.Heard
}

func (OrderWordObserved) fact() {}

// Hear keeps what was said of the order.
func (o Order) Hear(w authority.Heard) Fact { return OrderWordObserved{o.keys(), w} }

// settled is what is kept beside the order once its owner has given a command.
func (o Order) settled(f Fact) []authority.Heard {
	switch f.(type) {
	case HoldPlaced:
		return authority.Settle(o.Heard, "PlaceHold")
	case HoldLifted:
		return authority.Settle(o.Heard, "LiftHold")
	case CancelAsked, RemainderCancelled:
		return authority.Settle(o.Heard, "RequestCancel")
	case AmendmentAsked:
		return authority.Settle(o.Heard, "AmendRelease")
	case OrderReleased:
		return authority.Settle(authority.Settle(o.Heard, "ReleaseOrder"), "ReleaseRemainder")
	case OrderClosed:
		return authority.Settle(o.Heard, "CloseOrder")
	}
	return o.Heard
}
