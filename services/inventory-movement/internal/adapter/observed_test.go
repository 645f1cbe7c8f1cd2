package adapter

import (
	"time"

	"github.com/lockstep-logistics/lockstep/libs/authority"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// word is a command of a system that does not own it, with all that it can say.
func word(command string, contradicts bool) authority.Heard {
	return authority.Heard{
		Command: command, System: "tms", Owner: "wms", Said: `{"warehouseOrderId":"who_a"}`, Contradicts: contradicts, Message: "M-1",
		EventTime: at.Add(-time.Hour), At: at,
	}
}

// observedFacts are those of an order that knows how its release counts as shipped, and of which a system
// said what another one owns, before that one said it and after.
func observedFacts() []domain.OrderFact {
	created := orderFacts()[0].(domain.OrderCreated)
	created.Shipped = "DISPATCH"
	return []domain.OrderFact{
		created,
		domain.OrderWordObserved{OrderKeys: keys, Word: word("AcknowledgeWarehouseOrder", true)},
		domain.OrderWordObserved{OrderKeys: keys, Word: word("PostGoodsIssue", true)},
		domain.OrderAcknowledged{OrderKeys: keys},
		domain.OrderWordObserved{OrderKeys: keys, Word: word("AcknowledgeWarehouseOrder", false)},
	}
}

// observedStock is a stock of which nothing is known but what a system said that does not own it.
func observedStock() []domain.StockFact {
	return []domain.StockFact{domain.StockWordObserved{StockKey: stk, Word: word("RecordReceipt", true)}}
}
