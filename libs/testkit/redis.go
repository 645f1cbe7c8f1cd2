package testkit

import (
	"bufio"
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
)

var sharedRedis struct {
	sync.Mutex
	server *RedisServer
	err    error
}

// Redis returns the URL of a Redis that all tests of this process share:
// LOCKSTEP_TEST_REDIS_URL, or a redis-server started for the occasion. A test that
// flushes, pauses or kills starts one of its own by StartRedis.
func Redis(t testing.TB) string {
	t.Helper()
	if url := os.Getenv("LOCKSTEP_TEST_REDIS_URL"); url != "" {
		return url
	}
	bin := redisServer(t)
	sharedRedis.Lock()
	defer sharedRedis.Unlock()
	if sharedRedis.server == nil && sharedRedis.err == nil {
		sharedRedis.server, sharedRedis.err = newRedis(bin)
	}
	if sharedRedis.err != nil {
		t.Fatal(sharedRedis.err)
	}
	return sharedRedis.server.URL()
}

// RedisServer is a redis-server that its test may kill, pause and restart.
type RedisServer struct {
	bin, dir string
	port     int
	proc     *process
}

// StartRedis starts a redis-server for this test alone. It keeps nothing on disk:
// a restart is a loss of everything, which Lockstep must survive.
func StartRedis(t testing.TB) *RedisServer {
	t.Helper()
	r, err := newRedis(redisServer(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Kill)
	return r
}

// URL returns the server's address as a URL.
func (r *RedisServer) URL() string { return "redis://127.0.0.1:" + strconv.Itoa(r.port) + "/0" }

// Kill ends the server as kill -9 does.
func (r *RedisServer) Kill() { r.proc.kill() }

// Stop ends the server as SIGTERM does.
func (r *RedisServer) Stop() error { return r.proc.stop(stopWithin) }

// Pause stops the server as SIGSTOP does: it accepts connections and never answers.
func (r *RedisServer) Pause() error { return r.proc.signal(syscall.SIGSTOP) }

// Resume lets a paused server go on.
func (r *RedisServer) Resume() error { return r.proc.signal(syscall.SIGCONT) }

// Restart starts a killed server again on its port, empty.
func (r *RedisServer) Restart(t testing.TB) {
	t.Helper()
	if err := r.run(); err != nil {
		t.Fatal(err)
	}
}

// LaunchRedis starts a redis-server for a program that is no test; it ends with this process
// at the latest.
func LaunchRedis() (*RedisServer, error) {
	bin, err := binary("redis-server", "redis/usr/bin/redis-server")
	if err != nil {
		return nil, fmt.Errorf("no redis-server: `make parts` fetches one into .cache: %w", err)
	}
	return newRedis(bin)
}

// Again is Restart for a program that is no test.
func (r *RedisServer) Again() error { return r.run() }

func redisServer(t testing.TB) string {
	t.Helper()
	bin, err := binary("redis-server", "redis/usr/bin/redis-server")
	if err != nil {
		Skip(t, "no redis-server: install it or set LOCKSTEP_TEST_REDIS_URL")
	}
	return bin
}

func newRedis(bin string) (*RedisServer, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "lockstep-redis-")
	if err != nil {
		return nil, err
	}
	r := &RedisServer{bin: bin, dir: dir, port: port}
	return r, r.run()
}

func (r *RedisServer) run() (err error) {
	if err := os.MkdirAll(r.dir, 0o700); err != nil {
		return err
	}
	r.proc, err = start(filepath.Join(r.dir, "redis.log"), r.dir,
		r.bin, "--port", strconv.Itoa(r.port), "--bind", "127.0.0.1", "--dir", r.dir, "--save", "", "--appendonly", "no")
	if err != nil {
		return err
	}
	deadline := time.Now().Add(startWithin)
	for !r.answers() {
		if time.Now().After(deadline) {
			return fmt.Errorf("redis-server on port %d does not answer; log ends %s", r.port, r.proc.tail())
		}
		time.Sleep(5 * time.Millisecond) // between two polls
	}
	return nil
}

// answers sends one PING by hand, so that no client library is needed here.
func (r *RedisServer) answers() bool {
	c, err := net.DialTimeout("tcp", "127.0.0.1:"+strconv.Itoa(r.port), time.Second)
	if err != nil {
		return false
	}
	defer func() { _ = c.Close() }() // what was read decides
	_ = c.SetDeadline(time.Now().Add(time.Second))
	if _, err := c.Write([]byte("PING\r\n")); err != nil {
		return false
	}
	line, err := bufio.NewReader(c).ReadString('\n')
	return err == nil && strings.HasPrefix(line, "+PONG")
}
