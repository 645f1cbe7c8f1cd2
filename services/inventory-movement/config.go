package inventorymovement

import (
	"errors"
	"time"

	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// Config is what inventory is told beside the host's configuration.
type Config struct {
	Parallel  int `koanf:"parallel" doc:"Stocks that one command or fact changes at a time."`
	SSCCBlock int `koanf:"sscc_block" doc:"Serial numbers of a GS1 company prefix that a process takes at a time; what is left of them when it ends is lost."`
	// A hot stock's whole history is read at its turn.
	VerifyEvery  time.Duration `koanf:"verify_every" doc:"How often some stocks are held against their commits, so that a drift is told before it hurts."`
	Allocation   string        `koanf:"allocation" doc:"In which order stock is allocated that does not expire, where the tenant has no policy of its own: FIFO, first received first out, or LIFO. What expires goes first expired first out."`
	Sweep        time.Duration `koanf:"sweep" doc:"How often reservations are looked at whose time is over."`
	VerifyAtOnce int           `koanf:"verify_at_once" doc:"Stocks that are held against their commits at a time."`

	Horizon time.Duration `koanf:"reservation_horizon" doc:"What is expected later than so long from now is not promised."`

	PickLines  int `koanf:"pick_lines_per_hour" doc:"Lines that a site picks in an hour, from which it is projected when a warehouse order is ready."`
	PackLines  int `koanf:"pack_lines_per_hour" doc:"Lines that a site packs in an hour."`
	LoadOrders int `koanf:"load_orders_per_hour" doc:"Warehouse orders that a site loads in an hour."`

	OverReceiptPercent string `koanf:"over_receipt_percent" doc:"Per cent of a line by which more than was announced is accepted, where neither the line nor its ASN says."`
	PackAuditGrams     int    `koanf:"pack_audit_grams" doc:"Grams by which the weight of a handling unit may differ from what is expected, at a site that has no tolerance of its own; the greater of this and the percentage counts."`
	PackAuditPercent   string `koanf:"pack_audit_percent" doc:"Per cent by which it may differ."`
}

// Defaults returns the configuration of a developer's machine, which is that of production.
func Defaults() Config {
	return Config{
		Parallel: 64, SSCCBlock: 100, VerifyEvery: time.Minute, VerifyAtOnce: 10, Allocation: "FIFO", Sweep: time.Second,
		OverReceiptPercent: "0", PackAuditGrams: 50, PackAuditPercent: "3", Horizon: 90 * 24 * time.Hour,
		PickLines: 120, PackLines: 120, LoadOrders: 60,
	}
}

// Validate names every setting that cannot be.
func (c Config) Validate() error {
	var wrong []error
	if c.Parallel < 1 || c.Parallel > 1000 {
		wrong = append(wrong, errors.New("parallel: must be from 1 to 1000"))
	}
	if c.SSCCBlock < 1 || c.SSCCBlock > 1000 {
		wrong = append(wrong, errors.New("sscc_block: must be from 1 to 1000"))
	}
	if c.VerifyEvery < 10*time.Millisecond || c.Sweep < 10*time.Millisecond {
		wrong = append(wrong, errors.New("verify_every, sweep: must be at least 10ms"))
	}
	if c.VerifyAtOnce < 1 || c.VerifyAtOnce > 1000 {
		wrong = append(wrong, errors.New("verify_at_once: must be from 1 to 1000"))
	}
	if c.Horizon < 0 || c.Horizon > 10*365*24*time.Hour {
		wrong = append(wrong, errors.New("reservation_horizon: must be from 0 to 87600h"))
	}
	if min(c.PickLines, c.PackLines, c.LoadOrders) < 1 || max(c.PickLines, c.PackLines, c.LoadOrders) > 1_000_000 {
		wrong = append(wrong, errors.New("pick_lines_per_hour, pack_lines_per_hour, load_orders_per_hour: must be from 1 to 1000000"))
	}
	if c.Allocation != "FIFO" && c.Allocation != "LIFO" {
		wrong = append(wrong, errors.New("allocation: must be FIFO or LIFO"))
	}
	if _, err := domain.Percent(c.OverReceiptPercent, "over_receipt_percent"); err != nil {
		wrong = append(wrong, err)
	}
	if _, err := domain.Percent(c.PackAuditPercent, "pack_audit_percent"); err != nil || c.PackAuditGrams < 0 {
		wrong = append(wrong, errors.New("pack_audit_percent, pack_audit_grams: must be a percentage from 0 to 100, and at least 0 grams"))
	}
	return errors.Join(wrong...)
}
