package domain

import (
	"cmp"
	"slices"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// MoveRef names a movement of a stock: the version that it was committed with, and its place
// among the facts of that version. The zero value names none.
type MoveRef struct {
	Version uint64 `bson:"v"`
	Index   int    `bson:"i,omitempty"`
}

// compare orders movements as they were committed.
func (r MoveRef) compare(o MoveRef) int {
	return cmp.Or(cmp.Compare(r.Version, o.Version), cmp.Compare(r.Index, o.Index))
}

// maxReversals bounds the reversed movements that a stock knows. Once it knows so many, what is
// older than the first of them stays as it is.
const maxReversals = 500

// reversedBy knows the movement that another takes back; not of a goods issue, of which a part may
// come back, and the rest later.
func (s Stock) reversedBy(f StockMoved) Stock {
	if f.Type == IssueReversal {
		return s
	}
	return s.reversed(f.Reverses)
}

// reversed has one more reversed movement, in the order in which they were committed.
func (s Stock) reversed(m MoveRef) Stock {
	at, known := slices.BinarySearchFunc(s.Reversed, m, MoveRef.compare)
	if known || m == (MoveRef{}) {
		return s
	}
	s.Reversed = slices.Insert(slices.Clone(s.Reversed), at, m)
	s.Reversed = s.Reversed[max(0, len(s.Reversed)-maxReversals):]
	return s
}

// ChangeStatus gives goods of one place another status. Only what is neither allocated nor
// promised can lose the status AVAILABLE; what is allocated keeps the one that it has.
func ChangeStatus(s Stock, from Place, to Status, q quantity.Decimal, reason string, at time.Time) ([]StockFact, error) {
	switch {
	case from.Status == to:
		return nil, Invalid("to_status", "STATUS_INVALID", "it is %s already", to)
	case from.Status == Returned:
		return nil, Invalid("from_status", "STATUS_INVALID", "what becomes of returned goods is decided by their return")
	case to == Returned:
		return nil, Invalid("to_status", "STATUS_INVALID", "goods are RETURNED by a return only")
	}
	other := from
	other.Status = to
	return Transfer(s, from, other, q, reason, at)
}

// Reverse takes a movement back by another one the other way round, which names it; what was
// stays. A movement is reversed once, while its goods stand where it brought them and nobody
// else has them. Movements that documents tell of (receipts, picks, issues, returns, counts, transfers) are
// corrected by these.
func Reverse(s Stock, ref MoveRef, was StockMoved, reason string, at time.Time) ([]StockFact, error) {
	switch {
	case slices.Contains(s.Reversed, ref):
		return nil, fault.New(fault.Refused, "MOVEMENT_REVERSED", "movement %d.%d was reversed already", ref.Version, ref.Index)
	case len(s.Reversed) >= maxReversals && ref.compare(s.Reversed[0]) < 0:
		return nil, fault.New(fault.Refused, "MOVEMENT_NOT_REVERSIBLE", "movement %d.%d is too old to be reversed: adjust instead", ref.Version, ref.Index)
	case !was.reversible():
		return nil, fault.New(fault.Refused, "MOVEMENT_NOT_REVERSIBLE", "a movement %s of this kind is corrected by what told of it", was.Type)
	}
	from, to := was.To, was.From
	if !from.outside() {
		if err := s.leaves(from, to, was.Quantity); err != nil {
			return nil, err
		}
	}
	if err := s.room(s.Key); err != nil {
		return nil, err
	}
	return []StockFact{StockMoved{
		StockKey: s.Key, Type: was.Type, From: from, To: to, Quantity: was.Quantity, Reason: reason, Reverses: ref, At: at,
	}}, nil
}

// reversible reports whether somebody moved the goods by hand, for no document.
func (f StockMoved) reversible() bool {
	byHand := f.Type == StatusChange || f.Type == Move || f.Type == Adjustment
	return byHand && f.Order == "" && f.RMA == "" && f.Count == "" && f.Transfer == "" && f.Reverses == MoveRef{}
}

// leaves checks that goods may go from one place to another: nothing that is allocated does, and
// what is promised stays where it can be.
func (s Stock) leaves(from, to Place, q quantity.Decimal) error {
	if all, free := s.onHand(from); all.Less(q) || free.Less(q) || from.sellable() && !to.sellable() {
		return s.spare(from, q)
	}
	return nil
}
