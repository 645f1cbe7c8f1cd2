//go:build !bug_refusal_from_copy

package store

// commits reports whether the answers need a commit. Every command that left a receipt does,
// a refusal too: its commit proves that the state it was decided on was the newest.
func (m *made[S, F]) commits() bool { return len(m.doc.Receipts) > 0 }
