package checker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
)

// Services with a database, those whose facts the tower records, and the tower.
var (
	services = []string{
		"master-data", "order-release", "inventory-movement", "shipment-visibility", "freight-settlement", "returns", "integration", towerService,
	}
	sources = []string{"order-release", "inventory-movement", "shipment-visibility", "freight-settlement", "returns", "integration"}
)

const towerService = "control-tower"

func recorder(source string) string { return "trace-2-" + source }

// consumers are all consumers: service → name → whose facts it takes. One that is in a
// database and not here is reported, so that the list cannot fall behind.
var consumers = func() map[string]map[string]string {
	out := map[string]map[string]string{
		"order-release": {
			"promise": "order-release", "give-back": "order-release", "continue": "order-release", "await": "order-release",
			"warehouse": "inventory-movement", "stock": "inventory-movement", "delivery": "shipment-visibility", "master-data": "master-data",
			"owners": "master-data",
		},
		"inventory-movement": {
			"release": "order-release", "books": "inventory-movement", "disposition": "returns", "master-data-4": "master-data",
			"places-2": "master-data", "bins": "inventory-movement", "cut-offs": "master-data", "inbound": "inventory-movement", "units": "inventory-movement", "waves": "inventory-movement", "snapshots": "inventory-movement", "counts": "inventory-movement", "transfers": "inventory-movement", "reasons": "master-data", "owners": "master-data",
			"reversal-order": "order-release", "reversal-shipment": "shipment-visibility",
		},
		"shipment-visibility": {"warehouse-order": "inventory-movement", "master-data": "master-data", "owners": "master-data"},
		"freight-settlement": {
			"shipment": "shipment-visibility", "match": "freight-settlement", "give-back": "freight-settlement", "settle": "freight-settlement",
			"rate": "freight-settlement", "wake": "freight-settlement", "master-data": "master-data", "owners": "master-data",
		},
		"returns":     {"claim": "returns", "give-back": "returns", "issue": "order-release", "receipt": "inventory-movement", "master-data": "master-data", "owners": "master-data"},
		"integration": {"hand-over": "integration"},
		towerService:  {},
	}
	for _, s := range sources {
		out[towerService][recorder(s)] = s
	}
	return out
}()

// numbering is a relay's head, or a consumer's position.
type numbering struct {
	Generation uint64            `json:"g"`
	Count      int64             `json:"c"` // commits; heads only
	Numbers    map[string]uint64 `json:"n"` // by lane
}

// own is whose rows those of the bus are.
const own = "_bus"

func (s Suite) numbering(ctx context.Context, service, table, id string) (*numbering, error) {
	var r row
	err := s.db(service).Collection("rows_"+table).FindOne(ctx, bson.D{{Key: "_id", Value: own + "/" + id}}).Decode(&r)
	if errors.Is(err, mongo.ErrNoDocuments) {
		return nil, nil //nolint:nilnil // it has none
	}
	if err != nil {
		return nil, err
	}
	n := new(numbering)
	return n, json.Unmarshal(r.Body, n)
}

// open is what is under way in a suite: commits that are not relayed or not in the snapshots,
// facts that a consumer has not taken, parked aggregates and dead letters.
type open struct {
	found []string
	total int64 // commits in all databases
	heads map[string]*numbering
}

func (o *open) add(format string, args ...any) {
	o.found = append(o.found, fmt.Sprintf(format, args...))
}

func (s Suite) open(ctx context.Context) (*open, error) {
	o := &open{heads: map[string]*numbering{}}
	for _, service := range services {
		if err := s.unpublished(ctx, o, service); err != nil {
			return nil, fmt.Errorf("%s: %w", service, err)
		}
	}
	for _, service := range services {
		for _, step := range []func(context.Context, *open, string) error{s.unapplied, s.parked} {
			if err := step(ctx, o, service); err != nil {
				return nil, fmt.Errorf("%s: %w", service, err)
			}
		}
	}
	return o, nil
}

