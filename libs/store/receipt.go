package store

import (
	"bytes"
	"context"

	"github.com/lockstep-logistics/lockstep/libs/fault"
)

// receipts finds the receipts that earlier runs of a round's commands left up to its base: in
// the rings, and behind them where a receipt may have left its ring.
func (c *Collection[S, F]) receipts(ctx context.Context, r *round[S, F]) (map[[16]byte]*receiptDoc, error) {
	if r.base.version == 0 {
		return nil, nil
	}
	now := c.db.opt.Clock.Now()
	out := map[[16]byte]*receiptDoc{}
	var look [][16]byte
	for _, req := range r.requests {
		ring := r.base.client
		if req.cause.Derived {
			ring = r.base.derived
		}
		doc, err := c.receiptIn(ctx, r.line.agg, ring.find(req.scope), req.scope)
		switch {
		case err != nil:
			return nil, err
		case doc != nil:
			out[req.scope] = doc
		case r.base.behind(req.cause, now):
			look = append(look, req.scope)
		}
	}
	if len(look) == 0 {
		return out, nil
	}
	versions, err := c.db.engine.causes(ctx, r.line.agg, look)
	if err != nil {
		return nil, err
	}
	for h, v := range versions {
		doc, err := c.receiptIn(ctx, r.line.agg, []uint64{v}, h)
		if err != nil {
			return nil, err
		}
		if doc == nil {
			return nil, missing(r.line.agg, v)
		}
		out[h] = doc
	}
	return out, nil
}

// receiptIn returns the receipt that one of the versions has under a hash, or nil.
func (c *Collection[S, F]) receiptIn(ctx context.Context, agg string, versions []uint64, h [16]byte) (*receiptDoc, error) {
	for _, v := range versions {
		docs, err := c.db.engine.commits(ctx, agg, v, 1)
		if err != nil {
			return nil, err
		}
		if len(docs) == 0 {
			return nil, missing(agg, v)
		}
		d, err := readCommit(docs[0])
		if err != nil {
			return nil, err
		}
		if uint64(d.Version) != v {
			return nil, missing(agg, v)
		}
		for _, r := range d.Receipts {
			if bytes.Equal(r.Hash.Data, h[:]) {
				return r, nil
			}
		}
	}
	return nil, nil
}

func missing(agg string, version uint64) error {
	return fault.New(fault.Internal, "RECEIPT_MISSING", "%s: version %d has not what its receipts name", agg, version)
}

// receipt is what an earlier command of this commit left under the same key.
func (m *made[S, F]) receipt(scope [16]byte) *receiptDoc {
	for _, d := range m.doc.Receipts {
		if bytes.Equal(d.Hash.Data, scope[:]) {
			return d
		}
	}
	return nil
}

// replay answers a command from the receipt of its earlier run.
func replay(d *receiptDoc, c Cause) (Receipt, error) {
	if !bytes.Equal(d.Fingerprint, c.Fingerprint) {
		return Receipt{}, fault.New(fault.KeyReused, "IDEMPOTENCY_KEY_REUSED", "key %q was used for another request", c.Key)
	}
	if d.Refusal != nil {
		f := d.Refusal.fault()
		f.Replayed = true
		return Receipt{Replayed: true}, f
	}
	rec := *d.Answer
	rec.Replayed = true
	return rec, nil
}
