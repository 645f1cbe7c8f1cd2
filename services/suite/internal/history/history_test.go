package history

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/metadata"

	"github.com/lockstep-logistics/lockstep/libs/guard"
	orderreleasev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/rest"
)

// answer is what the suite says to one attempt.
type answer struct {
	status int
	body   string
	header string // Retry-After
}

// TestCommandsAreWrittenDown: one entry a command however often it was sent, under one key,
// with its outcome; queries leave none; the log reads back.
func TestCommandsAreWrittenDown(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history.jsonl")
	log, err := Create(path)
	if err != nil {
		t.Fatal(err)
	}
	ok := answer{200, `{"receipt":{"id":"ord_1"}}`, ""}
	busy := answer{503, `{"code":"UNAVAILABLE","retryable":true}`, ""}
	refused := answer{409, `{"code":"ORDER_NUMBER_TAKEN","detail":"taken"}`, ""}
	inProgress := answer{409, `{"code":"IDEMPOTENCY_IN_PROGRESS","retryable":true}`, ""}
	for name, tc := range map[string]struct {
		answers []answer // the last one for ever
		want    Entry
	}{
		"first":       {[]answer{ok}, Entry{Outcome: OK, Attempts: 1}},
		"third":       {[]answer{busy, inProgress, ok}, Entry{Outcome: OK, Attempts: 3}},
		"refused":     {[]answer{busy, refused}, Entry{Outcome: Refused, Attempts: 2, Status: 409, Code: "ORDER_NUMBER_TAKEN"}},
		"unknown":     {[]answer{busy}, Entry{Outcome: Unknown, Status: 503, Code: "UNAVAILABLE"}},
		"an error":    {[]answer{{500, `{"code":"INTERNAL"}`, ""}, ok}, Entry{Outcome: OK, Attempts: 2}},
		"come back":   {[]answer{{429, `{"code":"RATE_LIMITED"}`, "1"}, ok}, Entry{Outcome: OK, Attempts: 2}},
		"not of ours": {[]answer{{502, `<html>`, ""}, ok}, Entry{Outcome: OK, Attempts: 2}},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, giveUp := context.WithTimeout(t.Context(), time.Minute)
			defer giveUp()
			keys, n := map[string]bool{}, 0
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodGet { // the query, which may be late
					w.WriteHeader(http.StatusServiceUnavailable)
					return
				}
				keys[r.Header.Get("Idempotency-Key")] = true
				a := tc.answers[min(n, len(tc.answers)-1)]
				if n++; tc.want.Outcome == Unknown && n == 3 {
					defer giveUp() // or it would try for ever
				}
				if a.header != "" {
					w.Header().Set("Retry-After", a.header)
				}
				w.WriteHeader(a.status)
				_, _ = fmt.Fprint(w, a.body)
			}))
			defer server.Close()
			c := &Conn{API: &rest.Conn{Base: server.URL, HTTP: server.Client()}, Log: log, Client: 7, Tenant: "t1", Principal: "p"}
			client := orderreleasev1.NewOrderReleaseServiceClient(c)
			query, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			_, _ = client.GetOrder(query, &orderreleasev1.GetOrderRequest{OrderId: "ord_1"}) // leaves no entry, whatever becomes of it
			_, err := client.SubmitOrder(metadata.AppendToOutgoingContext(ctx, guard.MetaKey, name), &orderreleasev1.SubmitOrderRequest{})
			if (err == nil) != (tc.want.Outcome == OK) {
				t.Errorf("error %v", err)
			}
			if len(keys) != 1 || !keys[name] {
				t.Errorf("sent under %v", keys)
			}
		})
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	entries, err := Read(path)
	if err != nil || len(entries) != 7 {
		t.Fatalf("%d entries, %v", len(entries), err)
	}
	for _, e := range entries {
		if e.Client != 7 || e.Tenant != "t1" || e.Method != orderreleasev1.OrderReleaseService_SubmitOrder_FullMethodName || string(e.Request) != "{}" {
			t.Errorf("%+v", e)
		}
		if (e.Return == 0) != (e.Outcome == Unknown) || (e.Response == nil) != (e.Outcome != OK) {
			t.Errorf("%s: returned %v with %s", e.Key, e.Return, e.Response)
		}
		switch e.Key {
		case "refused":
			if e.Outcome != Refused || e.Attempts != 2 || e.Code != "ORDER_NUMBER_TAKEN" {
				t.Errorf("%+v", e)
			}
		case "unknown":
			if e.Outcome != Unknown || e.Attempts < 2 || e.Status != 503 && !strings.Contains(e.Detail, "canceled") { // the last attempt may have been cut off
				t.Errorf("%+v", e)
			}
		case "third":
			if e.Outcome != OK || e.Attempts != 3 {
				t.Errorf("%+v", e)
			}
		case "come back":
			if e.Outcome != OK || e.Return-e.Call < time.Second {
				t.Errorf("came back after %v: %+v", e.Return-e.Call, e)
			}
		}
	}
}

