package brunel

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"

	"google.golang.org/grpc"

	"github.com/lockstep-logistics/lockstep/libs/quantity"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	inventorymovementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
)

// placesAtOnce is how many places one call reads.
const placesAtOnce = 200

// reconcile compares what is left in stock with what was received less what the orders took:
// nothing on hand beyond it, nothing claimed. Reports are booked by and by, so it waits for them.
func reconcile(ctx context.Context, conn grpc.ClientConnInterface, t *tally, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, documentTime)
	defer cancel()
	client := inventorymovementv1.NewInventoryMovementServiceClient(conn)
	var units int64
	left := t.left()
	for _, n := range t.plan.stock() {
		units += n.quantity
	}
	for some := range slices.Chunk(t.plan.stock(), placesAtOnce) {
		req := &inventorymovementv1.GetAvailabilityRequest{}
		var want int64
		for _, n := range some {
			req.Places = append(req.Places, &inventorymovementv1.AvailabilityPlace{Site: n.at.Plant, Sku: n.at.Of})
			want += left[n.at]
		}
		if err := await(ctx, "stock", func(ctx context.Context) error {
			resp, err := client.GetAvailability(ctx, req)
			if err != nil {
				return err
			}
			onHand, claimed := sums(resp.GetAvailabilities())
			if !onHand.Equal(quantity.Int(want)) || !claimed.IsZero() {
				return fmt.Errorf("%s on hand, %d are left; %s are claimed: %w", onHand, want, claimed, errNotYet)
			}
			return nil
		}); err != nil {
			return err
		}
	}
	var rest int64
	for _, n := range left {
		rest += n
	}
	_, _ = fmt.Fprintf(out, "Stock of %d places: %d units received, %d left, nothing claimed, as the orders say\n", len(t.plan.stock()), units, rest)
	return nil
}

// sums adds up what is on hand and what is claimed.
func sums(all []*inventorymovementv1.Availability) (onHand, claimed quantity.Decimal) {
	for _, a := range all {
		onHand = onHand.Add(value(a.GetOnHand()))
		claimed = claimed.Add(value(a.GetAllocated())).Add(value(a.GetPromised()))
	}
	return onHand, claimed
}

// value reads a quantity of an answer; absent is 0.
func value(q *commonv1.Quantity) quantity.Decimal {
	d, err := quantity.Parse(q.GetValue())
	if err != nil {
		return quantity.Decimal{}
	}
	return d
}

// place is how much of a product a plant has at first.
type place struct {
	at       Pair // plant, product
	quantity int64
}

// stock is as much of each product at each plant as the plan's orders ask for there.
func (p *Plan) stock() (places []place) {
	index := map[Pair]int{}
	for _, o := range p.Orders {
		at := Pair{o.Plant, o.Product}
		i, there := index[at]
		if !there {
			i = len(places)
			index[at], places = i, append(places, place{at: at})
		}
		places[i].quantity += o.Quantity
	}
	return places
}

func (n place) row() []string {
	return []string{n.at.Plant, n.at.Of, bin, strconv.FormatInt(n.quantity, 10), "EA", "OPENING"}
}
