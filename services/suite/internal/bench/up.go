package bench

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/testkit"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/fleet"
)

// Up starts the suite's program on its embedded engines, on an empty folder and again on what
// the first start left, and looks at its memory after ten idle seconds.
func Up(ctx context.Context, r *Report) error {
	dir, err := os.MkdirTemp("", "lockstep-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }() // of no use any more
	if err := fleet.Build(ctx, testkit.Root(), dir, "", "./services/suite/cmd/lockstep"); err != nil {
		return err
	}
	rounds, idle := 5, 10*time.Second
	if r.Quick {
		rounds, idle = 1, time.Second
	}
	for round := range rounds {
		f, err := fleet.NewWhole(dir, filepath.Join(dir, strconv.Itoa(round)), nil)
		if err != nil {
			return err
		}
		if err := start(ctx, r, f, "up.first_ms", idle); err != nil {
			return err
		}
		if err := start(ctx, r, f, "up.ready_ms", idle); err != nil {
			return err
		}
	}
	return nil
}

func start(ctx context.Context, r *Report, f *fleet.Fleet, name string, idle time.Duration) error {
	begin := time.Now()
	if err := f.Start(ctx); err != nil {
		f.Kill()
		return err
	}
	r.Add(name, "ms", ms(time.Since(begin)))
	select {
	case <-time.After(idle):
	case <-ctx.Done():
	}
	rss, err := anonymous(f.Processes[fleet.Whole].PID())
	if err != nil {
		f.Kill()
		return err
	}
	r.Add("up.rss_mb", "MB", rss)
	return f.Stop(ctx)
}

// anonymous returns the resident anonymous memory of a process, MB.
func anonymous(pid int) (float64, error) {
	file, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	defer func() { _ = file.Close() }() // read only
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if value, ok := strings.CutPrefix(lines.Text(), "RssAnon:"); ok {
			kb, err := strconv.ParseFloat(strings.Fields(value)[0], 64)
			return kb / 1024, err
		}
	}
	return 0, fmt.Errorf("no RssAnon of process %d", pid)
}
