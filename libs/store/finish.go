//go:build !bug_answer_first

package store

import (
	"context"

	"github.com/lockstep-logistics/lockstep/libs/faultpoint"
)

// finish commits the rounds together and answers each by what became of its commit.
func (c *Collection[S, F]) finish(ctx context.Context, ws []*write, flying []*round[S, F]) {
	c.db.engine.insert(ctx, ws)
	_ = faultpoint.Hit(faultpoint.C4) // only kills and delays make sense after the commit
	for _, r := range flying {
		c.land(ctx, r)
	}
	_ = faultpoint.Hit(faultpoint.C5)
}
