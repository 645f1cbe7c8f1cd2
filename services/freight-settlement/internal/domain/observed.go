package domain

import "github.com/lockstep-logistics/lockstep/libs/authority"

// InvoiceWordObserved keeps what a system said of the invoice by a command of which another one owns the
// transition. It changes nothing.
type InvoiceWordObserved struct {
	ID   string
	Word authority.Heard
}

func (InvoiceWordObserved) isInvoiceFact() {}

// Hear keeps what was said of the invoice.
func (i Invoice) Hear(w authority.Heard) InvoiceFact { return InvoiceWordObserved{i.ID, w} }

// settled is what is kept beside the invoice once its owner has given a command.
func (i Invoice) settled(fact InvoiceFact) []authority.Heard {
	switch fact.(type) {
	case VoucherPosted:
		return authority.Settle(i.Heard, "RecordVoucherPosted")
	case InvoicePaid:
		return authority.Settle(i.Heard, "RecordPayment")
	case InvoiceApproved, InvoiceCredited:
		return authority.Settle(i.Heard, "ResolveDispute")
	}
	return i.Heard
}
