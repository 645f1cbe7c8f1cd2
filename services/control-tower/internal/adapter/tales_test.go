package adapter

import (
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/bus"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	freightv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/freightsettlement/v1"
	inventoryv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	orderv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	returnsv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/returns/v1"
	"github.com/lockstep-logistics/lockstep/services/control-tower/internal/storytest"
)

// began is when the claims of these tests were asked for.
var began = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)

// tale is what services said of the claims of one document, a minute apart.
type tale struct {
	tenant   string
	facts    []bus.Fact
	versions map[string]uint64
}

func (s *tale) say(service, kind, id string, m proto.Message) {
	name, data, err := protovalue.Encode(m)
	if err != nil {
		panic(err) // generated messages of this package
	}
	if s.versions == nil {
		s.versions = map[string]uint64{}
	}
	s.versions[id]++
	s.facts = append(s.facts, bus.Fact{
		ID: bus.EventID(id, s.versions[id], 0), Service: service, AggregateType: kind, Tenant: s.tenant, AggregateID: id,
		Version: s.versions[id], Count: 1, Type: name, Data: data, Recorded: began.Add(time.Duration(len(s.facts)) * time.Minute),
	})
}

var (
	order, stockA, stockB = ident.Derive("ord", "x"), ident.Derive("stk", "a"), ident.Derive("stk", "b")
	claimA, claimB        = "clm:" + order + ":1:" + stockA, "clm:" + order + ":1:" + stockB
	refA, refB            = &orderv1.ClaimRef{ClaimKey: claimA, StockId: stockA}, &orderv1.ClaimRef{ClaimKey: claimB, StockId: stockB}
)

func ea(n string) *commonv1.Quantity { return &commonv1.Quantity{Value: n, Unit: "EA"} }

func (s *tale) order(m proto.Message) { s.say(storytest.Orders, "order", order, m) }

func (s *tale) stock(id string, m proto.Message) { s.say(storytest.Inventory, "stock", id, m) }

func (s *tale) asked() {
	s.order(&orderv1.PromiseRequested{OrderId: order, OrderNumber: "4711", Attempt: 1, Claims: []*orderv1.Claim{
		{ClaimKey: claimA, StockId: stockA, Quantity: ea("5")}, {ClaimKey: claimB, StockId: stockB, Quantity: ea("3")},
	}})
}

func (s *tale) reserved(stock, claim string) {
	s.stock(stock, &inventoryv1.StockReserved{Stock: &inventoryv1.StockKey{StockId: stock, Unit: "EA"}, ClaimKey: claim, Quantity: "5"})
}

func (s *tale) released(stock, claim string) {
	s.stock(stock, &inventoryv1.ReservationReleased{Stock: &inventoryv1.StockKey{StockId: stock, Unit: "EA"}, ClaimKey: claim, Quantity: "0"})
}

func (s *tale) promised(back ...*orderv1.ClaimRef) {
	m := &orderv1.LinesPromised{OrderId: order, OrderNumber: "4711", Attempt: 1, GiveBack: back}
	for i, claim := range []string{claimA, claimA, claimB} { // two lines share a claim
		if len(back) == 0 || back[0].GetClaimKey() != claim {
			m.Lines = append(m.Lines, &orderv1.PromisedLine{LineNumber: int32(i + 1), ClaimKey: claim, Quantity: ea("1")})
		}
	}
	s.order(m)
}

func (s *tale) allocated(stock, claim string, quantities ...string) {
	m := &inventoryv1.StockAllocated{Stock: &inventoryv1.StockKey{StockId: stock, Unit: "EA"}, WarehouseOrderId: ident.Derive("who", "x")}
	for _, q := range quantities {
		m.Claims = append(m.Claims, &inventoryv1.ClaimUse{ClaimKey: claim, Quantity: q})
	}
	s.stock(stock, m)
}

var (
	rma, items       = ident.Derive("rma", "x"), ident.Derive("rtb", "x")
	claimR           = "clm:" + rma + ":1:" + items
	invoice, freight = ident.Derive("inv", "x"), ident.Derive("frt", "x")
)

func (s *tale) rma(m proto.Message) { s.say(storytest.Returns, "rma", rma, m) }

func (s *tale) items(m proto.Message) { s.say(storytest.Returns, "returnable", items, m) }

