package testkit

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

const (
	startWithin = 2 * time.Minute // a loaded machine may take long; a healthy one needs two seconds
	stopWithin  = time.Minute     // a mongod gives its clients 15 s to go
)

// shared is held for as long as the process lives: a leash that nothing refers to would
// be collected as garbage, and its server killed.
var shared struct {
	sync.Mutex
	node *Mongod
	err  error
}

// Mongo returns the URI of a replica set that all tests of this process share:
// LOCKSTEP_TEST_MONGO_URI, or a mongod of one node started for the occasion. Use
// Database for a name of one's own in it.
func Mongo(t testing.TB) string {
	t.Helper()
	if uri := os.Getenv("LOCKSTEP_TEST_MONGO_URI"); uri != "" {
		return uri
	}
	bin := mongod(t)
	shared.Lock()
	defer shared.Unlock()
	if shared.node == nil && shared.err == nil {
		var nodes []*Mongod
		if nodes, shared.err = startSet(bin, "", 1, true); shared.err == nil {
			shared.node = nodes[0]
		}
	}
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.node.URI()
}

// Database returns the name of a fresh database on the set behind uri. After the
// test, all databases whose names begin with it are dropped.
func Database(t testing.TB, uri string) string {
	t.Helper()
	name := Name("t")
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), startWithin)
		defer cancel()
		err := onClient(ctx, uri, func(c *mongo.Client) error {
			names, err := c.ListDatabaseNames(ctx, bson.D{})
			for _, n := range names {
				if strings.HasPrefix(n, name) {
					err = c.Database(n).Drop(ctx)
				}
			}
			return err
		})
		if err != nil {
			t.Logf("dropping %s: %v", name, err)
		}
	})
	return name
}

// Mongod is one node that its test may kill, pause and restart.
type Mongod struct {
	bin, dir, set string
	front         string // by which its set knows it; "" for its own address
	port          int
	owned         bool // its folder goes with it
	alone         bool // in no replica set
	flags         []string
	proc          *process
}

// StartMongod starts a replica set of one node for this test alone.
func StartMongod(t testing.TB) *Mongod { return StartReplicaSet(t, 1)[0] }

// StartMongodBehind starts a replica set of one node for this test alone, all of whose clients
// come through something in front of it: front is told where the node will listen and returns
// the address by which the set knows it, that of a proxy.
func StartMongodBehind(t testing.TB, front func(address string) string, flags ...string) *Mongod {
	t.Helper()
	m, err := newMongod(mongod(t), "", false, flags...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		m.Kill()
		_ = os.RemoveAll(m.dir)
	})
	m.front = front(m.host())
	if err := initiated([]*Mongod{m}, election); err != nil {
		t.Fatal(err)
	}
	return m
}

// LaunchMongod starts a replica set of one node for a program that is no test: a benchmark,
// or a campaign of its own. Kill ends it and removes its files; so does the end of the process.
func LaunchMongod() (*Mongod, error) {
	bin, err := binary("mongod", "mongodb/bin/mongod")
	if err != nil {
		return nil, fmt.Errorf("no mongod: `make parts` fetches one into .cache: %w", err)
	}
	nodes, err := startSet(bin, "", 1, true, "--wiredTigerCacheSizeGB", "2")
	if err != nil {
		return nil, err
	}
	return nodes[0], nil
}

// LaunchReplicaSet starts a replica set of n nodes for a program that is no test; node 0 is
// the first primary. Their files are under dir, which the caller removes; the nodes end with
// this process at the latest.
func LaunchReplicaSet(dir string, n int, flags ...string) ([]*Mongod, error) {
	bin, err := binary("mongod", "mongodb/bin/mongod")
	if err != nil {
		return nil, fmt.Errorf("no mongod: `make parts` fetches one into .cache: %w", err)
	}
	return startSet(bin, dir, n, false, flags...)
}

// StartReplicaSet starts a replica set of n nodes for this test alone; node 0 is
// the first primary. URI of any node names the whole set.
func StartReplicaSet(t testing.TB, n int) []*Mongod {
	t.Helper()
	nodes, err := newSet(mongod(t), "", n, false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, m := range nodes {
			m.Kill()
			_ = os.RemoveAll(m.dir)
		}
	})
	if err := initiated(nodes, patientElection); err != nil {
		t.Fatal(err)
	}
	return nodes
}

// StartStandalone starts a mongod that is in no replica set and returns its URI.
func StartStandalone(t testing.TB) string {
	t.Helper()
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	m := &Mongod{bin: mongod(t), dir: t.TempDir(), port: port, alone: true}
	if err := m.run(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Kill)
	ctx, cancel := context.WithTimeout(t.Context(), startWithin)
	defer cancel()
	if err := m.await(ctx, func(hello bson.M) bool { return hello["isWritablePrimary"] == true }); err != nil {
		t.Fatal(err)
	}
	return "mongodb://" + m.host() + "/?directConnection=true"
}

