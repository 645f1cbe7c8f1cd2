package domain_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/services/master-data/internal/domain"
)

var keyDay = time.Date(2026, 3, 1, 8, 30, 0, 0, time.UTC)

func clientKey(roles ...string) domain.APIKey {
	return domain.APIKey{Name: "wms", Roles: roles, Expires: keyDay.Add(time.Hour), Salt: []byte("salt"), Hash: domain.SecretHash([]byte("salt"), []byte("digest"))}
}

func reasonOf(err error) string {
	if f, ok := fault.As(err); ok {
		return f.Reason
	}
	return fmt.Sprint(err)
}

// fieldsOf renders the fields that a fault names.
func fieldsOf(err error) (out string) {
	f, ok := fault.As(err)
	if !ok {
		return ""
	}
	for _, field := range f.Fields {
		out += field.Path + " " + field.Reason + ";"
	}
	return out
}

func TestCreateAPIKey(t *testing.T) {
	party := active(domain.Party{Code: "C-1"})
	limited := clientKey("CUSTOMER")
	limited.Party = "C-1"
	late, past := clientKey("LOGISTICS"), clientKey("LOGISTICS")
	late.Expires, past.Expires = keyDay.Add(domain.MaxKeyLife+time.Second), keyDay
	for name, c := range map[string]struct {
		key     domain.APIKey
		current domain.Record[domain.APIKey]
		party   domain.Record[domain.Party]
		want    string
	}{
		"staff":           {clientKey("LOGISTICS"), domain.Record[domain.APIKey]{}, domain.Record[domain.Party]{}, ""},
		"customer":        {limited, domain.Record[domain.APIKey]{}, party, ""},
		"no party":        {clientKey("CUSTOMER", "PARTNER"), domain.Record[domain.APIKey]{}, party, "party_code PARTY_REQUIRED;"},
		"unknown party":   {limited, domain.Record[domain.APIKey]{}, domain.Record[domain.Party]{}, "party_code PARTY_REQUIRED;"},
		"taken":           {clientKey("LOGISTICS"), active(clientKey("LOGISTICS")), party, "name API_KEY_TAKEN;"},
		"a role twice":    {clientKey("LOGISTICS", "LOGISTICS"), domain.Record[domain.APIKey]{}, party, "roles[1] DUPLICATE;"},
		"expired already": {past, domain.Record[domain.APIKey]{}, party, "expire_time EXPIRY_INVALID;"},
		"for too long":    {late, domain.Record[domain.APIKey]{}, party, "expire_time EXPIRY_INVALID;"},
	} {
		k, err := c.key.Create(c.current, c.party, "admin", keyDay)
		if err == nil {
			_, err = domain.Put("key_1", c.current, k)
		}
		if got := fieldsOf(err); got != c.want {
			t.Errorf("%s: %s (%v), want %s", name, got, err, c.want)
		}
	}
}

// TestAPIKeyMachine: whatever comes in whichever order, a key lets in exactly who has its secret,
// from its creation until it is revoked or has expired; a name has one key for ever, and the
// last use that is kept never goes back.
func TestAPIKeyMachine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var r domain.Record[domain.APIKey]
		now, revoked := keyDay, false
		put := func(k domain.APIKey, err error) bool {
			if err != nil {
				return false
			}
			facts, err := domain.Put("key_1", r, k)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range facts {
				r = domain.Evolve(r, f)
			}
			return true
		}
		t.Repeat(map[string]func(*rapid.T){
			"create": func(t *rapid.T) {
				k := clientKey("LOGISTICS")
				k.Expires = now.Add(time.Duration(rapid.IntRange(1, 5).Draw(t, "hours")) * time.Hour)
				there := r.State != domain.Absent
				if done := put(k.Create(r, domain.Record[domain.Party]{}, "admin", now)); done == there {
					t.Fatalf("created %t while there is one: %t", done, there)
				}
			},
			"revoke": func(t *rapid.T) {
				if done := put(r.Value.Revoke("admin", now)); done != (r.State != domain.Absent) {
					t.Fatalf("revoked %t of %+v", done, r)
				} else if done {
					revoked = true
				}
			},
			"use": func(t *rapid.T) {
				before := r.Value.Used
				if k, another := r.Value.Seen(now); r.State != domain.Absent && another {
					put(k, nil)
				}
				if r.Value.Used.Before(before) {
					t.Fatalf("used %v after %v", r.Value.Used, before)
				}
			},
			"wait": func(t *rapid.T) {
				now = now.Add(time.Duration(rapid.IntRange(1, 90).Draw(t, "minutes")) * time.Minute)
			},
			"": func(t *rapid.T) {
				want := ""
				switch {
				case r.State == domain.Absent:
					want = "API_KEY_INVALID"
				case revoked:
					want = "API_KEY_REVOKED"
				case !now.Before(r.Value.Expires):
					want = "API_KEY_EXPIRED"
				}
				if err := r.Value.Admit([]byte("digest"), now); want == "" && err != nil || want != "" && reasonOf(err) != want {
					t.Fatalf("with the secret: %v, want %q", err, want)
				}
				if err := r.Value.Admit([]byte("another"), now); reasonOf(err) != "API_KEY_INVALID" {
					t.Fatalf("without the secret: %v", err)
				}
			},
		})
	})
}
