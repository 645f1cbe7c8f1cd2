package app

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// StockTransfers is where transfers are kept.
type StockTransfers = store.Aggregates[domain.SiteTransfer, domain.TransferFact]

// Transfers is the use cases of transfers between sites.
type Transfers struct {
	*App
	Transfers StockTransfers
}

// NewTransfer is a transfer as a request has it.
type NewTransfer struct {
	From, To, Owner, Reference string
	Expected                   time.Time
	Lines                      []SentGoods
}

// SentGoods are goods of one place that are sent.
type SentGoods struct {
	SKU      string
	Place    domain.Place
	Serials  []string
	Quantity quantity.Quantity
}

// SendOut has goods leave their bins for another site, each line if nobody has them, and tells which
// could not. What ends in between is gone on with by the fact.
func (a *Transfers) SendOut(ctx context.Context, n NewTransfer) (store.Receipt, error) {
	cause := store.CauseOf(ctx)
	id := ident.Derive("trf", cause.Tenant, cause.Principal, cause.Key)
	f := domain.TransferRequested{Expected: n.Expected}
	f.TransferKeys = domain.TransferKeys{ID: id, Reference: n.Reference, From: n.From, To: n.To, Owner: ownerOf(n.Owner)}
	if _, err := a.Transfers.Get(ctx, id); fault.IsKind(err, fault.NotFound) { // whoever asks again is answered by the receipt
		var err error
		if f.Lines, err = a.sent(ctx, n); err != nil {
			return store.Receipt{}, err
		}
	} else if err != nil {
		return store.Receipt{}, err
	}
	r, err := a.Transfers.Update(ctx, id, func(c store.Current[domain.SiteTransfer]) (store.Decision[domain.TransferFact], error) {
		f.At = when(ctx, c.Now).Truncate(time.Millisecond)
		facts, err := domain.RequestTransfer(c.State, f)
		return store.Decision[domain.TransferFact]{Facts: facts}, err
	})
	if err != nil {
		return r, err
	}
	settled, err := a.settle(ctx, id)
	settled.Replayed = r.Replayed
	return settled, err
}

// sent reads the lines of a transfer against master data. There must be a stock of each: whatever
// it answers is kept then.
func (a *Transfers) sent(ctx context.Context, n NewTransfer) ([]domain.TransferLine, error) {
	var skus []string
	for _, l := range n.Lines {
		skus = append(skus, l.SKU)
	}
	ref, err := a.Reference.Lookup(ctx, []string{n.From, n.To}, skus)
	if err != nil {
		return nil, err
	}
	for _, site := range []struct{ field, code string }{{"from_site", n.From}, {"to_site", n.To}} {
		if s, ok := ref.Sites[site.code]; !ok || !s.IsSite {
			return nil, domain.Invalid(site.field, "SITE_UNKNOWN", "no site %q: define it in master data", site.code)
		}
	}
	if n.From == n.To {
		return nil, domain.Invalid("to_site", "TRANSFER_SITE", "goods that stay at site %s are moved, not transferred", n.To)
	}
	var out []domain.TransferLine
	for i, l := range n.Lines {
		field := "lines[" + strconv.Itoa(i) + "]"
		item, ok := ref.Items[l.SKU]
		if !ok {
			return nil, domain.Invalid(field+".sku", "ITEM_UNKNOWN", "no item %q: define it in master data", l.SKU)
		}
		if err := checkPlace(l.Place, "location"); err != nil {
			return nil, under(field, err)
		}
		q, err := item.Base(l.Quantity, field+".quantity")
		if err != nil {
			return nil, err
		}
		v, err := a.Stocks.Get(ctx, StockID(store.CauseOf(ctx).Tenant, n.From, item.ID, n.Owner))
		if fault.IsKind(err, fault.NotFound) {
			return nil, fault.New(fault.Refused, "INSUFFICIENT_STOCK", "%s: nothing of %s stands at site %s", field, l.SKU, n.From).With("available", "0")
		}
		if err != nil {
			return nil, err
		}
		pieces, err := item.Pieces(l.Place, q.Value, l.Serials, v.State.Unnumbered(l.Place))
		if err != nil {
			return nil, under(field, err)
		}
		for _, p := range pieces {
			if err := item.Tracked(v.State, p.Place, true); err != nil {
				return nil, under(field, err)
			}
			out = append(out, domain.TransferLine{
				Number: len(out) + 1, Item: item.ID, SKU: item.SKU, Unit: q.Unit, Place: v.State.Dated(p.Place), Asked: p.Quantity,
			})
		}
	}
	return out, nil
}

