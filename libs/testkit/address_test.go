package testkit

import "testing"

// TestAddressesDiffer: so many addresses that two of them would be equal almost surely, were
// they drawn independently.
func TestAddressesDiffer(t *testing.T) {
	seen := map[string]bool{}
	for range 600 {
		address, err := FreeAddress()
		if err != nil {
			t.Fatal(err)
		}
		if seen[address] {
			t.Fatalf("%s was given twice", address)
		}
		seen[address] = true
	}
}
