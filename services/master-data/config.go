package masterdata

import "errors"

// Config is what master data is told beside the host's configuration.
type Config struct {
	Parallel int `koanf:"parallel" doc:"Items of one batch that are put at a time."`
}

// Defaults returns the configuration of a developer's machine, which is that of production.
func Defaults() Config { return Config{Parallel: 64} }

// Validate names every setting that cannot be.
func (c Config) Validate() error {
	if c.Parallel < 1 || c.Parallel > 1000 {
		return errors.New("parallel: must be 1 to 1000")
	}
	return nil
}
