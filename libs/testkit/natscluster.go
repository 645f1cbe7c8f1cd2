package testkit

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// NATSNode is a nats-server process, one of a cluster with JetStream, that may be killed,
// paused, wiped and started again.
type NATSNode struct {
	Dir string // where JetStream keeps its files
	URL string

	name, bin, conf string
	proc            *process
}

// LaunchNATSCluster starts n nats-servers that know each other, for a program that is no
// test. Their files are under dir, which the caller removes; they end with this process at
// the latest. The cluster elects its leader by itself: a client waits for its streams.
func LaunchNATSCluster(dir string, n int) ([]*NATSNode, error) {
	bin, err := binary("nats-server", "../bin/nats-server")
	if err != nil {
		return nil, fmt.Errorf("no nats-server: `make parts` builds one into bin: %w", err)
	}
	nodes, routes := make([]*NATSNode, n), make([]string, n)
	for i := range nodes {
		client, err := FreeAddress()
		if err != nil {
			return nil, err
		}
		if routes[i], err = FreeAddress(); err != nil {
			return nil, err
		}
		name := fmt.Sprintf("nats-%d", i+1)
		nodes[i] = &NATSNode{
			Dir: filepath.Join(dir, name, "jetstream"), URL: "nats://" + client,
			name: name, bin: bin, conf: filepath.Join(dir, name+".conf"),
		}
	}
	for i, s := range nodes {
		conf := fmt.Sprintf(`server_name: %s
listen: %s
jetstream { store_dir: %q, max_file_store: 16GB, max_memory_store: 256MB }
`, s.name, strings.TrimPrefix(s.URL, "nats://"), s.Dir)
		if n > 1 { // one alone would wait for others to choose a leader with
			conf += fmt.Sprintf("cluster { name: lockstep, listen: %s, routes: [ nats://%s ] }\n", routes[i], strings.Join(routes, ", nats://"))
		}
		if err := os.WriteFile(s.conf, []byte(conf), 0o600); err != nil {
			return nil, err
		}
		if err := s.run(); err != nil {
			return nil, err
		}
	}
	for _, s := range nodes {
		if err := s.await(); err != nil {
			return nil, err
		}
	}
	return nodes, nil
}

// Name is the server's name in its cluster.
func (s *NATSNode) Name() string { return s.name }

// Kill ends the server as kill -9 does.
func (s *NATSNode) Kill() { s.proc.kill() }

// Stop ends the server as SIGTERM does: it hands on what it leads.
func (s *NATSNode) Stop() error { return s.proc.stop(stopWithin) }

// Pause stops the server as SIGSTOP does; Resume lets it go on.
func (s *NATSNode) Pause() error { return s.proc.signal(syscall.SIGSTOP) }

// Resume lets a paused server go on.
func (s *NATSNode) Resume() error { return s.proc.signal(syscall.SIGCONT) }

// Again starts a server that has ended on its ports and files; wipe deletes the files first.
func (s *NATSNode) Again(wipe bool) error {
	if wipe {
		if err := os.RemoveAll(s.Dir); err != nil {
			return err
		}
	}
	if err := s.run(); err != nil {
		return err
	}
	return s.await()
}

func (s *NATSNode) run() (err error) {
	if err := os.MkdirAll(s.Dir, 0o700); err != nil {
		return err
	}
	s.proc, err = start(strings.TrimSuffix(s.conf, ".conf")+".log", "", s.bin, "-c", s.conf)
	return err
}

// await waits until the server takes connections.
func (s *NATSNode) await() error {
	for deadline := time.Now().Add(startWithin); ; {
		c, err := net.DialTimeout("tcp", strings.TrimPrefix(s.URL, "nats://"), time.Second)
		if err == nil {
			return c.Close()
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s does not answer (%w); log ends %s", s.name, err, s.proc.tail())
		}
		time.Sleep(10 * time.Millisecond) // between two polls
	}
}
