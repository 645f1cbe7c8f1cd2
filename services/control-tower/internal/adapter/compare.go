package adapter

import (
	"context"
	"log/slog"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/bus"
)

// catchUp is how long a recorder may take to reach the heads of its source before it is not
// compared: what is on its way is not missing.
const catchUp = 10 * time.Minute

// Compare returns the sweep that compares what the recorders have with what the owners list
// and fetches what is missing: a net under the bus, in which nothing should ever be caught.
// Each aggregate that lacked facts is told in the log.
func Compare(b *bus.Bus, log *slog.Logger) func(context.Context) error {
	return func(ctx context.Context) error {
		missing := 0
		err := b.Recheck(ctx, catchUp, func(l bus.Lack) {
			missing++
			log.ErrorContext(ctx, "facts were missing", "source", l.From, "aggregate_type", l.AggregateType, "tenant", l.Tenant,
				"aggregate_id", l.AggregateID, "recorded_version", l.Applied, "owner_version", l.Owned, "fetched", l.Came)
		})
		if b.Here() {
			log.InfoContext(ctx, "compared with the owners", "missing", missing)
		}
		return err
	}
}
