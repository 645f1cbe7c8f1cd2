package brunel

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"

	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	inventorymovementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
)

// books answer what is on hand and promised, in all.
type books struct {
	grpc.ClientConnInterface
	onHand, promised string
}

func (b books) Invoke(_ context.Context, _ string, _, reply any, _ ...grpc.CallOption) error {
	reply.(*inventorymovementv1.GetAvailabilityResponse).Availabilities = []*inventorymovementv1.Availability{{
		OnHand: &commonv1.Quantity{Value: b.onHand, Unit: "EA"}, Promised: &commonv1.Quantity{Value: b.promised, Unit: "EA"},
	}}
	return nil
}

// TestReconcile: what is left must be what was received less what closed orders took.
func TestReconcile(t *testing.T) {
	p := mapped(t, 0) // 37 units are ordered
	for _, c := range []struct {
		onHand, promised string
		ok               bool
	}{{"27", "0", true}, {"37", "0", false}, {"27", "1", false}} {
		t.Run(fmt.Sprintf("%s on hand, %s promised", c.onHand, c.promised), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tl := newTally(p)
				tl.close(p.Orders[0]) // takes 10
				ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
				defer cancel()
				var out strings.Builder
				if err := reconcile(ctx, books{onHand: c.onHand, promised: c.promised}, tl, &out); (err == nil) != c.ok {
					t.Errorf("%v\n%s", err, out.String())
				}
			})
		})
	}
}
