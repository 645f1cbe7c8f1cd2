package suite

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/lockstep-logistics/lockstep/gateway"
	"github.com/lockstep-logistics/lockstep/libs/host"
)

// Names returns the names of the services and of the gateway.
func (s *Suite) Names() []string {
	names := make([]string, len(s.Units))
	for i, u := range s.Units {
		names[i] = u.Name
	}
	return names
}

// Only has the suite serve the named services only, the gateway among them if it is named;
// without names, or with all of them, it serves the whole suite. Call it before Start. An
// unknown name is an error.
func (s *Suite) Only(names ...string) error {
	known := s.Names()
	var unknown []string
	s.part = nil
	for _, name := range names {
		if !slices.Contains(known, name) {
			unknown = append(unknown, fmt.Sprintf("%q", name))
		} else if !slices.Contains(s.part, name) {
			s.part = append(s.part, name)
		}
	}
	if len(unknown) > 0 {
		return fmt.Errorf("no service is called %s; there are %s", strings.Join(unknown, ", "), strings.Join(known, ", "))
	}
	if len(s.part) == len(known) {
		s.part = nil
	}
	return nil
}

// Whole reports whether all services are served.
func (s *Suite) Whole() bool { return len(s.part) == 0 }

// Serves reports whether a service is among those that are served.
func (s *Suite) Serves(name string) bool { return s.Whole() || slices.Contains(s.part, name) }

// units returns the units that are served.
func (s *Suite) units() []*host.Unit {
	return slices.DeleteFunc(slices.Clone(s.Units), func(u *host.Unit) bool { return !s.Serves(u.Name) })
}

// Check says what is to be set before a part of the suite can be served, all of it at once;
// the whole suite can do without. The embedded engines serve the whole suite only: what they
// hold cannot be reached by another process.
func (s *Suite) Check() error {
	if s.Whole() {
		return nil
	}
	var errs []error
	need := func(missing bool, key, variable, what string) {
		if missing {
			errs = append(errs, fmt.Errorf("%s (%s): %s", key, variable, what))
		}
	}
	if len(s.part) > 1 || !s.Serves(gateway.Name) {
		mongo := strings.HasPrefix(s.Config.Store.URI.Reveal(), "mongodb")
		need(!mongo, "store.uri", "LOCKSTEP_STORE__URI", "set mongodb://… of the servers that all parts share")
		need(s.Config.NATS.URL == "", "nats.url", "LOCKSTEP_NATS__URL", "set nats://… of the servers that all parts share")
	}
	need(s.Config.Redis.URL == "", "redis.url", "LOCKSTEP_REDIS__URL", "set redis://… of the server that all parts share")
	need(s.Config.Tokens.Keys == "" && (s.Config.Tokens.Key == "" || len(s.part) > 1), "tokens.keys", "LOCKSTEP_TOKENS__KEYS",
		"set the folder of the signing keys, <service>.pem, of what is served here")
	need(s.Config.Tokens.Trusted == "", "tokens.trusted", "LOCKSTEP_TOKENS__TRUSTED", "set the folder of the public keys, <owner>.pem, of all services and of the gateway")
	for _, name := range s.Names() {
		variable := "LOCKSTEP_SERVICES__" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
		what := "set host:port where it is called"
		if s.Serves(name) {
			what = "set host:port where it listens and is called"
		}
		need(name != gateway.Name && s.Config.Services[name] == "", "services."+name, variable, what)
	}
	_, err := s.doors()
	errs = append(errs, err)
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("only the whole suite runs on embedded engines; to serve %s by itself:\n%w", strings.Join(s.part, ", "), err)
	}
	return nil
}

// doors returns where the services of a part listen: at their own addresses, on another host
// or port where listen.grpc says so. Nobody calls the gateway by gRPC.
func (s *Suite) doors() (map[string]string, error) {
	if s.Whole() {
		return nil, nil
	}
	doors := map[string]string{}
	for _, name := range s.part {
		if address := s.Config.Services[name]; address != "" && name != gateway.Name {
			doors[name] = address
		}
	}
	if s.Config.Listen.GRPC == "" {
		return doors, nil
	}
	name, port, err := net.SplitHostPort(s.Config.Listen.GRPC)
	if err != nil {
		return nil, fmt.Errorf("listen.grpc: %w", err)
	}
	if port != "0" && len(doors) > 1 {
		return nil, fmt.Errorf("listen.grpc: %d services cannot share port %s; with port 0 each listens at the port of its address", len(doors), port)
	}
	for service, address := range doors {
		_, own, err := net.SplitHostPort(address)
		if err != nil {
			return nil, fmt.Errorf("services.%s: %w", service, err)
		}
		if port != "0" {
			own = port
		}
		doors[service] = net.JoinHostPort(name, own)
	}
	return doors, nil
}

// Served says what is served and where, a line a service.
func (s *Suite) Served() []string {
	doors, _ := s.doors() // Check has told
	var lines []string
	for _, u := range s.units() {
		lines = append(lines, fmt.Sprintf("%-19s %s", u.Name, cmp.Or(doors[u.Name], s.url)))
	}
	return lines
}
