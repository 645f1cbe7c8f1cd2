package checker

import (
	"fmt"
	"math/big"

	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	orv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	retv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/returns/v1"
)

// returned checks one return: after every commit no more was inspected or disposed of than
// came, restocked than was accepted, or credited than was accepted and authorised; it ends with
// nothing open (I6). Credits add up and are confirmed once, as they were asked for (I3).
func (c *checker) returned(facts [][]*fact) {
	r := &returnFold{Return: &retv1.Return{}}
	for _, of := range facts {
		for _, f := range of {
			if m, ok := f.msg.(*retv1.CreditConfirmed); ok {
				r.confirms(m, c.broken("I3", f))
			}
			r.apply(f)
			switch m := f.msg.(type) {
			case *retv1.CreditRequested:
				c.credit(f, m, r)
			case *retv1.ReturnReceiptRecorded:
				within := new(big.Rat).Sub(value(m.GetQuantity(), ignore), number(orNone(m.GetExcess()), ignore))
				c.note(effect, f, comesBackOf, within, r.OrderId, r.line(m.GetBookedLineNumber()).OrderLineNumber)
			case *retv1.ReturnCompleted:
				r.done(c.broken("I6", f))
			}
		}
		if n := len(of); n > 0 {
			r.balance(c.broken("I6", of[n-1]))
		}
	}
}

func orNone(q *commonv1.Quantity) string {
	if q.GetValue() == "" {
		return "0"
	}
	return q.GetValue()
}

// balance checks the figures of each line.
func (r *returnFold) balance(bad func(string, ...any)) {
	for _, l := range r.Lines {
		of := func(text string) *big.Rat { return number(text, bad) }
		below := func(what string, part, whole *big.Rat) {
			if part.Cmp(whole) > 0 {
				bad("line %d: %s, %s of %s", l.RmaLineNumber, what, part.RatString(), whole.RatString())
			}
		}
		received, accepted := of(l.Received), of(l.Accepted)
		below("more is inspected than came", new(big.Rat).Add(accepted, of(l.Rejected)), received)
		below("more is disposed of than came", new(big.Rat).Sub(received, of(l.Disposed.Pending)), received)
		below("more is restocked than was accepted", of(l.Disposed.Restocked), accepted)
		below("more went back than was not accepted", of(l.Disposed.ToCustomer), new(big.Rat).Sub(received, accepted))
		below("more is credited than was accepted", of(l.Credited), accepted)
		below("more is credited than was authorised", of(l.Credited), of(l.Authorised))
	}
}

// done checks that nothing is open of a return that is completed.
func (r *returnFold) done(bad func(string, ...any)) {
	for _, l := range r.Lines {
		if inspected := add(l.Accepted, l.Rejected); l.Disposed.Pending != "0" || inspected != l.Received {
			bad("is completed, and of %s of line %d %s are inspected and %s not disposed of", l.Received, l.RmaLineNumber, inspected, l.Disposed.Pending)
		}
	}
	for _, credit := range r.Credits {
		if credit.State != retv1.CreditState_CREDIT_STATE_CONFIRMED {
			bad("is completed, and credit %d is not confirmed", credit.CreditNumber)
		}
	}
}

// confirms checks the ERP's word on a credit, unless it is marked as a contradiction.
func (r *returnFold) confirms(m *retv1.CreditConfirmed, bad func(string, ...any)) {
	if len(m.GetContradictions()) > 0 {
		return
	}
	for _, credit := range r.Credits {
		if credit.CreditNumber != m.GetCreditNumber() {
			continue
		}
		if credit.State == retv1.CreditState_CREDIT_STATE_CONFIRMED {
			bad("credit %d is confirmed again", credit.CreditNumber)
		}
		if credit.Net.GetAmountMinor() != m.GetAmount().GetAmountMinor() || credit.Net.GetCurrency() != m.GetAmount().GetCurrency() {
			bad("%v is confirmed of %v credited", m.GetAmount(), credit.Net)
		}
		return
	}
	bad("credit %d is confirmed and was never asked for", m.GetCreditNumber())
}

