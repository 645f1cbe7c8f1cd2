package domain

import (
	"time"

	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// transit is the place of goods while they are on their way: lot, date and status stay.
func (p Place) transit() Place {
	p.Location = InTransit
	return p
}

// SendOut takes goods out of their bin, of what is neither allocated nor promised.
func SendOut(s Stock, key StockKey, transfer string, q TransferQuantity, at time.Time) ([]StockFact, error) {
	from := s.dated(q.Place)
	if err := s.spare(from, q.Quantity); err != nil {
		return nil, err
	}
	if err := s.room(key); err != nil {
		return nil, err
	}
	return []StockFact{StockMoved{StockKey: s.named(key), Type: TransferOut, From: from, To: from.transit(), Quantity: q.Quantity, Transfer: transfer, At: at}}, nil
}

// leaveTransit moves goods that are on their way to somewhere; what the books do not have there
// comes from DISCREPANCY.
func leaveTransit(s Stock, key StockKey, kind MovementType, transfer, reason string, q TransferQuantity, to func(Place) Place, at time.Time) []StockFact {
	b := booking{s: s, left: q.Quantity}
	from := s.dated(q.Place).transit()
	move := func(source Place, n quantity.Decimal) {
		b.add(n, StockMoved{StockKey: s.named(key), Type: kind, From: source, To: to(from), Quantity: n, Reason: reason, Transfer: transfer, At: at})
	}
	all, _ := s.onHand(from)
	move(from, quantity.Min(all, b.left))
	move(Place{Location: Discrepancy, Lot: from.Lot, Serial: from.Serial, Status: from.Status}, b.left)
	return b.facts
}

// HandOver has goods leave the site that sent them, because the other has them.
func HandOver(s Stock, key StockKey, transfer string, q TransferQuantity, at time.Time) []StockFact {
	return leaveTransit(s, key, TransferOut, transfer, "", q, func(p Place) Place {
		p.Location = OtherSite
		return p
	}, at)
}

// TakeBack has goods that did not come stand in a bin of the site that sent them again.
func TakeBack(s Stock, key StockKey, transfer, location, reason string, q TransferQuantity, at time.Time) []StockFact {
	return leaveTransit(s, key, TransferBack, transfer, reason, q, func(p Place) Place {
		p.Location = location
		return p
	}, at)
}

// WriteOff has goods that never came in no place any more.
func WriteOff(s Stock, key StockKey, transfer, reason string, q TransferQuantity, at time.Time) []StockFact {
	return leaveTransit(s, key, Adjustment, transfer, reason, q, func(p Place) Place {
		p.Location = Discrepancy
		return p
	}, at)
}

// TakeIn books goods in a bin of the site that they were sent to, and has less to come. What is more
// than was sent comes from DISCREPANCY: the site that sent it has it in its books.
func TakeIn(s Stock, key StockKey, transfer string, p TransferPart, at time.Time) ([]StockFact, error) {
	if err := s.room(key); err != nil {
		return nil, err
	}
	from := p.To
	if from.Location = OtherSite; p.Over {
		from.Location = Discrepancy
	}
	f := StockMoved{StockKey: s.named(key), Type: TransferIn, From: from, To: p.To, Quantity: p.Quantity, Transfer: transfer, At: at}
	if p.Over {
		return []StockFact{f}, nil
	}
	return append([]StockFact{f}, Unsupplied(s, transfer, p.Line, p.Quantity, SupplyReceived)...), nil
}
