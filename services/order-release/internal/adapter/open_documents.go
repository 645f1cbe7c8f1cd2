package adapter

import (
	"context"

	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/store"
	operationsv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/operations/v1"
	"github.com/lockstep-logistics/lockstep/services/order-release/internal/app"
	"github.com/lockstep-logistics/lockstep/services/order-release/internal/domain"
)

// openAtOnce is how many open documents are told of.
const openAtOnce = 100

// OpenDocuments says which open orders name a record of master data.
type OpenDocuments struct {
	operationsv1.UnimplementedOpenDocumentServiceServer
	App *app.App
}

// FindOpenDocuments finds the open orders that name a record.
func (s *OpenDocuments) FindOpenDocuments(ctx context.Context, r *operationsv1.FindOpenDocumentsRequest) (*operationsv1.FindOpenDocumentsResponse, error) {
	recordType, name := protovalue.Name(r.GetRecordType(), "NAMED_RECORD_TYPE_"), r.GetRecordKey()
	if recordType == "ITEM" {
		name = r.GetRecordId()
	}
	orders, more, err := s.App.Naming(ctx, app.NameKey(recordType, name), openAtOnce)
	return &operationsv1.FindOpenDocumentsResponse{
		Documents: protovalue.Each(orders, func(v store.View[domain.Order]) *operationsv1.OpenDocument {
			return &operationsv1.OpenDocument{
				Type: operationsv1.OpenDocumentType_OPEN_DOCUMENT_TYPE_ORDER, DocumentId: v.ID, Number: v.State.Header.Number, State: string(v.State.State()),
			}
		}),
		More: more,
	}, err
}
