package adapter

import (
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/quantity"
	imv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

var trf = domain.TransferKeys{ID: "trf_a", Reference: "TO-1", From: "DC1", To: "DC2", Owner: "OWN"}

func transferFacts() []domain.TransferFact {
	goods := func(line int, q int64) domain.TransferQuantity {
		return domain.TransferQuantity{Line: line, Item: "itm_a", SKU: "TEA", Unit: "EA", Place: bin, Quantity: quantity.Int(q)}
	}
	there := bin
	there.Location = "R-1"
	damaged := there
	damaged.Status = domain.Damaged
	return []domain.TransferFact{
		domain.TransferRequested{TransferKeys: trf, Expected: at, At: at, Lines: []domain.TransferLine{
			{Number: 1, Item: "itm_a", SKU: "TEA", Unit: "EA", Place: bin, Asked: quantity.Int(9)}, {Number: 2, Item: "itm_a", SKU: "TEA", Unit: "EA", Place: there, Asked: twelve},
		}},
		domain.TransferShipped{TransferKeys: trf, Expected: at, Shipped: []domain.TransferQuantity{goods(1, 9)}, Refused: []domain.TransferRefusal{{Line: 2, Reason: "STOCK_COMMITTED"}}, At: at},
		domain.TransferReceived{TransferKeys: trf, Message: "mmmm", At: at, Parts: []domain.TransferPart{
			{TransferQuantity: goods(1, 3), To: there}, {TransferQuantity: goods(1, 1), To: damaged, Damaged: true}, {TransferQuantity: goods(1, 1), To: there, Over: true},
		}},
		domain.TransferEnded{TransferKeys: trf, Outcome: domain.BroughtBack, Location: "B-7", Reason: "LATE", Lines: []domain.TransferQuantity{goods(1, 2)}, At: at},
		domain.TransferEnded{TransferKeys: trf, Outcome: domain.LostOnTheWay, Reason: "STOLEN", Lines: []domain.TransferQuantity{goods(1, 3)}, At: at},
	}
}

// transferredFacts are the movements of a stock that a transfer made.
func transferredFacts() []domain.StockFact {
	way, gone := bin, domain.Place{Location: domain.OtherSite, Status: domain.Available}
	way.Location = domain.InTransit
	move := func(kind domain.MovementType, from, to domain.Place, q int64) domain.StockFact {
		return domain.StockMoved{StockKey: stk, Type: kind, From: from, To: to, Quantity: quantity.Int(q), Transfer: "trf_a", At: at}
	}
	return []domain.StockFact{
		move(domain.TransferIn, gone, bin, 9), move(domain.TransferOut, bin, way, 7), move(domain.TransferOut, way, gone, 3), move(domain.TransferBack, way, bin, 2),
	}
}

func TestNamesOfTransferValues(t *testing.T) {
	for _, s := range []domain.TransferState{
		domain.TransferRequestedState, domain.TransferUnderway, domain.TransferReceiving, domain.TransferDone, domain.TransferCalledOff,
	} {
		known(t, imv1.TransferState(imv1.TransferState_value["TRANSFER_STATE_"+string(s)]), string(s))
	}
	for _, o := range []domain.TransferOutcome{domain.BroughtBack, domain.LostOnTheWay} {
		known(t, transferOutcome(o), string(o))
		if fromTransferOutcome(transferOutcome(o)) != o {
			t.Errorf("%s comes back as %s", o, fromTransferOutcome(transferOutcome(o)))
		}
	}
}
