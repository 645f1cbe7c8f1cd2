package model

import (
	"fmt"
	"math/bits"
)

// Number: two relays publish three facts on a bus that loses, delays and reorders
// messages; relays and the consumer are killed and start again from their records.

const numberFacts = 3

type numberRelay struct {
	alive     bool
	published uint8 // set of facts
	count     uint8 // the last number given
}

type numberState struct {
	committed uint8 // facts 0 … committed−1 are in the engine's order
	relays    [2]numberRelay
	record    numberRelay        // where a relay starts again
	bus       [numberFacts]uint8 // facts under way, by number − 1
	applied   uint8              // set of facts that took effect at the consumer
	have      uint8              // the number it is good to
	saved     uint8              // the same, in its store
	kills     uint8
}

type numberRules struct {
	counted bool // a relay numbers facts as it happens to meet them
	noHeads bool // only facts are announced
}

func numberModel(rules numberRules) Model[numberState] {
	return Model[numberState]{
		Init: []numberState{{relays: [2]numberRelay{{alive: true}, {alive: true}}}},
		Next: func(s numberState, step func(string, numberState)) {
			if next := s; s.committed < numberFacts {
				next.committed++
				step(fmt.Sprintf("fact %d is committed", s.committed+1), next)
			}
			for i := range s.relays {
				numberRelaySteps(s, i, rules, step)
			}
			numberBus(s, step)
			numberConsumer(s, rules, step)
		},
		Bad:  func(s numberState) string { return numberBad(s, rules) },
		Goal: func(s numberState) bool { return s.applied == 1<<numberFacts-1 },
	}
}

func numberRelaySteps(s numberState, i int, rules numberRules, step func(string, numberState)) {
	name := fmt.Sprintf("relay %d", i+1)
	r := s.relays[i]
	next := s
	if !r.alive {
		next.relays[i] = s.record
		next.relays[i].alive = true
		step(name+" starts from the record", next)
		return
	}
	for f := range s.committed {
		if r.published&(1<<f) != 0 {
			continue
		}
		next := s
		next.relays[i] = numberRelay{true, r.published | 1<<f, r.count + 1}
		next.bus[r.count] |= 1 << f
		step(fmt.Sprintf("%s publishes fact %d as number %d", name, f+1, r.count+1), next)
		if !rules.counted {
			break // only the next one in the engine's order
		}
	}
	if r.count > s.record.count {
		next.record = r
		step(name+" writes its record", next)
	}
	if s.kills < 2 {
		killed := s
		killed.kills++
		killed.relays[i] = numberRelay{}
		step(name+" is killed", killed)
	}
}

func numberBus(s numberState, step func(string, numberState)) {
	for k := range s.bus {
		for f := range uint8(numberFacts) {
			if s.bus[k]&(1<<f) == 0 {
				continue
			}
			next := s
			next.bus[k] &^= 1 << f
			step(fmt.Sprintf("the bus loses number %d", k+1), next)
			if number := uint8(k + 1); number > s.have {
				next.fetch(number - 1) // a gap is fetched from the owner
				next.applied |= 1 << f
				next.have = number
			}
			step(fmt.Sprintf("the consumer gets fact %d as number %d", f+1, k+1), next)
		}
	}
}

func numberConsumer(s numberState, rules numberRules, step func(string, numberState)) {
	if next := s; s.committed > s.have && !rules.noHeads {
		next.fetch(s.committed)
		step("the consumer hears the head", next)
	}
	if next := s; s.saved < s.have {
		next.saved = s.have
		step("the consumer saves its position", next)
		if s.kills < 2 {
			next = s
			next.kills++
			next.have = s.saved
			step("the consumer is killed", next)
		}
	}
}

// fetch applies the facts up to a number as the owner lists them, in the engine's order.
func (s *numberState) fetch(upTo uint8) {
	for ; s.have < upTo; s.have++ {
		s.applied |= 1 << s.have
	}
}

// numberBad: nothing more will happen by itself and the consumer lacks a fact.
func numberBad(s numberState, rules numberRules) string {
	quiet := s.bus == [numberFacts]uint8{} && s.record.count == s.committed && (rules.noHeads || s.have == s.committed)
	for _, r := range s.relays {
		quiet = quiet && r.alive && r.count == s.committed
	}
	if lacks := int(s.committed) - bits.OnesCount8(s.applied); quiet && lacks > 0 {
		return fmt.Sprintf("%d of %d facts never reach the consumer", lacks, s.committed)
	}
	return ""
}
