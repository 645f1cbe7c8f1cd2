package bustest

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/lockstep-logistics/lockstep/libs/store"
)

// tell writes, of a test that failed, what the buses left: which side is behind shows there.
func (r *rig) tell() {
	if !r.t.Failed() {
		return
	}
	ctx := context.Background() // the test's own has ended
	for _, side := range []struct {
		name string
		db   DB
	}{{"source", r.src}, {"sink", r.dst}} {
		for _, table := range []string{relayTable, "bus_marks", "bus_positions", "bus_parked"} {
			found, err := side.db.Table(table).List(ctx, own, "", "", "", 20)
			if err != nil {
				r.t.Logf("%s: %s: %v", side.name, table, err)
			}
			for _, row := range found {
				r.t.Logf("%s: %s/%s at %d: %s", side.name, table, row.ID, row.Version, row.Body)
			}
		}
	}
	var states []string
	for _, aggregate := range []string{Thing, Other} {
		found, err := r.src.Snapshots(ctx, aggregate, store.Ref{}, 200, false)
		if err != nil {
			r.t.Logf("source: snapshots of %s: %v", aggregate, err)
		}
		for _, s := range found {
			states = append(states, fmt.Sprintf("%s/%s %d", s.Tenant, s.ID, s.Version))
		}
	}
	r.t.Logf("source: snapshots: %s", strings.Join(states, ", "))
}

// Where a relay keeps its record.
const (
	relayTable = "bus_relay"
	own        = "_bus"
)

// record is a mark that a relay has stored.
type record struct {
	Generation uint64            `json:"g"`
	Count      uint64            `json:"c"`
	Position   []byte            `json:"p"`
	Numbers    map[string]uint64 `json:"n"`
	row        store.Row
}

// record reads a mark of the source's relay: "head" or "good".
func (r *rig) record(id string) (record, error) {
	row, exists, err := r.src.Table(relayTable).Get(r.t.Context(), own, id)
	switch {
	case err != nil:
		return record{}, err
	case !exists:
		return record{}, fmt.Errorf("there is no mark %s", id)
	}
	m := record{row: row}
	return m, json.Unmarshal(row.Body, &m)
}

// recorded says whether the relay has stored that so many facts are numbered, and that
// snapshots hold their commits.
func (r *rig) recorded(facts int) error {
	good, err := r.record("good")
	if err != nil {
		return err
	}
	head, err := r.record("head")
	if err != nil {
		return err
	}
	stored := 0
	for _, n := range head.Numbers {
		stored += int(n)
	}
	return holds(stored >= facts && good.Generation == head.Generation && good.Count == head.Count,
		"%d of %d facts are recorded, snapshots hold %d of %d commits", stored, facts, good.Count, head.Count)
}
