package bus

import (
	"context"
	"slices"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
)

// margin is how far before the last fact seen a reactor reads again after numbers are
// lost. It is the only place where times of different machines are compared.
const margin = 24 * time.Hour

// begin gives a consumer that never ran its first position: a follower copies the owner's
// states, the others start at the first number of all. Where the owner has numbered anew since,
// they find that out like one that was away, and compare.
func (r *runner) begin(ctx context.Context) error {
	heads, err := r.owner.heads(ctx)
	if err != nil {
		return err
	}
	r.apart(heads)
	if r.Kind == Follower {
		return r.copy(ctx, heads)
	}
	return r.store(ctx, position{Generation: min(heads.generation, 1), Numbers: numbers{}})
}

// catchUp compares with the owner when numbers do not tell what is missing: the generation
// changed, or the owner no longer holds in order what comes next. It starts at the heads that the
// owner's lists are good to, so whatever comes after them comes by number. Those of another
// answer would not do: replicas of the owner know of its newest commits one after another.
func (r *runner) catchUp(ctx context.Context) error {
	heads, err := r.owner.heads(ctx)
	if err != nil {
		return err
	}
	r.apart(heads)
	if r.Kind == Follower {
		return r.copy(ctx, heads)
	}
	end := r.reader.here(ctx)
	in := newIntake(r)
	start := positions{heads.generation, numbers{}}
	for _, aggregate := range r.types(heads) {
		list := r.reread
		if r.Kind == Recorder {
			list = r.compare
		}
		good, err := list(ctx, in, aggregate)
		if err != nil {
			return err
		}
		if good.generation == 0 {
			good = heads // of an owner of a release that does not say
		}
		if err := r.adopt(start, good, aggregate); err != nil {
			return err
		}
	}
	if err := in.wait(ctx); err != nil {
		return err
	}
	return r.store(ctx, r.at(start, end))
}

// adopt makes the heads that a type's pages are good to the start of its lanes.
func (r *runner) adopt(start, good positions, aggregate string) error {
	if good.generation != start.generation {
		return fault.New(fault.Unavailable, reasonGeneration, "%s began a new generation meanwhile", r.From)
	}
	for l, n := range good.numbers {
		if l.aggregate == aggregate {
			start.numbers[l] = n
		}
	}
	return nil
}

// at is the position of a consumer that has everything up to the heads.
func (r *runner) at(heads positions, end hint) position {
	p := position{
		Generation: heads.generation, Numbers: numbers{}, Hint: end,
		Recorded: r.position.Recorded, version: r.position.version,
	}
	for l, n := range heads.numbers {
		if n > 0 && r.follows(l.aggregate) {
			p.Numbers[l] = n
		}
	}
	return p
}

// types are the aggregate types that the consumer takes.
func (r *runner) types(heads positions) []string {
	if len(r.Aggregates) > 0 {
		return r.Aggregates
	}
	return slices.Sorted(slices.Values(heads.types()))
}

// copy brings a follower every state of the owner, and the position that they are good to.
func (r *runner) copy(ctx context.Context, heads positions) error {
	end := (&reader{nc: r.cfg.NATS, stream: streamName(r.From)}).here(ctx)
	in := newIntake(r)
	start := positions{heads.generation, numbers{}}
	for _, aggregate := range r.types(heads) {
		good, err := r.owner.export(ctx, aggregate, func(f Fact) error {
			if !r.takes(f.Type) {
				return nil
			}
			return in.add(ctx, f)
		})
		if reasonOf(err) == reasonNoExport {
			// Its facts are all there is: they are read from the first number on.
			r.log.WarnContext(ctx, "no states to copy", "aggregate", aggregate)
			end = hint{}
			continue
		}
		if err != nil {
			return err
		}
		if err := r.adopt(start, good, aggregate); err != nil {
			return err
		}
	}
	if err := in.wait(ctx); err != nil {
		return err
	}
	return r.store(ctx, r.at(start, end))
}

// compare brings a recorder the facts that it lacks of every aggregate.
func (r *runner) compare(ctx context.Context, in *intake, aggregate string) (positions, error) {
	return r.owner.versions(ctx, aggregate, time.Time{}, func(e *commonv1.ListVersionsResponse_Entry) error {
		applied, err := r.applied.Version(ctx, aggregate, e.GetTenant(), e.GetAggregateId())
		if err != nil || applied >= uint64(e.GetVersion()) {
			return err
		}
		return r.owner.aggregate(ctx, aggregate, e.GetTenant(), e.GetAggregateId(), applied, func(f Fact) error {
			return in.add(ctx, f)
		})
	})
}

// reread brings a reactor every fact recorded since its last one, and a day before that.
func (r *runner) reread(ctx context.Context, in *intake, aggregate string) (positions, error) {
	var from time.Time
	if !r.position.Recorded.IsZero() {
		from = r.position.Recorded.Add(-margin)
	}
	return r.owner.versions(ctx, aggregate, from, func(e *commonv1.ListVersionsResponse_Entry) error {
		return r.owner.aggregate(ctx, aggregate, e.GetTenant(), e.GetAggregateId(), 0, func(f Fact) error {
			if f.Recorded.Before(from) || !r.takes(f.Type) {
				return nil
			}
			return in.add(ctx, f)
		})
	})
}

// intake gives facts without a turn of their own to the pool, no more at once than the
// consumer may hold.
type intake struct {
	runner *runner
	room   chan struct{} // one for each fact that is not done
}

func newIntake(r *runner) *intake {
	return &intake{runner: r, room: make(chan struct{}, r.cfg.Pending)}
}

func (in *intake) add(ctx context.Context, f Fact) error {
	select {
	case in.room <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	in.runner.pool.submit(&task{key: f.key(), fact: f, done: func() { <-in.room }})
	return nil
}

// wait returns when all that was added is applied or parked: when all room is free.
func (in *intake) wait(ctx context.Context) error {
	for range cap(in.room) {
		select {
		case in.room <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}