// settle asks the stocks of a transfer, each line under a key of its own, and says what left.
func (a *Transfers) settle(ctx context.Context, id string) (store.Receipt, error) {
	v, err := a.Transfer(ctx, id)
	if err != nil {
		return store.Receipt{}, err
	}
	t, tenant := v.State, store.CauseOf(ctx).Tenant
	refusals := make([]string, len(t.Lines))
	err = a.onLines(ctx, t.Keys.From, t.Keys, quantities(t), func(ctx context.Context, key domain.StockKey, q domain.TransferQuantity) error {
		ctx = guard.Derived(ctx, tenant, "transfer:"+id+":out:"+strconv.Itoa(q.Line), t.At)
		_, err := a.onStock(ctx, key.ID, func(s domain.Stock, _ time.Time) ([]domain.StockFact, error) {
			return domain.SendOut(s, key, id, q, t.At)
		}, nil)
		if f, refused := fault.As(err); refused && fault.IsKind(err, fault.Refused) {
			refusals[q.Line-1] = f.Reason
			return nil
		}
		return err
	})
	if err != nil {
		return store.Receipt{}, err
	}
	refused := map[int]string{}
	for i, why := range refusals {
		refused[i+1] = why
	}
	return a.onTransfer(guard.Derived(ctx, tenant, "transfer:"+id+":settle", t.At), id, func(t domain.SiteTransfer, _ time.Time) ([]domain.TransferFact, error) {
		return domain.SettleTransfer(t, refused, t.At), nil
	})
}

// quantities are what the lines of a transfer ask for.
func quantities(t domain.SiteTransfer) (out []domain.TransferQuantity) {
	for _, l := range t.Lines {
		out = append(out, domain.TransferQuantity{Line: l.Number, Item: l.Item, SKU: l.SKU, Unit: l.Unit, Place: l.Place, Quantity: l.Asked})
	}
	return out
}

// onLines does something for goods at the stocks of a site, those of one stock one after another.
func (a *Transfers) onLines(
	ctx context.Context, site string, k domain.TransferKeys, goods []domain.TransferQuantity, do func(context.Context, domain.StockKey, domain.TransferQuantity) error,
) error {
	lines, keys := map[string][]domain.TransferQuantity{}, map[string]domain.StockKey{}
	for _, q := range goods {
		key := keyOf(ctx, site, k.Owner, q.Item, q.SKU, q.Unit)
		lines[key.ID], keys[key.ID] = append(lines[key.ID], q), key
	}
	return a.each(ctx, keysOf(lines), func(ctx context.Context, id string) error {
		for _, q := range lines[id] {
			if err := do(store.WithItem(ctx, strconv.Itoa(q.Line)), keys[id], q); err != nil {
				return err
			}
		}
		return nil
	})
}

// onTransfer changes a transfer that must exist.
func (a *Transfers) onTransfer(ctx context.Context, id string, decide func(domain.SiteTransfer, time.Time) ([]domain.TransferFact, error)) (store.Receipt, error) {
	return a.Transfers.Update(ctx, id, func(c store.Current[domain.SiteTransfer]) (store.Decision[domain.TransferFact], error) {
		if c.Version == 0 {
			return store.Decision[domain.TransferFact]{}, notFound()
		}
		facts, err := decide(c.State, c.Now)
		if err != nil {
			return store.Decision[domain.TransferFact]{}, err
		}
		after := domain.ApplyTransfer(c.State, facts...)
		d := store.Decision[domain.TransferFact]{Facts: facts, State: string(after.State())}
		for i, l := range after.Lines {
			if l.Refusal != "" && len(d.Reasons) < maxReasons {
				d.Reasons = append(d.Reasons, store.Reason{Code: l.Refusal, Field: "lines[" + strconv.Itoa(i) + "]", Message: "it stays where it is"})
			}
		}
		return d, nil
	})
}

// Arrived is goods of a line that came, as a request has them.
type Arrived struct {
	Line     int
	Quantity quantity.Quantity
	Location string
	Damaged  bool
}

