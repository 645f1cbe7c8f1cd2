package domain

import (
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/fault"
)

// TestGoodsOfAReturnThatIsOver: they are kept and marked, but what the return held of the order
// is free for others, so that nothing is credited for them.
func TestGoodsOfAReturnThatIsOver(t *testing.T) {
	asked := AskedLine{OrderLine: 10, Quantity: ea(2), Reason: "DEFECTIVE"}
	byHand := env
	byHand.Policy.Auto = false
	open := authorised(t, order(), byHand, asked)
	live := authorised(t, order(), env, asked)
	whole := must(t, arrived(live, 1, 1, dock))(arrived(live, 1, 1, dock).Inspect(env, Inspection{Line: 1, Accepted: ea(1), Grade: "A"}))
	whole = must(t, whole)(whole.Dispose(env, Disposal{Line: 1, Disposition: Scrap, Quantity: ea(1)}))
	whole = Apply(whole, whole.ConfirmCredit(env, 1, "CM-1", nil)...)
	before := live
	before.Cancelled = true // as it was stored when a cancellation left it authorised
	for name, tt := range map[string]struct {
		over    Return
		state   State
		mark    string
		credits int
	}{
		"denied":                            {must(t, open)(open.Deny(env, "worn")), Denied, "NOT_AUTHORISED", 0},
		"cancelled before it is authorised": {must(t, open)(open.Cancel(env, "CUSTOMER_REQUEST")), Cancelled, "NOT_AUTHORISED", 0},
		"cancelled when it is":              {must(t, live)(live.Cancel(env, "CUSTOMER_REQUEST")), Cancelled, "NOT_AUTHORISED", 0},
		"cancelled and still authorised":    {before, Cancelled, "NOT_AUTHORISED", 0},
		"completed":                         {must(t, whole)(whole.Complete(env)), Completed, "RECEIPT_EXCEEDS_AUTHORISED", 1},
	} {
		t.Run(name, func(t *testing.T) {
			r := arrived(tt.over, 1, 1, dock)
			if len(r.Marks) != 1 || r.Marks[0].Code != tt.mark || r.State() != tt.state {
				t.Errorf("%s %+v", r.State(), r.Marks)
			}
			r = must(t, r)(r.Inspect(env, Inspection{Line: 1, Accepted: ea(1), Grade: "A"}))
			if len(r.Credits) != tt.credits || r.State() != tt.state || r.Lines[0].Accepted != ea(1+tt.credits).Value {
				t.Errorf("%s %+v %+v", r.State(), r.Credits, r.Lines[0])
			}
			_, err := r.RequestCredit(env, nil)
			refusal(t, err, fault.Refused, "NOTHING_TO_CREDIT")
			r = must(t, r)(r.Dispose(env, Disposal{Line: 1, Disposition: Restock, Quantity: ea(1), To: "A-01"}))
			if r.Lines[0].Disposed.Restocked != ea(1).Value {
				t.Errorf("%+v", r.Lines[0].Disposed)
			}
		})
	}
}
