package app

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/freight-settlement/internal/domain"
)

// attemptTime is how long a match may take before its attempt is closed.
const attemptTime = time.Minute

// Receive takes a carrier's invoice and begins its match.
func (a *App) Receive(ctx context.Context, r domain.InvoiceReceived) (store.Receipt, error) {
	r.ID, r.Creator = InvoiceID(tenant(ctx), r.Carrier, r.Number), store.CauseOf(ctx).Principal
	freights, err := a.resolve(ctx, r.Lines)
	if err != nil {
		return store.Receipt{}, err
	}
	return a.changeInvoice(ctx, r.ID, false, func(i domain.Invoice, now time.Time) ([]domain.InvoiceFact, error) {
		return domain.Receive(i, r, freights, now.Add(attemptTime))
	})
}

// resolve finds the freight of each line by the reference on it: "" where none is known.
// The index only proposes; the claim on the freight itself decides.
func (a *App) resolve(ctx context.Context, lines []domain.InvoiceLine) ([]string, error) {
	known := map[string]string{}
	out := make([]string, len(lines))
	for i, l := range lines {
		id, ok := known[l.Reference]
		if !ok {
			page, err := a.Freights.List(ctx, store.Query{Index: IndexReference, Key: l.Reference, PageSize: 1})
			if err != nil {
				return nil, err
			}
			if len(page.Items) > 0 {
				id = page.Items[0].ID
			}
			known[l.Reference] = id
		}
		out[i] = id
	}
	return out, nil
}

// Match runs one attempt: it claims the charges of every freight that the lines name, then
// decides. Run again, it finds its own claims and the decision made.
func (a *App) Match(ctx context.Context, id string, attempt int) error {
	v, err := a.Invoices.Get(ctx, id)
	if err != nil {
		return err
	}
	if v.State.At != domain.Received || v.State.Attempt != attempt {
		return nil
	}
	found, err := a.claim(ctx, v.State)
	if err != nil {
		return err
	}
	_, err = a.changeInvoice(store.WithItem(ctx, "decide"), id, true, func(i domain.Invoice, now time.Time) ([]domain.InvoiceFact, error) {
		return domain.Decide(i, attempt, found, a.Tolerance, now.Add(a.Retry))
	})
	return err
}

// claim claims what each line names and returns what was found, by line. Freights are
// claimed in sorted order and nobody waits for another's claim: no cycle can form.
func (a *App) claim(ctx context.Context, i domain.Invoice) ([]domain.Found, error) {
	codes := map[string][]string{}
	for n, l := range i.Lines {
		codes[i.Claims[n]] = append(codes[i.Claims[n]], l.Code)
	}
	why, charges := map[string]domain.Why{}, map[string][]domain.Charge{}
	for _, freight := range sorted(codes) {
		c := domain.Claim{Invoice: i.ID, Attempt: i.Attempt}
		_, err := a.change(store.WithItem(ctx, freight), freight, func(f domain.Freight) ([]domain.FreightFact, error) {
			return domain.ClaimCharges(f, c, codes[freight])
		})
		switch f, ok := fault.As(err); {
		case err == nil:
			v, err := a.Freights.Get(ctx, freight)
			if err != nil {
				return nil, err
			}
			charges[freight] = v.State.Rating.Charges
		case ok && f.Kind == fault.Refused:
			why[freight] = domain.Why{Code: f.Reason, Message: f.Message}
		default:
			return nil, err
		}
	}
	found := make([]domain.Found, len(i.Lines))
	for n, l := range i.Lines {
		found[n] = look(l, i.Claims[n], why, charges)
	}
	return found, nil
}

func look(l domain.InvoiceLine, freight string, why map[string]domain.Why, charges map[string][]domain.Charge) domain.Found {
	if freight == "" {
		return domain.Found{Why: domain.Why{Code: "REFERENCE_UNKNOWN", Message: "no dispatched shipment is known as " + l.Reference}}
	}
	if w, refused := why[freight]; refused {
		return domain.Found{Why: w}
	}
	for _, c := range charges[freight] {
		if c.Code == l.Code {
			return domain.Found{Expected: c.Amount, Known: true}
		}
	}
	return domain.Found{}
}

