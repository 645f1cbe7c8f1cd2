package app

import (
	"context"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/faultpoint"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// Received are goods as a report has them.
type Received struct {
	Line      int
	SKU, SSCC string
	Quantity  quantity.Quantity
	Place     domain.Place
	Serials   []string
	Damaged   bool
}

// ReceiveGoods records goods received under a delivery.
func (a *Inbound) ReceiveGoods(ctx context.Context, id string, goods []Received) (store.Receipt, error) {
	v, err := a.Delivery(ctx, id)
	if err != nil {
		return store.Receipt{}, err
	}
	return a.receiveGoods(ctx, v.State, goods, false, false)
}

// ReceiveBlind records goods that nobody announced: one delivery a message, or a command if
// the message has no id. Keys lack the id.
func (a *Inbound) ReceiveBlind(ctx context.Context, keys domain.InboundKeys, goods []Received, inspect bool) (store.Receipt, error) {
	cause := store.CauseOf(ctx)
	keys.Owner = ownerOf(keys.Owner)
	if src := cause.Source; src.MessageID != "" {
		keys.ID = ident.Derive("asn", cause.Tenant, "", "message", src.System, src.MessageID)
	} else {
		keys.ID = ident.Derive("asn", cause.Tenant, "", "command", cause.Principal, cause.Key)
	}
	for i, g := range goods {
		if g.SSCC != "" {
			return store.Receipt{}, domain.Invalid("goods["+strconv.Itoa(i)+"].sscc", "SSCC_UNKNOWN", "nothing was announced: say what is in it")
		}
	}
	return a.receiveGoods(ctx, domain.Inbound{Keys: keys}, goods, inspect, true)
}

func (a *Inbound) receiveGoods(ctx context.Context, d domain.Inbound, goods []Received, inspect, makes bool) (store.Receipt, error) {
	arrivals, err := a.arrivals(ctx, d, goods)
	if err != nil {
		return store.Receipt{}, err
	}
	src := store.CauseOf(ctx).Source
	report := domain.InboundReport{Goods: arrivals, Inspect: inspect, Message: messageMark(src, goods, Received.fields), Source: src}
	in := receiving{a: a.App, key: domain.StockKey{Site: d.Keys.Site, Owner: d.Keys.Owner}, delivery: d.Keys.ID}
	return in.claimed(ctx, func() (store.Receipt, error) { return a.takeGoods(ctx, d, report, makes, &in) })
}

// takeGoods records a report once the pieces that it names are claimed.
func (a *Inbound) takeGoods(ctx context.Context, d domain.Inbound, report domain.InboundReport, makes bool, in *receiving) (store.Receipt, error) {
	return a.Deliveries.Update(ctx, d.Keys.ID, func(c store.Current[domain.Inbound]) (store.Decision[domain.InboundFact], error) {
		if c.Version == 0 && !makes {
			return store.Decision[domain.InboundFact]{}, notFound()
		}
		if c.State.Keys.ID == "" {
			c.State.Keys = d.Keys
		}
		report.At = when(ctx, c.Now)
		facts, err := domain.TakeGoods(c.State, report)
		if err == nil {
			err = in.admit(facts)
		}
		if err != nil {
			return store.Decision[domain.InboundFact]{}, err
		}
		out := store.Decision[domain.InboundFact]{
			Facts: facts, State: string(domain.ApplyInbound(c.State, facts...).State()), Reasons: differences(facts),
		}
		if len(facts) == 0 {
			out.Reasons = []store.Reason{{Code: "RECEIPT_KNOWN", Field: "source.message_id", Message: "what this message tells was received before"}}
		}
		return out, nil
	})
}

// arrivals reads the goods of a report against master data and the delivery's lines.
func (a *Inbound) arrivals(ctx context.Context, d domain.Inbound, goods []Received) ([]domain.Arrival, error) {
	var skus []string
	for i := range goods {
		if l, known := d.Line(goods[i].Line); known && goods[i].SKU == "" {
			goods[i].SKU = l.SKU
		}
		skus = append(skus, goods[i].SKU)
	}
	ref, err := a.Reference.Lookup(ctx, []string{d.Keys.Site}, skus)
	if err != nil {
		return nil, err
	}
	if site, ok := ref.Sites[d.Keys.Site]; !ok || !site.IsSite {
		return nil, domain.Invalid("site", "SITE_UNKNOWN", "no site %q: define it in master data", d.Keys.Site)
	}
	checked := map[string]bool{}
	out := make([]domain.Arrival, len(goods))
	for i, g := range goods {
		field := "goods[" + strconv.Itoa(i) + "]"
		if err := g.check(d, field); err != nil {
			return nil, err
		}
		item, ok := ref.Items[g.SKU]
		if !ok && g.SSCC == "" {
			return nil, domain.Invalid(field+".sku", "ITEM_UNKNOWN", "no item %q: define it in master data", g.SKU)
		}
		if err := checkPlace(g.Place, "location"); err != nil {
			return nil, under(field, err)
		}
		if !checked[g.Place.Location] {
			if err := a.takes(ctx, d.Keys.Site, g.Place.Location, field+".location"); err != nil {
				return nil, err
			}
			checked[g.Place.Location] = true
		}
		if g.SSCC != "" {
			if err := a.unnumbered(ctx, d, g.SSCC, field); err != nil {
				return nil, err
			}
		}
		out[i] = domain.Arrival{Line: g.Line, SSCC: g.SSCC, Item: item, Quantity: g.Quantity, Place: g.Place, Serials: g.Serials, Damaged: g.Damaged}
	}
	return out, nil
}

// unnumbered refuses a unit with goods that are kept by serial number: which pieces are in it nobody
// announced.
func (a *Inbound) unnumbered(ctx context.Context, d domain.Inbound, sscc, field string) error {
	var ids []string
	for _, u := range d.Units {
		for _, c := range u.Contents {
			if l, known := d.Line(c.Line); known && u.SSCC == sscc {
				ids = append(ids, l.Item)
			}
		}
	}
	items, err := a.Reference.Items(ctx, ids)
	for _, item := range items {
		if item.Serial && err == nil {
			err = domain.Invalid(field+".serials", "SERIAL_REQUIRED", "item %s is kept by serial number: receive it by line and name the pieces", item.SKU)
		}
	}
	return err
}

// check refuses goods that do not say what they are, or say it twice.
func (g Received) check(d domain.Inbound, field string) error {
	_, known := d.Line(g.Line)
	switch {
	case g.SSCC != "" && (g.Line > 0 || g.SKU != "" || g.Quantity.Unit != "" || g.Place.Lot != "" || g.Place.Expiry != "" || len(g.Serials) > 0):
		return domain.Invalid(field+".sscc", "GOODS_INCOMPLETE", "a unit is received as it was announced: say its place and condition only")
	case g.SSCC != "":
		return nil
	case g.Line > 0 && !known:
		return domain.Invalid(field+".line_number", "LINE_UNKNOWN", "the delivery has no line %d", g.Line)
	case g.SKU == "":
		return domain.Invalid(field+".sku", "GOODS_INCOMPLETE", "say the item, its line or the SSCC of its unit")
	case g.Quantity.Unit == "":
		return domain.Invalid(field+".quantity", "GOODS_INCOMPLETE", "say how much")
	}
	return nil
}

// FollowReceipt books goods that were received.
func (a *Inbound) FollowReceipt(ctx context.Context, f domain.GoodsReceived) error {
	parts := map[string][]domain.Part{}
	keys := map[string]domain.StockKey{}
	for _, p := range f.Parts {
		key := keyOf(ctx, f.Site, f.Owner, p.Item, p.SKU, p.Unit)
		parts[key.ID], keys[key.ID] = append(parts[key.ID], p), key
	}
	err := a.bookEach(ctx, f.ID, keysOf(parts), func(id string, s domain.Stock) ([]domain.StockFact, error) {
		var facts []domain.StockFact
		for _, p := range parts[id] {
			more, err := domain.Received(s, keys[id], p.Place, p.Quantity, document(f.InboundKeys), f.At)
			if err != nil {
				return nil, err
			}
			more = append(more, domain.Unsupplied(s, f.ID, p.Line, p.Quantity.Sub(p.Over), domain.SupplyReceived)...)
			facts, s = append(facts, more...), domain.ApplyStock(s, more...)
		}
		return facts, nil
	})
	if err != nil {
		return err
	}
	var group errgroup.Group
	group.SetLimit(a.Parallel)
	for _, p := range f.Parts {
		if p.Place.Serial != "" {
			group.Go(func() error {
				return a.booked(ctx, keyOf(ctx, f.Site, f.Owner, p.Item, p.SKU, p.Unit), p.Place.Serial, f.ID)
			})
		}
	}
	return group.Wait()
}

// FollowMoves books goods that go from one place or status to another.
func (a *Inbound) FollowMoves(ctx context.Context, k domain.InboundKeys, all []domain.InboundMove, kind domain.MovementType, at time.Time) error {
	moves := map[string][]domain.InboundMove{}
	keys := map[string]domain.StockKey{}
	for _, m := range all {
		key := keyOf(ctx, k.Site, k.Owner, m.Item, m.SKU, m.Unit)
		moves[key.ID], keys[key.ID] = append(moves[key.ID], m), key
	}
	return a.bookEach(ctx, k.ID, keysOf(moves), func(id string, s domain.Stock) ([]domain.StockFact, error) {
		var facts []domain.StockFact
		for _, m := range moves[id] {
			more := domain.TakeInbound(s, keys[id], m, kind, document(k), at)
			facts, s = append(facts, more...), domain.ApplyStock(s, more...)
		}
		return facts, nil
	})
}

func (a *Inbound) bookEach(ctx context.Context, delivery string, stocks []string, book func(id string, s domain.Stock) ([]domain.StockFact, error)) error {
	if err := faultpoint.Hit(faultpoint.X3); err != nil {
		return err
	}
	if len(stocks) == 0 {
		return fault.New(fault.Invalid, "ITEM_UNKNOWN", "the fact names no goods")
	}
	return a.each(ctx, stocks, func(ctx context.Context, id string) error {
		_, err := a.enter(ctx, id, entry{delivery: delivery}, func(s domain.Stock, _ time.Time) ([]domain.StockFact, error) { return book(id, s) }, nil)
		return err
	})
}

// document is what movements of a delivery name as theirs.
func document(k domain.InboundKeys) string {
	if k.ASN != "" {
		return "ASN " + k.ASN
	}
	return k.ID
}
