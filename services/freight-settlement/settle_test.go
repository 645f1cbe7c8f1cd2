package freightsettlement_test

import (
	"fmt"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	freightsettlementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/freightsettlement/v1"
	shipmentvisibilityv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/shipmentvisibility/v1"
	freightsettlement "github.com/lockstep-logistics/lockstep/services/freight-settlement"
)

const (
	received  = freightsettlementv1.FreightInvoiceState_FREIGHT_INVOICE_STATE_RECEIVED
	unmatched = freightsettlementv1.FreightInvoiceState_FREIGHT_INVOICE_STATE_UNMATCHED
	duplicate = freightsettlementv1.FreightInvoiceState_FREIGHT_INVOICE_STATE_DUPLICATE
	disputed  = freightsettlementv1.FreightInvoiceState_FREIGHT_INVOICE_STATE_DISPUTED
	approved  = freightsettlementv1.FreightInvoiceState_FREIGHT_INVOICE_STATE_APPROVED
	posted    = freightsettlementv1.FreightInvoiceState_FREIGHT_INVOICE_STATE_POSTED
	paid      = freightsettlementv1.FreightInvoiceState_FREIGHT_INVOICE_STATE_PAID
	credited  = freightsettlementv1.FreightInvoiceState_FREIGHT_INVOICE_STATE_CREDITED

	unrated   = freightsettlementv1.FreightState_FREIGHT_STATE_UNRATED
	estimated = freightsettlementv1.FreightState_FREIGHT_STATE_ESTIMATED
	accrued   = freightsettlementv1.FreightState_FREIGHT_STATE_ACCRUED
	final     = freightsettlementv1.FreightState_FREIGHT_STATE_FINAL
	settled   = freightsettlementv1.FreightState_FREIGHT_STATE_SETTLED
	reversed  = freightsettlementv1.FreightState_FREIGHT_STATE_REVERSED
)

// TestFromTenderToPayment walks a shipment in three currencies, one with no decimals and
// one with three, from the tender to the paid invoice.
func TestFromTenderToPayment(t *testing.T) {
	onEngines(t, func(w *world) {
		for carrier, x := range map[string]struct {
			currency                        string
			estimate, base, fuel, finalBase int64
		}{
			"ACME": {"USD", 55000, 70010, 7001, 72000},
			"YAMA": {"JPY", 550, 700, 70, 720},
			"GULF": {"KWD", 550000, 700100, 70010, 720000},
		} {
			w.publish(carrier, x.currency)
			shp := w.shipment(carrier)
			w.happens(shp, accepted(shp, carrier))
			if f := w.becomes(shp, estimated); f.GetTotal().GetAmountMinor() != x.estimate || f.GetOpenAccrual() != nil {
				w.Errorf("%s: estimated %v", carrier, f)
			}
			w.happens(shp, dispatched(shp, carrier, "PRO-"+carrier))
			f := w.becomes(shp, accrued)
			if !proto.Equal(f.GetOpenAccrual(), minor(x.base+x.fuel, x.currency)) || !strings.Contains(f.GetCharges()[0].GetRule(), "7.001 kg × 100") {
				w.Errorf("%s: accrued %v", carrier, f)
			}
			w.happens(shp, delivered(shp, 7200))
			f = w.becomes(shp, final)
			total := x.finalBase + x.finalBase/10
			if !proto.Equal(f.GetTotal(), minor(total, x.currency)) || len(f.GetAllocations()) != 3 {
				w.Errorf("%s: final %v", carrier, f)
			}
			w.pays(carrier, x.currency, shp, x.finalBase, total)
		}
	})
}

