package bus

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"sync"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/faultpoint"
	"github.com/lockstep-logistics/lockstep/libs/store"
)

// steps runs tasks of one aggregate, in order, and returns how many are finished; the first
// that is not is tried again after a while.
func (r *runner) steps(ctx context.Context, tasks []*task) (done int, again time.Duration) {
	if len(tasks) > 1 {
		if done = r.together(ctx, tasks); done > 0 {
			return done, finished
		}
	}
	if again = r.step(ctx, tasks[0]); again == finished {
		done = 1
	}
	return done, again
}

// step runs a task of the pool: it applies the fact, or queues it behind a dead one, or
// makes it a dead letter; otherwise it says when to try again.
func (r *runner) step(ctx context.Context, t *task) time.Duration {
	if !r.lease.valid() {
		return r.cfg.Timing.Lease / 10 // another replica may be at work
	}
	if t.drain {
		return r.drain(ctx, t)
	}
	if r.parking.has(t.key) {
		return r.settled(ctx, t, r.parking.follow(ctx, t.fact))
	}
	culprit, err := r.apply(ctx, t.fact)
	if err == nil {
		return finished
	}
	if ctx.Err() != nil {
		return time.Second // the pool is ending; the fact comes again
	}
	now := r.cfg.Clock.Now()
	if t.attempts++; t.attempts == 1 {
		t.first = now
	}
	transient := passes(err)
	if transient && !r.alone(t) {
		r.metrics.retries.Add(ctx, 1, r.labels)
		r.log.DebugContext(ctx, "fact failed, will be tried again", "event", t.fact.ID, "attempts", t.attempts, "error", err)
		return r.backoff(t.attempts)
	}
	letter := letterFor(err, t.attempts, t.first, now)
	var retry time.Time
	if transient {
		retry = now.Add(r.cfg.Timing.Reattempt)
	}
	cause := err
	err = r.parking.park(ctx, culprit, letter, retry)
	if err == nil && culprit.ID != t.fact.ID {
		err = r.parking.follow(ctx, t.fact)
	}
	if err == nil {
		r.metrics.dead.Add(ctx, 1, r.labels)
		r.log.WarnContext(ctx, "fact parked", "event", culprit.ID, "type", culprit.Type, "tenant", culprit.Tenant,
			"reason", letter.Reason, "error", cause, "attempts", t.attempts, "transient", transient)
		err = faultpoint.Hit(faultpoint.N2)
	}
	return r.settled(ctx, t, err)
}

// settled ends a task whose fact is stored among the parked, or tries that again.
func (r *runner) settled(ctx context.Context, t *task, err error) time.Duration {
	if err == nil {
		return finished
	}
	r.log.WarnContext(ctx, "fact could not be parked", "event", t.fact.ID, "error", err)
	return r.backoff(1)
}

// passes reports whether a failure may pass without anyone changing the fact or what it meets.
// That a service was not known to another, whose clock or keys are a moment apart, is one.
func passes(err error) bool {
	return fault.Transient(err) || fault.IsKind(err, fault.Unauthenticated)
}

// alone reports that a task has failed for long while others succeeded: then it is not the
// handler's world that is down, and the aggregate should not hold up positions.
func (r *runner) alone(t *task) bool {
	success := time.Duration(r.success.Load())
	if t.attempts == 1 {
		t.failing = since()
	}
	return since()-t.failing >= r.cfg.Timing.Park && success > t.failing
}

// backoff spreads the periods by a fifth, so that what failed together does not return together.
func (r *runner) backoff(attempts int) time.Duration {
	d := r.cfg.Timing.Retries[min(attempts, len(r.cfg.Timing.Retries))-1]
	return time.Duration(float64(d) * (0.8 + 0.4*rand.Float64()))
}

// letterFor says why a handler failed as far as it may leave the service: the words of a fault,
// never what is behind it, nor those of any other error. The log has the whole.
func letterFor(err error, attempts int, first, last time.Time) DeadLetter {
	d := DeadLetter{Transient: passes(err), Attempts: attempts, First: first, Last: last}
	f, ok := fault.As(err)
	if !ok {
		d.Reason, d.Message = "INTERNAL", "an internal error occurred: the log has it under the event id"
		return d
	}
	d.Reason, d.Message = f.Reason, f.Message
	for _, field := range f.Fields {
		d.Message += fmt.Sprintf("; %s: %s", field.Path, field.Description)
	}
	return d
}

