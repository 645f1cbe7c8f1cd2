package inventorymovement

import (
	"errors"

	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// Config is what inventory is told beside the host's configuration.
type Config struct {
	Parallel  int `koanf:"parallel" doc:"Stocks that one command or fact changes at a time."`
	SSCCBlock int `koanf:"sscc_block" doc:"Serial numbers of a GS1 company prefix that a process takes at a time; what is left of them when it ends is lost."`

	OverReceiptPercent string `koanf:"over_receipt_percent" doc:"Per cent of a line by which more than was announced is accepted, where neither the line nor its ASN says."`
}

// Defaults returns the configuration of a developer's machine, which is that of production.
func Defaults() Config { return Config{Parallel: 64, SSCCBlock: 100, OverReceiptPercent: "0"} }

// Validate names every setting that cannot be.
func (c Config) Validate() error {
	var wrong []error
	if c.Parallel < 1 || c.Parallel > 1000 {
		wrong = append(wrong, errors.New("parallel: must be from 1 to 1000"))
	}
	if c.SSCCBlock < 1 || c.SSCCBlock > 1000 {
		wrong = append(wrong, errors.New("sscc_block: must be from 1 to 1000"))
	}
	if _, err := domain.Percent(c.OverReceiptPercent, "over_receipt_percent"); err != nil {
		wrong = append(wrong, err)
	}
	return errors.Join(wrong...)
}
