package domain

import (
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/lockstep-logistics/lockstep/libs/fault"
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
)

// Resolution is how a dispute ends.
type Resolution string

// Resolutions of a dispute.
const (
	AsExpected Resolution = "PAY_AS_EXPECTED"
	AsInvoiced Resolution = "PAY_AS_INVOICED"
	Split      Resolution = "SPLIT"
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
	Due        time.Time     `bson:"x,omitempty"` // when an open attempt or a wait is looked at again
	Why        []Why         `bson:"y,omitempty"`
	Sum        money.Amount  `bson:"p,omitempty"` // approved
	Resolution Resolution    `bson:"r,omitempty"`
	Voucher    string        `bson:"v,omitempty"`
	Payment    string        `bson:"m,omitempty"`
}

// NormalNumber is an invoice number without case, spaces and punctuation: INV-0012 and
// "inv 0012" are one.
func NormalNumber(s string) string {
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
		ID       string
		Attempt  int
		Freights []string // by line; empty where the reference is not known
		Due      time.Time
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
func (VoucherPosted) isInvoiceFact()   {}
func (InvoicePaid) isInvoiceFact()     {}

// EvolveInvoice applies one fact.
func EvolveInvoice(i Invoice, fact InvoiceFact) Invoice {
	switch e := fact.(type) {
	case InvoiceReceived:
		i.ID, i.Carrier, i.Number, i.Date, i.Creator = e.ID, e.Carrier, e.Number, e.Date, e.Creator
		i.Lines, i.Total, i.At = e.Lines, e.Total, Received
	case MatchRequested:
		i.At, i.Attempt, i.Claims, i.Due = Received, e.Attempt, e.Freights, e.Due
	case MatchDecided:
		i.At, i.Lines, i.Why, i.Claims, i.Due = e.Outcome, e.Lines, e.Why, nil, e.Due
	case InvoiceApproved:
		i.At, i.Lines, i.Sum, i.Resolution = Approved, e.Lines, e.Sum, e.Resolution
	case VoucherPosted:
		i.At, i.Voucher = Posted, e.Voucher
	case InvoicePaid:
		i.At, i.Payment = Paid, e.Reference
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

// Receive starts an invoice and its first match. A second one under the same number is a
// conflict, however it is written.
func Receive(i Invoice, r InvoiceReceived, freights []string, due time.Time) ([]InvoiceFact, error) {
	if i.ID != "" {
		return nil, fault.New(fault.Conflict, "INVOICE_NUMBER_TAKEN", "%s has an invoice %s already", i.Carrier, i.Number).With("invoice_id", i.ID)
	}
	for n, l := range r.Lines {
		if l.Amount.Currency != r.Lines[0].Amount.Currency {
			return nil, invalid("lines["+itoa(n)+"].amount.currency", "CURRENCY_MISMATCH", "must be %s as in the first line", r.Lines[0].Amount.Currency)
		}
		if _, ok := money.Exponent(l.Amount.Currency); !ok {
			return nil, invalid("lines["+itoa(n)+"].amount.currency", "CURRENCY_UNKNOWN", "%s is no ISO 4217 currency", l.Amount.Currency)
		}
	}
	total, err := sum(r.Lines, func(l InvoiceLine) money.Amount { return l.Amount })
	if err != nil {
		return nil, err
	}
	r.Total = total
	return []InvoiceFact{r, MatchRequested{r.ID, 1, freights, due}}, nil
}

func sum(lines []InvoiceLine, of func(InvoiceLine) money.Amount) (money.Amount, error) {
	amounts := make([]money.Amount, len(lines))
	for i, l := range lines {
		amounts[i] = of(l)
	}
	return money.Sum(lines[0].Amount.Currency, amounts...)
}

// Rematch begins another attempt for an invoice that waits for its shipments.
func Rematch(i Invoice, freights []string, due time.Time) ([]InvoiceFact, error) {
	if i.At != Unmatched {
		return nil, nil
	}
	return []InvoiceFact{MatchRequested{i.ID, i.Attempt + 1, freights, due}}, nil
}

// Tolerance is how far an invoice may be from what was expected and still be approved by
// itself: both the share and the amount bound each line and the total.
type Tolerance struct {
	Percent int64 `koanf:"percent"` // of what was expected
	Minor   int64 `koanf:"minor"`   // minor units
}

// within reports whether a variance is small enough, over and under alike.
func (t Tolerance) within(expected, variance int64) bool {
	v := max(variance, -variance)
	return v <= t.Minor && v*100 <= expected*t.Percent || v == 0
}

// Found is what an attempt learned of one line's charge.
type Found struct {
	Expected money.Amount
	Known    bool // the charge was expected
	Why      Why  // why the claim was refused or the reference is not known
}

// Decide ends an attempt, once: found has one entry a line. Every line and the total must
// be within tolerance; an unexpected charge never is, and two errors never cancel out.
func Decide(i Invoice, attempt int, found []Found, t Tolerance, retry time.Time) ([]InvoiceFact, error) {
	if i.At != Received || i.Attempt != attempt {
		return nil, nil
	}
	d := MatchDecided{ID: i.ID, Attempt: attempt, Outcome: Approved, Lines: slices.Clone(i.Lines)}
	var expected, variance int64
	for n := range d.Lines {
		l, f := &d.Lines[n], found[n]
		l.Freight, l.Within = i.Claims[n], false
		field := "lines[" + itoa(n) + "]"
		switch {
		case f.Why.Code == "CHARGE_CLAIMED":
			d.Outcome, d.Why = Duplicate, append(d.Why, Why{f.Why.Code, field, f.Why.Message})
		case f.Why.Code != "":
			d.Outcome, d.Why = worse(d.Outcome, Unmatched), append(d.Why, Why{f.Why.Code, field, f.Why.Message})
		case !f.Known:
			d.Outcome, d.Why = worse(d.Outcome, Disputed), append(d.Why, Why{"CHARGE_UNEXPECTED", field, l.Code + " was not expected"})
			l.Expected = money.Amount{Currency: l.Amount.Currency}
		case f.Expected.Currency != l.Amount.Currency:
			d.Outcome, d.Why = worse(d.Outcome, Disputed), append(d.Why, Why{"CURRENCY_MISMATCH", field, "expected in " + f.Expected.Currency})
			l.Expected = money.Amount{Currency: l.Amount.Currency}
		default:
			l.Expected = f.Expected
			if l.Within = t.within(f.Expected.Minor, l.Variance().Minor); !l.Within {
				d.Outcome, d.Why = worse(d.Outcome, Disputed), append(d.Why, Why{"LINE_TOLERANCE", field, l.Variance().String() + " beyond tolerance"})
			}
		}
		expected, variance = expected+l.Expected.Minor, variance+l.Variance().Minor
	}
	if d.Outcome == Approved && !t.within(expected, variance) {
		d.Outcome, d.Why = Disputed, append(d.Why, Why{"TOTAL_TOLERANCE", "lines", "the total is beyond tolerance"})
	}
	switch d.Outcome {
	case Duplicate, Unmatched:
		d.Freed = unique(i.Claims)
		if d.Outcome == Unmatched {
			d.Due = retry
		}
	case Approved:
		approved, err := approve(ApplyInvoice(i, d), InvoiceApproved{}, func(l InvoiceLine) int64 { return l.Amount.Minor })
		return append([]InvoiceFact{d}, approved...), err
	}
	return []InvoiceFact{d}, nil
}

// worse returns the outcome that weighs more.
func worse(a, b InvoiceState) InvoiceState {
	weight := map[InvoiceState]int{Approved: 0, Disputed: 1, Unmatched: 2, Duplicate: 3}
	if weight[a] > weight[b] {
		return a
	}
	return b
}

func unique(ids []string) []string {
	out := slices.DeleteFunc(slices.Clone(ids), func(s string) bool { return s == "" })
	slices.Sort(out)
	return slices.Compact(out)
}

func approve(i Invoice, a InvoiceApproved, pays func(InvoiceLine) int64) ([]InvoiceFact, error) {
	a.ID, a.Number, a.Attempt, a.Lines = i.ID, i.Number, i.Attempt, slices.Clone(i.Lines)
	for n := range a.Lines {
		a.Lines[n].Approved = money.Amount{Minor: pays(a.Lines[n]), Currency: i.Total.Currency}
	}
	var err error
	a.Sum, err = sum(a.Lines, func(l InvoiceLine) money.Amount { return l.Approved })
	return []InvoiceFact{a}, err
}

// Resolve ends a dispute. Whoever entered the invoice may not.
func Resolve(i Invoice, how Resolution, agreed money.Amount, reason, approver string) ([]InvoiceFact, error) {
	switch {
	case i.At != Disputed:
		return nil, stateRefusal(i, "resolve a dispute")
	case approver == i.Creator:
		return nil, fault.New(fault.Refused, "SAME_PERSON", "%s entered the invoice and may not resolve its dispute", approver)
	}
	a := InvoiceApproved{Resolution: how, Reason: reason, Approver: approver}
	switch how {
	case AsExpected:
		return approve(i, a, func(l InvoiceLine) int64 { return l.Expected.Minor })
	case AsInvoiced:
		return approve(i, a, func(l InvoiceLine) int64 { return l.Amount.Minor })
	}
	if agreed.Currency != i.Total.Currency || agreed.Minor < 0 || agreed.Minor > i.Total.Minor {
		return nil, invalid("amount", "AMOUNT_MISMATCH", "must be 0 to %s", i.Total)
	}
	facts, err := approve(i, a, func(InvoiceLine) int64 { return 0 })
	if err != nil {
		return nil, err
	}
	return spread(i, facts, agreed)
}

// spread pays an agreed sum by line in proportion to what was invoiced.
func spread(i Invoice, facts []InvoiceFact, agreed money.Amount) ([]InvoiceFact, error) {
	a := facts[0].(InvoiceApproved)
	weights := make([]Line, len(a.Lines))
	for n, l := range i.Lines {
		weights[n] = Line{Number: n, Weight: max(l.Amount.Minor, 0)}
	}
	parts, err := Allocate(agreed, weights)
	if err != nil {
		return nil, err
	}
	for n := range a.Lines {
		a.Lines[n].Approved = parts[n].Amount
	}
	a.Sum = agreed
	return []InvoiceFact{a}, nil
}

func stateRefusal(i Invoice, command string) error {
	return fault.New(fault.Refused, "INVOICE_STATE", "an invoice that is %s cannot %s", i.At, command).
		With("from", string(i.At)).With("command", command)
}

// Post records the ERP's voucher.
func Post(i Invoice, voucher string) ([]InvoiceFact, error) {
	if i.At == Posted && i.Voucher == voucher {
		return nil, nil
	}
	if i.At != Approved {
		return nil, stateRefusal(i, "be posted")
	}
	return []InvoiceFact{VoucherPosted{i.ID, voucher}}, nil
}

// Pay records the ERP's payment; it must be the sum that was approved.
func Pay(i Invoice, reference string, amount money.Amount) ([]InvoiceFact, error) {
	switch {
	case i.At == Paid && i.Payment == reference:
		return nil, nil
	case i.At != Posted:
		return nil, stateRefusal(i, "be paid")
	case amount != i.Sum:
		return nil, fault.New(fault.Refused, "AMOUNT_MISMATCH", "%s was approved, not %s", i.Sum, amount).With("approved", i.Sum.String())
	}
	return []InvoiceFact{InvoicePaid{i.ID, reference, amount}}, nil
}
