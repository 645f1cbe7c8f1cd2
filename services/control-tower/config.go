package controltower

import (
	"errors"
	"time"
)

// Config is what the control tower is told beside the host's configuration.
type Config struct {
	Nodes int `koanf:"nodes" doc:"Keys that a trace holds at most, 10 to 500; what is beyond is marked as truncated."`
	Steps int `koanf:"steps" doc:"Facts that a trace holds at most, 100 to 2000; what is beyond is marked as truncated."`

	Compare   time.Duration `koanf:"compare" doc:"How often what is recorded is compared with what every owner lists, and what is missing fetched; the first time after as long."`
	OlderThan time.Duration `koanf:"older_than" doc:"How long a claim hangs before it is listed, where the caller does not say."`
}

// Defaults returns the configuration of a developer's machine, which is that of production.
func Defaults() Config {
	return Config{Nodes: 500, Steps: 2000, Compare: 7 * 24 * time.Hour, OlderThan: 5 * time.Minute}
}

// Validate names every setting that cannot be.
func (c Config) Validate() error {
	var err error
	if c.Nodes < 10 || c.Nodes > 500 {
		err = errors.Join(err, errors.New("nodes: must be 10 to 500"))
	}
	if c.Steps < 100 || c.Steps > 2000 {
		err = errors.Join(err, errors.New("steps: must be 100 to 2000"))
	}
	if c.Compare < time.Second || c.Compare > 366*24*time.Hour {
		err = errors.Join(err, errors.New("compare: must be 1s to a year"))
	}
	if c.OlderThan < time.Second || c.OlderThan > 24*time.Hour {
		err = errors.Join(err, errors.New("older_than: must be 1s to 24h"))
	}
	return err
}
