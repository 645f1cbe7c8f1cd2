package brunel

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"google.golang.org/grpc"

	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	freightsettlementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/freightsettlement/v1"
	integrationv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/integration/v1"
	masterdatav1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/rest"
)

// feeder hands documents and rate cards over, as the company's ERP.
type feeder struct{ conn grpc.ClientConnInterface }

// system is the source system of orders and of every document but that of stock.
const system = "erp"

// documentTime bounds how long a document may take.
const documentTime = 3 * time.Minute

// setup puts the tenant, master data, rate cards and the opening stock.
func (f *feeder) setup(ctx context.Context, p *Plan) error {
	_, err := masterdatav1.NewMasterDataServiceClient(f.conn).PutTenant(keyed(ctx, "tenant"), &masterdatav1.PutTenantRequest{Tenant: &masterdatav1.Tenant{
		Name: "Brunel microchips", Currency: currency, Country: country, TimeZone: zone,
	}})
	if err != nil {
		return err
	}
	for _, s := range p.MasterData() {
		if err := f.whole(ctx, s); err != nil {
			return err
		}
	}
	for _, card := range p.Cards {
		if err := f.publish(ctx, card); err != nil {
			return fmt.Errorf("rate card of %s: %w", card.GetCarrier(), err)
		}
	}
	return f.whole(ctx, p.Stock())
}

// whole hands a document over of which no record may be refused.
func (f *feeder) whole(ctx context.Context, s sheet) error {
	refused, err := f.send(ctx, s)
	if err == nil && len(refused) > 0 {
		err = fmt.Errorf("%d records of %s are refused, first %s: %s %s", len(refused), s.message, refused[0].Number, refused[0].Reason, refused[0].Message)
	}
	return err
}

// publish publishes a rate card, once freight settlement has a copy of its carrier.
func (f *feeder) publish(ctx context.Context, card *freightsettlementv1.RateCard) error {
	ctx, cancel := context.WithTimeout(ctx, documentTime)
	defer cancel()
	freight := freightsettlementv1.NewFreightSettlementServiceClient(f.conn)
	return await(ctx, "its carrier", func(ctx context.Context) error {
		_, err := freight.PublishRateCard(keyed(ctx, "rate-card:"+card.GetCarrier()), &freightsettlementv1.PublishRateCardRequest{Card: card})
		var p *rest.Problem
		if errors.As(err, &p) && p.Status == http.StatusBadRequest {
			return fmt.Errorf("%w: %w", errNotYet, err)
		}
		return err
	})
}

// trails are the reasons of refusals that pass by themselves, once the owner's copy of
// master data is there.
var trails = []string{"ITEM_UNKNOWN", "SITE_UNKNOWN", "PARTY_UNKNOWN", "CARRIER_UNKNOWN", "SERVICE_UNKNOWN", "UNIT_UNKNOWN", "SITE_INVALID", "ADDRESS_UNKNOWN"}

// attempts is how often records are sent that a copy may trail for; what is refused for such
// a reason at the last is refused.
const attempts = 12

// send hands a document over until every record is taken or refused for good, and returns
// those that were refused.
func (f *feeder) send(ctx context.Context, s sheet) ([]Refusal, error) {
	var refused []Refusal
	for n := 1; ; n++ {
		part := s
		part.message = fmt.Sprintf("%s:%d", s.message, n)
		errs, err := f.exchange(ctx, part)
		if err != nil {
			return nil, err
		}
		var again [][]string
		for _, of := range byLine(errs) {
			i := int(of[0].GetLine()) - 2 // after the header, from 1
			if i < 0 || i >= len(s.rows) {
				return nil, fmt.Errorf("%s: %s %s", part.message, of[0].GetReason(), of[0].GetMessage())
			}
			final := slices.IndexFunc(of, func(e *integrationv1.DocumentError) bool { return !slices.Contains(trails, e.GetReason()) })
			if final < 0 && n < attempts {
				again = append(again, s.rows[i])
				continue
			}
			e := of[max(final, 0)]
			refused = append(refused, Refusal{e.GetKey(), e.GetReason(), e.GetMessage()})
		}
		if len(again) == 0 {
			return refused, nil
		}
		s.rows = again
		if !wait(ctx, 250*time.Millisecond) {
			return nil, ctx.Err()
		}
	}
}

// byLine are the errors of a document, those of one line together.
func byLine(errs []*integrationv1.DocumentError) (lines [][]*integrationv1.DocumentError) {
	slices.SortStableFunc(errs, func(a, b *integrationv1.DocumentError) int { return int(a.GetLine() - b.GetLine()) })
	for i, e := range errs {
		if i == 0 || errs[i-1].GetLine() != e.GetLine() {
			lines = append(lines, nil)
		}
		lines[len(lines)-1] = append(lines[len(lines)-1], e)
	}
	return lines
}

// speaker is the system in whose name a document is: what the warehouse received is the warehouse's to say.
func (s sheet) speaker() string {
	if s.kind == integrationv1.DocumentType_DOCUMENT_TYPE_STOCK_RECEIPTS {
		return "wms"
	}
	return system
}

// exchange hands a document over, waits until it is done, and returns its error report.
func (f *feeder) exchange(ctx context.Context, s sheet) ([]*integrationv1.DocumentError, error) {
	ctx, cancel := context.WithTimeout(ctx, documentTime)
	defer cancel()
	client := integrationv1.NewIntegrationServiceClient(f.conn)
	resp, err := client.ImportDocument(keyed(ctx, "document:"+s.message), &integrationv1.ImportDocumentRequest{Document: &integrationv1.InboundDocument{
		Type: s.kind, Format: integrationv1.DocumentFormat_DOCUMENT_FORMAT_CSV, Content: []byte(s.text()),
		Source: &commonv1.SourceRef{System: s.speaker(), MessageId: "BRUNEL-" + s.message},
	}})
	if err != nil {
		return nil, fmt.Errorf("document %s: %w", s.message, err)
	}
	id := resp.GetReceipt().GetId()
	var d *integrationv1.Document
	err = await(ctx, "document "+s.message, func(ctx context.Context) error {
		got, err := client.GetDocument(ctx, &integrationv1.GetDocumentRequest{DocumentId: id})
		if err != nil {
			return err
		}
		d = got.GetDocument()
		if state := d.GetState(); state == integrationv1.DocumentState_DOCUMENT_STATE_RECEIVED || state == integrationv1.DocumentState_DOCUMENT_STATE_PARSED {
			return fmt.Errorf("is %s: %w", state, errNotYet)
		}
		return nil
	})
	if err != nil || d.GetErrors() == 0 {
		return nil, err
	}
	var all []*integrationv1.DocumentError
	for req := (&integrationv1.ListDocumentErrorsRequest{DocumentId: id, PageSize: 200}); ; {
		page, err := client.ListDocumentErrors(ctx, req)
		if err != nil {
			return nil, err
		}
		all = append(all, page.GetErrors()...)
		if req.PageToken = page.GetNextPageToken(); req.PageToken == "" {
			return all, nil
		}
	}
}
