package model

import "fmt"

// Refusal: two processes hold copies of a stock aggregate that begins empty. A
// restock goes through one, the client's reservation X through either, again
// under the same key when its answer is lost.

const (
	restocked = iota + 1
	accepted
	refused
)

type refusalState struct {
	log      [4]uint8
	version  uint8
	copies   [2]uint8 // version of each process's copy
	sent     uint8    // attempts of X
	at       uint8    // process that works on X plus one, 0 none
	inTime   bool     // the restock was acknowledged before X was first sent
	answered uint8    // what the client was told
}

// refusalModel answers a refusal after its receipt-only commit, or at once from the copy.
func refusalModel(fromCopy bool) Model[refusalState] {
	return Model[refusalState]{
		Init: []refusalState{{}},
		Next: func(s refusalState, step func(string, refusalState)) { refusalSteps(s, fromCopy, step) },
		Bad: func(s refusalState) string {
			switch held := times(s.log[:s.version], accepted) > 0; {
			case s.answered == refused && held:
				return "refused what has taken effect"
			case s.answered == refused && s.inTime:
				return "refused for want of stock that was there before the request"
			case s.answered == accepted && !held:
				return "accepted without effect"
			}
			return ""
		},
		Goal: func(s refusalState) bool { return s.answered == refused && s.sent == 2 },
	}
}

func refusalSteps(s refusalState, fromCopy bool, step func(string, refusalState)) {
	for p := range s.copies {
		if next := s; times(s.log[:s.version], restocked) == 0 {
			next.commit(p, restocked)
			step(fmt.Sprintf("process %d restocks", p+1), next)
		}
		if next := s; s.at == 0 && s.answered == 0 && s.sent < 2 {
			next.at = uint8(p + 1)
			if next.sent++; s.sent == 0 {
				next.inTime = times(s.log[:s.version], restocked) > 0
			}
			step(fmt.Sprintf("the client sends X to process %d", p+1), next)
		}
	}
	if s.at == 0 {
		return
	}
	p := int(s.at - 1)
	seen := s.log[:s.copies[p]]
	answer := uint8(refused)
	if times(seen, restocked) > times(seen, accepted) {
		answer = accepted
	}
	next := s
	switch {
	case times(seen, accepted) > 0:
		answer = accepted // replayed
	case times(seen, refused) > 0:
		answer = refused // replayed
	case answer == refused && fromCopy:
	case s.copies[p] == s.version:
		next.commit(p, answer)
	default:
		next.copies[p] = s.version
		step(fmt.Sprintf("process %d finds its version taken and reloads", p+1), next)
		return
	}
	next.at = 0
	step(fmt.Sprintf("the answer of process %d is lost", p+1), next)
	next.answered = answer
	step(fmt.Sprintf("process %d answers", p+1), next)
}

func (s *refusalState) commit(process int, what uint8) {
	s.log[s.version] = what
	s.version++
	s.copies[process] = s.version
}
