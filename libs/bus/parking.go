package bus

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/clock"
	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/store"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
)

// DeadLetter is a fact that a handler cannot apply, or one that waits behind such a fact.
type DeadLetter struct {
	ID            string    `json:"-"` // of the letter, within the tenant
	Handler       string    `json:"handler"`
	Service       string    `json:"service"` // owner of the fact
	Tenant        string    `json:"tenant"`
	AggregateType string    `json:"aggregate_type"`
	AggregateID   string    `json:"aggregate_id"`
	EventID       string    `json:"event_id"`
	Type          string    `json:"type"`
	Reason        string    `json:"reason"`    // the fault's reason; "" for one that waits behind another
	Message       string    `json:"message"`   // the fault's message
	Transient     bool      `json:"transient"` // tried again by itself
	Attempts      int       `json:"attempts"`
	First         time.Time `json:"first"` // of the attempts that failed
	Last          time.Time `json:"last"`
	Envelope      []byte    `json:"envelope"` // the fact, a serialised FactEnvelope
	Behind        int       `json:"-"`        // facts that wait behind it, as far as counted
}

// fact returns the fact in the letter.
func (d DeadLetter) fact() (Fact, error) {
	var e commonv1.FactEnvelope
	if err := proto.Unmarshal(d.Envelope, &e); err != nil {
		return Fact{}, fmt.Errorf("dead letter %s: %w", d.ID, err)
	}
	return factOf(&e), nil
}

// Tables and indexes of parked facts. Letters lie under their tenant; markers, one for each
// parked (handler, aggregate), under the bus's own, where a restart finds them.
const (
	letterTable = "bus_letters"
	markerTable = "bus_parked"
	byDead      = "dead"    // letters: "*" and the handler, of those that failed
	byQueue     = "queue"   // letters: handler and aggregate
	byHandler   = "handler" // markers
	byRetry     = "retry"   // markers: when to drain
)

// marker says that an aggregate is parked for a handler.
type marker struct {
	Key     key       `json:"k"`
	Handler string    `json:"h"`
	Retry   time.Time `json:"r"` // drain then; zero: when asked to
	Tries   int       `json:"n"` // drains that failed
	Drop    string    `json:"d"` // letter to leave out
	version uint64
}

// MarshalJSON lets a key lie in a marker.
func (k key) MarshalJSON() ([]byte, error) {
	return json.Marshal([]string{k.aggregate, k.tenant, k.id})
}

// UnmarshalJSON is the inverse of MarshalJSON.
func (k *key) UnmarshalJSON(b []byte) error {
	var parts [3]string
	err := json.Unmarshal(b, &parts)
	k.aggregate, k.tenant, k.id = parts[0], parts[1], parts[2]
	return err
}

// letters are the two tables of parked facts.
type letters struct {
	rows    store.Rows
	markers store.Rows
	clock   clock.Clock
}

func newLetters(cfg Config) *letters {
	return &letters{
		rows: cfg.DB.Table(letterTable, byDead, byQueue), markers: cfg.DB.Table(markerTable, byHandler, byRetry),
		clock: cfg.Clock,
	}
}

func queueKey(handler string, k key) string { return handler + ":" + k.id }
func markerID(handler string, k key) string { return handler + ":" + k.tenant + ":" + k.id }

// letterID sorts the letters of an aggregate in the order of its facts.
func letterID(handler string, f Fact) string {
	return fmt.Sprintf("%s:%s:%012d:%05d", handler, f.AggregateID, f.Version, f.Index)
}

// put stores a letter. One with a reason is dead; one without waits behind another, and
// never replaces a dead one.
func (l *letters) put(ctx context.Context, f Fact, d DeadLetter) error {
	envelope, err := proto.Marshal(f.envelope())
	if err != nil {
		return err
	}
	d.Service, d.Tenant, d.AggregateType, d.AggregateID = f.Service, f.Tenant, f.AggregateType, f.AggregateID
	d.EventID, d.Type, d.Envelope = f.ID, f.Type, envelope
	body, err := json.Marshal(d)
	if err != nil {
		return err
	}
	row := store.Row{
		Tenant: f.Tenant, ID: letterID(d.Handler, f), Version: 1 + uint64(d.Attempts), Body: body,
		Keys: map[string][]string{byQueue: {queueKey(d.Handler, f.key())}},
	}
	if d.Reason != "" {
		row.Keys[byDead] = []string{"*", d.Handler}
	}
	return l.rows.Put(ctx, row)
}

