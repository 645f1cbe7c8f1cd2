package masterdata_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"google.golang.org/grpc"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/host"
	"github.com/lockstep-logistics/lockstep/libs/host/hosttest"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	masterdatav1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
	operationsv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/operations/v1"
)

// holder stands for a service with documents: so many name the item TEA, the carrier UPSN and
// the site DC1.
type holder struct {
	operationsv1.UnimplementedOpenDocumentServiceServer
	kind operationsv1.OpenDocumentType

	mu    sync.Mutex
	open  int
	asked []string
}

func (h *holder) FindOpenDocuments(ctx context.Context, r *operationsv1.FindOpenDocumentsRequest) (*operationsv1.FindOpenDocumentsResponse, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	caller, _ := guard.CallerOf(ctx)
	h.asked = append(h.asked, fmt.Sprintf("%s %s %s for %s", r.GetRecordType(), r.GetRecordKey(), r.GetRecordId(), caller.Tenant))
	out := &operationsv1.FindOpenDocumentsResponse{}
	if !slices.Contains([]string{"TEA", "UPSN", "DC1"}, r.GetRecordKey()) {
		return out, nil
	}
	for n := range h.open {
		out.Documents = append(out.Documents, &operationsv1.OpenDocument{Type: h.kind, DocumentId: fmt.Sprintf("x_%d", n), Number: fmt.Sprintf("N-%d", n), State: "OPEN"})
	}
	return out, nil
}

func (h *holder) set(open int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.open = open
}

type nothingToSet struct{}

func (nothingToSet) Validate() error { return nil }

func (h *holder) unit(name string) *host.Unit {
	return host.Bind(name, nothingToSet{}, func(nothingToSet, host.Deps) (*host.Service, error) {
		return &host.Service{Name: name, Register: func(r grpc.ServiceRegistrar) { operationsv1.RegisterOpenDocumentServiceServer(r, h) }}, nil
	})
}

func codesOf(r *commonv1.Receipt) (codes []string) {
	for _, reason := range r.GetReasons() {
		codes = append(codes, reason.GetCode()+" "+reason.GetField())
	}
	return codes
}

// TestRetireWhatOpenDocumentsName: a record that open documents name is retired only when the
// command says so, and the receipt names them; the same command again has the same answer.
func TestRetireWhatOpenDocumentsName(t *testing.T) {
	for _, engine := range hosttest.Engines {
		t.Run(engine, func(t *testing.T) {
			orders, stock := &holder{kind: operationsv1.OpenDocumentType_OPEN_DOCUMENT_TYPE_ORDER, open: 7}, &holder{kind: operationsv1.OpenDocumentType_OPEN_DOCUMENT_TYPE_STOCK}
			s := hosttest.Serve(t, engine, unit(), orders.unit("order-release"), stock.unit("inventory-movement"))
			c := clientOf(s, commonv1.Role_ROLE_LOGISTICS)
			putItems(t, c, "TEA", "CUP")
			if r, err := c.RetireItem(t.Context(), &masterdatav1.RetireItemRequest{Sku: "CUP"}); err != nil || r.GetReceipt().GetState() != "RETIRED" || len(r.GetReceipt().GetReasons()) != 0 {
				t.Errorf("nothing names it: %v, %v", r, err)
			}
			_, err := c.RetireItem(t.Context(), &masterdatav1.RetireItemRequest{Sku: "TEA"})
			if fields := reason(t, err, fault.Refused, "OPEN_DOCUMENTS"); len(fields) != 5 || fields[0].Path != "allow_open_documents" || fields[0].Description != "ORDER x_0 (N-0) is OPEN" {
				t.Errorf("%+v", fields)
			}
			if f, _ := fault.As(err); f.Metadata["open_documents"] != "7" {
				t.Errorf("%v", f.Metadata)
			}
			got, err := c.GetItem(t.Context(), &masterdatav1.GetItemRequest{Sku: "TEA"})
			if err != nil || got.GetItem().GetState() != masterdatav1.RecordState_RECORD_STATE_ACTIVE {
				t.Errorf("it is %v, %v", got, err)
			}
			list, err := c.FindOpenDocuments(t.Context(), &masterdatav1.FindOpenDocumentsRequest{ObjectType: itemType, ObjectKey: "TEA"})
			if d := list.GetOpenDocuments(); err != nil || len(d.GetDocuments()) != 7 || d.GetMore() || len(d.GetNotAsked()) != 0 {
				t.Errorf("%v, %v", list, err)
			}
			keyed := hosttest.WithKey(t.Context(), "retire-tea-allowed")
			allowed := &masterdatav1.RetireItemRequest{Sku: "TEA", AllowOpenDocuments: true}
			first, err := c.RetireItem(keyed, allowed)
			if err != nil || first.GetReceipt().GetState() != "RETIRED" || len(codesOf(first.GetReceipt())) != 5 || codesOf(first.GetReceipt())[0] != "OPEN_DOCUMENTS state" {
				t.Fatalf("%v, %v", first, err)
			}
			stock.set(3)
			again, err := c.RetireItem(keyed, allowed)
			if err != nil || fmt.Sprint(codesOf(again.GetReceipt())) != fmt.Sprint(codesOf(first.GetReceipt())) {
				t.Errorf("again %v, %v", again, err)
			}
			if want := "NAMED_RECORD_TYPE_ITEM TEA " + ident.Derive("itm", s.Tenant, "TEA") + " for " + s.Tenant; !slices.Contains(orders.asked, want) {
				t.Errorf("asked %v, want %s", orders.asked, want)
			}
			_, err = c.FindOpenDocuments(t.Context(), &masterdatav1.FindOpenDocumentsRequest{ObjectType: itemType, ObjectKey: "NOBODY"})
			reason(t, err, fault.NotFound, "NOT_FOUND")
		})
	}
}

