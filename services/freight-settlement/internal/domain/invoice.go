package domain

import (
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/lockstep-logistics/lockstep/libs/authority"
	"github.com/lockstep-logistics/lockstep/libs/money"
)

// InvoiceState is where a carrier's invoice stands.
type InvoiceState string

// States of an invoice.
const (
	Received  InvoiceState = "RECEIVED"
	Unmatched InvoiceState = "UNMATCHED"
	Duplicate InvoiceState = "DUPLICATE"
	Disputed  InvoiceState = "DISPUTED"
	Approved  InvoiceState = "APPROVED"
	Posted    InvoiceState = "POSTED"
	Paid      InvoiceState = "PAID"
	Credited  InvoiceState = "CREDITED"
)

// Resolution is how a dispute ends.
type Resolution string

// Resolutions of a dispute.
const (
	AsExpected    Resolution = "PAY_AS_EXPECTED"
	AsInvoiced    Resolution = "PAY_AS_INVOICED"
	Split         Resolution = "SPLIT"
	CarrierCredit Resolution = "CARRIER_CREDIT"
)

// InvoiceLine is one line of a carrier's invoice and what the match made of it.
type InvoiceLine struct {
	Reference string       `bson:"r"`
	Code      string       `bson:"c"`
	Amount    money.Amount `bson:"a"`
	Freight   string       `bson:"f,omitempty"` // matched with
	Expected  money.Amount `bson:"e,omitempty"`
	Within    bool         `bson:"w,omitempty"`
	Approved  money.Amount `bson:"p,omitempty"`
}

// Variance is what was invoiced less what was expected.
func (l InvoiceLine) Variance() money.Amount {
	return money.Amount{Minor: l.Amount.Minor - l.Expected.Minor, Currency: l.Amount.Currency}
}

// Invoice is a carrier's freight invoice; its zero value is "nothing yet".
type Invoice struct {
	ID         string        `bson:"i"`
	Carrier    string        `bson:"c"`
	Number     string        `bson:"n"`
	Date       time.Time     `bson:"d"`
	Creator    string        `bson:"u"`
	Lines      []InvoiceLine `bson:"l"`
	Total      money.Amount  `bson:"t"`
	At         InvoiceState  `bson:"s"`
	Attempt    int           `bson:"a,omitempty"`
	Claims     []string      `bson:"f,omitempty"` // freight of each line in the open attempt
	Requested  time.Time     `bson:"q,omitempty"` // when the attempt was begun
	Due        time.Time     `bson:"x,omitempty"` // when an open attempt or a wait is looked at again
	Why        []Why         `bson:"y,omitempty"`
	Sum        money.Amount  `bson:"p,omitempty"` // approved
	Resolution Resolution    `bson:"r,omitempty"`
	Reason     string        `bson:"b,omitempty"` // of the resolution
	Approver   string        `bson:"e,omitempty"`
	Voucher    string        `bson:"v,omitempty"`
	Payment    string        `bson:"m,omitempty"`
	// What systems said by commands that others own, the last of it.
	Heard []authority.Heard `bson:"hd,omitempty"`
}

// NormalNumber is an invoice number without case, spaces, punctuation and leading zeros of
// its groups of digits: INV-0012 and "inv 12" are one. What stands between two groups of
// digits is kept as a hyphen, so that 1-23 and 12-3 stay two.
func NormalNumber(s string) string {
	var out strings.Builder
	var digits []rune
	apart := false // punctuation came after the digits that were written last
	flush := func() {
		if len(digits) == 0 {
			return
		}
		trimmed := strings.TrimLeft(string(digits), "0")
		if trimmed == "" {
			trimmed = "0"
		}
		out.WriteString(trimmed)
		digits = digits[:0]
	}
	for _, r := range s {
		switch {
		case r >= '0' && r <= '9':
			if apart {
				out.WriteByte('-')
			}
			digits, apart = append(digits, r), false
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			flush()
			out.WriteRune(unicode.ToUpper(r))
			apart = false
		default:
			apart = apart || len(digits) > 0
			flush()
		}
	}
	flush()
	return out.String()
}

