package bus

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/store"
)

// position is how far a consumer has come: in the generation, every fact of a lane up to its
// number has taken effect. It may lag behind the effects, never lead.
type position struct {
	Generation uint64    `json:"g"`
	Numbers    numbers   `json:"n"`
	Hint       hint      `json:"h"`
	Recorded   time.Time `json:"r"` // facts recorded before it have taken effect, give or take a day
	version    uint64    // of its row; 0 when there is none
}

// positionStore keeps one consumer's position.
type positionStore struct {
	rows     store.Rows
	consumer string
}

func (s positionStore) load(ctx context.Context) (position, error) {
	row, exists, err := s.rows.Get(ctx, own, s.consumer)
	if err != nil || !exists {
		return position{}, err
	}
	p := position{version: row.Version}
	if err := json.Unmarshal(row.Body, &p); err != nil {
		return p, fmt.Errorf("position of %s: %w", s.consumer, err)
	}
	if p.Numbers == nil {
		p.Numbers = numbers{}
	}
	return p, nil
}

// save stores p on the version that was loaded, and moves that. Another replica that wrote
// meanwhile wins: its position is as true as ours.
func (s positionStore) save(ctx context.Context, p *position) error {
	body, err := json.Marshal(p)
	if err != nil {
		return err
	}
	ok, err := s.rows.Swap(ctx, store.Row{Tenant: own, ID: s.consumer, Version: p.version + 1, Body: body}, p.version)
	if err != nil {
		return err
	}
	if !ok {
		return fault.New(fault.Unavailable, "POSITION_MOVED", "another replica moved the position of %s", s.consumer)
	}
	p.version++
	return nil
}
