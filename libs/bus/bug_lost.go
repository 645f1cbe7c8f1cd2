//go:build bug_lost

package bus

// turn lets every number leave as it comes: what is missing before it is given up.
func (l *inflow) turn(uint64) bool { return true }
