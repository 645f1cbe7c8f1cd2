package adapter

import (
	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/money"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	orderreleasev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	"github.com/lockstep-logistics/lockstep/services/order-release/internal/domain"
)

func ruleOf(r domain.DeliveryRule) orderreleasev1.DeliveryRule {
	return orderreleasev1.DeliveryRule(orderreleasev1.DeliveryRule_value["DELIVERY_RULE_"+string(r)])
}

func modeOf(m domain.ReleaseMode) orderreleasev1.ReleaseMode {
	return orderreleasev1.ReleaseMode(orderreleasev1.ReleaseMode_value["RELEASE_MODE_"+string(m)])
}

func holdType(t domain.HoldType) orderreleasev1.HoldType {
	return orderreleasev1.HoldType(orderreleasev1.HoldType_value["HOLD_TYPE_"+string(t)])
}

func orderState(s domain.State) orderreleasev1.OrderState {
	return orderreleasev1.OrderState(orderreleasev1.OrderState_value["ORDER_STATE_"+string(s)])
}

func releaseState(s domain.ReleaseState) orderreleasev1.ReleaseState {
	return orderreleasev1.ReleaseState(orderreleasev1.ReleaseState_value["RELEASE_STATE_"+string(s)])
}

func promiseState(s domain.AttemptState) orderreleasev1.PromiseState {
	return orderreleasev1.PromiseState(orderreleasev1.PromiseState_value["PROMISE_STATE_"+string(s)])
}

func fromHoldType(t orderreleasev1.HoldType) domain.HoldType {
	return domain.HoldType(protovalue.Name(t, "HOLD_TYPE_"))
}

func address(a domain.Address) *commonv1.Address {
	if a.IsZero() {
		return nil
	}
	return &commonv1.Address{
		Name: a.Name, Lines: a.Lines, City: a.City, Region: a.Region, PostalCode: a.PostalCode, Country: a.Country,
	}
}

func fromAddress(a *commonv1.Address) domain.Address {
	return domain.Address{
		Name: a.GetName(), Lines: a.GetLines(), City: a.GetCity(), Region: a.GetRegion(),
		PostalCode: a.GetPostalCode(), Country: a.GetCountry(),
	}
}

func party(p domain.Party) *orderreleasev1.OrderParty {
	return &orderreleasev1.OrderParty{PartyCode: p.Code, AddressCode: p.AddressCode, Address: address(p.Address)}
}

func fromParty(p *orderreleasev1.OrderParty) domain.Party {
	return domain.Party{Code: p.GetPartyCode(), AddressCode: p.GetAddressCode(), Address: fromAddress(p.GetAddress())}
}

func amount(a money.Amount) *commonv1.Money {
	if a.Currency == "" {
		return nil
	}
	return &commonv1.Money{AmountMinor: a.Minor, Currency: a.Currency}
}

// document is the order as its source stated it, without lines.
func document(h domain.Header) *orderreleasev1.OrderDocument {
	return &orderreleasev1.OrderDocument{
		SourceSystem: h.Source, OrderNumber: h.Number, PurchaseOrder: h.PO,
		SoldTo: party(h.SoldTo), ShipTo: party(h.ShipTo), BillTo: party(h.BillTo),
		Incoterm: h.Incoterm, CarrierPreference: h.Carrier, ServiceLevel: h.Service, Priority: int32(h.Priority),
		DeliveryRule: ruleOf(h.Rule), ReleaseMode: modeOf(h.Mode),
		RequestedTime: protovalue.Time(h.Requested), PromisedTime: protovalue.Time(h.Promised),
		ShipBy: protovalue.Time(h.ShipBy), DeliverBy: protovalue.Time(h.DeliverBy), TimeZone: h.Zone,
		Currency: h.Currency, Value: amount(h.Value), Site: h.Site,
	}
}

func fromDocument(d *orderreleasev1.OrderDocument) domain.Header {
	return domain.Header{
		Source: d.GetSourceSystem(), Number: d.GetOrderNumber(), PO: d.GetPurchaseOrder(),
		SoldTo: fromParty(d.GetSoldTo()), ShipTo: fromParty(d.GetShipTo()), BillTo: fromParty(d.GetBillTo()),
		Incoterm: d.GetIncoterm(), Carrier: d.GetCarrierPreference(), Service: d.GetServiceLevel(), Priority: int(d.GetPriority()),
		Rule:      domain.DeliveryRule(protovalue.Name(d.GetDeliveryRule(), "DELIVERY_RULE_")),
		Mode:      domain.ReleaseMode(protovalue.Name(d.GetReleaseMode(), "RELEASE_MODE_")),
		Requested: protovalue.FromTime(d.GetRequestedTime()), Promised: protovalue.FromTime(d.GetPromisedTime()),
		ShipBy: protovalue.FromTime(d.GetShipBy()), DeliverBy: protovalue.FromTime(d.GetDeliverBy()), Zone: d.GetTimeZone(),
		Currency: d.GetCurrency(), Value: money.Amount{Minor: d.GetValue().GetAmountMinor(), Currency: d.GetValue().GetCurrency()},
		Site: d.GetSite(),
	}
}

