package adapter

import (
	"errors"
	"fmt"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/ext"

	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	orderreleasev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	"github.com/lockstep-logistics/lockstep/services/order-release/internal/app"
	"github.com/lockstep-logistics/lockstep/services/order-release/internal/domain"
)

// maxCost bounds what one condition may cost to decide, in CEL's units; maxSource its text.
const (
	maxCost   = 10_000
	maxSource = 1000
)

// Conditions compiles CEL expressions over SourcingOrder and SourcingLine.
type Conditions struct{ order, line *cel.Env }

// NewConditions returns the compiler.
func NewConditions() (*Conditions, error) {
	base, err := cel.NewEnv(
		cel.Types(&orderreleasev1.SourcingOrder{}, &orderreleasev1.SourcingLine{}),
		cel.Variable("order", cel.ObjectType("lockstep.orderrelease.v1.SourcingOrder")),
		cel.DefaultUTCTimeZone(true),
		cel.ParserExpressionSizeLimit(maxSource),
		ext.Strings(), ext.Sets(),
		compared("atLeast", func(a, b quantity.Decimal) bool { return !a.Less(b) }),
		compared("atMost", func(a, b quantity.Decimal) bool { return !b.Less(a) }),
	)
	if err != nil {
		return nil, err
	}
	line, err := base.Extend(cel.Variable("line", cel.ObjectType("lockstep.orderrelease.v1.SourcingLine")))
	return &Conditions{order: base, line: line}, err
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

// OfOrder compiles a condition over an order.
func (c *Conditions) OfOrder(source string) (app.OrderCondition, error) {
	p, err := program(c.order, source)
	if err != nil {
		return nil, err
	}
	return func(h domain.Header) (bool, error) { return decided(p, map[string]any{"order": celOrder(h)}) }, nil
}

// OfLine compiles a condition over an order and one of its lines.
func (c *Conditions) OfLine(source string) (app.LineCondition, error) {
	p, err := program(c.line, source)
	if err != nil {
		return nil, err
	}
	return func(h domain.Header, l domain.Line) (bool, error) {
		return decided(p, map[string]any{"order": celOrder(h), "line": celLine(l)})
	}, nil
}

// program compiles a condition, which must be a bool; the error says where and why it is none.
func program(env *cel.Env, source string) (cel.Program, error) {
	ast, issues := env.Compile(source)
	if issues != nil && issues.Err() != nil {
		var all []string
		for _, e := range issues.Errors() {
			all = append(all, fmt.Sprintf("line %d, column %d: %s", e.Location.Line(), e.Location.Column()+1, e.Message))
		}
		return nil, errors.New(strings.Join(all, "; "))
	}
	if ast.OutputType() != cel.BoolType {
		return nil, fmt.Errorf("line 1, column 1: it is a %s, not a bool", ast.OutputType())
	}
	return env.Program(ast, cel.CostLimit(maxCost), cel.EvalOptions(cel.OptOptimize))
}

func decided(p cel.Program, vars map[string]any) (bool, error) {
	out, _, err := p.Eval(vars)
	if err != nil {
		return false, err
	}
	fits, ok := out.Value().(bool)
	if !ok {
		return false, fmt.Errorf("it is %v, not a bool", out.Value())
	}
	return fits, nil
}

// celOrder is an order as conditions see it.
func celOrder(h domain.Header) *orderreleasev1.SourcingOrder {
	to := h.ShipTo.Address
	return &orderreleasev1.SourcingOrder{
		SourceSystem: h.Source, OrderNumber: h.Number, PurchaseOrder: h.PO, SoldTo: h.SoldTo.Code, ShipTo: h.ShipTo.Code,
		ShipToCountry: to.Country, ShipToRegion: to.Region, ShipToPostalCode: to.PostalCode, ShipToCity: to.City,
		Incoterm: h.Incoterm, CarrierPreference: h.Carrier, ServiceLevel: h.Service, Priority: int32(h.Priority),
		DeliveryRule: string(h.Rule), ReleaseMode: string(h.Mode), Currency: h.Currency, ValueMinor: h.Value.Minor,
		RequestedTime: protovalue.Time(h.Requested), PromisedTime: protovalue.Time(h.Promised),
		ShipBy: protovalue.Time(h.ShipBy), DeliverBy: protovalue.Time(h.DeliverBy),
	}
}

// celLine is a line as conditions see it.
func celLine(l domain.Line) *orderreleasev1.SourcingLine {
	return &orderreleasev1.SourcingLine{
		LineNumber: int32(l.Number), Sku: l.SKU, Quantity: l.Base.Value.String(), Unit: l.Base.Unit,
		OrderedQuantity: l.Quantity.Value.String(), OrderedUnit: l.Quantity.Unit, CustomerItem: l.CustomerItem,
	}
}
