package checker

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	controltowerv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/controltower/v1"
)

// tower is what the control tower must have: each fact of the services that it records, and
// no other. A fact that was written twice is one, if both say the same.
type tower struct {
	facts map[string]*recorded // by tenant, service and id
}

type recorded struct {
	typ  string
	at   int64
	step []byte // nil: not found
}

func newTower() *tower { return &tower{map[string]*recorded{}} }

func stepKey(tenant, service, event string) string { return tenant + " " + service + "/" + event }

// expect notes a fact that the tower records.
func (t *tower) expect(f *fact, typ string) {
	if slices.Contains(sources, f.service) {
		t.facts[stepKey(f.tenant, f.service, f.id)] = &recorded{typ: typ, at: f.at}
	}
}

// readTower holds the tower's rows against the facts (I7).
func (c *checker) readTower(ctx context.Context) error {
	const table = "rows_trace_2"
	err := each(ctx, c.db(towerService).Collection(table), bson.D{}, func(r *row, _ bson.Raw) error {
		tenant, id, _ := strings.Cut(r.ID, "/")
		if !strings.HasPrefix(id, "f/") { // of a number that can be searched for
			return nil
		}
		for body := r.Body; len(body) > 0; {
			step, n := protowire.ConsumeBytes(body)
			if n < 0 {
				return fmt.Errorf("row %s: %w", r.ID, protowire.ParseError(n))
			}
			body = body[n:]
			if err := c.step(tenant, r.ID, step); err != nil {
				return fmt.Errorf("row %s: %w", r.ID, err)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(c.tower.facts)) {
		if c.tower.facts[key].step == nil {
			c.report.NotApplied++
			c.report.add("I7", Whole, key, "the control tower has not recorded it")
		}
	}
	return nil
}

// step checks one recorded fact.
func (c *checker) step(tenant, where string, raw []byte) error {
	var s controltowerv1.TraceStep
	if err := proto.Unmarshal(raw, &s); err != nil {
		return err
	}
	key := stepKey(tenant, s.GetSource().GetService(), s.GetEventId())
	of := c.tower.facts[key]
	bad := func(format string, args ...any) { c.report.add("I7", Whole, key, format, args...) }
	switch {
	case of == nil:
		bad("the control tower has it in %s, and no commit does", where)
		return nil
	case of.step != nil && !bytes.Equal(of.step, raw):
		bad("the control tower has it twice and not the same, once in %s", where)
	case s.GetType() != of.typ || s.GetRecordedTime().AsTime().UnixMicro() != of.at:
		bad("the control tower has it as %s of %s in %s", s.GetType(), s.GetRecordedTime().AsTime(), where)
	}
	of.step = raw
	return nil
}

// readApplied checks that the tower's recorders took every aggregate to its last fact (I4).
func (c *checker) readApplied(ctx context.Context) error {
	applied := map[string]int64{}
	err := each(ctx, c.db(towerService).Collection("rows_bus_applied"), bson.D{}, func(r *row, _ bson.Raw) error {
		applied[r.ID] = r.Version
		return nil
	})
	if err != nil {
		return err
	}
	for _, service := range sources {
		for agg, version := range c.owed[service] {
			tenant, id, _ := strings.Cut(agg, "/")
			const whole = 1<<16 - 1
			if got := applied[tenant+"/"+recorder(service)+":"+id]; got != version<<16|whole {
				c.report.add("I4", Whole, service+" "+agg, "the control tower has applied version %d (%d) of %d", got>>16, got&whole, version)
			}
		}
	}
	return nil
}
