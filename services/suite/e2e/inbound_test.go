package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/testkit"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	controltowerv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/controltower/v1"
	inventorymovementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/fleet"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/lifecycle"
)

// TestInbound: what suppliers announced is received, inspected and put away; too much and too
// little come to an agreed end. The stock follows, and nothing is lost or invented.
func TestInbound(t *testing.T) {
	onBothShapes(t, func(t *testing.T, f *fleet.Fleet) {
		for name, test := range map[string]func(*testing.T, party){
			"S17 exact receipt":    exactReceipt,
			"S18 over-receipt":     overReceipt,
			"S19 cancel remaining": underReceipt,
			"status changed":       statusChanged,
		} {
			t.Run(name, func(t *testing.T) { test(t, supplied(t, f, 1, 10)) })
		}
		t.Run("S17 put away by rules", func(t *testing.T) { putAwayByRules(t, f) })
		t.Run("cycle count", func(t *testing.T) { cycleCount(t, f) })
		t.Run("serials", func(t *testing.T) { bySerialNumber(t, f) })
		t.Run("transfer", func(t *testing.T) { transferred(t, f) })
	})
}

// announce registers an ASN of pieces of one item; more are further fields as JSON.
func (p party) announce(t *testing.T, number, site, sku string, pieces int, more string) *commonv1.Receipt {
	t.Helper()
	body := fmt.Sprintf(`{"supplier":"SUPPLIER","asnNumber":%q,"purchaseOrder":"PO-1","site":%q,"lines":[{"lineNumber":1,"sku":%q,"quantity":{"value":"%d","unit":"EA"}}]%s}`,
		number, site, sku, pieces, more)
	return receipt(t, number, p.command(t, http.MethodPost, "/v1/inbound-deliveries", "announce-"+number, body))
}

func (p party) inbound(t *testing.T, id, verb, key, body string) *commonv1.Receipt {
	t.Helper()
	return receipt(t, verb, p.command(t, http.MethodPost, "/v1/inbound-deliveries/"+id+":"+verb, "inbound-"+key, body))
}

func (p party) delivery(t *testing.T, id string) *inventorymovementv1.InboundDelivery {
	t.Helper()
	got := &inventorymovementv1.GetInboundDeliveryResponse{}
	unmarshal(t, p.read(t, "/v1/inbound-deliveries/"+id), got)
	return got.GetInboundDelivery()
}

func received(pieces int) string {
	return fmt.Sprintf(`{"goods":[{"lineNumber":1,"quantity":{"value":"%d","unit":"EA"},"location":"IN-1"}]}`, pieces)
}

// standing waits for what stands at places other than A-01: "IN-1 QI 60", in order.
func (p party) standing(t *testing.T, want string) {
	t.Helper()
	testkit.Eventually(t, within, func() error {
		got := &inventorymovementv1.GetStockResponse{}
		unmarshal(t, p.read(t, "/v1/stocks?site="+lifecycle.Site+"&sku="+lifecycle.SKU(0)), got)
		var rows []string
		for _, r := range got.GetStock().GetRows() {
			if r.GetLocation() != "A-01" {
				rows = append(rows, r.GetLocation()+" "+strings.TrimPrefix(r.GetStatus().String(), "STOCK_STATUS_")+" "+r.GetOnHand().GetValue())
			}
		}
		if is := strings.Join(rows, ", "); is != want {
			return fmt.Errorf("%s stand, want %s", is, want)
		}
		return nil
	})
}

// putAway puts everything of a delivery away, and holds that nothing is left to do.
func (p party) putAway(t *testing.T, id string) {
	t.Helper()
	for _, s := range p.delivery(t, id).GetStandings() {
		if !s.GetPutAway() {
			p.inbound(t, id, "confirmPutaway", fmt.Sprintf("put-%s-%d", id, s.GetTaskNumber()), fmt.Sprintf(`{"taskNumber":%d,"location":"B-01"}`, s.GetTaskNumber()))
		}
	}
	if d := p.delivery(t, id); d.GetState() != inventorymovementv1.InboundDeliveryState_INBOUND_DELIVERY_STATE_PUTAWAY {
		t.Errorf("it is %v", d)
	}
}

