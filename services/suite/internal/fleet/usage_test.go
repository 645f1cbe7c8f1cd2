package fleet

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/pprof"
	"os"
	"os/exec"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/testkit"
)

// held keeps memory in use.
var held []byte

// TestUsage: goroutines and heap of a process are told as they come and go.
func TestUsage(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	server := httptest.NewServer(mux)
	defer server.Close()
	f := &Fleet{admin: map[string]string{"p": strings.TrimPrefix(server.URL, "http://")}}
	usage := func() Usage {
		t.Helper()
		u, err := f.Usage(t.Context(), "p")
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	before := usage()
	const more, mb = 100, 1 << 20
	stop := make(chan struct{})
	for range more {
		go waits(stop)
	}
	held = make([]byte, 64*mb)
	if u := usage(); u.Goroutines < before.Goroutines+more || u.HeapInUse < before.HeapInUse+60*mb {
		t.Errorf("%+v, before %d goroutines and 64 MB more %+v", u, more, before)
	}
	testkit.Eventually(t, time.Minute, func() error { // some may not have begun
		stacks, err := f.Stacks(t.Context(), "p")
		if n := stacks[reflect.TypeOf(Usage{}).PkgPath()+".waits"]; err != nil || n != more {
			return fmt.Errorf("%d goroutines wait: %v, %w", n, stacks, err)
		}
		return nil
	})
	runtime.KeepAlive(held)
	held = nil
	close(stop)
	testkit.Eventually(t, time.Minute, func() error {
		if u := usage(); u.Goroutines > before.Goroutines+5 || u.HeapInUse >= before.HeapInUse+8*mb {
			return fmt.Errorf("%+v, and %+v before anything was taken", u, before)
		}
		return nil
	})
	if _, err := (&Fleet{admin: map[string]string{"p": "127.0.0.1:1"}}).Usage(t.Context(), "p"); err == nil {
		t.Error("a process that does not answer has a usage")
	}
}

func waits(stop <-chan struct{}) { <-stop }

// TestResident: of a process that runs.
func TestResident(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("reads /proc")
	}
	sleep, err := exec.LookPath("sleep")
	if err != nil {
		t.Skip(err)
	}
	p := &Process{Name: "sleep", Args: []string{sleep, "600"}, Log: os.DevNull}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	n, err := p.Resident()
	for until := time.Now().Add(time.Minute); err == nil && n < 1<<16 && time.Now().Before(until); n, err = p.Resident() {
		time.Sleep(10 * time.Millisecond) // it has only just begun
	}
	if err != nil || n < 1<<16 || n > 1<<30 {
		t.Errorf("%d bytes, %v", n, err)
	}
	p.Kill()
	if n, err := p.Resident(); err == nil {
		t.Errorf("one that has ended has %d bytes", n)
	}
}
