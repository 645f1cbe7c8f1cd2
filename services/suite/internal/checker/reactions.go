package checker

import (
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"

	fsv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/freightsettlement/v1"
	imv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	orv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	svv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/shipmentvisibility/v1"
)

// reactions hold what must follow against what did: two sums for each rule and key, equal in
// the end. Most keys lead from one service to another.
type reactions struct {
	sums      map[pair]*[2]big.Rat
	cancelled map[string]bool // documents that were called off: nothing need follow
	over      map[string]bool // orders that wait for nothing any more
	waits     []wait
}

type pair struct{ rule, key string }

func newReactions() *reactions {
	return &reactions{sums: map[pair]*[2]big.Rat{}, cancelled: map[string]bool{}, over: map[string]bool{}}
}

// Sides of a rule.
const (
	cause = iota
	effect
)

// Rules. What follows is counted or, where quantities or amounts flow, added up.
const (
	orders        = "a release becomes a warehouse order"
	allocates     = "a warehouse order is allocated"
	allocated     = "what stock allocates to a warehouse order is what that is told"
	plans         = "a warehouse order becomes a shipment"
	picks         = "what is picked moves in stock"
	tellsPicks    = "what is picked is told to the order"
	issues        = "what is issued leaves stock"
	putsBack      = "what is put back stands in stock"
	tellsIssue    = "what is issued is told to the order"
	readies       = "issued goods make the shipment ready"
	accepts       = "a warehouse's acknowledgement is told to the order"
	decides       = "an attempt to promise is decided"
	claims        = "stock is claimed as an order asked, once"
	accrues       = "a dispatched shipment's freight is accrued"
	finalises     = "a delivered shipment's freight is final"
	delivers      = "a delivered shipment is told to the order"
	leaves        = "a dispatched shipment is told to the order"
	matches       = "an invoice's match is decided"
	settles       = "what is approved is settled against the freight"
	reverses      = "what is taken back of a goods issue stands in stock"
	tellsReversal = "what is taken back of a goods issue is told to the order"
	takesOff      = "cartons that are taken back are off the shipment"
)

// What follows at least once; what follows at most as often as it should: a claim may be given
// back by a document that goes on without it, and few send back what they got; and what may
// follow from other things too: orders go in parts and are cancelled for many reasons.
var (
	atLeast = map[string]bool{accrues: true, finalises: true, delivers: true, leaves: true}
	atMost  = map[string]bool{claims: true, comesBackOf: true, credits: true}
	orMore  = map[string]bool{splits: true, verdicts: true}
)

// insists are what must follow though the document is cancelled: from that, or before it.
var insists = map[string]bool{putsBack: true, tellsPutBack: true, keeps: true, verdicts: true}

var one = big.NewRat(1, 1)

func (r *reactions) note(side int, f *fact, rule string, q *big.Rat, document string, rest ...any) {
	p := pair{rule, f.tenant + " " + document + " " + fmt.Sprint(rest...)}
	if r.sums[p] == nil {
		r.sums[p] = new([2]big.Rat)
	}
	r.sums[p][side].Add(&r.sums[p][side], q)
}

// watch notes what a fact makes follow, and what it follows from.
func (r *reactions) watch(f *fact) {
	r.watchShort(f)
	r.watchReturn(f)
	r.watchRecall(f)
	r.watchInbound(f)
	switch f.service {
	case "order-release":
		r.watchOrder(f)
	case "inventory-movement":
		r.watchWarehouse(f)
		r.watchStock(f)
	default:
		r.watchTransport(f)
	}
}

func ignore(string, ...any) {} // quantities that cannot be read are I2's and I6's to report

