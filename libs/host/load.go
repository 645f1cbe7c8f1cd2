package host

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"

	"github.com/go-viper/mapstructure/v2"
	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/v2"
)

// Load fills the configuration and those of the services, which hold their defaults,
// from a YAML file ("" for none), then the environment ("NAME=value"), then flags
// (key → value): later ones win. A key or variable that nothing knows is an error,
// and so is a value that does not validate; all of them are named at once.
func Load(path string, environ []string, flags map[string]string, cfg *Config, units ...*Unit) error {
	k := koanf.New(".")
	if path != "" {
		if err := k.Load(file.Provider(path), yaml.Parser()); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	known := all(cfg, units)
	errs := unknownKeys(k, known)
	errs = append(errs, fromEnvironment(k, known, environ, units)...)
	for key, value := range flags {
		errs = append(errs, k.Set(key, value))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	for _, u := range units {
		errs = append(errs, decode(k, u.Name, u.config))
		k.Delete(u.Name)
	}
	errs = append(errs, decode(k, "", cfg))
	if err := errors.Join(errs...); err != nil {
		return err
	}
	errs = append(errs, cfg.Validate())
	for _, u := range units {
		if err := u.config.(interface{ Validate() error }).Validate(); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", u.Name, err))
		}
	}
	return errors.Join(errs...)
}

func decode(k *koanf.Koanf, section string, into any) error {
	return k.UnmarshalWithConf(section, into, koanf.UnmarshalConf{DecoderConfig: &mapstructure.DecoderConfig{
		Result: into, WeaklyTypedInput: true, ErrorUnused: true,
		DecodeHook: mapstructure.ComposeDecodeHookFunc(
			mapstructure.TextUnmarshallerHookFunc(),
			mapstructure.StringToTimeDurationHookFunc(),
			mapstructure.StringToSliceHookFunc(","),
		),
	}})
}

// unknownKeys names the keys of the file that are no settings.
func unknownKeys(k *koanf.Koanf, known []setting) []error {
	var errs []error
	for _, key := range k.Keys() {
		if !isKnown(key, known) {
			errs = append(errs, fmt.Errorf("unknown key %s", key))
		}
	}
	return errs
}

func isKnown(key string, known []setting) bool {
	for _, s := range known {
		if key == s.key || s.value.Kind() == reflect.Map && strings.HasPrefix(key, s.key+".") {
			return true
		}
	}
	return false
}

// serviceLinks matches the variables that Kubernetes sets for services in the namespace.
var serviceLinks = regexp.MustCompile(`_(SERVICE_HOST|SERVICE_PORT(_.*)?|PORT(_\d+_(TCP|UDP|SCTP)(_.*)?)?)$`)

// fromEnvironment sets what the environment says and names variables that begin
// like settings and are none.
func fromEnvironment(k *koanf.Koanf, known []setting, environ []string, units []*Unit) []error {
	byName := map[string]setting{}
	prefixes := []string{hostEnv}
	for _, s := range known {
		byName[s.env] = s
	}
	for _, u := range units {
		prefixes = append(prefixes, envPrefix(u.Name))
	}
	var errs []error
	for _, pair := range environ {
		name, value, _ := strings.Cut(pair, "=")
		if s, ok := byName[name]; ok {
			errs = append(errs, k.Set(s.key, value))
			continue
		}
		if entry, ok := strings.CutPrefix(name, hostEnv+"SERVICES__"); ok {
			errs = append(errs, k.Set("services."+strings.ToLower(strings.ReplaceAll(entry, "_", "-")), value))
			continue
		}
		for _, p := range prefixes {
			if strings.HasPrefix(name, p) && !strings.HasPrefix(name, hostEnv+"TEST_") && name != hostEnv+"CONFIG" && !serviceLinks.MatchString(name) {
				errs = append(errs, fmt.Errorf("unknown variable %s", name))
			}
		}
	}
	return errs
}

// Describe lists the settings in force, one a line, secrets hidden.
func Describe(cfg *Config, units ...*Unit) string {
	var b strings.Builder
	for _, s := range all(cfg, units) {
		fmt.Fprintf(&b, "%s: %s\n", s.key, s.text())
	}
	return b.String()
}
