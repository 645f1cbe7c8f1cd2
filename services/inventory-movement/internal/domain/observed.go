package domain

import "github.com/lockstep-logistics/lockstep/libs/authority"

// What a system says by a command of which another one owns the transition changes nothing. It is kept
// beside what it speaks of.

type (
	// OrderWordObserved keeps it beside a warehouse order.
	OrderWordObserved struct {
		OrderKeys
		Word authority.Heard
	}
	// StockWordObserved keeps it beside a stock.
	StockWordObserved struct {
		StockKey
		Word authority.Heard
	}
)

func (OrderWordObserved) isOrderFact() {}
func (StockWordObserved) isStockFact() {}

// settled is what is kept beside the order once its owner has given a command.
func (o WarehouseOrder) settled(fact OrderFact) []authority.Heard {
	switch fact.(type) {
	case OrderAcknowledged:
		return authority.Settle(o.Heard, "AcknowledgeWarehouseOrder")
	case PickConfirmed:
		return authority.Settle(o.Heard, "ConfirmPicks")
	case PickShorted:
		return authority.Settle(o.Heard, "ReportShortPick")
	case CartonPacked:
		return authority.Settle(o.Heard, "PackCarton")
	case GoodsIssued:
		return authority.Settle(o.Heard, "PostGoodsIssue")
	}
	return o.Heard
}

// HearOfStock keeps what was said of a stock, whether there is one or not.
func HearOfStock(s Stock, key StockKey, w authority.Heard) StockFact {
	return StockWordObserved{s.named(key), w}
}

// hears applies what was said of the stock.
func (s Stock) hears(fact StockFact) Stock {
	if f, ok := fact.(StockWordObserved); ok {
		s.Key, s.Heard = f.StockKey, authority.Hear(s.Heard, f.Word)
	}
	return s
}
