// Package checker decides whether a suite that has come to rest kept its guarantees: it holds
// what the databases store against what the clients of a history were answered. It is
// independent of what it checks: stored bytes are read by structs of its own, facts by the
// public event protos, answers over the public API; no store, no domain, no service is linked.
// The README lists the invariants, and what is not checked.
package checker

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"go.mongodb.org/mongo-driver/v2/mongo"
	"google.golang.org/grpc"

	"github.com/lockstep-logistics/lockstep/services/suite/internal/history"
)

// Suite is what is checked: all databases of one deployment.
type Suite struct {
	Client *mongo.Client
	Prefix string // of the databases' names
	// API is the public API for a tenant; nil leaves the answers of queries unchecked.
	API func(tenant string) grpc.ClientConnInterface
}

// Scopes of a violation.
const (
	Aggregate = "aggregate" // one aggregate contradicts itself, or its own answers
	Whole     = "suite"     // parts contradict each other
)

// Violation is one broken guarantee.
type Violation struct {
	Invariant string // I1 to I9
	Scope     string
	What      string
	Where     string // database and aggregate, key or consumer
}

func (v Violation) String() string {
	return fmt.Sprintf("%s (%s) %s: %s", v.Invariant, v.Scope, v.Where, v.What)
}

// Report is the verdict.
type Report struct {
	Acknowledged int // commands that were answered with success
	Lost         int // of those, the ones that left no receipt
	Twice        int // effects that were taken more than once
	NotApplied   int // facts and effects that did not arrive where they should have
	Commits      int
	Facts        int
	Asked        int // aggregates whose answers were held against their facts, stocks aside
	Violations   []Violation
	Undecided    []string // objects whose history was too large to decide within its time
}

func (r *Report) add(invariant, scope, where, format string, args ...any) {
	r.Violations = append(r.Violations, Violation{invariant, scope, fmt.Sprintf(format, args...), where})
}

// Has reports whether an invariant is broken.
func (r *Report) Has(invariant string) bool {
	return slices.ContainsFunc(r.Violations, func(v Violation) bool { return v.Invariant == invariant })
}

// checker is one run of Check.
type checker struct {
	suite  Suite
	report *Report
	*receipts
	*reactions
	tower   *tower
	rates   *rates
	answers answers
	prices  map[pair]*price
	tenants map[string]string // aggregate → its tenant
	lanes   map[string]map[string]uint64
	ends    map[string][]end // by kind: what the API has to say
	owed    map[string]map[string]int64
}

// Check holds a suite at rest against the history of its clients. Call Settle first: what is
// still open then is a violation here. An error means that nothing was decided.
func Check(ctx context.Context, s Suite, entries []*history.Entry) (*Report, error) {
	c := &checker{
		suite: s, report: &Report{}, receipts: newReceipts(), reactions: newReactions(), tower: newTower(),
		rates: newRates(), prices: map[pair]*price{},
		tenants: map[string]string{}, lanes: map[string]map[string]uint64{}, ends: map[string][]end{}, owed: map[string]map[string]int64{},
	}
	for _, service := range services {
		if err := c.owners(ctx, service); err != nil {
			return nil, fmt.Errorf("aggregates of %s: %w", service, err)
		}
	}
	for _, service := range services {
		if err := c.database(ctx, service); err != nil {
			return nil, fmt.Errorf("commits of %s: %w", service, err)
		}
	}
	for _, step := range []func(context.Context) error{c.readTower, c.readApplied, c.rest, c.ask} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	if err := c.clients(entries); err != nil {
		return nil, err
	}
	c.answered(entries)
	c.reacted(c.report)
	c.rates.check(c.report)
	linearizable(entries, c.report)
	slices.SortStableFunc(c.report.Violations, func(a, b Violation) int {
		return cmp.Or(cmp.Compare(a.Invariant, b.Invariant), cmp.Compare(a.Where, b.Where))
	})
	return c.report, nil
}
