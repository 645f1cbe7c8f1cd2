package campaign

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/lockstep-logistics/lockstep/libs/clock"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	orderreleasev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/campaign/scripts"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/checker"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/history"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/lifecycle"
)

// What the load is made of.
const (
	items      = 40 // few, so that orders meet at the same stock
	perItem    = 1_000_000
	cancelOf   = 6                // one order in so many is cancelled instead of walked
	scriptOf   = 5                // and one of the others goes by a script
	orderTime  = 4 * time.Minute  // an order that takes longer is a violation
	callTime   = 15 * time.Second // of one attempt
	clientWait = 100 * time.Millisecond

	fighters    = 4 // of a tenant, with numbers of their own
	fighterBase = 1000
	fightRounds = 5
)

// load walks orders of two tenants by many clients, each with retries.
type load struct {
	cluster *Cluster
	log     *history.Log
	watch   *history.Watch
	seed    uint64
	tenants []string
	door    *history.Door
	http    *http.Client
	turn    int // of walks: orders of different ones have different numbers

	walked, cancelled atomic.Int64
	scripted          [scripts.Kinds]atomic.Int64
	mu                sync.Mutex
	failed            []error
}

func newLoad(c *Cluster, log *history.Log, watch *history.Watch, seed uint64) *load {
	door := &history.Door{Transport: http.Transport{MaxIdleConnsPerHost: stormClients}}
	return &load{
		cluster: c, log: log, watch: watch, seed: seed, tenants: []string{"acme", "globex"},
		door: door, http: &http.Client{Timeout: callTime, Transport: door},
	}
}

// conn is the n-th client's connection.
func (l *load) conn(n int) (*history.Conn, error) {
	tenant := l.tenants[n%len(l.tenants)]
	api, err := l.cluster.API(tenant, l.http)
	return &history.Conn{API: api, Log: l.log, Client: n, Tenant: tenant, Principal: guard.AdminCaller(tenant).Principal, Watch: l.watch}, err
}

func driver(conn grpc.ClientConnInterface) *lifecycle.Driver {
	return &lifecycle.Driver{Dial: func(string) grpc.ClientConnInterface { return conn }, Now: clock.System{}.Now}
}

// setup gives each tenant its master data and stock.
func (l *load) setup(ctx context.Context) error {
	for n := range l.tenants {
		conn, err := l.conn(n)
		if err != nil {
			return err
		}
		if err := driver(conn).Setup(ctx, items, perItem); err != nil {
			return err
		}
	}
	return nil
}

// run keeps clients busy until ctx ends, some of them fighting for the same things; each then
// finishes what it is at.
func (l *load) run(ctx context.Context, clients int) {
	var group sync.WaitGroup
	for tenant := range l.tenants {
		group.Go(func() {
			if err := l.fights(ctx, tenant); err != nil {
				l.fail(err)
			}
		})
	}
	l.walk(ctx, clients, &group)
	group.Wait()
}

// walk lets clients walk orders.
func (l *load) walk(ctx context.Context, clients int, group *sync.WaitGroup) {
	for n := range clients {
		group.Go(func() {
			if err := l.client(ctx, n); err != nil {
				l.fail(err)
			}
		})
	}
}

func (l *load) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failed = append(l.failed, err)
}

// fights lets some clients of a tenant send the same keys and want the same scarce stock, a few
// rounds at a time.
func (l *load) fights(ctx context.Context, tenant int) error {
	conns := make([]grpc.ClientConnInterface, fighters)
	for i := range conns {
		conn, err := l.conn(fighterBase + tenant + i*len(l.tenants))
		if err != nil {
			return err
		}
		conns[i] = conn
	}
	for n := 0; ctx.Err() == nil; n++ {
		fight, done := context.WithTimeout(context.WithoutCancel(ctx), orderTime)
		err := checker.Contend(fight, conns, lifecycle.Site, fmt.Sprintf("%s-%d", l.tenants[tenant], n), fightRounds)
		done()
		if err != nil {
			return fmt.Errorf("clients of %s that fight: %w", l.tenants[tenant], err)
		}
		pauseFor(ctx, time.Second)
	}
	return nil
}

// client takes one order after another its way.
func (l *load) client(ctx context.Context, n int) error {
	conn, err := l.conn(n)
	if err != nil {
		return err
	}
	random := rand.New(rand.NewPCG(l.seed, uint64(n)))
	begin, done := context.WithTimeout(context.WithoutCancel(ctx), orderTime)
	defer done()
	by := scripts.Client{Conn: conn, Now: clock.System{}.Now, Item: fmt.Sprintf("OWN-%05d", n)}
	if err := by.Supply(begin, fmt.Sprintf("C%d-%d", l.turn, n)); err != nil {
		return fmt.Errorf("client %d, its item: %w", n, err)
	}
	for order := 0; ctx.Err() == nil; order++ {
		number := fmt.Sprintf("C%d-%d-%05d", l.turn, n, order)
		lines := make([]lifecycle.Line, 1+random.IntN(3))
		from := random.IntN(items)
		for i := range lines {
			lines[i] = lifecycle.Line{SKU: lifecycle.SKU((from + i) % items), Quantity: 1 + random.IntN(5)}
		}
		if err := l.one(ctx, by, random, number, lines); err != nil {
			return fmt.Errorf("client %d: %w", n, err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(rand.N(clientWait)):
		}
	}
	return nil
}

// one cancels an order, takes it through a script, or walks it; it comes to its end even when ctx ends.
func (l *load) one(ctx context.Context, by scripts.Client, random *rand.Rand, number string, lines []lifecycle.Line) (err error) {
	order, done := context.WithTimeout(context.WithoutCancel(ctx), orderTime)
	defer done()
	count := &l.walked
	switch d := driver(by.Conn); {
	case random.IntN(cancelOf) == 0:
		count, err = &l.cancelled, cancelled(order, by.Conn, d, number, lines)
	case random.IntN(scriptOf) == 0:
		s := scripts.Choose(random)
		count, err = &l.scripted[s.Kind], by.Run(order, number, lines, s)
	default:
		err = d.WalkBy(order, number, lines, lifecycle.Choose(random))
	}
	if err == nil {
		count.Add(1)
	}
	return err
}

// cancelled submits an order and cancels it, whatever has become of it meanwhile, and waits
// for its end.
func cancelled(ctx context.Context, conn grpc.ClientConnInterface, d *lifecycle.Driver, number string, lines []lifecycle.Line) error {
	id, err := d.Submit(ctx, number, lines)
	if err != nil {
		return err
	}
	client := orderreleasev1.NewOrderReleaseServiceClient(conn)
	key := metadata.AppendToOutgoingContext(ctx, guard.MetaKey, "walk:"+number+":RequestCancel")
	if _, err := client.RequestCancel(key, &orderreleasev1.RequestCancelRequest{OrderId: id, Reason: "CUSTOMER_REQUEST"}); err != nil {
		return err
	}
	for {
		resp, err := client.GetOrder(ctx, &orderreleasev1.GetOrderRequest{OrderId: id})
		if err != nil {
			return err
		}
		if resp.GetOrder().GetState() == orderreleasev1.OrderState_ORDER_STATE_CANCELLED {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("cancelled order %s is %s", number, resp.GetOrder().GetState()), ctx.Err())
		case <-time.After(200 * time.Millisecond):
		}
	}
}
