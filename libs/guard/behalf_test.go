package guard

import (
	"testing"

	"google.golang.org/grpc/metadata"

	"github.com/lockstep-logistics/lockstep/libs/store"
)

func TestAuthor(t *testing.T) {
	cause := store.WithCause(t.Context(), store.Cause{Tenant: "t1", Principal: "service:integration"})
	person := WithCaller(t.Context(), person())
	for _, c := range []struct {
		name, owner, want string
		behalf            string
	}{
		{name: "a service for a person", owner: "integration", behalf: "Ånn", want: "Ånn"},
		{name: "a service for itself", owner: "integration", want: "service:integration"},
		{name: "a person", owner: Gateway, want: "ada"},
		{name: "a person as another", owner: Gateway, behalf: "bob", want: "ada"},
	} {
		ctx := cause
		if c.owner == Gateway {
			ctx = person
		}
		ctx, err := arrived(t, OnBehalfOf(ctx, c.behalf), c.owner)
		if err != nil || Author(ctx) != c.want {
			t.Errorf("%s: %q, %v", c.name, Author(ctx), err)
		}
	}
	twice := metadata.AppendToOutgoingContext(OnBehalfOf(cause, "ann"), metaBehalf, "bob")
	if ctx, err := arrived(t, twice, "integration"); err != nil || Author(ctx) != "service:integration" {
		t.Errorf("for two at a time: %q, %v", Author(ctx), err)
	}
}
