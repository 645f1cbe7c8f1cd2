package testkit

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// mounted keeps a file system in memory for as long as its standard input is open: it is
// unmounted however this process ends.
const mounted = `mount -t tmpfs -o size="$2" lockstep "$1" || exit 1
echo mounted
read -r _ || true
umount -l "$1"`

// Disk is a small file system of its own.
type Disk struct{ Dir string }

// SmallDisk mounts a file system of a size, e.g. "64m", for this test. Only root on Linux may.
func SmallDisk(t testing.TB, size string) Disk {
	t.Helper()
	if runtime.GOOS != "linux" || os.Getuid() != 0 {
		Skip(t, "only root on Linux may mount a small disk")
	}
	dir, err := os.MkdirTemp("", "lockstep-disk-")
	if err != nil {
		t.Fatal(err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd := exec.Command("sh", "-c", mounted, "mounted", dir, size)
	cmd.Stdin, cmd.SysProcAttr = r, &syscall.SysProcAttr{Setpgid: true}
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = w.Close()
		_ = cmd.Wait() // a mount that failed has been told
		_ = os.RemoveAll(dir)
	})
	if line, _ := bufio.NewReader(out).ReadString('\n'); line != "mounted\n" {
		_ = w.Close()
		_ = cmd.Wait()
		Skip(t, "%s", unmounted(said.String()))
	}
	return Disk{Dir: dir}
}

// unmounted says why there is no small disk: root who may not mount is held by a container or
// another sandbox, which the machine's owner can change.
func unmounted(said string) string {
	said = strings.TrimSpace(said)
	if strings.Contains(said, "ermission denied") || strings.Contains(said, "not permitted") {
		return "a sandbox forbids root to mount a tmpfs (EPERM): " + said
	}
	return "a tmpfs cannot be mounted: " + said
}

// Fill takes all space that is left.
func (d Disk) Fill(t testing.TB) {
	t.Helper()
	f, err := os.OpenFile(d.ballast(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for chunk := make([]byte, 1<<20); len(chunk) > 0; {
		switch _, err := f.Write(chunk); {
		case errors.Is(err, syscall.ENOSPC):
			chunk = chunk[:len(chunk)/2]
		case err != nil:
			t.Fatal(err)
		}
	}
}

// Free gives back what Fill took.
func (d Disk) Free(t testing.TB) {
	t.Helper()
	if err := os.Remove(d.ballast()); err != nil {
		t.Fatal(err)
	}
}

func (d Disk) ballast() string { return filepath.Join(d.Dir, "ballast") }
