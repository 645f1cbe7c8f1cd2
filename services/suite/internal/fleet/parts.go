package fleet

import (
	"os"
	"path/filepath"
	"slices"

	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
)

// NewParts prepares the suite in several processes of the suite's program, each with some of
// the services and one of them with the gateway, on the servers. A process is called gateway,
// or by the first of its services. dir holds keys and logs.
func NewParts(bin, dir string, servers Servers, parts ...[]string) (*Fleet, error) {
	f, common, err := prepare(dir)
	if err != nil {
		return nil, err
	}
	keys, trusted := filepath.Join(dir, "keys"), filepath.Join(dir, "trusted")
	for _, folder := range []string{keys, trusted} {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return nil, err
		}
	}
	common = append(append(common, servers.env()...), "LOCKSTEP_TOKENS__KEYS="+keys, "LOCKSTEP_TOKENS__TRUSTED="+trusted)
	for _, name := range slices.Concat(parts...) {
		if _, err := makeKey(name, filepath.Join(keys, name+".pem"), trusted); err != nil {
			return nil, err
		}
		if name == guard.Gateway {
			continue
		}
		address, err := testkit.FreeAddress()
		if err != nil {
			return nil, err
		}
		common = append(common, "LOCKSTEP_SERVICES__"+upper(name)+"="+address)
	}
	for _, names := range parts {
		probe, err := testkit.FreeAddress()
		if err != nil {
			return nil, err
		}
		process, env := names[0], append(slices.Clone(common), "LOCKSTEP_LISTEN__ADMIN="+probe)
		if slices.Contains(names, guard.Gateway) {
			process, env = guard.Gateway, append(env, f.gatewayEnv(dir)...)
		}
		f.admin[process] = probe
		f.Processes[process] = &Process{
			Name: process, Args: slices.Concat([]string{filepath.Join(bin, Whole), "up", "--data", filepath.Join(dir, "data-"+process)}, names),
			Env: env, Log: filepath.Join(dir, process+".log"),
		}
	}
	return f, nil
}
