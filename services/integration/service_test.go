package integration_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/lockstep-logistics/lockstep/libs/bus"
	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/host"
	"github.com/lockstep-logistics/lockstep/libs/host/hosttest"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	integrationv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/integration/v1"
	integration "github.com/lockstep-logistics/lockstep/services/integration"
)

func TestMain(m *testing.M) { testkit.Main(m, func() error { return goleak.Find() }) }

// patience bounds how long something may take on a loaded machine; the bus alone rests for 30 s after a few failures.
const patience = 2 * time.Minute

// portion is how many records the tests hand over at a time.
const portion = 10

// world is integration among what stands for the owners of records.
type world struct {
	*hosttest.Suite
	owners  *owners
	letters atomic.Pointer[bus.DeadLetters]
	door    integrationv1.IntegrationServiceClient
}

func (w *world) unit() *host.Unit {
	cfg := integration.Defaults()
	cfg.PortionRecords = portion
	return host.Bind(integration.Name, cfg, func(cfg integration.Config, d host.Deps) (*host.Service, error) {
		w.letters.Store(d.Bus.DeadLetters())
		return integration.New(cfg, d)
	})
}

// parked are the facts that integration could not apply.
func (w *world) parked(t *testing.T) []bus.DeadLetter {
	t.Helper()
	letters, err := w.letters.Load().List(t.Context(), w.Tenant, "", "", 10)
	if err != nil {
		t.Fatal(err)
	}
	return letters
}

func newWorld(t *testing.T, engine string) *world {
	w := &world{owners: newOwners()}
	w.Suite = hosttest.Serve(t, engine, append(w.owners.units(), w.unit())...)
	w.door = w.as(commonv1.Role_ROLE_LOGISTICS, commonv1.Role_ROLE_FINANCE)
	return w
}

func onEngines(t *testing.T, run func(*testing.T, *world)) {
	for _, engine := range hosttest.Engines {
		t.Run(engine, func(t *testing.T) { run(t, newWorld(t, engine)) })
	}
}

func (w *world) as(roles ...commonv1.Role) integrationv1.IntegrationServiceClient {
	return integrationv1.NewIntegrationServiceClient(w.Client(integration.Name, w.Caller(roles...)))
}

func inbound(documentType, format, message, content string) *integrationv1.InboundDocument {
	return &integrationv1.InboundDocument{
		Type:    integrationv1.DocumentType(integrationv1.DocumentType_value["DOCUMENT_TYPE_"+documentType]),
		Format:  integrationv1.DocumentFormat(integrationv1.DocumentFormat_value["DOCUMENT_FORMAT_"+format]),
		Content: []byte(content), Source: &commonv1.SourceRef{System: "erp", MessageId: message},
	}
}

// send hands a document over and returns its receipt.
func (w *world) send(t *testing.T, documentType, format, message, content string) *commonv1.Receipt {
	t.Helper()
	resp, err := w.door.ImportDocument(t.Context(), &integrationv1.ImportDocumentRequest{Document: inbound(documentType, format, message, content)})
	if err != nil {
		t.Fatal(err)
	}
	return resp.GetReceipt()
}

// done waits until a document is done and holds what became of it against
// "STATE applied/refused/errors".
func (w *world) done(t *testing.T, id, want string) *integrationv1.Document {
	t.Helper()
	var d *integrationv1.Document
	testkit.Eventually(t, patience, func() error {
		resp, err := w.door.GetDocument(t.Context(), &integrationv1.GetDocumentRequest{DocumentId: id})
		if err != nil {
			return err
		}
		d = resp.GetDocument()
		state := strings.TrimPrefix(d.GetState().String(), "DOCUMENT_STATE_")
		if got := fmt.Sprintf("%s %d/%d/%d", state, d.GetApplied(), d.GetRefused(), d.GetErrors()); got != want {
			return fmt.Errorf("got %s, want %s: %v", got, want, d)
		}
		return nil
	})
	return d
}

