// Package campaign runs the suite as a cluster on loopback, a replica set of MongoDB, a
// cluster of NATS, Redis, replicas of every service with mutual TLS, drives whole orders
// through it while its parts are killed, paused and robbed by a seed, and afterwards holds
// what every client was told against what the databases say.
package campaign

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/fleet"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/rest"
)

// Services are the services by name; each has a program of its own.
var Services = []string{
	"master-data", "order-release", "inventory-movement", "shipment-visibility", "freight-settlement", "returns", "integration", "control-tower",
}

// prefix begins the names of the cluster's databases.
const prefix = "c_"

// Cluster is the running suite with the servers under it.
type Cluster struct {
	*fleet.Fleet
	Mongo []*testkit.Mongod
	NATS  []*testkit.NATSNode
	Redis *testkit.RedisServer
	Bin   string // folder of the programs

	client *mongo.Client
}

// Layout is what a cluster is made of.
type Layout struct {
	Mongods, NATSServers, Replicas int
	Env                            []string // of every process of the suite
}

// Full is a cluster as a deployment has it.
var Full = Layout{Mongods: 3, NATSServers: 3, Replicas: 2}

// Programs builds the suite's programs into a folder, with build tags; root is the
// top of the source tree.
func Programs(ctx context.Context, root, into, tags string) error {
	all := []string{"./gateway/cmd/gateway"}
	for _, s := range Services {
		all = append(all, "./"+filepath.ToSlash(filepath.Join("services", s, "cmd", s)))
	}
	return fleet.Build(ctx, root, into, tags, all...)
}

// Start starts a cluster of the programs in bin, with its files under dir. What it began is
// ended when it fails.
func Start(ctx context.Context, bin, dir string, layout Layout) (c *Cluster, err error) {
	c = &Cluster{Bin: bin}
	defer func() {
		if err != nil {
			c.Kill()
		}
	}()
	if c.Mongo, err = testkit.LaunchReplicaSet(dir, layout.Mongods, "--wiredTigerCacheSizeGB", "0.5"); err != nil {
		return c, err
	}
	if c.NATS, err = testkit.LaunchNATSCluster(dir, layout.NATSServers); err != nil {
		return c, err
	}
	if c.Redis, err = testkit.LaunchRedis(); err != nil {
		return c, err
	}
	var urls []string
	for _, s := range c.NATS {
		urls = append(urls, s.URL)
	}
	servers := fleet.Servers{Mongo: c.Mongo[0].URI(), NATS: strings.Join(urls, ","), Redis: c.Redis.URL(), Prefix: prefix}
	shape := fleet.Shape{Replicas: layout.Replicas, MTLS: true, Env: append([]string{
		fmt.Sprintf("LOCKSTEP_NATS__REPLICAS=%d", layout.NATSServers),
	}, layout.Env...)}
	if c.Fleet, err = fleet.NewReplicated(bin, dir, servers, Services, shape); err != nil {
		return c, err
	}
	if c.client, err = mongo.Connect(options.Client().ApplyURI(c.Mongo[0].URI())); err != nil {
		return c, err
	}
	return c, c.Fleet.Start(ctx)
}

// Kill ends all processes of the cluster at once.
func (c *Cluster) Kill() {
	if c.client != nil {
		_ = c.client.Disconnect(context.Background()) // nothing is sent any more
	}
	if c.Fleet != nil {
		c.Fleet.Kill()
	}
	for _, m := range c.Mongo {
		m.Kill()
	}
	for _, s := range c.NATS {
		s.Kill()
	}
	if c.Redis != nil {
		c.Redis.Kill()
	}
}

// processes are the names of a service's processes.
func (c *Cluster) processes(service string) (names []string) {
	for name := range c.Processes {
		if name == service || strings.HasPrefix(name, service+"-") {
			names = append(names, name)
		}
	}
	return names
}

// API is the public API for a tenant's administrator.
func (c *Cluster) API(tenant string, client *http.Client) (*rest.Conn, error) {
	token, err := c.Token(guard.AdminCaller(tenant))
	return &rest.Conn{Base: c.URL, Token: token, HTTP: client}, err
}

// database is a service's database.
func (c *Cluster) database(service string) *mongo.Database {
	return c.client.Database(prefix + strings.ReplaceAll(service, "-", "_"))
}

// again starts a process that has ended, on the program in bin, and waits until it is ready.
func (c *Cluster) again(ctx context.Context, name, bin string, extra ...string) error {
	p := c.Processes[name]
	p.Args[0] = filepath.Join(bin, filepath.Base(p.Args[0]))
	if err := p.Start(extra...); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	return c.Await(ctx, name)
}

// readyWithin bounds a start, beside everything else on the machine and without its primary.
const readyWithin = 90 * time.Second

// Work is a folder for one campaign; it goes with done unless it is to be kept.
func Work(keep bool) (dir string, done func() error, err error) {
	dir, err = os.MkdirTemp("", "lockstep-cluster-")
	done = func() error {
		if keep {
			return nil
		}
		return os.RemoveAll(dir)
	}
	if err != nil {
		err = errors.Join(err, done())
	}
	return dir, done, err
}
