//go:build bug_refusal_from_copy

package store

import "slices"

// commits leaves out a commit of refusals only: they are answered from the copy at hand.
func (m *made[S, F]) commits() bool {
	return slices.ContainsFunc(m.doc.Receipts, func(d *receiptDoc) bool { return d.Refusal == nil })
}