func letterOf(row store.Row) (DeadLetter, error) {
	d := DeadLetter{ID: row.ID}
	if err := json.Unmarshal(row.Body, &d); err != nil {
		return d, fmt.Errorf("dead letter %s: %w", row.ID, err)
	}
	return d, nil
}

// mark stores a marker on the version it was read with.
func (l *letters) mark(ctx context.Context, m *marker) error {
	body, err := json.Marshal(m)
	if err != nil {
		return err
	}
	row := store.Row{
		Tenant: own, ID: markerID(m.Handler, m.Key), Version: m.version + 1, Body: body,
		Keys: map[string][]string{byHandler: {m.Handler}},
	}
	if !m.Retry.IsZero() {
		row.Keys[byRetry] = []string{store.TimeKey(m.Retry)}
	}
	ok, err := l.markers.Swap(ctx, row, m.version)
	if err != nil {
		return err
	}
	if !ok {
		return fault.New(fault.Unavailable, "MARKER_MOVED", "the parked aggregate %s changed meanwhile", m.Key.id)
	}
	m.version++
	return nil
}

func markerOf(row store.Row) (marker, error) {
	m := marker{version: row.Version}
	if err := json.Unmarshal(row.Body, &m); err != nil {
		return m, fmt.Errorf("marker %s: %w", row.ID, err)
	}
	return m, nil
}

// marker returns the marker of a parked aggregate, if it is parked.
func (l *letters) marker(ctx context.Context, handler string, k key) (marker, bool, error) {
	row, exists, err := l.markers.Get(ctx, own, markerID(handler, k))
	if err != nil || !exists {
		return marker{Key: k, Handler: handler}, false, err
	}
	m, err := markerOf(row)
	return m, true, err
}

// update changes a marker, again if somebody else changed it meanwhile.
func (l *letters) update(ctx context.Context, handler string, k key, change func(*marker)) error {
	for {
		m, exists, err := l.marker(ctx, handler, k)
		if err != nil {
			return err
		}
		if !exists {
			return fault.New(fault.NotFound, "NOT_PARKED", "%s is not parked for %s", k.id, handler)
		}
		change(&m)
		if err = l.mark(ctx, &m); err == nil || !fault.IsKind(err, fault.Unavailable) || ctx.Err() != nil {
			return err
		}
	}
}

// queue returns the letters of a parked aggregate in order, at most limit.
func (l *letters) queue(ctx context.Context, handler string, k key, after string, limit int) ([]DeadLetter, error) {
	rows, err := l.rows.List(ctx, k.tenant, byQueue, queueKey(handler, k), after, limit)
	if err != nil {
		return nil, err
	}
	out := make([]DeadLetter, len(rows))
	for i, row := range rows {
		if out[i], err = letterOf(row); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// parking is what one handler's consumer knows about parked aggregates.
type parking struct {
	*letters
	handler string
	mu      sync.Mutex
	parked  map[key]bool
}

// load finds the aggregates that are parked, and those whose drain was cut short.
func (p *parking) load(ctx context.Context) (resume []key, err error) {
	parked := map[key]bool{}
	const page = 200
	for after := ""; ; {
		rows, err := p.markers.List(ctx, own, byHandler, p.handler, after, page)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			after = row.ID
			m, err := markerOf(row)
			if err != nil {
				return nil, err
			}
			parked[m.Key] = true
			head, err := p.queue(ctx, p.handler, m.Key, "", 1)
			if err != nil {
				return nil, err
			}
			if len(head) == 0 || head[0].Reason == "" {
				resume = append(resume, m.Key)
			}
		}
		if len(rows) < page {
			break
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.parked = parked
	return resume, nil
}

func (p *parking) has(k key) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.parked[k]
}

func (p *parking) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.parked)
}

// park makes a fact a dead letter and parks its aggregate: first the letter, so that a
// marker never stands without one for long.
func (p *parking) park(ctx context.Context, f Fact, d DeadLetter, retry time.Time) error {
	d.Handler = p.handler
	if err := p.put(ctx, f, d); err != nil {
		return err
	}
	m, exists, err := p.marker(ctx, p.handler, f.key())
	if err != nil {
		return err
	}
	if !exists {
		m.Retry = retry
		if err := p.mark(ctx, &m); err != nil {
			return err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.parked[f.key()] = true
	return nil
}

// follow queues a fact behind a dead one.
func (p *parking) follow(ctx context.Context, f Fact) error {
	return p.put(ctx, f, DeadLetter{Handler: p.handler})
}

// release ends the parking of an aggregate whose queue is empty.
func (p *parking) release(ctx context.Context, k key) error {
	if err := p.markers.Delete(ctx, own, markerID(p.handler, k)); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.parked, k)
	return nil
}
