package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/faultpoint"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/freight-settlement/internal/domain"
)

// step is the context of one step of a match: its key names the invoice, the attempt and
// the target, so that whoever drives the match, and how often, the step is done once.
func step(ctx context.Context, name, invoice string, attempt int, target string, at time.Time) context.Context {
	return guard.Derived(ctx, tenant(ctx), fmt.Sprintf("%s:%s:%d:%s", name, invoice, attempt, target), at)
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
	freights, refused, err := a.claim(ctx, v.State)
	if err != nil {
		return err
	}
	if err := faultpoint.Hit(faultpoint.X2); err != nil {
		return err
	}
	found := domain.Look(v.State, freights, refused)
	_, err = a.changeInvoice(step(ctx, "decide", id, attempt, "", v.State.Requested), id, true, func(i domain.Invoice, now time.Time) ([]domain.InvoiceFact, error) {
		return domain.Decide(i, attempt, found, a.Tolerance, now.Add(a.wait(attempt)))
	})
	return err
}

// longestWait bounds how long an invoice waits for its shipments before it looks again.
const longestWait = 24 * time.Hour

// wait doubles with each attempt.
func (a *App) wait(attempt int) time.Duration {
	d := a.Retry
	for ; attempt > 1 && d < longestWait; attempt-- {
		d *= 2
	}
	return min(d, max(a.Retry, longestWait))
}

