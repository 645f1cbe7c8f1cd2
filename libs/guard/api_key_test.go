package guard_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/guard"
)

// TestAPIKey: a key is read as it was made, two are never alike, printing one tells no secret,
// and whatever differs in one character is none.
func TestAPIKey(t *testing.T) {
	k, other := guard.NewAPIKey("acme", "key_1"), guard.NewAPIKey("acme", "key_1")
	text := k.Reveal()
	got, ok := guard.ParseAPIKey(text)
	if !ok || got.Tenant != "acme" || got.ID != "key_1" || !bytes.Equal(got.Digest(), k.Digest()) || got.Reveal() != text {
		t.Fatalf("%v, %t", got, ok)
	}
	if bytes.Equal(k.Digest(), other.Digest()) || text == other.Reveal() {
		t.Error("two keys are alike")
	}
	if printed := fmt.Sprintf("%v %s", k, k); printed != "lockstep.acme.key_1 lockstep.acme.key_1" || !strings.HasPrefix(text, k.Prefix()+".") {
		t.Errorf("printed as %s", printed)
	}
	for i := range text {
		bad := []byte(text)
		bad[i] ^= 1
		if _, ok := guard.ParseAPIKey(string(bad)); ok {
			t.Errorf("%s is a key", bad)
		}
	}
	for _, bad := range []string{"", ".", "lockstep", text[1:], text[:len(text)-1], text + "0", "Bearer " + text} {
		if _, ok := guard.ParseAPIKey(bad); ok {
			t.Errorf("%q is a key", bad)
		}
	}
}
