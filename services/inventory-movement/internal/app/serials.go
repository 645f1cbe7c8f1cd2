package app

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// Serials is where it is kept which stock may have a piece.
type Serials = store.Aggregates[domain.Serial, domain.SerialClaimed]

// SerialID derives the id of a serial number of an item.
func SerialID(tenant, item, serial string) string { return ident.Derive("ser", tenant, item, serial) }

// claimRounds is how often claims are made anew that others took in between.
const claimRounds = 8

// errUnclaimed says that pieces come into a stock whose claims are missing; nothing is decided.
var errUnclaimed = fault.New(fault.Unavailable, "SERIAL_CONTENDED", "others claim the serial number: send the same again later")

// entry is how pieces come into a stock.
type entry struct {
	command  bool   // a person's, which is refused; else a report of what happened
	delivery string // under which they were received
}

// admission makes the claims of pieces that come into one stock, and lets them in by these.
type admission struct {
	a      *App
	how    entry
	claims map[string]domain.SerialClaim
	voided map[string]int // claims that were given up meanwhile
	wanted []string
	key    domain.StockKey
	since  uint64 // version of the stock
}

func (a *App) admission(how entry) *admission {
	return &admission{a: a, how: how, claims: map[string]domain.SerialClaim{}, voided: map[string]int{}}
}

// enter changes a stock that pieces may come into. What is refused without them is refused before
// anything is claimed, and a command that was taken before is answered by its receipt.
func (a *App) enter(ctx context.Context, id string, how entry, decide decideStock, qualify func(*store.Decision[domain.StockFact], domain.Stock)) (store.Receipt, error) {
	in := a.admission(how)
	for range claimRounds {
		r, err := a.Stocks.Update(ctx, id, func(c store.Current[domain.Stock]) (store.Decision[domain.StockFact], error) {
			facts, err := decide(c.State, c.Now)
			if err == nil {
				facts, err = in.admit(c.State, c.Version, facts)
			}
			return settled(c, facts, err, qualify)
		})
		if !errors.Is(err, errUnclaimed) {
			return r, err
		}
		if err := in.claim(ctx); err != nil {
			return store.Receipt{}, err
		}
	}
	return store.Receipt{}, errUnclaimed
}

// admit lets pieces in as far as their claims are made.
func (in *admission) admit(s domain.Stock, version uint64, facts []domain.StockFact) ([]domain.StockFact, error) {
	if !domain.Entering(facts) {
		return facts, nil
	}
	let, wanted, err := domain.Admit(s, facts, in.claims, !in.how.command)
	if len(wanted) > 0 && err == nil {
		in.wanted, in.since, err = wanted, version, errUnclaimed
		for _, f := range facts {
			if m, ok := f.(domain.StockMoved); ok {
				in.key = m.StockKey
			}
		}
	}
	return let, err
}

// claim makes the claims that are missing.
func (in *admission) claim(ctx context.Context) error {
	var mu sync.Mutex
	var group errgroup.Group
	group.SetLimit(in.a.Parallel)
	for _, serial := range in.wanted {
		voided := 0
		if c, known := in.claims[serial]; known {
			voided = c.Number
		}
		group.Go(func() error {
			c, err := in.a.claimSerial(ctx, domain.Serial{Number: serial, Stock: in.key, Since: in.since}, voided, in.how.delivery)
			mu.Lock()
			in.claims[serial] = c
			mu.Unlock()
			return err
		})
	}
	return group.Wait()
}

// claimSerial claims a piece for a stock and returns the number of the claim; voided is one that the
// stock gave up. A claim that the stock has is used again, by whichever command it was made.
func (a *App) claimSerial(ctx context.Context, want domain.Serial, voided int, delivery string) (domain.SerialClaim, error) {
	cause := store.CauseOf(ctx)
	id := SerialID(cause.Tenant, want.Stock.Item, want.Number)
	for range claimRounds {
		v, err := a.Serials.Get(ctx, id)
		if err != nil && !fault.IsKind(err, fault.NotFound) {
			return domain.SerialClaim{}, err
		}
		is := v.State
		ours := is.Stock.ID == want.Stock.ID
		switch {
		case is.Claim == 0, ours && is.Claim == voided:
		case ours && (is.Delivery == want.Delivery || is.Delivery == delivery): // it may come into the books now
			return domain.SerialClaim{Number: is.Claim}, nil
		default:
			refusal, err := a.vacate(ctx, id, is)
			if refusal != nil || err != nil {
				return domain.SerialClaim{Refusal: refusal}, err
			}
		}
		want.Claim = is.Claim + 1
		if cause.Validate {
			return domain.SerialClaim{Number: want.Claim}, nil
		}
		key := fmt.Sprintf("serial:%s:%d:%s:%s", id, want.Claim, want.Stock.ID, want.Delivery)
		_, err = a.Serials.Update(guard.Derived(ctx, cause.Tenant, key, time.Time{}), id, func(c store.Current[domain.Serial]) (store.Decision[domain.SerialClaimed], error) {
			if c.State.Claim != is.Claim {
				return store.Decision[domain.SerialClaimed]{}, errUnclaimed
			}
			want.At = c.Now
			return store.Decision[domain.SerialClaimed]{Facts: []domain.SerialClaimed{domain.SerialClaimed(want)}}, nil
		})
		if !errors.Is(err, errUnclaimed) {
			return domain.SerialClaim{Number: want.Claim}, err
		}
	}
	return domain.SerialClaim{}, errUnclaimed
}

