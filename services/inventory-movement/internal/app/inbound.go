package app

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// Indexes under which inbound deliveries are listed, beside their state and site.
const (
	IndexASN      = "asn"
	IndexSupplier = "supplier"
)

// Inbounds is where inbound deliveries are kept.
type Inbounds = store.Aggregates[domain.Inbound, domain.InboundFact]

// Inbound is the use cases of inbound deliveries.
type Inbound struct {
	*App
	Deliveries Inbounds
	Tolerance  string // per cent by which more is accepted where neither line nor ASN says
	Putaways   Putaways
}

// InboundID derives the id of the delivery that an ASN announces.
func InboundID(tenant, supplier, asn string) string {
	return ident.Derive("asn", tenant, supplier, asn)
}

// AnnouncedLine is a line of an ASN as a request has it.
type AnnouncedLine struct {
	Number                    int
	SKU, Lot, Expiry, Percent string
	Quantity                  quantity.Quantity
	Inspect                   bool
}

// AnnouncedUnit is a pallet or carton of an ASN as a request has it.
type AnnouncedUnit struct {
	SSCC     string
	Contents []UnitContent
}

// UnitContent is goods of one line in an announced unit.
type UnitContent struct {
	Line     int
	Quantity quantity.Quantity
}

// ASN is an announcement as a request has it.
type ASN struct {
	Keys     domain.InboundKeys // without the id
	Lines    []AnnouncedLine
	Units    []AnnouncedUnit
	Expected time.Time
	Percent  string
	Inspect  bool
}

// Announce registers an ASN.
func (a *Inbound) Announce(ctx context.Context, asn ASN) (store.Receipt, error) {
	if c, ok := guard.CallerOf(ctx); ok && c.Party != "" && c.Party != ident.Derive("pty", c.Tenant, asn.Keys.Supplier) {
		return store.Receipt{}, fault.New(fault.Denied, "SUPPLIER_FOREIGN", "deliveries of %s are not yours to announce", asn.Keys.Supplier)
	}
	f, err := a.announced(ctx, asn)
	if err != nil {
		return store.Receipt{}, err
	}
	return a.onDelivery(ctx, f.ID, true, func(d domain.Inbound, _ time.Time) ([]domain.InboundFact, error) {
		return domain.Announce(d, f)
	})
}

// announced reads an ASN against master data.
func (a *Inbound) announced(ctx context.Context, asn ASN) (f domain.AsnRegistered, err error) {
	f = domain.AsnRegistered{InboundKeys: asn.Keys, Expected: asn.Expected}
	f.ID, f.Owner = InboundID(store.CauseOf(ctx).Tenant, asn.Keys.Supplier, asn.Keys.ASN), ownerOf(asn.Keys.Owner)
	var skus []string
	for _, l := range asn.Lines {
		skus = append(skus, l.SKU)
	}
	ref, err := a.Reference.Lookup(ctx, []string{f.Site}, skus)
	if err != nil {
		return f, err
	}
	items := map[int]domain.Item{}
	for i, l := range asn.Lines {
		field := "lines[" + strconv.Itoa(i) + "]"
		_, item, err := resolve(ref, store.CauseOf(ctx).Tenant, Target{f.Site, l.SKU, f.Owner})
		if x, ok := fault.As(err); ok && x.Reason == "ITEM_UNKNOWN" {
			err = under(field, err)
		}
		if err != nil {
			return f, err
		}
		line, err := a.line(item, l, asn, field)
		if err != nil {
			return f, err
		}
		items[l.Number], f.Lines = item, append(f.Lines, line)
	}
	f.Units, err = units(asn.Units, items)
	return f, err
}

func (a *Inbound) line(item domain.Item, l AnnouncedLine, asn ASN, field string) (domain.InboundLine, error) {
	out := domain.InboundLine{
		Number: l.Number, Item: item.ID, SKU: item.SKU, Unit: item.BaseUnit, Lot: l.Lot, Expiry: l.Expiry, Inspect: l.Inspect || asn.Inspect,
	}
	if err := checkPlace(domain.Place{Expiry: l.Expiry}, ""); err != nil {
		return out, under(field, err)
	}
	q, err := item.Base(l.Quantity, field+".quantity")
	if err != nil {
		return out, err
	}
	out.Announced = q.Value
	out.Percent = a.Tolerance
	for _, said := range []string{asn.Percent, l.Percent} {
		if said != "" {
			out.Percent = said
		}
	}
	percent, err := domain.Percent(out.Percent, field+".over_tolerance_percent")
	if err != nil {
		return out, err
	}
	out.Tolerance, err = domain.Allowance(q, percent)
	return out, err
}

