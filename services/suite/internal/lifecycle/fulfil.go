package lifecycle

import (
	"context"
	"fmt"
	"strings"

	inventorymovementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
)

// Weights of what is packed: four pieces or more cost more than the least that freight costs,
// and nothing is beyond the band of the rate card.
const (
	emptyGrams = 4_200
	pieceGrams = 4_000
	mostGrams  = 31_000
)

// fulfil is the warehouse's part.
func (p *part) fulfil(ctx context.Context) error {
	client := inventorymovementv1.NewInventoryMovementServiceClient(p.Dial("inventory-movement"))
	if err := await(ctx, "allocation", func(ctx context.Context) error { return p.allocated(ctx, client) }); err != nil {
		return err
	}
	picked, pieces := p.quantities(p.picked)
	short, _ := p.quantities(p.short)
	steps := []step{
		{"AcknowledgeWarehouseOrder", func(ctx context.Context) error {
			_, err := client.AcknowledgeWarehouseOrder(ctx, &inventorymovementv1.AcknowledgeWarehouseOrderRequest{WarehouseOrderId: p.warehouse})
			return err
		}},
		{"ConfirmPicks", func(ctx context.Context) error {
			_, err := client.ConfirmPicks(ctx, &inventorymovementv1.ConfirmPicksRequest{WarehouseOrderId: p.warehouse, Lines: picked})
			return err
		}},
	}
	if len(short) > 0 {
		steps = append(steps, step{"ReportShortPick", func(ctx context.Context) error {
			_, err := client.ReportShortPick(ctx, &inventorymovementv1.ReportShortPickRequest{WarehouseOrderId: p.warehouse, Lines: short, Reason: p.Short.Reason})
			return err
		}})
	}
	return p.all(ctx, append(steps,
		step{"PackCarton", func(ctx context.Context) error {
			grams := min(int64(emptyGrams+pieceGrams*pieces), mostGrams)
			_, err := client.PackCarton(ctx, &inventorymovementv1.PackCartonRequest{WarehouseOrderId: p.warehouse, Lines: picked, GrossWeightGrams: grams})
			return err
		}},
		step{"PostGoodsIssue", func(ctx context.Context) error {
			_, err := client.PostGoodsIssue(ctx, &inventorymovementv1.PostGoodsIssueRequest{WarehouseOrderId: p.warehouse})
			return err
		}},
	)...)
}

// allocated finds the warehouse order of the release and whether stock is set aside for it.
func (p *part) allocated(ctx context.Context, client inventorymovementv1.InventoryMovementServiceClient) error {
	if p.warehouse == "" {
		resp, err := client.ListWarehouseOrders(ctx, &inventorymovementv1.ListWarehouseOrdersRequest{OrderId: p.order})
		if err != nil {
			return err
		}
		for _, o := range resp.GetWarehouseOrders() {
			if strings.HasSuffix(o.GetReleaseId(), fmt.Sprintf("-R%d", p.n)) {
				p.warehouse = o.GetWarehouseOrderId()
			}
		}
		if p.warehouse == "" {
			return errNotYet
		}
	}
	resp, err := client.GetWarehouseOrder(ctx, &inventorymovementv1.GetWarehouseOrderRequest{WarehouseOrderId: p.warehouse})
	if err == nil && resp.GetWarehouseOrder().GetState() == inventorymovementv1.WarehouseOrderState_WAREHOUSE_ORDER_STATE_CREATED {
		return errNotYet
	}
	return err
}

// quantities are lines with something in them, and how many pieces they have together.
func (p *part) quantities(of map[int]int) (lines []*inventorymovementv1.WarehouseLineQuantity, sum int) {
	for i := range p.lines {
		if n := of[i+1]; n > 0 {
			lines, sum = append(lines, &inventorymovementv1.WarehouseLineQuantity{LineNumber: int32(i + 1), Quantity: pieces(n)}), sum+n
		}
	}
	return lines, sum
}

type step struct {
	name string
	do   func(context.Context) error
}

func (p *part) all(ctx context.Context, steps ...step) error {
	for _, s := range steps {
		if err := p.command(ctx, s.name, s.do); err != nil {
			return err
		}
	}
	return nil
}