func sorted(codes map[string][]string) []string {
	var ids []string
	for id := range codes {
		if id != "" {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// Free gives back the claims of an attempt that did not lead to an approval.
func (a *App) Free(ctx context.Context, invoice string, attempt int, freights []string) error {
	for _, freight := range freights {
		_, err := a.change(store.WithItem(ctx, freight), freight, func(f domain.Freight) ([]domain.FreightFact, error) {
			return domain.FreeCharges(f, domain.Claim{Invoice: invoice, Attempt: attempt})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Settle pays the charges of an approved invoice on every freight it names.
func (a *App) Settle(ctx context.Context, invoice string, lines []domain.InvoiceLine) error {
	payments := map[string][]domain.Payment{}
	var freights []string
	for _, l := range lines {
		if _, ok := payments[l.Freight]; !ok {
			freights = append(freights, l.Freight)
		}
		payments[l.Freight] = append(payments[l.Freight], domain.Payment{Code: l.Code, Amount: l.Approved})
	}
	slices.Sort(freights)
	for _, freight := range freights {
		_, err := a.change(store.WithItem(ctx, freight), freight, func(f domain.Freight) ([]domain.FreightFact, error) {
			return domain.Settle(f, invoice, payments[freight])
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Resolve ends a dispute.
func (a *App) Resolve(ctx context.Context, id string, how domain.Resolution, r domain.InvoiceApproved) (store.Receipt, error) {
	approver := store.CauseOf(ctx).Principal
	return a.changeInvoice(ctx, id, true, func(i domain.Invoice, _ time.Time) ([]domain.InvoiceFact, error) {
		return domain.Resolve(i, how, r.Sum, r.Reason, approver)
	})
}

// Post records the ERP's voucher.
func (a *App) Post(ctx context.Context, id, voucher string) (store.Receipt, error) {
	return a.changeInvoice(ctx, id, true, func(i domain.Invoice, _ time.Time) ([]domain.InvoiceFact, error) { return domain.Post(i, voucher) })
}

// Pay records the ERP's payment.
func (a *App) Pay(ctx context.Context, id string, p domain.InvoicePaid) (store.Receipt, error) {
	return a.changeInvoice(ctx, id, true, func(i domain.Invoice, _ time.Time) ([]domain.InvoiceFact, error) {
		return domain.Pay(i, p.Reference, p.Amount)
	})
}

// changeInvoice runs a decision on an invoice.
func (a *App) changeInvoice(ctx context.Context, id string, exists bool, d func(domain.Invoice, time.Time) ([]domain.InvoiceFact, error)) (store.Receipt, error) {
	return a.Invoices.Update(ctx, id, func(c store.Current[domain.Invoice]) (store.Decision[domain.InvoiceFact], error) {
		if exists && c.Version == 0 {
			return store.Decision[domain.InvoiceFact]{}, fault.New(fault.NotFound, "FREIGHT_INVOICE_NOT_FOUND", "no freight invoice %s", id)
		}
		facts, err := d(c.State, c.Now)
		if err != nil {
			return store.Decision[domain.InvoiceFact]{}, err
		}
		next := domain.ApplyInvoice(c.State, facts...)
		out := store.Decision[domain.InvoiceFact]{Facts: facts, State: string(next.At)}
		for _, w := range next.Why[:min(len(next.Why), 8)] {
			out.Reasons = append(out.Reasons, store.Reason{Code: w.Code, Field: w.Field, Message: w.Message})
		}
		return out, nil
	})
}

// sweepAtOnce bounds one sweep.
const sweepAtOnce = 200

// Sweep looks again at invoices that wait for their shipments, and closes attempts that
// hang. The index only proposes; the invoice decides.
func (a *App) Sweep(ctx context.Context) error {
	now := a.Clock.Now()
	due, err := a.Invoices.Due(ctx, IndexDue, store.TimeKey(now), sweepAtOnce)
	if err != nil {
		return err
	}
	var failed error
	for _, ref := range due {
		ctx := store.WithCause(ctx, store.Cause{
			Tenant: ref.Tenant, Principal: "service:freight-settlement", Derived: true, KeyTime: now,
			Key: "due:" + ref.ID + ":" + store.TimeKey(now),
		})
		failed = errors.Join(failed, a.again(ctx, ref.ID))
	}
	return failed
}

func (a *App) again(ctx context.Context, id string) error {
	v, err := a.Invoices.Get(ctx, id)
	if err != nil {
		return err
	}
	if v.State.At == domain.Received {
		return a.Match(ctx, id, v.State.Attempt)
	}
	freights, err := a.resolve(ctx, v.State.Lines)
	if err != nil {
		return err
	}
	_, err = a.changeInvoice(ctx, id, true, func(i domain.Invoice, now time.Time) ([]domain.InvoiceFact, error) {
		return domain.Rematch(i, freights, now.Add(attemptTime))
	})
	return err
}
