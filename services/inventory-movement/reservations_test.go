package inventorymovement_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	im "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
)

// booking is a reservation of pieces of an item for a reference.
func booking(sku, reference string, pieces int, in time.Duration) *im.CreateReservationRequest {
	return &im.CreateReservationRequest{Site: "DC1", Sku: sku, Reference: reference, Quantity: ea(pieces), ExpiresTime: timestamppb.New(time.Now().Add(in))}
}

// book makes a reservation and returns what it was granted.
func (w *world) book(t *testing.T, r *im.CreateReservationRequest) (granted string) {
	t.Helper()
	resp, err := w.wms.CreateReservation(t.Context(), r)
	if err != nil || resp.GetReceipt().GetState() != "SOFT" {
		t.Fatal(resp, err)
	}
	return resp.GetReceipt().GetValues()["granted"]
}

// reserved renders the reservations of a stock: "cart 4 SOFT 0" is 4 pieces for cart at priority 0.
func (w *world) reserved(t *testing.T, sku string) string {
	t.Helper()
	var all []string
	for r := (&im.ListReservationsRequest{Site: "DC1", Sku: sku, PageSize: 1}); ; {
		resp, err := w.wms.ListReservations(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range resp.GetReservations() {
			state := strings.TrimPrefix(x.GetState().String(), "RESERVATION_STATE_")
			all = append(all, fmt.Sprintf("%s %s %s %d", x.GetReference(), x.GetQuantity().GetValue(), state, x.GetPriority()))
		}
		if r.PageToken = resp.GetNextPageToken(); r.PageToken == "" {
			return strings.Join(all, ", ")
		}
	}
}

// reservations count with the claims of orders, give way by priority, last once confirmed, and
// are used up by the release that names them.
func reservations(t *testing.T, w *world) {
	sku := w.stocked(t, 10)
	w.reserve(t, false, w.claim("clm:r1:"+sku, sku, 4))
	if got := w.book(t, booking(sku, "cart-1", 3, time.Hour)); got != "3" {
		t.Errorf("granted %s", got)
	}
	if atp, promised := w.atp(t, sku); atp != "3" || promised != "7" {
		t.Errorf("ATP %s, promised %s", atp, promised)
	}
	_, err := w.wms.CreateReservation(t.Context(), booking(sku, "cart-1", 1, time.Hour))
	reason(t, err, fault.Refused, "RESERVATION_EXISTS")
	_, err = w.wms.CreateReservation(t.Context(), booking(sku, "cart-2", 4, time.Hour))
	reason(t, err, fault.Refused, "INSUFFICIENT_STOCK") // the same priority gives no way
	partial := booking(sku, "cart-2", 4, time.Hour)
	if partial.AllowPartial = true; w.book(t, partial) != "3" {
		t.Error("a part of it")
	}
	confirm := func(reference string) error {
		_, err := w.wms.ConfirmReservation(t.Context(), &im.ConfirmReservationRequest{Site: "DC1", Sku: sku, Reference: reference})
		return err
	}
	if err := confirm("cart-2"); err != nil {
		t.Fatal(err)
	}
	first := booking(sku, "vip", 3, time.Hour)
	if first.Priority = 5; w.book(t, first) != "3" {
		t.Error("nobody gave way")
	}
	if got := w.reserved(t, sku); got != "cart-2 3 HARD 0, vip 3 SOFT 5" {
		t.Errorf("%s", got)
	}
	reason(t, confirm("cart-1"), fault.NotFound, "RESERVATION_UNKNOWN")
	first.Reference, first.Priority = "other", 9
	first.Quantity = ea(4) // 3 of the other and none of who confirmed or of an order
	_, err = w.wms.CreateReservation(t.Context(), first)
	reason(t, err, fault.Refused, "INSUFFICIENT_STOCK")

	_, who := w.release(t, line{sku, 3, "rsv:cart-2"})
	if o := w.state(t, who, "ALLOCATED"); len(o.GetTasks()) != 1 || len(o.GetShortages()) > 0 {
		t.Errorf("%v", o)
	}
	if got := w.reserved(t, sku); got != "vip 3 SOFT 5" {
		t.Errorf("%s", got)
	}
	give := func(reference string) error {
		_, err := w.wms.ReleaseReservation(t.Context(), &im.ReleaseReservationRequest{Site: "DC1", Sku: sku, Reference: reference})
		return err
	}
	if err := give("vip"); err != nil {
		t.Error(err)
	}
	reason(t, give("vip"), fault.NotFound, "RESERVATION_UNKNOWN")
	if atp, promised := w.atp(t, sku); atp != "3" || promised != "4" {
		t.Errorf("ATP %s, promised %s", atp, promised)
	}
	if w.book(t, booking(sku, "vip", 1, time.Hour)) != "1" {
		t.Error("a reference that was given back may come again")
	}
	w.bookedWrong(t, sku)
}

func (w *world) bookedWrong(t *testing.T, sku string) {
	t.Helper()
	_, err := w.wms.CreateReservation(t.Context(), booking(sku, "late", 1, -time.Second))
	if f := reason(t, err, fault.Invalid, "TIME_INVALID"); len(f.Fields) != 1 || f.Fields[0].Path != "expires_time" {
		t.Errorf("%+v", f)
	}
	_, err = w.wms.CreateReservation(t.Context(), booking("NOPE", "x", 1, time.Hour))
	reason(t, err, fault.Invalid, "ITEM_UNKNOWN")
	_, err = w.claims.ReserveStock(t.Context(), &im.ReserveStockRequest{Claims: []*im.StockClaim{w.claim("rsv:x", sku, 1)}})
	reason(t, err, fault.Invalid, "CLAIM_KEY_RESERVED")
	_, err = w.claims.ReleaseReservations(t.Context(), &im.ReleaseReservationsRequest{Claims: []*im.StockClaim{w.claim("rsv:vip", sku, 1)}})
	reason(t, err, fault.Invalid, "CLAIM_KEY_RESERVED")
	_, err = w.wms.ListReservations(t.Context(), &im.ListReservationsRequest{Site: "DC1", Sku: sku, PageToken: "*"})
	reason(t, err, fault.Invalid, "PAGE_TOKEN_INVALID")
}

// lapsed: a reservation whose time is over ends by itself, as a fact, and its stock is free.
func lapsed(t *testing.T, w *world) {
	sku := w.stocked(t, 5)
	for soon := 5 * time.Second; ; soon *= 2 { // a busy machine may take longer than that to take it down
		resp, err := w.wms.CreateReservation(t.Context(), booking(sku, "cart", 5, soon))
		if f, ok := fault.As(err); ok && f.Reason == "TIME_INVALID" {
			continue
		}
		if err != nil || resp.GetReceipt().GetValues()["granted"] != "5" {
			t.Fatal(resp, err)
		}
		break
	}
	testkit.Eventually(t, patience, func() error {
		if atp, promised := w.atp(t, sku); atp != "5" || promised != "0" {
			return fmt.Errorf("ATP %s, promised %s", atp, promised)
		}
		return nil
	})
	resp, err := w.wms.ListMovements(t.Context(), &im.ListMovementsRequest{StockId: w.stockID(sku)})
	if err != nil {
		t.Fatal(err)
	}
	last := resp.GetMovements()[len(resp.GetMovements())-1]
	if len(last.GetFacts()) != 1 || last.GetFacts()[0] != "RELEASED 5 EA of rsv:cart because EXPIRED" || last.GetPrincipal() != "service:inventory-movement" {
		t.Errorf("%v", last)
	}
	_, err = w.wms.ConfirmReservation(t.Context(), &im.ConfirmReservationRequest{Site: "DC1", Sku: sku, Reference: "cart"})
	reason(t, err, fault.NotFound, "RESERVATION_UNKNOWN")
}
