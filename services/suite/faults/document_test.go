//go:build faults

package faults

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/faultpoint"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	integrationv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/integration/v1"
	orderreleasev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/fleet"
)

// rows of the document, one order each, handed over in portions of portionOf.
const rows, portionOf = 400, 20

// others are the services beside integration.
var others = []string{"master-data", "order-release", "inventory-movement", "shipment-visibility", "freight-settlement", "returns", "control-tower"}

// TestKilledInTheMiddleOfADocument: kill -9 of the process that hands a document over, three
// times while it does: alone while the owners of its records go on, and with all of the suite.
// The document ends with every row once.
func TestKilledInTheMiddleOfADocument(t *testing.T) {
	t.Parallel()
	alone := func(t *testing.T) *fleet.Fleet {
		t.Helper()
		mongo := testkit.Mongo(t)
		f, err := fleet.NewParts(programs, t.TempDir(), fleet.Servers{
			Mongo: mongo, Prefix: testkit.Database(t, mongo) + "_", NATS: testkit.StartNATS(t).URL(), Redis: testkit.StartRedis(t).URL(),
		}, []string{"integration"},
			append([]string{guard.Gateway}, others...))
		return ended(t, f, err)
	}
	for _, c := range []struct {
		name, victim string
		make         func(t *testing.T) *fleet.Fleet
	}{{"integration alone", "integration", alone}, {"embedded", fleet.Whole, shapes[0].make}, {"servers", fleet.Whole, shapes[1].make}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := c.make(t)
			victim := f.Processes[c.victim]
			victim.Env = append(victim.Env, fmt.Sprintf("INTEGRATION__PORTION_RECORDS=%d", portionOf),
				"FAULT="+faultpoint.E1+":delay=500ms") // so that it is not done before the next kill
			r := begin(t, f, "")
			ctx, cancel := context.WithTimeout(t.Context(), 3*eventually)
			defer cancel()
			id := r.hand(ctx, t)
			for _, after := range []int64{1, rows / 3, rows * 2 / 3} {
				d := r.document(ctx, t, id, after)
				if d.GetApplied() >= rows {
					t.Fatalf("it was done before it could be killed after row %d", after)
				}
				victim.Kill()
				if err := victim.Start(); err != nil {
					t.Fatal(err)
				}
				if err := r.Await(ctx, c.victim); err != nil {
					t.Fatal(err)
				}
			}
			r.tookEffectOnce(ctx, t, id)
		})
	}
}

// TestKilledInADocument: the process dies when a portion, or the last one, has been handed over
// and nothing says so yet. It is handed over again and takes no second effect.
func TestKilledInADocument(t *testing.T) {
	t.Parallel()
	for _, shape := range shapes {
		for _, c := range []struct {
			point string
			pass  int
		}{{faultpoint.E1, rows / portionOf / 2}, {faultpoint.E2, 1}} {
			t.Run(fmt.Sprintf("%s/%s", shape.name, c.point), func(t *testing.T) {
				t.Parallel()
				f := shape.make(t)
				victim := f.Processes[fleet.Whole]
				victim.Env = append(victim.Env, fmt.Sprintf("INTEGRATION__PORTION_RECORDS=%d", portionOf))
				r := begin(t, f, fmt.Sprintf("%s:kill:n=%d", c.point, c.pass))
				ctx, cancel := context.WithTimeout(t.Context(), 3*eventually)
				defer cancel()
				r.revive(t)
				r.tookEffectOnce(ctx, t, r.hand(ctx, t))
				if err := r.struck(t, c.point); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// tookEffectOnce holds a document against its end, and what became of its rows, and does so
// again after it was handed over a second time.
func (r *rig) tookEffectOnce(ctx context.Context, t *testing.T, id string) {
	t.Helper()
	d := r.document(ctx, t, id, rows)
	if got := fmt.Sprintf("%s %d/%d/%d", d.GetState(), d.GetApplied(), d.GetRefused(), d.GetErrors()); got != fmt.Sprintf("DOCUMENT_STATE_APPLIED %d/0/0", rows) {
		t.Errorf("the document is %s: %v", got, d)
	}
	r.everyRowOnce(ctx, t)
	if again := r.hand(ctx, t); again != id {
		t.Errorf("the same document is %s, was %s", again, id)
	}
	r.everyRowOnce(ctx, t)
}

// hand hands the document over.
func (r *rig) hand(ctx context.Context, t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("order_number,sold_to,site,line_number,sku,quantity,unit\n")
	for n := range rows {
		fmt.Fprintf(&b, "ROW-%03d,ACME,DC1,1,WIDGET,1,EA\n", n)
	}
	resp := &integrationv1.ImportDocumentResponse{}
	if err := r.api.Post(ctx, "/v1/documents", testkit.Name("hand"), &integrationv1.ImportDocumentRequest{Document: &integrationv1.InboundDocument{
		Type: integrationv1.DocumentType_DOCUMENT_TYPE_ORDERS, Format: integrationv1.DocumentFormat_DOCUMENT_FORMAT_CSV,
		Content: []byte(b.String()), Source: &commonv1.SourceRef{System: "erp", MessageId: "MSG-1"},
	}}, resp); err != nil {
		t.Fatal(err)
	}
	return resp.GetReceipt().GetId()
}

// document waits until so many of a document's records are taken.
func (r *rig) document(ctx context.Context, t *testing.T, id string, applied int64) *integrationv1.Document {
	t.Helper()
	resp := &integrationv1.GetDocumentResponse{}
	if err := await(ctx, func() error {
		if err := r.api.Get(ctx, "/v1/documents/"+id, resp); err != nil {
			return err
		}
		d := resp.GetDocument()
		if d.GetApplied() < applied || applied == rows && d.GetState() == integrationv1.DocumentState_DOCUMENT_STATE_PARSED {
			return fmt.Errorf("%v", d)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return resp.GetDocument()
}

// everyRowOnce holds orders and stock against the document.
func (r *rig) everyRowOnce(ctx context.Context, t *testing.T) {
	t.Helper()
	want := fmt.Sprintf("%d orders, on hand %d, allocated %d, promised 0", rows, opening, rows)
	if err := await(ctx, func() error {
		numbers, token := map[string]int{}, ""
		for {
			page := &orderreleasev1.ListOrdersResponse{}
			if err := r.api.Get(ctx, "/v1/orders?page_size=200&page_token="+token, page); err != nil {
				return err
			}
			for _, o := range page.GetOrders() {
				if numbers[o.GetOrderNumber()]++; o.GetState() != orderreleasev1.OrderState_ORDER_STATE_RELEASED {
					return fmt.Errorf("%s is %s", o.GetOrderNumber(), o.GetState())
				}
			}
			if token = page.GetNextPageToken(); token == "" {
				break
			}
		}
		onHand, allocated, promised, err := r.figures(ctx)
		if got := fmt.Sprintf("%d orders, on hand %s, allocated %s, promised %s", len(numbers), onHand, allocated, promised); err != nil || got != want {
			return fmt.Errorf("%s, want %s (%w)", got, want, err)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}