// TestClientsComeBackApart: all wait for as long as they are told, and then not all at once.
func TestClientsComeBackApart(t *testing.T) {
	const told, bound = 5 * time.Second, time.Second
	least, most := time.Hour, time.Duration(0)
	for range 1000 {
		d := pause(&rest.Problem{Status: 503, After: told}, bound)
		least, most = min(least, d), max(most, d)
	}
	if least < told || most > told+bound || most-least < bound/2 {
		t.Errorf("told to wait %v, clients come back after %v to %v", told, least, most)
	}
}

// TestDoorSeesEveryAnswer: also those that a patient client sends again, and names the ones
// that no client may get.
func TestDoorSeesEveryAnswer(t *testing.T) {
	answers := []answer{
		{503, `{"retryable":true}`, "0"},
		{504, `{"retryable":true}`, ""},
		{500, `{}`, ""},
		{502, `<html>`, ""},
		{500, `{}`, ""},
		{429, `{}`, ""},
		{503, `{}`, ""},
		{409, `{"retryable":true}`, ""},
		{200, `{}`, ""},
	}
	n := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		a := answers[n]
		n++
		if a.header != "" {
			w.Header().Set("Retry-After", a.header)
		}
		w.WriteHeader(a.status)
		_, _ = fmt.Fprint(w, a.body)
	}))
	door := new(Door)
	c := &Conn{API: &rest.Conn{Base: server.URL, HTTP: &http.Client{Transport: door}}}
	client := orderreleasev1.NewOrderReleaseServiceClient(c)
	if _, err := client.GetOrder(t.Context(), &orderreleasev1.GetOrderRequest{OrderId: "ord_1"}); err != nil {
		t.Fatal(err)
	}
	server.Close()
	gone, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_, _ = client.GetOrder(gone, &orderreleasev1.GetOrderRequest{OrderId: "ord_1"}) // nobody answers
	seen := door.Seen()
	if none := seen.Status[0]; none == 0 {
		t.Error("a request without an answer is not seen")
	}
	delete(seen.Status, 0)
	if got, want := seen.String(), "200: 1, 409: 1, 429: 1, 500: 2, 502: 1, 503: 2, 504: 1"; got != want {
		t.Errorf("seen %s, want %s", got, want)
	}
	want := []string{"2 answers are 500,", "1 answers are 502,", "1 answers are 429 without", "1 answers are 503 without"}
	wrong := seen.Wrong()
	for _, w := range want {
		if !slices.ContainsFunc(wrong, func(line string) bool {
			return strings.HasPrefix(line, w) && strings.Contains(line, "GET /v1/orders/ord_1")
		}) {
			t.Errorf("nothing says %q: %q", w, wrong)
		}
	}
	if len(wrong) != len(want) {
		t.Errorf("%q", wrong)
	}
	if door.Reset(); len(door.Seen().Status) > 0 || len(door.Seen().Wrong()) > 0 {
		t.Errorf("%+v after a reset", door.Seen())
	}
}

// TestWatchKeepsTheLongestStall: the time without a success, also one that goes on.
func TestWatchKeepsTheLongestStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := 0
		w := NewWatch(func(time.Time, time.Duration) { told++ })
		w.saw(true, time.Now())
		time.Sleep(30 * time.Millisecond) // is what is measured
		w.saw(false, time.Now())
		if s := w.Stall(); s != 30*time.Millisecond {
			t.Errorf("a stall that goes on: %v", s)
		}
		w.saw(true, time.Now())
		w.saw(true, time.Now())
		if s := w.Stall(); s != 30*time.Millisecond || told != 3 {
			t.Errorf("a stall that is over: %v, %d successes", s, told)
		}
		w.saw(true, time.Now())
		if s := w.Stall(); s != 0 {
			t.Errorf("asked again: %v", s)
		}
	})
}
