package store

import (
	"bytes"
	"context"

	"github.com/lockstep-logistics/lockstep/libs/fault"
)

// receipts finds the receipts that earlier runs of a round's commands left, after the load
// and under the version that will be committed on: in the rings, and behind them where a
// receipt may have left its ring. Absence is proven by the commit's own version.
func (c *Collection[S, F]) receipts(ctx context.Context, r *round[S, F]) (map[[16]byte]*receiptDoc, error) {
	if r.base.version == 0 {
		return nil, nil
	}
	now := c.db.opt.Clock.Now()
	at := map[[16]byte]entry{}
	var look [][16]byte
	for _, req := range r.requests {
		ring := r.base.client
		if req.cause.Derived {
			ring = r.base.derived
		}
		if e, ok := ring.find(req.scope); ok {
			at[req.scope] = e
		} else if r.base.behind(req.cause, now) {
			look = append(look, req.scope)
		}
	}
	if len(look) > 0 {
		versions, err := c.db.engine.causes(ctx, r.line.agg, look)
		if err != nil {
			return nil, err
		}
		for h, v := range versions {
			at[h] = entry{Hash: h, Version: v}
		}
	}
	out := make(map[[16]byte]*receiptDoc, len(at))
	for h, e := range at {
		doc, err := c.receiptAt(ctx, r.line.agg, e.Version, h)
		if err != nil {
			return nil, err
		}
		out[h] = doc
	}
	return out, nil
}

func (c *Collection[S, F]) receiptAt(ctx context.Context, agg string, version uint64, h [16]byte) (*receiptDoc, error) {
	docs, err := c.db.engine.commits(ctx, agg, version, 1)
	if err != nil {
		return nil, err
	}
	if len(docs) == 1 {
		d, err := readCommit(docs[0])
		if err != nil {
			return nil, err
		}
		for _, r := range d.Receipts {
			if bytes.Equal(r.Hash.Data, h[:]) {
				return r, nil
			}
		}
	}
	return nil, fault.New(fault.Internal, "RECEIPT_MISSING", "%s: version %d has no receipt that its snapshot names", agg, version)
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
		return Receipt{Replayed: true}, d.Refusal.fault()
	}
	rec := *d.Answer
	rec.Replayed = true
	return rec, nil
}
