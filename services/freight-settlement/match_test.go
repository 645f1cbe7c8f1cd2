package freightsettlement_test

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/lockstep-logistics/lockstep/libs/bus"
	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/host"
	"github.com/lockstep-logistics/lockstep/libs/host/hosttest"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	freightsettlementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/freightsettlement/v1"
	freightsettlement "github.com/lockstep-logistics/lockstep/services/freight-settlement"
)

// TestInvoiceBeforeTheShipment: one whose shipments are not known yet waits, and is matched
// when the last of them is dispatched.
func TestInvoiceBeforeTheShipment(t *testing.T) {
	onEngines(t, func(w *world) {
		w.publish("ACME", "USD")
		id := w.invoiced("ACME", "1", charged("PRO-1", "BASE", 70010, "USD"), charged("PRO-2", "BASE", 70010, "USD"))
		i := w.ends(id, unmatched, "REFERENCE_UNKNOWN")
		if len(i.GetReasons()) != 2 || i.GetRetryTime() == nil {
			w.Errorf("%v", i)
		}
		first := w.goes("PRO-1")
		_, err := w.bob.ResolveDispute(w.Context(), &freightsettlementv1.ResolveDisputeRequest{
			InvoiceId: id, Resolution: freightsettlementv1.DisputeResolution_DISPUTE_RESOLUTION_PAY_AS_INVOICED, ReasonCode: "HURRY",
		})
		w.refused(err, fault.Refused, "INVOICE_STATE")
		second := w.goes("PRO-2")
		w.ends(id, approved, "")
		for _, shp := range []string{first, second} {
			w.isPaid(shp, 70010)
			if books := w.balances(shp); books["FREIGHT_ACCRUAL"] != -7001 || books["ACCOUNTS_PAYABLE"] != -70010 { // fuel is not invoiced yet
				w.Errorf("books %v", books)
			}
		}
	})
}

// isPaid waits until so much of a shipment's freight is paid: an approval is settled after it.
func (w *world) isPaid(shp string, minor int64) {
	w.Helper()
	testkit.Eventually(w, patience, func() error {
		if f := w.freight(shp); f.GetPaid().GetAmountMinor() != minor {
			return fmt.Errorf("paid is %v, want %d", f.GetPaid(), minor)
		}
		return nil
	})
}

// fuse burns after so many looks into the context: what runs under it dies half-way.
type fuse struct {
	context.Context
	left *atomic.Int64
	burn context.CancelFunc
}

func (f fuse) Value(key any) any {
	if f.left.Add(-1) == 0 {
		f.burn()
	}
	return f.Context.Value(key)
}

// mortal is a match that dies half-way while it is armed, and stays dead until the service is
// started again: by then, so that no pause between two tries of a dead one is waited for.
type mortal struct{ armed, dead atomic.Bool }

func (m *mortal) around(h bus.Handler) bus.Handler {
	m.armed.Store(false)
	m.dead.Store(false)
	return func(ctx context.Context, f bus.Fact) error {
		switch {
		case m.dead.Load():
			return fault.New(fault.Unavailable, "DEAD", "the process died")
		case !m.armed.Load():
			return h(ctx, f)
		}
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		left := &atomic.Int64{}
		left.Store(60) // about four a claim, of thirty
		err := h(fuse{ctx, left, cancel}, f)
		m.dead.Store(err != nil)
		return err
	}
}

// TestRestartInTheMiddleOfAMatch: a match that dies after some of its claims goes on after
// a restart, and claims and pays each charge once.
func TestRestartInTheMiddleOfAMatch(t *testing.T) {
	for _, engine := range hosttest.Engines {
		t.Run(engine, func(t *testing.T) {
			m := &mortal{}
			w := serve(t, engine, wrap("match", m.around), func(s *host.Service) { s.Loops = nil }) // no timer helps
			w.publish("ACME", "USD")
			const n = 30
			var lines []*freightsettlementv1.FreightInvoiceLine
			var ships []string
			for i := range n {
				pro := fmt.Sprint("PRO-", i)
				shp := w.shipment(pro)
				w.happens(shp, dispatched(shp, "ACME", pro))
				ships, lines = append(ships, shp), append(lines, charged(pro, "BASE", 70010, "USD"), charged(pro, "FUEL", 7001, "USD"))
			}
			for i, shp := range ships {
				w.becomes(shp, accrued)
				w.listed(fmt.Sprint("PRO-", i), 1)
			}
			m.armed.Store(true)
			id := w.invoiced("ACME", "1", lines...)
			testkit.Eventually(w, patience, m.dead.Load)
			claimed := 0
			for _, shp := range ships {
				if w.freight(shp).GetCharges()[0].GetInvoiceId() == id {
					claimed++
				}
			}
			if claimed == 0 || claimed == n || w.invoice(id).GetState() != received {
				t.Fatalf("%d of %d claimed, %s: not in the middle", claimed, n, w.invoice(id).GetState())
			}
			w.suite.Restart(t)
			w.ends(id, approved, "")
			for _, shp := range ships {
				w.becomes(shp, settled)
				if books := w.balances(shp); books["ACCOUNTS_PAYABLE"] != -77011 {
					t.Errorf("books %v", books)
				}
			}
		})
	}
}