func exactReceipt(t *testing.T, p party) {
	const one, two = "340123450000000017", "340123450000000024"
	units := fmt.Sprintf(`,"inspectionRequired":true,"units":[{"sscc":%q,"contents":[{"lineNumber":1,"quantity":{"value":"60","unit":"EA"}}]},`+
		`{"sscc":%q,"contents":[{"lineNumber":1,"quantity":{"value":"40","unit":"EA"}}]}]`, one, two)
	r := p.announce(t, "ASN-17", lifecycle.Site, lifecycle.SKU(0), 100, units)
	id := r.GetId()
	if again := p.announce(t, "ASN-17", lifecycle.Site, lifecycle.SKU(0), 100, units); again.GetEtag() != r.GetEtag() {
		t.Errorf("again: %v", again)
	}
	if got := p.inbound(t, id, "recordArrival", "arrival", `{}`).GetState(); got != "ARRIVED" {
		t.Errorf("it is %s", got)
	}
	for i, sscc := range []string{one, two} {
		body := fmt.Sprintf(`{"goods":[{"sscc":%q,"location":"IN-1"}],"source":{"system":"wms","messageId":"861-%d"}}`, sscc, i)
		p.inbound(t, id, "receiveLines", "scan-"+sscc, body)
		if again := p.inbound(t, id, "receiveLines", "scan-again-"+sscc, body); len(again.GetReasons()) != 1 || again.GetReasons()[0].GetCode() != "RECEIPT_KNOWN" {
			t.Errorf("the same message under another key: %v", again)
		}
	}
	refused(t, "scanned again", p.command(t, http.MethodPost, "/v1/inbound-deliveries/"+id+":receiveLines", "scan-third",
		fmt.Sprintf(`{"goods":[{"sscc":%q,"location":"IN-1"}]}`, one)), "409 UNIT_RECEIVED")
	p.standing(t, "SUPPLIER AVAILABLE -110, IN-1 QI 100")
	p.settled(t, "on hand 10, allocated 0, promised 0, to promise 10")
	p.inbound(t, id, "recordInspection", "inspection", `{"lineNumber":1,"accepted":{"value":"100","unit":"EA"}}`)
	p.settled(t, "on hand 110, allocated 0, promised 0, to promise 110")
	p.putAway(t, id)
	p.standing(t, "SUPPLIER AVAILABLE -110, B-01 AVAILABLE 100")
	p.traced(t, "ASN-17", "Delivery announced", "Goods put away")
}

// traced holds that the control tower tells the story of a business key.
func (p party) traced(t *testing.T, key string, titles ...string) {
	t.Helper()
	testkit.Eventually(t, within, func() error {
		a := p.get(t, "/v1/traces?key="+key)
		got := &controltowerv1.TraceResponse{}
		if a.status != http.StatusOK {
			return fmt.Errorf("%d %s", a.status, a.body)
		}
		unmarshal(t, a.body, got)
		for _, title := range titles {
			if !strings.Contains(a.body, title) {
				return fmt.Errorf("no %q in %s", title, a.body)
			}
		}
		return nil
	})
}

func overReceipt(t *testing.T, p party) {
	id := p.announce(t, "ASN-18", lifecycle.Site, lifecycle.SKU(0), 100, `,"overTolerancePercent":"2"`).GetId()
	r := p.inbound(t, id, "receiveLines", "all", received(104))
	if r.GetState() != "RECEIVED" || len(r.GetReasons()) != 1 || r.GetReasons()[0].GetCode() != "DISCREPANCY" {
		t.Errorf("%v", r)
	}
	p.standing(t, "SUPPLIER AVAILABLE -114, IN-1 AVAILABLE 102, IN-1 QUARANTINE 2")
	p.settled(t, "on hand 112, allocated 0, promised 0, to promise 112")
	resolve := "/v1/inbound-deliveries/" + id + ":resolveOverReceipt"
	refused(t, "more than there is", p.command(t, http.MethodPost, resolve, "too-many",
		`{"lineNumber":1,"decision":"OVER_RECEIPT_DECISION_RETURN","quantity":{"value":"3","unit":"EA"}}`), "409 QUARANTINE_EXCEEDED")
	p.inbound(t, id, "resolveOverReceipt", "keep", `{"lineNumber":1,"decision":"OVER_RECEIPT_DECISION_KEEP","quantity":{"value":"1","unit":"EA"}}`)
	p.inbound(t, id, "resolveOverReceipt", "return", `{"lineNumber":1,"decision":"OVER_RECEIPT_DECISION_RETURN"}`)
	p.standing(t, "SUPPLIER AVAILABLE -113, IN-1 AVAILABLE 103")
	p.settled(t, "on hand 113, allocated 0, promised 0, to promise 113")
	p.putAway(t, id)
	p.standing(t, "SUPPLIER AVAILABLE -113, B-01 AVAILABLE 103")
}

func underReceipt(t *testing.T, p party) {
	id := p.announce(t, "ASN-19", lifecycle.Site, lifecycle.SKU(0), 100, "").GetId()
	p.inbound(t, id, "receiveLines", "first", received(60))
	p.inbound(t, id, "receiveLines", "second", received(25))
	p.standing(t, "SUPPLIER AVAILABLE -95, IN-1 AVAILABLE 85")
	if r := p.inbound(t, id, "cancelRemaining", "cancel", `{"reason":"SUPPLIER_SHORT"}`); r.GetState() != "RECEIVED" {
		t.Errorf("%v", r)
	}
	refused(t, "cancelled again", p.command(t, http.MethodPost, "/v1/inbound-deliveries/"+id+":cancelRemaining", "cancel-2", `{"reason":"SUPPLIER_SHORT"}`), "409 NOTHING_OPEN")
	l := p.delivery(t, id).GetLines()[0]
	if l.GetReceived().GetValue() != "85" || l.GetCancelled().GetValue() != "15" || l.GetOpen().GetValue() != "0" || len(l.GetDiscrepancies()) != 1 ||
		l.GetDiscrepancies()[0].GetType() != inventorymovementv1.DiscrepancyType_DISCREPANCY_TYPE_SHORT {
		t.Errorf("%v", l)
	}
	p.putAway(t, id)
	p.standing(t, "SUPPLIER AVAILABLE -95, B-01 AVAILABLE 85")
}
