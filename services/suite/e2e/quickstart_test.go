package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/testkit"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/fleet"
)

// The first thing that a newcomer runs works as it is written, and again.
func TestQuickstart(t *testing.T) {
	for _, tool := range []string{"sh", "curl"} {
		if _, err := exec.LookPath(tool); err != nil {
			testkit.Skip(t, "%s is not on PATH", tool)
		}
	}
	f, err := fleet.NewWhole(programs, t.TempDir(), nil)
	started(t, f, err)
	var id string
	for range 2 {
		cmd := exec.CommandContext(t.Context(), "sh", filepath.Join(testkit.Root(), "services", "suite", "quickstart.sh"))
		cmd.Env = append(os.Environ(), "URL="+f.URL, "TOKEN="+f.AdminToken)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		for _, want := range []string{`"state":"ORDER_STATE_FULFILLED"`, `"issued":"48"`, `"missing":[]`} {
			if !strings.Contains(string(out), want) {
				t.Errorf("no %s in\n%s", want, out)
			}
		}
		_, rest, _ := strings.Cut(string(out), `"orderId":"`)
		now, _, _ := strings.Cut(rest, `"`)
		if id != "" && now != id {
			t.Errorf("run again it is order %s, first %s", now, id)
		}
		id = now
	}
}
