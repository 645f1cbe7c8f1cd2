package domain

import "testing"

func TestPolicies(t *testing.T) {
	p := Policy{}
	set := func(site string, s Strategy, want int) {
		t.Helper()
		facts, err := SetPolicy(p, site, s)
		if err != nil || len(facts) != want {
			t.Fatalf("%v %v", facts, err)
		}
		before := len(p.Sites)
		for _, f := range facts {
			next := EvolvePolicy(p, f)
			if len(p.Sites) != before {
				t.Fatal("folding changed the old state")
			}
			p = next
		}
	}
	at := func(site string, want Strategy) {
		t.Helper()
		if got := p.At(site, FIFO); got != want {
			t.Errorf("%s goes by %s, not %s", site, got, want)
		}
	}
	at("DC1", FIFO)
	set("DC1", LIFO, 1)
	set("DC1", LIFO, 0)
	at("DC1", LIFO)
	at("DC2", FIFO)
	set("", LIFO, 1)
	set("DC1", FIFO, 1)
	at("DC1", FIFO)
	at("DC2", LIFO)
	set("DC1", "", 1)
	set("DC1", "", 0)
	at("DC1", LIFO)
}
