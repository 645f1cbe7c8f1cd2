package adapter

import (
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	"github.com/lockstep-logistics/lockstep/libs/store"
	orderreleasev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	"github.com/lockstep-logistics/lockstep/services/order-release/internal/domain"
)

// order is an order as the API shows it.
func order(v store.View[domain.Order]) *orderreleasev1.Order {
	o := v.State
	out := &orderreleasev1.Order{
		OrderId: v.ID, Etag: v.ETag, State: orderState(o.State()), Revision: int32(o.Revision), Document: document(o.Header),
		Reasons: protovalue.Each(o.Flaws(), reason), Promise: promise(o.Attempt), Sourcing: orderSourcing(o), DeliveryStatus: deliveryStatus(o.Delivery()),
		ShippedStatus: shippedStatus(o.Shipped()), CreateTime: protovalue.Time(v.Created), UpdateTime: protovalue.Time(v.Updated),
		Observations: protovalue.Each(o.Heard, protovalue.ForeignWord),
	}
	parts := o.AtSites()
	for i, q := range o.Quantities() {
		l := o.Lines[i]
		supplies, at := o.Supplies(i)
		out.Lines = append(out.Lines, &orderreleasev1.OrderLineStatus{
			Line: orderLine(l), Resolved: resolvedLine(l), Quantities: quantities(q), DeliveryStatus: deliveryStatus(q.Delivery()), Sites: lineAtSites(parts, l.Number),
			PromisedDate: protovalue.Time(at), Supplies: protovalue.Each(supplies, expectedSupply),
		})
	}
	for _, h := range o.Holds {
		out.Holds = append(out.Holds, &orderreleasev1.Hold{
			Type: holdType(h.Type), Note: h.Note, PlacedBy: h.By, PlacedTime: protovalue.Time(h.At),
		})
	}
	for _, r := range o.Releases {
		out.Releases = append(out.Releases, release(o, r))
	}
	return out
}

func quantities(q domain.Quantities) *orderreleasev1.LineQuantities {
	return &orderreleasev1.LineQuantities{
		Ordered: q.Ordered.String(), Open: q.Open.String(), Promised: q.Promised.String(), Backordered: q.Backordered.String(),
		Released: q.Released.String(), Allocated: q.Allocated.String(), Picked: q.Picked.String(), Packed: q.Packed.String(),
		Short: q.Short.String(), Issued: q.Issued.String(), Delivered: q.Delivered.String(), Cancelled: q.Cancelled.String(),
		Dispatched: q.Dispatched.String(), Shipped: q.Shipped.String(),
	}
}

func promise(a domain.Attempt) *orderreleasev1.Promise {
	if a.Number == 0 {
		return nil
	}
	out := &orderreleasev1.Promise{Attempt: int32(a.Number), State: promiseState(a.State)}
	open := a.State == domain.AttemptOpen
	if open {
		out.DueTime = protovalue.Time(a.Due)
	}
	for _, l := range a.Requests() {
		line := &orderreleasev1.PromiseLine{LineNumber: int32(l.Line), Requested: l.Requested.String()}
		if !open {
			line.Promised = l.Promised.String()
		}
		out.Lines = append(out.Lines, line)
	}
	return out
}

func release(o domain.Order, r domain.Release) *orderreleasev1.Release {
	out := &orderreleasev1.Release{
		ReleaseId: releaseID(o.ID, r.Number), ReleaseVersion: int32(r.Current()), ParentReleaseId: releaseID(o.ID, r.Parent),
		Site: r.Site, State: releaseState(r.State()), WarehouseOrderId: r.WarehouseOrder,
		ReleasedTime: protovalue.Time(r.Sent), CancelRefusedReason: r.CancelRefused,
		StopRequested: r.StopAsked, StopRefusedReason: r.StopRefused, Amendment: amendment(r.Amendment),
	}
	for _, l := range r.Lines {
		var promised quantity.Decimal
		if r.Sent.IsZero() {
			promised = quantity.Min(o.PromisedAt(l.Line, r.Site), l.Quantity)
		}
		out.Lines = append(out.Lines, &orderreleasev1.ReleaseLineStatus{
			LineNumber: int32(l.Line), Quantity: l.Quantity.String(), Promised: promised.String(), Allocated: l.Allocated.String(),
			Picked: l.Picked.String(), Packed: l.Packed.String(), Short: l.Short.String(), Issued: l.Issued.String(),
			Delivered: l.Delivered.String(), Cancelled: l.Cancelled.String(), Withdrawn: l.Withdrawn.String(), PutBack: l.PutBack.String(),
			Dispatched: l.Dispatched.String(), Shipped: r.Counts(l).String(),
		})
	}
	out.Shipping = shipping(o, r)
	return out
}

func summary(v store.View[domain.Order]) *orderreleasev1.OrderSummary {
	o := v.State
	return &orderreleasev1.OrderSummary{
		OrderId: v.ID, Etag: v.ETag, State: orderState(o.State()), SourceSystem: o.Header.Source, OrderNumber: o.Header.Number,
		PurchaseOrder: o.Header.PO, SoldTo: o.Header.SoldTo.Code, LineCount: int32(len(o.Lines)),
		Holds:        protovalue.Each(o.Holds, func(h domain.Hold) orderreleasev1.HoldType { return holdType(h.Type) }),
		PromisedTime: protovalue.Time(o.Header.Promised), Value: amount(o.Header.Value), CreateTime: protovalue.Time(v.Created),
		ShippedStatus: shippedStatus(o.Shipped()),
	}
}

// historyEntry is one version with its facts as people read them.
func historyEntry(c store.Commit[domain.Fact]) (*orderreleasev1.HistoryEntry, error) {
	out := &orderreleasev1.HistoryEntry{
		Version: int64(c.Version), RecordedTime: protovalue.Time(c.Recorded), Principal: c.Principal,
		CausationId: c.Cause.Causation, Source: guard.SourceProto(c.Cause.Source),
	}
	for _, f := range c.Facts {
		m := message(f)
		text, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(m)
		if err != nil {
			return nil, err
		}
		data := &structpb.Struct{}
		if err := protojson.Unmarshal(text, data); err != nil {
			return nil, err
		}
		out.Facts = append(out.Facts, &orderreleasev1.HistoryFact{Type: string(m.ProtoReflect().Descriptor().FullName()), Data: data})
	}
	return out, nil
}
