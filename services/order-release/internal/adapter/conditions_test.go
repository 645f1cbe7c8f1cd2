package adapter

import (
	"strings"
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/quantity"
	"github.com/lockstep-logistics/lockstep/services/order-release/internal/domain"
)

func compiler(t *testing.T) *Conditions {
	t.Helper()
	c, err := NewConditions()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestConditions(t *testing.T) {
	h := head
	h.ShipTo = domain.Party{Code: "ACME", Address: home}
	line := domain.Line{Number: 10, SKU: "W", Base: ea, Quantity: quantity.Quantity{Value: quantity.Int(1), Unit: "CS"}}
	for source, want := range map[string]bool{
		"true": true,
		"order.ship_to_country == 'US' && order.ship_to_region in ['IN', 'OH']":             true,
		"order.ship_to_postal_code.startsWith('464')":                                       true,
		"order.priority <= 2 && order.incoterm == 'DAP'":                                    true,
		"order.sold_to == 'ACME' && order.service_level != 'GROUND'":                        false,
		"line.sku == 'W' && line.quantity.atLeast('12.5')":                                  true,
		"line.quantity.atLeast('12.500000001')":                                             false,
		"line.quantity.atMost('12.5') && line.ordered_unit == 'CS'":                         true,
		"order.value_minor > 9007199254740992":                                              true, // exact, where a float is not
		"order.deliver_by > timestamp('2026-03-02T00:00:00Z') && has(order.requested_time)": true,
		"sets.contains(['W', 'X'], [line.sku])":                                             true,
	} {
		c, err := compiler(t).OfLine(source)
		if err != nil {
			t.Errorf("%s: %v", source, err)
			continue
		}
		if got, err := c(h, line); err != nil || got != want {
			t.Errorf("%s: %t, %v", source, got, err)
		}
	}
	c, err := compiler(t).OfOrder("order.ship_by > order.deliver_by")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := c(h); got || err != nil {
		t.Error(got, err)
	}
}

// TestConditionsThatCannotBe: each says where and why.
func TestConditionsThatCannotBe(t *testing.T) {
	for source, want := range map[string]string{
		"order.ship_to_contry == 'US'":  "line 1, column 6: undefined field 'ship_to_contry'",
		"order.priority == '2'":         "line 1, column 16: found no matching overload",
		"order.priority +":              "line 1, column 17: Syntax error",
		"line.sku == 'W'":               "line 1, column 1: undeclared reference to 'line'",
		"order.priority":                "line 1, column 1: it is a int, not a bool",
		"true &&\n  nobody == 1":        "line 2, column 3: undeclared reference to 'nobody'",
		strings.Repeat("true && ", 200): "size",
	} {
		if _, err := compiler(t).OfOrder(source); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", source, err, want)
		}
	}
}

// TestConditionThatCostsTooMuch is not decided.
func TestConditionThatCostsTooMuch(t *testing.T) {
	c, err := compiler(t).OfOrder("[1,2,3,4,5,6,7,8,9,10].all(a, [1,2,3,4,5,6,7,8,9,10].all(b, [1,2,3,4,5,6,7,8,9,10].all(c, [1,2,3,4,5,6,7,8,9,10].all(d, a+b+c+d > 0))))")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c(head); err == nil || !strings.Contains(err.Error(), "cost") {
		t.Error(err)
	}
	l, err := compiler(t).OfLine("line.quantity.atLeast('many')")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l(head, domain.Line{Base: ea}); err == nil {
		t.Error("a number that is none was compared")
	}
}
