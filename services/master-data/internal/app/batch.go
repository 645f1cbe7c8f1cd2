package app

import (
	"context"
	"strconv"

	"golang.org/x/sync/errgroup"

	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/master-data/internal/domain"
)

// Result is the outcome of one item of a batch.
type Result struct {
	Receipt store.Receipt
	Err     error
}

// Keyed is what names the record that it is put into.
type Keyed interface{ Key() string }

// ranks is the number of ranks that values may have, 0 first.
const ranks = 3

// Batch puts each value on its own, under the key "<key>/<index>", and returns
// the results in the order of the values. Up to parallel run at a time, and the store
// combines their commits. Values of one code run in their order, and no value runs
// before all of an earlier rank have ended (a site before its bins).
func Batch[V Keyed](ctx context.Context, parallel int, values []V, rank func(V) int, put func(context.Context, V) (store.Receipt, error)) []Result {
	results := make([]Result, len(values))
	for r := range ranks {
		var group errgroup.Group
		group.SetLimit(parallel)
		for _, same := range byCode(values, func(v V) bool { return rank(v) == r }) {
			group.Go(func() error {
				for _, i := range same {
					results[i].Receipt, results[i].Err = put(store.WithItem(ctx, strconv.Itoa(i)), values[i])
				}
				return nil
			})
		}
		_ = group.Wait() // the errors are in the results
	}
	return results
}

// byCode returns the indexes of the wanted values, those of one code together in their order.
func byCode[V Keyed](values []V, wanted func(V) bool) [][]int {
	var groups [][]int
	place := map[string]int{}
	for i, v := range values {
		if !wanted(v) {
			continue
		}
		g, known := place[v.Key()]
		if !known {
			g = len(groups)
			place[v.Key()] = g
			groups = append(groups, nil)
		}
		groups[g] = append(groups[g], i)
	}
	return groups
}

// Unranked is the rank of values that do not depend on each other.
func Unranked[V Keyed](V) int { return 0 }

// LocationRank lets sites be put before zones and docks, and those before bins.
func LocationRank(l domain.Location) int {
	switch l.Kind {
	case domain.Site:
		return 0
	case domain.Bin:
		return 2
	}
	return 1
}
