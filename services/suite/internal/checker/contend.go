package checker

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/lockstep-logistics/lockstep/libs/guard"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	imv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	mdv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/rest"
)

// Reasons of the adjustments that Contend makes.
const (
	reasonKey   = "CONTEND_KEY"
	reasonStock = "CONTEND_STOCK"
	contended   = "C-01"
)

// roundsPerStock keeps the histories of one stock small enough to be decided.
const roundsPerStock = 10

// Contend lets clients of one tenant and principal, each over its own connection that writes
// the history, fight for the same keys and the same stocks: in each round all of them send the
// same key at once, half of them with another body, and each takes from or puts to a stock
// that is always nearly empty. The site must be there; the items are Contend's own, called by
// the name, so that nothing else touches their stock. What commands are answered is the
// checker's to judge, so only an end of ctx, or a set-up that fails, is an error.
func Contend(ctx context.Context, conns []grpc.ClientConnInterface, site, name string, rounds int) error {
	stocks := (rounds + roundsPerStock - 1) / roundsPerStock
	for n := range stocks {
		if err := define(ctx, conns[0], site, sku(name, n)); err != nil {
			return err
		}
	}
	for r := range rounds {
		var all sync.WaitGroup
		for client, conn := range conns {
			api := imv1.NewInventoryMovementServiceClient(conn)
			all.Go(func() {
				change := strconv.Itoa(1 + client%2)
				_, _ = api.AdjustStock(keyed(ctx, fmt.Sprintf("contend:%s:key:%d", name, r)), adjust(site, sku(name, r/roundsPerStock), "K-01", change, reasonKey)) // in the history
			})
			all.Go(func() {
				change := strconv.Itoa(rand.IntN(9) - 5)
				if change == "0" {
					change = "1"
				}
				_, _ = api.AdjustStock(keyed(ctx, fmt.Sprintf("contend:%s:stock:%d:%d", name, r, client)), adjust(site, sku(name, r/roundsPerStock), contended, change, reasonStock)) // in the history
			})
		}
		all.Wait()
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

func sku(name string, n int) string { return fmt.Sprintf("CONTEND-%s-%d", name, n) }

func adjust(site, sku, location, change, reason string) *imv1.AdjustStockRequest {
	return &imv1.AdjustStockRequest{Site: site, Sku: sku, Location: location, Change: &commonv1.Quantity{Value: change, Unit: "EA"}, Reason: reason}
}

func keyed(ctx context.Context, key string) context.Context {
	return metadata.AppendToOutgoingContext(ctx, guard.MetaKey, key)
}

// define defines an item and waits until inventory knows it.
func define(ctx context.Context, conn grpc.ClientConnInterface, site, sku string) error {
	_, err := mdv1.NewMasterDataServiceClient(conn).PutItem(keyed(ctx, uuid.NewString()), &mdv1.PutItemRequest{
		Sku: sku, Item: &mdv1.Item{Name: "Contended item", BaseUnit: "EA", BaseWeightGrams: "1"},
	})
	if err != nil {
		return err
	}
	for {
		_, err := imv1.NewInventoryMovementServiceClient(conn).AdjustStock(keyed(ctx, uuid.NewString()), adjust(site, sku, contended, "3", reasonStock))
		var p *rest.Problem
		if err == nil || !errors.As(err, &p) {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}