// report returns the errors of a document, "line:position field REASON key", read by small pages.
func (w *world) report(t *testing.T, id string) (all []string) {
	t.Helper()
	req := &integrationv1.ListDocumentErrorsRequest{DocumentId: id, PageSize: 2}
	for {
		resp, err := w.door.ListDocumentErrors(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range resp.GetErrors() {
			all = append(all, strings.Join(strings.Fields(fmt.Sprintf("%d:%d %s %s %s", e.GetLine(), e.GetPosition(), e.GetField(), e.GetReason(), e.GetKey())), " "))
		}
		if req.PageToken = resp.GetNextPageToken(); req.PageToken == "" {
			return all
		}
	}
}

func same(t *testing.T, got []string, want ...string) {
	t.Helper()
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

const ordersHeader = "order_number;sold_to;line_number;sku;quantity;unit\r\n"

// orders are n orders of two lines each, in CSV.
func orders(first, n int) string {
	var b strings.Builder
	for i := first; i < first+n; i++ {
		fmt.Fprintf(&b, "SO-%04d;C-1;1;TEA;%d.5;KGM\r\nSO-%04d;;2;CUP;3;EA\r\n", i, i, i)
	}
	return b.String()
}

// TestOrders: good orders pass, one command each, whatever bad ones stand between them, and
// each error names its line and column, those of the owner too.
func TestOrders(t *testing.T) {
	onEngines(t, func(t *testing.T, w *world) {
		content := "\ufeff" + ordersHeader + orders(1, 12) +
			"SO-0100;C-1;x;TEA;1;EA\r\n" + // line 26
			"SO-0101;C-1;1;TEA;1;EA\r\nSO-0101;\"C-1;2;TEA;1;EA\r\n" + // 27, 28
			"SO-0102;C-1;1;UNKNOWN;1;EA\r\n" + // 29
			"SO-0103;C-1;1;TEA;1;EA\r\nSO-0103;;2;RETIRED;1;EA\r\n" + // 30, 31
			orders(13, 12)
		receipt := w.send(t, "ORDERS", "CSV", "MSG-1", content)
		if receipt.GetState() != "RECEIVED" {
			t.Error(receipt)
		}
		d := w.done(t, receipt.GetId(), "PARTIAL 24/4/4")
		if d.GetRows() != 54 || d.GetSizeBytes() != int64(len(content)) || len(d.GetReasons()) != 0 {
			t.Errorf("document %v", d)
		}
		same(t, w.report(t, d.GetDocumentId()),
			"26:0 line_number VALUE_INVALID SO-0100", "28:9 QUOTE_UNBALANCED SO-0101", "29:0 sku ITEM_UNKNOWN SO-0102", "31:0 sku ITEM_RETIRED SO-0103")
		w.owners.mu.Lock()
		defer w.owners.mu.Unlock()
		key := "doc:" + d.GetDocumentId()
		if after := w.owners.took[key+"/17"]; after != "erp/SO-0013 1:TEA=13.5KGM 2:CUP=3EA" { // after four bad ones
			t.Errorf("record 17 is %q", after)
		}
		if first := w.owners.took[key+"/1"]; first != "erp/SO-0001 1:TEA=1.5KGM 2:CUP=3EA" || len(w.owners.took) != 25 || w.owners.calls != 3 && w.owners.again == 0 {
			t.Errorf("the owner took %d in %d calls, first %q", len(w.owners.took), w.owners.calls, first)
		}
		if who := "service:integration for " + w.Caller().Principal + " of " + w.Tenant + ", erp MSG-1, derived true"; !w.owners.systems[who] || len(w.owners.systems) != 1 {
			t.Errorf("called as %v, want %s", w.owners.systems, who)
		}
	})
}

// TestRestart: an owner takes a portion and its answer is lost, again and again; the
// process ends and comes back; every record has taken effect once and is counted once.
func TestRestart(t *testing.T) {
	onEngines(t, func(t *testing.T, w *world) {
		reached := make(chan struct{})
		w.owners.breakDown(func(call int) error {
			if call < 3 {
				return nil
			}
			if call == 3 {
				close(reached)
			}
			return fault.New(fault.Unavailable, "LOST", "the answer is lost")
		})
		id := w.send(t, "ORDERS", "CSV", "", ordersHeader+orders(1, 45)).GetId()
		select {
		case <-reached:
		case <-time.After(patience):
			t.Fatal("the third portion was never handed over")
		}
		w.Restart(t)
		if d := w.done(t, id, "PARSED 20/0/0"); d.GetRows() != 90 {
			t.Errorf("in the middle %v", d)
		}
		w.owners.breakDown(nil)
		w.done(t, id, "APPLIED 45/0/0")
		took, again := w.owners.count()
		if took != 45 || again == 0 {
			t.Errorf("%d records took effect, %d came again", took, again)
		}
	})
}

// TestDuplicate: the same document is answered with the first one; the same message id with
// other content is refused.
func TestDuplicate(t *testing.T) {
	onEngines(t, func(t *testing.T, w *world) {
		content := ordersHeader + orders(1, 2)
		id := w.send(t, "ORDERS", "CSV", "MSG-1", content).GetId()
		w.done(t, id, "APPLIED 2/0/0")
		again := w.send(t, "ORDERS", "CSV", "MSG-1", content)
		if again.GetId() != id || again.GetState() != "APPLIED" || len(again.GetReasons()) != 1 || again.GetReasons()[0].GetCode() != "DUPLICATE" {
			t.Errorf("the second time: %v", again)
		}
		if d := w.done(t, id, "APPLIED 2/0/0"); d.GetDuplicates() != 1 {
			t.Errorf("document %v", d)
		}
		_, err := w.door.ImportDocument(t.Context(), &integrationv1.ImportDocumentRequest{Document: inbound("ORDERS", "CSV", "MSG-1", content+"\n")})
		if f, ok := fault.As(err); !ok || f.Kind != fault.Conflict || f.Reason != "MESSAGE_ID_TAKEN" || f.Metadata["document_id"] != id {
			t.Errorf("another document: %v", err)
		}
		unnamed := w.send(t, "ORDERS", "CSV", "", content)
		if other := w.send(t, "ORDERS", "CSV", "", content); other.GetId() != unnamed.GetId() || unnamed.GetId() == id {
			t.Errorf("told by content: %v, %v", unnamed, other)
		}
		w.done(t, unnamed.GetId(), "APPLIED 2/0/0")
	})
}

// TestRefusedWhole: a call that the owner refuses as a whole costs only the record to blame.
func TestRefusedWhole(t *testing.T) {
	w := newWorld(t, "sqlite")
	content := ordersHeader + orders(1, 6) + "POISON;C-1;1;TEA;1;EA\n" + orders(7, 6)
	id := w.send(t, "ORDERS", "CSV", "MSG-1", content).GetId()
	w.done(t, id, "PARTIAL 12/1/1")
	same(t, w.report(t, id), "14:0 sku STRING_MAX_LEN POISON")
	if took, again := w.owners.count(); took != 12 || again != 0 {
		t.Errorf("%d took effect, %d came again", took, again)
	}
}

// TestUndecided: an owner that denies the service says nothing about the records: the
// document waits, and goes on when that is mended and the letter replayed.
func TestUndecided(t *testing.T) {
	w := newWorld(t, "sqlite")
	var calls atomic.Int32
	w.owners.breakDown(func(int) error {
		calls.Add(1)
		return fault.New(fault.Denied, "NOT_ALLOWED", "this service may not")
	})
	id := w.send(t, "ORDERS", "CSV", "MSG-1", ordersHeader+orders(1, 3)).GetId()
	testkit.Eventually(t, patience, func() bool { return calls.Load() > 0 })
	testkit.Eventually(t, patience, func() bool { return len(w.parked(t)) == 1 })
	w.owners.breakDown(nil)
	w.done(t, id, "PARSED 0/0/0")
	letter := w.parked(t)[0]
	if letter.AggregateID != id || letter.Transient {
		t.Errorf("letter %+v", letter)
	}
	testkit.Eventually(t, patience, func() error { return w.letters.Load().Replay(t.Context(), w.Tenant, letter.ID) })
	w.done(t, id, "APPLIED 3/0/0")
	if took, _ := w.owners.count(); took != 3 {
		t.Errorf("%d took effect", took)
	}
}

// TestEveryType hands one document of each type and format over in a batch.
func TestEveryType(t *testing.T) {
	onEngines(t, func(t *testing.T, w *world) {
		resp, err := w.door.BatchImportDocuments(t.Context(), &integrationv1.BatchImportDocumentsRequest{Documents: []*integrationv1.InboundDocument{
			inbound("ITEMS", "JSON", "1", `[{"sku":"A","name":"A","baseUnit":"EA"},{"sku":"B","name":"B","baseUnit":"EA","colour":"red"}]`),
			inbound("PARTIES", "JSON", "2", "{\"code\":\"C-1\",\"name\":\"C\",\"roles\":[\"PARTY_ROLE_CUSTOMER\"]}\n{\"code\":\"C-2\"}\n"),
			inbound("LOCATIONS", "CSV", "3", "code,name,kind\nDC1,Hamburg,SITE\n"),
			inbound("CARRIERS", "CSV", "4", "code,name\nUPSN,UPS\n"),
			inbound("STOCK_RECEIPTS", "CSV", "5", "site,sku,location,quantity,unit\nDC1,A,A-1,12,EA\nDC1,UNKNOWN,A-1,1,EA\nDC1,A,A-1,12,EA\n"),
			inbound("FREIGHT_INVOICES", "CSV", "6", "carrier,invoice_number,invoice_date,reference,charge_code,amount,currency\nUPSN,I-1,2026-11-24,P,BASE,12.00,EUR\nUPSN,I-1,2026-11-24,P,FUEL,1.50,EUR\nUPSN,UNKNOWN,2026-11-24,P,BASE,1,EUR\n"),
			inbound("ITEMS", "CSV", "7", "sku,name,base_unit,colour\nA,A,EA,red\n"),
			inbound("ITEMS", "JSON", "8", "[{},{]"),
			inbound("ITEMS", "CSV", "1", "sku,name,base_unit\nA,A,EA\n"),
		}})
		if err != nil {
			t.Fatal(err)
		}
		wants := []string{"PARTIAL 1/1/1", "PARTIAL 1/1/2", "APPLIED 1/0/0", "APPLIED 1/0/0", "PARTIAL 2/1/1", "PARTIAL 1/1/1", "QUARANTINED 0/0/1", "QUARANTINED 0/0/1"}
		var ids []string
		for i, want := range wants {
			ids = append(ids, resp.GetResults()[i].GetReceipt().GetId())
			w.done(t, ids[i], want)
		}
		if f := resp.GetResults()[8].GetFailure(); f.GetReason() != "MESSAGE_ID_TAKEN" {
			t.Errorf("an id used twice: %v", resp.GetResults()[8])
		}
		same(t, w.report(t, ids[0]), "1:79 colour FIELD_INVALID")
		same(t, w.report(t, ids[4]), "3:0 sku ITEM_UNKNOWN DC1/UNKNOWN")
		same(t, w.report(t, ids[5]), "4:0 ITEM_UNKNOWN UPSN/UNKNOWN")
		same(t, w.report(t, ids[6]), "1:0 colour COLUMN_UNKNOWN")
		quarantined := w.done(t, ids[7], wants[7])
		if r := quarantined.GetReasons(); len(r) != 1 || r[0].GetCode() != "JSON_MALFORMED" || r[0].GetField() != "line 1:6" {
			t.Errorf("reasons %v", r)
		}
		for name, tt := range map[string]struct {
			req  *integrationv1.ListDocumentsRequest
			want int
		}{
			"state":   {&integrationv1.ListDocumentsRequest{State: integrationv1.DocumentState_DOCUMENT_STATE_QUARANTINED}, 2},
			"type":    {&integrationv1.ListDocumentsRequest{Type: integrationv1.DocumentType_DOCUMENT_TYPE_ITEMS}, 3},
			"message": {&integrationv1.ListDocumentsRequest{MessageId: "3"}, 1},
			"all":     {&integrationv1.ListDocumentsRequest{}, 8},
		} {
			testkit.Eventually(t, patience, func() error {
				list, err := w.door.ListDocuments(t.Context(), tt.req)
				if err != nil || len(list.GetDocuments()) != tt.want {
					return fmt.Errorf("by %s: %d, %w", name, len(list.GetDocuments()), err)
				}
				return nil
			})
		}
	})
}

// TestWhoMaySend: a sender needs the role that the owner would ask for, and speaks for its
// own systems only.
func TestWhoMaySend(t *testing.T) {
	w := newWorld(t, "sqlite")
	invoice := inbound("FREIGHT_INVOICES", "CSV", "1", "x")
	_, err := w.as(commonv1.Role_ROLE_LOGISTICS).ImportDocument(t.Context(), &integrationv1.ImportDocumentRequest{Document: invoice})
	if f, ok := fault.As(err); !ok || f.Kind != fault.Denied || f.Reason != "DOCUMENT_TYPE_NOT_ALLOWED" {
		t.Errorf("logistics sends an invoice: %v", err)
	}
	caller := w.Caller(commonv1.Role_ROLE_LOGISTICS)
	caller.Systems = []string{"wms"}
	wms := integrationv1.NewIntegrationServiceClient(w.Client(integration.Name, caller))
	_, err = wms.ImportDocument(t.Context(), &integrationv1.ImportDocumentRequest{Document: inbound("ORDERS", "CSV", "1", ordersHeader+orders(1, 1))})
	if f, ok := fault.As(err); !ok || f.Kind != fault.Denied || f.Reason != "SOURCE_NOT_ALLOWED" {
		t.Errorf("the WMS speaks for the ERP: %v", err)
	}
	foreign := inbound("ORDERS", "JSON", "1", `{"sourceSystem":"erp","orderNumber":"SO-1","soldTo":{"partyCode":"C-1"},"lines":[{"lineNumber":1,"sku":"TEA","quantity":{"value":"1","unit":"EA"}}]}`)
	foreign.Source.System = "wms"
	resp, err := wms.ImportDocument(t.Context(), &integrationv1.ImportDocumentRequest{Document: foreign})
	if err != nil {
		t.Fatal(err)
	}
	w.done(t, resp.GetReceipt().GetId(), "QUARANTINED 0/1/1")
	same(t, w.report(t, resp.GetReceipt().GetId()), "1:0 source_system SOURCE_DIFFERS SO-1")
	if took, _ := w.owners.count(); took != 0 {
		t.Errorf("%d orders were handed over", took)
	}
}

// TestValidateOnly reads a document and stores nothing.
func TestValidateOnly(t *testing.T) {
	w := newWorld(t, "sqlite")
	resp, err := w.door.ImportDocument(t.Context(), &integrationv1.ImportDocumentRequest{
		Document: inbound("ORDERS", "CSV", "1", ordersHeader+orders(1, 2)+"SO-9;C-1;x;TEA;1;EA\n"), ValidateOnly: true,
	})
	r := resp.GetReceipt()
	if err != nil || r.GetState() != "PARSED" || r.GetValues()["records"] != "3" || r.GetValues()["errors"] != "1" || r.GetReasons()[0].GetField() != "line 6 line_number" {
		t.Fatal(r, err)
	}
	if _, err := w.door.GetDocument(t.Context(), &integrationv1.GetDocumentRequest{DocumentId: r.GetId()}); !fault.IsKind(err, fault.NotFound) {
		t.Errorf("the document is there: %v", err)
	}
}

// TestLarge: a document of several pieces and portions, through the batch call that allows it.
func TestLarge(t *testing.T) {
	w := newWorld(t, "sqlite")
	content := ordersHeader + orders(1, 100) + strings.Repeat("\r\n", 600<<10) + orders(101, 100)
	resp, err := w.door.BatchImportDocuments(t.Context(), &integrationv1.BatchImportDocumentsRequest{Documents: []*integrationv1.InboundDocument{inbound("ORDERS", "CSV", "1", content)}})
	if err != nil {
		t.Fatal(err)
	}
	id := resp.GetResults()[0].GetReceipt().GetId()
	w.Restart(t) // the content comes back from the store
	w.done(t, id, "APPLIED 200/0/0")
	_, err = w.door.ImportDocument(t.Context(), &integrationv1.ImportDocumentRequest{Document: inbound("ORDERS", "CSV", "2", content)})
	if !fault.IsKind(err, fault.TooLarge) {
		t.Errorf("alone it is too large: %v", err)
	}
}

func TestAccess(t *testing.T) {
	w := &world{}
	hosttest.Serve(t, "sqlite", w.unit()).AccessMatrix(t, integration.Name, "testdata/access.md")
}

func TestReadmeIsTrue(t *testing.T) {
	hosttest.ConfigTable(t, "README.md", host.Bind(integration.Name, integration.Defaults(), integration.New))
}
