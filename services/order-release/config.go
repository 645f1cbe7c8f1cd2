package orderrelease

import (
	"errors"
	"time"

	"github.com/lockstep-logistics/lockstep/services/order-release/internal/domain"
)

// Config is what order release is told beside the host's configuration.
type Config struct {
	Sweep        time.Duration `koanf:"sweep" doc:"How often attempts to promise that hang or are due again are looked for."`
	PromiseLimit time.Duration `koanf:"promise_limit" doc:"An attempt to promise without an answer from stock is given up after this long."`
	RetryFirst   time.Duration `koanf:"retry_first" doc:"From an attempt that was given up to the next; doubled with each in a row."`
	RetryMost    time.Duration `koanf:"retry_most" doc:"The longest such wait."`
}

// Defaults returns the configuration of a developer's machine, which is that of production.
func Defaults() Config {
	l := domain.DefaultLimits
	return Config{Sweep: time.Second, PromiseLimit: l.Attempt, RetryFirst: l.RetryFirst, RetryMost: l.RetryMost}
}

// Validate names every setting that cannot be.
func (c Config) Validate() error {
	var wrong []error
	for _, s := range []struct {
		name         string
		value, least time.Duration
	}{
		{"sweep", c.Sweep, 10 * time.Millisecond},
		{"promise_limit", c.PromiseLimit, 100 * time.Millisecond},
		{"retry_first", c.RetryFirst, 10 * time.Millisecond},
		{"retry_most", c.RetryMost, c.RetryFirst},
	} {
		if s.value < s.least || s.value > 24*time.Hour {
			wrong = append(wrong, errors.New(s.name+": must be from "+s.least.String()+" to 24h"))
		}
	}
	return errors.Join(wrong...)
}
