// Package embedded runs, inside this process, the parts that a deployment has as
// servers: NATS with JetStream on disk and a Redis. They promise what the servers
// promise and no more: neither holds the only copy of anything.
package embedded

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/redis/go-redis/v9"
)

// Parts are the running engines with clients on them.
type Parts struct {
	NATS  *nats.Conn
	Redis redis.UniversalClient

	nats  *server.Server
	redis *miniredis.Miniredis
	stop  context.CancelFunc
	done  chan struct{}
}

// Start runs the engines; JetStream keeps its files under folder/jetstream.
func Start(folder string) (*Parts, error) {
	ns, err := server.NewServer(&server.Options{
		ServerName: "lockstep",
		DontListen: true,
		JetStream:  true,
		StoreDir:   filepath.Join(folder, "jetstream"),
		NoSigs:     true,
		NoLog:      true,
	})
	if err != nil {
		return nil, fmt.Errorf("embedded NATS: %w", err)
	}
	ns.Start()
	if !ns.ReadyForConnections(10 * time.Second) {
		ns.Shutdown()
		return nil, errors.New("embedded NATS: not ready within 10 s")
	}
	nc, err := nats.Connect("", nats.InProcessServer(ns), nats.ReconnectBufSize(-1), nats.MaxReconnects(-1), nats.Name("lockstep"))
	if err != nil {
		ns.Shutdown()
		return nil, fmt.Errorf("embedded NATS: %w", err)
	}
	mr := miniredis.NewMiniRedis()
	if err := mr.Start(); err != nil {
		nc.Close()
		ns.Shutdown()
		return nil, fmt.Errorf("embedded Redis: %w", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	p := &Parts{NATS: nc, nats: ns, redis: mr, stop: stop, done: make(chan struct{})}
	p.Redis = redis.NewClient(&redis.Options{Addr: mr.Addr(), Protocol: 2})
	go p.expire(ctx)
	return p, nil
}

// expire moves miniredis's clock: it does not age keys by itself.
func (p *Parts) expire(ctx context.Context) {
	defer close(p.done)
	last := time.Now()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			p.redis.FastForward(now.Sub(last))
			last = now
		}
	}
}

// Close stops the engines, clients first.
func (p *Parts) Close() {
	p.stop()
	<-p.done
	_ = p.Redis.Close() // a cache: nothing to lose
	p.NATS.Close()
	p.nats.Shutdown()
	p.nats.WaitForShutdown()
	p.redis.Close()
}
