package app

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/order-release/internal/domain"
)

// Loads is where it is kept what of channels' windows is taken.
type Loads = store.Aggregates[domain.Load, domain.LoadFact]

// LoadID derives the id of the load of a channel's window.
func LoadID(tenant, code string, opens time.Time) string {
	return ident.Derive("rcl", tenant, code, opens.UTC().Format(time.RFC3339))
}

// Load returns what is taken in a window; nothing yet when nobody asked.
func (a *App) Load(ctx context.Context, s domain.Slot) (domain.Load, error) {
	v, err := a.Loads.Get(ctx, LoadID(store.CauseOf(ctx).Tenant, s.Channel, s.Opens))
	if fault.IsKind(err, fault.NotFound) {
		return domain.Load{Channel: s.Channel, Site: s.Site, Opens: s.Opens}, nil
	}
	return v.State, err
}

// serveChannel gives those who wait for places in a channel's window theirs, the most urgent first,
// until the window is full; then it tells the order that asked, if it was not its turn.
func (a *App) serveChannel(ctx context.Context, code, asks string) error {
	waiting, err := a.waitingFor(ctx, code)
	if err != nil {
		return err
	}
	for _, v := range waiting {
		full, err := a.admit(store.WithItem(ctx, v.ID), v.ID, code)
		if err != nil {
			return err
		}
		if v.ID == asks {
			asks = ""
		}
		if full {
			break
		}
	}
	if asks == "" {
		return nil
	}
	_, err = a.admit(store.WithItem(ctx, asks), asks, code)
	return err
}

// admit takes places in a channel's window for the releases of an order that wait for it, and
// releases them. What has a place and does not go, because the order changed meanwhile, leaves
// it. full says that the window has no place for one of them.
func (a *App) admit(ctx context.Context, id, code string) (full bool, err error) {
	v, err := a.Orders.Get(ctx, id)
	if err != nil {
		return false, err
	}
	p, err := a.Policies.of(ctx)
	if err != nil {
		return false, err
	}
	now := a.Policies.Now()
	admitted := map[string]domain.Admission{}
	slots := map[string]domain.Slot{}
	for _, d := range v.State.Deferrals() {
		g := p.gate(v.State.Header, d.Site, now)
		if d.Channel != code || g.Reason != "" || g.Slot == nil {
			continue
		}
		place := v.State.Place(d.Site)
		ok, err := a.take(ctx, *g.Slot, place, now)
		if err != nil {
			return false, err
		}
		admitted[d.Site], slots[d.Site] = domain.Admission{Turn: place.Turn, Full: !ok}, *g.Slot
		if ok {
			admitted[d.Site] = domain.Admission{Turn: place.Turn, Lines: place.Lines}
		}
		full = full || !ok
	}
	// What was released is not released again, so that every look has a key of its own.
	key := "admit:" + id + ":" + strconv.FormatUint(v.Version, 10) + ":" + now.Format(time.RFC3339Nano)
	_, err = a.changeWith(guard.Derived(ctx, store.CauseOf(ctx).Tenant, key, now), id, domain.Env{Gate: p.gate, Admitted: admitted}, domain.Order.Wake)
	if err != nil {
		return full, err
	}
	return full, a.leavePlaces(ctx, id, admitted, slots)
}

// limitedBy is the channel that lets so much go in the window that is open, of those that an
// order's releases wait for and that are due; "" when there is none.
func (a *App) limitedBy(ctx context.Context, o domain.Order) (string, error) {
	p, err := a.Policies.of(ctx)
	if err != nil {
		return "", err
	}
	now := a.Policies.Now()
	for _, d := range o.Deferrals() {
		if g := p.gate(o.Header, d.Site, now); g.Slot != nil && !d.Next.After(now) {
			return d.Channel, nil
		}
	}
	return "", nil
}

// leavePlaces gives back what was taken for releases that did not go.
func (a *App) leavePlaces(ctx context.Context, id string, admitted map[string]domain.Admission, slots map[string]domain.Slot) error {
	v, err := a.Orders.Get(ctx, id)
	if err != nil {
		return err
	}
	for site, has := range admitted {
		if has.Full || v.State.Turn(site) > has.Turn {
			continue
		}
		if err := a.leavePlace(ctx, slots[site], id, has.Turn); err != nil {
			return err
		}
	}
	return nil
}

// take takes a place, or finds that there is none.
func (a *App) take(ctx context.Context, s domain.Slot, p domain.Placed, now time.Time) (ok bool, err error) {
	return a.onLoad(ctx, "take", s, p, now, func(l domain.Load) ([]domain.LoadFact, bool) { return l.Take(s, p) })
}

func (a *App) leavePlace(ctx context.Context, s domain.Slot, order string, turn int) error {
	_, err := a.onLoad(ctx, "leave", s, domain.Placed{Order: order, Turn: turn}, a.Policies.Now(), func(l domain.Load) ([]domain.LoadFact, bool) {
		return l.Free(order, turn), true
	})
	return err
}

// onLoad changes what is taken of a window. Who has a place has it, whoever asks again, so that
// every look has a key of its own.
func (a *App) onLoad(ctx context.Context, what string, s domain.Slot, p domain.Placed, now time.Time, d func(domain.Load) ([]domain.LoadFact, bool)) (bool, error) {
	tenant := store.CauseOf(ctx).Tenant
	key := strings.Join([]string{what, p.Order, strconv.Itoa(p.Turn), strconv.Itoa(p.Lines), now.Format(time.RFC3339Nano)}, ":")
	r, err := a.Loads.Update(guard.Derived(ctx, tenant, key, now), LoadID(tenant, s.Channel, s.Opens), func(c store.Current[domain.Load]) (store.Decision[domain.LoadFact], error) {
		facts, ok := d(c.State)
		return store.Decision[domain.LoadFact]{Facts: facts, Values: map[string]string{"ok": strconv.FormatBool(ok)}}, nil
	})
	return r.Values["ok"] == "true", err
}
