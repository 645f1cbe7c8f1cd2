package e2e

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestWrongSettings: a program that is told what cannot be does not start: it ends at once, not
// with success, and says on stderr which setting is wrong. Engines are not asked for before.
func TestWrongSettings(t *testing.T) {
	dir := t.TempDir()
	junk, none := filepath.Join(dir, "junk.pem"), filepath.Join(dir, "none.pem")
	if err := os.WriteFile(junk, []byte("-----BEGIN PRIVATE KEY-----\nbm8ga2V5\n-----END PRIVATE KEY-----\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	trusted := "LOCKSTEP_TOKENS__TRUSTED=" + dir
	for name, tc := range map[string]struct {
		env  []string
		args []string
		want string
	}{
		"wrong address":           {nil, []string{"--listen.grpc=127.0.0.1:no-port"}, "listen.grpc"},
		"wrong address of probes": {nil, []string{"--listen.admin=9091"}, "listen.admin"},
		"plain beyond loopback":   {nil, []string{"--listen.grpc=0.0.0.0:0"}, "listen.grpc"},
		"wrong store":             {[]string{"LOCKSTEP_STORE__URI=postgres://x"}, nil, "store.uri"},
		"wrong cache":             {[]string{"LOCKSTEP_REDIS__URL=http://x"}, nil, "redis.url"},
		"unknown flag":            {nil, []string{"--listen.grcp=x"}, "listen.grcp"},
		"unknown variable":        {[]string{"LOCKSTEP_LISTEN__GRCP=x"}, nil, "LOCKSTEP_LISTEN__GRCP"},
		"bad duration":            {[]string{"LOCKSTEP_LIMITS__DEADLINE=4 parsecs"}, nil, "deadline"},
		"bad number":              {[]string{"LOCKSTEP_NATS__REPLICAS=many"}, nil, "replicas"},
		"number out of range":     {[]string{"LOCKSTEP_NATS__STREAM_MIB=0"}, nil, "nats.stream_mib"},
		"no file of settings":     {nil, []string{"--config=" + none}, none},
		"no file of a secret":     {[]string{"LOCKSTEP_STORE__URI=file:" + none}, nil, none},
		"no variable of a secret": {[]string{"LOCKSTEP_STORE__URI=env:NOWHERE"}, nil, "NOWHERE"},
		"unreadable key":          {[]string{"LOCKSTEP_TOKENS__KEY=file:" + junk, trusted}, nil, "tokens.key"},
		"key without trust":       {[]string{"LOCKSTEP_TOKENS__KEY=file:" + junk}, nil, "tokens"},
		"TLS without certificate": {nil, []string{"--tls.key=" + junk}, "tls"},
		"TLS without files":       {nil, []string{"--tls.key=" + none, "--tls.cert=" + none}, "tls"},
	} {
		for _, program := range []string{"order-release", "gateway"} {
			t.Run(name+"/"+program, func(t *testing.T) {
				ends(t, program, tc.env, tc.args, tc.want)
			})
		}
	}
}

// ends runs a program that must not start.
func ends(t *testing.T, program string, env, args []string, want string) {
	const bound = 2 * time.Minute // it takes a tenth of a second, on a machine with nothing else to do
	ctx, cancel := context.WithTimeout(t.Context(), bound)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(programs, program), args...)
	cmd.Env = append([]string{
		"LOCKSTEP_LISTEN__GRPC=127.0.0.1:0", "LOCKSTEP_LISTEN__ADMIN=127.0.0.1:0", "GATEWAY__LISTEN=127.0.0.1:0",
		"LOCKSTEP_STORE__URI=sqlite:" + t.TempDir(), "LOCKSTEP_NATS__URL=", "LOCKSTEP_REDIS__URL=",
	}, env...)
	var out strings.Builder
	cmd.Stderr = &out
	err := cmd.Run()
	var code *exec.ExitError
	switch {
	case ctx.Err() != nil:
		t.Fatalf("it runs on after %v:\n%s", bound, &out)
	case !errors.As(err, &code) || code.ExitCode() <= 0:
		t.Errorf("it ends with %v:\n%s", err, &out)
	case !strings.Contains(out.String(), want):
		t.Errorf("it does not name %s:\n%s", want, &out)
	}
}
