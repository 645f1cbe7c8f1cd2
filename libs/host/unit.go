package host

import "reflect"

// Settings is a service's own configuration: a struct whose fields carry koanf and
// doc tags, and that can say what is wrong with it.
type Settings interface{ Validate() error }

// Unit is a service that is not built yet: its name, its settings, and how to make it.
type Unit struct {
	Name      string
	stateless bool
	config    any // pointer to the service's settings
	build     func(Deps) (*Service, error)
}

// Option changes how a unit is run.
type Option func(*Unit)

// Stateless is for a unit without a database and facts of its own: the gateway.
func Stateless(u *Unit) { u.stateless = true }

// Bind makes a unit of a service's name, default settings and constructor.
func Bind[C Settings](name string, defaults C, build func(C, Deps) (*Service, error), opts ...Option) *Unit {
	cfg := &defaults
	u := &Unit{Name: name, config: cfg, build: func(d Deps) (*Service, error) { return build(*cfg, d) }}
	for _, o := range opts {
		o(u)
	}
	return u
}

func (u *Unit) settings() []setting {
	return settings(u.Name+".", envPrefix(u.Name), reflect.ValueOf(u.config))
}
