package adapter

import (
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	returnsv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/returns/v1"
	"github.com/lockstep-logistics/lockstep/services/returns/internal/domain"
)

// keyed is a stored fact with the keys of its return.
type keyed interface {
	GetRmaId() string
	GetRmaNumber() string
	GetOrderId() string
	GetOrderNumber() string
}

func keys(m keyed) domain.Keys {
	return domain.Keys{ID: m.GetRmaId(), Number: m.GetRmaNumber(), Order: m.GetOrderId(), OrderNumber: m.GetOrderNumber()}
}

// readers read every fact type that a return may have.
var readers = func() protovalue.Readers[domain.Fact] {
	rs := protovalue.Readers[domain.Fact]{}
	readDecisions(rs)
	readGoods(rs)
	readCredits(rs)
	return rs
}()

func readDecisions(rs protovalue.Readers[domain.Fact]) {
	protovalue.Read(rs, func(m *returnsv1.ReturnRequested) (domain.Fact, error) {
		lines, err := protovalue.TryEach(m.GetLines(), fromAskedLine)
		return domain.ReturnRequested{
			Keys: keys(m), Source: m.GetSourceSystem(), ClaimKey: m.GetClaimKey(), Returnable: m.GetReturnableId(), Site: m.GetReturnSite(),
			SoldTo: m.GetSoldTo(), SoldToID: m.GetSoldToId(), Lines: lines, At: protovalue.FromTime(m.GetRequestedTime()),
		}, err
	})
	protovalue.Read(rs, func(m *returnsv1.ReturnWordObserved) (domain.Fact, error) {
		return domain.ReturnWordObserved{Keys: keys(m), Word: protovalue.FromForeignWord(m.GetWord())}, nil
	})
	protovalue.Read(rs, func(m *returnsv1.ReturnHeld) (domain.Fact, error) {
		lines, err := protovalue.TryEach(m.GetLines(), fromClaimedLine)
		return domain.ReturnHeld{Keys: keys(m), SoldTo: m.GetSoldTo(), SoldToID: m.GetSoldToId(), Lines: lines}, err
	})
	protovalue.Read(rs, func(m *returnsv1.ReturnAuthorised) (domain.Fact, error) {
		lines, err := protovalue.TryEach(m.GetLines(), fromClaimedLine)
		return domain.ReturnAuthorised{
			Keys: keys(m), By: m.GetAuthorisedBy(), Site: m.GetReturnSite(), Lines: lines, At: protovalue.FromTime(m.GetAuthorisedTime()),
		}, err
	})
	protovalue.Read(rs, func(m *returnsv1.ReturnDenied) (domain.Fact, error) {
		return domain.ReturnDenied{
			Keys: keys(m), Reasons: protovalue.Each(m.GetReasons(), fromReason), By: m.GetDeniedBy(), ClaimKey: m.GetClaimKey(), Returnable: m.GetReturnableId(),
		}, nil
	})
	protovalue.Read(rs, func(m *returnsv1.ReturnCancelled) (domain.Fact, error) {
		return domain.ReturnCancelled{Keys: keys(m), Reason: m.GetReason(), ClaimKey: m.GetClaimKey(), Returnable: m.GetReturnableId()}, nil
	})
	protovalue.Read(rs, func(m *returnsv1.ReturnCompleted) (domain.Fact, error) {
		kept, err := protovalue.TryEach(m.GetKept(), fromClaimedLine)
		return domain.ReturnCompleted{Keys: keys(m), Kept: kept, ClaimKey: m.GetClaimKey(), Returnable: m.GetReturnableId(), Short: m.GetShort()}, err
	})
}

