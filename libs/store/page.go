package store

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"

	"github.com/lockstep-logistics/lockstep/libs/fault"
)

// Page tokens are sealed: a caller can neither read nor make one, and one of another
// tenant, index or key does not open.

func (db *DB) seal(scope string, created int64, id string) string {
	nonce := make([]byte, db.aead.NonceSize())
	_, _ = rand.Read(nonce) // never fails
	plain := binary.BigEndian.AppendUint64(nil, uint64(created))
	return base64.RawURLEncoding.EncodeToString(db.aead.Seal(nonce, nonce, append(plain, id...), []byte(scope)))
}

func (db *DB) open(scope, token string) (created int64, id string, err error) {
	bad := fault.New(fault.Invalid, "INVALID_REQUEST", "the page token does not belong to this list").
		WithField("page_token", "PAGE_TOKEN_INVALID", "start without a token")
	data, decodeErr := base64.RawURLEncoding.DecodeString(token)
	if decodeErr != nil || len(data) < db.aead.NonceSize() {
		return 0, "", bad
	}
	n := db.aead.NonceSize()
	plain, openErr := db.aead.Open(nil, data[:n], data[n:], []byte(scope))
	if openErr != nil || len(plain) < 8 {
		return 0, "", bad
	}
	return int64(binary.BigEndian.Uint64(plain)), string(plain[8:]), nil
}
