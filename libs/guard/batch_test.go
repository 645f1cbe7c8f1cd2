package guard

import (
	"context"
	"errors"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/store"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	mdv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
)

func TestItemResults(t *testing.T) {
	bad := fault.New(fault.Invalid, "UNIT_UNKNOWN", "no unit").WithField("base_unit", "UNIT_UNKNOWN", "x")
	results, err := ItemResults(context.Background(), 2, func(i int) (store.Receipt, error) {
		if i == 0 {
			return store.Receipt{ID: "itm_1", ETag: "1", Replayed: true}, nil
		}
		return store.Receipt{}, bad
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []*commonv1.ItemResult{
		{Outcome: &commonv1.ItemResult_Receipt{Receipt: &commonv1.Receipt{Id: "itm_1", Etag: "1"}}},
		{Outcome: &commonv1.ItemResult_Failure{Failure: &commonv1.Failure{
			Code: int32(codes.InvalidArgument), Reason: "UNIT_UNKNOWN", Message: "no unit",
			Fields: []*commonv1.Reason{{Code: "UNIT_UNKNOWN", Field: "base_unit", Message: "x"}},
		}}},
	}
	for i := range want {
		if !proto.Equal(results[i], want[i]) {
			t.Errorf("item %d: %v", i, results[i])
		}
	}
	broken := errors.New("disk")
	if _, err := ItemResults(context.Background(), 1, func(int) (store.Receipt, error) { return store.Receipt{}, broken }); !errors.Is(err, broken) {
		t.Errorf("an internal error became %v", err)
	}
}

func TestOnlyFinalAnswersAreRemembered(t *testing.T) {
	done := &commonv1.ItemResult{Outcome: &commonv1.ItemResult_Receipt{Receipt: &commonv1.Receipt{}}}
	failed := &commonv1.ItemResult{Outcome: &commonv1.ItemResult_Failure{Failure: &commonv1.Failure{}}}
	for name, c := range map[string]struct {
		reply proto.Message
		final bool
	}{
		"one command":      {&mdv1.PutItemResponse{Receipt: &commonv1.Receipt{}}, true},
		"all done":         {&mdv1.BatchPutItemsResponse{Results: []*commonv1.ItemResult{done, done}}, true},
		"one to try again": {&mdv1.BatchPutItemsResponse{Results: []*commonv1.ItemResult{done, failed, done}}, false},
	} {
		if _, ok := remember(c.reply, nil); ok != c.final {
			t.Errorf("%s: remembered %v", name, ok)
		}
	}
}
