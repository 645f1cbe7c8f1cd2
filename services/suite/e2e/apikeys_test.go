package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/clock"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	masterdatav1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/fleet"
)

func tomorrow() string { return clock.System{}.Now().Add(24 * time.Hour).Format(time.RFC3339) }

// bearer is a caller with an API key.
type bearer struct {
	party
	key string
}

func (b bearer) ask(t *testing.T, method, path, body string) answer {
	t.Helper()
	a, err := b.send(t.Context(), method, path, strings.NewReader(body), "Authorization", "ApiKey "+b.key, "Idempotency-Key", testkit.Name("key"))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// newKey creates a key and returns its bearer.
func (p party) newKey(t *testing.T, name, expires, more string) bearer {
	t.Helper()
	return p.holder(t, name, p.command(t, http.MethodPost, "/v1/api-keys", "create-"+name, fmt.Sprintf(`{"name":%q,"expireTime":%q,%s}`, name, expires, more)))
}

// briefKey creates a key that expires soon: not before it is created, whatever that takes.
func (p party) briefKey(t *testing.T, name, more string) bearer {
	t.Helper()
	for soon := 3 * time.Second; ; soon *= 2 {
		a := p.command(t, http.MethodPost, "/v1/api-keys", testkit.Name("brief"), fmt.Sprintf(`{"name":%q,"expireTime":%q,%s}`, name, clock.System{}.Now().Add(soon).Format(time.RFC3339Nano), more))
		if a.problem().Code != "EXPIRY_INVALID" {
			return p.holder(t, name, a)
		}
	}
}

// holder is the bearer of a key that was just created.
func (p party) holder(t *testing.T, name string, a answer) bearer {
	t.Helper()
	var made struct{ APIKey string }
	if err := json.Unmarshal([]byte(a.body), &made); err != nil || a.status != http.StatusOK || made.APIKey == "" {
		t.Fatalf("%s: %d %s", name, a.status, a.body)
	}
	return bearer{p, made.APIKey}
}

// listed reads the keys by name once so many are listed.
func (p party) listed(t *testing.T, want int) map[string]*masterdatav1.ApiKey {
	t.Helper()
	var all map[string]*masterdatav1.ApiKey
	testkit.Eventually(t, within, func() error {
		resp := &masterdatav1.ListApiKeysResponse{}
		unmarshal(t, p.read(t, "/v1/api-keys"), resp)
		all = map[string]*masterdatav1.ApiKey{}
		for _, k := range resp.GetApiKeys() {
			all[k.GetName()] = k
		}
		if len(all) != want {
			return fmt.Errorf("%d keys", len(all))
		}
		return nil
	})
	return all
}

// apiKeys: a client with a key does what its roles allow, in its tenant, for its party and its
// systems, under its own name; the key is shown once, and one that is revoked, has expired or is
// made up lets nobody in, with the reason.
func apiKeys(t *testing.T, f *fleet.Fleet) {
	p := speak(t, f, guard.AdminCaller(testkit.Name("t")))
	p.put(t, http.MethodPut, "/v1/items/TEA", `{"item":{"name":"Tea","baseUnit":"EA"}}`)
	for _, code := range []string{"C-1", "C-2"} {
		p.put(t, http.MethodPut, "/v1/parties/"+code, `{"party":{"name":"Buyer","roles":["PARTY_ROLE_CUSTOMER"]}}`)
	}
	wms := p.newKey(t, "wms", tomorrow(), `"roles":["ROLE_LOGISTICS"],"systems":["wms"]`)
	shop := p.newKey(t, "shop", tomorrow(), `"roles":["ROLE_CUSTOMER"],"partyCode":"C-1"`)
	again := p.command(t, http.MethodPost, "/v1/api-keys", "create-wms", fmt.Sprintf(`{"name":"wms","expireTime":%q,"roles":["ROLE_LOGISTICS"],"systems":["wms"]}`, p.listed(t, 2)["wms"].GetExpireTime().AsTime().Format(time.RFC3339)))
	if again.status != http.StatusOK || strings.Contains(again.body, "apiKey\":\"lockstep") || again.header.Get("Idempotency-Replayed") != "true" {
		t.Errorf("shown again: %d %v %s", again.status, again.header, again.body)
	}
	refused(t, "the name again", p.command(t, http.MethodPost, "/v1/api-keys", "another-wms", fmt.Sprintf(`{"name":"wms","expireTime":%q,"roles":["ROLE_FINANCE"]}`, tomorrow())),
		"409 API_KEY_TAKEN", "#/name API_KEY_TAKEN")
	refused(t, "a customer without a party", p.command(t, http.MethodPost, "/v1/api-keys", "no-party", fmt.Sprintf(`{"name":"shop-2","expireTime":%q,"roles":["ROLE_CUSTOMER"]}`, tomorrow())),
		"400 PARTY_REQUIRED", "#/partyCode PARTY_REQUIRED")

	if a := wms.ask(t, http.MethodPut, "/v1/items/TEA", `{"item":{"name":"Tea","baseUnit":"EA","baseWeightGrams":"120"},"source":{"system":"wms","messageId":"M-1"}}`); a.status != http.StatusOK {
		t.Errorf("what its roles allow: %d %s", a.status, a.body)
	}
	refused(t, "another system", wms.ask(t, http.MethodPut, "/v1/items/TEA", `{"item":{"name":"Tea","baseUnit":"EA"},"source":{"system":"erp","messageId":"M-2"}}`), "403 SOURCE_NOT_ALLOWED")
	refused(t, "another role's", wms.ask(t, http.MethodGet, "/v1/api-keys", ""), "403 METHOD_NOT_ALLOWED")
	versions := p.read(t, "/v1/record-versions?object_type=OBJECT_TYPE_ITEM&object_key=TEA")
	if !strings.Contains(versions, `"key:wms"`) {
		t.Errorf("under its own name: %s", versions)
	}
	if own := shop.ask(t, http.MethodGet, "/v1/parties/C-1", ""); own.status != http.StatusOK {
		t.Errorf("its own party: %d %s", own.status, own.body)
	}
	refused(t, "another party", shop.ask(t, http.MethodGet, "/v1/parties/C-2", ""), "404 NOT_FOUND")

	next := speak(t, f, guard.AdminCaller(testkit.Name("t")))
	foreign := next.newKey(t, "wms", tomorrow(), `"roles":["ROLE_LOGISTICS"]`)
	refused(t, "another tenant's item", foreign.ask(t, http.MethodGet, "/v1/items/TEA", ""), "404 NOT_FOUND")
	for name, key := range map[string]string{
		"cut":          wms.key[:len(wms.key)-1],
		"made up":      guard.NewAPIKey(testkit.Name("t"), "key_nobody").Reveal(),
		"of an item":   guard.NewAPIKey(testkit.Name("t"), "itm_nobody").Reveal(),
		"known prefix": forged(t, wms.key),
	} {
		refused(t, name, bearer{p, key}.ask(t, http.MethodGet, "/v1/items/TEA", ""), "401 API_KEY_INVALID")
	}

	brief := p.briefKey(t, "brief", `"roles":["ROLE_LOGISTICS"]`)
	p.put(t, http.MethodPost, "/v1/api-keys/wms:revoke", `{}`)
	for key, reason := range map[bearer]string{wms: "401 API_KEY_REVOKED", brief: "401 API_KEY_EXPIRED"} {
		testkit.Eventually(t, within, func() error {
			a := key.ask(t, http.MethodGet, "/v1/items/TEA", "")
			if is := fmt.Sprintf("%d %s", a.status, a.problem().Code); is != reason {
				return fmt.Errorf("%s, want %s", is, reason)
			}
			return nil
		})
	}
	states := func() (all []string) {
		for name, k := range p.listed(t, 3) {
			all = append(all, fmt.Sprintf("%s %s %t", name, strings.TrimPrefix(k.GetState().String(), "API_KEY_STATE_"), k.GetLastUsedHour() != nil))
		}
		slices.Sort(all)
		return all
	}
	testkit.Eventually(t, within, func() error {
		if is := strings.Join(states(), ", "); !slices.Contains([]string{
			"brief EXPIRED true, shop ACTIVE true, wms REVOKED true", "brief EXPIRED false, shop ACTIVE true, wms REVOKED true", // when it had expired before it was used
		}, is) {
			return fmt.Errorf("%s", is)
		}
		return nil
	})
	if body := p.read(t, "/v1/api-keys"); strings.Contains(body, secretOf(wms.key)) || strings.Contains(body, "hash") {
		t.Errorf("the list tells a secret: %s", body)
	}
}

// secretOf is the secret of a key, as it is shown.
func secretOf(key string) string { return key[strings.LastIndexByte(key, '.')+1:] }

// forged is a key of the same tenant and id with another secret.
func forged(t *testing.T, key string) string {
	t.Helper()
	k, ok := guard.ParseAPIKey(key)
	if !ok {
		t.Fatalf("%s is no key", k)
	}
	return guard.NewAPIKey(k.Tenant, k.ID).Reveal()
}