// pays invoices a shipment as expected and sees it paid.
func (w *world) pays(carrier, currency, shp string, base, total int64) {
	w.Helper()
	id := w.invoiced(carrier, "INV-1", charged("pro "+carrier, "BASE", base, currency), charged(shp, "FUEL", total-base, currency))
	i := w.ends(id, approved, "")
	if !proto.Equal(i.GetApproved(), minor(total, currency)) || !i.GetLines()[1].GetWithinTolerance() || i.GetLines()[0].GetFreightId() != w.freightID(shp) {
		w.Errorf("%s: approved %v", carrier, i)
	}
	f := w.becomes(shp, settled)
	if f.GetOpenAccrual().GetAmountMinor() != 0 || !proto.Equal(f.GetPaid(), minor(total, currency)) {
		w.Errorf("%s: settled %v", carrier, f)
	}
	books := w.balances(shp)
	if books["FREIGHT_ACCRUAL"] != 0 || books["FREIGHT_EXPENSE"] != total || books["ACCOUNTS_PAYABLE"] != -total || books["FREIGHT_VARIANCE"] != 0 {
		w.Errorf("%s: books %v", carrier, books)
	}
	pay := &freightsettlementv1.RecordPaymentRequest{InvoiceId: id, PaymentReference: "PAY-1", Amount: minor(total, currency)}
	_, err := w.ann.RecordPayment(w.Context(), pay)
	w.refused(err, fault.Refused, "INVOICE_STATE")
	foreign, err := w.ann.RecordVoucherPosted(w.Context(), &freightsettlementv1.RecordVoucherPostedRequest{
		InvoiceId: id, VoucherNumber: "V-9", Source: &commonv1.SourceRef{System: "tms", MessageId: "M-1"},
	})
	if r := foreign.GetReceipt(); err != nil || r.GetState() != "APPROVED" || len(r.GetReasons()) != 1 || r.GetReasons()[0].GetCode() != "TRANSITION_NOT_OWNED" {
		w.Fatal(foreign, err)
	}
	w.observed(w.ends(id, approved, ""), true)
	post, err := w.ann.RecordVoucherPosted(w.Context(), &freightsettlementv1.RecordVoucherPostedRequest{InvoiceId: id, VoucherNumber: "V-1"})
	if err != nil || post.GetReceipt().GetState() != "POSTED" {
		w.Fatal(post, err)
	}
	w.observed(w.ends(id, posted, ""), false)
	wrong := proto.CloneOf(pay)
	wrong.Amount.AmountMinor--
	_, err = w.ann.RecordPayment(w.Context(), wrong)
	w.refused(err, fault.Refused, "AMOUNT_MISMATCH")
	if resp, err := w.ann.RecordPayment(w.Context(), pay); err != nil || resp.GetReceipt().GetState() != "PAID" {
		w.Fatal(resp, err)
	}
	if i := w.ends(id, paid, ""); i.GetVoucherNumber() != "V-1" || i.GetPaymentReference() != "PAY-1" {
		w.Error(i)
	}
}

// observed: the voucher that the TMS says to be posted is kept beside the invoice.
func (w *world) observed(i *freightsettlementv1.FreightInvoice, contradicts bool) {
	w.Helper()
	o := i.GetObservations()
	if len(o) != 1 || o[0].GetCommand() != "RecordVoucherPosted" || o[0].GetSystem() != "tms" || o[0].GetOwner() != "erp" || o[0].GetContradicts() != contradicts {
		w.Errorf("kept is %v", o)
	}
}

// goes makes a shipment of ACME that is dispatched: 700.10 and 70.01 are expected.
func (w *world) goes(name string) string {
	w.Helper()
	shp := w.shipment(name)
	w.happens(shp, accepted(shp, "ACME"))
	w.happens(shp, dispatched(shp, "ACME", name))
	w.becomes(shp, accrued)
	w.listed(name, 1)
	return shp
}

// listed waits until so many freights are listed under a reference.
func (w *world) listed(reference string, n int) {
	w.Helper()
	testkit.Eventually(w, patience, func() error {
		resp, err := w.ann.ListFreights(w.Context(), &freightsettlementv1.ListFreightsRequest{Reference: reference})
		if err != nil || len(resp.GetFreights()) != n {
			return fmt.Errorf("%s: %v, %w", reference, resp, err)
		}
		return nil
	})
}