// TestRetireWhileOthersAreDown: services that do not answer are named, and refuse nothing.
func TestRetireWhileOthersAreDown(t *testing.T) {
	s := hosttest.Serve(t, "sqlite", unit())
	c := clientOf(s, commonv1.Role_ROLE_LOGISTICS)
	putItems(t, c, "TEA")
	list, err := c.FindOpenDocuments(t.Context(), &masterdatav1.FindOpenDocumentsRequest{ObjectType: itemType, ObjectKey: "TEA"})
	if d := list.GetOpenDocuments(); err != nil || fmt.Sprint(d.GetNotAsked()) != "[order-release inventory-movement]" || len(d.GetDocuments()) != 0 {
		t.Errorf("%v, %v", list, err)
	}
	r, err := c.RetireItem(t.Context(), &masterdatav1.RetireItemRequest{Sku: "TEA"})
	if err != nil || fmt.Sprint(codesOf(r.GetReceipt())) != "[OPEN_DOCUMENTS_UNKNOWN state OPEN_DOCUMENTS_UNKNOWN state]" {
		t.Errorf("%v, %v", r, err)
	}
}

// TestChangeThatBreaksOpenDocuments: a proposal warns of what it may break, its preview shows it,
// and it is approved only by who says that it goes on.
func TestChangeThatBreaksOpenDocuments(t *testing.T) {
	for _, engine := range hosttest.Engines {
		t.Run(engine, func(t *testing.T) {
			orders, stock := &holder{kind: operationsv1.OpenDocumentType_OPEN_DOCUMENT_TYPE_ORDER}, &holder{kind: operationsv1.OpenDocumentType_OPEN_DOCUMENT_TYPE_STOCK, open: 1}
			s := hosttest.Serve(t, engine, unit(), orders.unit("order-release"), stock.unit("inventory-movement"))
			ann, bob := as(s, "ann", commonv1.Role_ROLE_LOGISTICS), as(s, "bob", commonv1.Role_ROLE_TENANT_ADMIN)
			putItems(t, ann, "TEA")
			if _, err := ann.PutLocation(t.Context(), &masterdatav1.PutLocationRequest{Code: "DC1", Location: site("DC1")}); err != nil {
				t.Fatal(err)
			}
			harmless, ratio, zone := item("TEA"), item("TEA"), site("DC1")
			harmless.Name, ratio.PackagingUnits[0].Numerator, zone.TimeZone = "Black tea", 10, "Europe/Paris"
			for _, c := range []struct {
				propose *masterdatav1.ProposeChangeRequest
				field   string
			}{
				{&masterdatav1.ProposeChangeRequest{Code: "CR-1", Record: &masterdatav1.ProposeChangeRequest_Item{Item: harmless}}, ""},
				{&masterdatav1.ProposeChangeRequest{Code: "CR-2", Record: &masterdatav1.ProposeChangeRequest_Item{Item: ratio}}, "packaging_units"},
				{&masterdatav1.ProposeChangeRequest{Code: "CR-3", Record: &masterdatav1.ProposeChangeRequest_Location{Location: zone}}, "time_zone"},
			} {
				code := c.propose.GetCode()
				proposed, err := ann.ProposeChange(t.Context(), c.propose)
				if err != nil {
					t.Fatal(err)
				}
				var warned, fields []string
				if c.field != "" {
					warned, fields = []string{"OPEN_DOCUMENTS " + c.field}, []string{c.field}
				}
				if got := codesOf(proposed.GetReceipt()); !slices.Equal(got, warned) {
					t.Errorf("%s warns of %v, want %v", code, got, warned)
				}
				preview, err := ann.PreviewChange(t.Context(), &masterdatav1.PreviewChangeRequest{Code: code})
				if err != nil || !slices.Equal(preview.GetBreakingFields(), fields) || len(preview.GetOpenDocuments().GetDocuments()) != len(fields) {
					t.Errorf("%s: preview %v, %v", code, preview, err)
				}
				approve := &masterdatav1.ApproveChangeRequest{Code: code}
				if c.field != "" {
					_, err = bob.ApproveChange(t.Context(), approve)
					reason(t, err, fault.Refused, "OPEN_DOCUMENTS")
					approve.AllowOpenDocuments = true
				}
				if r, err := bob.ApproveChange(t.Context(), approve); err != nil || r.GetReceipt().GetState() != "APPROVED" || !slices.Equal(codesOf(r.GetReceipt()), warned) {
					t.Errorf("%s: approved %v, %v", code, r, err)
				}
				changeIs(t, ann, code, masterdatav1.ChangeState_CHANGE_STATE_APPLIED)
			}
			_, err := ann.PreviewChange(t.Context(), &masterdatav1.PreviewChangeRequest{Code: "CR-9"})
			reason(t, err, fault.NotFound, "NOT_FOUND")
		})
	}
}
