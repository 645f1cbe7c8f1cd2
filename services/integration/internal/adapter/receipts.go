package adapter

import (
	"context"

	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	inventorymovementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	"github.com/lockstep-logistics/lockstep/services/integration/internal/document"
)

func (o *Owners) recordReceipts(ctx context.Context, source *commonv1.SourceRef, records []document.Record) ([]*commonv1.ItemResult, error) {
	resp, err := o.stock.BatchRecordReceipts(ctx, &inventorymovementv1.BatchRecordReceiptsRequest{
		Receipts: messages[*inventorymovementv1.GoodsReceipt](records), Source: source,
	})
	results := make([]*commonv1.ItemResult, len(resp.GetResults()))
	for i, r := range resp.GetResults() {
		results[i] = &commonv1.ItemResult{Outcome: &commonv1.ItemResult_Receipt{Receipt: r.GetReceipt()}}
		if f := r.GetFailure(); f != nil {
			results[i] = &commonv1.ItemResult{Outcome: &commonv1.ItemResult_Failure{Failure: &commonv1.Failure{
				Reason: f.GetCode(), Message: f.GetMessage(), Fields: []*commonv1.Reason{f},
			}}}
		}
	}
	return results, err
}
