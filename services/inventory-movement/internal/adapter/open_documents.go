package adapter

import (
	"context"

	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/store"
	operationsv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/operations/v1"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/app"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// openAtOnce is how many open documents of a type are told of.
const openAtOnce = 100

// OpenDocuments says which open documents, and which stock, name a record of master data.
type OpenDocuments struct {
	operationsv1.UnimplementedOpenDocumentServiceServer
	App     *app.App
	Inbound *app.Inbound
}

// FindOpenDocuments finds the warehouse orders, inbound deliveries and stock that name a record.
func (s *OpenDocuments) FindOpenDocuments(ctx context.Context, r *operationsv1.FindOpenDocumentsRequest) (*operationsv1.FindOpenDocumentsResponse, error) {
	recordType, name := protovalue.Name(r.GetRecordType(), "NAMED_RECORD_TYPE_"), r.GetRecordKey()
	if recordType == "ITEM" {
		name = r.GetRecordId()
	}
	q := store.Query{Index: app.IndexNames, Key: app.NameKey(recordType, name), PageSize: openAtOnce}
	out := &operationsv1.FindOpenDocumentsResponse{}
	orders, err := s.App.Orders.List(ctx, q)
	if err != nil {
		return nil, err
	}
	found(out, orders, func(o domain.WarehouseOrder) *operationsv1.OpenDocument {
		return &operationsv1.OpenDocument{Type: operationsv1.OpenDocumentType_OPEN_DOCUMENT_TYPE_WAREHOUSE_ORDER, Number: o.Keys.OrderNumber, State: string(o.State())}
	})
	deliveries, err := s.Inbound.Deliveries.List(ctx, q)
	if err != nil {
		return nil, err
	}
	found(out, deliveries, func(d domain.Inbound) *operationsv1.OpenDocument {
		return &operationsv1.OpenDocument{Type: operationsv1.OpenDocumentType_OPEN_DOCUMENT_TYPE_INBOUND_DELIVERY, Number: d.Keys.ASN, State: string(d.State())}
	})
	stocks, err := s.App.Stocks.List(ctx, q)
	if err != nil {
		return nil, err
	}
	found(out, stocks, func(k domain.Stock) *operationsv1.OpenDocument {
		return &operationsv1.OpenDocument{Type: operationsv1.OpenDocumentType_OPEN_DOCUMENT_TYPE_STOCK, Number: k.Key.Site + "/" + k.Key.SKU}
	})
	return out, nil
}

// found adds a page of documents of one type.
func found[S any](out *operationsv1.FindOpenDocumentsResponse, page store.Page[S], tell func(S) *operationsv1.OpenDocument) {
	for _, v := range page.Items {
		d := tell(v.State)
		d.DocumentId = v.ID
		out.Documents = append(out.Documents, d)
	}
	out.More = out.GetMore() || page.NextToken != ""
}
