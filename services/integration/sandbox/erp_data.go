package sandbox

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protojson"

	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	fs "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/freightsettlement/v1"
	integrationv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/integration/v1"
	masterdatav1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
	or "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
)

// data is the sample company's: written for this suite from the standards, of nobody.
//
//go:embed data
var data embed.FS

// Setup puts the sample company's master data, rate cards and opening stock, once: doing it
// again changes nothing.
func (e *ERP) Setup(ctx context.Context) error {
	err := e.Client.Do(ctx, "PUT", "/v1/tenant", key(erp, "tenant"), &masterdatav1.PutTenantRequest{Tenant: &masterdatav1.Tenant{
		Name: "Lockstep Sample Trading", Currency: "EUR", Country: "DE", TimeZone: "Europe/Berlin",
	}}, &masterdatav1.PutTenantResponse{})
	if err != nil {
		return err
	}
	for _, documentType := range []string{"LOCATIONS", "ITEMS", "PARTIES", "CARRIERS"} {
		text, err := data.ReadFile("data/" + strings.ToLower(documentType) + ".csv")
		if err != nil {
			return err
		}
		d, err := e.exchange(ctx, documentType, "CSV", "SAMPLE-"+documentType, string(text))
		if err != nil {
			return err
		}
		if d.GetState() != integrationv1.DocumentState_DOCUMENT_STATE_APPLIED {
			return e.complain(ctx, d)
		}
	}
	if err := e.publishRates(ctx); err != nil {
		return err
	}
	text, err := data.ReadFile("data/stock.csv")
	if err != nil {
		return err
	}
	return e.receive(ctx, "SAMPLE-STOCK", string(text))
}

func (e *ERP) publishRates(ctx context.Context) error {
	text, err := data.ReadFile("data/rate_cards.json")
	if err != nil {
		return err
	}
	var cards []json.RawMessage
	if err := json.Unmarshal(text, &cards); err != nil {
		return err
	}
	for _, raw := range cards {
		var card fs.RateCard
		if err := protojson.Unmarshal(raw, &card); err != nil {
			return err
		}
		err := e.Client.Post(ctx, "/v1/rate-cards", key(erp, "rate-card", card.GetCarrier()), &fs.PublishRateCardRequest{Card: &card}, &fs.PublishRateCardResponse{})
		if err != nil && !refused(err, "VALIDITY_OVERLAP") { // published before
			return err
		}
	}
	return nil
}

// documentTime bounds how long a document may take.
const documentTime = time.Minute

// speaker is the system in whose name a document is: what the warehouse received is the warehouse's to say.
func speaker(documentType string) string {
	if documentType == "STOCK_RECEIPTS" {
		return wms
	}
	return erp
}

// exchange hands a document over and waits until it is done.
func (e *ERP) exchange(ctx context.Context, documentType, format, message, content string) (*integrationv1.Document, error) {
	id, err := send(ctx, e.Client, speaker(documentType), documentType, format, message, content)
	if err != nil {
		return nil, err
	}
	for until := e.Clock.Now().Add(documentTime); ; {
		var got integrationv1.GetDocumentResponse
		if err := e.Client.Get(ctx, "/v1/documents/"+id, &got); err != nil {
			return nil, err
		}
		switch got.GetDocument().GetState() {
		case integrationv1.DocumentState_DOCUMENT_STATE_RECEIVED, integrationv1.DocumentState_DOCUMENT_STATE_PARSED:
			if e.Clock.Now().After(until) || !wait(ctx, pollEvery) {
				return nil, fmt.Errorf("document %s is still %s", message, got.GetDocument().GetState())
			}
		default:
			return got.GetDocument(), nil
		}
	}
}

// report returns the errors of a document.
func (e *ERP) report(ctx context.Context, id string) (all []*integrationv1.DocumentError, err error) {
	err = list(ctx, e.Client, "/v1/documents/"+id+"/errors", url.Values{}, &integrationv1.ListDocumentErrorsResponse{}, func(page *integrationv1.ListDocumentErrorsResponse) string {
		all = append(all, page.GetErrors()...)
		return page.GetNextPageToken()
	})
	return all, err
}

// complain says what is wrong with a document.
func (e *ERP) complain(ctx context.Context, d *integrationv1.Document) error {
	errs, err := e.report(ctx, d.GetDocumentId())
	if err != nil {
		return err
	}
	text := fmt.Sprintf("document %s is %s", d.GetSource().GetMessageId(), d.GetState())
	for _, e := range errs {
		text += fmt.Sprintf("; line %d %s %s: %s", e.GetLine(), e.GetField(), e.GetReason(), e.GetMessage())
	}
	return fmt.Errorf("%s", text)
}

// attempts bounds how often records are sent again that a service did not know enough for:
// its copy of master data may trail.
const attempts = 40

