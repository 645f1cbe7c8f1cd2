package adapter

import (
	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	freightsettlementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/freightsettlement/v1"
	"github.com/lockstep-logistics/lockstep/services/freight-settlement/internal/domain"
)

// invoiceMessage is a fact of an invoice as it is stored and published.
func invoiceMessage(f domain.InvoiceFact) proto.Message {
	switch f := f.(type) {
	case domain.InvoiceReceived:
		return &freightsettlementv1.FreightInvoiceReceived{
			InvoiceId: f.ID, InvoiceNumber: f.Number, Carrier: f.Carrier, InvoiceDate: protovalue.Time(f.Date),
			Lines: protovalue.Each(f.Lines, invoiceLine), Total: amount(f.Total), Creator: f.Creator,
		}
	case domain.MatchRequested:
		return &freightsettlementv1.MatchRequested{
			InvoiceId: f.ID, Attempt: int32(f.Attempt), FreightIds: f.Freights,
			RequestedTime: protovalue.Time(f.Requested), DueTime: protovalue.Time(f.Due),
		}
	case domain.MatchDecided:
		return &freightsettlementv1.MatchDecided{
			InvoiceId: f.ID, Attempt: int32(f.Attempt), Outcome: invoiceState(f.Outcome), Lines: protovalue.Each(f.Lines, invoiceLine),
			Reasons: protovalue.Each(f.Why, reason), FreedFreightIds: f.Freed, RetryTime: protovalue.Time(f.Due),
		}
	case domain.InvoiceApproved:
		return &freightsettlementv1.FreightInvoiceApproved{
			InvoiceId: f.ID, InvoiceNumber: f.Number, Attempt: int32(f.Attempt), Lines: protovalue.Each(f.Lines, invoiceLine), Approved: amount(f.Sum),
			Resolution: resolution(f.Resolution), ReasonCode: f.Reason, Approver: f.Approver,
		}
	case domain.InvoiceCredited:
		return &freightsettlementv1.FreightInvoiceCredited{
			InvoiceId: f.ID, InvoiceNumber: f.Number, Attempt: int32(f.Attempt), ReasonCode: f.Reason, Approver: f.Approver, FreedFreightIds: f.Freed,
		}
	case domain.InvoiceWordObserved:
		return &freightsettlementv1.FreightInvoiceWordObserved{InvoiceId: f.ID, Word: protovalue.ForeignWord(f.Word)}
	case domain.VoucherPosted:
		return &freightsettlementv1.VoucherPosted{InvoiceId: f.ID, VoucherNumber: f.Voucher}
	case domain.InvoicePaid:
		return &freightsettlementv1.FreightInvoicePaid{InvoiceId: f.ID, PaymentReference: f.Reference, Amount: amount(f.Amount)}
	}
	return nil
}

// invoiceReaders reads every fact type that an invoice may have.
var invoiceReaders = func() protovalue.Readers[domain.InvoiceFact] {
	rs := protovalue.Readers[domain.InvoiceFact]{}
	protovalue.Read(rs, func(m *freightsettlementv1.FreightInvoiceWordObserved) (domain.InvoiceFact, error) {
		return domain.InvoiceWordObserved{ID: m.GetInvoiceId(), Word: protovalue.FromForeignWord(m.GetWord())}, nil
	})
	protovalue.Read(rs, func(m *freightsettlementv1.FreightInvoiceReceived) (domain.InvoiceFact, error) {
		return domain.InvoiceReceived{
			ID: m.GetInvoiceId(), Number: m.GetInvoiceNumber(), Carrier: m.GetCarrier(), Date: protovalue.FromTime(m.GetInvoiceDate()),
			Lines: protovalue.Each(m.GetLines(), fromInvoiceLine), Total: fromAmount(m.GetTotal()), Creator: m.GetCreator(),
		}, nil
	})
	protovalue.Read(rs, func(m *freightsettlementv1.MatchRequested) (domain.InvoiceFact, error) {
		return domain.MatchRequested{
			ID: m.GetInvoiceId(), Attempt: int(m.GetAttempt()), Freights: m.GetFreightIds(),
			Requested: protovalue.FromTime(m.GetRequestedTime()), Due: protovalue.FromTime(m.GetDueTime()),
		}, nil
	})
	protovalue.Read(rs, func(m *freightsettlementv1.MatchDecided) (domain.InvoiceFact, error) {
		return domain.MatchDecided{
			ID: m.GetInvoiceId(), Attempt: int(m.GetAttempt()), Outcome: fromInvoiceState(m.GetOutcome()), Lines: protovalue.Each(m.GetLines(), fromInvoiceLine),
			Why: protovalue.Each(m.GetReasons(), fromReason), Freed: m.GetFreedFreightIds(), Due: protovalue.FromTime(m.GetRetryTime()),
		}, nil
	})
	protovalue.Read(rs, func(m *freightsettlementv1.FreightInvoiceApproved) (domain.InvoiceFact, error) {
		return domain.InvoiceApproved{
			ID: m.GetInvoiceId(), Number: m.GetInvoiceNumber(), Attempt: int(m.GetAttempt()), Lines: protovalue.Each(m.GetLines(), fromInvoiceLine),
			Sum: fromAmount(m.GetApproved()), Resolution: fromResolution(m.GetResolution()), Reason: m.GetReasonCode(), Approver: m.GetApprover(),
		}, nil
	})
	protovalue.Read(rs, func(m *freightsettlementv1.FreightInvoiceCredited) (domain.InvoiceFact, error) {
		return domain.InvoiceCredited{
			ID: m.GetInvoiceId(), Number: m.GetInvoiceNumber(), Attempt: int(m.GetAttempt()), Reason: m.GetReasonCode(),
			Approver: m.GetApprover(), Freed: m.GetFreedFreightIds(),
		}, nil
	})
	protovalue.Read(rs, func(m *freightsettlementv1.VoucherPosted) (domain.InvoiceFact, error) {
		return domain.VoucherPosted{ID: m.GetInvoiceId(), Voucher: m.GetVoucherNumber()}, nil
	})
	protovalue.Read(rs, func(m *freightsettlementv1.FreightInvoicePaid) (domain.InvoiceFact, error) {
		return domain.InvoicePaid{ID: m.GetInvoiceId(), Reference: m.GetPaymentReference(), Amount: fromAmount(m.GetAmount())}, nil
	})
	return rs
}()
