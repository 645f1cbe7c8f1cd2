package app

import (
	"context"
	"strconv"

	"golang.org/x/sync/errgroup"
	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/authority"
	"github.com/lockstep-logistics/lockstep/libs/authority/owners"
	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/order-release/internal/domain"
)

// Document is an order as its source system states it.
type Document struct {
	Header domain.Header
	Lines  []domain.Line
	Asked  proto.Message // as it was asked for
}

// Submit takes an order: valid or rejected with all its reasons, it is kept.
func (a *App) Submit(ctx context.Context, d Document) (store.Receipt, error) {
	if err := a.maySubmit(ctx, d.Header); err != nil {
		return store.Receipt{}, err
	}
	v, err := a.Owners.Judge(owners.Says(ctx, "SubmitOrder", d.Asked), ofOrders)
	if err != nil {
		return store.Receipt{}, err
	}
	policy, err := a.Policies.of(ctx)
	if err != nil {
		return store.Receipt{}, err
	}
	ref, err := a.Reference.Lookup(ctx, d.Header, d.Lines, policy.rules.Sites())
	if err != nil {
		return store.Receipt{}, err
	}
	ref.Rules = policy.rules
	header, lines, sourcing, reasons := domain.ValidateAndSource(d.Header, d.Lines, ref)
	id := OrderID(store.CauseOf(ctx).Tenant, d.Header.Source, d.Header.Number)
	return a.Orders.Update(ctx, id, func(c store.Current[domain.Order]) (store.Decision[domain.Fact], error) {
		word, flaws := v, reasons
		if v.Rule == authority.Observe && !c.State.Taken() { // there is no order yet: it is kept as one that nobody carries out
			word, flaws = authority.Verdict{}, append([]domain.Reason{notOurs(v)}, reasons...)
		}
		return a.judged(ctx, c, domain.Env{Sourcing: sourcing}, word, func(o domain.Order, e domain.Env) ([]domain.Fact, error) {
			return o.Submit(e, id, header, lines, flaws)
		})
	})
}

// maySubmit checks that the caller may speak for the source system and the buying party.
func (a *App) maySubmit(ctx context.Context, h domain.Header) error {
	caller, _ := guard.CallerOf(ctx)
	if !caller.SpeaksFor(h.Source) {
		return fault.New(fault.Denied, "SOURCE_NOT_ALLOWED", "the caller may not submit orders of %q", h.Source)
	}
	own, limited, err := a.ownParty(ctx)
	if err != nil {
		return err
	}
	if limited && h.SoldTo.Code != own {
		return fault.New(fault.Denied, "PARTY_NOT_ALLOWED", "the caller may only order for its own party")
	}
	return nil
}

// ownParty returns the code of the party to which the caller is limited.
func (a *App) ownParty(ctx context.Context) (code string, limited bool, err error) {
	caller, _ := guard.CallerOf(ctx)
	if caller.Party == "" {
		return "", false, nil
	}
	code, err = a.Reference.PartyCode(ctx, caller.Party)
	if err == nil && code == "" {
		err = fault.New(fault.Denied, "PARTY_NOT_ALLOWED", "the caller's party is unknown")
	}
	return code, true, err
}

// Result is the outcome of one order of a batch.
type Result struct {
	Receipt store.Receipt
	Err     error
}

// parallel bounds the orders of one batch that are taken at a time; the store combines their commits.
const parallel = 64

// SubmitBatch takes orders, each on its own under the key "<key>/<index>". Documents of one
// order number run in their order.
func (a *App) SubmitBatch(ctx context.Context, docs []Document) []Result {
	results := make([]Result, len(docs))
	byNumber := map[[2]string][]int{}
	for i, d := range docs {
		k := [2]string{d.Header.Source, d.Header.Number}
		byNumber[k] = append(byNumber[k], i)
	}
	var group errgroup.Group
	group.SetLimit(parallel)
	for _, same := range byNumber {
		group.Go(func() error {
			for _, i := range same {
				results[i].Receipt, results[i].Err = a.Submit(store.WithItem(ctx, strconv.Itoa(i)), docs[i])
			}
			return nil
		})
	}
	_ = group.Wait() // the errors are in the results
	return results
}
