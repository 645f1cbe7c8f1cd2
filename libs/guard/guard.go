// Package guard decides who may call what: it verifies the caller's token, applies
// the (lockstep.common.v1.access) option of each method with default deny, fixes
// the tenant, and makes every mutation idempotent.
package guard

import (
	"context"
	"slices"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
)

// Caller is the verified identity behind a call.
type Caller struct {
	Tenant    string          // tenant the call works in; empty only for service identities outside a tenant
	Principal string          // person or API client, or "service:<name>"
	Roles     []commonv1.Role //
	Systems   []string        // source systems it may speak for ("erp", "wms", …); "*" for all
	Service   string          // name of the calling service when it is one
	Party     string          // partner or customer party id that limits what it sees, empty for staff
}

// Has reports whether the caller has one of the roles.
func (c Caller) Has(roles ...commonv1.Role) bool {
	return slices.ContainsFunc(roles, func(r commonv1.Role) bool { return slices.Contains(c.Roles, r) })
}

// limited are the roles that see what is their own only; without a party nothing is.
var limited = []commonv1.Role{commonv1.Role_ROLE_PARTNER, commonv1.Role_ROLE_CUSTOMER}

// checkParty refuses a caller that must have a party and has none. Services read an empty
// party as staff, so such a caller would see what belongs to everybody.
func (c Caller) checkParty() error {
	staff := c.Service != "" || slices.ContainsFunc(c.Roles, func(r commonv1.Role) bool { return !slices.Contains(limited, r) })
	if staff || len(c.Roles) == 0 || c.Party != "" {
		return nil
	}
	return fault.New(fault.Denied, "PARTY_REQUIRED", "a customer or partner needs a party that limits what it sees")
}

// SpeaksFor reports whether the caller may assert facts of the source system.
func (c Caller) SpeaksFor(system string) bool {
	return c.Service != "" || slices.Contains(c.Systems, "*") || slices.Contains(c.Systems, system)
}

type callerKey struct{}

// WithCaller returns a context that carries the verified caller.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// CallerOf returns the verified caller; false outside a call.
func CallerOf(ctx context.Context) (Caller, bool) {
	c, ok := ctx.Value(callerKey{}).(Caller)
	return c, ok
}