// TestOvercharge: an unknown accessorial is never approved by itself; a dispute ends in each
// of the four ways, by someone else than who entered the invoice.
func TestOvercharge(t *testing.T) {
	onEngines(t, func(w *world) {
		w.publish("ACME", "USD")
		for n, x := range []struct {
			how      freightsettlementv1.DisputeResolution
			agreed   int64
			want     int64
			variance int64
			state    freightsettlementv1.FreightInvoiceState
		}{
			{how: freightsettlementv1.DisputeResolution_DISPUTE_RESOLUTION_PAY_AS_EXPECTED, want: 77011, state: approved},
			{how: freightsettlementv1.DisputeResolution_DISPUTE_RESOLUTION_PAY_AS_INVOICED, want: 82511, variance: 5500, state: approved},
			{how: freightsettlementv1.DisputeResolution_DISPUTE_RESOLUTION_SPLIT, agreed: 79011, want: 79011, variance: 2000, state: approved},
			{how: freightsettlementv1.DisputeResolution_DISPUTE_RESOLUTION_CARRIER_CREDIT, state: credited},
		} {
			pro := fmt.Sprint("PRO-", n)
			shp := w.goes(pro)
			id := w.invoiced("ACME", fmt.Sprint("INV-", n+1), charged(pro, "BASE", 70010, "USD"), charged(pro, "FUEL", 7001, "USD"), charged(pro, "DETENTION", 5500, "USD"))
			i := w.ends(id, disputed, "CHARGE_UNEXPECTED")
			resolve := &freightsettlementv1.ResolveDisputeRequest{InvoiceId: id, Resolution: x.how, ReasonCode: "DETENTION", Etag: i.GetEtag()}
			if x.agreed != 0 {
				resolve.Amount = minor(x.agreed, "USD")
			}
			_, err := w.ann.ResolveDispute(w.Context(), resolve)
			w.refused(err, fault.Refused, "SAME_PERSON")
			resolve.Etag = ""
			resp, err := w.bob.ResolveDispute(w.Context(), resolve)
			if err != nil || resp.GetReceipt().GetState() != strings.TrimPrefix(x.state.String(), "FREIGHT_INVOICE_STATE_") {
				w.Fatal(resp, err)
			}
			i = w.ends(id, x.state, "")
			if i.GetApproved().GetAmountMinor() != x.want || i.GetApprover() != "bob" || i.GetResolution() != x.how {
				w.Errorf("%s: %v", x.how, i)
			}
			if x.state == credited {
				w.free(shp)
				w.ends(w.invoiced("ACME", "INV-9", charged(pro, "BASE", 70010, "USD"), charged(pro, "FUEL", 7001, "USD")), approved, "")
				x.want, x.variance = 77011, 0
			}
			w.becomes(shp, settled)
			if books := w.balances(shp); books["ACCOUNTS_PAYABLE"] != -x.want || books["FREIGHT_VARIANCE"] != x.variance || books["FREIGHT_ACCRUAL"] != 0 {
				w.Errorf("%s: books %v", x.how, books)
			}
		}
	})
}

// TestOwnDocumentsDispute: who handed over a document entered its invoices, not the service that
// read it.
func TestOwnDocumentsDispute(t *testing.T) {
	onEngines(t, func(w *world) {
		w.publish("ACME", "USD")
		w.goes("PRO-1")
		reader := freightsettlementv1.NewFreightSettlementServiceClient(w.suite.Client(freightsettlement.Name, w.suite.Service("integration")))
		req := bill("ACME", "INV-1", charged("PRO-1", "BASE", 70010, "USD"), charged("PRO-1", "DETENTION", 5500, "USD"))
		resp, err := reader.ReceiveFreightInvoice(guard.OnBehalfOf(w.Context(), "ann"), req)
		if err != nil {
			w.Fatal(err)
		}
		id := resp.GetReceipt().GetId()
		if i := w.ends(id, disputed, "CHARGE_UNEXPECTED"); i.GetCreator() != "ann" {
			w.Errorf("entered by %s", i.GetCreator())
		}
		resolve := &freightsettlementv1.ResolveDisputeRequest{
			InvoiceId: id, ReasonCode: "DETENTION", Resolution: freightsettlementv1.DisputeResolution_DISPUTE_RESOLUTION_PAY_AS_INVOICED,
		}
		_, err = w.ann.ResolveDispute(w.Context(), resolve)
		w.refused(err, fault.Refused, "SAME_PERSON")
		if _, err := w.bob.ResolveDispute(w.Context(), resolve); err != nil {
			w.Error(err)
		}
	})
}

