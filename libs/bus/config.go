package bus

import (
	"context"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
	"google.golang.org/grpc"

	"github.com/lockstep-logistics/lockstep/libs/clock"
	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/store"
)

// Config is what a service's bus works with.
type Config struct {
	// Service is the service's name, e.g. "order-release".
	Service string
	// DB is the service's own database.
	DB store.Feed
	// NATS carries facts; nil: they are fetched from their owners by polling only.
	NATS *nats.Conn
	// Dial returns the connection to another service, for its FactsService. Not needed for
	// facts that the service takes from itself.
	Dial func(service string) grpc.ClientConnInterface
	// Clock tells the recorded times of dead letters; nil is the system's.
	Clock clock.Clock
	// Log is where trouble is told; nil is slog's default.
	Log *slog.Logger
	// Prepare adds to the context in which handlers run, e.g. the service's own identity.
	Prepare func(ctx context.Context, f Fact) context.Context
	// Copied is told when a follower has its first copy, so that nobody need poll Ready for it;
	// nil for nobody. It must not wait.
	Copied func()
	// Stream bounds the JetStream stream of this service.
	Stream Stream
	// Workers is how many aggregates a consumer works on at once; 0 means 32.
	Workers int
	// Pending bounds the facts a consumer holds in memory; 0 means 4,096.
	Pending int
	// Timing are the periods; zero values mean the defaults, tests shorten them.
	Timing Timing
}

// Stream bounds the service's stream. Old messages go first; consumers that need them ask the owner.
type Stream struct {
	MaxBytes int64         // 0 means 1 GiB
	MaxAge   time.Duration // 0 means 48 h
	Replicas int           // 0 means 1
}

// Timing are the bus's periods.
type Timing struct {
	Lease     time.Duration // a holder that is silent this long is replaced; 3 s
	Record    time.Duration // positions are stored and heads announced; 1 s
	Minute    time.Duration // places in the numbering are kept for ListFacts; 1 min
	Keep      time.Duration // how long they are kept; 24 h
	Trail     time.Duration // snapshots are checked so long after their commits; 2 s
	Rest      time.Duration // the stored position of an idle service moves; 1 h, well below what the engine's log keeps
	Stall     time.Duration // a lane whose head is ahead and that does not move is fetched; 5 s
	Scan      time.Duration // reading the engine's order for one who asks ends; 20 s, less than callers wait
	Poll      time.Duration // heads are asked for; 10 s
	FastPoll  time.Duration // the same while the bus is down; 500 ms
	Reorder   time.Duration // wait for a message that overtook another before fetching; 50 ms
	Down      time.Duration // publishing that fails this long is given up until the bus is back; 2 s
	Park      time.Duration // an aggregate that fails for transient reasons while others succeed is parked; 1 min
	Handler   time.Duration // a handler's deadline; 30 s
	Grace     time.Duration // handlers may finish at shutdown; 5 s
	Retries   []time.Duration
	Reattempt time.Duration // a parked aggregate that failed for transient reasons is tried again; 30 s, doubling to 10 min
}

func orElse[T comparable](v, def T) T {
	var zero T
	if v == zero {
		return def
	}
	return v
}

func (t Timing) withDefaults() Timing {
	t.Lease = orElse(t.Lease, 3*time.Second)
	t.Record = orElse(t.Record, time.Second)
	t.Minute = orElse(t.Minute, time.Minute)
	t.Keep = orElse(t.Keep, 24*time.Hour)
	t.Trail = orElse(t.Trail, 2*time.Second)
	t.Rest = orElse(t.Rest, time.Hour)
	t.Stall = orElse(t.Stall, 5*time.Second)
	t.Scan = orElse(t.Scan, 20*time.Second)
	t.Poll = orElse(t.Poll, 10*time.Second)
	t.FastPoll = orElse(t.FastPoll, 500*time.Millisecond)
	t.Reorder = orElse(t.Reorder, 50*time.Millisecond)
	t.Down = orElse(t.Down, 2*time.Second)
	t.Park = orElse(t.Park, time.Minute)
	t.Handler = orElse(t.Handler, 30*time.Second)
	t.Grace = orElse(t.Grace, 5*time.Second)
	t.Reattempt = orElse(t.Reattempt, 30*time.Second)
	if len(t.Retries) == 0 {
		t.Retries = []time.Duration{50 * time.Millisecond, 200 * time.Millisecond, time.Second, 5 * time.Second, 30 * time.Second}
	}
	return t
}

func (c Config) withDefaults() (Config, error) {
	if c.Service == "" || c.DB == nil {
		return c, fault.New(fault.Invalid, "BUS_CONFIG", "a bus needs a service name and a database")
	}
	if c.Clock == nil {
		c.Clock = clock.System{}
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	c.Log = c.Log.With("component", "bus")
	if c.Prepare == nil {
		c.Prepare = func(ctx context.Context, _ Fact) context.Context { return ctx }
	}
	if c.Copied == nil {
		c.Copied = func() {}
	}
	c.Stream.MaxBytes = orElse(c.Stream.MaxBytes, 1<<30)
	c.Stream.MaxAge = orElse(c.Stream.MaxAge, 48*time.Hour)
	c.Stream.Replicas = orElse(c.Stream.Replicas, 1)
	c.Workers = orElse(c.Workers, 32)
	c.Pending = orElse(c.Pending, 4096)
	c.Timing = c.Timing.withDefaults()
	return c, nil
}
