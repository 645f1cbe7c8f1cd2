package model

import (
	"fmt"
	"slices"
)

// Receipt: command X is delivered to two executors while Y and Z, each once, turn
// over a ring that holds one receipt. All receipts stay in the commits' index.

type receiptOrder uint8

const (
	lookAfterLoad  receiptOrder = iota
	lookBeforeLoad              // the load follows a look-up that missed
	lookBesideLoad              // both in one batch, in either order
)

type receiptSkip uint8

const (
	skipNever      receiptSkip = iota
	skipAboveFloor             // key time > greatest key time that ever left the ring
	skipYounger                // key time > recorded time of the ring's oldest: two clocks compared
)

type receiptRules struct {
	order       receiptOrder
	skip        receiptSkip
	sameVersion bool // commit only when load and look-up saw the same version
}

const (
	cmdX = iota + 1
	cmdY
	cmdZ
)

// receiptRunner executes one command: what it has read, and at which version.
type receiptRunner struct {
	command          uint8
	loaded, looked   bool
	version, checked uint8
	done             bool
}

type receiptState struct {
	keyTime [4]uint8 // by command; recorded times are the version numbers
	log     [5]uint8 // commands as committed: version i+1 is log[i]
	version uint8
	runners [4]receiptRunner
}

func receiptModel(rules receiptRules) Model[receiptState] {
	var inits []receiptState
	for times := range 4 * 4 * 4 { // every relation of the source's clock to the store's
		s := receiptState{keyTime: [4]uint8{cmdX: uint8(times % 4), cmdY: uint8(times / 4 % 4), cmdZ: uint8(times / 16)}}
		for i, command := range []uint8{cmdX, cmdX, cmdY, cmdZ} {
			s.runners[i].command = command
		}
		inits = append(inits, s)
	}
	return Model[receiptState]{
		Init: inits,
		Next: func(s receiptState, step func(string, receiptState)) {
			for i, r := range s.runners {
				if !r.done {
					receiptSteps(s, i, rules, step)
				}
			}
		},
		Bad: func(s receiptState) string {
			for command := uint8(cmdX); command <= cmdZ; command++ {
				if times(s.log[:s.version], command) > 1 {
					return "a command took effect twice"
				}
			}
			return ""
		},
		Goal: func(s receiptState) bool {
			return s.version == 3 && !slices.ContainsFunc(s.runners[:], func(r receiptRunner) bool { return !r.done })
		},
	}
}

func receiptSteps(s receiptState, i int, rules receiptRules, step func(string, receiptState)) {
	name := fmt.Sprintf("executor %d of %c", i+1, "?XYZ"[s.runners[i].command])
	look, load := s, s
	if r := &load.runners[i]; !r.loaded && (r.looked || rules.order != lookBeforeLoad) {
		r.loaded, r.version = true, s.version
		r.done = s.version > 0 && s.log[s.version-1] == r.command // in the ring: answer it
		step(fmt.Sprintf("%s loads version %d", name, s.version), load)
	}
	if r := &look.runners[i]; !r.looked && (r.loaded || rules.order != lookAfterLoad) {
		r.looked, r.checked = true, s.version
		what := name + " skips the look-up"
		if !r.loaded || !s.skips(r.command, r.version, rules.skip) {
			what = name + " looks up its receipt"
			r.done = times(s.log[:s.version], r.command) > 0
		}
		step(what, look)
	}
	commit := s
	if r := &commit.runners[i]; r.loaded && r.looked {
		if r.version != s.version || rules.sameVersion && r.checked != r.version {
			*r = receiptRunner{command: r.command}
			step(name+" is too late and starts again", commit)
			return
		}
		commit.log[s.version] = r.command
		commit.version++
		r.done = true
		step(name+" commits", commit)
	}
}

// skips reports whether the rule finds a look-up needless, by the state at a version.
func (s receiptState) skips(command, version uint8, rule receiptSkip) bool {
	if version == 0 {
		return rule != skipNever
	}
	switch rule {
	case skipYounger:
		return s.keyTime[command] > version // the ring's one entry was recorded at that version
	case skipAboveFloor:
		for _, evicted := range s.log[:version-1] {
			if s.keyTime[command] <= s.keyTime[evicted] {
				return false
			}
		}
		return true
	}
	return false
}

func times(log []uint8, command uint8) (n int) {
	for _, c := range log {
		if c == command {
			n++
		}
	}
	return n
}
