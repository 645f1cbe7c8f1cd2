package returns

import (
	"errors"
	"fmt"
	"time"

	returnsv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/returns/v1"
	"github.com/lockstep-logistics/lockstep/services/returns/internal/domain"
)

// Config is what returns is told beside the host's configuration: the policy of what happens
// without a person.
type Config struct {
	AutoAuthorise bool     `koanf:"auto_authorise" doc:"Returns within the window and for one of the reasons are authorised at once."`
	WindowDays    int      `koanf:"window_days" doc:"Days after a line's last goods issue within which it needs nobody to be authorised."`
	AutoReasons   []string `koanf:"auto_reasons" doc:"Reasons (ReturnReason) that need nobody to be authorised."`
	AutoCredit    bool     `koanf:"auto_credit" doc:"A credit is requested as soon as inspection accepts goods; else by RequestCredit."`
	FeePoints     int      `koanf:"fee_basis_points" doc:"Restocking fee in basis points (1/100 of a percent) of what was paid."`
	FeeReasons    []string `koanf:"fee_reasons" doc:"Reasons (ReturnReason) that cost the restocking fee."`

	Attempt time.Duration `koanf:"attempt" doc:"How long the claim of a return may take before it is taken up again."`
	Limit   time.Duration `koanf:"limit" doc:"How long after the request a claim that still fails is given up, and the return denied."`
	Sweep   time.Duration `koanf:"sweep" doc:"How often claims are looked at that hang."`
}

// Defaults returns the configuration of a developer's machine, which is that of production.
func Defaults() Config {
	return Config{
		AutoAuthorise: true, WindowDays: 30,
		AutoReasons: []string{
			"CHANGED_MIND", "DEFECTIVE", "DAMAGED_IN_TRANSIT", "WRONG_ITEM", "NOT_AS_DESCRIBED", "ARRIVED_LATE", "SURPLUS", "RECALL",
		},
		AutoCredit: true, FeeReasons: []string{"CHANGED_MIND"},
		Attempt: time.Minute, Limit: time.Hour, Sweep: 5 * time.Second,
	}
}

// Bounds of the settings.
const (
	maxWindowDays = 3650
	wholeFee      = 10_000
	maxWait       = 24 * time.Hour
)

// Validate names every setting that cannot be.
func (c Config) Validate() error {
	var found []error
	if c.WindowDays < 0 || c.WindowDays > maxWindowDays {
		found = append(found, fmt.Errorf("window_days: must be 0 to %d", maxWindowDays))
	}
	if c.FeePoints < 0 || c.FeePoints > wholeFee {
		found = append(found, fmt.Errorf("fee_basis_points: must be 0 to %d", wholeFee))
	}
	for setting, reasons := range map[string][]string{"auto_reasons": c.AutoReasons, "fee_reasons": c.FeeReasons} {
		for _, r := range reasons {
			if returnsv1.ReturnReason_value["RETURN_REASON_"+r] == 0 {
				found = append(found, fmt.Errorf("%s: no reason is called %q", setting, r))
			}
		}
	}
	for setting, d := range map[string]time.Duration{"attempt": c.Attempt, "limit": c.Limit, "sweep": c.Sweep} {
		if d < 10*time.Millisecond || d > maxWait {
			found = append(found, fmt.Errorf("%s: must be 10ms to %s", setting, maxWait))
		}
	}
	return errors.Join(found...)
}

func (c Config) policy() domain.Policy {
	const day = 24 * time.Hour
	return domain.Policy{
		Auto: c.AutoAuthorise, Window: time.Duration(c.WindowDays) * day, AutoReasons: c.AutoReasons,
		AutoCredit: c.AutoCredit, FeePoints: c.FeePoints, FeeReasons: c.FeeReasons,
	}
}