func units(all []AnnouncedUnit, items map[int]domain.Item) (out []domain.InboundUnit, err error) {
	for i, u := range all {
		unit := domain.InboundUnit{SSCC: u.SSCC}
		for n, c := range u.Contents {
			field := fmt.Sprintf("units[%d].contents[%d]", i, n)
			item, known := items[c.Line]
			if !known {
				return nil, domain.Invalid(field+".line_number", "LINE_UNKNOWN", "the ASN has no line %d", c.Line)
			}
			q, err := item.Base(c.Quantity, field+".quantity")
			if err != nil {
				return nil, err
			}
			unit.Contents = append(unit.Contents, domain.UnitContent{Line: c.Line, Quantity: q.Value, Unit: q.Unit})
		}
		out = append(out, unit)
	}
	return out, nil
}

// onDelivery changes a delivery, which must exist unless the command makes it.
func (a *Inbound) onDelivery(ctx context.Context, id string, makes bool, decide func(domain.Inbound, time.Time) ([]domain.InboundFact, error)) (store.Receipt, error) {
	return a.Deliveries.Update(ctx, id, func(c store.Current[domain.Inbound]) (store.Decision[domain.InboundFact], error) {
		if c.Version == 0 && !makes {
			return store.Decision[domain.InboundFact]{}, notFound()
		}
		facts, err := decide(c.State, c.Now)
		if err != nil {
			return store.Decision[domain.InboundFact]{}, err
		}
		after := domain.ApplyInbound(c.State, facts...)
		return store.Decision[domain.InboundFact]{Facts: facts, State: string(after.State()), Reasons: differences(facts)}, nil
	})
}

// differences tells whoever reports how it differs from what was announced.
func differences(facts []domain.InboundFact) (out []store.Reason) {
	for _, fact := range facts {
		if f, ok := fact.(domain.DiscrepancyFound); ok && len(out) < maxReasons {
			out = append(out, store.Reason{
				Code: "DISCREPANCY", Field: "line " + strconv.Itoa(f.Line),
				Message: fmt.Sprintf("%s: %s %s of %s", f.Type, f.Quantity, f.Unit, f.SKU),
			})
		}
	}
	return out
}

// Arrive records that a delivery is at the site.
func (a *Inbound) Arrive(ctx context.Context, id, dock string) (store.Receipt, error) {
	v, err := a.Delivery(ctx, id)
	if err != nil {
		return store.Receipt{}, err
	}
	if dock != "" {
		if err := a.receivable(ctx, v.State.Keys.Site, domain.Place{Location: dock}, "dock"); err != nil {
			return store.Receipt{}, err
		}
	}
	return a.onDelivery(ctx, id, false, func(d domain.Inbound, now time.Time) ([]domain.InboundFact, error) {
		return domain.Arrive(d, dock, when(ctx, now)), nil
	})
}

// receivable refuses a place that goods may not go to, and dates that are none.
func (a *Inbound) receivable(ctx context.Context, site string, p domain.Place, field string) error {
	if err := checkPlace(p, field); err != nil {
		return err
	}
	return a.takes(ctx, site, p.Location, field)
}

// CancelRest ends the wait for what has not come.
func (a *Inbound) CancelRest(ctx context.Context, id string, lines []int, reason string) (store.Receipt, error) {
	return a.onDelivery(ctx, id, false, func(d domain.Inbound, _ time.Time) ([]domain.InboundFact, error) {
		return domain.CancelRest(d, lines, reason)
	})
}

// amountOf reads an optional quantity of a line's item.
func (a *Inbound) amountOf(ctx context.Context, d domain.Inbound, line int, q *quantity.Quantity, field string) (quantity.Decimal, error) {
	if q == nil {
		return quantity.Decimal{}, nil
	}
	l, known := d.Line(line)
	if !known {
		return quantity.Decimal{}, domain.Invalid("line_number", "LINE_UNKNOWN", "the delivery has no line %d", line)
	}
	ref, err := a.Reference.Lookup(ctx, nil, []string{l.SKU})
	if err != nil {
		return quantity.Decimal{}, err
	}
	base, err := ref.Items[l.SKU].Base(*q, field)
	return base.Value, err
}