func readGoods(rs protovalue.Readers[domain.Fact]) {
	protovalue.Read(rs, func(m *returnsv1.ReturnReceiptRecorded) (domain.Fact, error) {
		f := domain.ReceiptRecorded{
			Keys: keys(m), Named: int(m.GetRmaLineNumber()), Booked: int(m.GetBookedLineNumber()),
			Stand: domain.Stand{
				Stock: m.GetStockId(), Site: m.GetSite(), Item: m.GetItemId(), SKU: m.GetSku(), Owner: m.GetOwner(),
				Location: m.GetLocation(), Lot: m.GetLot(), Expiry: m.GetExpiryDate(), Status: m.GetStockStatus(),
			},
			Marks: protovalue.Each(m.GetMarks(), fromReason), At: protovalue.FromTime(m.GetEventTime()),
		}
		var err error
		if f.Quantity, err = protovalue.StoredQuantity(m.GetQuantity()); err != nil {
			return nil, err
		}
		f.Excess, err = stored(m.GetExcess())
		return f, err
	})
	protovalue.Read(rs, func(m *returnsv1.ItemsInspected) (domain.Fact, error) {
		f := domain.ItemsInspected{
			Keys: keys(m), Line: int(m.GetRmaLineNumber()),
			Grade: protovalue.Name(m.GetGrade(), "GRADE_"), Finding: protovalue.Name(m.GetFinding(), "FINDING_"), Note: m.GetNote(),
		}
		var err error
		if f.Accepted, err = stored(m.GetAccepted()); err != nil {
			return nil, err
		}
		f.Rejected, err = stored(m.GetRejected())
		return f, err
	})
	protovalue.Read(rs, func(m *returnsv1.ItemsDisposed) (domain.Fact, error) {
		q, err := protovalue.StoredQuantity(m.GetQuantity())
		return domain.ItemsDisposed{
			ID: m.GetRmaId(), Number: m.GetRmaNumber(), Order: m.GetOrderId(), Line: int(m.GetRmaLineNumber()),
			Disposition: domain.Disposition(protovalue.Name(m.GetDisposition(), "DISPOSITION_")), Quantity: q,
			Stand: domain.Stand{
				Stock: m.GetStockId(), Site: m.GetSite(), Item: m.GetItemId(), SKU: m.GetSku(), Owner: m.GetOwner(),
				Location: m.GetFromLocation(), Lot: m.GetLot(), Expiry: m.GetExpiryDate(), Status: m.GetFromStatus(),
			},
			To: m.GetToLocation(), At: protovalue.FromTime(m.GetEventTime()),
		}, err
	})
}

func readCredits(rs protovalue.Readers[domain.Fact]) {
	protovalue.Read(rs, func(m *returnsv1.CreditRequested) (domain.Fact, error) {
		lines, err := protovalue.TryEach(m.GetLines(), fromCreditLine)
		return domain.CreditRequested{
			Keys: keys(m), Credit: int(m.GetCreditNumber()), SoldTo: m.GetSoldTo(), Lines: lines,
			Gross: fromAmount(m.GetGross()), Fee: fromAmount(m.GetFee()), Net: fromAmount(m.GetNet()), At: protovalue.FromTime(m.GetRequestedTime()),
		}, err
	})
	protovalue.Read(rs, func(m *returnsv1.CreditConfirmed) (domain.Fact, error) {
		return domain.CreditConfirmed{
			Keys: keys(m), Credit: int(m.GetCreditNumber()), Memo: m.GetCreditMemo(), Amount: fromAmount(m.GetAmount()),
			Contradictions: protovalue.Each(m.GetContradictions(), fromReason), At: protovalue.FromTime(m.GetConfirmedTime()),
		}, nil
	})
}

// itemReaders read every fact type of what of an order can be returned.
var itemReaders = func() protovalue.Readers[domain.ItemFact] {
	rs := protovalue.Readers[domain.ItemFact]{}
	protovalue.Read(rs, func(m *returnsv1.ItemsIssued) (domain.ItemFact, error) {
		lines, err := protovalue.TryEach(m.GetLines(), func(l *returnsv1.IssuedLine) (domain.IssuedLine, error) { return fromIssuedLine(l, m.GetCurrency()) })
		return domain.ItemsIssued{
			ID: m.GetReturnableId(), Order: m.GetOrderId(), Number: m.GetOrderNumber(), Source: m.GetSourceSystem(), Release: m.GetReleaseId(),
			SoldTo: m.GetSoldTo(), SoldToID: m.GetSoldToId(), Currency: m.GetCurrency(), Lines: lines, At: protovalue.FromTime(m.GetIssuedTime()),
		}, err
	})
	protovalue.Read(rs, func(m *returnsv1.ReturnClaimed) (domain.ItemFact, error) {
		lines, err := protovalue.TryEach(m.GetLines(), fromClaimedLine)
		return domain.ReturnClaimed{
			ID: m.GetReturnableId(), Order: m.GetOrderId(), Claim: domain.Claim{Key: m.GetClaimKey(), RMA: m.GetRmaId(), Lines: lines},
		}, err
	})
	protovalue.Read(rs, func(m *returnsv1.ReturnClaimReleased) (domain.ItemFact, error) {
		kept, err := protovalue.TryEach(m.GetKept(), fromClaimedLine)
		return domain.ClaimReleased{
			ID: m.GetReturnableId(), Order: m.GetOrderId(), Claim: domain.Claim{Key: m.GetClaimKey(), RMA: m.GetRmaId(), Lines: kept},
		}, err
	})
	readReversed(rs)
	return rs
}()
