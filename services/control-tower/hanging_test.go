package controltower_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/lockstep-logistics/lockstep/libs/host"
	"github.com/lockstep-logistics/lockstep/libs/host/hosttest"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	controltowerv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/controltower/v1"
	controltower "github.com/lockstep-logistics/lockstep/services/control-tower"
	"github.com/lockstep-logistics/lockstep/services/control-tower/internal/storytest"
)

// TestAClaimHangs: an order whose claim nobody gives back after its attempt was given up is
// listed, also after a restart and after the projection was built anew, to its own tenant only,
// and no more once the claim is back.
func TestAClaimHangs(t *testing.T) {
	for _, engine := range hosttest.Engines {
		t.Run(engine, func(t *testing.T) {
			all := newSources()
			dropped := ""
			units := append(all.units(), host.Bind(controltower.Name, controltower.Defaults(),
				func(cfg controltower.Config, d host.Deps) (*host.Service, error) {
					if dropped != "" {
						drop(t, d.Store, dropped, "trace_2", "bus_applied", "bus_positions")
					}
					return controltower.New(cfg, d)
				}))
			s := hosttest.Serve(t, engine, units...)
			story := storytest.New(s.Tenant)
			well := story.Ship("4711")
			facts := len(story.Envelopes())
			n := story.GiveUp("4712")
			back := story.Commits[len(story.Commits)-1]
			for _, c := range story.Commits[:len(story.Commits)-1] { // whoever gives back is broken
				all.commit(t, s.Tenant, c)
			}
			c := client(s, commonv1.Role_ROLE_LOGISTICS)
			now := &controltowerv1.ListHangingClaimsRequest{OlderThan: durationpb.New(0)}
			listed := func(want int) (list []*controltowerv1.HangingClaim) {
				t.Helper()
				testkit.Eventually(t, within, func() error {
					got, err := c.ListHangingClaims(t.Context(), now)
					if list = got.GetClaims(); err == nil && len(list) != want {
						err = fmt.Errorf("%d claims hang, want %d: %v", len(list), want, list)
					}
					return err
				})
				return list
			}
			whole := func() { // what goes well hangs for as long as not all of it is told
				t.Helper()
				told(t, c, well.Number, facts)
				told(t, c, n.Number, 5)
			}
			whole()
			got := listed(1)[0]
			if got.GetDocument().GetAggregateId() != n.Order || got.GetDocumentNumber() != "4712" || got.GetTarget().GetService() != storytest.Inventory ||
				got.GetQuantity().GetValue() != "12" || got.GetDocumentState() != controltowerv1.ClaimDocumentState_CLAIM_DOCUMENT_STATE_CLOSED || got.GetAge().AsDuration() <= 0 {
				t.Errorf("listed is %v", got)
			}
			if young, err := c.ListHangingClaims(t.Context(), &controltowerv1.ListHangingClaimsRequest{}); err != nil || len(young.GetClaims()) != 0 {
				t.Errorf("hangs for 5 minutes already: %v, %v", young, err)
			}
			who := s.Caller(commonv1.Role_ROLE_TENANT_ADMIN)
			who.Tenant = testkit.Name("other")
			theirs, err := controltowerv1.NewControlTowerServiceClient(s.Client(controltower.Name, who)).ListHangingClaims(t.Context(), now)
			if err != nil || len(theirs.GetClaims()) != 0 {
				t.Errorf("another tenant is told %v, %v", theirs, err)
			}
			dropped = s.Tenant
			s.Restart(t)
			whole()
			if diff := cmp.Diff(got, listed(1)[0], protocmp.Transform(), protocmp.IgnoreFields(got, "age")); diff != "" {
				t.Errorf("built anew: %s", diff)
			}
			all.commit(t, s.Tenant, back)
			listed(0)
		})
	}
}
