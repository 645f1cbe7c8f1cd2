package testkit

import (
	"context"
	"errors"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/redis/go-redis/v9"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { Main(m, func() error { return goleak.Find() }) }

func TestMongoIsSharedAndDatabasesAreDropped(t *testing.T) {
	uri := Mongo(t)
	if again := Mongo(t); again != uri {
		t.Fatalf("second call gave %s, first %s", again, uri)
	}
	var name string
	t.Run("writes", func(t *testing.T) {
		name = Database(t, uri)
		insert(t, uri, name+"_a")
	})
	runtime.GC() // must not take the leash of the shared server with it
	runtime.GC()
	names := databases(t, uri)
	for _, n := range names {
		if n == name+"_a" {
			t.Fatalf("%s is still there after its test", n)
		}
	}
}

func TestKilledMongodKeepsItsFiles(t *testing.T) {
	m := StartMongod(t)
	insert(t, m.URI(), "kept")
	m.Kill()
	if err := syscall.Kill(m.proc.pid, 0); err == nil {
		t.Fatal("the killed mongod is alive")
	}
	m.Restart(t)
	Eventually(t, startWithin, func() error {
		for _, n := range databases(t, m.URI()) {
			if n == "kept" {
				return nil
			}
		}
		return errors.New("the database is gone")
	})
}

func TestStoppedServerComesBack(t *testing.T) {
	r := StartRedis(t)
	for range 2 {
		if err := r.Stop(); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Kill(r.proc.pid, 0); err == nil {
			t.Fatal("the stopped server is alive")
		}
		r.Restart(t)
	}
	if err := r.proc.signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if err := r.proc.stop(10 * time.Millisecond); err == nil {
		t.Error("a server that stands still ended in order")
	}
	if err := syscall.Kill(r.proc.pid, 0); err == nil {
		t.Error("it is alive")
	}
}

func TestReplicaSetFailsOver(t *testing.T) {
	if testing.Short() {
		t.Skip("three nodes take a while")
	}
	nodes := StartReplicaSet(t, 3)
	insert(t, nodes[0].URI(), "before")
	nodes[0].Kill()
	Eventually(t, startWithin, func() error {
		ctx, cancel := context.WithTimeout(t.Context(), startWithin/4)
		defer cancel()
		return onClient(ctx, nodes[0].URI(), func(c *mongo.Client) error {
			_, err := c.Database("after").Collection("c").InsertOne(ctx, bson.D{{Key: "a", Value: 1}})
			return err
		})
	})
}

func TestRedisForgetsAtRestart(t *testing.T) {
	if url := Redis(t); url != Redis(t) {
		t.Fatal("two shared servers")
	}
	r := StartRedis(t)
	opt, err := redis.ParseURL(r.URL())
	if err != nil {
		t.Fatal(err)
	}
	c := redis.NewClient(opt)
	defer c.Close()
	if err := c.Set(t.Context(), "k", "v", 0).Err(); err != nil {
		t.Fatal(err)
	}
	r.Kill()
	if _, err := os.Stat(r.dir); !os.IsNotExist(err) {
		t.Fatalf("the folder outlived its server: %v", err)
	}
	r.Restart(t)
	Eventually(t, startWithin, func() bool { return c.Exists(t.Context(), "k").Err() == nil })
	if n := c.Exists(t.Context(), "k").Val(); n != 0 {
		t.Fatal("a key survived the restart")
	}
}

func TestNATSRestartsEmptyOrFull(t *testing.T) {
	s := StartNATS(t)
	nc := s.Connect(t)
	js, err := jetstream.New(nc, jetstream.WithDefaultTimeout(startWithin))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "S", Subjects: []string{"s.>"}}); err != nil {
		t.Fatal(err)
	}
	for _, wipe := range []bool{false, true} {
		s.Stop()
		s.Restart(t, wipe)
		Eventually(t, startWithin, func() bool { return nc.IsConnected() })
		var got error
		Eventually(t, startWithin, func() bool {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			_, got = js.Stream(ctx, "S")
			return got == nil || errors.Is(got, jetstream.ErrStreamNotFound)
		})
		if gone := got != nil; gone != wipe {
			t.Fatalf("wipe %v: stream gone %v", wipe, gone)
		}
	}
}

func TestSkipFailsInCI(t *testing.T) {
	for _, ci := range []string{"", "true"} {
		t.Setenv("CI", ci)
		rec := &recorder{TB: t}
		Skip(rec, "no engine")
		if rec.failed != (ci == "true") || rec.skipped != (ci != "true") {
			t.Errorf("CI=%q: failed %v, skipped %v", ci, rec.failed, rec.skipped)
		}
	}
}

func TestEventuallyGivesUp(t *testing.T) {
	rec := &recorder{TB: t}
	Eventually(rec, 5*time.Millisecond, func() error {
		if rec.failed {
			return nil
		}
		return errors.New("never")
	})
	if !rec.failed {
		t.Fatal("no failure")
	}
}

// recorder notes how a helper ends a test.
type recorder struct {
	testing.TB
	failed, skipped bool
}

func (r *recorder) Fatalf(string, ...any) { r.failed = true }
func (r *recorder) Errorf(string, ...any) { r.failed = true }
func (r *recorder) Skipf(string, ...any)  { r.skipped = true }

func insert(t *testing.T, uri, db string) {
	t.Helper()
	err := onClient(t.Context(), uri, func(c *mongo.Client) error {
		_, err := c.Database(db).Collection("c").InsertOne(t.Context(), bson.D{{Key: "a", Value: 1}})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func databases(t *testing.T, uri string) (names []string) {
	t.Helper()
	err := onClient(t.Context(), uri, func(c *mongo.Client) (err error) {
		names, err = c.ListDatabaseNames(t.Context(), bson.D{})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}
