// Package fleet runs the suite as processes on this machine: one process a service on
// servers by address, or the whole suite in one process on its embedded engines. What runs
// is what a deployment runs; only the addresses are local.
package fleet

import (
	"context"
	crand "crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/clock"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
)

// Servers are the parts that a deployment brings along.
type Servers struct{ Mongo, NATS, Redis, Prefix string }

// Fleet is the running suite.
type Fleet struct {
	URL        string // of the gateway
	AdminToken string
	Processes  map[string]*Process // by service; Whole for the suite in one process

	admin  map[string]string // process → its probe
	issuer guard.Key
}

// issuer is the name of the fleet's issuer of API tokens.
const issuer = "fleet"

// Build builds programs, named by their folders from the top of the repository, which is
// root, into a folder; tags are build tags.
func Build(ctx context.Context, root, into, tags string, programs ...string) error {
	args := append([]string{"build", "-tags", tags, "-o", into + string(filepath.Separator)}, programs...)
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return nil
}

// New prepares a fleet of one process for each of the services and the gateway, from the
// programs in bin, on the servers. dir holds keys and logs.
func New(bin, dir string, servers Servers, services []string) (*Fleet, error) {
	return NewReplicated(bin, dir, servers, services, Shape{Replicas: 1})
}

// Shape is how the processes of a fleet are laid out.
type Shape struct {
	Replicas int      // of each service; several are called <service>-1, <service>-2 and so on
	MTLS     bool     // services and gateway prove themselves to each other
	Env      []string // of every process
}

// NewReplicated is New with several replicas of each service behind one gateway.
func NewReplicated(bin, dir string, servers Servers, services []string, shape Shape) (*Fleet, error) {
	f, common, err := prepare(dir)
	if err != nil {
		return nil, err
	}
	trusted := filepath.Join(dir, "trusted")
	if err := os.MkdirAll(trusted, 0o700); err != nil {
		return nil, err
	}
	if shape.MTLS {
		env, err := certify(dir)
		if err != nil {
			return nil, err
		}
		common = append(common, env...)
	}
	common = append(append(append(common, servers.env()...), shape.Env...), "LOCKSTEP_TOKENS__TRUSTED="+trusted)
	addresses := map[string][]string{}
	for _, name := range append(slices.Clone(services), guard.Gateway) {
		replicas := shape.Replicas
		if name == guard.Gateway {
			replicas = 1
		}
		for range replicas {
			address, err := testkit.FreeAddress()
			if err != nil {
				return nil, err
			}
			addresses[name] = append(addresses[name], address)
		}
		common = append(common, "LOCKSTEP_SERVICES__"+upper(name)+"="+strings.Join(addresses[name], ";"))
	}
	for _, name := range append(slices.Clone(services), guard.Gateway) {
		key := filepath.Join(dir, name+".key")
		if _, err := makeKey(name, key, trusted); err != nil {
			return nil, err
		}
		env := append(slices.Clone(common), "LOCKSTEP_TOKENS__KEY=file:"+key)
		if name == guard.Gateway {
			env = append(env, f.gatewayEnv(dir)...)
		}
		for i, address := range addresses[name] {
			process := name
			if len(addresses[name]) > 1 {
				process = fmt.Sprintf("%s-%d", name, i+1)
			}
			if err := f.add(bin, dir, process, name, address, env); err != nil {
				return nil, err
			}
		}
	}
	return f, nil
}

// add prepares one process of a program that listens at an address.
func (f *Fleet) add(bin, dir, process, program, address string, env []string) error {
	probe, err := testkit.FreeAddress()
	if err != nil {
		return err
	}
	f.admin[process] = probe
	f.Processes[process] = &Process{
		Name: process, Args: []string{filepath.Join(bin, program)}, Log: filepath.Join(dir, process+".log"),
		Env: append(slices.Clone(env), "LOCKSTEP_LISTEN__GRPC="+address, "LOCKSTEP_LISTEN__ADMIN="+probe),
	}
	return nil
}

