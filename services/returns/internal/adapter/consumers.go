package adapter

import (
	"context"
	"strings"

	"github.com/lockstep-logistics/lockstep/libs/bus"
	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	inventorymovementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	orderreleasev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	returnsv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/returns/v1"
	"github.com/lockstep-logistics/lockstep/services/returns/internal/app"
	"github.com/lockstep-logistics/lockstep/services/returns/internal/domain"
)

// Consumers are the facts that returns follow: their own, which drive claims on and give
// them back, what order release issued, and what inventory received.
func Consumers(a *app.App) []bus.Consumer {
	return []bus.Consumer{claims(a), givesBack(a), issues(a), receipts(a)}
}

// claims drives the claim of each return that somebody asked for.
func claims(a *app.App) bus.Consumer {
	return bus.Routes(bus.Reactor, "claim", "returns",
		bus.On(func(ctx context.Context, _ bus.Fact, m *returnsv1.ReturnRequested) error {
			return a.Drive(ctx, m.GetRmaId())
		}),
	)
}

// givesBack gives back what a return holds and does not need any more.
func givesBack(a *app.App) bus.Consumer {
	return bus.Routes(bus.Reactor, "give-back", "returns",
		bus.On(func(ctx context.Context, _ bus.Fact, m *returnsv1.ReturnDenied) error {
			return a.GiveBack(ctx, m.GetReturnableId(), m.GetClaimKey(), m.GetRmaId(), nil)
		}),
		bus.On(func(ctx context.Context, _ bus.Fact, m *returnsv1.ReturnCancelled) error {
			return a.GiveBack(ctx, m.GetReturnableId(), m.GetClaimKey(), m.GetRmaId(), nil)
		}),
		bus.On(func(ctx context.Context, _ bus.Fact, m *returnsv1.ReturnCompleted) error {
			if !m.GetShort() {
				return nil
			}
			kept, err := protovalue.TryEach(m.GetKept(), fromClaimedLine)
			if err != nil {
				return err
			}
			return a.GiveBack(ctx, m.GetReturnableId(), m.GetClaimKey(), m.GetRmaId(), kept)
		}),
	)
}

// issues records what left the warehouse, and can be returned from then on.
func issues(a *app.App) bus.Consumer {
	return bus.Routes(bus.Reactor, "issue", "order-release",
		onReversed(a),
		bus.On(func(ctx context.Context, f bus.Fact, m *orderreleasev1.LinesIssued) error {
			lines, err := protovalue.TryEach(m.GetLines(), func(l *orderreleasev1.LineQuantity) (app.Issued, error) {
				q, err := protovalue.StoredQuantity(l.GetQuantity())
				return app.Issued{Line: int(l.GetLineNumber()), Quantity: q}, err
			})
			if err != nil {
				return err
			}
			return a.Issue(ctx, m.GetOrderId(), m.GetReleaseId(), lines, f.Recorded)
		}),
	)
}

// receipts records goods that arrived at a warehouse.
func receipts(a *app.App) bus.Consumer {
	return bus.Routes(bus.Reactor, "receipt", "inventory-movement",
		bus.On(func(ctx context.Context, _ bus.Fact, m *inventorymovementv1.ReturnReceived) error {
			if !strings.HasPrefix(m.GetRmaId(), "rma_") || !ident.Valid(m.GetRmaId()) {
				return fault.New(fault.Invalid, "RMA_ID_MALFORMED", "%q is no id of a return", m.GetRmaId())
			}
			q, err := protovalue.StoredQuantity(m.GetQuantity())
			if err != nil {
				return err
			}
			return a.Receive(ctx, domain.ReceiptRecorded{
				Keys: domain.Keys{ID: m.GetRmaId()}, Named: int(m.GetRmaLineNumber()), Quantity: q, At: protovalue.FromTime(m.GetEventTime()),
				Stand: domain.Stand{
					Stock: m.GetStock().GetStockId(), Site: m.GetStock().GetSite(), Item: m.GetStock().GetItemId(), SKU: m.GetStock().GetSku(),
					Owner: m.GetStock().GetOwner(), Location: m.GetPlace().GetLocation(), Lot: m.GetPlace().GetLot(),
					Expiry: m.GetPlace().GetExpiryDate(), Status: protovalue.Name(m.GetPlace().GetStatus(), "STOCK_STATUS_"),
				},
			})
		}),
	)
}