// notYet are the reasons of refusals that pass by themselves.
var notYet = map[string]bool{"ITEM_UNKNOWN": true, "SITE_UNKNOWN": true, "PARTY_UNKNOWN": true, "CARRIER_UNKNOWN": true, "UNIT_UNKNOWN": true, "SERVICE_UNKNOWN": true, "SITE_INVALID": true}

// again hands a document over, and then, as a message of its own, what of it was refused for
// the time being, until nothing is.
func (e *ERP) again(ctx context.Context, documentType, format, message, content string, refused func(content string, errs []*integrationv1.DocumentError) string) (*integrationv1.Document, error) {
	for n := 1; ; n++ {
		d, err := e.exchange(ctx, documentType, format, fmt.Sprintf("%s:%d", message, n), content)
		if err != nil || d.GetRefused() == 0 && d.GetErrors() == 0 {
			return d, err
		}
		errs, err := e.report(ctx, d.GetDocumentId())
		if err != nil {
			return nil, err
		}
		for _, r := range errs {
			if !notYet[r.GetReason()] || n == attempts {
				return nil, e.complain(ctx, d)
			}
		}
		content = refused(content, errs)
		if !wait(ctx, pollEvery) {
			return nil, ctx.Err()
		}
	}
}

// Receive receives goods under a message id; the bins are the warehouse's.
func (e *ERP) Receive(ctx context.Context, message string, goods []Goods) error {
	var b strings.Builder
	b.WriteString("site,sku,location,quantity,unit,document\n")
	for _, g := range goods {
		fmt.Fprintf(&b, "%s,%s,%s,%s,%s,%s\n", g.Site, g.SKU, g.Bin, g.Quantity, g.Unit, message)
	}
	return e.receive(ctx, message, b.String())
}

func (e *ERP) receive(ctx context.Context, message, text string) error {
	_, err := e.again(ctx, "STOCK_RECEIPTS", "CSV", message, text, func(content string, errs []*integrationv1.DocumentError) string {
		lines := strings.SplitAfter(content, "\n")
		rest := lines[0]
		for i, last := 0, int64(0); i < len(errs); i++ {
			if line := errs[i].GetLine(); line != last {
				rest, last = rest+lines[line-1], line
			}
		}
		return rest
	})
	return err
}

// Export hands the scenario's order over as a document and returns its id.
func (e *ERP) Export(ctx context.Context, s Scenario) (string, error) {
	text, err := orderText(s)
	if err != nil {
		return "", err
	}
	if _, err := e.again(ctx, "ORDERS", s.Format, s.Number, text, func(whole string, _ []*integrationv1.DocumentError) string { return whole }); err != nil {
		return "", err
	}
	for {
		if id, err := e.find(ctx, s); id != "" || err != nil {
			return id, err
		}
		if !wait(ctx, pollEvery) { // the list trails
			return "", ctx.Err()
		}
	}
}

// find returns the id of the scenario's order; "" when there is none.
func (e *ERP) find(ctx context.Context, s Scenario) (string, error) {
	var got or.ListOrdersResponse
	if err := e.Client.Get(ctx, "/v1/orders?"+by("order_number", s.Number).Encode(), &got); err != nil {
		return "", err
	}
	for _, o := range got.GetOrders() {
		if o.GetSourceSystem() == erp {
			return o.GetOrderId(), nil
		}
	}
	return "", nil
}

// orderText writes an order as the ERP exports it.
func orderText(s Scenario) (string, error) {
	if s.Format == "CSV" {
		var b strings.Builder
		b.WriteString("order_number;purchase_order;sold_to;site;carrier;service_level;currency;line_number;sku;quantity;unit;unit_price\r\n")
		for i, l := range s.Lines {
			head := ";;;;;"
			if i == 0 {
				head = strings.Join([]string{"PO-" + s.Number, s.Customer, s.Site, s.Carrier, s.Service, "EUR"}, ";")
			}
			fmt.Fprintf(&b, "%s;%s;%d;%s;%s;%s;%s\r\n", s.Number, head, l.Number, l.SKU, l.Quantity, l.Unit, l.Price)
		}
		return b.String(), nil
	}
	doc := &or.OrderDocument{
		OrderNumber: s.Number, PurchaseOrder: "PO-" + s.Number, SoldTo: &or.OrderParty{PartyCode: s.Customer}, Site: s.Site,
		CarrierPreference: s.Carrier, ServiceLevel: s.Service, Currency: "EUR",
	}
	for _, l := range s.Lines {
		doc.Lines = append(doc.Lines, &or.OrderLine{
			LineNumber: int32(l.Number), Sku: l.SKU, Quantity: &commonv1.Quantity{Value: l.Quantity, Unit: l.Unit}, UnitPrice: l.Price,
		})
	}
	return jsonOf(doc)
}
