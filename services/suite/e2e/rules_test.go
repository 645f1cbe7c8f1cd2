package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	inventorymovementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	orderreleasev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/fleet"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/lifecycle"
)

// TestRules: what callers get who ask too much, twice, wrongly, for somebody else's, or all at
// once. The cases share one suite a shape, each in a tenant of its own.
func TestRules(t *testing.T) {
	onBothShapes(t, func(t *testing.T, f *fleet.Fleet) {
		for _, c := range []struct {
			name string
			test func(t *testing.T, f *fleet.Fleet)
		}{
			{"body over the limit", bodyOverTheLimit},
			{"replayed", replayed},
			{"stale", stale},
			{"order refused", orderRefused},
			{"report refused", reportRefused},
			{"document with bad rows", documentWithBadRows},
			{"cross-references", crossReferences},
			{"ownership conflict", ownershipConflict},
			{"ownership of transitions", ownershipOfTransitions},
			{"open documents", openDocuments},
			{"API keys", apiKeys},
			{"CSV there and back", thereAndBack},
			{"code lists", codeLists},
			{"balance of any moment", balanceOfAnyMoment},
			{"reserved for a cart", reservedForACart},
			{"foreign tenant", foreignTenant},
			{"one unit for 500", oneUnitForMany},
		} {
			t.Run(c.name, func(t *testing.T) { c.test(t, f) })
		}
	})
}

// party is a caller on the wire: one call is one request, and the answer is looked at as it came.
type party struct {
	base, token string
	client      *http.Client
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

// problem is the part of a problem document (RFC 9457) that callers act on.
type problem struct {
	Code     string            `json:"code"`
	Detail   string            `json:"detail"`
	Metadata map[string]string `json:"metadata"`
	Errors   []struct {
		Pointer   string `json:"pointer"`
		Parameter string `json:"parameter"`
		Code      string `json:"code"`
	} `json:"errors"`
}

// speak returns a caller's own voice.
func speak(t *testing.T, f *fleet.Fleet, who guard.Caller) party {
	t.Helper()
	token, err := f.Token(who)
	if err != nil {
		t.Fatal(err)
	}
	return party{f.URL, token, &http.Client{Timeout: time.Minute}}
}

// send makes one request; headers are names and values in turn.
func (p party) send(ctx context.Context, method, path string, body io.Reader, headers ...string) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, method, p.base+path, body)
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("Authorization", "Bearer "+p.token)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := p.client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = resp.Body.Close() }() // read whole
	data, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, string(data)}, err
}

