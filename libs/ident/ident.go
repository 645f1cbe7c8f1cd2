// Package ident makes the identifiers that Lockstep's aggregates, keys and
// sources carry. Ids are a typed prefix and 26 characters of lower-case base32:
// derived from a business key where there is one, so that the same document can
// never become two aggregates.
package ident

import (
	"crypto/sha256"
	"encoding/base32"
	"regexp"
	"time"
)

var encoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// Derive returns prefix_ + 26 base32 characters (130 bits) of the SHA-256 of the
// parts, each prefixed by its length. The first part is the tenant by convention.
func Derive(prefix string, parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		n := len(p)
		h.Write([]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
		h.Write([]byte(p))
	}
	return prefix + "_" + encoding.EncodeToString(h.Sum(nil))[:26]
}

var valid = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// Valid reports whether s may stand as a tenant or aggregate id in a key, a URL and a subject.
func Valid(s string) bool { return valid.MatchString(s) }

// SourceRef says where a command or report comes from, in the source system's own words.
type SourceRef struct {
	System    string    `bson:"s,omitempty"` // "erp", "wms", "tms", a carrier …; the credential must be allowed to speak for it
	MessageID string    `bson:"m,omitempty"` // id of the message in that system
	EventTime time.Time `bson:"t,omitempty"` // when it happened, UTC; zero if not told
	Offset    int       `bson:"o,omitempty"` // UTC offset of the place at EventTime, minutes
	Zone      string    `bson:"z,omitempty"` // IANA time zone of the place, empty if unknown
	Sequence  int64     `bson:"q,omitempty"` // position in the source's own sequence, 0 if none
}
