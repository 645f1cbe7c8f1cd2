package app

import (
	"cmp"
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/faultpoint"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// SubmitCount takes what the caller counted. What is expected is what the ledger has as of the
// moment of counting, by event time: goods that moved since do not count against it. The moment is
// kept in milliseconds, rounded up, so that it is not before what was booked just then.
func (a *Counting) SubmitCount(ctx context.Context, id string, counted []Counted, now time.Time) (store.Receipt, error) {
	v, err := a.Count(ctx, id)
	if err != nil {
		return store.Receipt{}, err
	}
	cause := store.CauseOf(ctx)
	at := when(ctx, now)
	s := domain.Submission{By: cause.Principal, At: at.Add(time.Millisecond - 1).Truncate(time.Millisecond), Message: messageMark(cause.Source, counted, Counted.fields)}
	if at.After(now) {
		return store.Receipt{}, domain.Invalid("source.event_time", "TIME_INVALID", "it is not over yet")
	}
	if s.Places, err = a.counted(ctx, v.State.Keys, counted); err != nil {
		return store.Receipt{}, err
	}
	if err := a.expect(ctx, v.State.Keys, &s); err != nil {
		return store.Receipt{}, err
	}
	var known bool
	return a.onCount(ctx, id, false, func(c domain.Count, _ time.Time) ([]domain.CountFact, error) {
		facts, err := domain.SubmitCount(c, s)
		known = err == nil && len(facts) == 0
		return facts, err
	}, func(d *store.Decision[domain.CountFact], _ domain.Count) {
		recounts := 0
		for _, f := range d.Facts {
			for _, p := range f.(domain.CountSubmitted).Places {
				if p.Recount {
					recounts++
				}
			}
		}
		d.Values = map[string]string{"recounts": strconv.Itoa(recounts)}
		if known {
			d.Reasons = []store.Reason{{Code: "SUBMISSION_KNOWN", Field: "lines", Message: "what this tells was counted before"}}
		}
	})
}

// counted reads what was counted against master data and the places of the site.
func (a *Counting) counted(ctx context.Context, k domain.CountKeys, counted []Counted) ([]domain.CountedPlace, error) {
	var skus []string
	for _, c := range counted {
		skus = append(skus, c.SKU)
	}
	ref, err := a.Reference.Lookup(ctx, nil, skus)
	if err != nil {
		return nil, err
	}
	checked := map[string]bool{}
	out := make([]domain.CountedPlace, len(counted))
	for i, c := range counted {
		field := "lines[" + strconv.Itoa(i) + "]"
		item, ok := ref.Items[c.SKU]
		if !ok {
			return nil, domain.Invalid(field+".sku", "ITEM_UNKNOWN", "no item %q: define it in master data", c.SKU)
		}
		if err := checkPlace(c.Place, "location"); err != nil {
			return nil, under(field, err)
		}
		q := quantity.Quantity{Unit: item.BaseUnit}
		if c.Quantity.Value.Sign() != 0 { // an empty place is one in any unit
			if q, err = item.Base(c.Quantity, field+".quantity"); err != nil {
				return nil, err
			}
		}
		if q.Value.Sign() > 0 && !checked[c.Place.Location] {
			if err := a.takes(ctx, k.Site, c.Place.Location, field+".location"); err != nil {
				return nil, err
			}
			checked[c.Place.Location] = true
		}
		out[i] = domain.CountedPlace{CountPlace: domain.CountPlace{Item: item.ID, SKU: item.SKU, Unit: item.BaseUnit, Place: c.Place}, Quantity: q.Value}
		if err := a.tracked(ctx, k, item, out[i], field); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// tracked refuses goods that were found of which the item wants to know more.
func (a *Counting) tracked(ctx context.Context, k domain.CountKeys, item domain.Item, p domain.CountedPlace, field string) error {
	s, err := a.stockOf(ctx, k, item.ID)
	if err != nil {
		return err
	}
	if p.Place.Serial == "" && !s.Unnumbered(p.Place) && p.Quantity.Sign() <= 0 {
		return under(field, item.Tracked(s, p.Place, true)) // an empty place has no pieces
	}
	var serials []string
	if p.Place.Serial != "" {
		serials = []string{p.Place.Serial}
	}
	return under(field, item.Counted(s, p.Place, p.Quantity, serials))
}

// stockOf is the stock of an item; an empty one when there is none.
func (a *Counting) stockOf(ctx context.Context, k domain.CountKeys, item string) (domain.Stock, error) {
	v, err := a.Stocks.Get(ctx, StockID(store.CauseOf(ctx).Tenant, k.Site, item, k.Owner))
	if fault.IsKind(err, fault.NotFound) {
		err = nil
	}
	return v.State, err
}

// expect fills in what the ledger has. Whoever tells no moment counted now, and the books are at hand.
func (a *Counting) expect(ctx context.Context, k domain.CountKeys, s *domain.Submission) error {
	byItem := map[string][]int{}
	for i, p := range s.Places {
		byItem[p.Item] = append(byItem[p.Item], i)
	}
	for item, lines := range byItem {
		if store.CauseOf(ctx).Source.EventTime.IsZero() {
			now, err := a.stockOf(ctx, k, item)
			if err != nil {
				return err
			}
			for _, n := range lines {
				s.Places[n].Expected = s.Places[n].In(now)
			}
			continue
		}
		asked := make([]asOf, len(lines))
		for i, n := range lines {
			asked[i] = asOf{s.Places[n].CountPlace, s.At}
		}
		ledger, err := a.ledger(ctx, StockID(store.CauseOf(ctx).Tenant, k.Site, item, k.Owner), asked)
		if err != nil {
			return err
		}
		for i, n := range lines {
			s.Places[n].Expected = ledger[i].Expected
		}
	}
	return nil
}

// asOf is a place at a moment.
type asOf struct {
	domain.CountPlace
	at time.Time
}

// ledger is what a stock has at places as of moments, by event time as that is known now, and
// whether a count of later than that was posted there, or the books corrected otherwise.
func (a *Counting) ledger(ctx context.Context, stock string, asked []asOf) ([]domain.Ledger, error) {
	out := make([]domain.Ledger, len(asked))
	_, _, err := a.replay(ctx, stock, func(h Happening) bool {
		m, moved := h.Fact.(domain.StockMoved)
		for i, x := range asked {
			late := h.Happened.After(x.at)
			if moved && late && (x.CountPlace.At(m.From) || x.CountPlace.At(m.To)) {
				out[i].Superseded = out[i].Superseded || m.Count != ""
				out[i].Corrected = out[i].Corrected || m.Count == "" && m.Type == domain.Adjustment
			}
			for _, r := range h.Effect.Rows {
				if !late && x.CountPlace.At(r.Place) {
					out[i].Expected = out[i].Expected.Add(r.OnHand)
				}
			}
		}
		return true
	})
	return out, err
}

// PostCount has the ledger follow what was counted. may says whether the caller may approve what
// is above the limit.
func (a *Counting) PostCount(ctx context.Context, id, reason string, may bool, now time.Time) (store.Receipt, error) {
	reason = cmp.Or(reason, domain.CountReason)
	if err := a.reasoned(ctx, reason, now); err != nil {
		return store.Receipt{}, err
	}
	v, err := a.Count(ctx, id)
	if err != nil {
		return store.Receipt{}, err
	}
	ledger, err := a.unposted(ctx, v.State)
	if err != nil {
		return store.Receipt{}, err
	}
	return a.onCount(ctx, id, false, func(c domain.Count, _ time.Time) ([]domain.CountFact, error) {
		if c.Counted() != v.State.Counted() || c.Attempt != v.State.Attempt {
			return nil, fault.New(fault.Unavailable, "COUNT_CONTENDED", "something was counted in between: try again").After(time.Second)
		}
		return domain.ApproveCount(c, store.CauseOf(ctx).Principal, may, reason, ledger)
	}, func(d *store.Decision[domain.CountFact], c domain.Count) {
		n := 0
		for _, l := range c.Lines {
			if l.Posting {
				n++
			}
		}
		d.Values = map[string]string{"adjustments": strconv.Itoa(n)}
	})
}

// unposted is what the ledger says of the lines that are not posted, by their numbers.
func (a *Counting) unposted(ctx context.Context, c domain.Count) (map[int]domain.Ledger, error) {
	asked, numbers := map[string][]asOf{}, map[string][]int{}
	for i, l := range c.Lines {
		if k, counted := l.Last(); counted && !l.Posted {
			asked[l.Item] = append(asked[l.Item], asOf{l.CountPlace, time.UnixMilli(k.At)})
			numbers[l.Item] = append(numbers[l.Item], i+1)
		}
	}
	out := map[int]domain.Ledger{}
	for item, of := range asked {
		ledger, err := a.ledger(ctx, StockID(store.CauseOf(ctx).Tenant, c.Keys.Site, item, c.Keys.Owner), of)
		if err != nil {
			return nil, err
		}
		for i, n := range numbers[item] {
			out[n] = ledger[i]
		}
	}
	return out, nil
}

// changesAtOnce is how many adjustments of a stock are one commit: their refusals are to fit into
// its receipt.
const changesAtOnce = 4

// FollowApproved carries what was counted into stock, and tells the count what came of it.
func (a *Counting) FollowApproved(ctx context.Context, f domain.CountApproved) error {
	if err := faultpoint.Hit(faultpoint.X3); err != nil {
		return err
	}
	changes, keys := map[string][]domain.CountChange{}, map[string]domain.StockKey{}
	for _, x := range f.Adjustments {
		if x.Superseded || x.Anew || x.Variance.IsZero() {
			continue
		}
		key := keyOf(ctx, f.Site, f.Owner, x.Item, x.SKU, x.Unit)
		keys[key.ID] = key
		changes[key.ID] = append(changes[key.ID], domain.CountChange{Line: x.Line, Place: x.Place, Change: x.Variance, At: x.At})
	}
	return a.each(ctx, keysOf(changes), func(ctx context.Context, stock string) error {
		outcomes, err := a.postCount(ctx, keys[stock], f, domain.GainsFirst(changes[stock]))
		if err != nil {
			return err
		}
		_, err = a.onCount(store.WithItem(ctx, "adjusted"), f.ID, false, func(c domain.Count, _ time.Time) ([]domain.CountFact, error) {
			return domain.RecordAdjusted(c, f.Attempt, keys[stock].Item, outcomes), nil
		}, nil)
		return err
	})
}

// postCount adjusts one stock, some places a commit. What was refused stands in the receipts, so
// that whoever does it again is told the same.
func (a *Counting) postCount(ctx context.Context, key domain.StockKey, f domain.CountApproved, changes []domain.CountChange) ([]domain.CountOutcome, error) {
	var all []domain.CountOutcome
	for n := 0; len(changes) > 0; n++ {
		some := changes[:min(len(changes), changesAtOnce)]
		changes = changes[len(some):]
		if err := a.elsewhere(ctx, key, some); err != nil {
			return nil, err
		}
		var refused []domain.CountOutcome
		r, err := a.onStock(store.WithItem(ctx, "count/"+strconv.Itoa(n)), key.ID, func(s domain.Stock, _ time.Time) ([]domain.StockFact, error) {
			facts, outcomes := domain.TakeCount(s, key, f.ID, f.Reason, some)
			refused = outcomes
			return facts, nil
		}, func(d *store.Decision[domain.StockFact], _ domain.Stock) {
			d.Values = map[string]string{}
			for _, o := range refused {
				if o.Refusal != "" {
					d.Values[strconv.Itoa(o.Line)] = strings.Join(append([]string{o.Refusal}, o.HeldBy...), "\n")
				}
			}
		})
		if err != nil {
			return nil, err
		}
		for _, c := range some {
			o := domain.CountOutcome{Line: c.Line}
			if why, holders, held := strings.Cut(r.Values[strconv.Itoa(c.Line)], "\n"); held {
				o.Refusal, o.HeldBy = why, strings.Split(holders, "\n")
			} else {
				o.Refusal = why
			}
			all = append(all, o)
		}
	}
	return all, nil
}

// elsewhere finds pieces that were counted and are in the books of another stock.
func (a *Counting) elsewhere(ctx context.Context, key domain.StockKey, changes []domain.CountChange) error {
	for i, c := range changes {
		if c.Place.Serial == "" || c.Change.Sign() < 0 {
			continue
		}
		refusal, err := a.claimable(ctx, key, c.Place.Serial)
		if err != nil {
			return err
		}
		if refusal != nil {
			changes[i].Refusal = refusal.Reason
		}
	}
	return nil
}

// fields are what tells one place that was counted from another.
func (c Counted) fields() []string {
	all := []string{
		c.SKU, c.Place.Location, c.Place.Lot, c.Place.Expiry, string(c.Place.Status), c.Quantity.Value.String(), c.Quantity.Unit,
	}
	if c.Place.Serial != "" {
		all = append(all, c.Place.Serial)
	}
	return all
}
