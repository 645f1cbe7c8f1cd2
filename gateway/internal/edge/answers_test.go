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
	masterdatav1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
)

// A body that does not come holds its request no longer than the deadline, and is told so.
func TestSlowBody(t *testing.T) {
	cfg := config()
	cfg.Deadline = time.Second
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

// TestCodeWithASlash: the router splits the path before it takes escapes off, so a code with
// a slash can be named, and cannot be taken for a longer path.
func TestCodeWithASlash(t *testing.T) {
	b := &backend{}
	a := do(t, serve(t, config(), b), request{method: "GET", path: "/v1/locations/DC1%2FA-01"})
	if got, ok := b.sent.(*masterdatav1.GetLocationRequest); a.status != http.StatusOK || !ok || got.GetCode() != "DC1/A-01" {
		t.Errorf("%d, sent %v", a.status, b.sent)
	}
}

func TestAllowNamesTheMethods(t *testing.T) {
	a := do(t, serve(t, config(), &backend{}), request{method: "DELETE", path: itemPath})
	if got := a.header.Get("Allow"); got != "GET, PUT" {
		t.Errorf("Allow: %s", got)
	}
}
