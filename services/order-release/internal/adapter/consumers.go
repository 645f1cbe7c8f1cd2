package adapter

import (
	"context"

	"github.com/lockstep-logistics/lockstep/libs/bus"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	orderreleasev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	shipmentvisibilityv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/shipmentvisibility/v1"
	"github.com/lockstep-logistics/lockstep/services/order-release/internal/app"
	"github.com/lockstep-logistics/lockstep/services/order-release/internal/domain"
)

// Consumers are the facts that orders follow: their own, which drive promises on, and those
// of inventory and shipments. Master data is followed by MasterData.
func Consumers(a *app.App) []bus.Consumer {
	return []bus.Consumer{promises(a), givesBack(a), continues(a), awaits(a), warehouse(a), stock(a), delivery(a)}
}

// promises drives each attempt that somebody asked for, until it is decided.
func promises(a *app.App) bus.Consumer {
	return bus.Routes(bus.Reactor, "promise", "order-release",
		bus.On(func(ctx context.Context, _ bus.Fact, m *orderreleasev1.PromiseRequested) error {
			claims, err := protovalue.TryEach(m.GetClaims(), fromClaim)
			if err != nil {
				return err
			}
			return a.Drive(ctx, app.Intent{
				Order: m.GetOrderId(), Attempt: int(m.GetAttempt()), Requested: protovalue.FromTime(m.GetRequestedTime()),
				Partial: m.GetAllowPartial(), Claims: claims,
			})
		}),
	)
}

// givesBack closes the claims that a fact leaves behind.
func givesBack(a *app.App) bus.Consumer {
	back := func(ctx context.Context, refs []*orderreleasev1.ClaimRef) error {
		if len(refs) == 0 {
			return nil
		}
		return a.GiveBack(ctx, protovalue.Each(refs, fromClaimRef))
	}
	return bus.Routes(bus.Reactor, "give-back", "order-release",
		bus.On(func(ctx context.Context, _ bus.Fact, m *orderreleasev1.LinesPromised) error {
			return back(ctx, m.GetGiveBack())
		}),
		bus.On(func(ctx context.Context, _ bus.Fact, m *orderreleasev1.PromiseRefused) error {
			return back(ctx, m.GetGiveBack())
		}),
		bus.On(func(ctx context.Context, _ bus.Fact, m *orderreleasev1.PromiseClosed) error {
			return back(ctx, m.GetGiveBack())
		}),
		bus.On(func(ctx context.Context, _ bus.Fact, m *orderreleasev1.RemainderCancelled) error {
			return back(ctx, m.GetGiveBack())
		}),
	)
}

// continues takes the next step of automatic orders that are too large for one commit, and the
// first one of those whose sites are still to be chosen.
func continues(a *app.App) bus.Consumer {
	after := func(ctx context.Context, id string, lines int) error {
		if lines <= domain.Inline {
			return nil
		}
		return a.Continue(ctx, id)
	}
	return bus.Routes(bus.Reactor, "continue", "order-release",
		bus.On(func(ctx context.Context, _ bus.Fact, m *orderreleasev1.OrderSourced) error {
			return a.Source(ctx, m.GetOrderId())
		}),
		bus.On(func(ctx context.Context, _ bus.Fact, m *orderreleasev1.OrderValidated) error {
			return after(ctx, m.GetOrderId(), int(m.GetLineCount()))
		}),
		bus.On(func(ctx context.Context, _ bus.Fact, m *orderreleasev1.LinesPromised) error {
			return after(ctx, m.GetOrderId(), len(m.GetLines())+len(m.GetMissing()))
		}),
		bus.On(func(ctx context.Context, _ bus.Fact, m *orderreleasev1.PromiseRefused) error {
			return after(ctx, m.GetOrderId(), len(m.GetMissing()))
		}),
	)
}

// awaits looks for what an order has just begun to wait for, stock, a supply or an open channel,
// lets inventory promise no more of what comes than is waited for, and lets
// those go that wait for a channel when that changes.
func awaits(a *app.App) bus.Consumer {
	return bus.Routes(bus.Reactor, "await", "order-release",
		bus.On(func(ctx context.Context, _ bus.Fact, m *orderreleasev1.ReleaseBackordered) error {
			if err := a.Await(ctx, m.GetOrderId()); err != nil {
				return err
			}
			return a.Date(ctx, m.GetOrderId()) // behind the look: it is listed then, and whoever announces something later finds it
		}),
		bus.On(func(ctx context.Context, _ bus.Fact, m *orderreleasev1.RemainderCancelled) error {
			return a.Date(ctx, m.GetOrderId())
		}),
		bus.On(func(ctx context.Context, _ bus.Fact, m *orderreleasev1.ReleaseDeferred) error {
			return a.AwaitChannel(ctx, m.GetOrderId())
		}),
		bus.On(func(ctx context.Context, _ bus.Fact, m *orderreleasev1.ReleaseChannelDefined) error {
			return a.ChannelChanged(ctx, m.GetChannel().GetCode())
		}),
		bus.On(func(ctx context.Context, _ bus.Fact, m *orderreleasev1.ReleaseChannelClosed) error {
			return a.ChannelChanged(ctx, m.GetCode())
		}),
		bus.On(func(ctx context.Context, _ bus.Fact, m *orderreleasev1.ReleaseChannelOpened) error {
			return a.ChannelChanged(ctx, m.GetCode())
		}),
	)
}

// delivery records what left on shipments and what they brought to the customer; a proof of delivery
// has the last word.
func delivery(a *app.App) bus.Consumer {
	delivered := func(ctx context.Context, release, shipment string, lines []*shipmentvisibilityv1.ShipmentLine) error {
		if release == "" {
			return nil // not one of ours
		}
		got, err := protovalue.TryEach(lines, shipped)
		if err != nil {
			return err
		}
		return a.Delivered(ctx, release, shipment, got)
	}
	return bus.Routes(bus.Reactor, "delivery", "shipment-visibility",
		bus.On(dispatched(a)),
		bus.On(func(ctx context.Context, _ bus.Fact, m *shipmentvisibilityv1.ShipmentDelivered) error {
			return delivered(ctx, m.GetReleaseId(), m.GetShipmentId(), m.GetLines())
		}),
		bus.On(func(ctx context.Context, _ bus.Fact, m *shipmentvisibilityv1.ProofOfDeliveryRecorded) error {
			return delivered(ctx, m.GetReleaseId(), m.GetShipmentId(), m.GetLines())
		}),
	)
}
