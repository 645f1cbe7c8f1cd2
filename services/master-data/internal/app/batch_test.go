package app_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/master-data/internal/app"
	"github.com/lockstep-logistics/lockstep/services/master-data/internal/domain"
)

// TestBatchKeepsOrder: results stand where their values do, each under its own key, values
// of one code in their order, and no bin before its zone before its site.
func TestBatchKeepsOrder(t *testing.T) {
	values := []domain.Location{
		{Code: "B1", Kind: domain.Bin, Name: "0"},
		{Code: "DC1", Kind: domain.Site, Name: "1"},
		{Code: "Z1", Kind: domain.Zone, Name: "2"},
		{Code: "B1", Kind: domain.Bin, Name: "3"},
		{Code: "BAD", Kind: domain.Dock, Name: "4"},
		{Code: "B2", Kind: domain.Bin, Name: "5"},
	}
	broken := errors.New("bad dock")
	var mu sync.Mutex
	var order []string
	ctx := store.WithCause(context.Background(), store.Cause{Key: "batch-key"})
	results := app.Batch(ctx, 2, values, app.LocationRank, func(ctx context.Context, l domain.Location) (store.Receipt, error) {
		mu.Lock()
		defer mu.Unlock()
		order = append(order, l.Name)
		if l.Code == "BAD" {
			return store.Receipt{}, broken
		}
		return store.Receipt{ID: store.CauseOf(ctx).Key}, nil
	})
	for i, r := range results {
		if values[i].Code == "BAD" {
			if !errors.Is(r.Err, broken) {
				t.Errorf("item %d: %v", i, r.Err)
			}
		} else if want := fmt.Sprintf("batch-key/%d", i); r.Err != nil || r.Receipt.ID != want {
			t.Errorf("item %d ran under %s, %v", i, r.Receipt.ID, r.Err)
		}
	}
	at := map[string]int{}
	for i, name := range order {
		at[name] = i
	}
	for _, pair := range [][2]string{{"1", "2"}, {"1", "4"}, {"2", "0"}, {"4", "0"}, {"0", "3"}, {"2", "5"}} {
		if at[pair[0]] > at[pair[1]] {
			t.Errorf("item %s ran after item %s: %v", pair[0], pair[1], order)
		}
	}
}
