package adapter

import (
	"context"
	"sync"
	"time"

	"google.golang.org/grpc"

	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	mdv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
	operationsv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/operations/v1"
	"github.com/lockstep-logistics/lockstep/services/master-data/internal/app"
)

const (
	documentPrefix = "OPEN_DOCUMENT_TYPE_"
	recordPrefix   = "NAMED_RECORD_TYPE_"
)

// documented are the services whose open documents name records, and patience what they have to answer.
var documented = []string{"order-release", "inventory-movement"}

const patience = 2 * time.Second

// Documents asks the services whose documents name records.
type Documents struct {
	names   []string
	clients []operationsv1.OpenDocumentServiceClient
}

// NewDocuments returns what asks over connections to them.
func NewDocuments(dial func(service string) grpc.ClientConnInterface) *Documents {
	d := &Documents{names: documented}
	for _, name := range documented {
		d.clients = append(d.clients, operationsv1.NewOpenDocumentServiceClient(dial(name)))
	}
	return d
}

// Open implements app.Documents: all are asked at the same time.
func (d *Documents) Open(ctx context.Context, objectType, key, id string) app.Open {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	answers := make([]*operationsv1.FindOpenDocumentsResponse, len(d.clients))
	var group sync.WaitGroup
	for i, c := range d.clients {
		group.Go(func() {
			found, err := c.FindOpenDocuments(ctx, &operationsv1.FindOpenDocumentsRequest{
				RecordType: operationsv1.NamedRecordType(operationsv1.NamedRecordType_value[recordPrefix+objectType]), RecordKey: key, RecordId: id,
			})
			if err == nil { // else it is named as not asked
				answers[i] = found
			}
		})
	}
	group.Wait()
	var open app.Open
	for i, found := range answers {
		if found == nil {
			open.NotAsked = append(open.NotAsked, d.names[i])
			continue
		}
		open.More = open.More || found.GetMore()
		for _, o := range found.GetDocuments() {
			open.Documents = append(open.Documents, app.OpenDocument{
				Type: protovalue.Name(o.GetType(), documentPrefix), ID: o.GetDocumentId(), Number: o.GetNumber(), State: o.GetState(),
			})
		}
	}
	return open
}

func openToProto(o app.Open) *mdv1.OpenDocuments {
	return &mdv1.OpenDocuments{
		Documents: protovalue.Each(o.Documents, func(d app.OpenDocument) *operationsv1.OpenDocument {
			return &operationsv1.OpenDocument{
				Type: operationsv1.OpenDocumentType(operationsv1.OpenDocumentType_value[documentPrefix+d.Type]), DocumentId: d.ID, Number: d.Number, State: d.State,
			}
		}),
		More: o.More, NotAsked: o.NotAsked,
	}
}

// FindOpenDocuments lists the open documents that name a record.
func (s *Server) FindOpenDocuments(ctx context.Context, req *mdv1.FindOpenDocumentsRequest) (*mdv1.FindOpenDocumentsResponse, error) {
	open, err := s.Changes.OpenOf(ctx, objectType(req.GetObjectType()), req.GetObjectKey())
	return &mdv1.FindOpenDocumentsResponse{OpenDocuments: openToProto(open)}, err
}

// PreviewChange shows what a change would break.
func (s *Server) PreviewChange(ctx context.Context, req *mdv1.PreviewChangeRequest) (*mdv1.PreviewChangeResponse, error) {
	view, err := s.Changes.Get(ctx, req.GetCode())
	if err != nil {
		return nil, err
	}
	breaking, err := s.Changes.Preview(ctx, view.State.Value)
	return &mdv1.PreviewChangeResponse{BreakingFields: breaking.Fields, OpenDocuments: openToProto(breaking.Open)}, err
}
