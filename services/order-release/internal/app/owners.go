package app

import (
	"context"

	"github.com/lockstep-logistics/lockstep/libs/authority"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/order-release/internal/domain"
)

// ofOrders is the type of object whose transitions systems own, as master data names it.
const ofOrders = "ORDER"

// judged decides about an order by whose word it is.
func (a *App) judged(ctx context.Context, c store.Current[domain.Order], e domain.Env, v authority.Verdict, d decide) (store.Decision[domain.Fact], error) {
	out, err := a.outcome(ctx, c, e, func(o domain.Order, e domain.Env) ([]domain.Fact, error) {
		return authority.Take(v, e.Now, o.Heard, func() ([]domain.Fact, error) { return d(o, e) }, o.Hear)
	})
	if err == nil && !v.Counts() {
		out.Reasons = []store.Reason{{Code: authority.NotOwned, Message: shorten(v.Text())}}
	}
	return out, err
}

// notOurs is why an order that its system may not submit is rejected.
func notOurs(v authority.Verdict) domain.Reason {
	return domain.Reason{Code: authority.NotOwned, Message: v.Text()}
}