// drain runs the queue of a parked aggregate in order, as far as it goes.
func (r *runner) drain(ctx context.Context, t *task) time.Duration {
	defer r.drained(t.key)
	m, parked, err := r.parking.marker(ctx, r.Name, t.key)
	if err == nil && !parked {
		return r.settled(ctx, t, r.parking.release(ctx, t.key))
	}
	asked := !m.Retry.IsZero()
	for err == nil {
		var queue []DeadLetter
		if queue, err = r.parking.queue(ctx, r.Name, t.key, "", 50); err != nil {
			break
		}
		if len(queue) == 0 {
			return r.settled(ctx, t, r.parking.release(ctx, t.key))
		}
		if !asked && queue[0].Reason != "" {
			return finished // another drain was faster, and failed: this one would count as the next try
		}
		asked = true
		for _, d := range queue {
			if ctx.Err() != nil || !r.lease.valid() {
				return finished // whoever works next goes on
			}
			failed, err := r.replay(ctx, d, d.ID == m.Drop)
			if err != nil {
				return r.settled(ctx, t, err)
			}
			if failed {
				return finished
			}
		}
	}
	return r.settled(ctx, t, err)
}

// replay runs one parked fact. A failure goes into its letter and the marker.
func (r *runner) replay(ctx context.Context, d DeadLetter, drop bool) (failed bool, err error) {
	f, err := d.fact()
	if err != nil {
		return false, err
	}
	culprit, problem := f, error(nil)
	if drop {
		r.log.WarnContext(ctx, "fact left out", "event", d.EventID, "type", d.Type, "reason", d.Reason)
		r.skip(f)
	} else {
		culprit, problem = r.apply(context.WithValue(ctx, anew{}, true), f)
	}
	if problem == nil {
		return false, r.parking.rows.Delete(ctx, d.Tenant, d.ID)
	}
	if ctx.Err() != nil {
		return true, nil
	}
	now := r.cfg.Clock.Now()
	first := d.First
	if first.IsZero() {
		first = now
	}
	letter := letterFor(problem, d.Attempts+1, first, now)
	letter.Handler = r.Name
	r.log.WarnContext(ctx, "fact failed again", "event", culprit.ID, "type", culprit.Type, "tenant", culprit.Tenant,
		"reason", letter.Reason, "error", problem, "attempts", letter.Attempts, "transient", letter.Transient)
	if err := r.parking.put(ctx, culprit, letter); err != nil {
		return true, err
	}
	return true, r.parking.update(ctx, r.Name, f.key(), func(m *marker) {
		m.Tries++
		m.Drop, m.Retry = "", time.Time{}
		if letter.Transient {
			m.Retry = now.Add(min(r.cfg.Timing.Reattempt<<min(m.Tries, 10), 10*time.Minute))
		}
	})
}

// anew marks the context of a parked fact's next try: what refused it may have been mended.
type anew struct{}

// apply runs the handler for a fact; for a recorder, for those before it that are missing
// too. It returns the fact that failed.
func (r *runner) apply(ctx context.Context, f Fact) (culprit Fact, err error) {
	if r.Kind == Recorder {
		return r.record(ctx, f)
	}
	return f, r.handle(ctx, f)
}

// handle runs the handler with the context that its kind promises.
func (r *runner) handle(ctx context.Context, f Fact) (err error) {
	if !r.takes(f.Type) {
		return nil
	}
	if len(r.Types) == 0 && !r.Opaque && !known(f.Type) {
		return fault.New(fault.Invalid, "FACT_TYPE_UNKNOWN", "this release does not know facts of type %s", f.Type)
	}
	ctx, cancel := context.WithTimeout(r.context(ctx, f), r.cfg.Timing.Handler)
	defer cancel()
	ctx, span := otel.Tracer(scope).Start(ctx, r.Name+" "+f.Type)
	defer func() {
		if p := recover(); p != nil {
			r.log.ErrorContext(ctx, "handler panicked", "event", f.ID, "panic", p, "stack", string(debug.Stack()))
			err = fault.New(fault.Internal, "HANDLER_PANICKED", "the handler of %s panicked", f.ID).Wrap(fmt.Errorf("%v", p))
		}
		if err != nil {
			span.SetStatus(codes.Error, err.Error())
		}
		span.End()
	}()
	if err = r.Handle(ctx, f); err != nil {
		return err
	}
	r.success.Store(int64(since()))
	r.metrics.applied.Add(ctx, 1, r.labels)
	r.metrics.lag.Record(ctx, max(0, r.cfg.Clock.Now().Sub(f.Recorded).Seconds()), r.labels)
	return faultpoint.Hit(faultpoint.N1)
}

