package adapter

import (
	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/condition"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	orderreleasev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	"github.com/lockstep-logistics/lockstep/services/order-release/internal/app"
	"github.com/lockstep-logistics/lockstep/services/order-release/internal/domain"
)

// Conditions compiles CEL expressions over SourcingOrder and SourcingLine.
type Conditions struct{ order, line *condition.Compiler }

// NewConditions returns the compiler.
func NewConditions() (*Conditions, error) {
	order, err := condition.New(map[string]proto.Message{"order": &orderreleasev1.SourcingOrder{}})
	if err != nil {
		return nil, err
	}
	line, err := condition.New(map[string]proto.Message{"order": &orderreleasev1.SourcingOrder{}, "line": &orderreleasev1.SourcingLine{}})
	return &Conditions{order: order, line: line}, err
}

// OfOrder compiles a condition over an order.
func (c *Conditions) OfOrder(source string) (app.OrderCondition, error) {
	p, err := c.order.Compile(source)
	if err != nil {
		return nil, err
	}
	return func(h domain.Header) (bool, error) { return p.Holds(map[string]proto.Message{"order": celOrder(h)}) }, nil
}

// OfLine compiles a condition over an order and one of its lines.
func (c *Conditions) OfLine(source string) (app.LineCondition, error) {
	p, err := c.line.Compile(source)
	if err != nil {
		return nil, err
	}
	return func(h domain.Header, l domain.Line) (bool, error) {
		return p.Holds(map[string]proto.Message{"order": celOrder(h), "line": celLine(l)})
	}, nil
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
