package adapter

import (
	"cmp"
	"context"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/bus"
	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	imv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	orderreleasev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	returnsv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/returns/v1"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/app"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// Consumers are the facts that inventory follows: releases and their cancellations, its own
// warehouse orders into stock, and what returns decided. Master data is followed by MasterData.
func Consumers(a *app.App) []bus.Consumer {
	return []bus.Consumer{releases(a), books(a), dispositions(a)}
}

// releases turns releases into warehouse orders. One consumer takes all these facts, so that a
// cancellation or a stop comes after what it takes back.
func releases(a *app.App) bus.Consumer {
	return bus.Routes(bus.Reactor, "release", "order-release",
		bus.On(func(ctx context.Context, _ bus.Fact, m *orderreleasev1.OrderReleased) error {
			f, err := fromReleased(m)
			if err != nil {
				return err
			}
			return a.Create(ctx, f)
		}),
		bus.On(func(ctx context.Context, _ bus.Fact, m *orderreleasev1.CancelRequested) error {
			return a.CancelRelease(ctx, domain.OrderKeys{
				Order: m.GetOrderId(), OrderNumber: m.GetOrderNumber(), Release: m.GetReleaseId(), ReleaseVersion: int(m.GetReleaseVersion()),
			}, m.GetReason())
		}),
		bus.On(func(ctx context.Context, _ bus.Fact, m *orderreleasev1.StopRequested) error {
			return a.StopRelease(ctx, domain.OrderKeys{
				Order: m.GetOrderId(), OrderNumber: m.GetOrderNumber(), Release: m.GetReleaseId(), ReleaseVersion: int(m.GetReleaseVersion()),
			}, "HOLD_"+protovalue.Name(m.GetHold(), "HOLD_TYPE_"))
		}),
		bus.On(func(ctx context.Context, _ bus.Fact, m *orderreleasev1.AmendmentRequested) error {
			f, err := fromAmendment(m)
			if err != nil {
				return err
			}
			return a.AmendRelease(ctx, f)
		}),
	)
}

func fromReleased(m *orderreleasev1.OrderReleased) (domain.OrderCreated, error) {
	f := domain.OrderCreated{
		OrderKeys: domain.OrderKeys{
			Order: m.GetOrderId(), OrderNumber: m.GetOrderNumber(), Release: m.GetReleaseId(), ReleaseVersion: int(m.GetReleaseVersion()),
		},
		Site: m.GetSite(), Owner: cmp.Or(m.GetOwner(), domain.OwnStock), ShipTo: fromAddress(m.GetShipToAddress()),
		Carrier: m.GetCarrierPreference(), Service: m.GetServiceLevel(), Shipped: releasedPolicy(m),
	}
	var err error
	f.Lines, err = protovalue.TryEach(m.GetLines(), func(l *orderreleasev1.ReleaseLine) (domain.OrderLine, error) {
		out := domain.OrderLine{Number: int(l.GetLineNumber()), Item: l.GetItemId(), SKU: l.GetSku()}
		var err error
		if out.Quantity, err = protovalue.StoredQuantity(l.GetQuantity()); err != nil {
			return out, err
		}
		out.Claims, err = protovalue.TryEach(l.GetClaims(), func(c *orderreleasev1.ReleaseClaim) (domain.Claim, error) {
			q, err := quantity.Parse(c.GetQuantity())
			return domain.Claim{Key: c.GetClaimKey(), Quantity: q}, err
		})
		return out, err
	})
	return f, err
}

const shippedPrefix = "SHIPPED_POLICY_"

// releasedPolicy is when a release counts as shipped: of one from before policies were kept, goods issue.
func releasedPolicy(m *orderreleasev1.OrderReleased) string {
	return cmp.Or(protovalue.Name(m.GetShippedPolicy(), shippedPrefix), "GOODS_ISSUE")
}

func shippedPolicy(p string) imv1.ShippedPolicy {
	return imv1.ShippedPolicy(imv1.ShippedPolicy_value[shippedPrefix+p])
}

// books carries what happened to warehouse orders into stock. One consumer takes all of
// it, so that what happened to one order is booked in its order.
func books(a *app.App) bus.Consumer {
	return bus.Routes(bus.Reactor, app.Books, "inventory-movement",
		onReversed(a),
		bus.On(func(ctx context.Context, f bus.Fact, m *imv1.WarehouseOrderCreated) error {
			created, err := fromCreated(m)
			if err != nil {
				return err
			}
			return a.Allocate(ctx, created, f.Recorded)
		}),
		bus.On(func(ctx context.Context, _ bus.Fact, m *imv1.PickConfirmed) error {
			return report(ctx, m, protovalue.FromTime(m.GetEventTime()), a.FollowPick)
		}),
		bus.On(func(ctx context.Context, _ bus.Fact, m *imv1.PickShorted) error {
			damaged := m.GetReason() == imv1.ShortReason_SHORT_REASON_DAMAGED
			return report(ctx, m, protovalue.FromTime(m.GetEventTime()), func(ctx context.Context, r app.Reported) error {
				return a.FollowShort(ctx, r, damaged)
			})
		}),
		bus.On(func(ctx context.Context, _ bus.Fact, m *imv1.GoodsIssued) error {
			return report(ctx, m, protovalue.FromTime(m.GetIssuedTime()), a.FollowIssue)
		}),
		bus.On(func(ctx context.Context, _ bus.Fact, m *imv1.WarehouseOrderCancelled) error {
			return a.FollowCancel(ctx, m.GetKeys().GetWarehouseOrderId())
		}),
		bus.On(func(ctx context.Context, _ bus.Fact, m *imv1.WarehouseOrderStopped) error {
			return a.FollowStop(ctx, m.GetKeys().GetWarehouseOrderId())
		}),
		bus.On(func(ctx context.Context, _ bus.Fact, m *imv1.WarehouseOrderAmended) error {
			f, err := fromAmended(m)
			if err != nil {
				return err
			}
			return a.FollowAmendment(ctx, f)
		}),
		bus.On(func(ctx context.Context, _ bus.Fact, m *imv1.PutBackConfirmed) error {
			return report(ctx, m, protovalue.FromTime(m.GetEventTime()), a.FollowPutBack)
		}),
	)
}

// reported is a fact about quantities of a warehouse order.
type reported interface {
	GetKeys() *imv1.WarehouseOrderKeys
	GetSite() string
	GetOwner() string
	GetLines() []*imv1.WarehouseLineQuantity
}

func report(ctx context.Context, m reported, at time.Time, follow func(context.Context, app.Reported) error) error {
	lines, err := fromPickedLines(m.GetLines())
	if err != nil {
		return err
	}
	return follow(ctx, app.Reported{
		Order: m.GetKeys().GetWarehouseOrderId(), Site: m.GetSite(), Owner: m.GetOwner(), Lines: lines, At: at,
	})
}

// dispositions moves returned goods to where returns decided that they go.
func dispositions(a *app.App) bus.Consumer {
	return bus.Routes(bus.Reactor, "disposition", "returns",
		bus.On(func(ctx context.Context, f bus.Fact, m *returnsv1.ItemsDisposed) error {
			q, err := protovalue.StoredQuantity(m.GetQuantity())
			if err != nil {
				return err
			}
			from := domain.Place{
				Location: m.GetFromLocation(), Lot: m.GetLot(), Expiry: m.GetExpiryDate(),
				Status: cmp.Or(domain.Status(m.GetFromStatus()), domain.Returned),
			}
			to, err := destination(m, from)
			if err != nil {
				return err
			}
			at := protovalue.FromTime(m.GetEventTime())
			if at.IsZero() {
				at = f.Recorded
			}
			return a.Dispose(ctx, app.Disposal{
				Stock: domain.StockKey{
					ID:   app.StockID(f.Tenant, m.GetSite(), m.GetItemId(), m.GetOwner()),
					Site: m.GetSite(), Item: m.GetItemId(), SKU: m.GetSku(), Owner: cmp.Or(m.GetOwner(), domain.OwnStock), Unit: q.Unit,
				},
				RMA: m.GetRmaId(), Disposition: protovalue.Name(m.GetDisposition(), "DISPOSITION_"), From: from, To: to, Quantity: q.Value, At: at,
			})
		}),
	)
}

// destination is where a disposition sends goods. Outside the site they keep the status
// that they had: nothing there can be promised.
func destination(m *returnsv1.ItemsDisposed, from domain.Place) (domain.Place, error) {
	to := from
	if m.GetToLocation() != "" && !domain.Reserved(m.GetToLocation()) {
		to.Location = m.GetToLocation()
	}
	switch m.GetDisposition() {
	case returnsv1.Disposition_DISPOSITION_RESTOCK:
		to.Status = domain.Available
	case returnsv1.Disposition_DISPOSITION_QUARANTINE:
		to.Status = domain.Blocked
	case returnsv1.Disposition_DISPOSITION_SCRAP:
		to.Location = domain.Scrap
	case returnsv1.Disposition_DISPOSITION_BACK_TO_CUSTOMER:
		to.Location = domain.Customer
	case returnsv1.Disposition_DISPOSITION_RETURN_TO_VENDOR:
		to.Location = domain.Supplier
	default:
		return to, fault.New(fault.Invalid, "DISPOSITION_UNKNOWN", "this version does not know the disposition %v", m.GetDisposition())
	}
	return to, nil
}
