//go:build faults

package faults

import (
	"bufio"
	"context"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/testkit"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/fleet"
)

// TestSyncFails: the file system cannot make something durable and says so once. What the pages
// in memory are worth is not known any more, so the process ends with an error instead of going
// on; started again it has every order that was acknowledged, once.
func TestSyncFails(t *testing.T) {
	t.Parallel()
	strace, err := exec.LookPath("strace")
	if err != nil {
		testkit.Skip(t, "no strace")
	}
	r := begin(t, whole(t, nil), "")
	ids := r.load(t)
	p := r.Processes[fleet.Whole]
	exited := p.Exited()
	tracer := exec.Command(strace, "-f", "-p", fmt.Sprint(p.PID()), "-o", t.TempDir()+"/trace",
		"-e", "trace=fsync,fdatasync", "-e", "inject=fsync,fdatasync:error=EIO")
	said, err := tracer.StderrPipe()
	if err == nil {
		err = tracer.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = tracer.Process.Kill() // the traced process has ended
		_ = tracer.Wait()
	}()
	if line, _ := bufio.NewReader(said).ReadString('\n'); !strings.Contains(line, "attached") {
		t.Skipf("strace may not attach here: %s", line) // a container without the right to
	}
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
