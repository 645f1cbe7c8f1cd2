package shipmentvisibility

import (
	"errors"
	"time"

	"github.com/lockstep-logistics/lockstep/services/shipment-visibility/internal/domain"
)

// Config is what shipment visibility is told beside the host's configuration.
type Config struct {
	ShippedPolicy string        `koanf:"shipped_policy" doc:"When a shipment counts as shipped whose warehouse order does not say how its release does, as one from an older version of inventory-movement: GOODS_ISSUE, DISPATCH, or GOODS_ISSUE_AND_DISPATCH, the later of both."`
	Sweep         time.Duration `koanf:"sweep" doc:"How often tenders are looked for whose time to answer has passed."`
}

// Defaults returns the configuration of a developer's machine, which is that of production.
func Defaults() Config {
	return Config{ShippedPolicy: string(domain.ShippedOnBoth), Sweep: time.Second}
}

// Validate names every setting that cannot be.
func (c Config) Validate() error {
	var wrong []error
	if !domain.Policy(c.ShippedPolicy).Known() {
		wrong = append(wrong, errors.New("shipped_policy: must be GOODS_ISSUE, DISPATCH or GOODS_ISSUE_AND_DISPATCH"))
	}
	if c.Sweep < 10*time.Millisecond || c.Sweep > time.Hour {
		wrong = append(wrong, errors.New("sweep: must be from 10ms to 1h"))
	}
	return errors.Join(wrong...)
}
