//go:build !bug_no_floor

package store

import "time"

// below reports whether a derived receipt of a key time may have left the ring. However old,
// it is found as long as its fact lives.
func (h *header) below(keyTime time.Time) bool { return micros(keyTime) <= h.floor }
