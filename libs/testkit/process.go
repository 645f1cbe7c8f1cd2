package testkit

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// leash runs a server under a shell that holds one end of a pipe: when the pipe
// closes, because we let go or because this process died in whatever way, the
// server is killed and its folder removed. It needs no signal handling here. A word through
// the pipe first ends the server in order, as a deployment does.
const leash = `log=$1 remove=$2; shift 2
"$@" >"$log" 2>&1 </dev/null & pid=$!
echo $pid
if read -r _; then kill -15 $pid 2>/dev/null; wait $pid 2>/dev/null; fi
kill -9 $pid 2>/dev/null
wait $pid 2>/dev/null
[ -z "$remove" ] || rm -rf "$remove"`

// process is a server on a leash.
type process struct {
	pid  int
	log  string
	hold *os.File
	cmd  *exec.Cmd
	once sync.Once
}

// start runs the command; remove names a folder that goes when the server ends, "" for none.
func start(log, remove string, command ...string) (*process, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	cmd := exec.Command("sh", append([]string{"-c", leash, "leash", log, remove}, command...)...)
	cmd.Stdin = r
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a Ctrl-C is for us, not for the leash
	out, err := cmd.StdoutPipe()
	if err != nil {
		w.Close()
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		w.Close()
		return nil, err
	}
	p := &process{log: log, hold: w, cmd: cmd}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err == nil {
		p.pid, err = strconv.Atoi(strings.TrimSpace(line))
	}
	if err != nil {
		p.kill()
		return nil, fmt.Errorf("start %s: %w", command[0], err)
	}
	return p, nil
}

// kill ends the server as kill -9 does and returns when it is gone. One that never started is.
func (p *process) kill() {
	if p == nil {
		return
	}
	p.once.Do(func() {
		_ = p.hold.Close()
		_ = p.cmd.Wait()
	})
}

// stop ends the server as SIGTERM does and returns when it is gone; one that has not ended in
// time is killed.
func (p *process) stop(within time.Duration) (err error) {
	if p == nil {
		return nil
	}
	p.once.Do(func() {
		if _, err = p.hold.WriteString("stop\n"); err != nil {
			err = fmt.Errorf("pid %d: %w", p.pid, err)
		}
		late := time.AfterFunc(within, func() { _ = p.signal(syscall.SIGKILL) }) // it may have ended just now
		_ = p.hold.Close()
		_ = p.cmd.Wait()
		if !late.Stop() {
			err = errors.Join(err, fmt.Errorf("pid %d did not end in %v", p.pid, within))
		}
	})
	return err
}

// running reports whether the server has not been killed by us.
func (p *process) running() bool { return p != nil && p.cmd.ProcessState == nil }

// signal sends the server a signal, e.g. SIGSTOP.
func (p *process) signal(s syscall.Signal) error { return syscall.Kill(p.pid, s) }

// tail returns the end of the server's log, for the message of a failed start.
func (p *process) tail() string {
	b, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(b[max(0, len(b)-2000):])
}
