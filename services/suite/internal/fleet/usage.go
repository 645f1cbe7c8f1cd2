package fleet

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

// Usage is what a process holds.
type Usage struct {
	Goroutines int
	HeapInUse  int64 // bytes
}

// Usage asks a process through its admin port; its garbage is collected before its heap is told.
func (f *Fleet) Usage(ctx context.Context, process string) (u Usage, err error) {
	if u.Goroutines, err = f.Goroutines(ctx, process); err != nil {
		return u, err
	}
	text, err := f.profile(ctx, process, "heap?gc=1&debug=1")
	if err != nil {
		return u, err
	}
	const name = "# HeapInuse = "
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		if value, ok := strings.CutPrefix(lines.Text(), name); ok {
			u.HeapInUse, err = strconv.ParseInt(value, 10, 64)
			return u, err
		}
	}
	return u, fmt.Errorf("the heap profile of %s does not say %q", process, name)
}

// Goroutines is how many a process has.
func (f *Fleet) Goroutines(ctx context.Context, process string) (n int, err error) {
	text, err := f.profile(ctx, process, "goroutine?debug=1")
	if err != nil {
		return 0, err
	}
	if _, err := fmt.Sscanf(string(text), "goroutine profile: total %d", &n); err != nil {
		return 0, fmt.Errorf("the goroutine profile of %s: %w", process, err)
	}
	return n, nil
}

// Stacks counts the goroutines of a process by the function that each began with.
func (f *Fleet) Stacks(ctx context.Context, process string) (map[string]int, error) {
	text, err := f.profile(ctx, process, "goroutine?debug=1")
	if err != nil {
		return nil, err
	}
	out, n, root := map[string]int{}, 0, ""
	for line := range strings.Lines(string(text) + "\n") {
		switch fields := strings.Fields(line); {
		case len(fields) > 2 && fields[1] == "@": // "<count> @ <addresses>" begins a group of one stack
			n, err = strconv.Atoi(fields[0])
		case len(fields) > 2 && fields[0] == "#": // "# <address> <function>+<offset> <file>:<line>", the first one last
			root, _, _ = strings.Cut(fields[2], "+0x")
		case len(fields) == 0 && root != "":
			out[root] += n
			root = ""
		}
		if err != nil {
			return nil, fmt.Errorf("the goroutine profile of %s: %w", process, err)
		}
	}
	return out, nil
}

// profileWithin bounds the answer of a process that may be busy.
const profileWithin = 15 * time.Second

func (f *Fleet) profile(ctx context.Context, process, which string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, profileWithin)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, f.Admin(process)+"/debug/pprof/"+which, http.NoBody)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }() // read whole
	text, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s of %s: %s", which, process, resp.Status)
	}
	return text, err
}

// Resident is the memory of a running process that is resident, in bytes; Linux only.
func (p *Process) Resident() (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.PID()))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if kb, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			n, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(kb), "kB")), 10, 64)
			return n << 10, err
		}
	}
	return 0, fmt.Errorf("%s has no memory: it has ended", p.Name)
}
