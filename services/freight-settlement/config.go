package freightsettlement

import (
	"errors"
	"time"
)

// Config is what freight settlement is told beside the host's configuration.
type Config struct {
	TolerancePercent int64         `koanf:"tolerance_percent" doc:"Share of what was expected that an invoice may be off, each line and the total, over and under, and still be approved by itself."`
	ToleranceMinor   int64         `koanf:"tolerance_minor" doc:"Amount, in minor units of the invoice's currency, that it may be off besides."`
	Retry            time.Duration `koanf:"retry" doc:"How long an invoice waits before its unknown references are looked up again; it doubles each time, up to a day."`
	Attempt          time.Duration `koanf:"attempt" doc:"How long a match may take before it is taken up again."`
	Sweep            time.Duration `koanf:"sweep" doc:"How often invoices are looked at that wait or hang."`
}

// Defaults returns the configuration of a developer's machine, which is that of production.
func Defaults() Config {
	return Config{TolerancePercent: 2, ToleranceMinor: 500, Retry: 2 * time.Second, Attempt: time.Minute, Sweep: time.Second}
}

// Validate names every setting that cannot be.
func (c Config) Validate() error {
	var errs []error
	if c.TolerancePercent < 0 || c.TolerancePercent > 100 {
		errs = append(errs, errors.New("tolerance_percent: must be 0 to 100"))
	}
	if c.ToleranceMinor < 0 || c.ToleranceMinor > 1_000_000_000 {
		errs = append(errs, errors.New("tolerance_minor: must be 0 to 1,000,000,000"))
	}
	if c.Retry < 10*time.Millisecond || c.Attempt < 10*time.Millisecond || c.Sweep < 10*time.Millisecond {
		errs = append(errs, errors.New("retry, attempt, sweep: must be at least 10ms"))
	}
	return errors.Join(errs...)
}
