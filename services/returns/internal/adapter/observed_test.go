package adapter

import (
	"time"

	"github.com/lockstep-logistics/lockstep/libs/authority"
	"github.com/lockstep-logistics/lockstep/services/returns/internal/domain"
)

// observedFacts are those of a return of which a system said what another one owns.
func observedFacts() []domain.Fact {
	said := time.Date(2026, 3, 2, 8, 0, 0, 123456000, time.UTC)
	word := authority.Heard{
		Command: "ConfirmCredit", System: "wms", Owner: "erp", Said: `{"rmaId":"rma_a"}`, Contradicts: true, Message: "M-1", EventTime: said.Add(-time.Hour), At: said,
	}
	return []domain.Fact{facts()[0], domain.ReturnWordObserved{Keys: domain.Keys{ID: "rma_a", Number: "RMA-1", Order: "ord_a", OrderNumber: "SO-1"}, Word: word}}
}
