package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/lockstep-logistics/lockstep/gateway"
	"github.com/lockstep-logistics/lockstep/libs/clock"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/lifecycle"
)

// copied is how many orders are walked to be copied.
const copied = 10

// History walks orders on a suite whose databases hold many finished orders, and on one that
// holds few, in turns. Both are on the same mongod, so that its caches are shared alike.
func History(ctx context.Context, r *Report) error {
	few, many, rounds, long := 1_000, 50_000, 5, 15*time.Second
	if r.Quick {
		few, many, rounds, long = 100, 1_000, 1, 3*time.Second
	}
	uri, client, end, err := server()
	if err != nil {
		return err
	}
	defer end()
	all, err := walkFinished(ctx, uri, client, testkit.Name("walked")+"_")
	if err != nil {
		return err
	}
	small, err := seeded(ctx, uri, client, all, few)
	if err != nil {
		return err
	}
	large, err := seeded(ctx, uri, client, all, many)
	if err != nil {
		return errors.Join(err, small.close())
	}
	err = alternate(ctx, r, small, large, rounds, long)
	return errors.Join(err, small.close(), large.close())
}

// alternate loads both suites in turns, each round in the other order.
func alternate(ctx context.Context, r *Report, small, large *running, rounds int, long time.Duration) error {
	for round := range rounds {
		first, second := small, large
		if round%2 == 1 {
			first, second = large, small
		}
		rates := map[*running]float64{}
		for _, e := range []*running{first, second} {
			if _, err := e.quiet(ctx); err != nil {
				return err
			}
			l, err := e.load(ctx, e.grpc(), wide, walkers, long)
			if err != nil {
				return err
			}
			rates[e] = l.rate
			l.report(r, "lifecycle.history."+e.name)
		}
		r.Add("lifecycle.history", "ratio", rates[large]/rates[small])
	}
	return nil
}

// seeded starts a suite on databases that hold so many finished orders.
func seeded(ctx context.Context, uri string, client *mongo.Client, all []*finished, orders int) (*running, error) {
	to := testkit.Name("hist") + "_"
	if err := seed(ctx, uri, to, all, orders); err != nil {
		return nil, err
	}
	if err := client.Database("admin").RunCommand(ctx, bson.D{{Key: "fsync", Value: 1}}).Err(); err != nil { // not while others measure
		return nil, err
	}
	return onPrefix(ctx, fmt.Sprintf("after_%d", orders), uri, client, to)
}

// walkFinished walks the orders to copy on a suite of its own, one after another, so that no
// row holds facts of two, and returns what they left.
func walkFinished(ctx context.Context, uri string, client *mongo.Client, prefix string) ([]*finished, error) {
	e, err := onPrefix(ctx, "walked", uri, client, prefix)
	if err != nil {
		return nil, err
	}
	all := make([]*finished, copied)
	d := &lifecycle.Driver{Dial: e.grpc().dial, Now: clock.System{}.Now}
	for n := range all {
		if err = d.Walk(ctx, walkedNumber(n), wide(n)); err == nil {
			_, err = e.quiet(ctx)
		}
		if err == nil {
			all[n], err = e.trace(ctx, walkedNumber(n))
		}
		if err != nil {
			return nil, errors.Join(err, e.close())
		}
	}
	if err := e.close(); err != nil { // writes how far the tower has recorded
		return nil, err
	}
	in, err := open(ctx, uri, prefix)
	if err != nil {
		return nil, err
	}
	for _, f := range all {
		if err == nil {
			err = f.read(asTenant(ctx), in)
		}
	}
	return all, errors.Join(err, in.close(ctx))
}

// asTenant is a context of the tenant whose orders are walked.
func asTenant(ctx context.Context) context.Context {
	return store.WithCause(ctx, store.Cause{Tenant: gateway.Defaults().AdminTenant})
}