// Amount is so much of a line, as a request has it, or these pieces; nil: it says nothing.
type Amount struct {
	Quantity *quantity.Quantity
	Serials  []string
}

// Inspect records what inspection found.
func (a *Inbound) Inspect(ctx context.Context, id string, line int, lot string, accepted, rejected Amount) (store.Receipt, error) {
	v, err := a.Delivery(ctx, id)
	if err != nil {
		return store.Receipt{}, err
	}
	if accepted.Quantity == nil && rejected.Quantity == nil {
		return store.Receipt{}, domain.Invalid("accepted", "QUANTITY_INVALID", "say how much is accepted or rejected")
	}
	yes, err := a.amountOf(ctx, v.State, line, accepted.Quantity, "accepted")
	if err != nil {
		return store.Receipt{}, err
	}
	no, err := a.amountOf(ctx, v.State, line, rejected.Quantity, "rejected")
	if err != nil {
		return store.Receipt{}, err
	}
	return a.onDelivery(ctx, id, false, func(d domain.Inbound, now time.Time) ([]domain.InboundFact, error) {
		return domain.Inspect(d, line, lot, domain.Some{Quantity: yes, Serials: accepted.Serials}, domain.Some{Quantity: no, Serials: rejected.Serials}, when(ctx, now))
	})
}

// ResolveOver decides what becomes of goods that are too many.
func (a *Inbound) ResolveOver(ctx context.Context, id string, line int, decision domain.OverDecision, of Amount) (store.Receipt, error) {
	v, err := a.Delivery(ctx, id)
	if err != nil {
		return store.Receipt{}, err
	}
	n, err := a.amountOf(ctx, v.State, line, of.Quantity, "quantity")
	if err != nil {
		return store.Receipt{}, err
	}
	return a.onDelivery(ctx, id, false, func(d domain.Inbound, now time.Time) ([]domain.InboundFact, error) {
		return domain.ResolveOver(d, line, decision, domain.Some{Quantity: n, Serials: of.Serials}, when(ctx, now))
	})
}

// ConfirmPutaway records where goods of a task were put; without a location, where it was proposed.
func (a *Inbound) ConfirmPutaway(ctx context.Context, id string, task int, location string, q *quantity.Quantity) (store.Receipt, error) {
	v, err := a.Delivery(ctx, id)
	if err != nil {
		return store.Receipt{}, err
	}
	if location != "" {
		if err := a.receivable(ctx, v.State.Keys.Site, domain.Place{Location: location}, "location"); err != nil {
			return store.Receipt{}, err
		}
	}
	var n quantity.Decimal
	if s, err := v.State.Task(task); err == nil {
		if n, err = a.amountOf(ctx, v.State, s.Line, q, "quantity"); err != nil {
			return store.Receipt{}, err
		}
	}
	proposed, err := a.proposed(ctx, v.State, task, location)
	if err != nil {
		return store.Receipt{}, err
	}
	return a.onDelivery(ctx, id, false, func(d domain.Inbound, now time.Time) ([]domain.InboundFact, error) {
		return domain.ConfirmPutaway(d, task, location, n, proposed(d), when(ctx, now))
	})
}

// Delivery returns one inbound delivery.
func (a *Inbound) Delivery(ctx context.Context, id string) (store.View[domain.Inbound], error) {
	return found(a.Deliveries.Get(ctx, id))
}

// ListDeliveries pages inbound deliveries by a declared index.
func (a *Inbound) ListDeliveries(ctx context.Context, q store.Query) (store.Page[domain.Inbound], error) {
	return a.Deliveries.List(ctx, q)
}

// messageMark is a message with its content, each part in fields of its own, as who takes it keeps
// it; empty for one without an id. A message may tell of several things, so its id alone does not
// say which one this is.
func messageMark[P any](src ident.SourceRef, parts []P, fields func(P) []string) string {
	if src.MessageID == "" {
		return ""
	}
	all := []string{src.System, src.MessageID, strconv.FormatInt(src.Sequence, 10)}
	for _, p := range parts {
		all = append(all, strings.Join(fields(p), "\x1f"))
	}
	return ident.Derive("m", all...)[2:22]
}

// fields are what tells one receipt from another.
func (g Received) fields() []string {
	return append([]string{
		strconv.Itoa(g.Line), g.SKU, g.SSCC, g.Quantity.Value.String(), g.Quantity.Unit, g.Place.Location, g.Place.Lot, g.Place.Expiry,
		strconv.FormatBool(g.Damaged),
	}, g.Serials...)
}
