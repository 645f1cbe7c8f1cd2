// Package app holds the use cases of returns: each loads one return or what one order has
// left to return, lets the domain decide and commits what it decided. What a return claims
// of an order is driven by anybody, as often as anybody likes, with one effect.
package app

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/authority"
	"github.com/lockstep-logistics/lockstep/libs/authority/owners"
	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/returns/internal/domain"
)

// Indexes under which returns are listed.
const (
	IndexState       = "state"
	IndexOrder       = "order"        // order id
	IndexOrderNumber = "order_number" // of any source system
	IndexNumber      = "number"       // RMA number, of any source system
	IndexSoldTo      = "sold_to"      // party id
	IndexUndecided   = "undecided"    // when it was asked for, while its claim is not decided
)

// OwnSource is the source system of RMA numbers that this service gives.
const OwnSource = "lockstep"

// Returns is where returns are kept.
type Returns = store.Aggregates[domain.Return, domain.Fact]

// Items is where it is kept what of each order can be returned.
type Items = store.Aggregates[domain.Returnable, domain.ItemFact]

// Orders is order release as returns need it.
type Orders interface {
	// Lines returns an order's keys, buyer and prices: the fact to be, with every line of the
	// order and nothing issued.
	Lines(ctx context.Context, order string) (domain.ItemsIssued, error)
}

// Sites is master data as returns need it.
type Sites interface {
	// Known reports whether there is such a site; Unavailable while nobody can tell.
	Known(ctx context.Context, code string) (bool, error)
}

// App is the use cases.
type App struct {
	Returns Returns
	Items   Items
	Orders  Orders
	Sites   Sites
	Owners  *owners.Owners // who may give which command
	Policy  domain.Policy
	Limits  Limits
}

// Limits are the time limits of claims.
type Limits struct {
	Attempt time.Duration // a claim without a decision is taken up again
	Limit   time.Duration // one that then fails is given up
}

// ReturnableID derives the id of what of an order can be returned.
func ReturnableID(tenant, order string) string { return ident.Derive("rtb", tenant, order) }

// PartyID derives the id of a party; "" of no code.
func PartyID(tenant, code string) string {
	if code == "" {
		return ""
	}
	return ident.Derive("pty", tenant, code)
}

// decide is what a use case asks of the domain.
type decide func(r domain.Return, e domain.Env) ([]domain.Fact, error)

// change runs d on a return that must exist.
func (a *App) change(ctx context.Context, id string, d decide) (store.Receipt, error) {
	v, err := a.Owners.Judge(ctx, "RETURN")
	if err != nil {
		return store.Receipt{}, err
	}
	return a.Returns.Update(ctx, id, func(c store.Current[domain.Return]) (store.Decision[domain.Fact], error) {
		if c.Version == 0 {
			return store.Decision[domain.Fact]{}, notFound()
		}
		out, err := a.outcome(ctx, c, func(r domain.Return, e domain.Env) ([]domain.Fact, error) {
			return authority.Take(v, e.Now, r.Heard, func() ([]domain.Fact, error) { return d(r, e) }, r.Hear)
		})
		if !v.Counts() {
			out.Reasons = []store.Reason{{Code: authority.NotOwned, Message: shorten(v.Text())}}
		}
		return out, err
	})
}

// notFound is the answer for what is unknown, another tenant's or another customer's.
func notFound() error { return fault.New(fault.NotFound, "NOT_FOUND", "unknown") }

func (a *App) outcome(ctx context.Context, c store.Current[domain.Return], d decide) (store.Decision[domain.Fact], error) {
	facts, err := d(c.State, domain.Env{Now: c.Now, By: store.CauseOf(ctx).Principal, Policy: a.Policy})
	if err != nil {
		return store.Decision[domain.Fact]{}, err
	}
	next := domain.Apply(c.State, facts...)
	out := store.Decision[domain.Fact]{Facts: facts, State: string(next.State()), Values: map[string]string{}}
	for _, f := range facts {
		qualify(&out, f)
	}
	return out, nil
}

// Bounds of a receipt.
const (
	maxReasons = 6
	maxMessage = 160
)

// qualify puts into the receipt what the caller needs to know of a fact.
func qualify(out *store.Decision[domain.Fact], f domain.Fact) {
	switch f := f.(type) {
	case domain.ReturnRequested:
		out.Values["rma_number"] = f.Number
	case domain.CreditRequested:
		out.Created = append(out.Created, strconv.Itoa(f.Credit))
		out.Values["net"] = f.Net.String()
	case domain.CreditConfirmed:
		for _, r := range f.Contradictions[:min(len(f.Contradictions), maxReasons)] {
			out.Reasons = append(out.Reasons, store.Reason{Code: r.Code, Field: r.Field, Message: shorten(r.Message)})
		}
	}
}

func shorten(s string) string {
	if len(s) <= maxMessage {
		return s
	}
	return strings.ToValidUTF8(s[:maxMessage], "") + "…"
}

// Get returns one return; a customer sees its own only, another's is as unknown.
func (a *App) Get(ctx context.Context, id string) (store.View[domain.Return], error) {
	v, err := a.Returns.Get(ctx, id)
	if fault.IsKind(err, fault.NotFound) || err == nil && !own(ctx, v.State.SoldToID) {
		return store.View[domain.Return]{}, notFound()
	}
	return v, err
}

// ItemsOf returns what of an order can be returned; a customer sees its own only.
func (a *App) ItemsOf(ctx context.Context, order string) (store.View[domain.Returnable], error) {
	v, err := a.Items.Get(ctx, ReturnableID(store.CauseOf(ctx).Tenant, order))
	if fault.IsKind(err, fault.NotFound) || err == nil && (len(v.State.Lines) == 0 || !own(ctx, v.State.SoldToID)) {
		return store.View[domain.Returnable]{}, notFound()
	}
	return v, err
}

// own reports whether the caller may see what the party bought: staff sees all.
func own(ctx context.Context, party string) bool {
	caller, _ := guard.CallerOf(ctx)
	return caller.Party == "" || caller.Party == party
}

// List pages the returns that the caller may see.
func (a *App) List(ctx context.Context, q store.Query) (store.Page[domain.Return], error) {
	if caller, _ := guard.CallerOf(ctx); caller.Party != "" {
		if q.Index == "" {
			q.Index, q.Key = IndexSoldTo, caller.Party
		} else {
			q.Key = OwnKey(caller.Party, q.Key)
		}
	}
	return a.Returns.List(ctx, q)
}

// OwnKey is the index key under which a customer finds its own.
func OwnKey(party, key string) string { return party + "\n" + key }

// Keys are the index keys of a return: for everybody, and for the customer that bought.
func Keys(r domain.Return, key string) []string {
	switch {
	case key == "":
		return nil
	case r.SoldToID == "":
		return []string{key}
	}
	return []string{key, OwnKey(r.SoldToID, key)}
}
