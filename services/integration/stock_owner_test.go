package integration_test

import (
	"context"

	inventorymovementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
)

type stockOwner struct {
	inventorymovementv1.UnimplementedInventoryMovementServiceServer
	o *owners
}

func (s *stockOwner) BatchRecordReceipts(ctx context.Context, req *inventorymovementv1.BatchRecordReceiptsRequest) (*inventorymovementv1.BatchRecordReceiptsResponse, error) {
	results, err := batch(ctx, s.o, req.GetSource(), "receipts", "sku", req.GetReceipts(), func(r *inventorymovementv1.GoodsReceipt) string {
		return r.GetSku() + "=" + r.GetQuantity().GetValue()
	})
	return &inventorymovementv1.BatchRecordReceiptsResponse{Results: results}, err
}
