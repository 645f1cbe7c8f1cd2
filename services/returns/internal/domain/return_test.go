package domain

import (
	"slices"
	"testing"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/money"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

var (
	now    = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	policy = Policy{
		Auto: true, Window: 30 * 24 * time.Hour, AutoReasons: []string{"DEFECTIVE", "CHANGED_MIND"}, AutoCredit: true,
		FeePoints: 1500, FeeReasons: []string{"CHANGED_MIND"},
	}
	env  = Env{Now: now, By: "ann", Policy: policy}
	dock = Stand{Stock: "stk_1", Site: "DC1", Item: "itm_w", SKU: "W", Owner: "OWN", Location: "DOCK-1", Status: "QUALITY"}
)

// order is one with 5 W at 12.345 and 4 V without a price, all issued.
func order() Returnable {
	f := ItemsIssued{ID: "rtb_1", Order: "ord_1", Number: "SO-1", SoldTo: "ACME", SoldToID: "pty_1", Currency: "EUR", At: now.Add(-24 * time.Hour), Lines: []IssuedLine{
		{Line: 10, Item: "itm_w", SKU: "W", Unit: "EA", Issued: quantity.Int(5), Price: Price{Unit: "12.345", Currency: "EUR", Ordered: ea(5), Base: quantity.Int(5)}},
		{Line: 20, Item: "itm_v", SKU: "V", Unit: "EA", Issued: quantity.Int(4), Price: Price{Currency: "EUR", Ordered: ea(4), Base: quantity.Int(4)}},
	}}
	return EvolveItems(Returnable{}, Returnable{}.Issue(f)[0])
}

func must(t *testing.T, r Return) func([]Fact, error) Return {
	return func(facts []Fact, err error) Return {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return Apply(r, facts...)
	}
}

// authorised is a return whose claim is made.
func authorised(t *testing.T, o Returnable, e Env, lines ...AskedLine) Return {
	t.Helper()
	r := must(t, Return{})(Return{}.Request(e, ReturnRequested{
		Keys: Keys{ID: "rma_1", Number: "RMA-1", Order: "ord_1"}, ClaimKey: "clm:rma_1:1:rtb_1", Returnable: "rtb_1", Lines: lines,
	}))
	facts, err := o.Take("rtb_1", r.ClaimKey, r.ID, r.Wanted())
	if err != nil {
		t.Fatal(err)
	}
	o = EvolveItems(o, facts[0])
	claim, _ := o.Claim(r.ClaimKey)
	return must(t, r)(r.Hold(e, o, claim))
}

func arrived(r Return, line, n int, at Stand) Return {
	return Apply(r, r.Receive(ReceiptRecorded{Keys: r.Keys, Named: line, Quantity: ea(n), Stand: at, At: now})...)
}

func refusal(t *testing.T, err error, kind fault.Kind, reason string) {
	t.Helper()
	if f, ok := fault.As(err); !ok || f.Kind != kind || f.Reason != reason {
		t.Errorf("got %v, want %s", err, reason)
	}
}

func TestPrices(t *testing.T) {
	for _, tt := range []struct {
		unit, currency string
		ordered, base  int
		q              string
		want           int64
		known          bool
	}{
		{"12.345", "EUR", 5, 5, "1", 1234, true},
		{"12.355", "EUR", 5, 5, "1", 1236, true},
		{"12.345", "EUR", 5, 5, "5", 6172, true},
		{"10", "EUR", 3, 21, "1", 143, true},   // a case of 7 costs 10
		{"10", "EUR", 3, 21, "21", 3000, true}, // the whole order, to the cent
		{"100", "JPY", 2, 2, "1", 100, true},
		{"1.2345", "KWD", 1, 1, "1", 1234, true},
		{"0.005", "USD", 1, 1, "0.5", 0, true},
		{"9999999999999.99", "USD", 1, 1, "1", 999999999999999, true},
		{"99999999999999", "USD", 1, 1, "1", 0, false}, // more than is kept exactly in every sum
		{"", "EUR", 1, 1, "1", 0, false},
		{"1", "", 1, 1, "1", 0, false},
		{"1", "EUR", 1, 0, "1", 0, false},
		{"x", "EUR", 1, 1, "1", 0, false},
	} {
		p := Price{Unit: tt.unit, Currency: tt.currency, Ordered: ea(tt.ordered), Base: quantity.Int(int64(tt.base))}
		got, ok := p.paid(quantity.MustParse(tt.q))
		if ok != tt.known || got.Minor != tt.want {
			t.Errorf("%+v: %v, %v", tt, got, ok)
		}
	}
}

// TestClaimsTogetherAreWorthWhatWasPaid: three claims of one unit at a third of a cent's
// precision lose nothing, whatever is given back between.
func TestClaimsTogetherAreWorthWhatWasPaid(t *testing.T) {
	o := order()
	take := func(key string, n int) {
		t.Helper()
		facts, err := o.Take("rtb_1", key, "rma_"+key, []Wanted{{Line: 1, OrderLine: 10, Quantity: ea(n)}})
		if err != nil {
			t.Fatal(err)
		}
		o = EvolveItems(o, facts[0])
	}
	take("a", 1)
	take("b", 1)
	take("c", 1)
	o = EvolveItems(o, o.Release("rtb_1", "b", "rma_b", nil)[0])
	take("d", 3)
	if q, worth := o.Claimed(10); q != quantity.Int(5) || worth != 6172 {
		t.Errorf("claimed %s worth %d", q, worth)
	}
	_, err := o.Take("rtb_1", "e", "rma_e", []Wanted{{Line: 1, OrderLine: 10, Quantity: ea(1)}})
	refusal(t, err, fault.Refused, "QUANTITY_EXCEEDS_ISSUED")
	_, err = o.Take("rtb_1", "b", "rma_b", []Wanted{{Line: 1, OrderLine: 20, Quantity: ea(1)}})
	refusal(t, err, fault.Refused, "CLAIM_CLOSED")
	if facts := o.Release("rtb_1", "never", "rma_n", nil); len(facts) != 1 {
		t.Errorf("a claim that was never made is not closed: %v", facts)
	}
	if facts := o.Release("rtb_1", "b", "rma_b", nil); len(facts) != 0 {
		t.Errorf("closed twice: %v", facts)
	}
}

func TestRefusedClaimNamesEachLine(t *testing.T) {
	_, err := order().Take("rtb_1", "k", "rma_1", []Wanted{
		{Line: 1, OrderLine: 10, Quantity: ea(4)},
		{Line: 2, OrderLine: 10, Quantity: ea(2)},
		{Line: 3, OrderLine: 30, Quantity: ea(1)},
		{Line: 4, OrderLine: 20, Quantity: quantity.Quantity{Value: quantity.Int(1), Unit: "KGM"}},
		{Line: 5, OrderLine: 20, Quantity: quantity.Quantity{Value: quantity.MustParse("0.5"), Unit: "EA"}},
	})
	f, ok := fault.As(err)
	if !ok || len(f.Fields) != 4 {
		t.Fatalf("%v %+v", err, f)
	}
	for i, want := range []fault.Field{
		{Path: "lines[1].quantity", Reason: "QUANTITY_EXCEEDS_ISSUED", Description: "available 1 EA"},
		{Path: "lines[2].quantity", Reason: "LINE_NOT_ISSUED", Description: "nothing of line 30 of the order was issued"},
		{Path: "lines[3].quantity", Reason: "UNIT_MISMATCH", Description: "1 KGM is not in the base unit EA"},
		{Path: "lines[4].quantity", Reason: "QUANTITY_INVALID", Description: "0.5 EA is a fraction of a piece"},
	} {
		if f.Fields[i] != want {
			t.Errorf("field %d: %+v", i, f.Fields[i])
		}
	}
}

// TestCreditIsForWhatArrivedAndWasAccepted: 3 authorised, 2 received, 1 accepted give a credit for 1.
func TestCreditIsForWhatArrivedAndWasAccepted(t *testing.T) {
	r := authorised(t, order(), env, AskedLine{OrderLine: 10, Quantity: ea(3), Reason: "CHANGED_MIND"})
	if r.State() != Authorised || r.Lines[0].Paid != (money.Amount{Minor: 3704, Currency: "EUR"}) {
		t.Fatalf("%s %v", r.State(), r.Lines[0].Paid)
	}
	_, err := r.Inspect(env, Inspection{Line: 1, Accepted: ea(1), Grade: "A"})
	refusal(t, err, fault.Refused, "INSPECTION_EXCEEDS_RECEIVED")
	r = arrived(r, 1, 2, dock)
	_, err = r.Cancel(env, "X")
	refusal(t, err, fault.Refused, "ALREADY_RECEIVED")
	r = must(t, r)(r.Inspect(env, Inspection{Line: 1, Accepted: ea(1), Rejected: ea(1), Grade: "B", Finding: "OPENED"}))
	if len(r.Credits) != 1 || r.Credits[0].Gross.Minor != 1234 || r.Credits[0].Fee.Minor != 185 || r.Credits[0].Net.Minor != 1049 {
		t.Fatalf("%+v", r.Credits)
	}
	if l := r.Lines[0]; r.Reception(l) != "PARTIALLY_RECEIVED" || l.Acceptance() != "PARTIALLY_ACCEPTED" || r.Resolution(l) != "PENDING" {
		t.Errorf("%s %s %s", r.Reception(l), l.Acceptance(), r.Resolution(l))
	}
	_, err = r.RequestCredit(env, nil)
	refusal(t, err, fault.Refused, "NOTHING_TO_CREDIT")
	_, err = r.Complete(env)
	refusal(t, err, fault.Refused, "NOT_FINISHED")
	_, err = r.Dispose(env, Disposal{Line: 1, Disposition: Restock, Quantity: ea(2), To: "BIN-1"})
	refusal(t, err, fault.Refused, "RESTOCK_EXCEEDS_ACCEPTED")
	_, err = r.Dispose(env, Disposal{Line: 1, Disposition: BackToCustomer, Quantity: ea(2)})
	refusal(t, err, fault.Refused, "BACK_EXCEEDS_REJECTED")
	_, err = r.Dispose(env, Disposal{Line: 1, Disposition: Restock, Quantity: ea(1)})
	refusal(t, err, fault.Invalid, "TO_LOCATION")
	_, err = r.Dispose(env, Disposal{Line: 1, Disposition: Scrap, Quantity: ea(1), To: "BIN-1"})
	refusal(t, err, fault.Invalid, "TO_LOCATION")
	r = must(t, r)(r.Dispose(env, Disposal{Line: 1, Disposition: Restock, Quantity: ea(1), To: "BIN-1"}))
	r = must(t, r)(r.Dispose(env, Disposal{Line: 1, Disposition: BackToCustomer, Quantity: ea(1)}))
	_, err = r.Dispose(env, Disposal{Line: 1, Disposition: Scrap, Quantity: ea(1)})
	refusal(t, err, fault.Refused, "DISPOSITION_EXCEEDS_RECEIVED")
	r = Apply(r, r.ConfirmCredit(env, 1, "CM-1", nil)...)
	if r.State() != PartiallyReceived {
		t.Errorf("one is still awaited: %s", r.State())
	}
	facts, err := r.Complete(env)
	r = must(t, r)(facts, err)
	done, _ := facts[0].(ReturnCompleted)
	if !done.Short || len(done.Kept) != 1 || done.Kept[0].Quantity != ea(2) || done.Kept[0].Paid.Minor != 2469 {
		t.Errorf("%+v", done)
	}
	if l := r.Lines[0]; r.State() != Completed || r.Reception(l) != "SHORT" || r.Resolution(l) != "DONE" {
		t.Errorf("%s %s %s", r.State(), r.Reception(l), r.Resolution(l))
	}
	r = arrived(r, 1, 1, dock) // too late: stored, marked, not to be credited
	if l := r.Lines[0]; r.Reception(l) != "EXCESS" || l.Pending() != quantity.Int(1) || len(r.Marks) != 1 || r.Marks[0].Code != "RECEIPT_EXCEEDS_AUTHORISED" {
		t.Errorf("%s %+v", r.Reception(l), r.Marks)
	}
}

// TestWholeReturnEndsByItself: all arrived, accepted, disposed of in two moves from two places and credited.
func TestWholeReturnEndsByItself(t *testing.T) {
	r := authorised(t, order(), env, AskedLine{OrderLine: 10, Quantity: ea(3), Reason: "DEFECTIVE"})
	other := dock
	other.Location = "DOCK-2"
	r = arrived(arrived(r, 1, 2, dock), 1, 1, other)
	if r.State() != Received {
		t.Fatal(r.State())
	}
	r = must(t, r)(r.Inspect(env, Inspection{Line: 1, Accepted: ea(3), Grade: "D"}))
	facts, err := r.Dispose(env, Disposal{Line: 1, Disposition: Scrap, Quantity: ea(3)})
	if err != nil || len(facts) != 2 || facts[0].(ItemsDisposed).Quantity != ea(2) || facts[1].(ItemsDisposed).Stand != other {
		t.Fatalf("%+v %v", facts, err)
	}
	r = Apply(r, facts...)
	if r.State() != Inspected || r.Credits[0].Net.Minor != 3704 {
		t.Fatalf("%s %+v", r.State(), r.Credits)
	}
	if r = Apply(r, r.ConfirmCredit(env, 1, "CM-1", nil)...); r.State() != Completed {
		t.Errorf("%s", r.State())
	}
	if again := r.ConfirmCredit(env, 1, "CM-1", nil); len(again) != 0 {
		t.Errorf("told twice: %+v", again)
	}
}

func TestERPContradictions(t *testing.T) {
	r := authorised(t, order(), env, AskedLine{OrderLine: 10, Quantity: ea(1), Reason: "DEFECTIVE"})
	r = arrived(r, 1, 1, dock)
	r = must(t, r)(r.Inspect(env, Inspection{Line: 1, Accepted: ea(1), Grade: "A"}))
	less := money.Amount{Minor: 1000, Currency: "EUR"}
	for _, tt := range []struct {
		number int
		memo   string
		amount *money.Amount
		want   []string
	}{
		{7, "CM-7", nil, []string{"CREDIT_UNKNOWN"}},
		{1, "CM-1", &less, []string{"CREDIT_AMOUNT_DIFFERS"}},
		{1, "CM-2", nil, []string{"CREDIT_CONFIRMED_TWICE"}},
	} {
		facts := r.ConfirmCredit(env, tt.number, tt.memo, tt.amount)
		got := facts[0].(CreditConfirmed).Contradictions
		if !slices.EqualFunc(got, tt.want, func(r Reason, code string) bool { return r.Code == code }) {
			t.Errorf("%+v: %+v", tt, got)
		}
		r = Apply(r, facts...)
	}
	if len(r.Marks) != 3 || r.Credits[0].Memo != "CM-1" {
		t.Errorf("%+v %+v", r.Marks, r.Credits)
	}
}

func TestFees(t *testing.T) {
	manual := env
	manual.Policy.AutoCredit = false
	r := authorised(t, order(), manual, AskedLine{OrderLine: 10, Quantity: ea(2), Reason: "DEFECTIVE"}, AskedLine{OrderLine: 10, Quantity: ea(1), Reason: "CHANGED_MIND"})
	r = arrived(arrived(r, 1, 2, dock), 2, 1, dock)
	r = must(t, r)(r.Inspect(manual, Inspection{Line: 1, Accepted: ea(2), Grade: "A"}))
	r = must(t, r)(r.Inspect(manual, Inspection{Line: 2, Accepted: ea(1), Grade: "A"}))
	for _, fee := range []money.Amount{{Minor: 3705, Currency: "EUR"}, {Minor: -1, Currency: "EUR"}, {Minor: 1, Currency: "USD"}} {
		_, err := r.RequestCredit(manual, &fee)
		refusal(t, err, fault.Invalid, "FEE_INVALID")
	}
	facts, err := r.RequestCredit(manual, &money.Amount{Minor: 1000, Currency: "EUR"})
	c, _ := facts[0].(CreditRequested)
	if err != nil || c.Gross.Minor != 3704 || c.Fee.Minor != 1000 || c.Net.Minor != 2704 || c.Lines[0].Fee.Minor+c.Lines[1].Fee.Minor != 1000 {
		t.Errorf("%+v %v", c, err)
	}
	facts, err = r.RequestCredit(manual, nil)
	c, _ = facts[0].(CreditRequested)
	if err != nil || c.Lines[0].Fee.Minor != 0 || c.Lines[1].Fee.Minor != 185 {
		t.Errorf("as the policy says: %+v %v", c, err)
	}
}

func TestUnpricedGoodsNeedNoCredit(t *testing.T) {
	r := authorised(t, order(), env, AskedLine{OrderLine: 20, Quantity: ea(1), Reason: "DEFECTIVE"})
	v := dock
	v.Item, v.SKU = "itm_v", "V"
	r = arrived(r, 1, 1, v)
	r = must(t, r)(r.Inspect(env, Inspection{Line: 1, Accepted: ea(1), Grade: "A"}))
	_, err := r.RequestCredit(env, nil)
	refusal(t, err, fault.Refused, "PRICE_UNKNOWN")
	r = must(t, r)(r.Dispose(env, Disposal{Line: 1, Disposition: Quarantine, Quantity: ea(1), To: "Q-1"}))
	if r.State() != Completed || len(r.Credits) != 0 || r.Resolution(r.Lines[0]) != "NONE" {
		t.Errorf("%s %+v", r.State(), r.Credits)
	}
}

func TestWhoAuthorises(t *testing.T) {
	late, never, other := env, env, AskedLine{OrderLine: 10, Quantity: ea(1), Reason: "OTHER"}
	late.Now = now.Add(29*24*time.Hour + time.Second) // the line was issued a day before now
	never.Policy.Auto = false
	good := AskedLine{OrderLine: 10, Quantity: ea(1), Reason: "DEFECTIVE"}
	for name, tt := range map[string]struct {
		e     Env
		lines []AskedLine
		want  State
	}{
		"in the window":    {env, []AskedLine{good}, Authorised},
		"after the window": {late, []AskedLine{good}, Requested},
		"another reason":   {env, []AskedLine{good, other}, Requested},
		"switched off":     {never, []AskedLine{good}, Requested},
	} {
		r := authorised(t, order(), tt.e, tt.lines...)
		if r.State() != tt.want {
			t.Errorf("%s: %s", name, r.State())
		}
		if tt.want != Requested {
			continue
		}
		if yes := must(t, r)(r.Authorise(tt.e)); yes.State() != Authorised || yes.AuthorisedBy != "ann" {
			t.Errorf("%s: %s by %q", name, yes.State(), yes.AuthorisedBy)
		}
		no := must(t, r)(r.Deny(tt.e, "worn"))
		if no.State() != Denied || no.Reasons[0].Message != "worn" {
			t.Errorf("%s: %s %+v", name, no.State(), no.Reasons)
		}
		_, err := no.Authorise(tt.e)
		refusal(t, err, fault.Refused, "RETURN_STATE")
	}
	open := must(t, Return{})(Return{}.Request(env, ReturnRequested{Lines: []AskedLine{good}}))
	_, err := open.Authorise(env)
	refusal(t, err, fault.Refused, "RETURN_STATE")
	_, err = open.Request(env, ReturnRequested{Lines: []AskedLine{good}})
	refusal(t, err, fault.Conflict, "RMA_NUMBER_TAKEN")
}

// TestWhatNobodyAskedForIsKept: unknown returns, lines and items, and goods of a denied return.
func TestWhatNobodyAskedForIsKept(t *testing.T) {
	unasked := arrived(Return{}, 3, 2, dock)
	if unasked.State() != Unexpected || unasked.Lines[0].Number != 1 || unasked.Marks[0].Code != "LINE_UNKNOWN" {
		t.Errorf("%s %+v %+v", unasked.State(), unasked.Lines, unasked.Marks)
	}
	r := authorised(t, order(), env, AskedLine{OrderLine: 10, Quantity: ea(1), Reason: "DEFECTIVE"})
	v := dock
	v.Item, v.SKU = "itm_v", "V"
	r = arrived(arrived(arrived(r, 1, 2, dock), 1, 1, v), 9, 1, v)
	if codes := []string{r.Marks[0].Code, r.Marks[1].Code, r.Marks[2].Code}; !slices.Equal(codes, []string{"RECEIPT_EXCEEDS_AUTHORISED", "ITEM_DIFFERS", "LINE_UNKNOWN"}) {
		t.Errorf("%v", codes)
	}
	if len(r.Lines) != 2 || r.Lines[1].Received != quantity.Int(2) || r.Reception(r.Lines[1]) != "EXCESS" || r.Reception(r.Lines[0]) != "EXCESS" {
		t.Errorf("%+v", r.Lines)
	}
	r = must(t, r)(r.Inspect(env, Inspection{Line: 2, Accepted: ea(2), Grade: "A"}))
	if len(r.Credits) != 0 {
		t.Errorf("credited what was not authorised: %+v", r.Credits)
	}
	r = must(t, r)(r.Inspect(env, Inspection{Line: 1, Accepted: ea(2), Grade: "A"}))
	if len(r.Credits) != 1 || r.Credits[0].Lines[0].Quantity != ea(1) {
		t.Errorf("credited more than was authorised: %+v", r.Credits)
	}
	_, err := r.Inspect(env, Inspection{Line: 7, Accepted: ea(1), Grade: "A"})
	refusal(t, err, fault.Refused, "LINE_UNKNOWN")
	late := must(t, unasked)(unasked.Request(env, ReturnRequested{Lines: []AskedLine{{OrderLine: 10, Quantity: ea(1), Reason: "OTHER"}}}))
	if late.State() != Requested || len(late.Lines) != 2 || late.Lines[1].Number != 2 || late.Lines[1].Received != quantity.Int(2) {
		t.Errorf("asked for later: %s %+v", late.State(), late.Lines)
	}
}
