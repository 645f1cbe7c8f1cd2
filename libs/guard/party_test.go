package guard

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"google.golang.org/grpc/metadata"

	"github.com/lockstep-logistics/lockstep/libs/clock"
	"github.com/lockstep-logistics/lockstep/libs/fault"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	probev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/probe/v1"
)

// partyCases are callers with and without the party that their roles need.
var partyCases = map[string]struct {
	roles   []commonv1.Role
	party   string
	refused bool
}{
	"customer":                   {[]commonv1.Role{commonv1.Role_ROLE_CUSTOMER}, "", true},
	"partner":                    {[]commonv1.Role{commonv1.Role_ROLE_PARTNER}, "", true},
	"both":                       {[]commonv1.Role{commonv1.Role_ROLE_PARTNER, commonv1.Role_ROLE_CUSTOMER}, "", true},
	"customer with a party":      {[]commonv1.Role{commonv1.Role_ROLE_CUSTOMER}, "pty_1", false},
	"partner with a party":       {[]commonv1.Role{commonv1.Role_ROLE_PARTNER}, "pty_1", false},
	"staff":                      {[]commonv1.Role{commonv1.Role_ROLE_LOGISTICS}, "", false},
	"staff and customer at once": {[]commonv1.Role{commonv1.Role_ROLE_CUSTOMER, commonv1.Role_ROLE_LOGISTICS}, "", false},
}

// TestPartyIsRequiredByAccess: services read no party as staff, so a customer or partner
// without one gets into no method, not even one that its role may call.
func TestPartyIsRequiredByAccess(t *testing.T) {
	c := clock.NewManual(noon)
	gateway := mustKey(t, Gateway)
	rules := Rules{"/any": probeRules(t)[probev1.ProbeService_GetCount_FullMethodName]}
	everybody := &commonv1.Access{}
	for number := range commonv1.Role_name {
		everybody.Roles = append(everybody.Roles, commonv1.Role(number))
	}
	rules["/any"] = Rule{Access: everybody, Request: rules["/any"].Request, Reply: rules["/any"].Reply}
	access := &Access{Verifier: NewVerifier(Trust(gateway.Trusted()), c), Rules: rules}
	for name, tc := range partyCases {
		who := Caller{Tenant: "t1", Principal: "p", Roles: tc.roles, Party: tc.party}
		ctx := metadata.NewIncomingContext(t.Context(), metadata.Pairs(metaAuthorization, "Bearer "+token(t, NewIssuer(gateway, c), who)))
		_, err := access.Check(ctx, "/any")
		if tc.refused != isPartyRequired(err) || !tc.refused && err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestPartyIsRequiredOfAPITokens: none is issued, and one that an issuer signed all the same
// is refused at the gateway with the reason.
func TestPartyIsRequiredOfAPITokens(t *testing.T) {
	c := clock.NewManual(noon)
	key := mustKey(t, "issuer")
	for name, tc := range partyCases {
		who := Caller{Tenant: "t1", Principal: "p", Roles: tc.roles, Party: tc.party}
		_, err := NewAPIIssuer(key, c).Token(who, time.Hour)
		if tc.refused != isPartyRequired(err) || !tc.refused && err != nil {
			t.Errorf("%s: issued: %v", name, err)
		}
		signed := forge(t, key, jwt.SigningMethodEdDSA, key.private, func(j *jwt.Token, s *claims) {
			j.Header["typ"], s.Audience = api.typ, jwt.ClaimStrings{api.audience}
			s.Roles, s.Party = roleNames(tc.roles), tc.party
		})
		for range 2 { // a refusal is not remembered as an acceptance
			got, err := NewAPIVerifier(Trust(key.Trusted()), c).Verify(signed)
			if tc.refused != isPartyRequired(err) || !tc.refused && (err != nil || !slices.Equal(got.Roles, tc.roles)) {
				t.Errorf("%s: verified: %+v, %v", name, got, err)
			}
		}
	}
}

func isPartyRequired(err error) bool {
	var f *fault.Error
	return errors.As(err, &f) && f.Reason == "PARTY_REQUIRED" && f.Kind == fault.Denied
}
