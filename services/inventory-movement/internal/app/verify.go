package app

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// Copies of a stock that are held against its commits.
const (
	Served = "served" // what commands decide on and queries answer from
	Stored = "stored" // the snapshot in the database
)

// Difference is something that a copy of a stock has otherwise than its commits say.
type Difference struct {
	Copy string
	domain.Difference
}

// Verdict is what verifying a stock found.
type Verdict struct {
	Stock       string
	Version     uint64
	Differences []Difference
}

// Drift is told of every stock that was verified.
type Drift interface {
	// Verified counts a stock that was held against its commits, and what differed.
	Verified(ctx context.Context, differences int)
}

// Verify folds a stock anew from its first commit and names what differs from what is served
// and stored. It changes nothing.
func (a *App) Verify(ctx context.Context, t Target) (Verdict, error) {
	v, err := a.Stock(ctx, t)
	if err != nil {
		return Verdict{}, err
	}
	return a.verify(ctx, v.ID)
}

func (a *App) verify(ctx context.Context, id string) (Verdict, error) {
	audit, err := a.Ledger.Audit(ctx, id)
	if err != nil {
		return Verdict{}, err
	}
	v := Verdict{Stock: id, Version: audit.Version}
	v.hold(Served, audit.Served)
	v.hold(Stored, audit.Stored)
	a.Drift.Verified(ctx, len(v.Differences))
	return v, nil
}

// hold holds a copy against what the commits say.
func (v *Verdict) hold(name string, c store.Compared[domain.Stock]) {
	if !c.Found {
		return
	}
	for _, d := range domain.Differences(c.Is, c.Ought) {
		v.Differences = append(v.Differences, Difference{name, d})
	}
}

// mendings is how often a stock is mended that is written all the while.
const mendings = 5

// Rebuild puts what a stock's commits say in the place of a copy that has drifted. The commits
// stay as they are; the receipt of the command is one more.
func (a *App) Rebuild(ctx context.Context, t Target) (store.Receipt, Verdict, error) {
	found, err := a.Verify(ctx, t)
	if err != nil {
		return store.Receipt{}, found, err
	}
	for range mendings {
		if _, err := a.Ledger.Mend(ctx, found.Stock); err != nil {
			return store.Receipt{}, found, err
		}
		left, err := a.verify(ctx, found.Stock)
		if err != nil {
			return store.Receipt{}, found, err
		}
		if len(left.Differences) > 0 {
			continue // a command that was under way went on from the old copy
		}
		r, err := a.onStock(ctx, found.Stock, func(domain.Stock, time.Time) ([]domain.StockFact, error) { return nil, nil },
			func(d *store.Decision[domain.StockFact], _ domain.Stock) {
				d.Values = map[string]string{"differences": strconv.Itoa(len(found.Differences))}
			})
		return r, found, err
	}
	return store.Receipt{}, found, fault.New(fault.Unavailable, "REBUILD_CONTENDED", "the stock is written all the while: try again").After(time.Second)
}

// Snapshots pages the stocks of all tenants.
type Snapshots interface {
	Snapshots(ctx context.Context, aggregateType string, after store.Ref, limit int, export bool) ([]store.Snapshot, error)
}

// Check verifies some stocks at each of its turns, all tenants', and begins anew at the end:
// slow, so that it costs nothing, and steady, so that a drift is told within days.
type Check struct {
	App       *App
	Snapshots Snapshots
	AtOnce    int // stocks a turn

	mu    sync.Mutex
	after store.Ref
}

// Turn verifies the next few stocks. A stock whose served copy alone has drifted takes the
// stored one again; a drifted snapshot waits for RebuildStock, and is told in the log.
func (c *Check) Turn(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	page, err := c.Snapshots.Snapshots(ctx, "stock", c.after, c.AtOnce, false)
	if err != nil {
		return err
	}
	var found error
	for _, s := range page {
		ctx := store.WithCause(ctx, store.Cause{Tenant: s.Tenant, Principal: "service:inventory-movement", Correlation: s.ID})
		v, err := c.App.verify(ctx, s.ID)
		if err != nil {
			found = errors.Join(found, err)
			continue
		}
		found = errors.Join(found, c.App.told(ctx, s.Tenant, v))
	}
	c.after = store.Ref{}
	if len(page) == c.AtOnce {
		last := page[len(page)-1]
		c.after = store.Ref{Tenant: last.Tenant, ID: last.ID}
	}
	return found
}

// told is the error that a verdict is, nil if all is well.
func (a *App) told(ctx context.Context, tenant string, v Verdict) error {
	if len(v.Differences) == 0 {
		return nil
	}
	stored := false
	for _, d := range v.Differences {
		stored = stored || d.Copy == Stored
	}
	if !stored {
		a.Ledger.Drop(ctx, v.Stock)
	}
	d := v.Differences[0]
	return fmt.Errorf("stock %s of %s has drifted from its commits at version %d, %d differences: %s of %s %s has %q and should have %q",
		v.Stock, tenant, v.Version, len(v.Differences), d.Copy, d.Part, d.Name, d.Has, d.Ought)
}
