package adapter

import (
	"time"

	"github.com/lockstep-logistics/lockstep/libs/authority"
	"github.com/lockstep-logistics/lockstep/services/freight-settlement/internal/domain"
)

// observedFacts are those of an invoice of which a system said what another one owns, before that one said
// it.
func observedFacts() []domain.InvoiceFact {
	said := time.Date(2026, 3, 2, 8, 0, 0, 123456000, time.UTC)
	word := authority.Heard{
		Command: "RecordVoucherPosted", System: "tms", Owner: "erp", Said: `{"invoiceId":"inv_a"}`, Contradicts: true, Message: "M-1", EventTime: said.Add(-time.Hour), At: said,
	}
	return []domain.InvoiceFact{invoiceFacts()[0], domain.InvoiceWordObserved{ID: "inv_a", Word: word}, domain.VoucherPosted{ID: "inv_a", Voucher: "V-1"}}
}
