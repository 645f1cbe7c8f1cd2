package masterdata

import (
	"errors"
	"time"
)

// Config is what master data is told beside the host's configuration.
type Config struct {
	Parallel int `koanf:"parallel" doc:"Items of one batch that are put at a time."`

	Sweep time.Duration `koanf:"sweep" doc:"How often approved changes are looked at whose time has come."`
}

// Defaults returns the configuration of a developer's machine, which is that of production.
func Defaults() Config { return Config{Parallel: 256, Sweep: time.Second} }

// Validate names every setting that cannot be.
func (c Config) Validate() error {
	if c.Parallel < 1 || c.Parallel > 1000 {
		return errors.New("parallel: must be 1 to 1000")
	}
	if c.Sweep < 10*time.Millisecond || c.Sweep > time.Hour {
		return errors.New("sweep: must be 10ms to 1h")
	}
	return nil
}
