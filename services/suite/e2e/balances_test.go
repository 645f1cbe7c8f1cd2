package e2e

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	inventorymovementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/fleet"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/lifecycle"
)

// balanceOfAnyMoment: a receipt that is told late is in the balance as of when it happened and
// not in the one as it was known before; what made the balance is explained, and the stock is
// what its commits say.
func balanceOfAnyMoment(t *testing.T, f *fleet.Fleet) {
	p := supplied(t, f, 1, 10)
	of := "?site=" + lifecycle.Site + "&sku=" + lifecycle.SKU(0)
	before := time.Now().UTC()
	a := p.command(t, http.MethodPost, "/v1/stocks:recordReceipt", "late-receipt", `{"receipt":{"site":"`+lifecycle.Site+`","sku":"SKU-00000","location":"A-02",`+
		`"quantity":{"value":"5","unit":"EA"},"document":"ASN-7"},"source":{"system":"wms","messageId":"861-7","eventTime":"2026-01-02T03:04:05Z"}}`)
	receipt(t, "late", a)
	onHand := func(query string) string {
		t.Helper()
		resp := &inventorymovementv1.GetBalanceResponse{}
		unmarshal(t, p.read(t, "/v1/balances"+of+query), resp)
		return resp.GetBalance().GetOnHand().GetValue()
	}
	for query, want := range map[string]string{
		"":                                       "15",
		"&location=A-02":                         "5",
		"&as_of_event_time=2026-01-02T03:04:05Z": "5",
		"&as_of_event_time=2026-01-02T03:04:04Z": "0",
		"&as_of_recorded_time=" + url.QueryEscape(before.Format(time.RFC3339Nano)): "10",
	} {
		if got := onHand(query); got != want {
			t.Errorf("%s: %s on hand, want %s", query, got, want)
		}
	}
	explained := &inventorymovementv1.ExplainBalanceResponse{}
	unmarshal(t, p.read(t, "/v1/balances:explain"+of+"&as_of_event_time=2026-01-02T03:04:05Z"), explained)
	if e := explained.GetEntries(); len(e) != 1 || e[0].GetSource().GetMessageId() != "861-7" || !strings.Contains(e[0].GetText(), "ASN-7") || e[0].GetOnHand().GetValue() != "5" {
		t.Errorf("explained by %v", explained)
	}
	verified := &inventorymovementv1.VerifyStockResponse{}
	unmarshal(t, p.read(t, "/v1/stocks:verify"+of), verified)
	if len(verified.GetDifferences()) > 0 || verified.GetVersion() != 2 {
		t.Errorf("%v", verified)
	}
	if r := receipt(t, "rebuild", p.command(t, http.MethodPost, "/v1/stocks:rebuild", "rebuild-once", `{"site":"`+lifecycle.Site+`","sku":"SKU-00000"}`)); r.GetValues()["differences"] != "0" {
		t.Errorf("%v", r)
	}
}

// reservedForACart: stock is kept for a cart until it is confirmed, given back or over, and
// counts with what orders have.
func reservedForACart(t *testing.T, f *fleet.Fleet) {
	p := supplied(t, f, 1, 10)
	book := func(reference, quantity, expires string) answer {
		return p.command(t, http.MethodPost, "/v1/reservations", "book-"+reference, `{"site":"`+lifecycle.Site+`","sku":"SKU-00000","reference":"`+reference+
			`","quantity":{"value":"`+quantity+`","unit":"EA"},"expiresTime":"`+expires+`"}`)
	}
	end := func(verb, reference string) {
		t.Helper()
		receipt(t, verb, p.command(t, http.MethodPost, "/v1/reservations:"+verb, verb+reference, `{"site":"`+lifecycle.Site+`","sku":"SKU-00000","reference":"`+reference+`"}`))
	}
	if r := receipt(t, "book", book("cart-1", "4", "2099-01-01T00:00:00Z")); r.GetState() != "SOFT" || r.GetValues()["granted"] != "4" {
		t.Errorf("%v", r)
	}
	receipt(t, "book", book("cart-2", "3", time.Now().Add(10*time.Second).UTC().Format(time.RFC3339)))
	p.settled(t, "on hand 10, allocated 0, promised 4, to promise 6") // the second is over
	end("confirm", "cart-1")
	refused(t, "too much", book("cart-3", "7", "2099-01-01T00:00:00Z"), "409 INSUFFICIENT_STOCK")
	refused(t, "over", book("cart-4", "1", "2026-01-01T00:00:00Z"), "400 TIME_INVALID", "#/expiresTime TIME_INVALID")
	list := &inventorymovementv1.ListReservationsResponse{}
	unmarshal(t, p.read(t, "/v1/reservations?site="+lifecycle.Site+"&sku="+lifecycle.SKU(0)), list)
	if r := list.GetReservations(); len(r) != 1 || r[0].GetReference() != "cart-1" || r[0].GetState() != inventorymovementv1.ReservationState_RESERVATION_STATE_HARD {
		t.Errorf("%v", list)
	}
	end("release", "cart-1")
	p.settled(t, "on hand 10, allocated 0, promised 0, to promise 10")
}
