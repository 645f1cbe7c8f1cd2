package bench

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"golang.org/x/sync/errgroup"

	"github.com/lockstep-logistics/lockstep/libs/clock"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/lifecycle"
)

// templates is how many orders are walked to be copied.
const templates = 10

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
	all, err := walkTemplates(ctx, uri, client, testkit.Name("tpl")+"_")
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
func seeded(ctx context.Context, uri string, client *mongo.Client, all []*template, orders int) (*running, error) {
	to := testkit.Name("hist") + "_"
	if err := seed(ctx, client, all, to, orders); err != nil {
		return nil, err
	}
	return onPrefix(ctx, fmt.Sprintf("after_%d", orders), uri, client, to)
}

// walkTemplates walks the orders to copy on a suite of its own, one after another, so that no
// document holds facts of two, and returns what they left.
func walkTemplates(ctx context.Context, uri string, client *mongo.Client, prefix string) ([]*template, error) {
	e, err := onPrefix(ctx, "templates", uri, client, prefix)
	if err != nil {
		return nil, err
	}
	d := &lifecycle.Driver{Dial: e.grpc().dial, Now: clock.System{}.Now}
	for n := range templates {
		if err := d.Walk(ctx, templateNumber(n), wide(n)); err != nil {
			return nil, errors.Join(err, e.close())
		}
		if _, err := e.quiet(ctx); err != nil {
			return nil, errors.Join(err, e.close())
		}
	}
	if err := e.close(); err != nil { // writes the last snapshots
		return nil, err
	}
	out := make([]*template, templates)
	for n := range out {
		if out[n], err = readTemplate(ctx, client, prefix, templateNumber(n)); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// seedAtOnce is how many documents one insert brings.
const seedAtOnce = 2_000

// seed writes copies of the templates, in turns, into databases that no suite has opened yet:
// nobody relays what was there before the first start.
func seed(ctx context.Context, client *mongo.Client, all []*template, prefix string, orders int) error {
	type place struct{ db, collection string }
	pending := map[place][]any{}
	var g errgroup.Group
	g.SetLimit(4)
	flush := func(p place) {
		docs := pending[p]
		delete(pending, p)
		g.Go(func() error {
			_, err := client.Database(prefix+p.db).Collection(p.collection).InsertMany(ctx, docs, options.InsertMany().SetOrdered(false))
			return err
		})
	}
	for n := range orders {
		t := all[n%len(all)]
		docs, err := t.copy(n)
		if err != nil {
			return errors.Join(err, g.Wait())
		}
		for i, raw := range docs {
			p := place{t.docs[i].db, t.docs[i].collection}
			if pending[p] = append(pending[p], raw); len(pending[p]) == seedAtOnce {
				flush(p)
			}
		}
	}
	for p := range pending {
		flush(p)
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return client.Database("admin").RunCommand(ctx, bson.D{{Key: "fsync", Value: 1}}).Err() // not while others measure
}

// copy returns the documents of the n-th copy: each commit names the one before it, and the
// snapshot, which follows them, the last.
func (t *template) copy(n int) ([]bson.Raw, error) {
	names, err := t.names(n)
	if err != nil {
		return nil, err
	}
	out := make([]bson.Raw, len(t.docs))
	var last [8]byte
	agg := ""
	for i, d := range t.docs {
		raw := replaced(d.raw, d.in, names)
		if d.agg != "" {
			if d.agg == agg {
				copy(raw[d.parent:], last[:])
			}
			agg = d.agg
			sum := sha256.Sum256(raw)
			last = [8]byte(sum[:8])
		}
		out[i] = raw
	}
	return out, nil
}
