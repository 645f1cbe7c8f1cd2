//go:build !faults

package faultpoint

// Enabled says whether points can do anything in this binary.
const Enabled = false

// Hit passes a point: nothing happens in a binary built without faults.
func Hit(string) error { return nil }
