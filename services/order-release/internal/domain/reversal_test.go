package domain

import "testing"

// TestReversedGoodsIssue: a fulfilled order of which a goods issue is taken back is in execution again,
// and fulfilled again with the next one; meanwhile it is not closed, and once closed it lets nothing back.
func TestReversedGoodsIssue(t *testing.T) {
	p := newPlay(t, Partial, Automatic, 10, 48)
	p.promise(map[string]int{"i1": 10, "i2": 48})
	p.do(p.order.Picked(p.env(), p.r(1), lines(1, 10, 2, 48)))
	p.do(p.order.Issued(p.env(), p.r(1), lines(1, 10, 2, 48)))
	p.facts = nil
	p.do(p.order.AskReversal(p.env(), p.r(1), "who_1", 1, lines(1, 10)))
	p.want(Fulfilled, "ReversalAllowed")
	facts, err := p.order.Close(p.env())
	p.refused("REVERSAL_PENDING", facts, err)
	p.do(p.order.ReversalRefused(p.env(), p.r(1), "SHIPMENT_DISPATCHED"))
	p.do(p.order.ReversalRefused(p.env(), p.r(1), "SHIPMENT_DISPATCHED"))
	p.want(Fulfilled, "ReversalEnded")

	p.do(p.order.AskReversal(p.env(), p.r(1), "who_1", 2, lines(1, 10)))
	p.do(p.order.IssueReversed(p.env(), p.r(1), lines(1, 10)))
	p.want(InExecution, "ReversalAllowed", "LinesIssueReversed")
	if q := p.order.Quantities()[0]; whole(q.Issued) != 0 || whole(q.Picked) != 10 || whole(q.Released) != 10 || !q.Open.IsZero() {
		t.Errorf("%+v", q)
	}
	p.do(p.order.Issued(p.env(), p.r(1), lines(1, 10)))
	p.want(Fulfilled, "LinesIssued", "OrderFulfilled")

	p.do(p.order.Delivered(p.env(), p.r(1), "shp_1", lines(1, 10)))
	p.do(p.order.AskReversal(p.env(), p.r(1), "who_1", 3, lines(1, 1)))
	p.want(Fulfilled, "LinesDelivered", "ReversalDenied")
	p.do(p.order.AskReversal(p.env(), p.r(1), "who_1", 4, lines(2, 48)))
	p.do(p.order.IssueReversed(p.env(), p.r(1), lines(2, 48)))
	p.do(p.order.RequestCancel(p.env(), "CUSTOMER_REQUEST"))
	p.do(p.order.ReleaseCancelled(p.env(), p.r(1), lines(2, 48)))
	p.want(Fulfilled, "ReversalAllowed", "LinesIssueReversed", "CancelAsked", "ReleaseCancelled", "RemainderCancelled", "OrderFulfilled")
	p.do(p.order.Close(p.env()))
	p.do(p.order.AskReversal(p.env(), p.r(1), "who_1", 5, lines(1, 10)))
	p.want(Closed, "OrderClosed", "ReversalDenied")
	if f := p.order.Releases[0]; f.Reversing != 0 || f.Lines[0].Issued != f.Lines[0].Delivered {
		t.Errorf("%+v", f)
	}
}