// TestAMatchThatHangsIsTakenUp: when the fact that drives a match is lost for good, its
// timer takes it up.
func TestAMatchThatHangsIsTakenUp(t *testing.T) {
	w := serve(t, "sqlite", wrap("match", func(bus.Handler) bus.Handler {
		return func(context.Context, bus.Fact) error { return nil }
	}))
	w.publish("ACME", "USD")
	shp := w.goes("PRO-1")
	w.ends(w.invoiced("ACME", "1", charged("PRO-1", "BASE", 70010, "USD"), charged("PRO-1", "FUEL", 7001, "USD")), approved, "")
	w.becomes(shp, settled)
}

// TestRaceForACharge: of many invoices for one charge that are matched at the same time,
// one gets it.
func TestRaceForACharge(t *testing.T) {
	onEngines(t, func(w *world) {
		w.publish("ACME", "USD")
		shp := w.goes("PRO-1")
		var ids []string
		for i := range 12 {
			ids = append(ids, w.invoiced("ACME", fmt.Sprint("INV-", i+1), charged("PRO-1", "BASE", 70010, "USD"), charged("PRO-1", "FUEL", 7001, "USD")))
		}
		testkit.Eventually(w, patience, func() error {
			count := map[freightsettlementv1.FreightInvoiceState]int{}
			for _, id := range ids {
				count[w.invoice(id).GetState()]++
			}
			if count[approved] != 1 || count[duplicate] != len(ids)-1 {
				return fmt.Errorf("%v", count)
			}
			return nil
		})
		w.becomes(shp, settled)
		if books := w.balances(shp); books["ACCOUNTS_PAYABLE"] != -77011 {
			w.Errorf("books %v", books)
		}
	})
}

// TestACorrectedInvoice: one that comes while the wrong one is in dispute is a person's to
// judge; once the wrong one is credited it is judged again, by itself.
func TestACorrectedInvoice(t *testing.T) {
	onEngines(t, func(w *world) {
		w.publish("ACME", "USD")
		shp := w.goes("PRO-1")
		wrong := w.invoiced("ACME", "1", charged("PRO-1", "BASE", 90010, "USD"), charged("PRO-1", "FUEL", 7001, "USD"))
		w.ends(wrong, disputed, "LINE_TOLERANCE")
		right := w.invoiced("ACME", "1-A", charged("PRO-1", "BASE", 70010, "USD"), charged("PRO-1", "FUEL", 7000, "USD"))
		w.ends(right, disputed, "CHARGE_BALANCE")
		w.happens(shp, delivered(shp, 7001))
		_, err := w.bob.ResolveDispute(w.Context(), &freightsettlementv1.ResolveDisputeRequest{
			InvoiceId: wrong, Resolution: freightsettlementv1.DisputeResolution_DISPUTE_RESOLUTION_CARRIER_CREDIT, ReasonCode: "WRONG_RATE",
		})
		if err != nil {
			w.Fatal(err)
		}
		if i := w.ends(right, approved, ""); i.GetAttempt() != 2 {
			w.Errorf("%v", i)
		}
		f := w.becomes(shp, settled)
		if books := w.balances(shp); books["ACCOUNTS_PAYABLE"] != -77010 || books["FREIGHT_ACCRUAL"] != 0 || books["FREIGHT_VARIANCE"] != -1 || len(f.GetOtherCharges()) != 0 {
			w.Errorf("books %v, %v", books, f)
		}
	})
}

// TestTrueUpAfterACredit: a delivery that comes while an invoice has the charges is rated
// once the invoice is credited.
func TestTrueUpAfterACredit(t *testing.T) {
	w := serve(t, "sqlite")
	w.publish("ACME", "USD")
	shp := w.goes("PRO-1")
	id := w.invoiced("ACME", "1", charged("PRO-1", "BASE", 90010, "USD"))
	w.ends(id, disputed, "LINE_TOLERANCE")
	w.happens(shp, delivered(shp, 8000))
	if f := w.becomes(shp, final); f.GetTotal().GetAmountMinor() != 77011 {
		t.Errorf("rated anew under an invoice: %v", f)
	}
	_, err := w.bob.ResolveDispute(t.Context(), &freightsettlementv1.ResolveDisputeRequest{
		InvoiceId: id, Resolution: freightsettlementv1.DisputeResolution_DISPUTE_RESOLUTION_CARRIER_CREDIT, ReasonCode: "WRONG_RATE",
	})
	if err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, patience, func() bool { return w.freight(shp).GetTotal().GetAmountMinor() == 88000 })
	if books := w.balances(shp); books["FREIGHT_ACCRUAL"] != -88000 || books["FREIGHT_EXPENSE"] != 88000 {
		t.Errorf("books %v", books)
	}
}

