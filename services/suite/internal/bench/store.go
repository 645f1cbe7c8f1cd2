package bench

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"

	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
)

const tenant = "bench"

// documents is how many orders each side has; every write takes the next one, so that no
// two callers meet.
const documents = 4096

// side is one of the ways to change an order that are compared.
type side struct {
	name string
	do   func(ctx context.Context, n, change int) error
	done func(ctx context.Context) error
	next atomic.Int64
	cpu  func() (time.Duration, error) // of the server, nil when it is not ours
}

// run lets callers change orders, each another order with another change, and drains.
func (s *side) run(ctx context.Context, callers int, long time.Duration) (Figures, error) {
	f, err := Load{Callers: callers, For: long, Drain: s.done, CPU: s.cpu, Do: func(ctx context.Context, _, _ int) error {
		i := int(s.next.Add(1))
		return s.do(ctx, i%documents, i)
	}}.Run(ctx)
	if err != nil {
		return f, fmt.Errorf("%s: %w", s.name, err)
	}
	return f, nil
}

// Store compares a command of the store, which appends a commit with its receipt and keeps a
// snapshot, with the plain driver's read and conditional replacement of the same document,
// both acknowledged by a journaled majority; the same command on SQLite with a plain row of the
// same file format; and shows the command without a cache.
func Store(ctx context.Context, r *Report) error {
	var cpu func() (time.Duration, error)
	uri := os.Getenv("LOCKSTEP_TEST_MONGO_URI")
	if uri == "" {
		node, err := testkit.LaunchMongod()
		if err != nil {
			return err
		}
		defer node.Kill()
		uri, cpu = node.URI(), node.CPU
	}
	name := testkit.Name("bench")
	plain, forget, err := plainSide(ctx, uri, name+"_plain")
	if err != nil {
		return err
	}
	defer forget()
	onMongo, closeMongo, err := storeSide(ctx, "store", store.Config{URI: uri, Database: name}, 0)
	if err != nil {
		return err
	}
	cold, closeCold, err := storeSide(ctx, "cold", store.Config{URI: uri, Database: name + "_cold"}, 1)
	if err != nil {
		return errors.Join(err, closeMongo())
	}
	folder, err := os.MkdirTemp("", "lockstep-bench-")
	if err != nil {
		return errors.Join(err, closeMongo(), closeCold())
	}
	defer func() { _ = os.RemoveAll(folder) }()
	plainFile, closePlainFile, err := plainSQLiteSide(ctx, folder)
	if err != nil {
		return errors.Join(err, closeMongo(), closeCold())
	}
	onSQLite, closeSQLite, err := storeSide(ctx, "sqlite", store.Config{URI: "sqlite:" + folder, Database: "bench"}, 0)
	if err != nil {
		return errors.Join(err, closeMongo(), closeCold(), closePlainFile())
	}
	plain.cpu, onMongo.cpu, cold.cpu = cpu, cpu, cpu
	c := compared{plain: plain, mongo: onMongo, cold: cold, plainSQLite: plainFile, sqlite: onSQLite}
	return errors.Join(c.run(ctx, r), closeMongo(), closeCold(), closePlainFile(), closeSQLite())
}

// compared are the sides of the comparison; the store's on an engine beside the plain one.
type compared struct{ plain, mongo, cold, plainSQLite, sqlite *side }

