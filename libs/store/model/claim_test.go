package model

import (
	"fmt"
	"slices"
)

// Claim: a document claims from two targets. Two reactors of its intent may run
// at once, each may be killed and its messages arrive late; a timer may close the
// attempt at any moment; the second target may refuse.

const (
	docNone = iota
	docIntent
	docDecided
	docClosed
)

const (
	claimNone = iota
	claimHeld
	claimReleased // given back, or the tombstone of one that never came
	claimRefused
)

const (
	reactorIdle = iota
	reactorAsked0
	reactorAsked1
	reactorGranted
	reactorRefused
	reactorDone
	reactorDead
)

// A message between reactor and target.
const (
	noMessage = iota
	asks
	grants
	refuses
)

type claimState struct {
	document uint8
	targets  [2]uint8
	reactors [2]uint8
	messages [2][2]uint8 // by reactor and target
	gaveBack [2]bool
	kills    uint8
}

type claimRules struct {
	noIntent    bool // the command's executor claims before the document knows of it
	noTombstone bool // a give-back that finds no claim leaves no trace
}

func claimModel(rules claimRules) Model[claimState] {
	start := claimState{}
	if rules.noIntent {
		start.reactors[1] = reactorDone // one executor, and nothing starts it again
	}
	return Model[claimState]{
		Init: []claimState{start},
		Next: func(s claimState, step func(string, claimState)) {
			claimDocument(s, rules, step)
			for i := range s.reactors {
				claimReactor(s, i, rules, step)
				for j := range s.targets {
					claimTarget(s, i, j, step)
				}
			}
		},
		Bad:  func(s claimState) string { return claimBad(s, rules) },
		Goal: func(s claimState) bool { return s.document == docDecided },
	}
}

// claimDocument is what happens to the document, and the give-back that follows its closing.
func claimDocument(s claimState, rules claimRules, step func(string, claimState)) {
	next := s
	if s.document == docNone && !rules.noIntent {
		next.document = docIntent
		step("the document commits its intent", next)
	}
	if s.document == docIntent {
		next.document = docClosed
		step("the timer closes the attempt", next)
	}
	for j := range s.targets {
		if next := s; s.document == docClosed && !s.gaveBack[j] {
			next.gaveBack[j] = true
			if s.targets[j] == claimHeld || !rules.noTombstone {
				next.targets[j] = claimReleased
			}
			step(fmt.Sprintf("claim %d is given back", j+1), next)
		}
	}
}

// claimReactor is what reactor i does: ask target 1, then target 2, then decide.
func claimReactor(s claimState, i int, rules claimRules, step func(string, claimState)) {
	name := fmt.Sprintf("reactor %d", i+1)
	next := s
	r := &next.reactors[i]
	if alive := s.reactors[i] < reactorDone; alive && s.reactors[i] != reactorIdle && s.kills < 2 {
		killed := next
		killed.kills++
		killed.reactors[i] = reactorDead
		step(name+" is killed", killed)
	}
	switch s.reactors[i] {
	case reactorDead:
		if !rules.noIntent {
			*r = reactorIdle
			step(name+" is started again", next)
		}
	case reactorIdle:
		if s.document != docNone || rules.noIntent {
			next.ask(i, 0)
			step(name+" asks target 1", next)
		}
	case reactorAsked0, reactorAsked1:
		j := int(s.reactors[i] - reactorAsked0)
		answer := s.messages[i][j]
		if answer != grants && answer != refuses {
			return
		}
		next.messages[i][j] = noMessage
		switch {
		case answer == refuses:
			*r = reactorRefused
		case j == 0:
			next.ask(i, 1)
		default:
			*r = reactorGranted
		}
		step(fmt.Sprintf("%s hears from target %d", name, j+1), next)
	case reactorGranted, reactorRefused:
		*r = reactorDone
		if open := s.document == docIntent || rules.noIntent; open {
			next.document = docDecided
			if s.reactors[i] == reactorRefused {
				next.document = docClosed
			}
		}
		step(name+" decides", next)
	}
}

func (s *claimState) ask(reactor, target int) {
	s.messages[reactor][target] = asks
	s.reactors[reactor] = reactorAsked0 + uint8(target)
}

// claimTarget answers a request under the claim's key: what was answered once is answered again.
func claimTarget(s claimState, i, j int, step func(string, claimState)) {
	if s.messages[i][j] != asks {
		return
	}
	next := s
	what := fmt.Sprintf("the claim of reactor %d lands at target %d", i+1, j+1)
	next.messages[i][j] = grants
	switch s.targets[j] {
	case claimReleased, claimRefused:
		next.messages[i][j] = refuses
	case claimNone:
		if j == 1 {
			no := next
			no.messages[i][j], no.targets[j] = refuses, claimRefused
			step(what+" and is refused", no)
		}
		next.targets[j] = claimHeld
	}
	step(what, next)
}

func claimBad(s claimState, rules claimRules) string {
	if s.document == docDecided && s.targets != [2]uint8{claimHeld, claimHeld} {
		return "promised without the claims"
	}
	quiet := s.document != docIntent && (s.document != docClosed || s.gaveBack == [2]bool{true, true})
	for i, r := range s.reactors {
		quiet = quiet && (r == reactorDone || r == reactorDead && rules.noIntent) && !slices.Contains(s.messages[i][:], asks)
	}
	if quiet && s.document != docDecided && slices.Contains(s.targets[:], claimHeld) {
		return "a claim that nobody will give back"
	}
	return ""
}
