package guard

import (
	"context"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/fault/wire"
	"github.com/lockstep-logistics/lockstep/libs/store"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
)

// ItemResults converts the outcomes of a batch's n items for the wire, in the order of
// the request, and marks the answer as replayed when every item is. An internal error of
// one item is the whole call's: it is masked and logged like any other, and the same key
// tries again what is not done yet.
func ItemResults(ctx context.Context, n int, outcome func(i int) (store.Receipt, error)) ([]*commonv1.ItemResult, error) {
	results := make([]*commonv1.ItemResult, n)
	replayed := n > 0
	for i := range results {
		receipt, err := outcome(i)
		if err != nil && fault.KindOf(err) == fault.Internal {
			return nil, err
		}
		replayed = replayed && receipt.Replayed
		receipt.Replayed = false
		if err != nil {
			results[i] = &commonv1.ItemResult{Outcome: &commonv1.ItemResult_Failure{Failure: failure(err)}}
		} else {
			results[i] = &commonv1.ItemResult{Outcome: &commonv1.ItemResult_Receipt{Receipt: Receipt(ctx, receipt)}}
		}
	}
	if replayed {
		markReplayed(ctx)
	}
	return results, nil
}

func failure(err error) *commonv1.Failure {
	f, _ := fault.As(err) // internal errors do not come here
	row := wire.Of(f.Kind)
	out := &commonv1.Failure{Code: int32(row.Code), Reason: f.Reason, Message: f.Message, Retryable: row.Retryable}
	for _, field := range f.Fields {
		out.Fields = append(out.Fields, &commonv1.Reason{Code: field.Reason, Field: field.Path, Message: field.Description})
	}
	return out
}

var itemResultName = (*commonv1.ItemResult)(nil).ProtoReflect().Descriptor().FullName()

// final reports whether an answer may be remembered as it is: that of a batch with a
// failed item may not, because the same key tries the item again.
func final(reply proto.Message) bool {
	ok := true
	reply.ProtoReflect().Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		if !f.IsList() || f.Message() == nil || f.Message().FullName() != itemResultName {
			return true
		}
		for i := range v.List().Len() {
			ok = ok && v.List().Get(i).Message().Interface().(*commonv1.ItemResult).GetFailure() == nil
		}
		return ok
	})
	return ok
}
