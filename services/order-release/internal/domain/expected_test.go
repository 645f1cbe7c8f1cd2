package domain

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// TestSuppliesOfLines: what was promised goes to the lines in their order, and each says by when
// all of it that waits is there.
func TestSuppliesOfLines(t *testing.T) {
	o := waitingOrder(t)
	x := Expected{Site: "DC1", Item: "a", Version: 3, Parts: []SupplyPart{
		{Quantity: quantity.Int(1)},
		{Delivery: "asn_1", ASN: "A-1", Expected: start.Add(time.Hour), Quantity: quantity.Int(5)},
		{Delivery: "asn_2", ASN: "A-2", Expected: start.Add(2 * time.Hour), Quantity: quantity.Int(2)},
	}}
	facts, err := o.Date(Env{}, x, "PROMISED")
	if err != nil || len(facts) != 1 || len(facts[0].(PromiseDated).Lines) != 2 {
		t.Fatal(facts, err)
	}
	o = Apply(o, facts...)
	for i, want := range []string{"1 here, 3 A-1 by 09h", "2 A-1, 2 A-2 by -"} {
		parts, at := o.Supplies(i)
		var texts []string
		for _, p := range parts {
			from := p.ASN
			if from == "" {
				from = "here"
			}
			texts = append(texts, p.Quantity.String()+" "+from)
		}
		by := "-"
		if !at.IsZero() {
			by = at.Format("15h")
		}
		if got := strings.Join(texts, ", ") + " by " + by; got != want {
			t.Errorf("line %d: %s, want %s", i+1, got, want)
		}
	}
	codes := map[string]int{}
	for _, r := range o.Explain() {
		codes[r.Code]++
	}
	if got := fmt.Sprint(codes); got != "map[STOCK_SHORT:2 SUPPLY_EXPECTED:4]" {
		t.Errorf("%s: %v", got, o.Explain())
	}
	var next time.Time
	for _, l := range o.Lacks(Env{}) {
		if l.Code == reasonExpected && l.Field == "lines.10" {
			next = l.Next
		}
	}
	if !next.Equal(start.Add(time.Hour)) {
		t.Errorf("line 10 is there at %s", next)
	}
	late := Expected{Site: "DC1", Item: "a", Version: 4, Uncovered: quantity.Int(8)}
	facts, err = o.Date(Env{}, late, "OVERDUE")
	if err != nil || len(facts) != 1 {
		t.Fatal(facts, err)
	}
	if f := facts[0].(PromiseDated); !f.Before.Equal(start.Add(2*time.Hour)) || !f.Complete().IsZero() || f.Reason != "OVERDUE" {
		t.Errorf("%+v", f)
	}
	o = Apply(o, facts...)
	if facts, err = o.Date(Env{}, x, "PROMISED"); err != nil || len(facts) > 0 {
		t.Errorf("an earlier version of the stock: %+v %v", facts, err)
	}
	if _, at := o.Supplies(0); !at.IsZero() {
		t.Errorf("line 10 is there at %s", at)
	}
}

// waitingOrder waits at DC1 with two lines of one item: for 4 and for 5.
func waitingOrder(t *testing.T) Order {
	t.Helper()
	h := Header{Number: "SO-1", Source: "erp", Rule: Complete, Mode: Automatic}
	lines := []Line{
		{Number: 10, SKU: "A", Item: "a", Site: "DC1", Quantity: ea(4), Base: ea(4)},
		{Number: 20, SKU: "A", Item: "a", Site: "DC1", Quantity: ea(5), Base: ea(5)},
	}
	e := Env{Now: start, Stock: stock, Limits: DefaultLimits}
	facts, err := Order{}.Submit(e, "ord_x", h, lines, nil)
	if err != nil {
		t.Fatal(err)
	}
	o := Apply(Order{}, facts...)
	if facts, err = o.DecidePromise(e, 1, nil); err != nil {
		t.Fatal(err)
	}
	if o = Apply(o, facts...); whole(o.Awaits(Wanted{"DC1", "a"}).Value) != 9 {
		t.Fatalf("%+v", o)
	}
	return o
}

// TestUndated: that something comes too late is told once, and when it is not so any more.
func TestUndated(t *testing.T) {
	o := waitingOrder(t)
	late := Undated{Site: "DC1", Item: "a", Quantity: quantity.Int(9), Reason: outsideHorizon, Horizon: start}
	for _, tt := range []struct {
		name string
		u    Undated
		told bool
	}{
		{"nothing is announced", Undated{Site: "DC1", Item: "a", Quantity: quantity.Int(9), Reason: "SUPPLY_MISSING"}, false},
		{"too late", late, true},
		{"the same", late, false},
		{"all is promised", Undated{Site: "DC1", Item: "a"}, true},
		{"the same again", Undated{Site: "DC1", Item: "a"}, false},
	} {
		facts, err := o.Undate(Env{}, tt.u)
		if err != nil || (len(facts) == 1) != tt.told {
			t.Fatalf("%s: %+v %v", tt.name, facts, err)
		}
		o = Apply(o, facts...)
	}
	if len(o.Undated) != 0 {
		t.Errorf("%+v", o.Undated)
	}
}
