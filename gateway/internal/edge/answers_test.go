package edge_test

import (
	"io"
	"net/http"
	"testing"
	"time"

	"google.golang.org/grpc/metadata"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/fault/wire"
	"github.com/lockstep-logistics/lockstep/libs/guard"
)

// A body that does not come holds its request no longer than the deadline, and is told so.
func TestSlowBody(t *testing.T) {
	cfg := config()
	cfg.Deadline = 100 * time.Millisecond
	b := &backend{}
	s := serve(t, cfg, b)
	slow, feed := io.Pipe()
	t.Cleanup(func() { _ = feed.Close() })
	r, err := http.NewRequest("PUT", s.URL+itemPath, slow)
	if err != nil {
		t.Fatal(err)
	}
	r.ContentLength = 1000
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+token)
	go func() { _, _ = feed.Write([]byte("{")) }() // and no more
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if resp.StatusCode != http.StatusRequestTimeout || b.calls != 0 {
		t.Errorf("%d %s, %v; %d calls", resp.StatusCode, body, err, b.calls)
	}
}

// A refusal that an earlier run of the command got says so, as an answer does.
func TestReplayedRefusal(t *testing.T) {
	b := &backend{
		header: metadata.Pairs(guard.MetaReplayed, "true", "x-internal", "secret"),
		err:    wire.Status(fault.New(fault.Refused, "NOT_ENOUGH", "4 on hand"), "test").Err(),
	}
	a := do(t, serve(t, config(), b), request{"PUT", itemPath, item(""), nil})
	if a.status != http.StatusConflict || a.header.Get("Idempotency-Replayed") != "true" || a.header.Get("X-Internal") != "" {
		t.Errorf("%d %s, %v", a.status, a.body, a.header)
	}
}
