// Package condition decides conditions that tenants write: CEL expressions over messages, typed by
// the proto, bounded in text and cost. What cannot be compiled says where and why; what cannot be
// decided is an error and never a yes.
package condition

import (
	"errors"
	"fmt"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/ext"
	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// maxCost bounds what one condition may cost to decide, in CEL's units; maxSource its text.
const (
	maxCost   = 10_000
	maxSource = 1000
)

// Compiler compiles conditions over variables, each of a message type.
type Compiler struct{ env *cel.Env }

// Condition is a compiled condition.
type Condition struct{ program cel.Program }

// New returns the compiler of conditions over such variables. Decimal strings have the methods
// atLeast and atMost, which compare exactly.
func New(variables map[string]proto.Message) (*Compiler, error) {
	options := []cel.EnvOption{
		cel.DefaultUTCTimeZone(true), cel.ParserExpressionSizeLimit(maxSource), ext.Strings(), ext.Sets(),
		compared("atLeast", func(a, b quantity.Decimal) bool { return !a.Less(b) }),
		compared("atMost", func(a, b quantity.Decimal) bool { return !b.Less(a) }),
	}
	for name, m := range variables {
		options = append(options, cel.Types(m), cel.Variable(name, cel.ObjectType(string(m.ProtoReflect().Descriptor().FullName()))))
	}
	env, err := cel.NewEnv(options...)
	return &Compiler{env}, err
}

// compared is a function that compares a quantity with another exactly, both decimal strings.
func compared(name string, holds func(a, b quantity.Decimal) bool) cel.EnvOption {
	return cel.Function(name, cel.MemberOverload("decimal_"+name, []*cel.Type{cel.StringType, cel.StringType}, cel.BoolType,
		cel.BinaryBinding(func(x, y ref.Val) ref.Val {
			a, errA := decimalOf(x)
			b, errB := decimalOf(y)
			if err := errors.Join(errA, errB); err != nil {
				return types.WrapErr(err)
			}
			return types.Bool(holds(a, b))
		})))
}

func decimalOf(v ref.Val) (quantity.Decimal, error) {
	text, ok := v.Value().(string)
	if !ok {
		return quantity.Decimal{}, fmt.Errorf("%v is no decimal number", v.Value())
	}
	return quantity.Parse(text)
}

// Compile compiles a condition, which must be a bool; the error says where and why it is none.
func (c *Compiler) Compile(source string) (Condition, error) {
	ast, issues := c.env.Compile(source)
	if issues != nil && issues.Err() != nil {
		var all []string
		for _, e := range issues.Errors() {
			all = append(all, fmt.Sprintf("line %d, column %d: %s", e.Location.Line(), e.Location.Column()+1, e.Message))
		}
		return Condition{}, errors.New(strings.Join(all, "; "))
	}
	if ast.OutputType() != cel.BoolType {
		return Condition{}, fmt.Errorf("line 1, column 1: it is a %s, not a bool", ast.OutputType())
	}
	p, err := c.env.Program(ast, cel.CostLimit(maxCost), cel.EvalOptions(cel.OptOptimize))
	return Condition{p}, err
}

// Holds decides the condition; an error is one that cannot be decided.
func (c Condition) Holds(variables map[string]proto.Message) (bool, error) {
	vars := make(map[string]any, len(variables))
	for name, m := range variables {
		vars[name] = m
	}
	out, _, err := c.program.Eval(vars)
	if err != nil {
		return false, err
	}
	fits, ok := out.Value().(bool)
	if !ok {
		return false, fmt.Errorf("it is %v, not a bool", out.Value())
	}
	return fits, nil
}
