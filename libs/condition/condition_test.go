package condition_test

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/condition"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
)

func compiler(t *testing.T) *condition.Compiler {
	t.Helper()
	c, err := condition.New(map[string]proto.Message{"q": &commonv1.Quantity{}, "to": &commonv1.Address{}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestConditions(t *testing.T) {
	vars := map[string]proto.Message{"q": &commonv1.Quantity{Value: "12.5", Unit: "EA"}, "to": &commonv1.Address{Country: "DE"}}
	for source, want := range map[string]bool{
		"true": true,
		"q.unit == 'EA' && to.country in ['DE','FR']": true,
		"q.value.atLeast('12.500000001')":             false,
		"q.value.atMost('12.5')":                      true,
		"sets.contains(['EA', 'CS'], [q.unit])":       true,
	} {
		c, err := compiler(t).Compile(source)
		if err != nil {
			t.Errorf("%s: %v", source, err)
			continue
		}
		if got, err := c.Holds(vars); err != nil || got != want {
			t.Errorf("%s: %t, %v", source, got, err)
		}
	}
	c, err := compiler(t).Compile("q.unit.atLeast('1')")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := c.Holds(vars); got || err == nil {
		t.Errorf("no number, and yet %t", got)
	}
}

// TestConditionsThatCannotBe: each says where and why.
func TestConditionsThatCannotBe(t *testing.T) {
	for source, want := range map[string]string{
		"q.unti == 'EA'":                "line 1, column 2: undefined field 'unti'",
		"q.unit +":                      "line 1, column 9: Syntax error",
		"q.unit":                        "line 1, column 1: it is a string, not a bool",
		strings.Repeat("true && ", 200): "size",
	} {
		if _, err := compiler(t).Compile(source); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", source, err, want)
		}
	}
}
