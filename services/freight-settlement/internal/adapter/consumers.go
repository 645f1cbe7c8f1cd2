package adapter

import (
	"context"

	"github.com/lockstep-logistics/lockstep/libs/bus"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	freightsettlementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/freightsettlement/v1"
	shipmentvisibilityv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/shipmentvisibility/v1"
	"github.com/lockstep-logistics/lockstep/services/freight-settlement/internal/app"
	"github.com/lockstep-logistics/lockstep/services/freight-settlement/internal/domain"
)

const self = "freight-settlement"

// Consumers are the facts that freight follows: those of shipments, which make and change
// what is expected, and its own, which drive matches on.
func Consumers(a *app.App) []bus.Consumer {
	return []bus.Consumer{shipments(a), matches(a), givesBack(a), settles(a), rates(a), wakes(a)}
}

// shipments turns what happens to a shipment into what it costs.
func shipments(a *app.App) bus.Consumer {
	return bus.Routes(bus.Reactor, "shipment", "shipment-visibility",
		bus.On(func(ctx context.Context, f bus.Fact, m *shipmentvisibilityv1.TenderAccepted) error {
			s := shipped(m)
			s.At = f.Recorded // the ship date is not known yet
			return a.Estimate(ctx, shipmentKeys(m), s, revision(f))
		}),
		bus.On(func(ctx context.Context, f bus.Fact, m *shipmentvisibilityv1.ShipmentDispatched) error {
			lines, err := shipmentLines(m.GetLines())
			if err != nil {
				return err
			}
			s := shipped(m)
			if s.At = protovalue.FromTime(m.GetDispatchedTime()); s.At.IsZero() {
				s.At = f.Recorded
			}
			return a.Accrue(ctx, domain.FreightAccrued{
				Keys: shipmentKeys(m), Basis: s, Lines: lines, At: s.At, Revision: revision(f),
				Refs: refs(m),
			})
		}),
		bus.On(func(ctx context.Context, f bus.Fact, m *shipmentvisibilityv1.DispatchReported) error {
			return a.Refer(ctx, m.GetShipmentId(), domain.Reported{Refs: refs(m), Carrier: m.GetCarrier(), Revision: revision(f)})
		}),
		bus.On(func(ctx context.Context, _ bus.Fact, m *shipmentvisibilityv1.ShipmentDelivered) error {
			return a.Finalise(ctx, shipmentKeys(m), weight(m))
		}),
		bus.On(func(ctx context.Context, f bus.Fact, m *shipmentvisibilityv1.ShipmentCancelled) error {
			return a.Reverse(ctx, m.GetShipmentId(), m.GetReason(), m.GetCarrier() != "", revision(f))
		}),
	)
}

func revision(f bus.Fact) int64 { return int64(f.Revision()) }

func shipmentKeys(m interface {
	GetShipmentId() string
	GetOrderId() string
	GetOrderNumber() string
},
) domain.Keys {
	return domain.Keys{Shipment: m.GetShipmentId(), Order: m.GetOrderId(), OrderNumber: m.GetOrderNumber()}
}

type weighed interface {
	GetGrossWeightGrams() int64
	GetLines() []*shipmentvisibilityv1.ShipmentLine
}

// weight is the gross weight, that of the lines where nobody weighed the whole.
func weight(m weighed) int64 {
	if w := m.GetGrossWeightGrams(); w > 0 {
		return w
	}
	var sum int64
	for _, l := range m.GetLines() {
		sum += l.GetWeightGrams()
	}
	return sum
}

func shipped(m interface {
	weighed
	GetCarrier() string
	GetCarrierService() string
	GetSite() string
	GetShipTo() *commonv1.Address
},
) domain.Shipment {
	to := m.GetShipTo()
	return domain.Shipment{
		Carrier: m.GetCarrier(), Service: m.GetCarrierService(), Site: m.GetSite(), Place: to.GetCity(), Country: to.GetCountry(),
		Region: to.GetRegion(), PostalCode: to.GetPostalCode(), WeightGrams: weight(m),
	}
}

