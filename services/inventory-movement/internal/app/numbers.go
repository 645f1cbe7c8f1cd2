package app

import (
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// Numbers is where the numbers handed out are kept.
type Numbers = store.Aggregates[domain.Numbers, domain.NumbersFact]

// Foreign is where the SSCCs are kept that warehouses gave themselves.
type Foreign = store.Aggregates[domain.ForeignSSCC, domain.SSCCClaimed]

// SSCCs issues serial shipping container codes, and sees to it that a carton's is no other
// carton's. It takes a block of numbers in one commit and hands them out from memory; what
// is left of a block when the process ends is lost.
type SSCCs struct {
	numbers Numbers
	foreign Foreign
	block   int64
	mu      sync.Mutex
	pools   map[poolKey]*pool
}

type poolKey struct{ tenant, prefix string }

// pool is what this process may hand out of one prefix.
type pool struct {
	mu   sync.Mutex // held while a block is taken: others wait for the same block
	free []int64    // the next one last
}

// NewSSCCs returns an issuer that takes block numbers at a time.
func NewSSCCs(numbers Numbers, foreign Foreign, block int64) *SSCCs {
	return &SSCCs{numbers: numbers, foreign: foreign, block: block, pools: map[poolKey]*pool{}}
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
		i.pool.free = append(i.pool.free, i.number)
		i.pool.mu.Unlock()
	}
}

// Take issues an SSCC of a GS1 company prefix.
func (s *SSCCs) Take(ctx context.Context, prefix string) (Issued, error) {
	p := s.pool(poolKey{store.CauseOf(ctx).Tenant, prefix})
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.free) == 0 { // a block may hold nothing but numbers that warehouses used
		var err error
		if p.free, err = s.refill(ctx, prefix); err != nil {
			return Issued{}, err
		}
	}
	last := len(p.free) - 1
	number := p.free[last]
	p.free = p.free[:last]
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

// TakeFor issues an SSCC for a command that makes what has it: the same command is given the
// same one again.
func (s *SSCCs) TakeFor(ctx context.Context, prefix string) (string, error) {
	cause := store.CauseOf(ctx)
	for n := 0; ; n++ { // a number may be one that a warehouse used
		key := "sscc:" + cause.Principal + ":" + cause.Key + ":" + strconv.Itoa(n)
		free, err := s.take(guard.Derived(ctx, cause.Tenant, key, cause.KeyTime), prefix, 1)
		if err != nil {
			return "", err
		}
		if len(free) == 1 {
			return domain.SSCC(prefix, free[0])
		}
	}
}

// refill takes the next block, and leaves out what warehouses gave cartons themselves. Its
// key is new each time: a block whose outcome stays unknown is lost rather than handed out
// twice.
func (s *SSCCs) refill(ctx context.Context, prefix string) ([]int64, error) {
	cause := store.CauseOf(ctx)
	return s.take(store.WithCause(ctx, store.Cause{
		Tenant: cause.Tenant, Principal: "service:inventory-movement", Key: uuid.NewString(), Correlation: cause.Correlation,
	}), prefix, s.block)
}

// take takes the next count numbers of a prefix and returns those that no warehouse used, the
// first one last.
func (s *SSCCs) take(ctx context.Context, prefix string, count int64) ([]int64, error) {
	tenant := store.CauseOf(ctx).Tenant
	r, err := s.numbers.Update(ctx, numbersID(tenant, prefix), func(c store.Current[domain.Numbers]) (store.Decision[domain.NumbersFact], error) {
		facts, err := domain.TakeNumbers(c.State, prefix, count)
		d := store.Decision[domain.NumbersFact]{Facts: facts}
		if err == nil {
			taken := facts[0].(domain.NumbersTaken)
			d.Values = map[string]string{"first": strconv.FormatInt(taken.First, 10), "last": strconv.FormatInt(taken.Last, 10)}
		}
		return d, err
	})
	if err != nil {
		return nil, err
	}
	first, err := strconv.ParseInt(r.Values["first"], 10, 64)
	if err != nil {
		return nil, err
	}
	last, err := strconv.ParseInt(r.Values["last"], 10, 64)
	if err != nil {
		return nil, err
	}
	return s.unclaimed(ctx, tenant, prefix, first, last)
}

// unclaimed returns the numbers of a block that no warehouse used, the first one last.
func (s *SSCCs) unclaimed(ctx context.Context, tenant, prefix string, first, last int64) ([]int64, error) {
	numbers := map[string]int64{}
	ids := make([]string, 0, last-first+1)
	for n := last; n >= first; n-- {
		sscc, err := domain.SSCC(prefix, n)
		if err != nil {
			return nil, err
		}
		id := foreignID(tenant, sscc)
		ids = append(ids, id)
		numbers[id] = n
	}
	claimed, err := s.foreign.GetMany(ctx, ids)
	if err != nil {
		return nil, err
	}
	for _, v := range claimed {
		delete(numbers, v.ID)
	}
	free := make([]int64, 0, len(numbers))
	for _, id := range ids {
		if n, ok := numbers[id]; ok {
			free = append(free, n)
		}
	}
	return free, nil
}

// Claim gives a warehouse order, or a unit that others go into, an SSCC that the warehouse chose. First it claims, then it
// looks whether the number was handed out here; an issuer does the same the other way
// round, so that one of the two sees the other.
func (s *SSCCs) Claim(ctx context.Context, sscc, order string) error {
	tenant := store.CauseOf(ctx).Tenant
	_, err := s.foreign.Update(guard.Derived(ctx, tenant, "clm:"+order+":"+sscc, time.Time{}), foreignID(tenant, sscc),
		func(c store.Current[domain.ForeignSSCC]) (store.Decision[domain.SSCCClaimed], error) {
			facts, err := domain.ClaimSSCC(c.State, sscc, order)
			return store.Decision[domain.SSCCClaimed]{Facts: facts}, err
		})
	if err != nil {
		return err
	}
	var ids []string
	for _, prefix := range domain.Prefixes(sscc) {
		ids = append(ids, numbersID(tenant, prefix))
	}
	handedOut, err := s.numbers.GetMany(ctx, ids)
	if err != nil {
		return err
	}
	for _, v := range handedOut {
		if n, ok := domain.NumberOf(v.State.Prefix, sscc); ok && n <= v.State.Last {
			return domain.SSCCUsed(sscc)
		}
	}
	return nil
}

func numbersID(tenant, prefix string) string { return ident.Derive("num", tenant, prefix) }

func foreignID(tenant, sscc string) string { return ident.Derive("ssc", tenant, sscc) }