// NewWhole prepares the whole suite in one process: on the servers, or, without any, on its
// embedded engines with their data under dir.
func NewWhole(bin, dir string, servers *Servers) (*Fleet, error) {
	f, env, err := prepare(dir)
	if err != nil {
		return nil, err
	}
	probe, err := testkit.FreeAddress()
	if err != nil {
		return nil, err
	}
	f.admin[Whole] = probe
	env = append(append(env, "LOCKSTEP_LISTEN__ADMIN="+probe), f.gatewayEnv(dir)...)
	if servers != nil {
		env = append(env, servers.env()...)
	}
	f.Processes[Whole] = &Process{
		Name: Whole, Args: []string{filepath.Join(bin, Whole), "up", "--data", filepath.Join(dir, "data")},
		Env: env, Log: filepath.Join(dir, Whole+".log"),
	}
	return f, nil
}

// Whole is the name of the process that runs the whole suite.
const Whole = "lockstep"

func (s Servers) env() []string {
	return []string{
		"LOCKSTEP_STORE__URI=" + s.Mongo, "LOCKSTEP_STORE__PREFIX=" + s.Prefix,
		"LOCKSTEP_NATS__URL=" + s.NATS, "LOCKSTEP_REDIS__URL=" + s.Redis,
	}
}

// prepare makes what both shapes share.
func prepare(dir string) (*Fleet, []string, error) {
	issuers := filepath.Join(dir, "issuers")
	if err := os.MkdirAll(issuers, 0o700); err != nil {
		return nil, nil, err
	}
	text, err := makeKey(issuer, "", issuers)
	if err != nil {
		return nil, nil, err
	}
	key, err := guard.ParseKey(issuer, text)
	if err != nil {
		return nil, nil, err
	}
	front, err := testkit.FreeAddress()
	if err != nil {
		return nil, nil, err
	}
	f := &Fleet{URL: "http://" + front, AdminToken: crand.Text() + crand.Text(), Processes: map[string]*Process{}, admin: map[string]string{}, issuer: key}
	return f, []string{"LOCKSTEP_SHUTDOWN__WAIT=0s", "LOCKSTEP_LOG__LEVEL=warn", "LOCKSTEP_LOG__FORMAT=json"}, nil
}

func (f *Fleet) gatewayEnv(dir string) []string {
	return []string{
		"GATEWAY__LISTEN=" + strings.TrimPrefix(f.URL, "http://"), "GATEWAY__ADMIN_TOKEN=" + f.AdminToken,
		"GATEWAY__ISSUERS=" + filepath.Join(dir, "issuers"),
	}
}

// Token mints an API token for a caller, good for a day.
func (f *Fleet) Token(c guard.Caller) (string, error) {
	return guard.NewAPIIssuer(f.issuer, clock.System{}).Token(c, 24*time.Hour)
}

// Admin is the base URL of a process's admin port.
func (f *Fleet) Admin(process string) string { return "http://" + f.admin[process] }

// Start runs all processes and returns when every one is ready.
func (f *Fleet) Start(ctx context.Context) error {
	for _, p := range f.Processes {
		if err := p.Start(); err != nil {
			return err
		}
	}
	for name := range f.Processes {
		if err := f.Await(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

// Await waits until a process answers that it is ready.
func (f *Fleet) Await(ctx context.Context, name string) error {
	p := f.Processes[name]
	for {
		if ok, err := probe(ctx, "http://"+f.admin[name]+"/readyz"); ok && err == nil {
			return nil
		}
		select {
		case <-p.Exited():
			return fmt.Errorf("%s ended: %w; log ends %s", name, p.err, p.Tail())
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: %w; log ends %s", name, ctx.Err(), p.Tail())
		}
	}
}

func probe(ctx context.Context, url string) (bool, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false, ctx.Err()
	}
	_ = resp.Body.Close() // nothing is read
	return resp.StatusCode == http.StatusOK, nil
}

// Stop ends all processes in order, the gateway first.
func (f *Fleet) Stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, stopWithin)
	defer cancel()
	var errs []error
	if p := f.Processes[guard.Gateway]; p != nil {
		errs = append(errs, p.Stop(ctx))
	}
	done := make(chan error)
	for _, p := range f.Processes {
		go func() { done <- p.Stop(ctx) }()
	}
	for range f.Processes {
		errs = append(errs, <-done)
	}
	return errors.Join(errs...)
}

// Kill ends all processes at once.
func (f *Fleet) Kill() {
	for _, p := range f.Processes {
		p.Kill()
	}
}

// upper is a service's name in the environment.
func upper(name string) string { return strings.ToUpper(strings.ReplaceAll(name, "-", "_")) }
