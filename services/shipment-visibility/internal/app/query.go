package app

import (
	"context"
	"slices"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/store"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	"github.com/lockstep-logistics/lockstep/services/shipment-visibility/internal/domain"
)

// scope is what of the tenant's shipments a caller may see: everything, or those of its carriers.
type scope struct {
	limited  bool
	carriers []string
	see      func(domain.Shipment) bool
}

var everything = scope{see: func(domain.Shipment) bool { return true }}

// scope returns the caller's scope: staff and services see everything, a partner the
// shipments that were offered to a carrier that it is, or that such a carrier took.
func (a *App) scope(ctx context.Context) (scope, error) {
	caller, _ := guard.CallerOf(ctx)
	staff := caller.Service != "" || slices.ContainsFunc(caller.Roles, func(r commonv1.Role) bool { return r != commonv1.Role_ROLE_PARTNER })
	if caller.Party == "" && staff {
		return everything, nil
	}
	own := scope{limited: true}
	if caller.Party != "" {
		var err error
		if own.carriers, err = a.Carriers.OfParty(ctx, caller.Party); err != nil {
			return scope{}, err
		}
	}
	own.see = func(s domain.Shipment) bool { return own.any(CarriersOf(s)) }
	return own, nil
}

func (sc scope) any(codes []string) bool {
	return slices.ContainsFunc(codes, func(c string) bool { return slices.Contains(sc.carriers, c) })
}

// offered narrows a limited scope to shipments that were offered to the carrier.
func (sc scope) offered(carrier string) scope {
	if !sc.limited {
		return sc
	}
	sc.see = func(s domain.Shipment) bool {
		return slices.Contains(sc.carriers, carrier) && slices.ContainsFunc(s.Tenders, func(t domain.Tender) bool { return t.Carrier == carrier })
	}
	return sc
}

// carried narrows a limited scope to shipments that its carriers are booked for or took.
func (sc scope) carried() scope {
	if !sc.limited {
		return sc
	}
	sc.see = func(s domain.Shipment) bool {
		took, _ := s.Dispatched()
		t, _ := s.Tender()
		return sc.any([]string{took.Carrier}) || t.State == domain.TenderAccepted && sc.any([]string{t.Carrier})
	}
	return sc
}

// redact takes other carriers' offers out of what a partner is shown.
func (sc scope) redact(s domain.Shipment) domain.Shipment {
	if sc.limited {
		s.Tenders = slices.DeleteFunc(slices.Clone(s.Tenders), func(t domain.Tender) bool { return !sc.any([]string{t.Carrier}) })
		s.Preference, s.Service = "", ""
	}
	return s
}

// CarriersOf are the carriers that a shipment was offered to or that took it.
func CarriersOf(s domain.Shipment) []string {
	var codes []string
	add := func(code string) {
		if code != "" && !slices.Contains(codes, code) {
			codes = append(codes, code)
		}
	}
	for _, t := range s.Tenders {
		add(t.Carrier)
	}
	for _, d := range s.Departures {
		add(d.Carrier)
	}
	return codes
}

// Get returns one shipment; another tenant's or another carrier's is as unknown.
func (a *App) Get(ctx context.Context, id string) (store.View[domain.Shipment], error) {
	may, err := a.scope(ctx)
	if err != nil {
		return store.View[domain.Shipment]{}, err
	}
	v, err := a.Shipments.Get(ctx, id)
	if fault.IsKind(err, fault.NotFound) || err == nil && !may.see(v.State) {
		return store.View[domain.Shipment]{}, notFound(id)
	}
	v.State = may.redact(v.State)
	return v, err
}

// List pages the shipments that the caller may see. A partner's list is by carrier unless it
// asks by another key, of which it then sees its part.
func (a *App) List(ctx context.Context, q store.Query) (store.Page[domain.Shipment], error) {
	may, err := a.scope(ctx)
	if err != nil {
		return store.Page[domain.Shipment]{}, err
	}
	if may.limited && q.Index == "" {
		switch len(may.carriers) {
		case 0:
			return store.Page[domain.Shipment]{}, nil
		case 1:
			q.Index, q.Key = IndexCarrier, may.carriers[0]
		default:
			return store.Page[domain.Shipment]{}, fault.New(fault.Invalid, "CARRIER_REQUIRED", "name one of your carriers: %v", may.carriers).
				WithField("carrier", "CARRIER_REQUIRED", "one of %v", may.carriers)
		}
	}
	page, err := a.Shipments.List(ctx, q)
	seen := page.Items[:0]
	for _, v := range page.Items {
		if may.see(v.State) {
			v.State = may.redact(v.State)
			seen = append(seen, v)
		}
	}
	page.Items = seen
	return page, err
}
