package host

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"
)

// setting is one leaf of a configuration struct.
type setting struct {
	key    string // "listen.grpc"; below a service's section "order-release.max_lines"
	env    string // "LOCKSTEP_LISTEN__GRPC", "ORDER_RELEASE__SWEEP"
	doc    string
	value  reflect.Value
	secret bool
}

// settings lists the leaves of a struct, in its order. prefix is the key of the
// section with its point, env the beginning of the environment variables.
func settings(prefix, env string, v reflect.Value) []setting {
	var out []setting
	v = reflect.Indirect(v)
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name := f.Tag.Get("koanf")
		if name == "" {
			continue // not a setting
		}
		key, variable := prefix+name, env+strings.ToUpper(name)
		if f.Type.Kind() == reflect.Struct {
			out = append(out, settings(key+".", variable+"__", v.Field(i))...)
			continue
		}
		_, secret := v.Field(i).Interface().(Secret)
		out = append(out, setting{key, variable, f.Tag.Get("doc"), v.Field(i), secret})
	}
	return out
}

// text renders a setting's value; secrets stay hidden.
func (s setting) text() string {
	switch v := s.value.Interface().(type) {
	case time.Duration:
		return v.String()
	case []string:
		return strings.Join(v, ",")
	case map[string]string:
		var pairs []string
		for _, k := range slices.Sorted(maps.Keys(v)) {
			pairs = append(pairs, k+"="+v[k])
		}
		return strings.Join(pairs, ",")
	default:
		return fmt.Sprint(v)
	}
}

// envPrefix returns the beginning of a service's environment variables: "ORDER_RELEASE__".
func envPrefix(service string) string {
	return strings.ToUpper(strings.ReplaceAll(service, "-", "_")) + "__"
}

const hostEnv = "LOCKSTEP_"

// all lists the settings of a process: the host's, then those of each service.
func all(cfg *Config, units []*Unit) []setting {
	out := settings("", hostEnv, reflect.ValueOf(cfg))
	for _, u := range units {
		out = append(out, u.settings()...)
	}
	return out
}

// ConfigTable renders settings as a Markdown table with their defaults: those of the
// services given, or, without any, those that every process has.
func ConfigTable(units ...*Unit) string {
	var rows []setting
	for _, u := range units {
		rows = append(rows, u.settings()...)
	}
	if len(units) == 0 {
		cfg := Defaults()
		rows = all(&cfg, nil)
	}
	var b strings.Builder
	b.WriteString("| key | environment | default | meaning |\n| --- | --- | --- | --- |\n")
	for _, s := range rows {
		shown := s.text()
		if secret, ok := s.value.Interface().(Secret); ok {
			shown = secret.Reveal() // a default is no secret
		}
		if shown != "" {
			shown = "`" + shown + "`"
		}
		fmt.Fprintf(&b, "| `%s` | `%s` | %s | %s |\n", s.key, s.env, shown, s.doc)
	}
	return b.String()
}
