package adapter

import (
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	controltowerv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/controltower/v1"
	freightv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/freightsettlement/v1"
	inventoryv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	orderv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	returnsv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/returns/v1"
	"github.com/lockstep-logistics/lockstep/services/control-tower/internal/domain"
)

// claimsOf returns what a fact says of claims. It is the one place that knows which facts do:
// whoever lets another document claim something adds its facts here.
func claimsOf(m proto.Message) []*controltowerv1.StepClaim {
	var c claimList
	switch m := m.(type) {
	case *orderv1.PromiseRequested:
		for _, claim := range m.GetClaims() {
			c.add(claim.GetClaimKey(), domain.Requested, claim.GetQuantity())
		}
	case *orderv1.LinesPromised:
		for _, l := range m.GetLines() {
			c.add(l.GetClaimKey(), domain.Kept, nil)
		}
		c.order(domain.Refused, m.GetGiveBack())
	case *orderv1.PromiseRefused:
		c.order(domain.Refused, m.GetGiveBack())
	case *orderv1.PromiseClosed:
		c.order(domain.Closed, m.GetGiveBack())
	case *orderv1.RemainderCancelled:
		c.order(domain.Closed, m.GetGiveBack())
	case *inventoryv1.StockReserved:
		c.add(m.GetClaimKey(), domain.Made, of(m.GetStock(), m.GetQuantity()))
	case *inventoryv1.ReservationReleased:
		c.add(m.GetClaimKey(), domain.GivenBack, of(m.GetStock(), m.GetQuantity()))
	case *inventoryv1.StockAllocated:
		for _, use := range m.GetClaims() {
			c.add(use.GetClaimKey(), domain.Used, of(m.GetStock(), use.GetQuantity()))
		}
	default:
		c.returns(m)
		c.freight(m)
	}
	return c.said
}

// returns reads the claims of returns on what an order has left.
func (c *claimList) returns(m proto.Message) {
	switch m := m.(type) {
	case *returnsv1.ReturnRequested:
		c.add(m.GetClaimKey(), domain.Requested, nil)
	case *returnsv1.ReturnHeld:
		c.add(domain.ClaimKey{Document: m.GetRmaId(), Attempt: 1}.String(), domain.Kept, nil)
	case *returnsv1.ReturnDenied:
		c.add(m.GetClaimKey(), domain.Refused, nil)
	case *returnsv1.ReturnCancelled:
		c.add(m.GetClaimKey(), domain.Closed, nil)
	case *returnsv1.ReturnCompleted:
		if m.GetShort() { // else it keeps all that it holds
			c.add(m.GetClaimKey(), domain.Closed, nil)
		}
	case *returnsv1.ReturnClaimed:
		c.add(m.GetClaimKey(), domain.Made, nil)
	case *returnsv1.ReturnClaimReleased:
		c.add(m.GetClaimKey(), domain.GivenBack, nil)
	}
}

// freight reads the claims of invoices on freights, whose facts name the parts of the key.
func (c *claimList) freight(m proto.Message) {
	add := func(invoice string, attempt int32, e domain.Effect, freights ...string) {
		for _, freight := range freights {
			c.add(domain.ClaimKey{Document: invoice, Attempt: int(attempt), Target: freight}.String(), e, nil)
		}
	}
	switch m := m.(type) {
	case *freightv1.MatchRequested:
		known := slices.DeleteFunc(slices.Clone(m.GetFreightIds()), func(id string) bool { return id == "" })
		add(m.GetInvoiceId(), m.GetAttempt(), domain.Requested, known...)
	case *freightv1.MatchDecided:
		add(m.GetInvoiceId(), m.GetAttempt(), domain.Kept, "") // all that it does not free
		add(m.GetInvoiceId(), m.GetAttempt(), domain.Refused, m.GetFreedFreightIds()...)
	case *freightv1.FreightInvoiceCredited:
		add(m.GetInvoiceId(), m.GetAttempt(), domain.Closed, m.GetFreedFreightIds()...)
	case *freightv1.ChargesClaimed:
		add(m.GetInvoiceId(), m.GetAttempt(), domain.Made, m.GetFreightId())
	case *freightv1.ChargesFreed:
		add(m.GetInvoiceId(), m.GetAttempt(), domain.GivenBack, m.GetFreightId())
	}
}

// claimList are claims as a fact says them, each but for uses once.
type claimList struct {
	said []*controltowerv1.StepClaim
	seen map[string]bool
}

func (c *claimList) add(key string, e domain.Effect, q *commonv1.Quantity) {
	if _, ok := domain.ParseClaim(key); !ok {
		return // made by hand, of no document
	}
	if id := string(e) + key; e != domain.Used {
		if c.seen[id] {
			return
		}
		if c.seen == nil {
			c.seen = map[string]bool{}
		}
		c.seen[id] = true
	}
	c.said = append(c.said, &controltowerv1.StepClaim{ClaimKey: key, Effect: effectProto(e), Quantity: q})
}

func (c *claimList) order(e domain.Effect, refs []*orderv1.ClaimRef) {
	for _, ref := range refs {
		c.add(ref.GetClaimKey(), e, nil)
	}
}

// of is a plain decimal in the unit of its stock.
func of(s *inventoryv1.StockKey, quantity string) *commonv1.Quantity {
	return &commonv1.Quantity{Value: quantity, Unit: s.GetUnit()}
}

const effectPrefix = "CLAIM_EFFECT_"

func effectProto(e domain.Effect) controltowerv1.ClaimEffect {
	return controltowerv1.ClaimEffect(controltowerv1.ClaimEffect_value[effectPrefix+string(e)])
}

// notesOf are the claims of a step as the domain judges them.
func notesOf(s *controltowerv1.TraceStep, f domain.Fact) []domain.ClaimNote {
	return protovalue.Each(s.GetClaims(), func(c *controltowerv1.StepClaim) domain.ClaimNote {
		n := domain.ClaimNote{Effect: domain.Effect(protovalue.Name(c.GetEffect(), effectPrefix)), Fact: f}
		n.Key, _ = domain.ParseClaim(c.GetClaimKey()) // no other is stored
		// A quantity that cannot be read is none: the claim stands all the same.
		n.Quantity.Value, _ = quantity.Parse(c.GetQuantity().GetValue())
		n.Quantity.Unit = c.GetQuantity().GetUnit()
		return n
	})
}
