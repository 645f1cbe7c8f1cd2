package sandbox

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/lockstep-logistics/lockstep/libs/money"
	fs "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/freightsettlement/v1"
	integrationv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/integration/v1"
	sv "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/shipmentvisibility/v1"
)

// Carrier is a carrier's system: it accepts tenders, tells where shipments are, has delivery
// confirmed, and sends an invoice for each, as a document.
type Carrier struct {
	Client  *Client
	SCAC    string
	scripts *scripts

	mu   sync.Mutex
	sent map[string]bool // shipments that are invoiced; asked for again after a restart, for nothing
}

func (c *Carrier) system() string { return "carrier-" + strings.ToLower(c.SCAC) }

// Step does what there is to do for all shipments.
func (c *Carrier) Step(ctx context.Context) error {
	for _, state := range []string{"TENDERED", "READY", "DISPATCHED", "IN_TRANSIT", "OUT_FOR_DELIVERY", "DELIVERED"} {
		if err := eachShipment(ctx, c.Client, by("state", shipmentPrefix+state), c.work); err != nil {
			return err
		}
	}
	final, err := freightsOf(ctx, c.Client, by("state", "FREIGHT_STATE_FINAL"))
	for _, f := range final {
		if err != nil {
			return err
		}
		if f.GetCarrier() != c.SCAC || c.invoiced(f.GetShipmentId(), false) {
			continue
		}
		var got sv.GetShipmentResponse
		if err = c.Client.Get(ctx, "/v1/shipments/"+f.GetShipmentId(), &got); err == nil {
			err = c.work(ctx, got.GetShipment())
		}
	}
	return err
}

// Tend does the same for one order.
func (c *Carrier) Tend(ctx context.Context, orderID string) error {
	return eachShipment(ctx, c.Client, by("order_id", orderID), c.work)
}

func (c *Carrier) work(ctx context.Context, s *sv.Shipment) error {
	id := s.GetShipmentId()
	if t := newest(s); t.GetState() == sv.TenderState_TENDER_STATE_OFFERED && t.GetCarrier() == c.SCAC {
		n := itoa(int(t.GetNumber()))
		return c.Client.Post(ctx, "/v1/shipments/"+id+":respondTender", key(c.system(), id, "respond", n), &sv.RespondTenderRequest{
			Carrier: c.SCAC, Accept: true, Source: from(c.system(), id+":tender:"+n),
		}, &sv.RespondTenderResponse{})
	}
	if s.GetCarrier() != c.SCAC {
		return nil
	}
	switch short(s.GetState(), shipmentPrefix) {
	case "DISPATCHED":
		return c.milestones(ctx, s, 1, sv.MilestoneCode_MILESTONE_CODE_PICKED_UP, sv.MilestoneCode_MILESTONE_CODE_DEPARTED)
	case "IN_TRANSIT":
		return c.milestones(ctx, s, 3, sv.MilestoneCode_MILESTONE_CODE_ARRIVED, sv.MilestoneCode_MILESTONE_CODE_OUT_FOR_DELIVERY)
	case "OUT_FOR_DELIVERY":
		return c.milestones(ctx, s, 5, sv.MilestoneCode_MILESTONE_CODE_DELIVERED)
	case "DELIVERED":
		return c.Client.Post(ctx, "/v1/shipments/"+id+":recordProofOfDelivery", key(c.system(), id, "pod"), &sv.RecordProofOfDeliveryRequest{
			SignedBy: "R. Receiver", SignedTime: c.at(s, 6), Source: from(c.system(), id+":pod"),
		}, &sv.RecordProofOfDeliveryResponse{})
	case "POD_CONFIRMED", "CLOSED":
		return c.invoice(ctx, s)
	}
	return nil
}

// pace is the time from one milestone to the next: the truck of a sandbox is quick.
const pace = 20 * time.Millisecond

// at is when the n-th thing on the way happened: the same whenever it is told.
func (c *Carrier) at(s *sv.Shipment, n int) *timestamppb.Timestamp {
	return timestamppb.New(s.GetShipped().GetDispatchTime().AsTime().Add(time.Duration(n) * pace))
}