// URI returns the connection string of the node's set.
func (m *Mongod) URI() string { return "mongodb://" + m.set + "/?replicaSet=rs0" }

// DirectURI returns the connection string of the node itself, past what is in front of it.
func (m *Mongod) DirectURI() string { return "mongodb://" + m.host() + "/?directConnection=true" }

// Kill ends the node as kill -9 does.
func (m *Mongod) Kill() {
	if m.proc != nil {
		m.proc.kill()
	}
}

// Stop ends the node as SIGTERM does: a primary steps down first and lets others vote.
func (m *Mongod) Stop() error { return m.proc.stop(stopWithin) }

// Listens reports whether the node takes connections: it may have ended by itself.
func (m *Mongod) Listens() bool {
	c, err := net.DialTimeout("tcp", m.host(), time.Second)
	if err == nil {
		_ = c.Close() // that it was opened is what was asked
	}
	return err == nil
}

// Write makes a document durable on the node, or tells why it cannot.
func (m *Mongod) Write(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	return onClient(ctx, m.DirectURI()+"&w=majority&journal=true", func(c *mongo.Client) error {
		_, err := c.Database("testkit").Collection("written").InsertOne(ctx, bson.D{})
		return err
	})
}

// CPU returns the processor time that the node has used, to a hundredth of a second; Linux only.
func (m *Mongod) CPU() (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", m.proc.pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:])) // from the state on, field 3
	if len(fields) < 13 {
		return 0, fmt.Errorf("/proc/%d/stat: %q", m.proc.pid, stat)
	}
	var used time.Duration
	for _, ticks := range fields[11:13] { // user and system time
		n, err := strconv.ParseInt(ticks, 10, 64)
		if err != nil {
			return 0, err
		}
		used += time.Duration(n) * time.Second / 100 // USER_HZ, the same on every Linux
	}
	return used, nil
}

// Pause stops the node as SIGSTOP does; Resume lets it go on.
func (m *Mongod) Pause() error { return m.proc.signal(syscall.SIGSTOP) }

// Resume lets a paused node go on.
func (m *Mongod) Resume() error { return m.proc.signal(syscall.SIGCONT) }

