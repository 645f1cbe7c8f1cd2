package domain

import (
	"fmt"
	"slices"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/money"
)

// maxMinor bounds the amount of a line, so that no sum or variance overflows.
const maxMinor = 1_000_000_000_000_000

// Receive starts an invoice and its first match. A second one under the same number is a
// conflict, however it is written.
func Receive(i Invoice, r InvoiceReceived, m MatchRequested) ([]InvoiceFact, error) {
	if i.ID != "" {
		return nil, fault.New(fault.Conflict, "INVOICE_NUMBER_TAKEN", "%s has an invoice %s already", i.Carrier, i.Number).With("invoice_id", i.ID)
	}
	if NormalNumber(r.Number) == "" {
		return nil, invalid("invoice_number", "INVOICE_NUMBER_EMPTY", "must have a letter or digit")
	}
	for n, l := range r.Lines {
		switch _, known := money.Exponent(l.Amount.Currency); {
		case !known:
			return nil, invalid(line(n)+".amount.currency", "CURRENCY_UNKNOWN", "%s is no ISO 4217 currency", l.Amount.Currency)
		case l.Amount.Currency != r.Lines[0].Amount.Currency:
			return nil, invalid(line(n)+".amount.currency", "CURRENCY_MISMATCH", "must be %s as in the first line", r.Lines[0].Amount.Currency)
		case l.Amount.Minor > maxMinor || l.Amount.Minor < -maxMinor:
			return nil, invalid(line(n)+".amount.amount_minor", "AMOUNT_OUT_OF_RANGE", "must be within ±%d", maxMinor)
		}
	}
	total, err := sum(r.Lines, func(l InvoiceLine) money.Amount { return l.Amount })
	if err != nil {
		return nil, err
	}
	r.Total = total
	m.ID, m.Attempt = r.ID, 1
	return []InvoiceFact{r, m}, nil
}

func line(n int) string { return fmt.Sprintf("lines[%d]", n) }

func sum(lines []InvoiceLine, of func(InvoiceLine) money.Amount) (money.Amount, error) {
	amounts := make([]money.Amount, len(lines))
	for i, l := range lines {
		amounts[i] = of(l)
	}
	return money.Sum(lines[0].Amount.Currency, amounts...)
}

// Rejudgeable reports whether an invoice would be judged otherwise if charges became free
// that another invoice has: a duplicate, and one in dispute about a balance.
func (i Invoice) Rejudgeable() bool {
	return i.At == Duplicate || i.At == Disputed && slices.ContainsFunc(i.Why, func(w Why) bool { return w.Code == "CHARGE_BALANCE" })
}

// FreeByNow reports whether the charges that an invoice was told another has are nobody
// else's any more; the freights are those of its lines, as they are now.
func (i Invoice) FreeByNow(freights map[string]Freight) bool {
	told := map[string]string{}
	for _, w := range i.Why {
		told[w.Field] = w.Code
	}
	free := false
	for n, l := range i.Lines {
		switch f := freights[l.Freight]; told[line(n)] {
		case "CHARGE_CLAIMED": // said of all lines of a shipment, though one may be the cause
			if _, taken := f.invoicedElsewhere(i.asks(l), i.ID); taken {
				return false
			}
			free = true
		case "CHARGE_BALANCE":
			if _, expected := f.place(l.Code, i.ID); !expected {
				return false
			}
			free = true
		}
	}
	return free
}

// asks is what the invoice claims of the charge that a line is for: the sum of its lines.
func (i Invoice) asks(of InvoiceLine) Payment {
	out := Payment{of.Code, money.Amount{Currency: of.Amount.Currency}}
	for _, l := range i.Lines {
		if l.Code == of.Code && l.Freight == of.Freight {
			out.Amount.Minor += l.Amount.Minor
		}
	}
	return out
}

// Rematch begins another attempt for an invoice that waits, or that is to be judged again;
// after is the attempt that left it so.
func Rematch(i Invoice, after int, m MatchRequested) ([]InvoiceFact, error) {
	if i.Attempt != after || i.At != Unmatched && !i.Rejudgeable() {
		return nil, nil
	}
	m.ID, m.Attempt = i.ID, after+1
	return []InvoiceFact{m}, nil
}

// Tolerance is how far an invoice may be from what was expected and still be approved by
// itself: both the share and the amount bound each line and the total.
type Tolerance struct {
	Percent int64 // of what was expected
	Minor   int64 // minor units
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
	Why      Why  // why the claim was refused, the reference is not known or the charge is not expected
}

// Look compares the lines with the freights as they are after the claims, and with the
// claims that were refused, by freight.
func Look(i Invoice, freights map[string]Freight, refused map[string]Why) []Found {
	out := make([]Found, len(i.Lines))
	type charge struct{ freight, code string }
	seen := map[charge]bool{}
	for n, l := range i.Lines {
		id := i.Claims[n]
		why, isRefused := refused[id]
		switch {
		case id == "":
			out[n].Why = Why{Code: "REFERENCE_UNKNOWN", Message: "no single dispatched shipment of " + i.Carrier + " is known as " + l.Reference}
		case isRefused:
			out[n].Why = why
		case seen[charge{id, l.Code}]:
			out[n].Why = Why{Code: "CHARGE_TWICE", Message: l.Code + " of the shipment stands on the invoice twice"}
		default:
			out[n] = freights[id].look(i.ID, l)
		}
		seen[charge{id, l.Code}] = true
	}
	return out
}

func (f Freight) look(invoice string, l InvoiceLine) Found {
	if i := slices.IndexFunc(f.Rating.Charges, func(c Charge) bool { return c.Code == l.Code }); i >= 0 {
		if c := f.Rating.Charges[i]; c.Invoice == invoice {
			return Found{Expected: c.Amount, Known: true}
		}
		return Found{Why: Why{Code: "CHARGE_BALANCE", Message: l.Code + " was invoiced before with another amount"}}
	}
	return Found{Why: Why{Code: "CHARGE_UNEXPECTED", Message: l.Code + " was not expected"}}
}

// outcomes are what each reason makes of an invoice; any other lets it wait.
var outcomes = map[string]InvoiceState{
	"CHARGE_CLAIMED":    Duplicate,
	"CHARGE_TWICE":      Disputed,
	"CHARGE_BALANCE":    Disputed,
	"CHARGE_UNEXPECTED": Disputed,
	"CURRENCY_MISMATCH": Disputed,
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
		l.Freight, l.Within, l.Expected = i.Claims[n], false, money.Amount{Currency: l.Amount.Currency}
		if f.Known {
			l.Expected = f.Expected
			l.Within = t.within(f.Expected.Minor, l.Variance().Minor)
		}
		state, known := outcomes[f.Why.Code]
		switch {
		case f.Why.Code != "" && !known:
			state = Unmatched
		case f.Why.Code == "" && !l.Within:
			state, f.Why = Disputed, Why{Code: "LINE_TOLERANCE", Message: l.Variance().String() + " beyond tolerance"}
		}
		if f.Why.Code != "" {
			d.Outcome, d.Why = worse(d.Outcome, state), append(d.Why, Why{f.Why.Code, line(n), f.Why.Message})
		}
		expected, variance = expected+l.Expected.Minor, variance+l.Variance().Minor
	}
	if d.Outcome == Approved && !t.within(expected, variance) {
		d.Outcome, d.Why = Disputed, append(d.Why, Why{"TOTAL_TOLERANCE", "lines", "the total is beyond tolerance"})
	}
	switch d.Outcome {
	case Duplicate:
		d.Freed = unique(i.Claims)
	case Unmatched:
		d.Freed, d.Due = unique(i.Claims), retry
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
