package gateway

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	masterdatav1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
)

// keeper stands for master data: it knows one key.
type keeper struct {
	masterdatav1.MasterDataServiceClient
	mu    sync.Mutex
	key   guard.APIKey
	err   error
	asked []guard.Caller
}

func (k *keeper) ResolveApiKey(ctx context.Context, req *masterdatav1.ResolveApiKeyRequest, _ ...grpc.CallOption) (*masterdatav1.ResolveApiKeyResponse, error) { //nolint:staticcheck // the name is the contract's
	k.mu.Lock()
	defer k.mu.Unlock()
	caller, _ := guard.CallerOf(ctx)
	k.asked = append(k.asked, caller)
	switch {
	case k.err != nil:
		return nil, k.err
	case req.GetApiKeyId() != k.key.ID || string(req.GetDigest()) != string(k.key.Digest()) || caller.Tenant != k.key.Tenant:
		return nil, fault.New(fault.Unauthenticated, "API_KEY_INVALID", "no")
	}
	return &masterdatav1.ResolveApiKeyResponse{Principal: "key:wms", Roles: []commonv1.Role{commonv1.Role_ROLE_LOGISTICS}, Systems: []string{"wms"}, PartyId: "pty_1"}, nil
}

func (k *keeper) fails(err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.err = err
}

func (k *keeper) calls() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.asked)
}

// TestAPIKeys: a key is asked about once a second at most, by however many requests; a revocation
// takes effect within that, and while master data is away a good key lets in for half a minute.
func TestAPIKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &keeper{key: guard.NewAPIKey("acme", "key_1")}
		keys, text := newAPIKeys(m), m.key.Reveal()
		var group sync.WaitGroup
		want := guard.Caller{Tenant: "acme", Principal: "key:wms", Roles: []commonv1.Role{commonv1.Role_ROLE_LOGISTICS}, Systems: []string{"wms"}, Party: "pty_1"}
		for range 50 {
			group.Go(func() {
				if got, err := keys.authenticate(t.Context(), text); err != nil || !cmp.Equal(got, want) {
					t.Errorf("%+v, %v", got, err)
				}
			})
		}
		group.Wait()
		if n := m.calls(); n != 1 || m.asked[0].Service != guard.Gateway || m.asked[0].Tenant != "acme" {
			t.Errorf("asked %d times, as %+v", n, m.asked)
		}
		refused := func(what, text string, kind fault.Kind, reason string) {
			t.Helper()
			_, err := keys.authenticate(t.Context(), text)
			if f, ok := fault.As(err); !ok || f.Kind != kind || f.Reason != reason {
				t.Errorf("%s: %v", what, err)
			}
		}
		refused("no key at all", "secret", fault.Unauthenticated, "API_KEY_INVALID")
		if m.calls() != 1 {
			t.Error("master data was asked about what is no key")
		}
		refused("another secret", guard.NewAPIKey("acme", "key_1").Reveal(), fault.Unauthenticated, "API_KEY_INVALID")
		refused("another tenant", guard.NewAPIKey("other", "key_1").Reveal(), fault.Unauthenticated, "API_KEY_INVALID")
		m.fails(errors.New("away"))
		time.Sleep(keyGrace - time.Second)
		if _, err := keys.authenticate(t.Context(), text); err != nil {
			t.Errorf("while master data is away: %v", err)
		}
		time.Sleep(time.Second)
		refused("away for too long", text, fault.Unavailable, "API_KEYS_UNAVAILABLE")
		m.fails(nil)
		if _, err := keys.authenticate(t.Context(), text); err != nil {
			t.Errorf("back again: %v", err)
		}
		m.fails(fault.New(fault.Unauthenticated, "API_KEY_REVOKED", "revoked"))
		time.Sleep(keyLife)
		refused("revoked", text, fault.Unauthenticated, "API_KEY_REVOKED")
		n := m.calls()
		refused("revoked, at once", text, fault.Unauthenticated, "API_KEY_REVOKED")
		if m.calls() != n {
			t.Error("a verdict is not remembered")
		}
		m.fails(errors.New("away"))
		time.Sleep(keyLife)
		refused("revoked, and then away", text, fault.Unavailable, "API_KEYS_UNAVAILABLE")
	})
}