func (c *Carrier) milestones(ctx context.Context, s *sv.Shipment, first int, codes ...sv.MilestoneCode) error {
	id := s.GetShipmentId()
	req := &sv.RecordMilestonesRequest{Source: from(c.system(), fmt.Sprintf("%s:milestones:%d", id, first))}
	for i, code := range codes {
		place := s.GetShipTo().GetCity()
		if first == 1 {
			place = s.GetSite()
		}
		req.Milestones = append(req.Milestones, &sv.Milestone{
			Code: code, Classifier: sv.MilestoneClassifier_MILESTONE_CLASSIFIER_ACTUAL, EventTime: c.at(s, first+i),
			Place: place, Source: c.system(), MessageId: fmt.Sprintf("%s:%d", id, first+i),
		})
	}
	return c.Client.Post(ctx, "/v1/shipments/"+id+":recordMilestones", key(c.system(), id, "milestones", itoa(first)), req, &sv.RecordMilestonesResponse{})
}

// invoice sends the invoice of a shipment once what was agreed is final, with what the
// script adds to it, as a CSV document.
func (c *Carrier) invoice(ctx context.Context, s *sv.Shipment) error {
	id := s.GetShipmentId()
	if c.invoiced(id, false) {
		return nil
	}
	freights, err := freightsOf(ctx, c.Client, by("reference", id))
	if err != nil || len(freights) == 0 || freights[0].GetState() != fs.FreightState_FREIGHT_STATE_FINAL {
		if err == nil && len(freights) > 0 && freights[0].GetState() == fs.FreightState_FREIGHT_STATE_SETTLED {
			c.invoiced(id, true)
		}
		return err
	}
	var charges []Charge
	for _, charge := range freights[0].GetCharges() {
		charges = append(charges, Charge{charge.GetCode(), charge.GetAmount().GetAmountMinor()})
	}
	text, err := invoiceCSV(c.SCAC, s, add(charges, c.scripts.of(s.GetOrderNumber()).Overcharge), freights[0].GetTotal().GetCurrency())
	if err != nil {
		return err
	}
	_, err = send(ctx, c.Client, c.system(), "FREIGHT_INVOICES", "CSV", reference("INV", id), text)
	if err == nil || refused(err, "MESSAGE_ID_TAKEN") { // sent before, when other figures were final
		c.invoiced(id, true)
		return nil
	}
	return err
}

// add adds to the charges of the same codes, and the others after them.
func add(charges, more []Charge) []Charge {
	for _, m := range more {
		if i := slices.IndexFunc(charges, func(c Charge) bool { return c.Code == m.Code }); i >= 0 {
			charges[i].Minor += m.Minor
		} else {
			charges = append(charges, m)
		}
	}
	return charges
}

// invoiceCSV writes an invoice as the documents' door takes it.
func invoiceCSV(scac string, s *sv.Shipment, charges []Charge, currency string) (string, error) {
	var b strings.Builder
	b.WriteString("carrier,invoice_number,invoice_date,reference,charge_code,amount,currency\r\n")
	for _, charge := range charges {
		amount, err := money.New(charge.Minor, currency)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "%s,%s,%s,%s,%s,%s,%s\r\n", scac, reference("INV", s.GetShipmentId()),
			s.GetShipped().GetDispatchTime().AsTime().Format(time.DateOnly), s.GetProNumber(), charge.Code, amount.Decimal(), currency)
	}
	return b.String(), nil
}

func (c *Carrier) invoiced(id string, now bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now {
		if c.sent == nil {
			c.sent = map[string]bool{}
		}
		c.sent[id] = true
	}
	return c.sent[id]
}

// freightsOf lists freights by one of their keys.
func freightsOf(ctx context.Context, c *Client, query map[string][]string) (all []*fs.Freight, err error) {
	err = list(ctx, c, "/v1/freights", query, &fs.ListFreightsResponse{}, func(page *fs.ListFreightsResponse) string {
		all = append(all, page.GetFreights()...)
		return page.GetNextPageToken()
	})
	return all, err
}

// send hands a document over and returns its id.
func send(ctx context.Context, c *Client, system, documentType, format, message, content string) (string, error) {
	var resp integrationv1.ImportDocumentResponse
	err := c.Post(ctx, "/v1/documents", key(system, message, "document"), &integrationv1.ImportDocumentRequest{Document: &integrationv1.InboundDocument{
		Type:    integrationv1.DocumentType(integrationv1.DocumentType_value["DOCUMENT_TYPE_"+documentType]),
		Format:  integrationv1.DocumentFormat(integrationv1.DocumentFormat_value["DOCUMENT_FORMAT_"+format]),
		Content: []byte(content), Source: from(system, message),
	}}, &resp)
	return resp.GetReceipt().GetId(), err
}
