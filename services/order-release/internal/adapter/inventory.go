package adapter

import (
	"context"
	"slices"
	"strconv"

	"google.golang.org/grpc"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	"github.com/lockstep-logistics/lockstep/libs/store"
	inventorymovementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	"github.com/lockstep-logistics/lockstep/services/order-release/internal/app"
	"github.com/lockstep-logistics/lockstep/services/order-release/internal/domain"
)

// Bounds of a call, as inventory's contract has them.
const (
	maxClaims = 1000
	maxPlaces = 200
)

// Stock is inventory-movement over gRPC.
type Stock struct {
	inventory inventorymovementv1.InventoryMovementServiceClient
}

// NewStock returns inventory's stock on a connection to it.
func NewStock(conn grpc.ClientConnInterface) *Stock {
	return &Stock{inventorymovementv1.NewInventoryMovementServiceClient(conn)}
}

// Reserve makes the claims. A stock that has too little, or a claim that was closed
// before it arrived, is an answer; every other refusal may pass and is Unavailable: the
// attempt goes on until its time is over.
func (s *Stock) Reserve(ctx context.Context, claims []domain.Claim, partial bool) (map[string]quantity.Decimal, error) {
	granted := map[string]quantity.Decimal{}
	err := inChunks(ctx, claims, maxClaims, func(ctx context.Context, claims []domain.Claim) error {
		resp, err := s.inventory.ReserveStock(ctx, &inventorymovementv1.ReserveStockRequest{
			Claims: protovalue.Each(claims, stockClaim), AllowPartial: partial,
		})
		if err != nil {
			return err
		}
		grants := map[string]*inventorymovementv1.ReserveStockResponse_Grant{}
		for _, g := range resp.GetGrants() {
			grants[g.GetClaimKey()] = g
		}
		for _, c := range claims {
			q, err := grantOf(c, grants[c.Key])
			if err != nil {
				return err
			}
			if q.Sign() > 0 {
				granted[c.Stock] = q
			}
		}
		return nil
	})
	return granted, err
}

// grantOf reads what a claim was granted, 0 for nothing.
func grantOf(c domain.Claim, g *inventorymovementv1.ReserveStockResponse_Grant) (quantity.Decimal, error) {
	var none quantity.Decimal
	undecided := func(code, message string) error {
		return fault.New(fault.Unavailable, "STOCK_UNDECIDED", "claim %s is not decided: %s %s", c.Key, code, message)
	}
	switch {
	case g == nil:
		return none, undecided("", "inventory did not answer it")
	case g.GetGranted() == nil:
		switch r := g.GetRefusal(); r.GetCode() {
		case "INSUFFICIENT_STOCK", "CLAIM_CLOSED":
			return none, nil
		default:
			return none, undecided(r.GetCode(), r.GetMessage())
		}
	}
	q, err := protovalue.StoredQuantity(g.GetGranted())
	if err != nil {
		return none, err
	}
	if q.Unit != c.Quantity.Unit {
		return none, undecided("", "it is granted in "+q.Unit+" instead of "+c.Quantity.Unit)
	}
	return q.Value, nil
}

// GiveBack closes claims.
func (s *Stock) GiveBack(ctx context.Context, claims []domain.ClaimRef) error {
	return inChunks(ctx, claims, maxClaims, func(ctx context.Context, claims []domain.ClaimRef) error {
		_, err := s.inventory.ReleaseReservations(ctx, &inventorymovementv1.ReleaseReservationsRequest{
			Claims: protovalue.Each(claims, func(c domain.ClaimRef) *inventorymovementv1.StockClaim {
				return &inventorymovementv1.StockClaim{ClaimKey: c.Key, Site: c.Site, ItemId: c.Item, Owner: domain.Owner}
			}),
		})
		return err
	})
}

// Available returns what could be promised to an order now.
func (s *Stock) Available(ctx context.Context, order string, places []app.Place) (map[app.Place]quantity.Decimal, error) {
	available := map[app.Place]quantity.Decimal{}
	key := ""
	if order != "" {
		key = domain.PromiseKey(order)
	}
	for chunk := range slices.Chunk(places, maxPlaces) {
		resp, err := s.inventory.GetAvailability(ctx, &inventorymovementv1.GetAvailabilityRequest{
			Places: protovalue.Each(chunk, func(p app.Place) *inventorymovementv1.AvailabilityPlace {
				return &inventorymovementv1.AvailabilityPlace{Site: p.Site, ItemId: p.Item, Owner: domain.Owner, PromiseKey: key}
			}),
		})
		if err != nil {
			return nil, err
		}
		for _, a := range resp.GetAvailabilities() {
			q, err := protovalue.StoredQuantity(a.GetAvailableToPromise())
			if err != nil {
				return nil, err
			}
			available[app.Place{Site: a.GetSite(), Item: a.GetItemId()}] = q.Value
		}
	}
	return available, nil
}

func stockClaim(c domain.Claim) *inventorymovementv1.StockClaim {
	return &inventorymovementv1.StockClaim{
		ClaimKey: c.Key, Site: c.Site, ItemId: c.Item, Owner: domain.Owner, Quantity: protovalue.Quantity(c.Quantity),
		PromiseKey: c.PromiseKey(),
	}
}

// inChunks calls do with up to size elements at a time, each call under a key of its own.
func inChunks[T any](ctx context.Context, list []T, size int, do func(context.Context, []T) error) error {
	if len(list) > 0 && len(list) <= size {
		return do(ctx, list)
	}
	n := 0
	for chunk := range slices.Chunk(list, size) {
		if err := do(store.WithItem(ctx, "c"+strconv.Itoa(n)), chunk); err != nil {
			return err
		}
		n++
	}
	return nil
}