// TakeIn books what came of a transfer.
func (a *Transfers) TakeIn(ctx context.Context, id string, arrived []Arrived) (store.Receipt, error) {
	v, err := a.Transfer(ctx, id)
	if err != nil {
		return store.Receipt{}, err
	}
	arrivals, err := a.arrivals(ctx, v.State, arrived)
	if err != nil {
		return store.Receipt{}, err
	}
	mark := messageMark(store.CauseOf(ctx).Source, arrived, Arrived.fields)
	var known bool
	r, err := a.Transfers.Update(ctx, id, func(c store.Current[domain.SiteTransfer]) (store.Decision[domain.TransferFact], error) {
		facts, err := domain.ReceiveTransfer(c.State, arrivals, mark, when(ctx, c.Now))
		if err != nil {
			return store.Decision[domain.TransferFact]{}, err
		}
		known = len(facts) == 0
		d := store.Decision[domain.TransferFact]{Facts: facts, State: string(domain.ApplyTransfer(c.State, facts...).State())}
		if known {
			d.Reasons = []store.Reason{{Code: "RECEIPT_KNOWN", Field: "source.message_id", Message: "what this message tells was received before"}}
		}
		for _, f := range facts {
			for _, p := range f.(domain.TransferReceived).Parts {
				if p.Over && len(d.Reasons) < maxReasons {
					d.Reasons = append(d.Reasons, store.Reason{Code: "DISCREPANCY", Field: "line " + strconv.Itoa(p.Line), Message: "OVER: " + p.Quantity.String() + " " + p.Unit + " of " + p.SKU})
				}
			}
		}
		return d, nil
	})
	return r, err
}

// arrivals reads what came against master data and the places of the site.
func (a *Transfers) arrivals(ctx context.Context, t domain.SiteTransfer, arrived []Arrived) ([]domain.TransferArrival, error) {
	var skus []string
	for _, l := range t.Lines {
		skus = append(skus, l.SKU)
	}
	ref, err := a.Reference.Lookup(ctx, nil, skus)
	if err != nil {
		return nil, err
	}
	checked := map[string]bool{}
	out := make([]domain.TransferArrival, len(arrived))
	for i, x := range arrived {
		field := "lines[" + strconv.Itoa(i) + "]"
		l, known := t.Line(x.Line)
		if !known {
			return nil, domain.Invalid(field+".line_number", "LINE_UNKNOWN", "no line %d was sent", x.Line)
		}
		q, err := ref.Items[l.SKU].Base(x.Quantity, field+".quantity")
		if err != nil {
			return nil, err
		}
		if err := checkPlace(domain.Place{Location: x.Location}, field+".location"); err != nil {
			return nil, err
		}
		if !checked[x.Location] {
			if err := a.takes(ctx, t.Keys.To, x.Location, field+".location"); err != nil {
				return nil, err
			}
			checked[x.Location] = true
		}
		out[i] = domain.TransferArrival{Line: x.Line, Quantity: q.Value, Location: x.Location, Damaged: x.Damaged}
	}
	return out, nil
}

// End ends the wait for what is open: it is back in a bin of the site that sent it, or lost.
func (a *Transfers) End(ctx context.Context, id string, outcome domain.TransferOutcome, location, reason string, lines []int, now time.Time) (store.Receipt, error) {
	v, err := a.Transfer(ctx, id)
	if err != nil {
		return store.Receipt{}, err
	}
	if outcome == domain.LostOnTheWay {
		if err := a.reasoned(ctx, reason, now); err != nil {
			return store.Receipt{}, err
		}
	} else {
		if location == "" {
			return store.Receipt{}, domain.Invalid("location", "LOCATION_REQUIRED", "say where they were brought back to")
		}
		if err := checkPlace(domain.Place{Location: location}, "location"); err != nil {
			return store.Receipt{}, err
		}
		if err := a.takes(ctx, v.State.Keys.From, location, "location"); err != nil {
			return store.Receipt{}, err
		}
	}
	return a.onTransfer(ctx, id, func(t domain.SiteTransfer, now time.Time) ([]domain.TransferFact, error) {
		return domain.EndTransfer(t, outcome, location, reason, lines, when(ctx, now))
	})
}

// Transfer returns one transfer.
func (a *Transfers) Transfer(ctx context.Context, id string) (store.View[domain.SiteTransfer], error) {
	return found(a.Transfers.Get(ctx, id))
}

// ListTransfers pages transfers by a declared index.
func (a *Transfers) ListTransfers(ctx context.Context, q store.Query) (store.Page[domain.SiteTransfer], error) {
	return a.Transfers.List(ctx, q)
}

// fields are what tells one arrival from another.
func (x Arrived) fields() []string {
	return []string{strconv.Itoa(x.Line), x.Quantity.Value.String(), x.Quantity.Unit, x.Location, strconv.FormatBool(x.Damaged)}
}

// TransferSites are the sites that a transfer goes from and to.
func TransferSites(t domain.SiteTransfer) []string {
	return slices.DeleteFunc([]string{t.Keys.From, t.Keys.To}, func(s string) bool { return s == "" })
}
