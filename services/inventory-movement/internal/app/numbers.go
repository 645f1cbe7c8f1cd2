package app

import (
	"context"
	"strconv"
	"sync"

	"github.com/google/uuid"

	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// Numbers is where the numbers handed out are kept.
type Numbers = store.Aggregates[domain.Numbers, domain.NumbersFact]

// SSCCs issues serial shipping container codes. It takes a block of numbers in one commit
// and hands them out from memory; what is left of a block when the process ends is lost.
type SSCCs struct {
	numbers Numbers
	block   int64
	mu      sync.Mutex
	pools   map[poolKey]*pool
}

type poolKey struct{ tenant, prefix string }

// pool is what this process may hand out of one prefix.
type pool struct {
	mu         sync.Mutex // held while a block is taken: others wait for the same block
	next, last int64
	back       []int64 // taken and not used
}

// NewSSCCs returns an issuer that takes block numbers at a time.
func NewSSCCs(numbers Numbers, block int64) *SSCCs {
	return &SSCCs{numbers: numbers, block: block, pools: map[poolKey]*pool{}}
}

// Issued is an SSCC that was taken.
type Issued struct {
	SSCC   string
	number int64
	pool   *pool
}

// GiveBack returns an SSCC that is certain not to have been used.
func (i Issued) GiveBack() {
	if i.pool != nil {
		i.pool.mu.Lock()
		i.pool.back = append(i.pool.back, i.number)
		i.pool.mu.Unlock()
	}
}

// Take issues an SSCC of a GS1 company prefix.
func (s *SSCCs) Take(ctx context.Context, prefix string) (Issued, error) {
	p := s.pool(poolKey{store.CauseOf(ctx).Tenant, prefix})
	p.mu.Lock()
	defer p.mu.Unlock()
	number := int64(0)
	switch {
	case len(p.back) > 0:
		number, p.back = p.back[len(p.back)-1], p.back[:len(p.back)-1]
	case p.next == 0 || p.next > p.last:
		if err := s.refill(ctx, p, prefix); err != nil {
			return Issued{}, err
		}
		fallthrough
	default:
		number = p.next
		p.next++
	}
	sscc, err := domain.SSCC(prefix, number)
	return Issued{sscc, number, p}, err
}

func (s *SSCCs) pool(k poolKey) *pool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pools[k] == nil {
		s.pools[k] = &pool{}
	}
	return s.pools[k]
}

// refill takes the next block. Its key is new each time: a block whose outcome stays
// unknown is lost rather than handed out twice.
func (s *SSCCs) refill(ctx context.Context, p *pool, prefix string) error {
	tenant := store.CauseOf(ctx).Tenant
	ctx = store.WithCause(ctx, store.Cause{
		Tenant: tenant, Principal: "service:inventory-movement", Key: uuid.NewString(), Correlation: store.CauseOf(ctx).Correlation,
	})
	r, err := s.numbers.Update(ctx, ident.Derive("num", tenant, prefix), func(c store.Current[domain.Numbers]) (store.Decision[domain.NumbersFact], error) {
		facts, err := domain.TakeNumbers(c.State, prefix, s.block)
		d := store.Decision[domain.NumbersFact]{Facts: facts}
		if err == nil {
			taken := facts[0].(domain.NumbersTaken)
			d.Values = map[string]string{"first": strconv.FormatInt(taken.First, 10), "last": strconv.FormatInt(taken.Last, 10)}
		}
		return d, err
	})
	if err != nil {
		return err
	}
	if p.next, err = strconv.ParseInt(r.Values["first"], 10, 64); err == nil {
		p.last, err = strconv.ParseInt(r.Values["last"], 10, 64)
	}
	return err
}
