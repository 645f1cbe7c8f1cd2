//go:build faults

package faults

import (
	"bufio"
	"context"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/testkit"
	orderreleasev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/fleet"
)

// traced has strace inject something into every fsync and fdatasync of the suite from now on,
// until the test ends or off is called.
func (r *rig) traced(t *testing.T, inject string) (off func()) {
	t.Helper()
	strace, err := exec.LookPath("strace")
	if err != nil {
		testkit.Skip(t, "no strace")
	}
	tracer := exec.Command(strace, "-f", "-p", fmt.Sprint(r.Processes[fleet.Whole].PID()), "-o", t.TempDir()+"/trace",
		"-e", "trace=fsync,fdatasync", "-e", "inject=fsync,fdatasync:"+inject)
	said, err := tracer.StderrPipe()
	if err == nil {
		err = tracer.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	off = sync.OnceFunc(func() {
		_ = tracer.Process.Kill() // the traced process may have ended, and strace with it
		_ = tracer.Wait()
	})
	t.Cleanup(off)
	if line, _ := bufio.NewReader(said).ReadString('\n'); !strings.Contains(line, "attached") {
		testkit.Skip(t, "a sandbox forbids root to trace a process, or strace cannot: %s", line)
	}
	return off
}

// TestSyncFails: the file system cannot make something durable and says so once. What the pages
// in memory are worth is not known any more, so the process ends with an error instead of going
// on; started again it has every order that was acknowledged, once.
func TestSyncFails(t *testing.T) {
	t.Parallel()
	r := begin(t, whole(t, nil), "")
	ids := r.load(t)
	p := r.Processes[fleet.Whole]
	exited := p.Exited()
	r.traced(t, "error=EIO")
	ctx, cancel := context.WithTimeout(t.Context(), 3*eventually) // its end in order included
	defer cancel()
	tried, begin := 0, time.Now()
	for ; ; tried++ {
		if _, err := r.once(ctx, fmt.Sprintf("EIO-%d", tried)); err == nil {
			t.Fatalf("EIO-%d was acknowledged and cannot be durable", tried)
		}
		select {
		case <-exited:
		case <-ctx.Done():
			t.Fatal("the process goes on")
		case <-time.After(50 * time.Millisecond): // all of them are ordered in the end, from a stock that has an end
			continue
		}
		break
	}
	t.Logf("it ended after %v", time.Since(begin).Round(time.Second/10))
	if err := p.Stop(ctx); err == nil { // how it has ended
		t.Error("it ended as if all were well")
	}
	r.restart(t)
	r.decided(ctx, t, ids, "EIO", tried+1, nil)
}

// TestSyncBeforeAnswer: with every fsync and fdatasync made slow, no command is answered sooner
// than one of them takes, so what is answered is durable; what is only read does not wait.
func TestSyncBeforeAnswer(t *testing.T) {
	t.Parallel()
	r := begin(t, whole(t, nil), "")
	if _, err := r.order(t.Context(), "SYNC-WARM", 1); err != nil {
		t.Fatal(err)
	}
	const slow = 600 * time.Millisecond
	off := r.traced(t, fmt.Sprintf("delay_enter=%d", slow.Microseconds()))
	timed := func(do func() error) time.Duration {
		begin := time.Now()
		if err := do(); err != nil {
			t.Fatal(err)
		}
		return time.Since(begin)
	}
	shortest, quickest := time.Hour, time.Hour
	for n := range syncs {
		number := fmt.Sprintf("SYNC-%d", n)
		var id string
		shortest = min(shortest, timed(func() (err error) {
			id, err = r.order(t.Context(), number, 1)
			return err
		}))
		quickest = min(quickest, timed(func() error {
			return r.api.Get(t.Context(), "/v1/orders/"+id, &orderreleasev1.GetOrderResponse{})
		}))
		shortest = min(shortest, timed(func() error {
			return r.api.Post(t.Context(), "/v1/orders/"+id+":cancel", "cancel-"+number, &orderreleasev1.RequestCancelRequest{Reason: "CUSTOMER_REQUEST"}, nil)
		}))
	}
	if shortest < slow {
		t.Errorf("a command was answered after %v, an fsync takes %v: its effect was not durable", shortest, slow)
	}
	if quickest >= slow {
		t.Errorf("the quickest read took %v: it is not the fsync that commands wait for", quickest)
	}
	t.Logf("commands took %v at least, reads %v", shortest.Round(time.Millisecond), quickest.Round(time.Millisecond))
	off()
	r.booked(t.Context(), t, 0, 1)
}

// syncs is how many orders are submitted and cancelled while syncs are slow.
const syncs = 5
