package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/bus"
	"github.com/lockstep-logistics/lockstep/libs/clock"
	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/host"
	"github.com/lockstep-logistics/lockstep/libs/host/hosttest"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	probev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/probe/v1"
)

// sum is the state of a counter.
type sum struct {
	N int64 `bson:"n"`
}

// ill is a service that follows its own facts and refuses them until it is cured.
type ill struct {
	counters *store.Collection[sum, int64]
	cured    atomic.Bool
	applied  atomic.Int64
}

func (i *ill) unit(name string) *host.Unit {
	return host.Bind(name, Defaults(), func(_ Config, d host.Deps) (*host.Service, error) {
		i.counters = store.Register(d.Store, store.Type[sum, int64]{
			Name: "counter", Prefix: "cnt",
			Evolve: func(s sum, f int64) sum { s.N += f; return s },
			Encode: func(f int64) (string, []byte, error) {
				data, err := proto.Marshal(&probev1.Added{Amount: f})
				return "lockstep.probe.v1.Added", data, err
			},
			Decode: func(_ string, data []byte) (int64, error) {
				var m probev1.Added
				err := proto.Unmarshal(data, &m)
				return m.GetAmount(), err
			},
		})
		handle := bus.On(func(_ context.Context, _ bus.Fact, m *probev1.Added) error {
			if !i.cured.Load() {
				return fault.New(fault.Refused, "ILL", "the service is ill").Wrap(errors.New("canary"))
			}
			i.applied.Add(m.GetAmount())
			return nil
		})
		return &host.Service{Consumers: []bus.Consumer{bus.Routes(bus.Reactor, "count", name, handle)}}, nil
	})
}

