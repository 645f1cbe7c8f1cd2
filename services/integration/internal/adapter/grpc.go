package adapter

import (
	"context"
	"encoding/base64"
	"fmt"
	"strconv"

	"golang.org/x/sync/errgroup"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/store"
	integrationv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/integration/v1"
	"github.com/lockstep-logistics/lockstep/services/integration/internal/app"
	"github.com/lockstep-logistics/lockstep/services/integration/internal/domain"
)

// Server implements IntegrationService.
type Server struct {
	integrationv1.UnimplementedIntegrationServiceServer
	App *app.App
}

// importsAtOnce are the documents of one batch that are taken at a time.
const importsAtOnce = 8

func (s *Server) take(ctx context.Context, m *integrationv1.InboundDocument) (store.Receipt, error) {
	source := fromSource(m.GetSource())
	return s.App.Import(store.WithSource(ctx, ident.SourceRef(source)), domain.Header{
		Type: typeName(m.GetType()), Format: formatName(m.GetFormat()), Source: source,
	}, m.GetContent())
}

// ImportDocument takes one document.
func (s *Server) ImportDocument(ctx context.Context, req *integrationv1.ImportDocumentRequest) (*integrationv1.ImportDocumentResponse, error) {
	receipt, err := s.take(ctx, req.GetDocument())
	if err != nil {
		return nil, err
	}
	return &integrationv1.ImportDocumentResponse{Receipt: guard.Receipt(ctx, receipt)}, nil
}

// BatchImportDocuments takes documents, each on its own.
func (s *Server) BatchImportDocuments(ctx context.Context, req *integrationv1.BatchImportDocumentsRequest) (*integrationv1.BatchImportDocumentsResponse, error) {
	n := len(req.GetDocuments())
	receipts, errs := make([]store.Receipt, n), make([]error, n)
	var group errgroup.Group
	group.SetLimit(importsAtOnce)
	for _, same := range byMessage(req.GetDocuments()) {
		group.Go(func() error {
			for _, i := range same {
				receipts[i], errs[i] = s.take(store.WithItem(ctx, strconv.Itoa(i)), req.GetDocuments()[i])
			}
			return nil
		})
	}
	_ = group.Wait() // the errors are in the results
	results, err := guard.ItemResults(ctx, n, func(i int) (store.Receipt, error) { return receipts[i], errs[i] })
	return &integrationv1.BatchImportDocumentsResponse{Results: results}, err
}

// byMessage returns the indexes of documents, those of one message together in their order.
func byMessage(documents []*integrationv1.InboundDocument) [][]int {
	var groups [][]int
	known := map[[2]string]int{}
	for i, m := range documents {
		key := [2]string{m.GetSource().GetSystem(), m.GetSource().GetMessageId()}
		g, ok := known[key]
		if !ok || key[1] == "" {
			g = len(groups)
			known[key] = g
			groups = append(groups, nil)
		}
		groups[g] = append(groups[g], i)
	}
	return groups
}

// GetDocument returns one document.
func (s *Server) GetDocument(ctx context.Context, req *integrationv1.GetDocumentRequest) (*integrationv1.GetDocumentResponse, error) {
	view, err := s.App.Get(ctx, req.GetDocumentId())
	if err != nil {
		return nil, err
	}
	return &integrationv1.GetDocumentResponse{Document: resource(view)}, nil
}

// ListDocuments pages documents.
func (s *Server) ListDocuments(ctx context.Context, req *integrationv1.ListDocumentsRequest) (*integrationv1.ListDocumentsResponse, error) {
	q := store.Query{PageSize: int(req.GetPageSize()), PageToken: req.GetPageToken()}
	switch {
	case req.GetState() != 0:
		q.Index, q.Key = app.IndexState, stateName(req.GetState())
	case req.GetType() != 0:
		q.Index, q.Key = app.IndexType, typeName(req.GetType())
	case req.GetMessageId() != "":
		q.Index, q.Key = app.IndexMessage, req.GetMessageId()
	}
	page, err := s.App.List(ctx, q)
	if err != nil {
		return nil, err
	}
	resp := &integrationv1.ListDocumentsResponse{NextPageToken: page.NextToken, AsOfTime: protovalue.Time(page.AsOf)}
	for _, v := range page.Items {
		resp.Documents = append(resp.Documents, resource(v))
	}
	return resp, nil
}

const defaultPage = 50

// ListDocumentErrors pages the errors of a document.
func (s *Server) ListDocumentErrors(ctx context.Context, req *integrationv1.ListDocumentErrorsRequest) (*integrationv1.ListDocumentErrorsResponse, error) {
	from, err := readToken(req.GetPageToken())
	if err != nil {
		return nil, err
	}
	limit := int(req.GetPageSize())
	if limit == 0 {
		limit = defaultPage
	}
	errs, next, err := s.App.Errors(ctx, req.GetDocumentId(), from, limit)
	if err != nil {
		return nil, err
	}
	resp := &integrationv1.ListDocumentErrorsResponse{}
	for _, e := range errs {
		resp.Errors = append(resp.Errors, toError(e))
	}
	if next != nil {
		resp.NextPageToken = base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d:%d", next.Portion, next.Index))
	}
	return resp, nil
}

// readToken reads the place that a page token names. It need not be sealed: it is a place
// in the report of the one document that the request names, and no key.
func readToken(token string) (c app.Cursor, err error) {
	if token == "" {
		return c, nil
	}
	text, err := base64.RawURLEncoding.DecodeString(token)
	if err == nil {
		_, err = fmt.Sscanf(string(text), "%d:%d", &c.Portion, &c.Index)
	}
	if err != nil || c.Portion < 0 || c.Index < 0 {
		return c, fault.New(fault.Invalid, "PAGE_TOKEN_INVALID", "the page token is not one of this list")
	}
	return c, nil
}
