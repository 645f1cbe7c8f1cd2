package bus

import (
	"time"

	"github.com/nats-io/nats.go"

	"github.com/lockstep-logistics/lockstep/libs/fault"
)

// Connect connects to NATS as the bus wants it: it tries for ever, the first time too,
// and buffers nothing while away, so that what is published after a gap cannot come
// before the relay has noticed the gap. For a server in this process pass "" and
// nats.InProcessServer(server).
func Connect(url, name string, opts ...nats.Option) (*nats.Conn, error) {
	base := []nats.Option{
		nats.Name(name),
		nats.ReconnectBufSize(-1),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(100 * time.Millisecond),
		nats.ReconnectJitter(100*time.Millisecond, 100*time.Millisecond),
		nats.RetryOnFailedConnect(true),
		nats.PingInterval(5 * time.Second),
		nats.MaxPingsOutstanding(2),
	}
	nc, err := nats.Connect(url, append(base, opts...)...)
	if err != nil {
		return nil, fault.New(fault.Unavailable, "BUS_UNREACHABLE", "no connection to NATS").Wrap(err)
	}
	return nc, nil
}
