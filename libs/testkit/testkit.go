// Package testkit gives tests the real parts that Lockstep runs on: MongoDB as a
// replica set, Redis, NATS with JetStream; shared within a test process or, for
// tests that kill and restart them, owned by one test.
//
// It promises that nothing outlives the test process, however that ends, and
// that a part which cannot be had skips a test on a developer's machine and
// fails it in CI. Whole services are started by host/hosttest, on these parts.
package testkit

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// Skip skips the test because a part is missing; with CI=true it fails it instead,
// so that a gate never goes green by running nothing.
func Skip(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("missing in CI: "+format, args...)
		return
	}
	t.Skipf(format, args...)
}

// Eventually polls cond until it holds (true, or a nil error) and fails the test
// when it does not within the given time, with the last error.
func Eventually[C func() bool | func() error](t testing.TB, within time.Duration, cond C) {
	t.Helper()
	last := error(nil)
	holds := func() bool {
		switch f := any(cond).(type) {
		case func() bool:
			return f()
		case func() error:
			last = f()
		}
		return last == nil
	}
	deadline := time.Now().Add(within)
	for pause := time.Millisecond; !holds(); pause = min(2*pause, 50*time.Millisecond) {
		if time.Now().After(deadline) {
			if last == nil {
				t.Fatalf("condition does not hold after %v", within)
			}
			t.Fatalf("condition does not hold after %v: %v", within, last)
		}
		time.Sleep(pause) // between two polls; nothing is assumed about what happens meanwhile
	}
}

// Main runs the tests of a process, then asks leaks, e.g. goleak.Find, until it finds none: on a
// busy machine what was told to end may take a while.
func Main(m *testing.M, leaks func() error) {
	code := m.Run()
	for end := time.Now().Add(startWithin / 4); code == 0; {
		err := leaks()
		if err == nil {
			break
		}
		if time.Now().After(end) {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// Name returns a name that no other test run uses, of at most 24 characters
// [a-z0-9_]: for tenants, databases, streams.
func Name(prefix string) string {
	if len(prefix) > 12 {
		prefix = prefix[:12]
	}
	return fmt.Sprintf("%s_%011x", prefix, rand.Uint64()&(1<<44-1))
}

// Root returns the top folder of the repository (where go.work is), or "" outside one.
func Root() string {
	dir, err := os.Getwd()
	if err != nil {
		return ""
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.work")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return ""
		}
		dir = parent
	}
}

// binary finds a program: in the repository's cache folder, then on PATH.
func binary(name string, cached ...string) (string, error) {
	for _, c := range cached {
		if p := filepath.Join(Root(), ".cache", c); Root() != "" {
			if _, err := exec.LookPath(p); err == nil {
				return p, nil
			}
		}
	}
	return exec.LookPath(name)
}
