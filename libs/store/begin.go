package store

import (
	"context"

	"github.com/lockstep-logistics/lockstep/libs/fault"
)

// BeginHere makes this the beginning of Tail, and so of relays: nobody hears of what was
// committed before, such as histories that all who would follow them were loaded with. It can
// be said once, and not after anybody has read from the beginning: that is fault.Conflict.
func (db *DB) BeginHere(ctx context.Context) error {
	end, err := db.engine.end(ctx)
	if err != nil {
		return unavailable(err)
	}
	rows, err := db.engine.table(ctx, beginTable, nil)
	if err != nil {
		return unavailable(err)
	}
	first, err := rows.Swap(ctx, beginAt(end), 0)
	if err == nil && !first {
		err = fault.New(fault.Conflict, "BEGUN", "where the commits begin is settled already")
	}
	return err
}

// beginTable has one row, which is written once: where Tail begins.
const beginTable = "store_begin"

func beginAt(p Position) Row {
	return Row{Tenant: "_store", ID: "begin", Version: 1, Body: []byte(p)}
}

// beginning returns where Tail begins; who asks first settles that it is the first commit.
func (db *DB) beginning(ctx context.Context) (Position, error) {
	rows, err := db.engine.table(ctx, beginTable, nil)
	if err != nil {
		return "", unavailable(err)
	}
	for {
		row, settled, err := rows.Get(ctx, beginAt("").Tenant, beginAt("").ID)
		if err != nil || settled {
			return Position(row.Body), err
		}
		if settled, err := rows.Swap(ctx, beginAt(""), 0); err != nil || settled {
			return "", err
		}
	}
}
