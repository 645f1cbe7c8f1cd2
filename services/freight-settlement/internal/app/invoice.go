package app

import (
	"context"
	"slices"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/authority"
	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/freight-settlement/internal/domain"
)

// Receive takes a carrier's invoice and begins its match.
func (a *App) Receive(ctx context.Context, r domain.InvoiceReceived) (store.Receipt, error) {
	r.ID, r.Creator = InvoiceID(tenant(ctx), r.Carrier, r.Number), guard.Author(ctx)
	freights, err := a.resolveSoon(ctx, r.Carrier, r.Lines)
	if err != nil {
		return store.Receipt{}, err
	}
	return a.changeInvoice(ctx, r.ID, false, func(i domain.Invoice, now time.Time) ([]domain.InvoiceFact, error) {
		return domain.Receive(i, r, domain.MatchRequested{Freights: freights, Requested: now, Due: now.Add(a.Attempt)})
	})
}

// candidates bounds how many shipments under one reference are looked at.
const candidates = 10

// hint is a freight that a list may not show yet, with its references.
type hint struct {
	id         string
	references []string
}

// resolve finds the freight of each line by the reference on it: "" where none or more
// than one is known. The index only proposes; the claim on the freight itself decides.
func (a *App) resolve(ctx context.Context, carrier string, lines []domain.InvoiceLine, here hint) ([]string, error) {
	known := map[string]string{}
	out := make([]string, len(lines))
	for i, l := range lines {
		id, ok := known[l.Reference]
		if !ok && domain.NormalReference(l.Reference) != "" {
			page, err := a.Freights.List(ctx, store.Query{Index: IndexCarrier, Key: CarrierKey(carrier, l.Reference), PageSize: candidates})
			if err != nil {
				return nil, err
			}
			if id = pick(page.Items); len(page.Items) == 0 && slices.Contains(here.references, domain.NormalReference(l.Reference)) {
				id = here.id
			}
			known[l.Reference] = id
		}
		out[i] = id
	}
	return out, nil
}

// trail bounds how long a new invoice waits for a list that trails.
const trail = 300 * time.Millisecond

// resolveSoon finds the freights of a new invoice. A list may trail what was dispatched a
// moment ago, so what is missing is looked for again before the invoice has to wait.
func (a *App) resolveSoon(ctx context.Context, carrier string, lines []domain.InvoiceLine) ([]string, error) {
	late := time.After(trail)
	for pause := 5 * time.Millisecond; ; pause *= 2 {
		freights, err := a.resolve(ctx, carrier, lines, hint{})
		if err != nil || !slices.Contains(freights, "") {
			return freights, err
		}
		select {
		case <-late:
			return freights, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(pause):
		}
	}
}

// pick chooses the shipment that a reference means: the only one that is not settled, else
// the newest, for carriers use their numbers again after some years.
func pick(found []store.View[domain.Freight]) string {
	var open []string
	for _, v := range found {
		if s := v.State.State(); s != domain.Settled && s != domain.Reversed {
			open = append(open, v.ID)
		}
	}
	switch {
	case len(open) == 1:
		return open[0]
	case len(open) == 0 && len(found) > 0:
		return found[len(found)-1].ID
	}
	return ""
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

// maxReasons bounds the reasons in a receipt; the invoice has all of them.
const maxReasons = 8

// changeInvoice runs a decision on an invoice.
func (a *App) changeInvoice(ctx context.Context, id string, exists bool, d func(domain.Invoice, time.Time) ([]domain.InvoiceFact, error)) (store.Receipt, error) {
	v, err := a.Owners.Judge(ctx, "FREIGHT_INVOICE")
	if err != nil {
		return store.Receipt{}, err
	}
	return a.Invoices.Update(ctx, id, func(c store.Current[domain.Invoice]) (store.Decision[domain.InvoiceFact], error) {
		if exists && c.Version == 0 {
			return store.Decision[domain.InvoiceFact]{}, fault.New(fault.NotFound, "FREIGHT_INVOICE_NOT_FOUND", "no freight invoice %s", id)
		}
		facts, err := authority.Take(v, c.Now, c.State.Heard, func() ([]domain.InvoiceFact, error) { return d(c.State, c.Now) }, c.State.Hear)
		if err != nil {
			return store.Decision[domain.InvoiceFact]{}, err
		}
		next := domain.ApplyInvoice(c.State, facts...)
		out := store.Decision[domain.InvoiceFact]{Facts: facts, State: string(next.At)}
		for _, w := range next.Why[:min(len(next.Why), maxReasons)] {
			out.Reasons = append(out.Reasons, store.Reason{Code: w.Code, Field: w.Field, Message: w.Message})
		}
		if !v.Counts() {
			out.Reasons = []store.Reason{{Code: authority.NotOwned, Message: v.Text()}}
		}
		return out, nil
	})
}
