package hosttest

import (
	"strings"
	"testing"
	"time"

	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/lockstep-logistics/lockstep/libs/host"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
)

// TestReadinessFollowsTheStore: a service whose store takes no write any more, here its lease's,
// is not ready after a while, by the probe and by the gRPC health service. A failure that is
// over by then changes nothing.
func TestReadinessFollowsTheStore(t *testing.T) {
	var db *store.DB
	s := Serve(t, "sqlite", host.Bind("probe", settings{Most: 1000}, func(cfg settings, d host.Deps) (*host.Service, error) {
		db = d.Store
		return newProbe(cfg, d)
	}))
	health := healthpb.NewHealthClient(s.Client("probe", s.Caller(commonv1.Role_ROLE_LOGISTICS)))
	state := func() healthpb.HealthCheckResponse_ServingStatus {
		resp, err := health.Check(t.Context(), &healthpb.HealthCheckRequest{})
		if err != nil {
			t.Fatal(err)
		}
		return resp.GetStatus()
	}
	if why := s.Host().Ready(); len(why) > 0 || state() != healthpb.HealthCheckResponse_SERVING {
		t.Fatalf("before: %v, %s", why, state())
	}
	begin := time.Now()
	if err := db.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, settle, func() bool {
		return strings.HasPrefix(s.Host().Ready()["probe"], "STORE_NOT_WRITABLE") && state() == healthpb.HealthCheckResponse_NOT_SERVING
	})
	if took := time.Since(begin); took < 14*time.Second {
		t.Errorf("told after %v: a short failure would turn readiness off", took)
	}
}