// TestReplay: a command again under its key is the same answer after a restart without the
// cache; with another body it is refused. Facts of a shipment that come twice change nothing.
func TestReplay(t *testing.T) {
	onEngines(t, func(w *world) {
		w.publish("ACME", "USD")
		shp := w.goes("PRO-1")
		ctx := hosttest.WithKey(w.Context(), "invoice-0001")
		req := bill("ACME", "INV-1", charged("PRO-1", "BASE", 70010, "USD"))
		first, err := w.ann.ReceiveFreightInvoice(ctx, req)
		if err != nil {
			w.Fatal(err)
		}
		w.ends(first.GetReceipt().GetId(), approved, "")
		w.isPaid(shp, 70010)
		w.suite.Redis.FlushAll()
		w.suite.Restart(w.T)
		var header metadata.MD
		again, err := w.ann.ReceiveFreightInvoice(ctx, req, grpc.Header(&header))
		if err != nil || !proto.Equal(first, again) || !slices.Equal(header.Get(guard.MetaReplayed), []string{"true"}) {
			w.Fatalf("replay %v, %v, %v; first %v", again, err, header, first)
		}
		other := proto.CloneOf(req)
		other.Lines[0].Amount.AmountMinor++
		if _, err := w.ann.ReceiveFreightInvoice(ctx, other); !fault.IsKind(err, fault.KeyReused) {
			w.Fatalf("another body under the key: %v", err)
		}
		for range 2 {
			w.happens(shp, accepted(shp, "ACME"), dispatched(shp, "ACME", "PRO-1"), delivered(shp, 7001))
		}
		f := w.becomes(shp, final)
		if f.GetPaid().GetAmountMinor() != 70010 || f.GetOpenAccrual().GetAmountMinor() != 7001 {
			w.Errorf("%v", f)
		}
		if books := w.balances(shp); books["FREIGHT_EXPENSE"] != 77011 || books["ACCOUNTS_PAYABLE"] != -70010 {
			w.Errorf("books %v", books)
		}
	})
}

// TestForeignTenant: another tenant's freights and invoices are as unknown ones, and its
// references mean nothing here.
func TestForeignTenant(t *testing.T) {
	onEngines(t, func(w *world) {
		w.publish("ACME", "USD")
		shp := w.goes("PRO-1")
		id := w.invoiced("ACME", "1", charged("PRO-1", "BASE", 70010, "USD"))
		w.ends(id, approved, "")
		c := w.suite.Caller(commonv1.Role_ROLE_FINANCE)
		c.Tenant = testkit.Name("other")
		eve := freightsettlementv1.NewFreightSettlementServiceClient(w.suite.Client(freightsettlement.Name, c))
		unknown := ident.Derive("inv", "nobody")
		same := func(foreign, unknown error) {
			w.Helper()
			if !fault.IsKind(foreign, fault.NotFound) || reasonOf(foreign) != reasonOf(unknown) {
				w.Errorf("another's: %v; an unknown one: %v", foreign, unknown)
			}
		}
		_, foreign := eve.GetFreightInvoice(w.Context(), &freightsettlementv1.GetFreightInvoiceRequest{InvoiceId: id})
		_, never := eve.GetFreightInvoice(w.Context(), &freightsettlementv1.GetFreightInvoiceRequest{InvoiceId: unknown})
		same(foreign, never)
		_, foreign = eve.RecordVoucherPosted(w.Context(), &freightsettlementv1.RecordVoucherPostedRequest{InvoiceId: id, VoucherNumber: "V"})
		_, never = eve.RecordVoucherPosted(w.Context(), &freightsettlementv1.RecordVoucherPostedRequest{InvoiceId: unknown, VoucherNumber: "V"})
		same(foreign, never)
		_, err := eve.GetFreight(w.Context(), &freightsettlementv1.GetFreightRequest{FreightId: w.freightID(shp)})
		w.refused(err, fault.NotFound, "NOT_FOUND")
		list, err := eve.ListFreights(w.Context(), &freightsettlementv1.ListFreightsRequest{Reference: "PRO-1"})
		if err != nil || len(list.GetFreights()) != 0 {
			w.Errorf("%v, %v", list, err)
		}
		resp, err := eve.ReceiveFreightInvoice(w.Context(), bill("ACME", "1", charged("PRO-1", "BASE", 70010, "USD")))
		if err != nil || resp.GetReceipt().GetId() == id {
			w.Fatal(resp, err)
		}
		testkit.Eventually(w, patience, func() bool {
			got, err := eve.GetFreightInvoice(w.Context(), &freightsettlementv1.GetFreightInvoiceRequest{InvoiceId: resp.GetReceipt().GetId()})
			return err == nil && got.GetInvoice().GetState() == unmatched
		})
	})
}

