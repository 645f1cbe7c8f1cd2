//go:build !bug_lookup_first

package store

import "context"

// prior looks up the receipts of earlier runs after the load and under the version that will
// be committed on, so that the commit's own version proves their absence.
func (c *Collection[S, F]) prior(ctx context.Context, r *round[S, F]) (map[[16]byte]*receiptDoc, error) {
	return c.receipts(ctx, r)
}
