package domain

import "github.com/lockstep-logistics/lockstep/libs/authority"

// ReturnWordObserved keeps what a system said of the return by a command of which another one owns the
// transition. It changes nothing.
type ReturnWordObserved struct {
	Keys
	Word authority.Heard
}

func (ReturnWordObserved) fact() {}

// Hear keeps what was said of the return.
func (r Return) Hear(w authority.Heard) Fact { return ReturnWordObserved{r.Keys, w} }

// settled is what is kept beside the return once its owner has given a command.
func (r Return) settled(f Fact) []authority.Heard {
	switch f.(type) {
	case ReturnAuthorised:
		return authority.Settle(r.Heard, "AuthoriseReturn")
	case ReturnDenied:
		return authority.Settle(r.Heard, "DenyReturn")
	case ItemsInspected:
		return authority.Settle(r.Heard, "InspectItems")
	case ItemsDisposed:
		return authority.Settle(r.Heard, "DisposeItems")
	case CreditRequested:
		return authority.Settle(r.Heard, "RequestCredit")
	case CreditConfirmed:
		return authority.Settle(r.Heard, "ConfirmCredit")
	case ReturnCompleted:
		return authority.Settle(r.Heard, "CompleteReturn")
	case ReturnCancelled:
		return authority.Settle(r.Heard, "CancelReturn")
	}
	return r.Heard
}