// run runs the sides in turns, the first of a turn last in the next.
func (c compared) run(ctx context.Context, r *Report) error {
	rounds, long := 7, 1500*time.Millisecond
	if r.Quick {
		rounds, long = 2, 300*time.Millisecond
	}
	for round := range rounds {
		for _, callers := range []int{1, 8, 64, 256} {
			figures := map[*side]Figures{}
			sides := []*side{c.plain, c.mongo, c.cold, c.plainSQLite, c.sqlite}
			if round%2 == 1 {
				slices.Reverse(sides)
			}
			for _, s := range sides {
				f, err := s.run(ctx, callers, long)
				if err != nil {
					return err
				}
				figures[s] = f
				r.Add(fmt.Sprintf("store.%s.rate.c%d", s.name, callers), "1/s", f.PerSecond)
				r.Add(fmt.Sprintf("store.%s.p50.c%d", s.name, callers), "ms", ms(f.P50))
				r.Add(fmt.Sprintf("store.%s.p99.c%d", s.name, callers), "ms", ms(f.P99))
			}
			times := func(name string, a, b *side) {
				r.Add(fmt.Sprintf("store.%s.c%d", name, callers), "ratio", figures[a].PerSecond/figures[b].PerSecond)
			}
			times("speedup", c.mongo, c.plain)
			times("cold.speedup", c.cold, c.plain)
			times("sqlite.speedup", c.sqlite, c.plainSQLite)
			if figures[c.mongo].CPU > 0 {
				r.Add(fmt.Sprintf("store.cpu.c%d", callers), "ratio", float64(figures[c.plain].CPU)/float64(figures[c.mongo].CPU))
			}
			r.Add(fmt.Sprintf("store.latency.c%d", callers), "ratio", ms(figures[c.mongo].P50)/ms(figures[c.plain].P50))
		}
	}
	return nil
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// plainOrder is the order as the plain side keeps it.
type plainOrder struct {
	ID      string `bson:"_id"`
	Version int64  `bson:"v"`
	Order   order  `bson:"s"`
}

func plainID(n int) string { return fmt.Sprintf("%s/ord_%06d", tenant, n) }

// plainSide reads a document and replaces it where its version is still the one read.
func plainSide(ctx context.Context, uri, database string) (*side, func(), error) {
	journal := true
	client, err := mongo.Connect(options.Client().ApplyURI(uri).SetMaxPoolSize(256).
		SetWriteConcern(&writeconcern.WriteConcern{W: "majority", Journal: &journal}))
	if err != nil {
		return nil, nil, err
	}
	c := client.Database(database).Collection("orders")
	forget := func() {
		ctx := context.WithoutCancel(ctx)
		_ = c.Database().Drop(ctx) // of a server that is ours, or a name that is
		_ = client.Disconnect(ctx)
	}
	docs := make([]any, documents)
	for n := range docs {
		docs[n] = plainOrder{plainID(n), 1, newOrder(n)}
	}
	if _, err := c.InsertMany(ctx, docs); err != nil {
		forget()
		return nil, nil, err
	}
	return &side{name: "plain", do: func(ctx context.Context, n, i int) error {
		var d plainOrder
		if err := c.FindOne(ctx, bson.D{{Key: "_id", Value: plainID(n)}}).Decode(&d); err != nil {
			return err
		}
		read := d.Version
		d.Version, d.Order = read+1, apply(d.Order, change(i))
		res, err := c.ReplaceOne(ctx, bson.D{{Key: "_id", Value: d.ID}, {Key: "v", Value: read}}, d)
		if err == nil && res.ModifiedCount != 1 {
			err = errors.New("another caller was faster, which cannot be")
		}
		return err
	}}, forget, nil
}

// storeSide runs the same change as a command of the store; cache is how many orders it keeps
// decoded, 0 for the usual number, 1 to read every order from the database.
func storeSide(ctx context.Context, name string, cfg store.Config, cache int) (*side, func() error, error) {
	db, err := store.Open(ctx, cfg, store.Options{Log: slog.New(slog.DiscardHandler), CacheSize: cache})
	if err != nil {
		return nil, nil, err
	}
	shut := func() error { return db.Close(context.WithoutCancel(ctx)) }
	c := store.Register(db, orderType())
	update := func(ctx context.Context, n int, key string, f orderFact) error {
		ctx = store.WithCause(ctx, store.Cause{Tenant: tenant, Principal: "bench", Key: key, Fingerprint: []byte(key)})
		_, err := c.Update(ctx, fmt.Sprintf("ord_%06d", n), func(store.Current[order]) (store.Decision[orderFact], error) {
			return store.Decision[orderFact]{Facts: []orderFact{f}, State: "OPEN"}, nil
		})
		return err
	}
	var next atomic.Int64
	open := Load{Callers: 256, For: time.Hour, Do: func(ctx context.Context, _, _ int) error {
		n := int(next.Add(1)) - 1
		if n >= documents {
			return errAll
		}
		return update(ctx, n, "open", orderFact{Opened: &n})
	}}
	if _, err := open.Run(ctx); !errors.Is(err, errAll) {
		return nil, nil, errors.Join(err, shut())
	}
	return &side{name: name, done: db.Flush, do: func(ctx context.Context, n, i int) error {
		p := change(i)
		return update(ctx, n, fmt.Sprintf("018f2c6e-7d4b-7a10-9c3e-%012d", i), orderFact{Picked: &p})
	}}, shut, nil
}

// errAll ends the opening of orders.
var errAll = errors.New("all orders are open")
