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
	return resp.GetResults(), err
}
