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
	resp := &inventorymovementv1.BatchRecordReceiptsResponse{}
	for _, r := range results {
		result := &inventorymovementv1.BatchRecordReceiptsResponse_Result{Receipt: r.GetReceipt()}
		if f := r.GetFailure(); f != nil {
			result.Failure = f.GetFields()[0]
		}
		resp.Results = append(resp.Results, result)
	}
	return resp, err
}
