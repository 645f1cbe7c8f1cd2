package history

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/rest"
)

// Conn is a patient client's connection: a call whose outcome is unknown, or that the suite
// was too busy for, is sent again under its key with growing, jittered pauses until its
// context ends. Commands are written down, queries are not. It implements
// grpc.ClientConnInterface.
type Conn struct {
	API       *rest.Conn
	Log       *Log // nil for none
	Client    int
	Tenant    string
	Principal string
	Watch     *Watch
}

// Pauses between attempts: full jitter below a bound that doubles, on top of what the answer
// asks for. Without it all clients that were told the same would come back at once.
const firstPause, longestPause = 100 * time.Millisecond, 2 * time.Second

// Invoke implements grpc.ClientConnInterface.
func (c *Conn) Invoke(ctx context.Context, method string, args, reply any, opts ...grpc.CallOption) error {
	var key string
	if md, _ := metadata.FromOutgoingContext(ctx); len(md.Get(guard.MetaKey)) > 0 {
		key = md.Get(guard.MetaKey)[0]
	}
	e := &Entry{Client: c.Client, Tenant: c.Tenant, Principal: c.Principal, Key: key, Method: method}
	if c.Log != nil {
		e.Call = c.Log.Since()
	}
	begin := time.Now()
	err := c.send(ctx, e, args, reply, opts)
	if c.Watch != nil {
		c.Watch.saw(key != "" && err == nil, begin)
	}
	if key == "" || c.Log == nil {
		return err
	}
	if err := e.tell(c.Log.Since(), args.(proto.Message), reply.(proto.Message), err); err != nil {
		return err
	}
	return errors.Join(err, c.Log.Add(e))
}

// send tries until there is an answer that is one.
func (c *Conn) send(ctx context.Context, e *Entry, args, reply any, opts []grpc.CallOption) error {
	for bound := firstPause; ; bound = min(2*bound, longestPause) {
		e.Attempts++
		err := c.API.Invoke(ctx, e.Method, args, reply, opts...)
		if err == nil || !again(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause(err, bound)):
		}
	}
}

// NewStream implements grpc.ClientConnInterface; REST has no streams.
func (c *Conn) NewStream(ctx context.Context, d *grpc.StreamDesc, method string, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	return c.API.NewStream(ctx, d, method, opts...)
}

// again reports whether a failure leaves the effect unknown, or says to come back.
func again(err error) bool {
	var p *rest.Problem
	if !errors.As(err, &p) {
		return true // nothing was answered
	}
	return p.Retry || p.Status >= http.StatusInternalServerError || p.Status == http.StatusTooManyRequests
}

// pause draws how long to wait: what the answer asks for, and a part of its own.
func pause(err error, bound time.Duration) time.Duration {
	d := rand.N(bound)
	var p *rest.Problem
	if errors.As(err, &p) {
		d += p.After
	}
	return d
}

// tell completes the entry with how the command ended.
func (e *Entry) tell(at time.Duration, args, reply proto.Message, failure error) (err error) {
	if e.Request, err = protojson.Marshal(args); err != nil {
		return err
	}
	var p *rest.Problem
	switch {
	case failure == nil:
		e.Outcome, e.Return = OK, at
		e.Response, err = protojson.Marshal(reply)
	case again(failure):
		e.Outcome, e.Detail = Unknown, failure.Error()
	default:
		e.Outcome, e.Return, e.Detail = Refused, at, failure.Error()
	}
	if errors.As(failure, &p) {
		e.Status, e.Code = p.Status, p.Code
	}
	return err
}

// Watch keeps the longest time in which no command of any client succeeded.
type Watch struct {
	last  atomic.Int64 // ns since 1970
	stall atomic.Int64 // ns
	took  func(begin time.Time, took time.Duration)
}

// NewWatch begins to watch; took is told of every command that succeeded, when it was first
// sent and how long it took with all its attempts.
func NewWatch(took func(begin time.Time, took time.Duration)) *Watch {
	w := &Watch{took: took}
	w.last.Store(time.Now().UnixNano())
	return w
}

func (w *Watch) saw(success bool, begin time.Time) {
	if !success {
		return
	}
	now := time.Now()
	since := now.UnixNano() - w.last.Swap(now.UnixNano())
	for old := w.stall.Load(); since > old && !w.stall.CompareAndSwap(old, since); old = w.stall.Load() {
	}
	w.took(begin, now.Sub(begin))
}

// Stall returns the longest time without a success since it was last asked.
func (w *Watch) Stall() time.Duration {
	return time.Duration(max(w.stall.Swap(0), time.Now().UnixNano()-w.last.Load()))
}
