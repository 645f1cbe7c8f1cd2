package store_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/libs/store/storetest"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
)

const (
	victimURI  = "STORE_VICTIM_URI"
	victimName = "STORE_VICTIM_DATABASE"
	plenty     = 1 << 40 // units of a stock that is never used up
	stocks     = 5
)

// TestMain is also the process that is killed: it takes units and says which are acknowledged.
func TestMain(m *testing.M) {
	if uri := os.Getenv(victimURI); uri != "" {
		victim(store.Config{URI: uri, Database: os.Getenv(victimName)})
		return
	}
	os.Exit(m.Run())
}

func victim(cfg store.Config) {
	ctx := context.Background()
	db, err := store.Open(ctx, cfg, store.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	c := store.Register(db, storetest.Type(1))
	var mu sync.Mutex
	run := time.Now().UnixNano()
	for w := range 8 {
		go func() {
			for i := 0; ; i++ {
				key := fmt.Sprint(run, "-", w, "-", i)
				if err := takeOne(ctx, c, key); err == nil {
					mu.Lock()
					fmt.Fprintln(os.Stdout, key) // a write to a pipe survives the writer
					mu.Unlock()
				}
			}
		}()
	}
	select {}
}

// takeOne takes a unit of the stock that the key chooses.
func takeOne(ctx context.Context, c *store.Collection[storetest.Stock, storetest.Fact], key string) error {
	_, err := c.Update(storetest.As(ctx, "t", key), stockOf(key), storetest.Take("x", 1))
	return err
}

func stockOf(key string) string {
	sum := 0
	for _, b := range []byte(key) {
		sum += int(b)
	}
	return fmt.Sprint("stk_", sum%stocks)
}

func openStocks(t *testing.T, c *store.Collection[storetest.Stock, storetest.Fact]) {
	t.Helper()
	for i := range stocks {
		if _, err := c.Update(storetest.As(t.Context(), "t", "open"), fmt.Sprint("stk_", i), storetest.Open("DC1", plenty, time.Time{})); err != nil {
			t.Fatal(err)
		}
	}
}

// taken returns how many units are gone, by the states and by the facts.
func taken(t *testing.T, c *store.Collection[storetest.Stock, storetest.Fact]) (states, facts int64) {
	t.Helper()
	ctx := storetest.As(t.Context(), "t", "")
	for i := range stocks {
		id := fmt.Sprint("stk_", i)
		v, err := c.Get(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		states += plenty - v.State.OnHand
		for after := uint64(0); ; {
			h, err := c.History(ctx, id, after, 1000)
			if err != nil {
				t.Fatal(err)
			}
			if len(h) == 0 {
				break
			}
			for _, commit := range h {
				after = commit.Version
				for _, f := range commit.Facts {
					if took, ok := f.(storetest.Took); ok {
						facts += took.N
					}
				}
			}
		}
	}
	return states, facts
}

// TestKilledWriter kills a process that writes, three times over: what it was told is there
// is there, what it was not told happened once or not at all, and the next process goes on.
func TestKilledWriter(t *testing.T) {
	for name, config := range configs(t) {
		t.Run(name, func(t *testing.T) {
			cfg := config(t)
			open := func() (*store.DB, *store.Collection[storetest.Stock, storetest.Fact]) {
				db, err := store.Open(t.Context(), cfg, store.Options{Log: slog.New(slog.DiscardHandler)})
				if err != nil {
					t.Fatal(err)
				}
				return db, store.Register(db, storetest.Type(1))
			}
			db, c := open()
			openStocks(t, c)
			if err := db.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
			total := int64(0)
			for range 3 {
				acknowledged := killedAfter(t, cfg, 200, func(*os.Process) {})
				db, c := open()
				states, facts := taken(t, c)
				if states != facts || states < total+int64(len(acknowledged)) {
					t.Fatalf("%d taken by the states, %d by the facts, %d acknowledged", states, facts, total+int64(len(acknowledged)))
				}
				for _, key := range acknowledged {
					rec, err := c.Update(storetest.As(t.Context(), "t", key), stockOf(key), storetest.Take("x", 1))
					if err != nil || !rec.Replayed {
						t.Fatalf("%s was acknowledged and is not there: %+v %v", key, rec, err)
					}
				}
				if again, _ := taken(t, c); again != states {
					t.Fatalf("%d taken after the repetition, %d before", again, states)
				}
				total = states
				if err := db.Close(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func configs(t *testing.T) map[string]func(t *testing.T) store.Config {
	uri := testkit.Mongo(t)
	return map[string]func(t *testing.T) store.Config{
		"MongoDB": func(t *testing.T) store.Config { return store.Config{URI: uri, Database: testkit.Database(t, uri)} },
		"SQLite":  func(t *testing.T) store.Config { return store.Config{URI: "sqlite:" + t.TempDir(), Database: "test"} },
	}
}

// killedAfter runs the victim, kills it after trouble once it has told n keys, and returns all
// it told.
func killedAfter(t *testing.T, cfg store.Config, n int, trouble func(victim *os.Process)) []string {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), victimURI+"="+cfg.URI, victimName+"="+cfg.Database)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var keys []string
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if keys = append(keys, lines.Text()); len(keys) == n {
			trouble(cmd.Process)
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = cmd.Wait() // it was killed
	if len(keys) < n {
		t.Fatalf("the victim told only %d: %s", len(keys), stderr.String())
	}
	return keys
}

// insist repeats a command under its key until it is acknowledged.
func insist(ctx context.Context, c *store.Collection[storetest.Stock, storetest.Fact], key string) error {
	for {
		call, cancel := context.WithTimeout(ctx, 20*time.Second)
		err := takeOne(call, c, key)
		cancel()
		if err == nil || ctx.Err() != nil || !fault.Transient(err) {
			return err
		}
	}
}

// TestKilledMongod kills the server of a one-node replica set under load and starts it again:
// commands of unknown outcome, repeated under their keys, have one effect each.
func TestKilledMongod(t *testing.T) {
	node := testkit.StartMongod(t)
	storm(t, node.URI(), func(progress func(n int64), _ func()) {
		for i := range int64(2) {
			progress(200 + 200*i)
			node.Kill()
			node.Restart(t)
		}
		progress(700)
	})
}

// TestFailOver takes the majority away from a primary of three, so that it holds writes which
// nobody else has, then kills it: its successor never had them, and no command is lost or
// done twice.
func TestFailOver(t *testing.T) {
	if testing.Short() {
		t.Skip("three nodes")
	}
	nodes := testkit.StartReplicaSet(t, 3)
	storm(t, nodes[0].URI(), func(progress func(n int64), stall func()) {
		progress(200)
		for _, n := range nodes[1:] { // one that is only paused finds in its sockets, later, what it was sent
			n.Kill()
		}
		stall() // what was sent last has reached the primary's journal and no majority
		nodes[0].Kill()
		for _, n := range nodes[1:] {
			n.Restart(t)
		}
		progress(500)
		nodes[0].Restart(t)
		progress(800)
	})
}

// storm lets two processes' worth of writers take units while trouble does its part.
func storm(t *testing.T, uri string, trouble func(progress func(n int64), stall func())) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	var cs []*store.Collection[storetest.Stock, storetest.Fact]
	for range 2 {
		db, err := store.Open(ctx, store.Config{URI: uri, Database: "storm"}, store.Options{Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		cs = append(cs, store.Register(db, storetest.Type(1)))
		t.Cleanup(func() { _ = db.Close(context.Background()) }) // of a server that may be gone by then
	}
	openStocks(t, cs[0])
	var done atomic.Int64
	var stop atomic.Bool
	var mu sync.Mutex
	var keys []string
	var wg sync.WaitGroup
	for w := range 16 {
		wg.Go(func() {
			for i := 0; !stop.Load(); i++ {
				key := fmt.Sprint(w, "-", i)
				if err := insist(ctx, cs[w%2], key); err != nil {
					t.Errorf("%s: %v", key, err)
					return
				}
				mu.Lock()
				keys = append(keys, key)
				mu.Unlock()
				done.Add(1)
			}
		})
	}
	pause := func() bool {
		time.Sleep(time.Millisecond) // between two looks
		return ctx.Err() == nil && !t.Failed()
	}
	trouble(func(n int64) {
		for done.Load() < n && pause() {
		}
	}, func() {
		last, looks := done.Load(), 0
		for ; looks < 200 && pause(); looks++ {
			if now := done.Load(); now != last {
				last, looks = now, 0
			}
		}
	})
	stop.Store(true)
	wg.Wait()
	for _, c := range cs {
		if states, facts := taken(t, c); states != int64(len(keys)) || facts != states {
			t.Errorf("%d taken by the states, %d by the facts, %d acknowledged", states, facts, len(keys))
		}
	}
	for _, key := range keys {
		if rec, err := cs[0].Update(storetest.As(ctx, "t", key), stockOf(key), storetest.Take("x", 1)); err != nil || !rec.Replayed {
			t.Fatalf("%s was acknowledged and is not there: %+v %v", key, rec, err)
		}
	}
}
