//go:build !bug_tombstone

package domain

import "slices"

// bury remembers that a claim or a warehouse order is closed for good.
func (s Stock) bury(key string) Stock {
	s.Tombstones = append(slices.Clip(s.Tombstones), mark(key))
	if n := len(s.Tombstones) - maxTombstones; n > 0 {
		s.Tombstones = s.Tombstones[n:]
	}
	return s
}
