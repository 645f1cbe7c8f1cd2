//go:build faults

package faults

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/lockstep-logistics/lockstep/libs/faultpoint"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	inventorymovementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	operationsv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/operations/v1"
)

// TestKilledBehindADeadLetter: orders go through the warehouse, stock refuses the first pick of
// one for good, and the process dies between the dead letter and the fact's acknowledgement. The
// fact comes again and adds no other letter; what follows of that order waits behind it while the
// others are booked; a replay books all of it, once.
func TestKilledBehindADeadLetter(t *testing.T) {
	t.Parallel()
	for _, shape := range shapes {
		t.Run(fmt.Sprintf("%s/%s", shape.name, faultpoint.N2), func(t *testing.T) {
			t.Parallel()
			r := begin(t, shape.make(t), fmt.Sprintf("%s:err=refused:n=1,%s:kill", faultpoint.X3, faultpoint.N2))
			ctx, cancel := context.WithTimeout(t.Context(), 4*eventually)
			defer cancel()
			r.revive(t)
			ids := r.load(t)
			sum := 0
			var group errgroup.Group
			group.SetLimit(workers)
			for id, pieces := range ids {
				sum += pieces
				group.Go(func() error { return r.issue(ctx, id, id, pieces) })
			}
			if err := group.Wait(); err != nil {
				t.Fatal(err)
			}
			testkit.Eventually(t, eventually, func() error { return r.struck(t, faultpoint.N2) })
			letter := r.letter(ctx, t)
			order := &inventorymovementv1.GetWarehouseOrderResponse{}
			if err := r.api.Get(ctx, "/v1/warehouse-orders/"+letter.GetAggregateId(), order); err != nil {
				t.Fatal(err)
			}
			waits := ids[order.GetWarehouseOrder().GetOrderId()]
			r.booked(ctx, t, sum-waits, waits)
			path := "/v1/services/inventory-movement/dead-letters/" + letter.GetDeadLetterId()
			testkit.Eventually(t, eventually, func() error {
				got := &operationsv1.GetDeadLetterResponse{}
				if err := r.api.Get(ctx, path, got); err != nil || got.GetDeadLetter().GetBehind() != 1 { // the goods issue
					return fmt.Errorf("%v, %w", got, err)
				}
				return nil
			})
			if again := r.letter(ctx, t); again.GetDeadLetterId() != letter.GetDeadLetterId() || again.GetAttempts() != 1 {
				t.Errorf("the letter is %v, was %v", again, letter)
			}
			if err := r.api.Post(ctx, path+":replay", testkit.Name("replay"), &operationsv1.ReplayDeadLetterRequest{}, nil); err != nil {
				t.Fatal(err)
			}
			r.booked(ctx, t, sum, 0)
			if all, err := r.letters(ctx); err != nil || len(all) > 0 {
				t.Errorf("dead letters after the replay: %v, %v", all, err)
			}
		})
	}
}

// letter is the only dead letter that there is.
func (r *rig) letter(ctx context.Context, t *testing.T) *operationsv1.DeadLetter {
	t.Helper()
	all, err := r.letters(ctx)
	if err != nil || len(all) != 1 || all[0].GetReason() != "FAULT_INJECTED" || !strings.HasSuffix(all[0].GetFactType(), ".PickConfirmed") {
		t.Fatalf("dead letters: %v, %v", all, err)
	}
	return all[0]
}

// letters are the dead letters of all services.
func (r *rig) letters(ctx context.Context) (all []*operationsv1.DeadLetter, err error) {
	for _, service := range append([]string{"integration"}, others...) {
		resp := &operationsv1.ListDeadLettersResponse{}
		if err := r.api.Get(ctx, "/v1/services/"+service+"/dead-letters", resp); err != nil {
			return nil, err
		}
		all = append(all, resp.GetDeadLetters()...)
	}
	return all, nil
}