func reasonOf(err error) string {
	if f, ok := fault.As(err); ok {
		return f.Reason
	}
	return ""
}

// TestPartnerEntersItsOwn: a carrier's own credential enters that carrier's invoices only.
func TestPartnerEntersItsOwn(t *testing.T) {
	w := serve(t, "sqlite")
	c := w.suite.Caller(commonv1.Role_ROLE_PARTNER)
	c.Party = ident.Derive("pty", w.suite.Tenant, "ACME")
	carrier := freightsettlementv1.NewFreightSettlementServiceClient(w.suite.Client(freightsettlement.Name, c))
	if _, err := carrier.ReceiveFreightInvoice(t.Context(), bill("ACME", "1", charged("PRO-1", "BASE", 1, "USD"))); err != nil {
		t.Error(err)
	}
	_, err := carrier.ReceiveFreightInvoice(t.Context(), bill("OTHER", "1", charged("PRO-1", "BASE", 1, "USD")))
	w.refused(err, fault.Denied, "CARRIER_FOREIGN")
}

// TestFieldsAreNamed: what cannot be is refused with the field, and nothing is kept of it.
func TestFieldsAreNamed(t *testing.T) {
	w := serve(t, "sqlite")
	for reason, x := range map[string]struct {
		field  string
		change func(*freightsettlementv1.ReceiveFreightInvoiceRequest)
	}{
		"CURRENCY_UNKNOWN":     {"lines[1].amount.currency", func(r *freightsettlementv1.ReceiveFreightInvoiceRequest) { r.Lines[1].Amount.Currency = "ZZZ" }},
		"CURRENCY_MISMATCH":    {"lines[1].amount.currency", func(r *freightsettlementv1.ReceiveFreightInvoiceRequest) { r.Lines[1].Amount.Currency = "JPY" }},
		"AMOUNT_OUT_OF_RANGE":  {"lines[0].amount.amount_minor", func(r *freightsettlementv1.ReceiveFreightInvoiceRequest) { r.Lines[0].Amount.AmountMinor = 1 << 62 }},
		"INVOICE_NUMBER_EMPTY": {"invoice_number", func(r *freightsettlementv1.ReceiveFreightInvoiceRequest) { r.InvoiceNumber = "--" }},
		"STRING_PATTERN":       {"carrier", func(r *freightsettlementv1.ReceiveFreightInvoiceRequest) { r.Carrier = "acme" }},
		"REPEATED_MIN_ITEMS":   {"lines", func(r *freightsettlementv1.ReceiveFreightInvoiceRequest) { r.Lines = nil }},
	} {
		req := bill("ACME", "1", charged("PRO-1", "BASE", 1, "USD"), charged("PRO-1", "FUEL", 1, "USD"))
		x.change(req)
		_, err := w.ann.ReceiveFreightInvoice(t.Context(), req)
		f, ok := fault.As(err)
		if !ok || f.Kind != fault.Invalid || len(f.Fields) != 1 || f.Fields[0].Path != x.field || f.Fields[0].Reason != reason {
			t.Errorf("%s: %v %+v", reason, err, f)
		}
	}
	resp, err := w.ann.ListFreightInvoices(t.Context(), &freightsettlementv1.ListFreightInvoicesRequest{})
	if err != nil || len(resp.GetInvoices()) != 0 {
		t.Errorf("%v, %v", resp, err)
	}
	w.publish("ACME", "USD")
	card := &freightsettlementv1.RateCard{
		Carrier: "ACME", Currency: "USD", ValidFrom: timestamppb.New(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)),
		Lanes: []*freightsettlementv1.Lane{{Bands: []*freightsettlementv1.WeightBand{{FromGrams: 9, ToGrams: 10, RatePerKg: "1"}}}},
	}
	_, err = w.card(card)
	w.refused(err, fault.Refused, "VALIDITY_OVERLAP")
	card.Lanes[0].Bands[0].ToGrams = 8
	_, err = w.card(card)
	if f := w.refusal(err, fault.Invalid, "INVALID_REQUEST"); f.Fields[0].Path != "card.lanes[0].bands[0].to_grams" {
		t.Errorf("%+v", f.Fields)
	}
}
