//go:build faults

package faultpoint

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
)

// Enabled says whether points can do anything in this binary.
const Enabled = true

// action is what happens at one point.
type action struct {
	place string // part of the name of the function that passes; "" for any
	seen  int    // passes of it
	kill  bool
	delay time.Duration
	err   error
	pass  int // at this pass only; 0 at every one
}

var armed struct {
	sync.Mutex
	actions map[string][]*action
	passes  map[string]int
}

// read arms from the environment at the first pass, unless a test has armed before.
var read = sync.OnceFunc(func() {
	armed.Lock()
	done := armed.actions != nil
	armed.Unlock()
	if done {
		return
	}
	if err := Arm(os.Getenv("FAULT")); err != nil {
		panic(err) // a test that misspells its fault must not pass for want of it
	}
})

// Arm replaces what happens at the points; "" disarms all.
func Arm(spec string) error {
	actions := map[string][]*action{}
	for entry := range strings.SplitSeq(spec, ",") {
		if entry == "" {
			continue
		}
		point, a, err := parse(entry)
		if err != nil {
			return fmt.Errorf("FAULT %q: %w", entry, err)
		}
		actions[point] = append(actions[point], a)
	}
	armed.Lock()
	defer armed.Unlock()
	armed.actions, armed.passes = actions, map[string]int{}
	return nil
}

func parse(entry string) (point string, a *action, err error) {
	point, rest, _ := strings.Cut(entry, ":")
	a = &action{}
	point, a.place, _ = strings.Cut(point, "@")
	for part := range strings.SplitSeq(rest, ":") {
		name, value, _ := strings.Cut(part, "=")
		switch name {
		case "kill":
			a.kill = true
			a.pass = max(a.pass, 1)
		case "delay":
			a.delay, err = time.ParseDuration(value)
		case "err":
			kind, ok := fault.KindNamed(value)
			if !ok {
				return "", nil, fmt.Errorf("no kind %q", value)
			}
			a.err = fault.New(kind, "FAULT_INJECTED", "fault injected at %s", point)
		case "n":
			a.pass, err = strconv.Atoi(value)
		default:
			return "", nil, fmt.Errorf("no action %q", name)
		}
		if err != nil {
			return "", nil, err
		}
	}
	return point, a, nil
}

// Hit passes a point: it kills the process, waits, returns an error or does nothing, as armed.
func Hit(point string) error {
	read()
	var pc [1]uintptr
	frame, _ := runtime.CallersFrames(pc[:runtime.Callers(2, pc[:])]).Next()
	a := pass(point, frame.Function)
	if a.kill {
		_, _ = fmt.Fprintf(os.Stderr, "killed at %s by %s\n", point, frame.Function) // so that a test can tell this end from another
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // the signal is on its way
	}
	time.Sleep(a.delay)
	return a.err
}

// pass counts a pass of a function and returns what happens at it: what the first entry says
// that is for it.
func pass(point, function string) action {
	armed.Lock()
	defer armed.Unlock()
	armed.passes[point]++
	var now action
	for _, a := range armed.actions[point] {
		if !strings.Contains(function, a.place) {
			continue
		}
		a.seen++
		if now == (action{}) && (a.pass == 0 || a.pass == a.seen) {
			now = *a
		}
	}
	return now
}

// Passes returns how often a point was passed since the last Arm.
func Passes(point string) int {
	armed.Lock()
	defer armed.Unlock()
	return armed.passes[point]
}