func (r *reactions) watchOrder(f *fact) {
	lines := func(rule, release string, of []*orv1.LineQuantity) {
		for _, l := range of {
			r.note(effect, f, rule, value(l.GetQuantity(), ignore), release, l.GetLineNumber())
		}
	}
	switch m := f.msg.(type) {
	case *orv1.OrderReleased:
		r.note(cause, f, orders, one, m.GetReleaseId(), m.GetReleaseVersion())
	case *orv1.ReleaseAcknowledged:
		r.note(effect, f, accepts, one, m.GetReleaseId())
	case *orv1.LinesPicked:
		lines(tellsPicks, m.GetReleaseId(), m.GetLines())
	case *orv1.LinesIssued:
		lines(tellsIssue, m.GetReleaseId(), m.GetLines())
	case *orv1.LinesDispatched:
		r.note(effect, f, leaves, one, m.GetShipmentId())
	case *orv1.LinesIssueReversed:
		lines(tellsReversal, m.GetReleaseId(), m.GetLines())
	case *orv1.LinesDelivered:
		r.note(effect, f, delivers, one, m.GetShipmentId())
	case *orv1.PromiseRequested:
		r.note(cause, f, decides, one, m.GetOrderId(), m.GetAttempt())
	case *orv1.LinesPromised:
		r.note(effect, f, decides, one, m.GetOrderId(), m.GetAttempt())
		for _, l := range m.GetLines() {
			r.note(cause, f, claims, value(l.GetQuantity(), ignore), m.GetOrderId(), l.GetClaimKey())
		}
	case *orv1.PromiseRefused:
		r.note(effect, f, decides, one, m.GetOrderId(), m.GetAttempt())
	case *orv1.PromiseClosed:
		r.note(effect, f, decides, one, m.GetOrderId(), m.GetAttempt())
	case *orv1.ReleaseCancelled:
		r.cancelled[m.GetReleaseId()] = true
	case *orv1.OrderCancelled:
		r.cancelled[m.GetOrderId()] = true
	}
}

func (r *reactions) watchWarehouse(f *fact) {
	lines := func(m interface {
		GetKeys() *imv1.WarehouseOrderKeys
		GetLines() []*imv1.WarehouseLineQuantity
	}, inStock, atOrder string,
	) {
		for _, l := range m.GetLines() {
			q := value(l.GetQuantity(), ignore)
			r.note(cause, f, inStock, q, m.GetKeys().GetWarehouseOrderId(), l.GetLineNumber())
			r.note(cause, f, atOrder, q, m.GetKeys().GetReleaseId(), l.GetLineNumber())
		}
	}
	switch m := f.msg.(type) {
	case *imv1.WarehouseOrderCreated:
		r.note(effect, f, orders, one, m.GetKeys().GetReleaseId(), m.GetKeys().GetReleaseVersion())
		r.note(cause, f, allocates, one, m.GetKeys().GetWarehouseOrderId())
		r.note(cause, f, plans, one, m.GetKeys().GetWarehouseOrderId())
	case *imv1.WarehouseOrderAllocated:
		r.note(effect, f, allocates, one, m.GetKeys().GetWarehouseOrderId())
		for _, t := range m.GetTasks() {
			r.note(effect, f, allocated, value(t.GetQuantity(), ignore), m.GetKeys().GetWarehouseOrderId(), t.GetLineNumber())
		}
	case *imv1.WarehouseOrderAcknowledged:
		r.note(cause, f, accepts, one, m.GetKeys().GetReleaseId())
	case *imv1.PickConfirmed:
		lines(m, picks, tellsPicks)
	case *imv1.GoodsIssued:
		lines(m, issues, tellsIssue)
		r.note(cause, f, readies, one, m.GetKeys().GetWarehouseOrderId())
	case *imv1.GoodsIssueReversed:
		lines(m, reverses, tellsReversal)
		r.note(cause, f, takesOff, one, m.GetKeys().GetWarehouseOrderId())
	case *imv1.WarehouseOrderCancelled:
		r.cancelled[m.GetKeys().GetWarehouseOrderId()] = true
	case *imv1.WarehouseOrderStopped:
		r.cancelled[m.GetKeys().GetWarehouseOrderId()] = true
	}
}

func (r *reactions) watchStock(f *fact) {
	switch m := f.msg.(type) {
	case *imv1.StockMoved:
		rule := map[imv1.MovementType]string{
			imv1.MovementType_MOVEMENT_TYPE_PICK: picks, imv1.MovementType_MOVEMENT_TYPE_ISSUE: issues,
			imv1.MovementType_MOVEMENT_TYPE_PUT_BACK: putsBack, imv1.MovementType_MOVEMENT_TYPE_ISSUE_REVERSAL: reverses,
		}[m.GetType()]
		if rule != "" {
			r.note(effect, f, rule, number(m.GetQuantity(), ignore), m.GetWarehouseOrderId(), m.GetLineNumber())
		}
	case *imv1.StockAllocated:
		for _, a := range m.GetAllocations() {
			r.note(cause, f, allocated, number(a.GetQuantity(), ignore), m.GetWarehouseOrderId(), m.GetLineNumber())
		}
	case *imv1.StockReserved:
		if booked(m.GetClaimKey()) {
			return
		}
		r.note(effect, f, claims, number(m.GetQuantity(), ignore), orderOf(m.GetClaimKey()), m.GetClaimKey())
	case *imv1.ReservationReleased: // what is given back was not claimed in the end
		if booked(m.GetClaimKey()) {
			return
		}
		q := number(m.GetQuantity(), ignore)
		r.note(effect, f, claims, q.Neg(q), orderOf(m.GetClaimKey()), m.GetClaimKey())
	}
}

