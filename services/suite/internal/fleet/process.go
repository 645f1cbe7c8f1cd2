package fleet

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// Process is a program that may be ended and started again with the same settings.
type Process struct {
	Name string
	Args []string // program first
	Env  []string // beside those of this process
	Log  string   // file that its output is added to

	cmd    *exec.Cmd
	exited chan struct{}
	err    error // how it ended; set before exited is closed
}

// Start runs the program; extra is added to its environment for this run only.
func (p *Process) Start(extra ...string) error {
	log, err := os.OpenFile(p.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }() // the program has its own handle
	cmd := exec.Command(p.Args[0], p.Args[1:]...)
	cmd.Env = append(append(os.Environ(), p.Env...), extra...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = attributes()
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("%s: %w", p.Name, err)
	}
	exited := make(chan struct{})
	p.cmd, p.exited = cmd, exited
	go func() {
		p.err = cmd.Wait()
		close(exited)
	}()
	return nil
}

// PID returns the id of the running process.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Exited is closed when the process has ended.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// Pause stops the process as SIGSTOP does; Resume lets it go on.
func (p *Process) Pause() error { return p.cmd.Process.Signal(syscall.SIGSTOP) }

// Resume lets a paused process go on.
func (p *Process) Resume() error { return p.cmd.Process.Signal(syscall.SIGCONT) }

// Kill ends the process as kill -9 does and returns when it is gone.
func (p *Process) Kill() {
	if p.cmd == nil {
		return
	}
	_ = p.cmd.Process.Kill() // it may have ended by itself
	<-p.exited
}

// Stop asks the process to end in order and returns how it did; it is killed when it takes
// longer than the context allows.
func (p *Process) Stop(ctx context.Context) error {
	if p.cmd == nil {
		return nil
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.exited:
	case <-ctx.Done():
		p.Kill()
		return fmt.Errorf("%s did not end in time", p.Name)
	}
	var exit *exec.ExitError
	if errors.As(p.err, &exit) {
		if how, ok := exit.Sys().(syscall.WaitStatus); ok && how.Signal() == syscall.SIGKILL {
			return nil // it was killed before
		}
	}
	if p.err != nil {
		return fmt.Errorf("%s: %w; log ends %s", p.Name, p.err, p.Tail())
	}
	return nil
}

// Tail returns the end of the log.
func (p *Process) Tail() string {
	b, err := os.ReadFile(p.Log)
	if err != nil {
		return err.Error()
	}
	return string(b[max(0, len(b)-3000):])
}

// stopWithin bounds an orderly end.
const stopWithin = 45 * time.Second
