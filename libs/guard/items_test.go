package guard

import (
	"context"
	"slices"
	"strconv"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/lockstep-logistics/lockstep/libs/clock"
	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/store"
	probev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/probe/v1"
)

// arrived carries a context over a call, through the client's interceptor and access.
func arrived(t *testing.T, ctx context.Context, owner string) (context.Context, error) {
	t.Helper()
	c := clock.NewManual(noon)
	key := mustKey(t, owner)
	client := &Client{Issuer: NewIssuer(key, c)}
	access := &Access{Verifier: NewVerifier(Trust(key.Trusted()), c), Rules: probeRules(t)}
	var got context.Context
	method := probev1.ProbeService_Add_FullMethodName
	err := client.Unary(ctx, method, nil, nil, nil, func(ctx context.Context, _ string, _, _ any, _ *grpc.ClientConn, _ ...grpc.CallOption) (err error) {
		md, _ := metadata.FromOutgoingContext(ctx)
		got, err = access.Check(metadata.NewIncomingContext(t.Context(), md), method)
		return err
	})
	return got, err
}

// itemKeys are the keys of a batch's items.
func itemKeys(ctx context.Context, n int) (keys []string) {
	for i := range n {
		keys = append(keys, store.CauseOf(store.WithItem(ctx, strconv.Itoa(i))).Key)
	}
	return keys
}

func TestItemsKeepTheirNumbers(t *testing.T) {
	derived := Derived(store.WithCause(t.Context(), store.Cause{Tenant: "t1"}), "t1", "doc", noon)
	for _, numbers := range [][]int64{{7}, {1, 2, 3}, {250, 252, 253, 254, 260, 262}} {
		ctx, err := arrived(t, NumberItems(derived, numbers), "integration")
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		for _, n := range numbers {
			want = append(want, "/"+strconv.FormatInt(n, 10))
		}
		if got := itemKeys(ctx, len(numbers)+1); !slices.Equal(got, append(want, "/+"+strconv.Itoa(len(numbers)))) {
			t.Errorf("%v: %v", numbers, got)
		}
		if inner := store.CauseOf(store.WithItem(store.WithItem(ctx, "0"), "0")).Key; inner != want[0]+"/0" {
			t.Errorf("an item's own item has the key %s", inner)
		}
		if named := store.CauseOf(store.WithItem(ctx, "stk_1")).Key; named != "/stk_1" {
			t.Errorf("a named item has the key %s", named)
		}
	}
	plain, err := arrived(t, derived, "integration")
	if err != nil || !slices.Equal(itemKeys(plain, 2), []string{"/0", "/1"}) {
		t.Errorf("%v, %v", itemKeys(plain, 2), err)
	}
}

func TestOnlyServicesNumberItems(t *testing.T) {
	ctx := metadata.AppendToOutgoingContext(WithCaller(t.Context(), person()), metaItems, "5:0-1")
	got, err := arrived(t, ctx, Gateway)
	if err != nil || !slices.Equal(itemKeys(got, 2), []string{"/0", "/1"}) {
		t.Errorf("%v, %v", got, err)
	}
}

func TestUnreadableItems(t *testing.T) {
	for _, text := range []string{"5", "x:0", "5:", "5:a", "5:0-", "5:3-1", "5:0-3,3", "5:-1", "5:0-10000", "5:0-9999,10000"} {
		ctx := metadata.AppendToOutgoingContext(store.WithCause(t.Context(), store.Cause{Tenant: "t1"}), metaItems, text)
		if _, err := arrived(t, ctx, "integration"); !fault.IsKind(err, fault.Invalid) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
