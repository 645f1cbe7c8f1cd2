//go:build bug_lookup_first

package store

import "context"

// prior looks up the receipts first and loads the newest version after it: what was committed
// in between has no receipt here, and no version that is taken tells of it.
func (c *Collection[S, F]) prior(ctx context.Context, r *round[S, F]) (map[[16]byte]*receiptDoc, error) {
	old, err := c.receipts(ctx, r)
	if err != nil {
		return nil, err
	}
	r.base, err = c.full(ctx, r.line.agg)
	return old, err
}