// Restart starts a killed node again on its files and port and waits until it answers.
func (m *Mongod) Restart(t testing.TB) {
	t.Helper()
	if err := m.Again(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// Again is Restart for a program that is no test.
func (m *Mongod) Again(ctx context.Context) error {
	if err := m.run(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	return m.await(ctx, func(hello bson.M) bool { return hello["isWritablePrimary"] == true || hello["secondary"] == true })
}

// Primary returns the node of the set that takes writes; nil when none says so.
func Primary(ctx context.Context, nodes []*Mongod) *Mongod {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	for _, m := range nodes {
		if !m.proc.running() {
			continue
		}
		primary := false
		err := onClient(ctx, "mongodb://"+m.host()+"/?directConnection=true&serverSelectionTimeoutMS=500", func(c *mongo.Client) error {
			hello := bson.M{}
			err := c.Database("admin").RunCommand(ctx, bson.D{{Key: "hello", Value: 1}}).Decode(&hello)
			primary = hello["isWritablePrimary"] == true
			return err
		})
		if err == nil && primary {
			return m
		}
	}
	return nil
}

// mongod finds the binary or skips the test.
func mongod(t testing.TB) string {
	t.Helper()
	bin, err := binary("mongod", "mongodb/bin/mongod")
	if err != nil {
		Skip(t, "no mongod: set LOCKSTEP_TEST_MONGO_URI, or run `make test`, which fetches one into .cache")
	}
	return bin
}

func startSet(bin, parent string, n int, owned bool, flags ...string) ([]*Mongod, error) {
	nodes, err := newSet(bin, parent, n, owned, flags...)
	if err != nil {
		return nil, err
	}
	return nodes, initiated(nodes, election)
}

// newSet prepares the nodes of a set.
func newSet(bin, parent string, n int, owned bool, flags ...string) ([]*Mongod, error) {
	nodes := make([]*Mongod, n)
	for i := range nodes {
		var err error
		if nodes[i], err = newMongod(bin, parent, owned, flags...); err != nil {
			return nil, err
		}
	}
	return nodes, nil
}

// How long a set is without a sign of life before it votes. In a test nobody should vote because
// the machine stands still, nor a primary step down before the test is done with it.
const election, patientElection = 2 * time.Second, 10 * time.Second

// newMongod prepares a node on a free port and in a folder of its own.
func newMongod(bin, parent string, owned bool, flags ...string) (*Mongod, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(parent, "lockstep-mongo-")
	return &Mongod{bin: bin, dir: dir, port: port, owned: owned, flags: flags}, err
}

// initiated starts nodes and makes them one replica set.
func initiated(nodes []*Mongod, election time.Duration) error {
	names := make([]string, len(nodes))
	for i, m := range nodes {
		names[i] = cmp.Or(m.front, m.host())
	}
	members := bson.A{}
	for i, m := range nodes {
		m.set = strings.Join(names, ",")
		if err := m.run(); err != nil {
			return err
		}
		// A higher priority makes node 0 the first primary.
		members = append(members, bson.D{{Key: "_id", Value: i}, {Key: "host", Value: names[i]}, {Key: "priority", Value: len(nodes) - i}})
	}
	ctx, cancel := context.WithTimeout(context.Background(), startWithin)
	defer cancel()
	config := bson.D{
		{Key: "_id", Value: "rs0"},
		{Key: "members", Value: members},
		{Key: "settings", Value: bson.D{{Key: "electionTimeoutMillis", Value: election.Milliseconds()}}},
	}
	for _, m := range nodes { // the set is only made of nodes that answer
		if err := m.await(ctx, func(bson.M) bool { return true }); err != nil {
			return err
		}
	}
	if err := nodes[0].initiate(ctx, config); err != nil {
		return err
	}
	for i, m := range nodes {
		if err := m.await(ctx, func(hello bson.M) bool {
			return hello["isWritablePrimary"] == true || i > 0 && hello["secondary"] == true
		}); err != nil {
			return err
		}
	}
	if len(nodes) == 1 {
		return nil
	}
	for _, m := range nodes {
		if err := m.checkpoint(ctx, nodes[0]); err != nil {
			return err
		}
	}
	return nil
}

// checkpoint sees to it that the node has all it needs in its files. One that has just copied the
// others cannot until something was written since, and copies them anew if it is killed before.
func (m *Mongod) checkpoint(ctx context.Context, primary *Mongod) error {
	return onClient(ctx, m.DirectURI(), func(c *mongo.Client) error {
		for {
			err := primary.Write(ctx)
			if err == nil {
				if err = c.Database("admin").RunCommand(ctx, bson.D{{Key: "fsync", Value: 1}}).Err(); err == nil {
					return nil
				}
			}
			select {
			case <-ctx.Done():
				return fmt.Errorf("mongod on %s takes no checkpoint: %w", m.host(), err)
			case <-time.After(20 * time.Millisecond):
			}
		}
	})
}

func (m *Mongod) host() string { return "127.0.0.1:" + strconv.Itoa(m.port) }

func (m *Mongod) run() (err error) {
	remove := ""
	if m.owned {
		remove = m.dir
	}
	command := []string{
		m.bin, "--dbpath", m.dir, "--port", strconv.Itoa(m.port), "--bind_ip", "127.0.0.1",
		"--nounixsocket", "--setParameter", "diagnosticDataCollectionEnabled=false",
	}
	if command = append(command, m.flags...); len(m.flags) == 0 {
		command = append(command, "--wiredTigerCacheSizeGB", "0.25") // many of them run at once in tests
	}
	if !m.alone {
		command = append(command, "--replSet", "rs0", "--oplogSize", "512", "--oplogMinRetentionHours", "24")
	}
	m.proc, err = start(filepath.Join(m.dir, "mongod.log"), remove, command...)
	return err
}

func (m *Mongod) initiate(ctx context.Context, config bson.D) error {
	return onClient(ctx, "mongodb://"+m.host()+"/?directConnection=true", func(c *mongo.Client) error {
		err := c.Database("admin").RunCommand(ctx, bson.D{{Key: "replSetInitiate", Value: config}}).Err()
		if err != nil {
			return fmt.Errorf("replSetInitiate: %w; log ends %s", err, m.proc.tail())
		}
		return nil
	})
}

// await polls the node until its hello satisfies ok.
func (m *Mongod) await(ctx context.Context, ok func(hello bson.M) bool) error {
	return onClient(ctx, "mongodb://"+m.host()+"/?directConnection=true", func(c *mongo.Client) error {
		for {
			hello := bson.M{}
			err := c.Database("admin").RunCommand(ctx, bson.D{{Key: "hello", Value: 1}}).Decode(&hello)
			if err == nil && ok(hello) {
				return nil
			}
			select {
			case <-ctx.Done():
				return fmt.Errorf("mongod on %s is not ready (%w); log ends %s", m.host(), err, m.proc.tail())
			case <-time.After(20 * time.Millisecond):
			}
		}
	})
}

func onClient(ctx context.Context, uri string, f func(*mongo.Client) error) error {
	c, err := mongo.Connect(options.Client().ApplyURI(uri))
	if err != nil {
		return err
	}
	defer func() { _ = c.Disconnect(context.WithoutCancel(ctx)) }()
	return f(c)
}
