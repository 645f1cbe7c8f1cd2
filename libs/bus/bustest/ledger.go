package bustest

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/lockstep-logistics/lockstep/libs/bus"
	"github.com/lockstep-logistics/lockstep/libs/store"
)

// ledger is what a consumer's handler did. Like a real one it takes a key once.
type ledger struct {
	kind bus.Kind
	mu   sync.Mutex
	runs int
	anew int // runs of parked facts, whose refusals are decided anew
	keys map[string]bool
	done map[string]string   // event id → data, in effect
	path map[string][]uint64 // aggregate → revisions, in the order of their effects
	copy map[string]copied   // aggregate → newest state
	fail func(f bus.Fact) error
}

type copied struct {
	revision uint64
	text     string
}

func newLedger(kind bus.Kind) *ledger {
	return &ledger{kind: kind, keys: map[string]bool{}, done: map[string]string{}, path: map[string][]uint64{}, copy: map[string]copied{}}
}

// consumer declares the ledger as a consumer of the source's facts.
func (l *ledger) consumer(name string) bus.Consumer {
	return bus.Consumer{Name: name, Kind: l.kind, From: source, Handle: l.handle}
}

// setFail makes the handler fail where fail does; nil: nowhere.
func (l *ledger) setFail(fail func(bus.Fact) error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fail = fail
}

func (l *ledger) handle(ctx context.Context, f bus.Fact) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.runs++
	if store.CauseOf(ctx).Anew {
		l.anew++
	}
	if l.fail != nil {
		if err := l.fail(f); err != nil {
			return err
		}
	}
	aggregate := f.Tenant + "/" + f.AggregateID
	var text wrapperspb.StringValue
	if err := proto.Unmarshal(f.Data, &text); err != nil {
		return err
	}
	if f.Revision() > l.copy[aggregate].revision {
		l.copy[aggregate] = copied{f.Revision(), text.GetValue()}
	}
	key := f.Tenant + "/" + store.CauseOf(ctx).Key
	if l.keys[key] {
		return nil
	}
	l.keys[key] = true
	l.done[f.Tenant+"/"+f.ID] = string(f.Data)
	l.path[aggregate] = append(l.path[aggregate], f.Revision())
	return nil
}

func (l *ledger) ran() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.runs
}

func (l *ledger) ranAnew() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.anew
}

func (l *ledger) effects() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.done)
}

// has reports whether a fact of a tenant has taken effect: "<tenant>/<event id>".
func (l *ledger) has(fact string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, ok := l.done[fact]
	return ok
}

// complete says what is missing to the effects being the facts: for a follower the newest
// state of each aggregate, for the others every fact.
func (l *ledger) complete(r *rig) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	if l.kind == bus.Follower {
		return l.newest(r)
	}
	missing := 0
	for id, data := range r.facts {
		if got, ok := l.done[id]; !ok {
			missing++
		} else if got != data {
			return fmt.Errorf("%s carries %q instead of %q", id, got, data)
		}
	}
	if missing > 0 {
		return fmt.Errorf("%d of %d facts have no effect", missing, len(r.facts))
	}
	return holds(len(l.done) == len(r.facts), "%d effects of %d facts", len(l.done), len(r.facts))
}

func (l *ledger) newest(r *rig) error {
	for aggregate, data := range r.last {
		var text wrapperspb.StringValue
		if err := proto.Unmarshal([]byte(data), &text); err != nil {
			return err
		}
		if got := l.copy[aggregate]; got.text != text.GetValue() {
			return fmt.Errorf("the copy of %s is %q, of version %d, not %q", aggregate, got.text, got.revision>>16, text.GetValue())
		}
	}
	return nil
}

// ordered says whether every aggregate's effects came in the order of its facts.
func (l *ledger) ordered() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for aggregate, path := range l.path {
		if !slices.IsSorted(path) {
			return fmt.Errorf("effects on %s came in the order %v", aggregate, path)
		}
	}
	return nil
}