// NormalReference is a shipment's reference without case, spaces and punctuation, as
// carriers write PRO numbers with and without dashes.
func NormalReference(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToUpper(r)
		}
		return -1
	}, s)
}

// InvoiceFact is what happened to an invoice.
type InvoiceFact interface{ isInvoiceFact() }

// The facts of an invoice.
type (
	// InvoiceReceived starts it.
	InvoiceReceived struct {
		ID, Carrier, Number string
		Date                time.Time
		Lines               []InvoiceLine
		Total               money.Amount
		Creator             string
	}
	// MatchRequested lists the claims an attempt will make, before it makes any.
	MatchRequested struct {
		ID        string
		Attempt   int
		Freights  []string // by line; empty where the reference is not known
		Requested time.Time
		Due       time.Time // when it is taken up again if it hangs
	}
	// MatchDecided ends an attempt.
	MatchDecided struct {
		ID      string
		Attempt int
		Outcome InvoiceState
		Lines   []InvoiceLine
		Why     []Why
		Freed   []string  // freights whose claims are given back
		Due     time.Time // UNMATCHED: when it is tried again
	}
	// InvoiceApproved says what is paid.
	InvoiceApproved struct {
		ID, Number string
		Attempt    int
		Lines      []InvoiceLine
		Sum        money.Amount
		Resolution Resolution
		Reason     string
		Approver   string
	}
	// InvoiceCredited ends it without a payment.
	InvoiceCredited struct {
		ID, Number string
		Attempt    int
		Reason     string
		Approver   string
		Freed      []string // freights whose claims are given back
	}
	// VoucherPosted is the ERP's word.
	VoucherPosted struct{ ID, Voucher string }
	// InvoicePaid is the ERP's word.
	InvoicePaid struct {
		ID, Reference string
		Amount        money.Amount
	}
)

func (InvoiceReceived) isInvoiceFact() {}
func (MatchRequested) isInvoiceFact()  {}
func (MatchDecided) isInvoiceFact()    {}
func (InvoiceApproved) isInvoiceFact() {}
func (InvoiceCredited) isInvoiceFact() {}
func (VoucherPosted) isInvoiceFact()   {}
func (InvoicePaid) isInvoiceFact()     {}

// EvolveInvoice applies one fact.
func EvolveInvoice(i Invoice, fact InvoiceFact) Invoice {
	i.Heard = i.settled(fact)
	switch e := fact.(type) {
	case InvoiceReceived:
		i.ID, i.Carrier, i.Number, i.Date, i.Creator = e.ID, e.Carrier, e.Number, e.Date, e.Creator
		i.Lines, i.Total, i.At = e.Lines, e.Total, Received
	case MatchRequested:
		i.At, i.Attempt, i.Claims, i.Requested, i.Due = Received, e.Attempt, e.Freights, e.Requested, e.Due
	case MatchDecided:
		i.At, i.Lines, i.Why, i.Claims, i.Due = e.Outcome, e.Lines, e.Why, nil, e.Due
	case InvoiceApproved:
		i.At, i.Lines, i.Sum = Approved, e.Lines, e.Sum
		i.Resolution, i.Reason, i.Approver = e.Resolution, e.Reason, e.Approver
	case InvoiceCredited:
		i.At, i.Due, i.Sum = Credited, time.Time{}, money.Amount{Currency: i.Total.Currency}
		i.Resolution, i.Reason, i.Approver = CarrierCredit, e.Reason, e.Approver
	case VoucherPosted:
		i.At, i.Voucher = Posted, e.Voucher
	case InvoicePaid:
		i.At, i.Payment = Paid, e.Reference
	case InvoiceWordObserved:
		i.Heard = authority.Hear(i.Heard, e.Word)
	}
	return i
}

// ApplyInvoice folds facts onto a state.
func ApplyInvoice(i Invoice, facts ...InvoiceFact) Invoice {
	for _, f := range facts {
		i = EvolveInvoice(i, f)
	}
	return i
}

// unique returns the ids that are not empty, sorted.
func unique(ids []string) []string {
	out := slices.DeleteFunc(slices.Clone(ids), func(s string) bool { return s == "" })
	slices.Sort(out)
	return slices.Compact(out)
}
