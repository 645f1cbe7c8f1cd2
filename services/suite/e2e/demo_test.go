package e2e

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/lockstep-logistics/lockstep/services/integration/sandbox"
)

// demo runs the demo to its end and returns what it printed and its exit code.
func demo(t *testing.T, env []string, args ...string) (string, int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(programs, "lockstep"), append([]string{"demo"}, args...)...)
	cmd.Env = append(append(os.Environ(), "DEMO_EXIT=1", "DEMO_DATA=", "GATEWAY__LISTEN=127.0.0.1:0"), env...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = time.Minute
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) || ctx.Err() != nil {
		t.Fatalf("%v %v\n%s", err, ctx.Err(), out)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

var told = regexp.MustCompile(`(\d+) orders in ([0-9.]+) s`)

// rows are the outcomes that the demo prints, by the name of the scenario.
func rows(t *testing.T, out string) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, s := range sandbox.Scenarios("SO-") {
		for _, line := range strings.Split(out, "\n") {
			if fields := strings.Fields(line); len(fields) > 2 && fields[0] == s.Number && fields[1] == s.Name {
				found[s.Name] = line
			}
		}
		if found[s.Name] == "" {
			t.Errorf("no outcome of %s", s.Name)
		}
	}
	took := told.FindStringSubmatch(out)
	if took == nil {
		t.Fatalf("no time is told:\n%s", out)
	}
	t.Logf("%s orders took %s s", took[1], took[2])
	return found
}

// TestDemo: the demo that ends by itself succeeds when every scenario reached its end, and
// says of each that it did and how long all took.
func TestDemo(t *testing.T) {
	out, code := demo(t, nil)
	if code != 0 {
		t.Fatalf("exit code %d\n%s", code, out)
	}
	for name, line := range rows(t, out) {
		if !strings.HasSuffix(line, ": reached its end") {
			t.Errorf("%s: %s", name, line)
		}
	}
	if !strings.Contains(out, "The story of order SO-1001") {
		t.Errorf("no story:\n%s", out)
	}
}

// TestDemoFails: where nobody may authorise a return by itself, the scenario of one cannot
// end; the demo says which and fails.
func TestDemoFails(t *testing.T) {
	out, code := demo(t, []string{"RETURNS__AUTO_AUTHORISE=false"}, "--within=30s")
	if line := rows(t, out)["return"]; code == 0 || !strings.Contains(line, "did NOT reach its end") {
		t.Errorf("exit code %d, %s\n%s", code, line, out)
	}
}
