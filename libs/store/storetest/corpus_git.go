package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// errNoClone says that there is nothing to compare a file with.
var errNoClone = errors.New("no clone of git to compare with")

// kept holds that a file begins with what it was in the commits of main, each of which begins
// with the one before: then nothing in it was changed or taken out. A branch is held to main
// as it left it.
func kept(ctx context.Context, file string) error {
	file, err := filepath.Abs(file)
	if err != nil {
		return err
	}
	folder := filepath.Dir(file)
	for {
		if _, err := os.Stat(folder); err == nil {
			break
		}
		folder = filepath.Dir(folder)
	}
	name, err := filepath.Rel(folder, file)
	if err != nil {
		return err
	}
	name = filepath.ToSlash(name)
	commits, err := onMain(ctx, folder, name)
	if err != nil {
		return err
	}
	now, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	good, by := "", ""
	for _, commit := range commits {
		was, err := git(ctx, folder, "show", commit+":./"+name)
		if err == nil && strings.HasPrefix(was, good) { // else it broke the rule itself
			good, by = was, commit
		}
	}
	if !strings.HasPrefix(string(now), good) {
		return fmt.Errorf("what commit %.12s recorded was changed, from line %d on: put it back, and append", by, firstChanged(good, string(now)))
	}
	return nil
}

// onMain are the commits of main that touched a file, oldest first.
func onMain(ctx context.Context, folder, name string) ([]string, error) {
	base, err := git(ctx, folder, "rev-parse", "--verify", "HEAD")
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNoClone, err)
	}
	for _, main := range []string{"origin/main", "main"} {
		if left, err := git(ctx, folder, "merge-base", "HEAD", main); err == nil {
			base = left
			break
		}
	}
	out, err := git(ctx, folder, "log", "--first-parent", "--reverse", "--format=%H", strings.TrimSpace(base), "--", name)
	return strings.Fields(out), err
}

func git(ctx context.Context, folder string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = folder
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { // of the repository whose hook runs the tests
		return strings.HasPrefix(v, "GIT_DIR=") || strings.HasPrefix(v, "GIT_WORK_TREE=") || strings.HasPrefix(v, "GIT_INDEX_FILE=")
	})
	out, err := cmd.Output()
	if exit := new(exec.ExitError); errors.As(err, &exit) {
		err = fmt.Errorf("git %s: %s", args[0], bytes.TrimSpace(exit.Stderr))
	}
	return string(out), err
}

// firstChanged is the number of the first line of was that now has otherwise.
func firstChanged(was, now string) int {
	line := 1
	for i := range min(len(was), len(now)) {
		switch {
		case was[i] != now[i]:
			return line
		case was[i] == '\n':
			line++
		}
	}
	return line
}
