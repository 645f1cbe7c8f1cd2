package adapter

import (
	"time"

	"github.com/lockstep-logistics/lockstep/libs/authority"
	"github.com/lockstep-logistics/lockstep/services/order-release/internal/domain"
)

// observedFacts are those of an order of which a system said what another one owns, before that one said
// it and after.
func observedFacts() []domain.Fact {
	word := func(contradicts bool) domain.Fact {
		return domain.OrderWordObserved{Keys: k, Word: authority.Heard{
			Command: "LiftHold", System: "tms", Owner: "erp", Said: `{"orderId":"ord_a"}`, Contradicts: contradicts, Message: "M-1",
			EventTime: at.Add(-time.Hour), At: at,
		}}
	}
	return append(facts()[:2:2], word(true), domain.HoldPlaced{Keys: k, Hold: domain.Hold{Type: domain.HoldCredit, By: "ann", At: at}}, word(true),
		domain.HoldLifted{Keys: k, Type: domain.HoldCredit}, word(false))
}
