package edge_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"

	"github.com/lockstep-logistics/lockstep/gateway/internal/edge"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	masterdatav1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
)

// broken is a connection whose calls panic until they are let.
type broken struct {
	backend
	mended bool
}

func (b *broken) Invoke(ctx context.Context, method string, args, reply any, opts ...grpc.CallOption) error {
	if !b.mended {
		panic("canary in a panic")
	}
	return b.backend.Invoke(ctx, method, args, reply, opts...)
}

// lines is a log that many write.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// TestPanic: a handler that panics is an internal error with an incident id under which the log
// has the panic and its stack; the client learns nothing of it, and the process serves on.
func TestPanic(t *testing.T) {
	b, log := &broken{}, new(lines)
	h, err := edge.New(config(), edge.Parts{
		Log:          slog.New(slog.NewTextHandler(log, nil)),
		Authenticate: func(string) (guard.Caller, error) { return caller, nil },
		Dial:         func(string) grpc.ClientConnInterface { return b },
		OpenAPI:      []byte(`{"openapi":"3.1.0"}`),
		Ready:        func(context.Context) error { return nil },
	}, []edge.Service{{
		Name: "master-data", Proto: "lockstep.masterdata.v1.MasterDataService",
		Register: func(ctx context.Context, mux *runtime.ServeMux, conn grpc.ClientConnInterface) error {
			return masterdatav1.RegisterMasterDataServiceHandlerClient(ctx, mux, masterdatav1.NewMasterDataServiceClient(conn))
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	for range 2 * config().InFlight { // it gives back its slot too
		a := do(t, s, request{method: "GET", path: itemPath})
		if a.status != http.StatusInternalServerError || a.problem.Code != "INTERNAL" || a.problem.Incident == "" {
			t.Fatalf("%d %s", a.status, a.body)
		}
		if strings.Contains(a.body, "canary") || strings.Contains(a.body, ".go") {
			t.Errorf("the client is told %s", a.body)
		}
		told := false
		for line := range strings.Lines(log.String()) {
			told = told || strings.Contains(line, a.problem.Incident) && strings.Contains(line, "canary in a panic") && strings.Contains(line, "panic_test.go")
		}
		if !told {
			t.Fatalf("the log does not tell incident %s:\n%s", a.problem.Incident, log)
		}
	}
	b.mended = true
	if a := do(t, s, request{method: "GET", path: itemPath}); a.status != http.StatusOK {
		t.Errorf("afterwards: %d %s", a.status, a.body)
	}
}