func (p party) get(t *testing.T, path string) answer {
	t.Helper()
	a, err := p.send(t.Context(), http.MethodGet, path, nil)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// command sends a body under a key.
func (p party) command(t *testing.T, method, path, key, body string, headers ...string) answer {
	t.Helper()
	a, err := p.send(t.Context(), method, path, strings.NewReader(body), append([]string{"Idempotency-Key", key}, headers...)...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// read reads what must be there.
func (p party) read(t *testing.T, path string) string {
	t.Helper()
	a := p.get(t, path)
	if a.status != http.StatusOK {
		t.Fatalf("GET %s: %d %s", path, a.status, a.body)
	}
	return a.body
}

func (a answer) problem() (p problem) {
	_ = json.Unmarshal([]byte(a.body), &p) // whoever looks at its code sees when it was none
	return p
}

// refused holds an answer against "status CODE", and the fields to blame against "pointer CODE".
func refused(t *testing.T, what string, a answer, want string, fields ...string) {
	t.Helper()
	p := a.problem()
	var got []string
	for _, e := range p.Errors {
		got = append(got, e.Pointer+e.Parameter+" "+e.Code)
	}
	if is := fmt.Sprintf("%d %s", a.status, p.Code); is != want || strings.Join(got, ", ") != strings.Join(fields, ", ") {
		t.Errorf("%s: %s %v, want %s %v; %s", what, is, got, want, fields, a.body)
	}
	if media := a.header.Get("Content-Type"); media != "application/problem+json" {
		t.Errorf("%s: a problem as %s", what, media)
	}
}

// receipt reads the receipt of an accepted command.
func receipt(t *testing.T, what string, a answer) *commonv1.Receipt {
	t.Helper()
	var r struct{ Receipt json.RawMessage }
	out := &commonv1.Receipt{}
	if err := json.Unmarshal([]byte(a.body), &r); err != nil || a.status != http.StatusOK {
		t.Fatalf("%s: %d %s", what, a.status, a.body)
	}
	unmarshal(t, string(r.Receipt), out)
	return out
}

// order is the JSON of an order of the items that the driver has put, of so many pieces each.
func order(number string, pieces ...int) string {
	var lines []string
	for i, n := range pieces {
		lines = append(lines, fmt.Sprintf(`{"lineNumber":%d,"sku":%q,"quantity":{"value":"%d","unit":"EA"}}`, i+1, lifecycle.SKU(i), n))
	}
	return fmt.Sprintf(`{"order":{"sourceSystem":"erp","orderNumber":%q,"soldTo":{"partyCode":%q,"addressCode":"MAIN"},"site":%q,"carrierPreference":%q,"lines":[%s]}}`,
		number, lifecycle.Customer, lifecycle.Site, lifecycle.Carrier, strings.Join(lines, ","))
}

// supplied is a tenant with master data and so much of each of the items.
func supplied(t *testing.T, f *fleet.Fleet, items, each int) party {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	d, who := driver(t, f)
	if err := d.Setup(ctx, items, each); err != nil {
		t.Fatal(err)
	}
	return speak(t, f, who)
}

// orders are all orders of the tenant by their number, once the list has as many.
func (p party) orders(t *testing.T, want int) map[string]*orderreleasev1.OrderSummary {
	t.Helper()
	var all map[string]*orderreleasev1.OrderSummary
	testkit.Eventually(t, within, func() error {
		all = map[string]*orderreleasev1.OrderSummary{}
		for token := ""; ; {
			page := &orderreleasev1.ListOrdersResponse{}
			unmarshal(t, p.read(t, "/v1/orders?page_size=200&page_token="+token), page)
			for _, o := range page.GetOrders() {
				all[o.GetOrderNumber()] = o
			}
			if token = page.GetNextPageToken(); token == "" {
				break
			}
		}
		if len(all) != want {
			return fmt.Errorf("%d orders, want %d", len(all), want)
		}
		return nil
	})
	return all
}

// stock says what the first item's availability is.
func (p party) stock(t *testing.T) string {
	t.Helper()
	a := p.command(t, http.MethodPost, "/v1/stocks:getAvailability", testkit.Name("look"),
		fmt.Sprintf(`{"places":[{"site":%q,"sku":%q}]}`, lifecycle.Site, lifecycle.SKU(0)))
	resp := &inventorymovementv1.GetAvailabilityResponse{}
	unmarshal(t, a.body, resp)
	if a.status != http.StatusOK || len(resp.GetAvailabilities()) != 1 {
		t.Fatalf("availability: %d %s", a.status, a.body)
	}
	v := resp.GetAvailabilities()[0]
	return fmt.Sprintf("on hand %s, allocated %s, promised %s, to promise %s",
		v.GetOnHand().GetValue(), v.GetAllocated().GetValue(), v.GetPromised().GetValue(), v.GetAvailableToPromise().GetValue())
}

// settled waits until the first item's availability is as said.
func (p party) settled(t *testing.T, want string) {
	t.Helper()
	testkit.Eventually(t, within, func() error {
		if got := p.stock(t); got != want {
			return fmt.Errorf("%s, want %s", got, want)
		}
		return nil
	})
}

// state waits until an order is in a state.
func (p party) state(t *testing.T, id, want string) *orderreleasev1.Order {
	t.Helper()
	var o *orderreleasev1.Order
	testkit.Eventually(t, within, func() error {
		resp := &orderreleasev1.GetOrderResponse{}
		unmarshal(t, p.read(t, "/v1/orders/"+id), resp)
		if o = resp.GetOrder(); o.GetState().String() != "ORDER_STATE_"+want {
			return fmt.Errorf("%s is %s, want %s", id, o.GetState(), want)
		}
		return nil
	})
	return o
}

// allocated waits until an order is released and knows that bins were found for all of it:
// the last that happens to it without its warehouse.
func (p party) allocated(t *testing.T, id string) *orderreleasev1.Order {
	t.Helper()
	testkit.Eventually(t, within, func() error {
		for _, l := range p.state(t, id, "RELEASED").GetLines() {
			if q := l.GetQuantities(); q.GetAllocated() != q.GetOrdered() {
				return fmt.Errorf("%s: %v", id, q)
			}
		}
		return nil
	})
	return p.state(t, id, "RELEASED")
}

// bodyOverTheLimit: a body that is too large is refused before it is read, whether its size is
// announced or not, and leaves no trace: the same key takes the same order in a smaller body.
func bodyOverTheLimit(t *testing.T, f *fleet.Fleet) {
	const single, batch = 1 << 20, 8 << 20
	p := supplied(t, f, 1, 10)
	before := p.stock(t)
	small := order("BIG-1", 1)
	padded := func(body string, size int) []byte { // white space is JSON too
		return append([]byte(body), bytes.Repeat([]byte(" "), size-len(body))...)
	}
	several := `{"orders":[` + strings.TrimSuffix(strings.TrimPrefix(order("BIG-2", 1), `{"order":`), `}`) + `]}`
	for _, c := range []struct {
		name, path, body string
		size             int
	}{{"single", "/v1/orders", small, single}, {"batch", "/v1/orders:batchSubmit", several, batch}} {
		for how, reader := range map[string]io.Reader{
			"announced": bytes.NewReader(padded(c.body, c.size+1)),
			"streamed":  struct{ io.Reader }{bytes.NewReader(padded(c.body, c.size+1))},
		} {
			a, err := p.send(t.Context(), http.MethodPost, c.path, reader, "Idempotency-Key", "big-order-"+c.name)
			if err != nil {
				t.Fatalf("%s %s: %v", c.name, how, err)
			}
			refused(t, c.name+" "+how, a, "413 BODY_TOO_LARGE")
			if limit := a.problem().Metadata["limit"]; limit != fmt.Sprint(c.size) {
				t.Errorf("%s %s: limit %s", c.name, how, limit)
			}
		}
	}
	p.orders(t, 0)
	if after := p.stock(t); after != before {
		t.Errorf("stock was %s and is %s", before, after)
	}
	a := p.command(t, http.MethodPost, "/v1/orders", "big-order-single", string(padded(small, single)))
	if a.header.Get("Idempotency-Replayed") != "" {
		t.Error("the refused request had used up the key")
	}
	p.state(t, receipt(t, "at the limit", a).GetId(), "RELEASED")
	if a := p.command(t, http.MethodPost, "/v1/orders:batchSubmit", "big-order-batch", string(padded(several, batch))); a.status != http.StatusOK {
		t.Errorf("a batch at the limit: %d %s", a.status, a.body)
	}
	p.orders(t, 2)
	p.settled(t, "on hand 10, allocated 2, promised 0, to promise 8")
}
