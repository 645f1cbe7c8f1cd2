package history

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
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
			keys, n := map[string]bool{}, 0
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				keys[r.Header.Get("Idempotency-Key")] = true
				a := tc.answers[min(n, len(tc.answers)-1)]
				n++
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
			n = 0
			clear(keys)
			patience := 10 * time.Second
			if tc.want.Outcome == Unknown {
				patience = 500 * time.Millisecond
			}
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
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
			if e.Outcome != Unknown || e.Attempts < 2 || e.Status != 503 {
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

// TestWatchKeepsTheLongestStall: the time without a success, also one that goes on.
func TestWatchKeepsTheLongestStall(t *testing.T) {
	told := 0
	w := NewWatch(func(time.Time, time.Duration) { told++ })
	w.saw(true, time.Now())
	time.Sleep(30 * time.Millisecond) // is what is measured
	w.saw(false, time.Now())
	if s := w.Stall(); s < 30*time.Millisecond {
		t.Errorf("a stall that goes on: %v", s)
	}
	w.saw(true, time.Now())
	w.saw(true, time.Now())
	if s := w.Stall(); s < 30*time.Millisecond || told != 3 {
		t.Errorf("a stall that is over: %v, %d successes", s, told)
	}
	w.saw(true, time.Now())
	if s := w.Stall(); s > 25*time.Millisecond {
		t.Errorf("asked again: %v", s)
	}
}
