package integration

import "errors"

// Config is what integration is told beside the host's configuration.
type Config struct {
	PortionRecords int `koanf:"portion_records" doc:"Records of a document that are handed over at a time, at most; of documents received from now on."`
	PortionKiB     int `koanf:"portion_kib" doc:"KiB of a document after which a portion ends; of documents received from now on."`
	Portions       int `koanf:"portions" doc:"Portions of one document that are handed over side by side, of types whose records do not look at each other: items, parties, carriers and cross-references."`
	InFlightMiB    int `koanf:"in_flight_mib" doc:"MiB of documents that are taken and read at a time; requests of four times as many wait, more are refused with the time to come again. Twice as many are kept for their next portions."`
	Parallel       int `koanf:"parallel" doc:"Calls for one portion at a time where the owner takes no batches."`
}

// Defaults returns the configuration of a developer's machine, which is that of production.
func Defaults() Config {
	return Config{PortionRecords: 250, PortionKiB: 512, Portions: 8, InFlightMiB: 8, Parallel: 16}
}

// Validate names every setting that cannot be.
func (c Config) Validate() error {
	var wrong []error
	for _, s := range []struct {
		name               string
		value, least, most int
		message            string
	}{
		{"portion_records", c.PortionRecords, 1, 1000, "must be 1 to 1000"},
		{"portion_kib", c.PortionKiB, 1, 4096, "must be 1 to 4096"},
		{"portions", c.Portions, 1, 16, "must be 1 to 16"},
		{"in_flight_mib", c.InFlightMiB, 8, 1024, "must be 8 to 1024"},
		{"parallel", c.Parallel, 1, 256, "must be 1 to 256"},
	} {
		if s.value < s.least || s.value > s.most {
			wrong = append(wrong, errors.New(s.name+": "+s.message))
		}
	}
	return errors.Join(wrong...)
}