// booked says that the books have what was received under a delivery: whoever wants the piece asks
// the stock alone from now on.
func (a *App) booked(ctx context.Context, key domain.StockKey, serial, delivery string) error {
	tenant := store.CauseOf(ctx).Tenant
	id := SerialID(tenant, key.Item, serial)
	v, err := a.Serials.Get(ctx, id)
	if fault.IsKind(err, fault.NotFound) {
		return nil // it was received before anybody claimed
	}
	if err != nil || v.State.Stock.ID != key.ID || v.State.Delivery != delivery {
		return err
	}
	ctx = guard.Derived(ctx, tenant, fmt.Sprintf("serial:%s:%d:booked", id, v.State.Claim), time.Time{})
	_, err = a.Serials.Update(ctx, id, func(c store.Current[domain.Serial]) (store.Decision[domain.SerialClaimed], error) {
		return store.Decision[domain.SerialClaimed]{Facts: domain.BookedIn(c.State, v.State.Claim, c.Now)}, nil
	})
	return err
}

// claimable says why a piece cannot come into a stock: it is in the books of another; nil if it can.
func (a *App) claimable(ctx context.Context, key domain.StockKey, serial string) (*fault.Error, error) {
	cause := store.CauseOf(ctx)
	cause.Validate = true
	c, err := a.claimSerial(store.WithCause(ctx, cause), domain.Serial{Number: serial, Stock: key}, 0, "")
	return c.Refusal, err
}

// vacate has the stock that holds a claim give it up, or says where the piece is.
func (a *App) vacate(ctx context.Context, id string, is domain.Serial) (*fault.Error, error) {
	cause := store.CauseOf(ctx)
	v, err := a.Stocks.Get(ctx, is.Stock.ID)
	if err != nil && !fault.IsKind(err, fault.NotFound) {
		return nil, err
	}
	if at, stands := v.State.Standing(is.Number); stands {
		return domain.SerialElsewhere(is.Stock, at), nil
	}
	if refusal, err := a.underway(ctx, is); refusal != nil || err != nil || cause.Validate {
		return refusal, err
	}
	var refusal *fault.Error
	key := "serial:" + id + ":" + strconv.Itoa(is.Claim) + ":void"
	_, err = a.Stocks.Update(guard.Derived(ctx, cause.Tenant, key, time.Time{}), is.Stock.ID, func(c store.Current[domain.Stock]) (store.Decision[domain.StockFact], error) {
		refusal = nil
		facts, at, stands := domain.VoidClaim(c.State, is)
		if stands {
			refusal = domain.SerialElsewhere(is.Stock, at)
			return store.Decision[domain.StockFact]{}, errUnclaimed // nothing is stored; the refusal is told
		}
		return store.Decision[domain.StockFact]{Facts: facts}, nil
	})
	if refusal != nil && errors.Is(err, errUnclaimed) {
		return refusal, nil
	}
	return nil, err
}

// underway says that a piece is received under a delivery, or is just being.
func (a *App) underway(ctx context.Context, is domain.Serial) (*fault.Error, error) {
	if is.Delivery == "" {
		return nil, nil //nolint:nilnil // it is not
	}
	v, err := a.Inbounds.Get(ctx, is.Delivery)
	if err != nil && !fault.IsKind(err, fault.NotFound) {
		return nil, err
	}
	at, has := v.State.Piece(is.Stock.Item, is.Number)
	at.Serial = is.Number
	if !has && !is.Underway(a.Clock.Now()) {
		return nil, nil //nolint:nilnil // it was not received after all
	}
	return domain.SerialElsewhere(is.Stock, at), nil
}

// Piece is where a piece is and how it came there.
type Piece struct {
	Item   domain.Item
	Serial string
	Stock  domain.StockKey // that it stands in
	Place  *domain.Place   // nil: at no site
	Order  string          // that has it
	Moves  []PieceMove
	Next   Trail // zero at the end
}

