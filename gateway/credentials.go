package gateway

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"

	"github.com/lockstep-logistics/lockstep/libs/clock"
	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/guard"
)

// authenticator returns how a token from outside becomes a caller: the admin token if
// there is one, and the API tokens of trusted issuers. A gateway that nobody could pass is refused.
func authenticator(cfg Config, c clock.Clock) (func(string) (guard.Caller, error), error) {
	var verifiers []*guard.Verifier
	if cfg.Issuers != "" {
		keys, err := guard.LoadKeys(cfg.Issuers)
		if err != nil {
			return nil, fmt.Errorf("issuers: %w", err)
		}
		verifiers = append(verifiers, guard.NewAPIVerifier(keys, c))
	}
	if len(cfg.IssuerKeys) > 0 {
		verifiers = append(verifiers, guard.NewAPIVerifier(guard.Trust(cfg.IssuerKeys...), c))
	}
	admin := cfg.AdminToken.Reveal()
	if admin == "" && len(verifiers) == 0 {
		return nil, errors.New("neither an admin token nor trusted issuers are configured: nobody could call")
	}
	want := sha256.Sum256([]byte(admin))
	return func(token string) (guard.Caller, error) {
		// Of equal length and compared in constant time: how long it takes says nothing about the token.
		if got := sha256.Sum256([]byte(token)); admin != "" && subtle.ConstantTimeCompare(got[:], want[:]) == 1 {
			return guard.AdminCaller(cfg.AdminTenant), nil
		}
		err := error(fault.New(fault.Unauthenticated, "TOKEN_INVALID", "the token is not valid"))
		for _, v := range verifiers {
			var caller guard.Caller
			if caller, err = v.Verify(token); err == nil || fault.IsKind(err, fault.Denied) {
				return caller, err // of this issuer, so no other one's
			}
		}
		return guard.Caller{}, err
	}, nil
}
