package testkit

import (
	"errors"
	"net"
	"os"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// NATS returns a connection to a nats-server with JetStream in this process, for
// this test alone.
func NATS(t testing.TB) *nats.Conn {
	t.Helper()
	return StartNATS(t).Connect(t)
}

// NATSServer is a nats-server in this process that its test may stop, wipe and restart.
type NATSServer struct {
	Dir  string // where JetStream keeps its files
	srv  *server.Server
	url  string
	port int
}

// StartNATS starts a nats-server on a loopback port, with JetStream on disk, for this test alone.
func StartNATS(t testing.TB) *NATSServer {
	t.Helper()
	return StartNATSIn(t, "")
}

// StartNATSIn is StartNATS with its files in a folder under parent.
func StartNATSIn(t testing.TB, parent string) *NATSServer {
	t.Helper()
	dir, err := os.MkdirTemp(parent, "lockstep-nats-")
	if err != nil {
		t.Fatal(err)
	}
	s := &NATSServer{Dir: dir, port: server.RANDOM_PORT}
	t.Cleanup(func() {
		s.Stop()
		_ = os.RemoveAll(dir)
	})
	if err := s.run(); err != nil {
		t.Fatal(err)
	}
	return s
}

// URL returns the server's address; it stays over a restart.
func (s *NATSServer) URL() string { return s.url }

// Connect returns a connection as the host makes them: it reconnects for ever and
// buffers nothing while away. It closes with the test.
func (s *NATSServer) Connect(t testing.TB) *nats.Conn {
	t.Helper()
	nc, err := nats.Connect(s.url, nats.ReconnectBufSize(-1), nats.MaxReconnects(-1), nats.ReconnectWait(20*time.Millisecond), nats.Timeout(startWithin))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

// JetStreamEnabled reports whether the server still keeps streams.
func (s *NATSServer) JetStreamEnabled() bool { return s.srv.JetStreamEnabled() }

// Stop ends the server; clients see it go.
func (s *NATSServer) Stop() {
	s.srv.Shutdown()
	s.srv.WaitForShutdown()
}

// Restart starts a stopped server on its port and files; wipe deletes the files first.
func (s *NATSServer) Restart(t testing.TB, wipe bool) {
	t.Helper()
	if wipe {
		if err := os.RemoveAll(s.Dir); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.run(); err != nil {
		t.Fatal(err)
	}
}

func (s *NATSServer) run() error {
	srv, err := server.NewServer(&server.Options{
		ServerName: "testkit", Host: "127.0.0.1", Port: s.port,
		JetStream: true, StoreDir: s.Dir, NoSigs: true, NoLog: true,
		JetStreamMaxStore: server.JetStreamMaxStoreDefault, // whatever the disk has: streams may be larger than they get
	})
	if err != nil {
		return err
	}
	s.srv = srv
	srv.Start()
	if !srv.ReadyForConnections(startWithin) {
		return errors.New("the NATS server is not ready")
	}
	s.url, s.port = srv.ClientURL(), srv.Addr().(*net.TCPAddr).Port
	return nil
}
