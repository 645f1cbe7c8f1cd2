package app

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/order-release/internal/domain"
)

// PutChannel defines a release channel, or changes its definition. Its zone is the site's
// unless it names one.
func (a *App) PutChannel(ctx context.Context, d domain.Channel) (store.Receipt, error) {
	d, err := a.checkChannel(ctx, d)
	if err != nil {
		return store.Receipt{}, err
	}
	if err := a.roomFor(ctx, d.Code); err != nil {
		return store.Receipt{}, err
	}
	return a.changeChannel(ctx, d.Code, true, func(c domain.Channel, _ domain.Env) ([]domain.ChannelFact, error) { return c.Define(d) })
}

func (a *App) checkChannel(ctx context.Context, d domain.Channel) (domain.Channel, error) {
	wrong := fault.New(fault.Invalid, "INVALID_REQUEST", "the channel cannot be taken")
	if d.Condition != "" {
		if _, err := a.Policies.Conditions.OfOrder(d.Condition); err != nil {
			wrong = wrong.WithField("channel.condition", "CONDITION_INVALID", "%v", err)
		}
	}
	ref, err := a.Reference.Lookup(ctx, domain.Header{}, nil, []string{d.Site})
	if err != nil {
		return d, err
	}
	if reason, message := wrongSite(ref, d.Site); reason != "" {
		wrong = wrong.WithField("channel.site", reason, "%s", message)
	} else if d.Zone = cmp.Or(d.Zone, ref.Sites[d.Site].Zone); d.Zone == "" {
		wrong = wrong.WithField("channel.time_zone", "TIME_ZONE_UNKNOWN", "the zone of site %q is not known here: name one", d.Site)
	}
	if _, err := time.LoadLocation(d.Zone); err != nil || d.Zone == "Local" {
		wrong = wrong.WithField("channel.time_zone", "TIME_ZONE_UNKNOWN", "%q is no IANA time zone", d.Zone)
	}
	if len(wrong.Fields) > 0 {
		return d, wrong
	}
	return d, nil
}

// roomFor refuses a channel beyond those that a tenant may have.
func (a *App) roomFor(ctx context.Context, code string) error {
	p, err := a.Policies.of(ctx)
	if err != nil {
		return err
	}
	known := slices.ContainsFunc(p.channels, func(c channel) bool { return c.Code == code })
	if !known && len(p.channels) >= maxChannels {
		return fault.New(fault.Refused, "TOO_MANY_CHANNELS", "a tenant has at most %d release channels", maxChannels)
	}
	return nil
}

// CloseChannel locks a channel, or puts it to sleep until a time.
func (a *App) CloseChannel(ctx context.Context, code string, until time.Time, note string) (store.Receipt, error) {
	return a.changeChannel(ctx, code, false, func(c domain.Channel, e domain.Env) ([]domain.ChannelFact, error) { return c.Close(e, until, note) })
}

// OpenChannel lets a channel's windows count again.
func (a *App) OpenChannel(ctx context.Context, code, note string) (store.Receipt, error) {
	return a.changeChannel(ctx, code, false, func(c domain.Channel, e domain.Env) ([]domain.ChannelFact, error) { return c.Open(e, note) })
}

func (a *App) changeChannel(ctx context.Context, code string, create bool, d func(domain.Channel, domain.Env) ([]domain.ChannelFact, error)) (store.Receipt, error) {
	id := ChannelID(store.CauseOf(ctx).Tenant, code)
	defer a.Policies.changed(ctx, id)
	return a.Policies.Channels.Update(ctx, id, func(c store.Current[domain.Channel]) (store.Decision[domain.ChannelFact], error) {
		if c.Version == 0 && !create {
			return store.Decision[domain.ChannelFact]{}, notFound()
		}
		facts, err := d(c.State, domain.Env{Now: c.Now, By: store.CauseOf(ctx).Principal})
		next := c.State
		for _, f := range facts {
			next = domain.EvolveChannel(next, f)
		}
		return store.Decision[domain.ChannelFact]{Facts: facts, State: string(next.State)}, err
	})
}

// GetChannel returns a channel.
func (a *App) GetChannel(ctx context.Context, code string) (store.View[domain.Channel], error) {
	v, err := a.Policies.Channels.Get(ctx, ChannelID(store.CauseOf(ctx).Tenant, code))
	if fault.IsKind(err, fault.NotFound) {
		err = notFound()
	}
	return v, err
}

// ListChannels pages the tenant's channels.
func (a *App) ListChannels(ctx context.Context, q store.Query) (store.Page[domain.Channel], error) {
	return a.Policies.Channels.List(ctx, q)
}

// ChannelChanged looks again at every order whose release waits for a channel, the most urgent
// first. One that began to wait a moment ago and is not listed yet looks itself, with AwaitChannel.
func (a *App) ChannelChanged(ctx context.Context, code string) error {
	waiting, err := a.waitingFor(ctx, code)
	if err != nil {
		return err
	}
	a.Policies.forget(ctx)
	for _, v := range waiting {
		if _, err := a.admit(store.WithItem(ctx, v.ID), v.ID, code); err != nil {
			return err
		}
	}
	return nil
}

// AwaitChannel looks again at an order whose release has just begun to wait for a channel: once
// it is listed, so that whoever opens the channel later finds it.
func (a *App) AwaitChannel(ctx context.Context, id string) error {
	v, err := a.Orders.Get(ctx, id)
	if err != nil {
		return err
	}
	for _, d := range v.State.Deferrals() {
		waiting, err := a.waitingFor(ctx, d.Channel)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(waiting, func(v store.View[domain.Order]) bool { return v.ID == id }) {
			return fault.New(fault.Unavailable, "LIST_TRAILS", "the order is not yet listed as waiting for channel %s", d.Channel)
		}
	}
	a.Policies.forget(ctx)
	now, err := a.Now(ctx)
	if err != nil || v.State.MayGo(now) != nil {
		return err
	}
	for _, code := range ChannelKeys(v.State) {
		if err := a.serveChannel(ctx, code, id); err != nil {
			return err
		}
	}
	return nil
}

// waitingFor lists the orders that wait for a channel, the most urgent first.
func (a *App) waitingFor(ctx context.Context, code string) (views []store.View[domain.Order], err error) {
	q := store.Query{Index: IndexChannel, Key: code, PageSize: 200}
	for {
		page, err := a.Orders.List(ctx, q)
		if err != nil {
			return nil, err
		}
		views = append(views, page.Items...)
		if q.PageToken = page.NextToken; q.PageToken == "" {
			break
		}
	}
	slices.SortStableFunc(views, func(a, b store.View[domain.Order]) int {
		return cmp.Or(a.State.Header.Priority-b.State.Header.Priority, promisedTime(a.State).Compare(promisedTime(b.State)), a.Created.Compare(b.Created))
	})
	return views, nil
}

// ChannelKeys are the codes of the channels that an order's releases wait for.
func ChannelKeys(o domain.Order) (codes []string) {
	for _, d := range o.Deferred {
		if !slices.Contains(codes, d.Channel) {
			codes = append(codes, d.Channel)
		}
	}
	return codes
}

// Now is what counts for an order of the caller's tenant at this time: for answers that
// decide nothing.
func (a *App) Now(ctx context.Context) (domain.Env, error) {
	p, err := a.Policies.of(ctx)
	if err != nil {
		return domain.Env{}, err
	}
	return domain.Env{Now: a.Policies.Now(), Gate: p.gate, Limits: a.Limits}, nil
}
