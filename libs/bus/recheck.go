package bus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/metric"

	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
)

const (
	// recheckFetch bounds how long the facts of one aggregate may take to be fetched and applied.
	recheckFetch = time.Minute
	// mostLacks bounds what one comparison of a recorder holds; the next one goes on.
	mostLacks = 10_000
)

// Lack is an aggregate of whose facts a recorder lacks some that their owner has.
type Lack struct {
	Consumer, From                     string
	AggregateType, Tenant, AggregateID string

	Applied, Owned uint64 // versions
	Came           bool   // the facts were fetched and have taken effect
}

// Recheck compares what each recorder has applied with the versions that its owner lists,
// fetches what is missing, tells found of it and counts it (bus.missing). A fact is missing when the recorder has
// passed the owner's heads and still lacks it: what is on its way is none, and a recorder that
// is not at the heads within wait is not compared. Numbers make sure that nothing is missing;
// this is how one would know if they did not. Of several replicas the one that consumes compares.
func (b *Bus) Recheck(ctx context.Context, wait time.Duration, found func(Lack)) error {
	var errs []error
	for _, r := range b.runners {
		if r.Kind != Recorder || !b.lease.valid() || ctx.Err() != nil {
			continue
		}
		if err := r.recheck(ctx, wait, found); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", r.Name, err))
		}
	}
	return errors.Join(errs...)
}

func (r *runner) recheck(ctx context.Context, wait time.Duration, found func(Lack)) error {
	heads, err := r.owner.heads(ctx)
	if err != nil {
		return err
	}
	var late []Lack
	for _, aggregate := range r.types(heads) {
		more, err := r.lacking(ctx, aggregate, mostLacks-len(late))
		if err != nil {
			return err
		}
		late = append(late, more...)
	}
	if len(late) == 0 {
		return nil
	}
	if err := r.reaches(ctx, wait); err != nil {
		return err
	}
	missing, err := r.metrics.meter.Int64Counter("bus.missing", metric.WithDescription("aggregates of which a recorder lacked facts that it had passed"))
	if err != nil {
		return err
	}
	for _, l := range late {
		if l.Applied, err = r.applied.Version(ctx, l.AggregateType, l.Tenant, l.AggregateID); err != nil {
			return err
		}
		if l.Applied >= l.Owned {
			continue // it was on its way
		}
		l.Came, err = r.bring(ctx, l)
		missing.Add(ctx, 1, r.labels)
		found(l)
		if err != nil {
			return err
		}
	}
	return nil
}

// errLong ends a list that is long enough.
var errLong = errors.New("the list is long enough")

// lacking lists aggregates of a type that are not applied as far as the owner has them.
func (r *runner) lacking(ctx context.Context, aggregate string, most int) ([]Lack, error) {
	var late []Lack
	_, err := r.owner.versions(ctx, aggregate, time.Time{}, func(e *commonv1.ListVersionsResponse_Entry) error {
		applied, err := r.applied.Version(ctx, aggregate, e.GetTenant(), e.GetAggregateId())
		switch {
		case err != nil || applied >= uint64(e.GetVersion()):
			return err
		case len(late) >= most:
			return errLong
		}
		late = append(late, Lack{
			Consumer: r.Name, From: r.From, AggregateType: aggregate, Tenant: e.GetTenant(), AggregateID: e.GetAggregateId(),
			Applied: applied, Owned: uint64(e.GetVersion()),
		})
		return nil
	})
	if errors.Is(err, errLong) {
		err = nil
	}
	return late, err
}

// reaches waits until everything that the owner had numbered a moment after the call has
// taken effect here, as far as numbers tell.
func (r *runner) reaches(ctx context.Context, wait time.Duration) error {
	limited, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	pause(limited, 2*r.cfg.Timing.Record) // the owner numbers what it lists
	heads, err := r.owner.heads(ctx)
	if err != nil {
		return err
	}
	for {
		p, err := r.positions.load(ctx)
		switch {
		case err != nil:
			return err
		case p.Generation == heads.generation && r.passed(p, heads):
			return nil
		case limited.Err() != nil:
			return errors.New("it is behind its source: nothing is compared this time")
		}
		pause(limited, r.cfg.Timing.Record)
	}
}

func (r *runner) passed(p position, heads positions) bool {
	for l, n := range heads.numbers {
		if r.follows(l.aggregate) && p.Numbers[l] < n {
			return false
		}
	}
	return true
}

// bring fetches the facts that an aggregate lacks and waits until they have taken effect.
func (r *runner) bring(ctx context.Context, l Lack) (bool, error) {
	limited, cancel := context.WithTimeout(ctx, recheckFetch)
	defer cancel()
	in := newIntake(r)
	err := r.owner.aggregate(limited, l.AggregateType, l.Tenant, l.AggregateID, l.Applied, func(f Fact) error {
		r.metrics.fetched.Add(ctx, 1, r.labels)
		return in.add(limited, f)
	})
	if err == nil {
		err = in.wait(limited)
	}
	if err != nil {
		return false, err
	}
	applied, err := r.applied.Version(ctx, l.AggregateType, l.Tenant, l.AggregateID)
	return applied >= l.Owned, err
}
