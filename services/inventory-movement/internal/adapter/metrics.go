package adapter

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
)

// scope is the instrumentation scope of this service's metrics.
const scope = "github.com/lockstep-logistics/lockstep/services/inventory-movement"

// Drift counts the stocks that were held against their commits, and those that had drifted.
type Drift struct {
	verified, drifted, differences metric.Int64Counter
}

// NewDrift returns the instruments.
func NewDrift() (*Drift, error) {
	meter := otel.Meter(scope)
	var errs error
	counter := func(name, what string) metric.Int64Counter {
		c, err := meter.Int64Counter(name, metric.WithDescription(what))
		errs = errors.Join(errs, err)
		return c
	}
	d := &Drift{
		verified:    counter("inventory_movement.stocks.verified", "stocks held against their commits"),
		drifted:     counter("inventory_movement.stocks.drifted", "stocks of which a copy differed from their commits"),
		differences: counter("inventory_movement.stocks.differences", "rows, claims and allocations of a copy that differed"),
	}
	for _, c := range []metric.Int64Counter{d.verified, d.drifted, d.differences} {
		c.Add(context.Background(), 0) // so that 0 is told, not nothing
	}
	return d, errs
}

// Verified implements app.Drift.
func (d *Drift) Verified(ctx context.Context, differences int) {
	d.verified.Add(ctx, 1)
	if differences > 0 {
		d.drifted.Add(ctx, 1)
		d.differences.Add(ctx, int64(differences))
	}
}