// add commits a fact of a counter.
func (i *ill) add(t *testing.T, tenant, counter string, amount int64) {
	t.Helper()
	ctx := store.WithCause(t.Context(), store.Cause{Tenant: tenant, Principal: "tester", Key: testkit.Name("key")})
	_, err := i.counters.Update(ctx, ident.Derive("cnt", tenant, counter), func(store.Current[sum]) (store.Decision[int64], error) {
		return store.Decision[int64]{Facts: []int64{amount}}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// door is the HTTP side of a suite, spoken to with one token.
type door struct {
	*testing.T
	url, token string
}

// ask returns the answer as JSON; key is that of a change, or "".
func (d *door) ask(method, path, body, key string) (int, map[string]any) {
	d.Helper()
	r, err := http.NewRequestWithContext(d.Context(), method, d.url+path, strings.NewReader(body))
	if err != nil {
		d.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+d.token)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Idempotency-Key", key)
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		d.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		d.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(raw, &got); err != nil {
		d.Fatalf("%s: %v", raw, err)
	}
	if strings.Contains(string(raw), "canary") {
		d.Errorf("%s tells what is inside: %s", path, raw)
	}
	return resp.StatusCode, got
}

func (d *door) wants(status int, code, method, path, body, key string) map[string]any {
	d.Helper()
	got, answer := d.ask(method, path, body, key)
	if got != status || code != "" && answer["code"] != code {
		d.Fatalf("%s %s: %d %v, want %d %s", method, path, got, answer, status, code)
	}
	return answer
}

// TestDeadLettersOverHTTP: what a service could not apply is seen, replayed and dropped by the
// service's name, by the tenant whose it is.
func TestDeadLettersOverHTTP(t *testing.T) {
	var address atomic.Value
	issuer, err := guard.NewKey("issuer")
	if err != nil {
		t.Fatal(err)
	}
	tenant := testkit.Name("t")
	cfg := Defaults()
	cfg.Listen, cfg.AdminToken, cfg.AdminTenant, cfg.IssuerKeys = "127.0.0.1:0", adminToken, tenant, []guard.Trusted{issuer.Trusted()}
	cfg.Listening = func(a net.Addr) { address.Store("http://" + a.String()) }
	i := &ill{}
	hosttest.Serve(t, "sqlite", Unit(cfg), i.unit("returns"))
	testkit.Eventually(t, time.Minute, func() bool { return address.Load() != nil })
	stranger, err := guard.NewAPIIssuer(issuer, clock.System{}).Token(guard.AdminCaller(testkit.Name("t")), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	url := address.Load().(string)
	admin, foreign := &door{t, url, adminToken}, &door{t, url, stranger}

	i.add(t, tenant, "a", 5)
	i.add(t, tenant, "b", 7)
	const all = "/v1/services/returns/dead-letters"
	var letters []string
	testkit.Eventually(t, time.Minute, func() bool {
		letters = nil
		list, _ := admin.wants(200, "", "GET", all+"?handler=count&pageSize=10", "", "")["deadLetters"].([]any)
		for _, l := range list {
			letters = append(letters, all+"/"+l.(map[string]any)["deadLetterId"].(string))
		}
		return len(letters) == 2
	})
	letter := admin.wants(200, "", "GET", letters[0], "", "")["deadLetter"].(map[string]any)
	amount := letter["fact"].(map[string]any)["amount"]
	if letter["reason"] != "ILL" || letter["message"] != "the service is ill" || amount != "5" && amount != "7" {
		t.Errorf("the letter: %v", letter)
	}
	for _, path := range letters {
		foreign.wants(404, "DEAD_LETTER_NOT_FOUND", "GET", path, "", "")
		foreign.wants(404, "DEAD_LETTER_NOT_FOUND", "POST", path+":replay", "{}", "foreign-replay")
		foreign.wants(404, "DEAD_LETTER_NOT_FOUND", "POST", path+":drop", "{}", "foreign-drop")
	}
	if list, _ := foreign.wants(200, "", "GET", all, "", "")["deadLetters"].([]any); len(list) != 0 {
		t.Errorf("a stranger is told of %v", list)
	}
	for _, path := range letters {
		testkit.Eventually(t, time.Minute, func() bool { // the letter is there a moment before its aggregate is marked as parked
			status, failed := admin.ask("POST", path+":replay", "{}", testkit.Name("first-replay"))
			return status == 409 && failed["code"] == "REPLAY_FAILED" && failed["metadata"].(map[string]any)["reason"] == "ILL"
		})
	}
	admin.wants(400, "IDEMPOTENCY_KEY_REQUIRED", "POST", letters[0]+":replay", "{}", "")
	i.cured.Store(true)
	first := admin.wants(200, "", "POST", letters[0]+":replay", "{}", "second-replay")["receipt"].(map[string]any)
	again := admin.wants(200, "", "POST", letters[0]+":replay", "{}", "second-replay")["receipt"].(map[string]any)
	if first["state"] != "DEAD_LETTER_STATE_REPLAYED" || again["id"] != first["id"] {
		t.Errorf("replayed: %v, then %v", first, again)
	}
	dropped := admin.wants(200, "", "POST", letters[1]+":drop", "{}", "first-drop")["receipt"].(map[string]any)
	if dropped["state"] != "DEAD_LETTER_STATE_DROPPED" {
		t.Errorf("dropped: %v", dropped)
	}
	admin.wants(404, "DEAD_LETTER_NOT_FOUND", "GET", letters[1], "", "")
	if want := map[any]int64{"5": 5, "7": 7}[amount]; i.applied.Load() != want {
		t.Errorf("%d took effect, want %d", i.applied.Load(), want)
	}
	admin.wants(404, "SERVICE_UNKNOWN", "GET", "/v1/services/nobody/dead-letters", "", "")
	admin.wants(404, "SERVICE_UNKNOWN", "GET", "/v1/services/gateway/dead-letters", "", "")
	admin.wants(404, "ROUTE_UNKNOWN", "GET", "/v1/services/*/dead-letters/x/y", "", "")
}