// credit checks that a credit is the sum of its lines, no line more than was paid for what is
// held of it, and notes what the order's price allows.
func (c *checker) credit(f *fact, m *retv1.CreditRequested, r *returnFold) {
	bad := c.broken("I3", f)
	for _, s := range []struct {
		what string
		of   func(*retv1.CreditLine) *commonv1.Money
		sum  *commonv1.Money
	}{
		{"gross", (*retv1.CreditLine).GetGross, m.GetGross()}, {"fee", (*retv1.CreditLine).GetFee, m.GetFee()}, {"net", (*retv1.CreditLine).GetNet, m.GetNet()},
	} {
		if total, _ := sum(m.GetLines(), s.of, bad); total != s.sum.GetAmountMinor() {
			bad("lines of %s %d are said to be %d", s.what, total, s.sum.GetAmountMinor())
		}
	}
	for _, l := range m.GetLines() {
		if l.GetNet().GetAmountMinor() != l.GetGross().GetAmountMinor()-l.GetFee().GetAmountMinor() || l.GetFee().GetAmountMinor() < 0 {
			bad("line %d: %d less a fee of %d is said to be %d", l.GetRmaLineNumber(), l.GetGross().GetAmountMinor(), l.GetFee().GetAmountMinor(), l.GetNet().GetAmountMinor())
		}
		if line := r.line(l.GetRmaLineNumber()); line.CreditedGross.GetAmountMinor() > line.Paid.GetAmountMinor() {
			bad("line %d: %d is credited of %d paid", l.GetRmaLineNumber(), line.CreditedGross.GetAmountMinor(), line.Paid.GetAmountMinor())
		}
		p := c.prices[priceKey(f.tenant, r.OrderId, l.GetOrderLineNumber())]
		if p == nil || p.currency != l.GetGross().GetCurrency() {
			bad("line %d of the order has no price in %s", l.GetOrderLineNumber(), l.GetGross().GetCurrency())
			continue
		}
		c.note(cause, f, credits, p.most(value(l.GetQuantity(), bad)), r.OrderId, l.GetOrderLineNumber())
		c.note(effect, f, credits, big.NewRat(l.GetGross().GetAmountMinor(), 1), r.OrderId, l.GetOrderLineNumber())
	}
}

// price is what an order's line costs by the base unit, in minor units.
type price struct {
	currency string
	each     *big.Rat
}

// most is the most that a part of a line may be worth: to the minor unit where the price is
// whole, else two rounded ones more.
func (p *price) most(q *big.Rat) *big.Rat {
	worth := new(big.Rat).Mul(p.each, q)
	if !p.each.IsInt() {
		worth.Add(worth, big.NewRat(2, 1))
	}
	return worth
}

func priceKey(tenant, order string, line int32) pair {
	return pair{tenant + " " + order, fmt.Sprint(line)}
}

// priced notes the prices of an order: unit price × ordered ÷ base.
func (c *checker) priced(facts [][]*fact) {
	for _, of := range facts {
		for _, f := range of {
			m, ok := f.msg.(*orv1.OrderReceived)
			if !ok {
				continue
			}
			for i, l := range m.GetResolved() {
				line := m.GetDocument().GetLines()[i]
				base := value(l.GetBaseQuantity(), ignore)
				if line.GetUnitPrice() == "" || base.Sign() <= 0 {
					continue
				}
				each := new(big.Rat).Mul(number(line.GetUnitPrice(), ignore), value(line.GetQuantity(), ignore))
				each.Mul(each, minor(m.GetDocument().GetCurrency()))
				c.prices[priceKey(f.tenant, m.GetOrderId(), l.GetLineNumber())] = &price{m.GetDocument().GetCurrency(), each.Quo(each, base)}
			}
		}
	}
}

// returnable checks what returns hold of an order (I6): never more than was issued, each claim
// made once and never after it was closed.
func (c *checker) returnable(facts [][]*fact) {
	issued, claims, closed := map[int32]*big.Rat{}, map[string][]*retv1.ClaimedLine{}, map[string]bool{}
	for _, of := range facts {
		for _, f := range of {
			bad := c.broken("I6", f)
			switch m := f.msg.(type) {
			case *retv1.ItemsIssued:
				for _, l := range m.GetLines() {
					if issued[l.GetOrderLineNumber()] == nil {
						issued[l.GetOrderLineNumber()] = new(big.Rat)
					}
					q := issued[l.GetOrderLineNumber()]
					q.Add(q, value(l.GetQuantity(), bad))
				}
			case *retv1.ItemsIssueReversed:
				for _, l := range m.GetLines() {
					if q := issued[l.GetLineNumber()]; q != nil {
						q.Sub(q, value(l.GetQuantity(), bad))
					}
				}
			case *retv1.ReturnClaimed:
				if claims[m.GetClaimKey()] != nil || closed[m.GetClaimKey()] {
					bad("holds the claim %s again", m.GetClaimKey())
				}
				claims[m.GetClaimKey()] = m.GetLines()
			case *retv1.ReturnClaimReleased:
				claims[m.GetClaimKey()], closed[m.GetClaimKey()] = m.GetKept(), true
			}
		}
		if len(of) == 0 {
			continue
		}
		held := map[int32]*big.Rat{}
		for _, lines := range claims {
			for _, l := range lines {
				if held[l.GetOrderLineNumber()] == nil {
					held[l.GetOrderLineNumber()] = new(big.Rat)
				}
				q := held[l.GetOrderLineNumber()]
				q.Add(q, value(l.GetQuantity(), ignore))
			}
		}
		for line, q := range held {
			if issued[line] == nil || q.Cmp(issued[line]) > 0 {
				c.broken("I6", of[len(of)-1])("line %d: returns hold %s, more than was issued", line, q.RatString())
			}
		}
	}
}
