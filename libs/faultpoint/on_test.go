//go:build faults

package faultpoint

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
)

func TestMain(m *testing.M) {
	if os.Getenv("FAULTPOINT_VICTIM") != "" {
		for range 5 {
			_ = Hit(C4)
			_, _ = os.Stdout.WriteString("x")
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestKillAtThePassNamed(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "FAULTPOINT_VICTIM=1", "FAULT=C4:kill:n=3")
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("not killed: %v", err)
	}
	if string(out) != "xx" || !strings.HasPrefix(said.String(), "killed at C4 by ") || !strings.HasSuffix(said.String(), "faultpoint.TestMain\n") {
		t.Fatalf("wrote %q before the third pass and said %q", out, said.String())
	}
}

func TestDelayAndError(t *testing.T) {
	t.Cleanup(func() { _ = Arm("") })
	if err := Arm("C3:delay=20ms:n=2,C2:err=unavailable"); err != nil {
		t.Fatal(err)
	}
	if first := pass(C3, "any"); first.delay != 0 {
		t.Fatalf("the first pass waits for %v", first.delay)
	}
	start := time.Now()
	_ = Hit(C3)
	if second := time.Since(start); second < 20*time.Millisecond {
		t.Fatalf("the second pass took %v", second)
	}
	for range 2 {
		if err := Hit(C2); !fault.IsKind(err, fault.Unavailable) {
			t.Fatalf("C2: %v", err)
		}
	}
	if Passes(C3) != 2 || Hit(C1) != nil {
		t.Fatal("wrong count, or an unarmed point acted")
	}
}

// elsewhere passes a point.
func elsewhere() error { return Hit(C1) }

func TestOnlyWhereItIsSaid(t *testing.T) {
	t.Cleanup(func() { _ = Arm("") })
	if err := Arm("C1@faultpoint.elsewhere:err=unavailable:n=2,C1@NowhereAtAll:err=refused"); err != nil {
		t.Fatal(err)
	}
	for n, want := range []bool{false, true, false} { // whatever else passes between
		if err := Hit(C1); err != nil {
			t.Errorf("here: %v", err)
		}
		if err := elsewhere(); fault.IsKind(err, fault.Unavailable) != want {
			t.Errorf("pass %d there: %v", n+1, err)
		}
	}
}

func TestBadSpecIsRefused(t *testing.T) {
	for _, spec := range []string{"C1", "C1:die", "C1:delay=x", "C1:err=teapot", "C1:kill:n=x"} {
		if Arm(spec) == nil {
			t.Errorf("%q was accepted", spec)
		}
	}
}
