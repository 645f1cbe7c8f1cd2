// Package protovalue converts the exact value types and receipts to and from the
// messages of lockstep.common.v1, alike in every service.
package protovalue

import (
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	"github.com/lockstep-logistics/lockstep/libs/store"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
)

// Time returns t as a message, nil for the zero time: absent rather than zero.
func Time(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

// FromTime returns the time of a message in UTC with the stored precision of a
// microsecond, the zero time for nil.
func FromTime(t *timestamppb.Timestamp) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.AsTime().UTC().Truncate(time.Microsecond)
}

// Quantity returns q as a message, nil when it has no unit.
func Quantity(q quantity.Quantity) *commonv1.Quantity {
	if q.Unit == "" {
		return nil
	}
	return &commonv1.Quantity{Value: q.Value.String(), Unit: q.Unit}
}

// FromQuantity parses a message; fault.Invalid naming field when it is no exact decimal.
func FromQuantity(m *commonv1.Quantity, field string) (quantity.Quantity, error) {
	if m == nil {
		return quantity.Quantity{}, nil
	}
	q, err := quantity.New(m.GetValue(), m.GetUnit())
	if err != nil {
		return q, fault.New(fault.Invalid, "INVALID_REQUEST", "%s is no quantity", field).
			WithField(field, "QUANTITY_MALFORMED", "%v", err).Wrap(err)
	}
	return q, nil
}

// StoredQuantity parses the quantity of a stored fact, which was exact when it was written.
func StoredQuantity(m *commonv1.Quantity) (quantity.Quantity, error) {
	return FromQuantity(m, "quantity")
}

// Receipt returns r as a message.
func Receipt(r store.Receipt) *commonv1.Receipt {
	out := &commonv1.Receipt{Id: r.ID, Etag: r.ETag, State: r.State, CreatedIds: r.Created, Values: r.Values}
	for _, x := range r.Reasons {
		out.Reasons = append(out.Reasons, &commonv1.Reason{Code: x.Code, Field: x.Field, Message: x.Message})
	}
	return out
}