// claim claims what the lines name, and returns the freights as they are then and why
// others were refused. Freights are claimed in sorted order and nobody waits for another's
// claim: no cycle can form.
func (a *App) claim(ctx context.Context, i domain.Invoice) (map[string]domain.Freight, map[string]domain.Why, error) {
	asks := map[string][]domain.Payment{}
	for n, l := range i.Lines {
		asks[i.Claims[n]] = append(asks[i.Claims[n]], domain.Payment{Code: l.Code, Amount: l.Amount})
	}
	delete(asks, "")
	c := domain.Claim{Invoice: i.ID, Attempt: i.Attempt}
	freights, refused := map[string]domain.Freight{}, map[string]domain.Why{}
	for _, id := range sorted(asks) {
		if err := faultpoint.Hit(faultpoint.X1); err != nil {
			return nil, nil, err
		}
		err := a.change(step(ctx, "claim", i.ID, i.Attempt, id, i.Requested), id, func(f domain.Freight) ([]domain.FreightFact, error) {
			return domain.ClaimCharges(f, c, i.Carrier, asks[id])
		})
		if f, ok := fault.As(err); ok && f.Kind == fault.Refused {
			refused[id] = domain.Why{Code: f.Reason, Message: f.Message}
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		v, err := a.Freights.Get(ctx, id)
		if err != nil {
			return nil, nil, err
		}
		freights[id] = v.State
	}
	return freights, refused, nil
}

func sorted[T any](byID map[string]T) []string {
	ids := make([]string, 0, len(byID))
	for id := range byID {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// of returns the keys of a freight that is there.
func of(f domain.Freight, id string) domain.Of {
	return domain.Of{Freight: id, Shipment: f.Keys.Shipment}
}

// Free gives back the claims of an attempt that did not lead to an approval, which was
// decided at a moment.
func (a *App) Free(ctx context.Context, invoice string, attempt int, freights []string, decided time.Time) error {
	c := domain.Claim{Invoice: invoice, Attempt: attempt}
	for _, id := range freights {
		if err := faultpoint.Hit(faultpoint.X3); err != nil {
			return err
		}
		err := a.change(step(ctx, "free", invoice, attempt, id, decided), id, func(f domain.Freight) ([]domain.FreightFact, error) {
			return domain.FreeCharges(f, of(f, id), c)
		})
		if err != nil {
			return err
		}
		if err := a.trueUp(step(ctx, "true-up", invoice, attempt, id, decided), id); err != nil {
			return err
		}
	}
	return nil
}

// Rejudge looks again at the invoices that were duplicates of one that was credited at a
// moment, or balances beside it, now that its charges are free. One that is judged while
// they become free looks itself: see JudgeAgain.
func (a *App) Rejudge(ctx context.Context, credited string, freights []string, at time.Time) error {
	var failed error
	for _, f := range freights {
		failed = errors.Join(failed, a.rejudge(ctx, credited, store.Query{Index: IndexReference, Key: f, PageSize: 200}, at))
	}
	return failed
}

func (a *App) rejudge(ctx context.Context, credited string, q store.Query, at time.Time) error {
	var failed error
	for {
		page, err := a.Invoices.List(ctx, q)
		if err != nil {
			return err
		}
		if page.AsOf.Before(at) { // one that was judged before is not in the list yet
			return fault.New(fault.Unavailable, "LIST_TRAILS", "the list of invoices is good to %s only", page.AsOf)
		}
		for _, v := range page.Items {
			if v.ID != credited && v.State.Rejudgeable() {
				failed = errors.Join(failed, a.rematch(ctx, v.ID, v.State, hint{}))
			}
		}
		if q.PageToken = page.NextToken; q.PageToken == "" {
			return failed
		}
	}
}

// JudgeAgain matches an invoice anew when the charges that an attempt found with another
// invoice became free before it was decided: whoever freed them could not know of it.
func (a *App) JudgeAgain(ctx context.Context, invoice string, attempt int) error {
	v, err := a.Invoices.Get(ctx, invoice)
	if err != nil || v.State.Attempt != attempt || !v.State.Rejudgeable() {
		return err
	}
	freights := map[string]domain.Freight{}
	for _, l := range v.State.Lines {
		if _, known := freights[l.Freight]; known || l.Freight == "" {
			continue
		}
		f, err := a.Freights.Get(ctx, l.Freight)
		if err != nil {
			return err
		}
		freights[l.Freight] = f.State
	}
	if !v.State.FreeByNow(freights) {
		return nil
	}
	return a.rematch(ctx, invoice, v.State, hint{})
}

// Settle pays the charges of an invoice that was approved at a moment, on every freight
// that it names.
func (a *App) Settle(ctx context.Context, invoice string, attempt int, lines []domain.InvoiceLine, approved time.Time) error {
	payments := map[string][]domain.Payment{}
	for _, l := range lines {
		payments[l.Freight] = append(payments[l.Freight], domain.Payment{Code: l.Code, Amount: l.Approved})
	}
	for _, id := range sorted(payments) {
		if err := faultpoint.Hit(faultpoint.X3); err != nil {
			return err
		}
		err := a.change(step(ctx, "settle", invoice, attempt, id, approved), id, func(f domain.Freight) ([]domain.FreightFact, error) {
			return domain.Settle(f, of(f, id), invoice, payments[id])
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// MatchWaiting looks again at the invoices that wait for a shipment, now that its freight
// is there; one that names others too which are not there goes on waiting. An invoice that
// begins to wait at the same time may be missed: its own timer finds it.
func (a *App) MatchWaiting(ctx context.Context, freight string) error {
	v, err := a.Freights.Get(ctx, freight)
	if err != nil || v.State.Dispatched.IsZero() || !v.State.Rating.Rated() {
		return err // nothing can be claimed of it yet
	}
	here, carrier, references := hint{id: freight}, v.State.Basis.Carrier, v.State.References()
	for _, r := range references {
		here.references = append(here.references, domain.NormalReference(r))
	}
	seen := map[string]bool{}
	var failed error
	for _, r := range references {
		q := store.Query{Index: IndexWaiting, Key: CarrierKey(carrier, r), PageSize: 200}
		page, err := a.Invoices.List(ctx, q)
		if err != nil {
			return err
		}
		for _, v := range page.Items {
			if !seen[v.ID] {
				seen[v.ID] = true
				failed = errors.Join(failed, a.again(ctx, v.ID, here))
			}
		}
	}
	return failed
}

// sweepAtOnce bounds one sweep.
const sweepAtOnce = 200

// Sweep looks again at invoices that wait for their shipments, and takes up attempts that
// hang. The index only proposes; the invoice decides.
func (a *App) Sweep(ctx context.Context) error {
	due, err := a.Invoices.Due(ctx, IndexDue, store.TimeKey(a.Clock.Now()), sweepAtOnce)
	if err != nil {
		return err
	}
	var failed error
	for _, ref := range due {
		ctx := store.WithCause(ctx, store.Cause{Tenant: ref.Tenant, Principal: "service:freight-settlement", Correlation: ref.ID})
		failed = errors.Join(failed, a.again(ctx, ref.ID, hint{}))
	}
	return failed
}

// again takes up an attempt that hangs, or begins another for an invoice that waits.
func (a *App) again(ctx context.Context, id string, here hint) error {
	v, err := a.Invoices.Get(ctx, id)
	if err != nil {
		return err
	}
	i := v.State
	switch i.At {
	case domain.Received:
		if a.Clock.Now().Before(i.Due) {
			return nil // it is being matched
		}
		return a.Match(ctx, id, i.Attempt)
	case domain.Unmatched:
		return a.rematch(ctx, id, i, here)
	}
	return nil
}

// rematch begins another attempt. With a hint it does so only if every shipment is known.
func (a *App) rematch(ctx context.Context, id string, i domain.Invoice, here hint) error {
	freights, err := a.resolve(ctx, i.Carrier, i.Lines, here)
	if err != nil || here.id != "" && slices.Contains(freights, "") {
		return err
	}
	_, err = a.changeInvoice(step(ctx, "rematch", id, i.Attempt, "", i.Requested), id, true, func(now domain.Invoice, at time.Time) ([]domain.InvoiceFact, error) {
		return domain.Rematch(now, i.Attempt, domain.MatchRequested{Freights: freights, Requested: at, Due: at.Add(a.Attempt)})
	})
	return err
}

// Invoice returns one invoice.
func (a *App) Invoice(ctx context.Context, id string) (store.View[domain.Invoice], error) {
	return a.Invoices.Get(ctx, id)
}