func (s Suite) unpublished(ctx context.Context, o *open, service string) error {
	commits, err := s.db(service).Collection("commits").CountDocuments(ctx, bson.D{})
	if err != nil {
		return err
	}
	o.total += commits
	head, err := s.numbering(ctx, service, "bus_relay", "head")
	if err != nil {
		return err
	}
	good, err := s.numbering(ctx, service, "bus_relay", "good")
	if err != nil {
		return err
	}
	o.heads[service] = head
	switch {
	case head == nil || good == nil:
		if commits > 0 {
			o.add("%s: the relay has not begun, and there are %d commits", service, commits)
		}
	case head.Generation == 1 && head.Count != commits: // a later one does not count from the first commit
		o.add("%s: %d of %d commits are published", service, head.Count, commits)
	case good.Generation != head.Generation || good.Count != head.Count:
		o.add("%s: snapshots hold %d of %d commits", service, good.Count, head.Count)
	}
	return nil
}

func (s Suite) unapplied(ctx context.Context, o *open, service string) error {
	known := consumers[service]
	err := each(ctx, s.db(service).Collection("rows_bus_positions"), bson.D{}, func(r *row, _ bson.Raw) error {
		if name := strings.TrimPrefix(r.ID, own+"/"); known[name] == "" {
			o.add("%s: the checker does not know the consumer %s", service, name)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(known)) {
		at, err := s.numbering(ctx, service, "bus_positions", name)
		if err != nil {
			return err
		}
		head := o.heads[known[name]]
		switch {
		case head == nil:
		case at == nil:
			o.add("%s: the consumer %s has not begun", service, name)
		case at.Generation != head.Generation:
			o.add("%s: the consumer %s is in generation %d of %d", service, name, at.Generation, head.Generation)
		default:
			for _, l := range slices.Sorted(maps.Keys(head.Numbers)) {
				if at.Numbers[l] != head.Numbers[l] {
					o.add("%s: the consumer %s is at %d of %d in %s", service, name, at.Numbers[l], head.Numbers[l], l)
				}
			}
		}
	}
	return nil
}

func (s Suite) parked(ctx context.Context, o *open, service string) error {
	for _, table := range []string{"bus_parked", "bus_letters"} {
		err := each(ctx, s.db(service).Collection("rows_"+table), bson.D{}, func(r *row, _ bson.Raw) error {
			var letter struct{ Reason, Message string }
			if err := json.Unmarshal(r.Body, &letter); err != nil {
				return err
			}
			o.add("%s: %s has %s %s %s", service, table, r.ID, letter.Reason, letter.Message)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Settle waits until a suite without clients has come to rest: all is published and applied,
// twice in a row with nothing new between. It returns what is still open when ctx ends; an
// error is that of the last look, for a cluster that was just broken may not answer at first.
func Settle(ctx context.Context, s Suite) ([]string, error) {
	last, still := int64(-1), []string{"nothing was seen"}
	for {
		o, err := s.open(ctx)
		switch {
		case err != nil && ctx.Err() != nil: // cut short: what was seen before counts
			return still, nil
		case err != nil || len(o.found) > 0:
			if last = -1; err == nil {
				still = o.found
			}
		case o.total == last:
			return nil, nil
		default:
			last, still = o.total, []string{"commits are still made"}
		}
		select {
		case <-ctx.Done():
			if errors.Is(err, context.DeadlineExceeded) { // too little was left to ask
				err = nil
			}
			return still, err
		case <-time.After(lookEvery):
		}
	}
}

// lookEvery is how often Settle looks.
const lookEvery = 500 * time.Millisecond

// rest checks that nothing is under way (I9), and that heads count what is stored.
func (c *checker) rest(ctx context.Context) error {
	o, err := c.suite.open(ctx)
	if err != nil {
		return err
	}
	for _, found := range o.found {
		where, what, _ := strings.Cut(found, ": ")
		c.report.add("I9", Whole, where, "%s", what)
	}
	for _, service := range services {
		if head := o.heads[service]; head != nil && head.Generation == 1 && !maps.Equal(head.Numbers, c.lanes[service]) {
			c.report.add("I9", Whole, service, "the relay has published %v, the commits have %v", head.Numbers, c.lanes[service])
		}
	}
	return nil
}
