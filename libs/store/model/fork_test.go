package model

import (
	"fmt"
	"slices"
)

// Fork: three callers change one aggregate on a replica set whose primary holds
// writes that no majority has yet; a fail-over takes those away.

const forkCallers = 3

// forkEntry is a commit: version, its writer, and the writer of the version it was decided on.
type forkEntry struct{ version, writer, parent uint8 }

type forkCaller struct {
	at   uint8     // idle, loaded, sent, acknowledged
	base forkEntry // what it decided on
}

const (
	forkIdle = iota
	forkLoaded
	forkSent
	forkAcknowledged
)

type forkState struct {
	log       [forkCallers]forkEntry // the primary's oplog, in insertion order
	length    uint8
	durable   uint8 // entries that a majority holds
	callers   [forkCallers]forkCaller
	failovers uint8
}

// forkRules are the parts of the rule that a variant keeps.
type forkRules struct {
	localRead bool // load from the primary without majority read concern
	keepCopy  bool // after an unknown outcome decide on the copy that holds the own write
}

func forkModel(rules forkRules) Model[forkState] {
	return Model[forkState]{
		Init: []forkState{{}},
		Next: func(s forkState, step func(string, forkState)) { forkSteps(s, rules, step) },
		Bad:  forkBad,
		Goal: func(s forkState) bool {
			return s.durable == forkCallers && s.callers[0].at == forkAcknowledged
		},
	}
}

func forkSteps(s forkState, rules forkRules, step func(string, forkState)) {
	for i := range s.callers {
		name := string(rune('A' + i))
		next := s
		c := &next.callers[i]
		switch c.at {
		case forkIdle:
			visible := s.durable
			if rules.localRead {
				visible = s.length
			}
			c.at, c.base = forkLoaded, newest(s.log[:visible])
			step(fmt.Sprintf("%s reads version %d", name, c.base.version), next)
		case forkLoaded:
			e := forkEntry{c.base.version + 1, uint8(i + 1), c.base.writer}
			if slices.ContainsFunc(s.log[:s.length], func(x forkEntry) bool { return x.version == e.version }) {
				c.at, c.base = forkIdle, forkEntry{}
				step(fmt.Sprintf("%s finds version %d taken", name, e.version), next)
				continue
			}
			next.log[next.length] = e
			next.length++
			c.at = forkSent
			step(fmt.Sprintf("%s inserts version %d", name, e.version), next)
		case forkSent:
			mine := forkEntry{c.base.version + 1, uint8(i + 1), c.base.writer}
			if slices.Contains(s.log[:s.durable], mine) {
				c.at, c.base = forkAcknowledged, forkEntry{}
				step(name+" is acknowledged", next)
			}
			if !slices.Contains(s.log[:s.length], mine) {
				c.at, c.base = forkIdle, forkEntry{}
				if rules.keepCopy { // the next command of this process builds on what it sent
					c.at, c.base = forkLoaded, mine
				}
				step(name+" never hears of its insert", next)
			}
		}
	}
	if next := s; s.durable < s.length {
		next.durable++
		step("a majority has one more", next)
	}
	if next := s; s.failovers < 1 {
		next.failovers++
		for i := s.durable; i < s.length; i++ {
			next.log[i] = forkEntry{}
		}
		next.length = s.durable
		step("fail-over", next)
	}
}

func newest(log []forkEntry) (top forkEntry) {
	for _, e := range log {
		if e.version > top.version {
			top = e
		}
	}
	return top
}

// forkBad: a durable version whose predecessor is missing or another one.
func forkBad(s forkState) string {
	log := s.log[:s.durable]
	for _, e := range log {
		isParent := func(p forkEntry) bool { return p.version == e.version-1 && p.writer == e.parent }
		if e.version > 1 && !slices.ContainsFunc(log, isParent) {
			return fmt.Sprintf("version %d stands on a version %d that is gone", e.version, e.version-1)
		}
	}
	return ""
}
