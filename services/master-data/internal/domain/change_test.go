package domain_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/services/master-data/internal/domain"
)

// TestChangesLive walks a change through any steps of any people: it is approved by another than
// who proposed it or not at all, decided once, applied only when approved, and never before it is due.
func TestChangesLive(t *testing.T) {
	people := []string{"ann", "bob"}
	rapid.Check(t, func(t *rapid.T) {
		var r domain.Record[domain.Change]
		state, now := domain.ChangeState(""), noon
		take := func(next domain.Change, err error) bool {
			if err != nil {
				return false
			}
			facts, err := domain.Put("chg_1", r, next)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range facts {
				r = domain.Evolve(r, f)
			}
			return true
		}
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			now = now.Add(time.Minute)
			who := rapid.SampledFrom(people).Draw(t, "who")
			c := r.Value
			switch rapid.SampledFrom([]string{"propose", "approve", "reject", "done"}).Draw(t, "step") {
			case "propose":
				i := item()
				proposal := domain.Change{Code: "CR-1", Item: &i, Effective: noon.Add(time.Hour)}
				ok := take(proposal.Propose(r, who, now))
				if want := state == "" || state == domain.Proposed && c.Proposer == who; ok != want {
					t.Fatalf("%s proposes one that is %q: %t", who, state, ok)
				}
				if state == "" {
					state = domain.Proposed
				}
			case "approve":
				ok := take(c.Approve(who, now))
				again := state == domain.Approved && c.Decider == who
				if want := again || state == domain.Proposed && c.Proposer != who; ok != want {
					t.Fatalf("%s approves one of %s that is %q: %t", who, c.Proposer, state, ok)
				}
				if ok {
					state = domain.Approved
				}
			case "reject":
				ok := take(c.Reject(who, "no", now))
				if want := state == domain.Proposed || state == domain.Approved || state == domain.Rejected; ok != want {
					t.Fatalf("%s rejects one that is %q: %t", who, state, ok)
				}
				if ok {
					state = domain.Rejected
				}
			case "done":
				if state == "" {
					continue
				}
				take(c.Done("", now), nil)
				if state == domain.Approved {
					state = domain.Applied
				}
			}
			if r.Value.State != state {
				t.Fatalf("it is %q, want %q", r.Value.State, state)
			}
			due, ok := r.Value.Due()
			if ok != (state == domain.Approved) || ok && (due.Before(noon.Add(time.Hour)) || due.Before(r.Value.Decided)) {
				t.Fatalf("due %s %t: %+v", due, ok, r.Value)
			}
		}
	})
	if _, err := (domain.Change{}).Approve("bob", noon); !fault.IsKind(err, fault.NotFound) {
		t.Errorf("nothing is approved: %v", err)
	}
	if c := (domain.Change{Code: "CR-1", State: domain.Approved}).Done("GONE: away", noon); c.State != domain.Failed || c.Reason != "GONE: away" {
		t.Errorf("it failed as %+v", c)
	}
	wrong(t, domain.Change{Code: "CR-1"}.Check(), map[string]string{"item": "REQUIRED"})
}