// orderOf is the document that a claim key, "clm:<document>:<attempt>:<target>", names.
func orderOf(claim string) string {
	if parts := strings.Split(claim, ":"); len(parts) > 1 {
		return parts[1]
	}
	return claim
}

func (r *reactions) watchTransport(f *fact) {
	switch m := f.msg.(type) {
	case *svv1.ShipmentPlanned:
		r.note(effect, f, plans, one, m.GetWarehouseOrderId())
	case *svv1.ShipmentReady:
		r.note(effect, f, readies, one, m.GetWarehouseOrderId())
	case *svv1.ShipmentIssueReversed:
		r.note(effect, f, takesOff, one, m.GetWarehouseOrderId())
	case *svv1.ShipmentDispatched:
		r.note(cause, f, accrues, one, m.GetShipmentId())
		r.note(cause, f, leaves, one, m.GetShipmentId())
	case *svv1.ShipmentDelivered:
		r.note(cause, f, finalises, one, m.GetShipmentId())
		r.note(cause, f, delivers, one, m.GetShipmentId())
	case *svv1.ShipmentCancelled:
		r.cancelled[m.GetShipmentId()] = true
	case *fsv1.FreightAccrued:
		r.note(effect, f, accrues, one, m.GetShipmentId())
	case *fsv1.FreightFinalised:
		r.note(effect, f, finalises, one, m.GetShipmentId())
	case *fsv1.MatchRequested:
		r.note(cause, f, matches, one, m.GetInvoiceId(), m.GetAttempt())
	case *fsv1.MatchDecided:
		r.note(effect, f, matches, one, m.GetInvoiceId(), m.GetAttempt())
	case *fsv1.FreightInvoiceApproved:
		for _, l := range m.GetLines() {
			r.note(cause, f, settles, new(big.Rat).SetInt64(l.GetApproved().GetAmountMinor()), m.GetInvoiceId(), l.GetFreightId())
		}
	case *fsv1.ChargesSettled:
		r.note(effect, f, settles, new(big.Rat).SetInt64(m.GetPaid().GetAmountMinor()), m.GetInvoiceId(), m.GetFreightId())
	}
}

// reacted reports what did not follow (I9), and what followed more often than it should (I1,
// of stock I2, of money I3).
func (r *reactions) reacted(report *Report) {
	invariant := map[string]string{
		picks: "I2", issues: "I2", putsBack: "I2", reverses: "I2", claims: "I2", allocated: "I2", movesShort: "I2", booksBack: "I2", disposes: "I2",
		withdraws: "I2", receives: "I2", expects: "I2", settles: "I3", credits: "I3", comesBackOf: "I6",
	}
	for _, p := range slices.SortedFunc(maps.Keys(r.sums), func(a, b pair) int { return strings.Compare(a.rule+a.key, b.rule+b.key) }) {
		want, got := &r.sums[p][cause], &r.sums[p][effect]
		name := "I1"
		if invariant[p.rule] != "" {
			name = invariant[p.rule]
		}
		document := strings.SplitN(p.key, " ", 3)[1]
		switch order := got.Cmp(want); {
		case order < 0 && !atMost[p.rule] && (!r.cancelled[document] || insists[p.rule]) && (!atLeast[p.rule] || got.Sign() == 0):
			report.NotApplied++
			report.add("I9", Whole, p.key, "%s: %s of %s followed", p.rule, got.RatString(), want.RatString())
		case order > 0 && !atLeast[p.rule] && !orMore[p.rule]:
			report.Twice++
			report.add(name, Whole, p.key, "%s: %s followed where %s should have", p.rule, got.RatString(), want.RatString())
		}
	}
	r.stillWaits(report)
}
