package guard

import (
	"context"

	"google.golang.org/grpc/metadata"

	"github.com/lockstep-logistics/lockstep/libs/store"
)

// metaBehalf names the principal whose words a service passes on; honoured for service
// identities only. It gives no rights: what the service may do, it does in its own name.
const metaBehalf = "lockstep-on-behalf-bin"

// OnBehalfOf returns a context for a call of a service to another with what a principal
// handed over, such as a record of a document.
func OnBehalfOf(ctx context.Context, principal string) context.Context {
	if principal == "" {
		return ctx
	}
	return metadata.AppendToOutgoingContext(ctx, metaBehalf, principal)
}

// Author returns the principal behind a command, for rules about who may not decide on
// their own entry: the caller, or, when a service says so, whom it calls for.
func Author(ctx context.Context) string {
	if c, ok := CallerOf(ctx); ok && c.Service != "" {
		if principal := one(ctx, metaBehalf); principal != "" {
			return principal
		}
	}
	return store.CauseOf(ctx).Principal
}
