package bus

import (
	"context"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/store"
)

// DeadLetters lists what a service's handlers could not apply, and lets it be tried again
// or left out. Who may do so is the caller's business. It works on any replica; the one
// that holds the consumers does the work.
type DeadLetters struct {
	*letters
	poke func() // tells the consumers of this process that there is something to do
}

// replayWait bounds the wait for the outcome of a replay.
const replayWait = 10 * time.Second

// List returns the facts of a tenant that failed, of one handler or of all (""), by id after
// the given one, at most limit (1 to 200).
func (d *DeadLetters) List(ctx context.Context, tenant, handler, after string, limit int) ([]DeadLetter, error) {
	if handler == "" {
		handler = "*"
	}
	rows, err := d.rows.List(ctx, tenant, byDead, handler, after, min(max(limit, 1), 200))
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

// Get returns one letter with the number of facts behind it, counted up to 1,000.
func (d *DeadLetters) Get(ctx context.Context, tenant, id string) (DeadLetter, error) {
	row, exists, err := d.rows.Get(ctx, tenant, id)
	if err != nil {
		return DeadLetter{}, err
	}
	if !exists {
		return DeadLetter{}, fault.New(fault.NotFound, "DEAD_LETTER_NOT_FOUND", "there is no dead letter %s", id)
	}
	out, err := letterOf(row)
	if err != nil {
		return out, err
	}
	behind, err := d.queue(ctx, out.Handler, out.key(), id, 1000)
	out.Behind = len(behind)
	return out, err
}

func (d DeadLetter) key() key { return key{d.AggregateType, d.Tenant, d.AggregateID} }

// Replay tries a letter again, and then all that wait behind it, in order and with the same
// ids; what had taken effect before changes nothing. It returns nil once the queue is empty,
// REPLAY_FAILED with the reason when a fact failed again, and REPLAY_PENDING when the
// consumers have not answered in time: they will.
func (d *DeadLetters) Replay(ctx context.Context, tenant, id string) error {
	return d.drain(ctx, tenant, id, "")
}

// Drop leaves the letter's fact out for good, then goes on as Replay does.
func (d *DeadLetters) Drop(ctx context.Context, tenant, id string) error {
	return d.drain(ctx, tenant, id, id)
}

func (d *DeadLetters) drain(ctx context.Context, tenant, id, drop string) error {
	letter, err := d.Get(ctx, tenant, id)
	if err != nil {
		return err
	}
	tries := 0
	err = d.update(ctx, letter.Handler, letter.key(), func(m *marker) {
		tries = m.Tries
		m.Retry, m.Drop = d.clock.Now(), drop
	})
	if err != nil {
		return err
	}
	d.poke()
	ctx, cancel := context.WithTimeout(ctx, replayWait)
	defer cancel()
	for {
		m, parked, err := d.marker(ctx, letter.Handler, letter.key())
		switch {
		case ctx.Err() != nil:
			return fault.New(fault.Unavailable, "REPLAY_PENDING", "the consumer %s has not answered yet", letter.Handler)
		case err != nil:
			return err
		case !parked:
			return nil
		case m.Tries > tries:
			return d.failure(ctx, letter)
		}
		pause(ctx, 20*time.Millisecond)
	}
}

// failure tells why the queue of a letter's aggregate stopped.
func (d *DeadLetters) failure(ctx context.Context, letter DeadLetter) error {
	head, err := d.queue(ctx, letter.Handler, letter.key(), "", 1)
	if err != nil {
		return err
	}
	if len(head) == 0 {
		return nil
	}
	return fault.New(fault.Refused, "REPLAY_FAILED", "%s: %s", head[0].EventID, head[0].Message).
		With("reason", head[0].Reason).With("event_id", head[0].EventID)
}

// due returns the parked aggregates that are to be drained now.
func (l *letters) due(ctx context.Context) ([]marker, error) {
	refs, err := l.markers.Due(ctx, byRetry, store.TimeKey(l.clock.Now()), 1000)
	if err != nil {
		return nil, err
	}
	out := make([]marker, 0, len(refs))
	for _, row := range refs {
		m, err := markerOf(row)
		if err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, nil
}
