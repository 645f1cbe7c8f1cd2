package testkit

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestSmallDisk(t *testing.T) {
	var dir string
	t.Run("while it is there", func(t *testing.T) {
		d := SmallDisk(t, "1m")
		dir = d.Dir
		file := filepath.Join(d.Dir, "x")
		d.Fill(t)
		if err := os.WriteFile(file, make([]byte, 1<<12), 0o600); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("writing to a full disk: %v", err)
		}
		d.Free(t)
		if err := os.WriteFile(file, make([]byte, 1<<12), 0o600); err != nil {
			t.Error(err)
		}
	})
	if _, err := os.Stat(dir); dir != "" && !os.IsNotExist(err) {
		t.Errorf("the disk outlived its test: %v", err)
	}
}

// Whose fault it is that there is no disk is part of what is said.
func TestUnmounted(t *testing.T) {
	for said, want := range map[string]string{
		"mount: /tmp/x: permission denied.\n":                 "a sandbox forbids root",
		"mount: mounting x failed: Operation not permitted\n": "a sandbox forbids root",
		"mount: unknown filesystem type 'tmpfs'.\n":           "cannot be mounted",
	} {
		if got := unmounted(said); !strings.Contains(got, want) || !strings.Contains(got, strings.TrimSpace(said)) {
			t.Errorf("%q is told as %q", said, got)
		}
	}
}
