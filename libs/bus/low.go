//go:build !bug_position

package bus

// low is the number up to which everything is done.
func (l *inflow) low() uint64 {
	low := l.next
	for n := range l.open {
		low = min(low, n-1)
	}
	return low
}
