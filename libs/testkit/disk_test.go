package testkit

import (
	"errors"
	"os"
	"path/filepath"
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