// PieceMove is a movement of a piece.
type PieceMove struct {
	domain.Movement
	Recorded time.Time
	Cause    store.Cause
}

// Trail is a place in the story of a piece: behind a version of the stock of one of its claims, and
// so many facts of the next one.
type Trail struct {
	Claim   int // from 1
	Version uint64
	Skip    int
}

// TraceSerial tells where a piece is, and pages through its movements: of each stock that claimed it,
// in the order of the claims, from the version on that the stock had then.
func (a *App) TraceSerial(ctx context.Context, sku, serial string, after Trail, limit int) (Piece, error) {
	tenant := store.CauseOf(ctx).Tenant
	p := Piece{Serial: serial, Item: domain.Item{ID: ItemID(tenant, sku), SKU: sku}}
	v, err := found(a.Serials.Get(ctx, SerialID(tenant, p.Item.ID, serial)))
	if err != nil {
		return p, err
	}
	if err := a.stands(ctx, v.State, &p); err != nil {
		return p, err
	}
	claims, err := a.claimsOf(ctx, v.ID, v.Version)
	if err != nil {
		return p, err
	}
	at := Trail{Claim: 1}
	if after.Claim > 0 {
		at = after
	}
	for reads := 0; at.Claim <= len(claims); at = (Trail{Claim: at.Claim + 1}) {
		at.Version = max(at.Version, claims[at.Claim-1].Since)
		for more := true; more; reads++ {
			if reads >= tracedAtOnce || len(p.Moves) >= limit {
				p.Next = at
				return p, nil
			}
			if more, err = a.pieceMoves(ctx, claims, &at, limit, &p); err != nil {
				return p, err
			}
		}
	}
	return p, nil
}

// tracedAtOnce is how many hundred commits one page of a story reads at most.
const tracedAtOnce = 20

// stands looks where a piece is.
func (a *App) stands(ctx context.Context, is domain.Serial, p *Piece) error {
	v, err := a.Stocks.Get(ctx, is.Stock.ID)
	if fault.IsKind(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	p.Stock = v.State.Key
	if at, stands := v.State.Standing(is.Number); stands {
		p.Place, p.Order = &at, v.State.Holder(is.Number)
	}
	return nil
}

// claimsOf are the claims on a piece, one a stay in a stock: the claim by which it came into the
// books after it was received follows the one by which it was received.
func (a *App) claimsOf(ctx context.Context, id string, version uint64) ([]domain.Serial, error) {
	var all []domain.Serial
	for at := uint64(0); at < version; {
		commits, err := a.Serials.History(ctx, id, at, commitsAtOnce)
		if err != nil {
			return nil, err
		}
		if len(commits) == 0 {
			break
		}
		for _, c := range commits {
			at = c.Version
			for _, f := range c.Facts {
				if n := len(all); n > 0 && all[n-1].Stock.ID == f.Stock.ID {
					continue
				}
				all = append(all, domain.Serial(f))
			}
		}
	}
	return all, nil
}

// until is the version up to which a stay is told: the next one in the same stock goes on from there.
func until(claims []domain.Serial, at int) uint64 {
	for _, c := range claims[at:] {
		if c.Stock.ID == claims[at-1].Stock.ID {
			return c.Since
		}
	}
	return 0
}

// pieceMoves adds the movements of a piece in the next versions of the stock of one of its claims,
// and says whether there may be more.
func (a *App) pieceMoves(ctx context.Context, claims []domain.Serial, at *Trail, limit int, p *Piece) (more bool, err error) {
	claim, last := claims[at.Claim-1], until(claims, at.Claim)
	commits, err := a.Stocks.History(ctx, claim.Stock.ID, at.Version, commitsAtOnce)
	if err != nil {
		return false, err
	}
	version, index := at.Version, 0
	for _, c := range commits {
		if last > 0 && c.Version > last {
			return false, nil
		}
		if c.Version != version {
			if index > 0 {
				at.Version, at.Skip = version, 0
			}
			version, index = c.Version, 0
		}
		for _, f := range c.Facts {
			if index++; index <= at.Skip && version == at.Version+1 {
				continue
			}
			m, ok := f.(domain.StockMoved)
			if !ok || m.From.Serial != claim.Number && m.To.Serial != claim.Number {
				continue
			}
			p.Moves = append(p.Moves, PieceMove{domain.Movement{Ref: domain.MoveRef{Version: version, Index: index - 1}, StockMoved: m}, c.Recorded, c.Cause})
			if len(p.Moves) == limit {
				at.Version, at.Skip = version-1, index
				return true, nil
			}
		}
	}
	at.Version, at.Skip = version, 0
	return len(commits) > 0, nil
}
