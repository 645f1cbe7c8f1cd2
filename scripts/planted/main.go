// Command planted shows that the tests find what they are for: it plants one bug after another
// by its build tag, and the tests named for it, which pass without the tag, must fail with it
// in less than five minutes.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"time"
)

// within is how long a bug may go unnoticed.
const within = 5 * time.Minute

func main() {
	root := flag.String("root", ".", "root of the repository")
	runs := flag.Int("runs", 1, "how many times each bug has to be caught")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Stdout, *root, *runs, flag.Args())
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "planted:", err)
		os.Exit(1)
	}
}

// run plants the bugs of the names, all when there are none.
func run(ctx context.Context, out io.Writer, root string, runs int, names []string) error {
	chosen, err := choose(names)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "planted")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }() // of no use any more
	g := &garden{root: root, dir: dir, built: map[string]string{}}
	var missed []string
	for _, b := range chosen {
		for range runs {
			clean, caught, err := g.plant(ctx, b)
			verdict := fmt.Sprintf("caught in %.1f s", caught.Seconds())
			if err != nil {
				verdict = "NOT CAUGHT: " + err.Error()
				missed = append(missed, b.name)
			}
			fmt.Fprintf(out, "%-18s %-50s %s, passes without it in %.1f s\n%18s %s\n", b.name, b.breaks, verdict, clean.Seconds(), "", b.command())
			if ctx.Err() != nil {
				return ctx.Err()
			}
		}
	}
	if missed = slices.Compact(missed); len(missed) > 0 {
		return fmt.Errorf("not caught: %v", missed)
	}
	fmt.Fprintf(out, "%d bugs, all caught\n", len(chosen))
	return nil
}

func choose(names []string) ([]bug, error) {
	if len(names) == 0 {
		return bugs, nil
	}
	var out []bug
	for _, name := range names {
		i := slices.IndexFunc(bugs, func(b bug) bool { return b.name == name })
		if i < 0 {
			return nil, fmt.Errorf("no bug %q", name)
		}
		out = append(out, bugs[i])
	}
	return out, nil
}

// garden builds the tests and runs them.
type garden struct {
	root, dir string
	built     map[string]string // package and tag → binary
}

// plant returns how long the bug's tests took without it, and until they failed with it.
func (g *garden) plant(ctx context.Context, b bug) (clean, caught time.Duration, err error) {
	without, err := g.build(ctx, b.pkg, "")
	if err != nil {
		return 0, 0, err
	}
	with, err := g.build(ctx, b.pkg, b.tag())
	if err != nil {
		return 0, 0, err
	}
	clean, output, err := g.test(ctx, without, b)
	switch {
	case err != nil:
		return clean, 0, fmt.Errorf("the tests fail without it: %w\n%s", err, output)
	case bytes.Contains(output, []byte("no tests to run")):
		return clean, 0, errors.New("there are no such tests")
	}
	caught, output, err = g.test(ctx, with, b)
	var exit *exec.ExitError
	switch {
	case err == nil:
		return clean, caught, errors.New("the tests pass with it")
	case !errors.As(err, &exit) || !bytes.Contains(output, []byte("--- FAIL")):
		return clean, caught, fmt.Errorf("the tests do not fail but break: %w\n%s", err, output)
	}
	return clean, caught, nil
}

func (g *garden) build(ctx context.Context, pkg, tag string) (string, error) {
	if binary, ok := g.built[pkg+" "+tag]; ok {
		return binary, nil
	}
	binary := filepath.Join(g.dir, fmt.Sprint(len(g.built)))
	output, err := tool(ctx, g.root, "test", "-c", "-tags", tag, "-o", binary, pkg).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s with %q does not compile: %w\n%s", pkg, tag, err, output)
	}
	g.built[pkg+" "+tag] = binary
	return binary, nil
}

func (g *garden) test(ctx context.Context, binary string, b bug) (time.Duration, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, "-test.run", b.run)
	cmd.Dir, cmd.Env = filepath.Join(g.root, b.pkg), environment()
	cmd.WaitDelay = 10 * time.Second // its servers end with it
	start := time.Now()
	output, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return time.Since(start), output, err
}

// tool is a go command in the repository.
func tool(ctx context.Context, root string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir, cmd.Env = root, environment()
	return cmd
}

// environment is that of the workspace, which the scripts are no part of; a skipped test fails.
func environment() []string { return append(os.Environ(), "GOWORK=", "CI=true") }
