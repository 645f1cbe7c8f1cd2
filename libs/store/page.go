package store

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"

	"github.com/lockstep-logistics/lockstep/libs/fault"
)

// Page tokens are sealed: a caller can neither read nor make one, and one of another
// tenant, index or key does not open.

// sealer returns what seals page tokens. Without a key it is the database's own, made by
// whoever opens it first: tokens outlive a restart and are good at every replica.
func sealer(ctx context.Context, e engine, key []byte) (cipher.AEAD, error) {
	if key == nil {
		var err error
		if key, err = kept(ctx, e); err != nil {
			return nil, err
		}
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

func kept(ctx context.Context, e engine) ([]byte, error) {
	rows, err := e.table(ctx, "store_keys", nil)
	if err != nil {
		return nil, err
	}
	const tenant, id = "_store", "page_tokens"
	for {
		row, exists, err := rows.Get(ctx, tenant, id)
		if err != nil || exists {
			return row.Body, err
		}
		key := make([]byte, 32)
		_, _ = rand.Read(key) // never fails
		if made, err := rows.Swap(ctx, Row{Tenant: tenant, ID: id, Version: 1, Body: key}, 0); err != nil || made {
			return key, err
		}
	}
}

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
