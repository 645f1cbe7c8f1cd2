package masterdata_test

import (
	"fmt"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/lockstep-logistics/lockstep/libs/clock"
	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/host/hosttest"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	masterdatav1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
	masterdata "github.com/lockstep-logistics/lockstep/services/master-data"
)

// resolved asks as the gateway does who the bearer of a key is: "principal roles systems party",
// or the reason of the refusal.
func resolved(t *testing.T, s *hosttest.Suite, tenant string, key guard.APIKey) string {
	t.Helper()
	gateway := masterdatav1.NewMasterDataServiceClient(s.Client(masterdata.Name, guard.ServiceCaller(guard.Gateway, tenant)))
	resp, err := gateway.ResolveApiKey(t.Context(), &masterdatav1.ResolveApiKeyRequest{ApiKeyId: key.ID, Digest: key.Digest()})
	if f, ok := fault.As(err); ok {
		return f.Reason
	}
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%s %v %v %s", resp.GetPrincipal(), resp.GetRoles(), resp.GetSystems(), resp.GetPartyId())
}

// TestAPIKeysOfATenant: a key is shown once, lets its bearer in as long as it may, to its tenant
// only, and is asked about by the gateway alone; what is kept after a restart is the same.
func TestAPIKeysOfATenant(t *testing.T) {
	for _, engine := range hosttest.Engines {
		t.Run(engine, func(t *testing.T) {
			start := time.Date(2026, 6, 1, 8, 20, 0, 0, time.UTC)
			now := clock.NewManual(start)
			s := hosttest.ServeWith(t, hosttest.Options{Engine: engine, Clock: now}, unit())
			admin := as(s, "ann", commonv1.Role_ROLE_TENANT_ADMIN)
			if _, err := admin.PutParty(t.Context(), &masterdatav1.PutPartyRequest{Code: "C-1", Party: &masterdatav1.Party{Name: "Buyer", Roles: []masterdatav1.PartyRole{masterdatav1.PartyRole_PARTY_ROLE_CUSTOMER}}}); err != nil {
				t.Fatal(err)
			}
			req := &masterdatav1.CreateApiKeyRequest{
				Name: "shop", Roles: []commonv1.Role{commonv1.Role_ROLE_CUSTOMER}, PartyCode: "C-1", Systems: []string{"shop"}, ExpireTime: timestamppb.New(start.Add(2 * time.Hour)),
			}
			trial := &masterdatav1.CreateApiKeyRequest{Name: "shop", Roles: req.GetRoles(), PartyCode: "C-1", ExpireTime: req.GetExpireTime(), ValidateOnly: true}
			if tried, err := admin.CreateApiKey(t.Context(), trial); err != nil || tried.GetApiKey() != "" || tried.GetReceipt().GetState() != "ACTIVE" {
				t.Fatal(tried, err)
			}
			ctx := hosttest.WithKey(t.Context(), "create-shop-key")
			made, err := admin.CreateApiKey(ctx, req)
			if err != nil || made.GetReceipt().GetState() != "ACTIVE" {
				t.Fatal(made, err)
			}
			key, ok := guard.ParseAPIKey(made.GetApiKey())
			if !ok || key.Tenant != s.Tenant || key.ID != ident.Derive("key", s.Tenant, "shop") {
				t.Fatalf("%s of %s", key, made)
			}
			for range 2 { // whether an answer is remembered in Redis or found in the store
				var header metadata.MD
				again, err := admin.CreateApiKey(ctx, req, grpc.Header(&header))
				if err != nil || again.GetApiKey() != "" || len(header.Get(guard.MetaReplayed)) != 1 || again.GetReceipt().GetId() != made.GetReceipt().GetId() {
					t.Errorf("shown again: %v, %v, %v", again, err, header)
				}
				s.Redis.FlushAll()
			}
			want := "key:shop [ROLE_CUSTOMER] [shop] " + ident.Derive("pty", s.Tenant, "C-1")
			s.Restart(t)
			if got := resolved(t, s, s.Tenant, key); got != want {
				t.Errorf("it is %q, want %q", got, want)
			}
			for name, got := range map[string]string{
				"another tenant": resolved(t, s, "other", key), "another secret": resolved(t, s, s.Tenant, guard.NewAPIKey(s.Tenant, key.ID)),
				"no key": resolved(t, s, s.Tenant, guard.NewAPIKey(s.Tenant, "key_nobody")), "a party": resolved(t, s, s.Tenant, guard.NewAPIKey(s.Tenant, ident.Derive("pty", s.Tenant, "C-1"))),
			} {
				if got != "API_KEY_INVALID" {
					t.Errorf("%s: %s", name, got)
				}
			}
			peer := masterdatav1.NewMasterDataServiceClient(s.Client(masterdata.Name, guard.ServiceCaller(masterdata.Name, s.Tenant)))
			if _, err := peer.ResolveApiKey(t.Context(), &masterdatav1.ResolveApiKeyRequest{ApiKeyId: key.ID, Digest: key.Digest()}); !fault.IsKind(err, fault.Denied) {
				t.Errorf("asked by a service: %v", err)
			}
			listed := func(want string) {
				t.Helper()
				testkit.Eventually(t, trails, func() error {
					list, err := admin.ListApiKeys(t.Context(), &masterdatav1.ListApiKeysRequest{})
					if err != nil || len(list.GetApiKeys()) != 1 {
						return fmt.Errorf("%v, %w", list, err)
					}
					k := list.GetApiKeys()[0]
					if got := fmt.Sprint(k.GetState(), " ", k.GetLastUsedHour().AsTime().Format(time.TimeOnly)); got != want {
						return fmt.Errorf("%s, want %s", got, want)
					}
					if k.GetPrefix() != key.Prefix() || k.GetCreatedBy() != "ann" {
						return fmt.Errorf("%v", k)
					}
					return nil
				})
			}
			listed("API_KEY_STATE_ACTIVE 08:00:00")
			now.Step(time.Hour)
			_ = resolved(t, s, s.Tenant, key)
			listed("API_KEY_STATE_ACTIVE 09:00:00")
			now.Step(time.Hour)
			if got := resolved(t, s, s.Tenant, key); got != "API_KEY_EXPIRED" {
				t.Errorf("after its time: %s", got)
			}
			listed("API_KEY_STATE_EXPIRED 09:00:00")
			for range 2 {
				if r, err := admin.RevokeApiKey(t.Context(), &masterdatav1.RevokeApiKeyRequest{ApiKeyName: "shop"}); err != nil || r.GetReceipt().GetState() != "REVOKED" {
					t.Fatal(r, err)
				}
			}
			if got := resolved(t, s, s.Tenant, key); got != "API_KEY_REVOKED" {
				t.Errorf("revoked: %s", got)
			}
			listed("API_KEY_STATE_REVOKED 09:00:00")
			_, err = admin.RevokeApiKey(t.Context(), &masterdatav1.RevokeApiKeyRequest{ApiKeyName: "nobody"})
			reason(t, err, fault.NotFound, "NOT_FOUND")
			_, err = admin.CreateApiKey(t.Context(), req)
			reason(t, err, fault.Conflict, "API_KEY_TAKEN")
		})
	}
}
