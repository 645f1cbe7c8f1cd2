package adapter

import (
	"context"

	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/authority"
	"github.com/lockstep-logistics/lockstep/libs/authority/owners"
	"github.com/lockstep-logistics/lockstep/libs/bus"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	inventorymovementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	orderreleasev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	shipmentvisibilityv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/shipmentvisibility/v1"
	"github.com/lockstep-logistics/lockstep/services/order-release/internal/app"
	"github.com/lockstep-logistics/lockstep/services/order-release/internal/domain"
)

// Ownership is what tenants' ownership policies say of releases: which commands, of those that other
// systems give, make one count as shipped.
type Ownership struct{ owners *owners.Owners }

// NewOwnership reads the service's own copy of the policies.
func NewOwnership(o *owners.Owners) *Ownership { return &Ownership{o} }

// The commands that may ship a release.
const (
	commandIssue    = "PostGoodsIssue"
	commandDispatch = "DispatchShipment"
)

// policyOf reads a policy out of who owns what of a release; "" when it names neither command.
func policyOf(t authority.Table) domain.ShippedPolicy {
	switch issue, dispatch := len(t.Of(commandIssue)) > 0, len(t.Of(commandDispatch)) > 0; {
	case issue && dispatch:
		return domain.ShippedOnBoth
	case issue:
		return domain.ShippedOnIssue
	case dispatch:
		return domain.ShippedOnDispatch
	}
	return ""
}

// Policy implements app.Shipped.
func (o *Ownership) Policy(ctx context.Context) (domain.ShippedPolicy, error) {
	t, err := o.owners.Table(ctx, "RELEASE")
	return policyOf(t), err
}

// dispatched records what left on the shipment of a release.
func dispatched(a *app.App) func(context.Context, bus.Fact, *shipmentvisibilityv1.ShipmentDispatched) error {
	return func(ctx context.Context, f bus.Fact, m *shipmentvisibilityv1.ShipmentDispatched) error {
		if m.GetOrderId() == "" {
			return nil // not one of ours
		}
		left, err := protovalue.TryEach(m.GetLines(), shipped)
		if err != nil {
			return err
		}
		at := protovalue.FromTime(m.GetDispatchedTime())
		if at.IsZero() {
			at = f.Recorded
		}
		return a.Dispatched(ctx, m.GetOrderId(), m.GetShipmentId(), at, left)
	}
}

// issued records a goods issue; one that does not tell when is as old as its fact.
func issued(a *app.App) func(context.Context, bus.Fact, *inventorymovementv1.GoodsIssued) error {
	return func(ctx context.Context, f bus.Fact, m *inventorymovementv1.GoodsIssued) error {
		at := protovalue.FromTime(m.GetIssuedTime())
		if at.IsZero() {
			at = f.Recorded
		}
		if m.GetKeys().GetReleaseId() == "" {
			return nil // not one of ours
		}
		lines, err := byLine(m.GetLines(), "")
		if err != nil {
			return err
		}
		return a.Issued(ctx, m.GetKeys().GetReleaseId(), at, lines)
	}
}

// shipped is a line of a shipment.
func shipped(l *shipmentvisibilityv1.ShipmentLine) (domain.LineQuantity, error) {
	q, err := protovalue.StoredQuantity(l.GetQuantity())
	return domain.LineQuantity{Line: int(l.GetLineNumber()), Quantity: q}, err
}

// shippedMessage is a fact about what left and what counts as shipped, as it is stored and published.
func shippedMessage(f domain.Fact) proto.Message {
	switch f := f.(type) {
	case domain.LinesDispatched:
		return &orderreleasev1.LinesDispatched{
			OrderId: f.Order, OrderNumber: f.Number, ReleaseId: releaseID(f.Order, f.Release), ShipmentId: f.Shipment,
			Lines: protovalue.Each(f.Lines, lineQuantity), DispatchedTime: protovalue.Time(f.At),
		}
	case domain.LinesShipped:
		return &orderreleasev1.LinesShipped{
			OrderId: f.Order, OrderNumber: f.Number, ReleaseId: releaseID(f.Order, f.Release), Policy: shippedPolicy(f.Policy),
			Lines: protovalue.Each(f.Lines, lineQuantity), ShippedTime: protovalue.Time(f.At),
		}
	}
	return nil
}

// readShipped reads the facts about what left and what counts as shipped.
func readShipped(rs protovalue.Readers[domain.Fact]) {
	protovalue.Read(rs, func(m *orderreleasev1.LinesDispatched) (domain.Fact, error) {
		k, n, lines, err := part(m)
		return domain.LinesDispatched{Keys: k, Release: n, Shipment: m.GetShipmentId(), Lines: lines, At: protovalue.FromTime(m.GetDispatchedTime())}, err
	})
	protovalue.Read(rs, func(m *orderreleasev1.LinesShipped) (domain.Fact, error) {
		k, n, lines, err := part(m)
		return domain.LinesShipped{
			Keys: k, Release: n, Policy: fromShippedPolicy(m.GetPolicy()), Lines: lines, At: protovalue.FromTime(m.GetShippedTime()),
		}, err
	})
}

func shippedPolicy(p domain.ShippedPolicy) orderreleasev1.ShippedPolicy {
	return orderreleasev1.ShippedPolicy(orderreleasev1.ShippedPolicy_value["SHIPPED_POLICY_"+string(p)])
}

func fromShippedPolicy(p orderreleasev1.ShippedPolicy) domain.ShippedPolicy {
	return domain.ShippedPolicy(protovalue.Name(p, "SHIPPED_POLICY_"))
}

func shippedSource(s domain.ShippedSource) orderreleasev1.ShippedPolicySource {
	return orderreleasev1.ShippedPolicySource(orderreleasev1.ShippedPolicySource_value["SHIPPED_POLICY_SOURCE_"+string(s)])
}

func fromShippedRule(m *orderreleasev1.OrderReleased) domain.ShippedRule {
	return domain.ShippedRule{
		Policy: fromShippedPolicy(m.GetShippedPolicy()), Channel: m.GetShippedPolicyChannel(),
		Source: domain.ShippedSource(protovalue.Name(m.GetShippedPolicySource(), "SHIPPED_POLICY_SOURCE_")),
	}
}

func shippedStatus(s domain.ShippedStatus) orderreleasev1.ShippedStatus {
	return orderreleasev1.ShippedStatus(orderreleasev1.ShippedStatus_value["SHIPPED_STATUS_"+string(s)])
}

// shipping is why a release counts as shipped or not; nil while no warehouse has it.
func shipping(o domain.Order, r domain.Release) *orderreleasev1.ReleaseShipping {
	if r.Sent.IsZero() {
		return nil
	}
	status, since := r.Shipped()
	return &orderreleasev1.ReleaseShipping{
		ReleaseId: releaseID(o.ID, r.Number), Policy: shippedPolicy(r.Shipping.Policy), PolicySource: shippedSource(r.Shipping.Source),
		Channel: r.Shipping.Channel, Status: shippedStatus(status), ShippedTime: protovalue.Time(since),
		GoodsIssueTime: protovalue.Time(r.Shipping.Issued), DispatchTime: protovalue.Time(r.Shipping.Left), Explanation: r.ExplainShipped(),
	}
}

// shippings are those of the releases that warehouses have or had.
func shippings(o domain.Order) (all []*orderreleasev1.ReleaseShipping) {
	for _, r := range o.Releases {
		if s := shipping(o, r); s != nil {
			all = append(all, s)
		}
	}
	return all
}