func orderLine(l domain.Line) *orderreleasev1.OrderLine {
	return &orderreleasev1.OrderLine{
		LineNumber: int32(l.Number), Sku: l.SKU, Gtin: l.GTIN, Quantity: protovalue.Quantity(l.Quantity),
		UnitPrice: l.Price, Site: l.AskedSite, CustomerItem: l.CustomerItem,
	}
}

func fromOrderLine(l *orderreleasev1.OrderLine) (domain.Line, error) {
	q, err := protovalue.FromQuantity(l.GetQuantity(), "quantity")
	return domain.Line{
		Number: int(l.GetLineNumber()), SKU: l.GetSku(), GTIN: l.GetGtin(), Quantity: q,
		Price: l.GetUnitPrice(), AskedSite: l.GetSite(), CustomerItem: l.GetCustomerItem(),
	}, err
}

func resolvedLine(l domain.Line) *orderreleasev1.ResolvedLine {
	return &orderreleasev1.ResolvedLine{
		LineNumber: int32(l.Number), ItemId: l.Item, BaseQuantity: protovalue.Quantity(l.Base), Site: l.Site,
	}
}

func reason(r domain.Reason) *commonv1.Reason {
	return &commonv1.Reason{Code: r.Code, Field: r.Field, Message: r.Message}
}

func fromReason(r *commonv1.Reason) domain.Reason {
	return domain.Reason{Code: r.GetCode(), Field: r.GetField(), Message: r.GetMessage()}
}

func lineQuantity(l domain.LineQuantity) *orderreleasev1.LineQuantity {
	return &orderreleasev1.LineQuantity{LineNumber: int32(l.Line), Quantity: protovalue.Quantity(l.Quantity), Reason: l.Reason}
}

func fromLineQuantity(l *orderreleasev1.LineQuantity) (domain.LineQuantity, error) {
	q, err := protovalue.StoredQuantity(l.GetQuantity())
	return domain.LineQuantity{Line: int(l.GetLineNumber()), Quantity: q, Reason: l.GetReason()}, err
}

func claim(c domain.Claim) *orderreleasev1.Claim {
	return &orderreleasev1.Claim{
		ClaimKey: c.Key, StockId: c.Stock, Site: c.Site, ItemId: c.Item,
		Quantity: protovalue.Quantity(c.Quantity), Lines: protovalue.Each(c.Lines, lineQuantity),
	}
}

func fromClaim(c *orderreleasev1.Claim) (domain.Claim, error) {
	out := domain.Claim{Key: c.GetClaimKey(), Stock: c.GetStockId(), Site: c.GetSite(), Item: c.GetItemId()}
	var err error
	if out.Quantity, err = protovalue.StoredQuantity(c.GetQuantity()); err != nil {
		return out, err
	}
	out.Lines, err = protovalue.TryEach(c.GetLines(), fromLineQuantity)
	return out, err
}

func claimRef(c domain.ClaimRef) *orderreleasev1.ClaimRef {
	return &orderreleasev1.ClaimRef{ClaimKey: c.Key, StockId: c.Stock, Site: c.Site, ItemId: c.Item}
}

func fromClaimRef(c *orderreleasev1.ClaimRef) domain.ClaimRef {
	return domain.ClaimRef{Key: c.GetClaimKey(), Stock: c.GetStockId(), Site: c.GetSite(), Item: c.GetItemId()}
}

func releaseClaim(c domain.LineClaim) *orderreleasev1.ReleaseClaim {
	return &orderreleasev1.ReleaseClaim{ClaimKey: c.Key, Quantity: c.Quantity.String()}
}

func fromReleaseClaim(c *orderreleasev1.ReleaseClaim) (domain.LineClaim, error) {
	d, err := quantity.Parse(c.GetQuantity())
	return domain.LineClaim{Key: c.GetClaimKey(), Quantity: d}, err
}

// releaseNumber reads the number of a release out of its stored id; an empty id is 0.
func releaseNumber(id string) (int, error) {
	if id == "" {
		return 0, nil
	}
	_, n, err := domain.ParseReleaseID(id)
	if err != nil {
		return 0, fault.New(fault.Invalid, "RELEASE_UNKNOWN", "%v", err)
	}
	return n, nil
}

// releaseID is the id of a release; 0 is none.
func releaseID(order string, number int) string {
	if number == 0 {
		return ""
	}
	return domain.ReleaseID(order, number)
}