func shipmentLines(lines []*shipmentvisibilityv1.ShipmentLine) ([]domain.Line, error) {
	return protovalue.TryEach(lines, func(l *shipmentvisibilityv1.ShipmentLine) (domain.Line, error) {
		q, err := protovalue.StoredQuantity(l.GetQuantity())
		return domain.Line{Number: int(l.GetLineNumber()), SKU: l.GetSku(), Quantity: q.Value, Weight: l.GetWeightGrams()}, err
	})
}

// matches drives each attempt that was begun, until it is decided.
func matches(a *app.App) bus.Consumer {
	return bus.Routes(bus.Reactor, "match", self,
		bus.On(func(ctx context.Context, _ bus.Fact, m *freightsettlementv1.MatchRequested) error {
			return a.Match(ctx, m.GetInvoiceId(), int(m.GetAttempt()))
		}),
	)
}

// givesBack closes the claims of an attempt that led to nothing.
func givesBack(a *app.App) bus.Consumer {
	return bus.Routes(bus.Reactor, "give-back", self,
		bus.On(func(ctx context.Context, f bus.Fact, m *freightsettlementv1.MatchDecided) error {
			if err := a.Free(ctx, m.GetInvoiceId(), int(m.GetAttempt()), m.GetFreedFreightIds(), f.Recorded); err != nil {
				return err
			}
			return a.JudgeAgain(ctx, m.GetInvoiceId(), int(m.GetAttempt()))
		}),
		bus.On(func(ctx context.Context, f bus.Fact, m *freightsettlementv1.FreightInvoiceCredited) error {
			if err := a.Free(ctx, m.GetInvoiceId(), int(m.GetAttempt()), m.GetFreedFreightIds(), f.Recorded); err != nil {
				return err
			}
			return a.Rejudge(ctx, m.GetInvoiceId(), m.GetFreedFreightIds(), f.Recorded)
		}),
	)
}

// settles pays the charges of approved invoices.
func settles(a *app.App) bus.Consumer {
	return bus.Routes(bus.Reactor, "settle", self,
		bus.On(func(ctx context.Context, f bus.Fact, m *freightsettlementv1.FreightInvoiceApproved) error {
			return a.Settle(ctx, m.GetInvoiceId(), int(m.GetAttempt()), protovalue.Each(m.GetLines(), fromInvoiceLine), f.Recorded)
		}),
	)
}

// rates rates what no card covered, when one is published or was in the meantime.
func rates(a *app.App) bus.Consumer {
	unrated := func(ctx context.Context, id string, r *freightsettlementv1.Rating) error {
		if r.GetRateCardVersion() > 0 {
			return nil
		}
		return a.Rerate(ctx, id)
	}
	return bus.Routes(bus.Reactor, "rate", self,
		bus.On(func(ctx context.Context, f bus.Fact, m *freightsettlementv1.RateCardPublished) error {
			return a.RateWaiting(ctx, m.GetCard().GetCarrier(), f.Recorded)
		}),
		bus.On(func(ctx context.Context, _ bus.Fact, m *freightsettlementv1.FreightEstimated) error {
			return unrated(ctx, m.GetFreightId(), m.GetRating())
		}),
		bus.On(func(ctx context.Context, _ bus.Fact, m *freightsettlementv1.FreightAccrued) error {
			return unrated(ctx, m.GetFreightId(), m.GetRating())
		}),
		bus.On(func(ctx context.Context, _ bus.Fact, m *freightsettlementv1.FreightFinalised) error {
			return unrated(ctx, m.GetFreightId(), m.GetRating())
		}),
	)
}

// wakes looks again at invoices that wait for a shipment which is there now, or known by
// another number.
func wakes(a *app.App) bus.Consumer {
	return bus.Routes(bus.Reactor, "wake", self,
		bus.On(func(ctx context.Context, _ bus.Fact, m *freightsettlementv1.FreightAccrued) error {
			return a.MatchWaiting(ctx, m.GetFreightId())
		}),
		bus.On(func(ctx context.Context, _ bus.Fact, m *freightsettlementv1.FreightReferenced) error {
			return a.MatchWaiting(ctx, m.GetFreightId())
		}),
	)
}
