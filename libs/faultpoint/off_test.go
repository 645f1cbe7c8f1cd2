//go:build !faults

package faultpoint

import "testing"

func TestReleaseBinariesPassThrough(t *testing.T) {
	t.Setenv("FAULT", "C4:kill")
	if err := Hit(C4); err != nil || Enabled {
		t.Fatalf("a release binary hit a point: %v", err)
	}
	if n := testing.AllocsPerRun(100, func() { _ = Hit(C4) }); n != 0 {
		t.Fatalf("a point allocates %v times", n)
	}
}
