package gateway

import (
	"context"
	"crypto/sha256"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/sync/singleflight"

	"github.com/lockstep-logistics/lockstep/libs/clock"
	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	masterdatav1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
)

const (
	// keyLife is how long a verdict on an API key holds: how soon a revocation takes effect.
	keyLife = time.Second
	// keyGrace is how long a key that was good lets in while master data cannot be asked.
	keyGrace = 30 * time.Second
	// keyPatience is what master data has to answer.
	keyPatience = 2 * time.Second
	// keysKept is how many verdicts are remembered.
	keysKept = 4096
)

// apiKeys exchanges API keys for callers, as master data knows them.
type apiKeys struct {
	masterData masterdatav1.MasterDataServiceClient
	asking     singleflight.Group
	verdicts   *lru.Cache[[sha256.Size]byte, verdict]
}

// verdict is who the bearer of a key is, or why nobody is let in.
type verdict struct {
	caller guard.Caller
	err    error
	asked  time.Time // by the monotonic clock
}

func newAPIKeys(masterData masterdatav1.MasterDataServiceClient) *apiKeys {
	verdicts, _ := lru.New[[sha256.Size]byte, verdict](keysKept) // fails only for a size below 1
	return &apiKeys{masterData: masterData, verdicts: verdicts}
}

// authenticate returns the caller that a key stands for.
func (k *apiKeys) authenticate(ctx context.Context, text string) (guard.Caller, error) {
	key, ok := guard.ParseAPIKey(text)
	if !ok {
		return guard.Caller{}, fault.New(fault.Unauthenticated, "API_KEY_INVALID", "the API key is not valid")
	}
	mark := sha256.Sum256([]byte(text)) // the key itself is kept nowhere
	if v, ok := k.verdicts.Get(mark); ok && clock.Elapsed(v.asked) < keyLife {
		return v.caller, v.err
	}
	found, _, _ := k.asking.Do(string(mark[:]), func() (any, error) { return k.ask(context.WithoutCancel(ctx), key, mark), nil })
	v := found.(verdict)
	return v.caller, v.err
}

// ask asks master data, and remembers what it says.
func (k *apiKeys) ask(ctx context.Context, key guard.APIKey, mark [sha256.Size]byte) verdict {
	ctx, cancel := context.WithTimeout(guard.WithCaller(ctx, guard.ServiceCaller(guard.Gateway, key.Tenant)), keyPatience)
	defer cancel()
	v := verdict{asked: clock.Monotonic()}
	resp, err := k.masterData.ResolveApiKey(ctx, &masterdatav1.ResolveApiKeyRequest{ApiKeyId: key.ID, Digest: key.Digest()})
	switch {
	case err == nil:
		v.caller = guard.Caller{
			Tenant: key.Tenant, Principal: resp.GetPrincipal(), Roles: resp.GetRoles(), Systems: resp.GetSystems(), Party: resp.GetPartyId(),
		}
	case fault.IsKind(err, fault.Unauthenticated):
		v.err = err
	default:
		if last, ok := k.verdicts.Get(mark); ok && last.err == nil && clock.Elapsed(last.asked) < keyGrace {
			return last
		}
		return verdict{err: fault.New(fault.Unavailable, "API_KEYS_UNAVAILABLE", "API keys cannot be looked up now: come again").After(keyLife).Wrap(err)}
	}
	k.verdicts.Add(mark, v)
	return v
}