// free waits until no invoice has a charge of a shipment.
func (w *world) free(shp string) {
	w.Helper()
	testkit.Eventually(w, patience, func() error {
		f := w.freight(shp)
		for _, c := range f.GetCharges() {
			if c.GetInvoiceId() != "" {
				return fmt.Errorf("%s is on %s", c.GetCode(), c.GetInvoiceId())
			}
		}
		if len(f.GetOtherCharges()) > 0 {
			return fmt.Errorf("other charges %v", f.GetOtherCharges())
		}
		return nil
	})
}

// TestTolerance: two errors that cancel out are disputed, one within tolerance is approved
// as invoiced, and what differs is variance.
func TestTolerance(t *testing.T) {
	w := serve(t, "sqlite")
	w.publish("ACME", "USD")
	shp := w.goes("PRO-1")
	w.ends(w.invoiced("ACME", "1", charged("PRO-1", "BASE", 80010, "USD"), charged("PRO-1", "FUEL", -2999, "USD")), disputed, "LINE_TOLERANCE")
	shp2 := w.goes("PRO-2")
	w.ends(w.invoiced("ACME", "2", charged("PRO-2", "BASE", 70400, "USD"), charged("PRO-2", "FUEL", 7001, "USD")), approved, "")
	w.becomes(shp2, settled)
	if books := w.balances(shp2); books["FREIGHT_VARIANCE"] != 390 || books["ACCOUNTS_PAYABLE"] != -77401 {
		t.Errorf("books %v", books)
	}
	if f := w.freight(shp); f.GetState() != accrued || f.GetPaid() != nil {
		t.Errorf("disputed and yet %v", f)
	}
}

// TestDuplicates: the same number, the same number written otherwise, another number with
// the same charges; a balance on the same shipment is a person's to judge.
func TestDuplicates(t *testing.T) {
	onEngines(t, func(w *world) {
		w.publish("ACME", "USD")
		w.goes("PRO-1")
		lines := []*freightsettlementv1.FreightInvoiceLine{charged("PRO-1", "BASE", 70010, "USD"), charged("PRO-1", "FUEL", 7001, "USD")}
		first := w.invoiced("ACME", "INV-0012", lines...)
		w.ends(first, approved, "")
		for _, number := range []string{"INV-0012", "inv 12"} {
			_, err := w.ann.ReceiveFreightInvoice(w.Context(), bill("ACME", number, lines...))
			if f := w.refusal(err, fault.Conflict, "INVOICE_NUMBER_TAKEN"); f.Metadata["invoice_id"] != first {
				w.Errorf("%v", f.Metadata)
			}
		}
		w.ends(w.invoiced("ACME", "INV-13", lines...), duplicate, "CHARGE_CLAIMED")
		w.ends(w.invoiced("ACME", "INV-14", lines[0]), duplicate, "CHARGE_CLAIMED")
		w.ends(w.invoiced("ACME", "INV-15", charged("PRO1", "BASE", 1500, "USD")), disputed, "CHARGE_BALANCE")
		w.ends(w.invoiced("ACME", "INV-16", charged("BOL-PRO-1", "BASE", 1500, "USD")), duplicate, "CHARGE_CLAIMED")
		if f := w.becomes(w.shipment("PRO-1"), settled); f.GetPaid().GetAmountMinor() != 77011 {
			w.Errorf("paid %v", f)
		}
	})
}

// TestManyCarriersOneNumber: a PRO number is its carrier's own.
func TestManyCarriersOneNumber(t *testing.T) {
	w := serve(t, "sqlite")
	w.publish("ACME", "USD")
	w.goes("PRO-1")
	w.ends(w.invoiced("OTHER", "1", charged("PRO-1", "BASE", 70010, "USD")), unmatched, "REFERENCE_UNKNOWN")
	w.ends(w.invoiced("ACME", "1", charged("PRO-1", "BASE", 70010, "USD")), approved, "")
}