func (s *tale) held() {
	s.rma(&returnsv1.ReturnRequested{RmaId: rma, RmaNumber: "RMA-1", OrderId: order, ClaimKey: claimR, ReturnableId: items})
	s.items(&returnsv1.ReturnClaimed{RmaId: rma, ClaimKey: claimR, ReturnableId: items})
}

func (s *tale) match(attempt int32, outcome freightv1.FreightInvoiceState, freed ...string) {
	s.invoice(&freightv1.MatchRequested{InvoiceId: invoice, Attempt: attempt, FreightIds: []string{freight, "", freight}})
	s.freight(&freightv1.ChargesClaimed{FreightId: freight, InvoiceId: invoice, Attempt: attempt})
	s.invoice(&freightv1.MatchDecided{InvoiceId: invoice, Attempt: attempt, Outcome: outcome, FreedFreightIds: freed})
}

func (s *tale) invoice(m proto.Message) { s.say(storytest.Freight, "freight_invoice", invoice, m) }

func (s *tale) freight(m proto.Message) { s.say(storytest.Freight, "freight", freight, m) }

// tales are what may come of claims, with what hangs at the end: state, claim, held quantity,
// number of the document, event that asks for its end, minutes at which it was made and since
// when it hangs.
var tales = map[string]struct {
	tell func(*tale)
	want []string
}{
	"undecided": {func(s *tale) {
		s.asked()
		s.reserved(stockA, claimA)
	}, []string{"OPEN " + claimA + " 5 EA of 4711 by " + order + ":1:0 1 0"}},
	"promised and allocated": {func(s *tale) {
		s.asked()
		s.reserved(stockA, claimA)
		s.reserved(stockB, claimB)
		s.promised()
		s.allocated(stockA, claimA, "2", "3")
		s.allocated(stockB, claimB, "5")
	}, nil},
	"promised, by right": {func(s *tale) {
		s.asked()
		s.reserved(stockA, claimA)
		s.promised()
	}, nil},
	"refused and given back": {func(s *tale) {
		s.asked()
		s.reserved(stockA, claimA)
		s.order(&orderv1.PromiseRefused{OrderId: order, OrderNumber: "4711", Attempt: 1, GiveBack: []*orderv1.ClaimRef{refA, refB}})
		s.released(stockA, claimA)
		s.released(stockB, claimB) // was never made
	}, nil},
	"refused, one not given back": {func(s *tale) {
		s.asked()
		s.reserved(stockA, claimA)
		s.reserved(stockB, claimB)
		s.order(&orderv1.PromiseRefused{OrderId: order, OrderNumber: "4711", Attempt: 1, GiveBack: []*orderv1.ClaimRef{refA, refB}})
		s.released(stockA, claimA)
	}, []string{"DECIDED " + claimB + " 5 EA of 4711 by " + order + ":2:0 2 3"}},
	"promised without it": {func(s *tale) {
		s.asked()
		s.promised(refB)
		s.reserved(stockB, claimB) // of a reactor that was late
	}, []string{"DECIDED " + claimB + " 5 EA of 4711 by " + order + ":2:0 2 1"}},
	"closed, then cancelled": {func(s *tale) {
		s.asked()
		s.reserved(stockA, claimA)
		s.order(&orderv1.PromiseClosed{OrderId: order, OrderNumber: "4711", Attempt: 1, GiveBack: []*orderv1.ClaimRef{refA, refB}})
		s.order(&orderv1.RemainderCancelled{OrderId: order, OrderNumber: "4711", GiveBack: []*orderv1.ClaimRef{refA}})
	}, []string{"CLOSED " + claimA + " 5 EA of 4711 by " + order + ":2:0 1 2"}},
	"promised, partly allocated, then cancelled": {func(s *tale) {
		s.asked()
		s.reserved(stockA, claimA)
		s.promised(refB)
		s.allocated(stockA, claimA, "2")
		s.order(&orderv1.RemainderCancelled{OrderId: order, OrderNumber: "4711", GiveBack: []*orderv1.ClaimRef{refA}})
	}, []string{"CLOSED " + claimA + " 3 EA of 4711 by " + order + ":3:0 1 4"}},
	"made again": {func(s *tale) {
		s.asked()
		s.order(&orderv1.PromiseClosed{OrderId: order, OrderNumber: "4711", Attempt: 1, GiveBack: []*orderv1.ClaimRef{refA, refB}})
		s.released(stockA, claimA)
		s.released(stockB, claimB)
		s.reserved(stockA, claimA) // the stock had forgotten
	}, []string{"CLOSED " + claimA + " 5 EA of 4711 by " + order + ":2:0 4 4"}},
	"made again and given back": {func(s *tale) {
		s.asked()
		s.order(&orderv1.PromiseClosed{OrderId: order, OrderNumber: "4711", Attempt: 1, GiveBack: []*orderv1.ClaimRef{refA}})
		s.released(stockA, claimA)
		s.reserved(stockA, claimA)
		s.released(stockA, claimA)
	}, nil},
	"nobody asked for it": {func(s *tale) { s.reserved(stockA, claimA) }, nil},
	"of no document":      {func(s *tale) { s.reserved(stockA, "clm:by-hand") }, nil},
	"return denied": {func(s *tale) {
		s.held()
		s.rma(&returnsv1.ReturnDenied{RmaId: rma, RmaNumber: "RMA-1", OrderId: order, ClaimKey: claimR, ReturnableId: items})
	}, []string{"DECIDED " + claimR + " of RMA-1 by " + rma + ":2:0 1 2"}},
	"return cancelled": {func(s *tale) {
		s.held()
		s.rma(&returnsv1.ReturnHeld{RmaId: rma, RmaNumber: "RMA-1", OrderId: order})
		s.rma(&returnsv1.ReturnCancelled{RmaId: rma, RmaNumber: "RMA-1", OrderId: order, ClaimKey: claimR, ReturnableId: items})
	}, []string{"CLOSED " + claimR + " of RMA-1 by " + rma + ":3:0 1 3"}},
	"return completed short, the rest given back": {func(s *tale) {
		s.held()
		s.rma(&returnsv1.ReturnHeld{RmaId: rma, RmaNumber: "RMA-1", OrderId: order})
		s.rma(&returnsv1.ReturnCompleted{RmaId: rma, RmaNumber: "RMA-1", OrderId: order, ClaimKey: claimR, ReturnableId: items, Short: true})
		s.items(&returnsv1.ReturnClaimReleased{RmaId: rma, ClaimKey: claimR, ReturnableId: items, Kept: []*returnsv1.ClaimedLine{{RmaLineNumber: 1}}})
	}, nil},
	"return completed in full": {func(s *tale) {
		s.held()
		s.rma(&returnsv1.ReturnHeld{RmaId: rma, RmaNumber: "RMA-1", OrderId: order})
		s.rma(&returnsv1.ReturnCompleted{RmaId: rma, RmaNumber: "RMA-1", OrderId: order, ClaimKey: claimR, ReturnableId: items})
	}, nil},
	"invoice unmatched": {func(s *tale) {
		s.invoice(&freightv1.FreightInvoiceReceived{InvoiceId: invoice, InvoiceNumber: "INV-1"})
		s.match(1, freightv1.FreightInvoiceState_FREIGHT_INVOICE_STATE_UNMATCHED, freight)
	}, []string{"DECIDED clm:" + invoice + ":1:" + freight + " of INV-1 by " + invoice + ":3:0 2 3"}},
	"invoice matched again": {func(s *tale) {
		s.match(1, freightv1.FreightInvoiceState_FREIGHT_INVOICE_STATE_UNMATCHED, freight)
		s.match(2, freightv1.FreightInvoiceState_FREIGHT_INVOICE_STATE_APPROVED)
	}, nil},
	"invoice credited": {func(s *tale) {
		s.match(1, freightv1.FreightInvoiceState_FREIGHT_INVOICE_STATE_DISPUTED)
		s.invoice(&freightv1.FreightInvoiceCredited{InvoiceId: invoice, InvoiceNumber: "INV-1", Attempt: 1, FreedFreightIds: []string{freight}})
	}, []string{"CLOSED clm:" + invoice + ":1:" + freight + " of INV-1 by " + invoice + ":3:0 1 3"}},
	"invoice credited and freed": {func(s *tale) {
		s.match(1, freightv1.FreightInvoiceState_FREIGHT_INVOICE_STATE_DISPUTED)
		s.invoice(&freightv1.FreightInvoiceCredited{InvoiceId: invoice, InvoiceNumber: "INV-1", Attempt: 1, FreedFreightIds: []string{freight}})
		s.freight(&freightv1.ChargesFreed{FreightId: freight, InvoiceId: invoice, Attempt: 1})
	}, nil},
}
