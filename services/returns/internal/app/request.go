package app

import (
	"context"
	"strings"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/faultpoint"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/returns/internal/domain"
)

// Asked is what somebody wants to send back.
type Asked struct {
	Order          string
	Source, Number string // of the RMA; empty: this service gives one
	Site           string
	Lines          []domain.AskedLine
}

// Request starts a return and, with a wait, drives its claim itself and returns how the
// return then stands; what is not done by then is done by the reactor of the intent.
func (a *App) Request(ctx context.Context, asked Asked, wait time.Duration) (store.Receipt, store.View[domain.Return], error) {
	none := store.View[domain.Return]{}
	intent, err := a.intent(ctx, asked)
	if err != nil {
		return store.Receipt{}, none, err
	}
	receipt, err := a.Returns.Update(ctx, intent.ID, func(c store.Current[domain.Return]) (store.Decision[domain.Fact], error) {
		return a.outcome(ctx, c, func(r domain.Return, e domain.Env) ([]domain.Fact, error) { return r.Request(e, intent) })
	})
	if err != nil || store.CauseOf(ctx).Validate {
		return receipt, none, err
	}
	v, err := a.Returns.Get(ctx, receipt.ID)
	if err != nil || wait <= 0 || !v.State.Undecided() {
		return receipt, v, err
	}
	limited, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	if err := a.drive(limited, v.State); err != nil && !fault.Transient(err) && limited.Err() == nil {
		return receipt, v, err
	}
	v, err = a.Returns.Get(ctx, receipt.ID)
	return receipt, v, err
}

// intent is the fact that starts the return, its id derived: from the number and its source
// system, or from the scope of the idempotency key.
func (a *App) intent(ctx context.Context, asked Asked) (domain.ReturnRequested, error) {
	caller, _ := guard.CallerOf(ctx)
	if asked.Source != "" && !caller.SpeaksFor(asked.Source) {
		return domain.ReturnRequested{}, fault.New(fault.Denied, "SOURCE_NOT_ALLOWED", "the caller may not speak for %q", asked.Source)
	}
	if err := a.takes(ctx, asked.Site); err != nil {
		return domain.ReturnRequested{}, err
	}
	cause := store.CauseOf(ctx)
	f := domain.ReturnRequested{
		Keys: domain.Keys{Number: asked.Number, Order: asked.Order}, Source: asked.Source, Site: asked.Site, Lines: asked.Lines,
		Returnable: ReturnableID(cause.Tenant, asked.Order),
	}
	switch items, err := a.Items.Get(ctx, f.Returnable); {
	case err != nil && !fault.IsKind(err, fault.NotFound):
		return f, err
	case !own(ctx, items.State.SoldToID):
		return f, notFound()
	default:
		f.OrderNumber, f.SoldTo, f.SoldToID = items.State.Number, items.State.SoldTo, items.State.SoldToID
	}
	switch {
	case asked.Number != "":
		f.ID = ident.Derive("rma", cause.Tenant, asked.Source, asked.Number)
	case cause.Derived:
		f.ID = ident.Derive("rma", cause.Tenant, "", cause.Key)
	default:
		f.ID = ident.Derive("rma", cause.Tenant, "", cause.Principal, cause.Key)
	}
	if asked.Number == "" {
		f.Source, f.Number = OwnSource, numberOf(f.ID)
	}
	f.ClaimKey = "clm:" + f.ID + ":1:" + f.Returnable
	return f, nil
}

// takes refuses a site that master data does not know; "" is any.
func (a *App) takes(ctx context.Context, site string) error {
	if site == "" {
		return nil
	}
	known, err := a.Sites.Known(ctx, site)
	if err != nil || known {
		return err
	}
	return fault.New(fault.Invalid, "SITE_UNKNOWN", "return_site: no site %q", site).
		WithField("return_site", "SITE_UNKNOWN", "no site %q: define it in master data or leave it out", site)
}

// numberOf is the number that a return without one gets: short enough to be read out.
func numberOf(id string) string {
	random := strings.ToUpper(strings.TrimPrefix(id, "rma_"))
	return "RMA-" + random[:5] + "-" + random[5:10]
}

// Drive makes the claim of a return that was asked for and commits the decision. It may run
// as often as anybody likes, also at the same time: claim and decision have keys of their own.
func (a *App) Drive(ctx context.Context, id string) error {
	v, err := a.Returns.Get(ctx, id)
	if err != nil {
		return err
	}
	return a.drive(ctx, v.State)
}

func (a *App) drive(ctx context.Context, r domain.Return) error {
	if !r.Undecided() {
		return nil
	}
	if err := faultpoint.Hit(faultpoint.X1); err != nil {
		return err
	}
	step := func(name string) context.Context {
		return guard.Derived(ctx, store.CauseOf(ctx).Tenant, name+":"+r.ID+":1", r.Requested)
	}
	decision, err := a.claim(step("claim"), r)
	if err != nil {
		return err
	}
	if err := faultpoint.Hit(faultpoint.X2); err != nil {
		return err
	}
	_, err = a.change(step("decide"), r.ID, decision)
	if fault.IsKind(err, fault.Refused) {
		return nil // it was denied or cancelled meanwhile; the claim goes back with that
	}
	return err
}

// claim makes the claim and returns what it means for the return.
func (a *App) claim(ctx context.Context, r domain.Return) (decide, error) {
	_, err := a.Items.Update(ctx, r.Returnable, func(c store.Current[domain.Returnable]) (store.Decision[domain.ItemFact], error) {
		facts, err := c.State.Take(c.ID, r.ClaimKey, r.ID, r.Wanted())
		return store.Decision[domain.ItemFact]{Facts: facts, State: "CLAIMED"}, err
	})
	if f, known := fault.As(err); known && f.Kind == fault.Refused {
		return func(r domain.Return, e domain.Env) ([]domain.Fact, error) { return r.Refuse(e, reasonsOf(f)) }, nil
	}
	if err != nil {
		return nil, err
	}
	v, err := a.Items.Get(ctx, r.Returnable)
	if err != nil {
		return nil, err
	}
	claim, held := v.State.Claim(r.ClaimKey)
	return func(r domain.Return, e domain.Env) ([]domain.Fact, error) {
		if !held { // closed meanwhile
			return r.Refuse(e, []domain.Reason{{Code: "CLAIM_CLOSED", Message: "the claim was closed before it was decided"}})
		}
		return r.Hold(e, v.State, claim)
	}, nil
}

func reasonsOf(f *fault.Error) []domain.Reason {
	if len(f.Fields) == 0 {
		return []domain.Reason{{Code: f.Reason, Message: f.Message}}
	}
	out := make([]domain.Reason, len(f.Fields))
	for i, field := range f.Fields {
		out[i] = domain.Reason{Code: field.Reason, Field: field.Path, Message: field.Description}
	}
	return out
}

// GiveBack gives back what a claim holds beyond the kept lines, whether it holds something,
// nothing, or was never made.
func (a *App) GiveBack(ctx context.Context, returnable, key, rma string, kept []domain.ClaimedLine) error {
	if err := faultpoint.Hit(faultpoint.X3); err != nil {
		return err
	}
	_, err := a.Items.Update(ctx, returnable, func(c store.Current[domain.Returnable]) (store.Decision[domain.ItemFact], error) {
		return store.Decision[domain.ItemFact]{Facts: c.State.Release(c.ID, key, rma, kept), State: "RELEASED"}, nil
	})
	return err
}