// TestRatesAreExplained: every charge says which rule made it, and what does not fit says why.
func TestRatesAreExplained(t *testing.T) {
	onEngines(t, func(w *world) {
		w.publish("ACME", "USD")
		ask := &freightsettlementv1.RateShipmentRequest{Carrier: "ACME", Site: "DC1", ShipTo: home, WeightGrams: 2500, ShipTime: timestamppb.New(shipDate)}
		got, err := w.ann.RateShipment(w.Context(), ask)
		if err != nil || !proto.Equal(got.GetTotal(), minor(27500, "USD")) || got.GetRateCardVersion() != 1 ||
			!strings.Contains(got.GetCharges()[0].GetRule(), "2.5 kg × 100") || got.GetCharges()[1].GetRule() != "10 % of BASE" {
			w.Fatal(got, err)
		}
		again, err := w.ann.RateShipment(w.Context(), ask)
		if err != nil || !proto.Equal(got, again) {
			w.Errorf("rated again: %v, %v", again, err)
		}
		for reason, change := range map[string]func(*freightsettlementv1.RateShipmentRequest){
			"NO_RATE_CARD": func(r *freightsettlementv1.RateShipmentRequest) { r.Carrier = "NOBODY" },
			"NO_LANE":      func(r *freightsettlementv1.RateShipmentRequest) { r.Site = "DC2" },
			"NO_BAND":      func(r *freightsettlementv1.RateShipmentRequest) { r.WeightGrams = 1_000_001 },
		} {
			r := proto.CloneOf(ask)
			change(r)
			if got, err := w.ann.RateShipment(w.Context(), r); err != nil || got.GetRateCardVersion() != 0 || got.GetReasons()[0].GetCode() != reason {
				w.Errorf("%s: %v, %v", reason, got, err)
			}
		}
	})
}

// TestNoRateIsNotLost: what no card covers says why, waits, and is rated, matched and
// settled when one is published.
func TestNoRateIsNotLost(t *testing.T) {
	onEngines(t, func(w *world) {
		shp, early := w.shipment("PRO-1"), w.shipment("PRO-2")
		w.happens(early, accepted(early, "ACME"))
		w.happens(shp, accepted(shp, "ACME"))
		w.happens(shp, dispatched(shp, "ACME", "PRO-1"))
		w.happens(shp, delivered(shp, 8000))
		testkit.Eventually(w, patience, func() bool { return w.freight(shp).GetWeightGrams() == 8000 && w.freight(early) != nil })
		f := w.becomes(shp, unrated)
		if f.GetReasons()[0].GetCode() != "NO_RATE_CARD" || len(f.GetAllocations()) != 0 {
			w.Errorf("%v", f)
		}
		w.listed("PRO-1", 1)
		id := w.invoiced("ACME", "1", charged("PRO-1", "BASE", 80000, "USD"), charged("PRO-1", "FUEL", 8000, "USD"))
		w.ends(id, unmatched, "NOT_RATED")
		w.publish("ACME", "USD")
		w.becomes(early, estimated)
		w.ends(id, approved, "")
		w.becomes(shp, settled)
		if books := w.balances(shp); books["ACCOUNTS_PAYABLE"] != -88000 || books["FREIGHT_ACCRUAL"] != 0 || books["FREIGHT_EXPENSE"] != 88000 {
			w.Errorf("books %v", books)
		}
	})
}

// TestCalledOff: what was expected of a shipment that is called off is taken back; one that
// no carrier had leaves no trace.
func TestCalledOff(t *testing.T) {
	w := serve(t, "sqlite")
	w.publish("ACME", "USD")
	shp, never := w.shipment("A"), w.shipment("B")
	w.happens(never, &shipmentvisibilityv1.ShipmentCancelled{ShipmentId: never, Reason: "CUSTOMER_REQUEST"})
	w.happens(shp, accepted(shp, "ACME"))
	w.becomes(shp, estimated)
	w.happens(shp, &shipmentvisibilityv1.ShipmentCancelled{ShipmentId: shp, Reason: "CUSTOMER_REQUEST", Carrier: "ACME"})
	w.becomes(shp, reversed)
	left := w.goes("PRO-1")
	w.happens(left, &shipmentvisibilityv1.ShipmentCancelled{ShipmentId: left, Reason: "LOST", Carrier: "ACME"})
	w.becomes(left, reversed)
	if books := w.balances(left); books["FREIGHT_ACCRUAL"] != 0 || books["FREIGHT_EXPENSE"] != 0 {
		t.Errorf("books %v", books)
	}
	if f := w.freight(never); f != nil {
		t.Errorf("a shipment without a carrier has %v", f)
	}
	w.ends(w.invoiced("ACME", "1", charged("PRO-1", "TRUCK_NOT_USED", 5000, "USD")), disputed, "CHARGE_UNEXPECTED")
}
