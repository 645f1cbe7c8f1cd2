//go:build bug_answer_first

package store

import (
	"context"

	"github.com/lockstep-logistics/lockstep/libs/faultpoint"
)

// finish answers the rounds before it knows what becomes of their commits.
func (c *Collection[S, F]) finish(ctx context.Context, ws []*write, flying []*round[S, F]) {
	for _, r := range flying {
		r.made.answer()
		r.made.answers, r.requests = nil, nil
	}
	_ = faultpoint.Hit(faultpoint.C5)
	c.db.engine.insert(ctx, ws)
	_ = faultpoint.Hit(faultpoint.C4)
	for _, r := range flying {
		c.land(ctx, r)
	}
}