// context carries the cause of what the handler does: the fact. The key derives from it, so
// a second run of the same fact is the same command.
func (r *runner) context(ctx context.Context, f Fact) context.Context {
	ctx = propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{"traceparent": f.TraceParent})
	again, _ := ctx.Value(anew{}).(bool)
	ctx = store.WithCause(ctx, store.Cause{
		Anew: again, Tenant: f.Tenant, Principal: "service:" + r.cfg.Service,
		Key: "evt:" + f.ID + ":" + r.Name, Derived: true, KeyTime: f.Recorded,
		Correlation: f.Correlation, Causation: f.ID, Source: f.Source, TraceParent: f.TraceParent,
	})
	return r.cfg.Prepare(ctx, f)
}

// known reports whether this binary has the Go type of a fact.
func known(name string) bool {
	_, err := protoregistry.GlobalTypes.FindMessageByName(protoreflect.FullName(name))
	return err == nil
}

// record applies a fact of a recorder after those of its aggregate that it lacks.
func (r *runner) record(ctx context.Context, f Fact) (Fact, error) {
	at, err := r.applied.get(ctx, f.key())
	if err != nil {
		return f, err
	}
	if covers(at, f) {
		r.metrics.duplicates.Add(ctx, 1, r.labels)
		return f, nil
	}
	if follows(at, f) {
		return r.recordOne(ctx, f)
	}
	from := at >> 16
	if at != 0 && at&whole != whole {
		from-- // its last commit is applied in part
	}
	culprit := f
	err = r.owner.aggregate(ctx, f.AggregateType, f.Tenant, f.AggregateID, from, func(g Fact) error {
		if covers(at, g) {
			return nil
		}
		g.Generation, g.Number = f.Generation, 0
		r.metrics.fetched.Add(ctx, 1, r.labels)
		var err error
		culprit, err = r.recordOne(ctx, g)
		return err
	})
	if err != nil {
		return culprit, err
	}
	if at, err = r.applied.get(ctx, f.key()); err == nil && at>>16 < f.Version {
		err = fault.New(fault.Unavailable, "FACT_MISSING", "%s does not list %s yet", f.Service, f.ID)
	}
	return f, err
}

func (r *runner) recordOne(ctx context.Context, f Fact) (Fact, error) {
	if err := r.handle(ctx, f); err != nil {
		return f, err
	}
	r.skip(f)
	return f, nil
}

// skip counts a recorder's fact as applied.
func (r *runner) skip(f Fact) {
	if r.Kind == Recorder {
		r.applied.set(f)
	}
}

// together applies those of a recorder's tasks that follow one another, all at once, and
// returns how many of them took effect before the first that did not. What failed is left to
// step; what took effect behind it comes again.
func (r *runner) together(ctx context.Context, tasks []*task) (done int) {
	if !r.lease.valid() || r.parking.has(tasks[0].key) {
		return 0
	}
	at, err := r.applied.get(ctx, tasks[0].key)
	if err != nil {
		return 0
	}
	n := 0
	for n < len(tasks) && !tasks[n].drain && follows(at, tasks[n].fact) {
		at = revisionOf(tasks[n].fact)
		n++
	}
	if n < 2 {
		return 0
	}
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i, t := range tasks[:n] {
		wg.Go(func() { errs[i] = r.handle(ctx, t.fact) })
	}
	wg.Wait()
	for done < n && errs[done] == nil {
		r.skip(tasks[done].fact)
		done++
	}
	return done
}
