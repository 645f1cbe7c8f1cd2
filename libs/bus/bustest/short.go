package bustest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/bus"
	"github.com/lockstep-logistics/lockstep/libs/clock"
	"github.com/lockstep-logistics/lockstep/libs/fault"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
)

// short lets the relay's record promise numbers that the engine's log does not reach. A replica
// that does not relay gives what there is and says of the rest to come again, in time; so it
// does while its log yields nothing at all, and nobody waits for another's reading.
func short(r *rig) {
	timing := steady()
	n := r.start(bus.Config{Service: source, DB: r.src, NATS: r.connect(), Timing: timing})
	r.many("thing", 40, 1)
	r.eventually(func() error { return headsReach(r, n, r.committed()) })
	l, number := r.promise(5)
	log := new(lines)
	db := WithFaults(r.src)
	timing.Scan, timing.Stall = 2*time.Second, time.Second
	other := r.start(bus.Config{Service: source, DB: db, NATS: r.connect(), Timing: timing, Log: slog.New(slog.NewTextHandler(log, nil))})
	ask := func(from, to int64) ([]*commonv1.FactEnvelope, error) {
		ctx, cancel := context.WithTimeout(r.t.Context(), within)
		defer cancel()
		a, err := other.Server().ListFacts(ctx, &commonv1.ListFactsRequest{
			Generation: 1, AggregateType: l.aggregate, Partition: l.partition, From: from, To: to,
		})
		return a.GetFacts(), err
	}
	away := func(err error) bool {
		f, ok := fault.As(err)
		return ok && f.Kind == fault.Unavailable && f.Reason == "FACTS_NOT_REACHED"
	}
	r.eventually(func() error { // a reading that takes too long goes on where it ended
		facts, err := ask(number, number+5)
		return holds(err == nil && len(facts) == 1 && facts[0].GetNumber() == number, "%d facts, %v, of the one that there is", len(facts), err)
	})
	for range 2 {
		if facts, err := ask(number+1, number+5); !away(err) {
			r.t.Errorf("%d facts, %v, of those that there are not", len(facts), err)
		}
	}
	db.Stick(true)
	begun := clock.Monotonic()
	var group sync.WaitGroup
	for range 3 {
		group.Go(func() {
			if facts, err := ask(number+2, number+5); !away(err) {
				r.t.Errorf("%d facts, %v, of a log that yields nothing", len(facts), err)
			}
		})
	}
	group.Wait()
	if took := clock.Elapsed(begun); took > within/2 {
		r.t.Errorf("three who asked waited for %v", took)
	}
	db.Stick(false)
	r.eventually(func() error {
		facts, err := ask(1, number)
		return holds(err == nil && len(facts) == int(number), "%d facts, %v, of %d", len(facts), err, number)
	})
	if told := strings.Count(log.String(), "the log does not reach the head"); told != 1 {
		r.t.Errorf("the log tells it %d times:\n%s", told, log)
	}
}

// laneOf names a lane.
type laneOf struct {
	aggregate string
	partition int32
}

// promise makes the relay's record tell more facts of one lane than there are, and more
// commits, so that the relay does not mend it; it returns the lane and its last number.
func (r *rig) promise(more uint64) (laneOf, int64) {
	r.t.Helper()
	rows := r.src.Table("bus_relay")
	var lane laneOf
	var number uint64
	r.eventually(func() error { // the relay stores it too
		row, exists, err := rows.Get(r.t.Context(), "_bus", "head")
		if err != nil || !exists {
			return fmt.Errorf("the head: %v, %w", exists, err)
		}
		var mark map[string]json.RawMessage
		var numbers map[string]uint64
		if err := json.Unmarshal(row.Body, &mark); err != nil {
			return err
		}
		if err := json.Unmarshal(mark["n"], &numbers); err != nil {
			return err
		}
		stored := 0
		for name, n := range numbers {
			stored += int(n)
			if n <= number {
				continue
			}
			number = n
			if lane.aggregate, lane.partition, err = parseLane(name); err != nil {
				return err
			}
		}
		if stored < r.committed() {
			return fmt.Errorf("the head is at %d of %d facts", stored, r.committed())
		}
		numbers[fmt.Sprintf("%s/%02d", lane.aggregate, lane.partition)] += more
		if mark["n"], err = json.Marshal(numbers); err != nil {
			return err
		}
		if row.Body, err = json.Marshal(mark); err != nil {
			return err
		}
		seen := row.Version
		row.Version += 1000 << 14
		ok, err := rows.Swap(r.t.Context(), row, seen)
		if err != nil {
			return err
		}
		return holds(ok, "the relay was faster")
	})
	return lane, int64(number)
}

func parseLane(name string) (aggregate string, partition int32, err error) {
	aggregate, digits, _ := strings.Cut(name, "/")
	_, err = fmt.Sscanf(digits, "%d", &partition)
	return aggregate, partition, err
}

// lines is a log that many write.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}
