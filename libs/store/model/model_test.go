package model

import "testing"

const limit = 2_000_000

func TestFork(t *testing.T) {
	safe(t, "base always majority-committed", forkModel(forkRules{}))
	mustFail(t, "decides on a local read", forkModel(forkRules{localRead: true}))
	mustFail(t, "keeps a copy of unknown outcome", forkModel(forkRules{keepCopy: true}))
}

func TestReceipt(t *testing.T) {
	safe(t, "looked up after the load, skipped above the floor", receiptModel(receiptRules{skip: skipAboveFloor}))
	safe(t, "looked up after the load, always", receiptModel(receiptRules{}))
	safe(t, "looked up before the load, with the version check", receiptModel(receiptRules{order: lookBeforeLoad, sameVersion: true}))
	mustFail(t, "looked up before the load, without the version check", receiptModel(receiptRules{order: lookBeforeLoad}))
	mustFail(t, "looked up beside the load", receiptModel(receiptRules{order: lookBesideLoad}))
	mustFail(t, "skipped when younger than the oldest in the ring", receiptModel(receiptRules{skip: skipYounger}))
}

func TestRefusal(t *testing.T) {
	safe(t, "answered after its commit", refusalModel(false))
	mustFail(t, "answered from a cached copy", refusalModel(true))
}

func TestClaim(t *testing.T) {
	safe(t, "intent, give-back from the fact, tombstone", claimModel(claimRules{}))
	mustFail(t, "no intent", claimModel(claimRules{noIntent: true}))
	mustFail(t, "no tombstone", claimModel(claimRules{noTombstone: true}))
}

func TestNumber(t *testing.T) {
	safe(t, "engine's order and heads", numberModel(numberRules{}))
	mustFail(t, "counted by the relay", numberModel(numberRules{counted: true}))
	mustFail(t, "head not announced", numberModel(numberRules{noHeads: true}))
}

func safe[S comparable](t *testing.T, name string, m Model[S]) {
	t.Run(name, func(t *testing.T) {
		r := m.Explore(limit)
		t.Log(r)
		if r.Bad != "" || !r.Reached {
			t.Errorf("bad %q, goal reached: %v", r.Bad, r.Reached)
		}
	})
}

func mustFail[S comparable](t *testing.T, name string, m Model[S]) {
	t.Run(name, func(t *testing.T) {
		r := m.Explore(limit)
		t.Log(r)
		if r.Bad == "" {
			t.Error("the model finds nothing wrong without the rule: it does not check the rule")
		}
	})
}

// TestExplore checks the checker: every state once, the shortest way, the bound.
func TestExplore(t *testing.T) {
	counter := Model[int]{
		Init: []int{0},
		Next: func(n int, step func(string, int)) {
			step("add", (n+1)%100)
			step("double", 2*n%100)
		},
		Bad:  func(int) string { return "" },
		Goal: func(n int) bool { return n == 99 },
	}
	if r := counter.Explore(100); r.States != 100 || !r.Reached || r.Path != nil {
		t.Errorf("explored %v, goal %v", r, r.Reached)
	}
	counter.Bad = func(n int) string {
		if n == 12 || n == 13 {
			return "unlucky"
		}
		return ""
	}
	if r := counter.Explore(100); len(r.Path) != 5 || r.Bad != "unlucky" || r.Reached {
		t.Errorf("found %v, want 12 after add, add or double, add, double, double", r)
	}
	counter.Bad = func(int) string { return "always" }
	if r := counter.Explore(100); r.States != 1 || len(r.Path) != 0 || r.Bad != "always" {
		t.Errorf("a bad first state gives %v", r)
	}
	defer func() {
		if recover() == nil {
			t.Error("the bound did not hold")
		}
	}()
	counter.Bad = func(int) string { return "" }
	counter.Explore(10)
}
