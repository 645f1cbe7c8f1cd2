// Package bus carries facts from the service that owns them to those that
// follow. The commit is the truth, JetStream a transport: every fact has a number
// in its lane, consumers keep the number they have reached and fetch what is
// missing from the owner, so stream, consumer or both may vanish at any time.
package bus

import (
	"context"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/ident"
)

// Fact is one committed fact as a consumer sees it: a CloudEvent with its place in the lane.
type Fact struct {
	ID            string // "<aggregate id>:<version>:<index>"
	Service       string // owner
	AggregateType string
	Tenant        string
	AggregateID   string
	Version       uint64
	Previous      uint64 // last version before this one that had facts, 0 if none
	Index, Count  int
	Generation    uint64
	Partition     int
	Number        uint64 // in the lane (AggregateType, Partition)
	Type          string // proto full name
	Data          []byte
	Recorded      time.Time
	Correlation   string
	Causation     string
	Source        ident.SourceRef
	TraceParent   string
	Principal     string
}

// Handler applies one fact. An error that is fault.Transient or fault.Unauthenticated
// is tried again with backoff and holds up only this aggregate; any other parks
// (handler, aggregate) and leaves a dead letter. It must be idempotent: a reactor's context carries a
// cause whose derived key makes a second run a no-op.
type Handler func(ctx context.Context, f Fact) error

// Kind is how a consumer treats gaps and order.
type Kind int

// The three kinds of consumer.
const (
	// Follower keeps a copy of a source aggregate: newest wins, starts from the owner's Export.
	Follower Kind = iota + 1
	// Reactor turns a fact into one command with the key "evt:<event id>:<handler>".
	Reactor
	// Recorder takes every fact of an aggregate in order, chained on Previous.
	Recorder
)

// Consumer declares what a service does with another's (or its own) facts.
type Consumer struct {
	Name       string   // stable: part of derived keys and positions, e.g. "warehouse-order"
	Kind       Kind     //
	From       string   // service whose facts it takes
	Aggregates []string // aggregate types; empty: all of that service
	Types      []string // fact types (proto full names) it handles; others advance the position; empty: all
	Handle     Handler
	// Opaque hands facts to Handle whose Go type this binary does not have: Data is bytes then, and
	// the envelope is all that can be read. False parks them as dead letters. Where Types are given
	// it makes no difference: what they name is handed over anyhow.
	Opaque bool
	// Together is how many facts of an aggregate that wait in a row a recorder's handler may be
	// given at once, in no order; 0 is one after another. One of them that fails comes again, and
	// so do those behind it, some of which may have taken effect.
	Together int
}

// On adapts a handler of one fact type, e.g. bus.On(func(ctx, f, *orderreleasev1.OrderReleased) error).
// M is the generated message pointer type.
func On[M proto.Message](h func(ctx context.Context, f Fact, m M) error) Route {
	var zero M
	m := zero.ProtoReflect().Type()
	return Route{
		Type: string(m.Descriptor().FullName()),
		Handle: func(ctx context.Context, f Fact) error {
			msg := m.New().Interface()
			if err := proto.Unmarshal(f.Data, msg); err != nil {
				return badFact(f, err)
			}
			return h(ctx, f, msg.(M))
		},
	}
}

// Route is one fact type with its handler.
type Route struct {
	Type   string
	Handle Handler
}

// Routes makes a consumer of a kind from typed routes.
func Routes(kind Kind, name, from string, routes ...Route) Consumer {
	c := Consumer{Name: name, Kind: kind, From: from}
	by := map[string]Handler{}
	for _, r := range routes {
		c.Types = append(c.Types, r.Type)
		by[r.Type] = r.Handle
	}
	c.Handle = func(ctx context.Context, f Fact) error {
		if h, ok := by[f.Type]; ok {
			return h(ctx, f)
		}
		return nil
	}
	return c
}
