//go:build !bug_lost

package bus

// turn reports whether a number that has not left comes next: what is missing before it is
// awaited, or fetched from the owner.
func (l *inflow) turn(n uint64) bool { return n == l.next+1 }
