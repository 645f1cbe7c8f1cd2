package adapter

import (
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	orderreleasev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	"github.com/lockstep-logistics/lockstep/services/order-release/internal/domain"
)

// keyed is a stored fact with the keys of its order.
type keyed interface {
	GetOrderId() string
	GetOrderNumber() string
}

func keys(m keyed) domain.Keys { return domain.Keys{Order: m.GetOrderId(), Number: m.GetOrderNumber()} }

// ofRelease is a stored fact about quantities of a release.
type ofRelease interface {
	keyed
	GetReleaseId() string
	GetLines() []*orderreleasev1.LineQuantity
}

// part reads what the facts about quantities of a release have in common.
func part(m ofRelease) (k domain.Keys, release int, lines []domain.LineQuantity, err error) {
	if release, err = releaseNumber(m.GetReleaseId()); err != nil {
		return k, 0, nil, err
	}
	lines, err = protovalue.TryEach(m.GetLines(), fromLineQuantity)
	return keys(m), release, lines, err
}

// readers reads every fact type that an order may have.
var readers = func() protovalue.Readers[domain.Fact] {
	rs := protovalue.Readers[domain.Fact]{}
	readOrder(rs)
	readPromise(rs)
	readRelease(rs)
	readStop(rs)
	readAmendments(rs)
	readReversal(rs)
	readSourcing(rs)
	readExpected(rs)
	readShipped(rs)
	return rs
}()

func readOrder(rs protovalue.Readers[domain.Fact]) {
	protovalue.Read(rs, func(m *orderreleasev1.OrderReceived) (domain.Fact, error) {
		f := domain.OrderReceived{Order: m.GetOrderId(), Revision: int(m.GetRevision()), Header: fromDocument(m.GetDocument())}
		f.Header.ReceivedTime = protovalue.FromTime(m.GetReceivedTime())
		var err error
		if f.Lines, err = protovalue.TryEach(m.GetDocument().GetLines(), fromOrderLine); err != nil {
			return nil, err
		}
		for i, r := range m.GetResolved() {
			l := &f.Lines[i]
			l.Item, l.Site = r.GetItemId(), r.GetSite()
			if l.Base, err = protovalue.StoredQuantity(r.GetBaseQuantity()); err != nil {
				return nil, err
			}
		}
		return f, nil
	})
	protovalue.Read(rs, func(m *orderreleasev1.OrderWordObserved) (domain.Fact, error) {
		return domain.OrderWordObserved{Keys: keys(m), Word: protovalue.FromForeignWord(m.GetWord())}, nil
	})
	protovalue.Read(rs, func(m *orderreleasev1.OrderValidated) (domain.Fact, error) {
		return domain.OrderValidated{Keys: keys(m), Revision: int(m.GetRevision()), Lines: int(m.GetLineCount())}, nil
	})
	protovalue.Read(rs, func(m *orderreleasev1.OrderRejected) (domain.Fact, error) {
		return domain.OrderRejected{Keys: keys(m), Revision: int(m.GetRevision()), Reasons: protovalue.Each(m.GetReasons(), fromReason)}, nil
	})
	protovalue.Read(rs, func(m *orderreleasev1.HoldPlaced) (domain.Fact, error) {
		return domain.HoldPlaced{Keys: keys(m), AfterRelease: m.GetAfterRelease(), Hold: domain.Hold{
			Type: fromHoldType(m.GetType()), Note: m.GetNote(), By: m.GetPlacedBy(), At: protovalue.FromTime(m.GetPlacedTime()),
		}}, nil
	})
	protovalue.Read(rs, func(m *orderreleasev1.HoldLifted) (domain.Fact, error) {
		return domain.HoldLifted{Keys: keys(m), Type: fromHoldType(m.GetType()), Note: m.GetNote()}, nil
	})
	protovalue.Read(rs, func(m *orderreleasev1.OrderFulfilled) (domain.Fact, error) {
		issued, err := protovalue.TryEach(m.GetIssued(), fromLineQuantity)
		return domain.OrderFulfilled{Keys: keys(m), Issued: issued}, err
	})
	protovalue.Read(rs, func(m *orderreleasev1.OrderCancelled) (domain.Fact, error) {
		return domain.OrderCancelled{Keys: keys(m), Reason: m.GetReason()}, nil
	})
	protovalue.Read(rs, func(m *orderreleasev1.OrderClosed) (domain.Fact, error) {
		return domain.OrderClosed{Keys: keys(m)}, nil
	})
	protovalue.Read(rs, func(m *orderreleasev1.ReportContradicted) (domain.Fact, error) {
		excess, err := protovalue.TryEach(m.GetExcess(), fromLineQuantity)
		return domain.ReportContradicted{Keys: keys(m), Release: m.GetReleaseId(), Report: m.GetReport(), Shipment: m.GetShipmentId(), Excess: excess}, err
	})
}

func readPromise(rs protovalue.Readers[domain.Fact]) {
	protovalue.Read(rs, func(m *orderreleasev1.PromiseRequested) (domain.Fact, error) {
		claims, err := protovalue.TryEach(m.GetClaims(), fromClaim)
		return domain.PromiseRequested{
			Keys: keys(m), Attempt: int(m.GetAttempt()), Requested: protovalue.FromTime(m.GetRequestedTime()),
			Due: protovalue.FromTime(m.GetDueTime()), Partial: m.GetAllowPartial(), Again: m.GetAgain(), Claims: claims,
		}, err
	})
	protovalue.Read(rs, func(m *orderreleasev1.LinesPromised) (domain.Fact, error) {
		lines, err := protovalue.TryEach(m.GetLines(), func(l *orderreleasev1.PromisedLine) (domain.PromisedLine, error) {
			q, err := protovalue.StoredQuantity(l.GetQuantity())
			return domain.PromisedLine{Line: int(l.GetLineNumber()), Quantity: q, Claim: l.GetClaimKey()}, err
		})
		if err != nil {
			return nil, err
		}
		missing, err := protovalue.TryEach(m.GetMissing(), fromLineQuantity)
		return domain.LinesPromised{
			Keys: keys(m), Attempt: int(m.GetAttempt()), Lines: lines, Missing: missing, GiveBack: protovalue.Each(m.GetGiveBack(), fromClaimRef),
		}, err
	})
	protovalue.Read(rs, func(m *orderreleasev1.PromiseRefused) (domain.Fact, error) {
		missing, err := protovalue.TryEach(m.GetMissing(), fromLineQuantity)
		return domain.PromiseRefused{Keys: keys(m), Attempt: int(m.GetAttempt()), Missing: missing, GiveBack: protovalue.Each(m.GetGiveBack(), fromClaimRef)}, err
	})
	protovalue.Read(rs, func(m *orderreleasev1.PromiseClosed) (domain.Fact, error) {
		return domain.PromiseClosed{
			Keys: keys(m), Attempt: int(m.GetAttempt()), GiveBack: protovalue.Each(m.GetGiveBack(), fromClaimRef), Retry: protovalue.FromTime(m.GetRetryTime()),
		}, nil
	})
	protovalue.Read(rs, func(m *orderreleasev1.RemainderCancelled) (domain.Fact, error) {
		lines, err := protovalue.TryEach(m.GetLines(), fromLineQuantity)
		return domain.RemainderCancelled{Keys: keys(m), Lines: lines, GiveBack: protovalue.Each(m.GetGiveBack(), fromClaimRef), Reason: m.GetReason()}, err
	})
}

func readRelease(rs protovalue.Readers[domain.Fact]) {
	protovalue.Read(rs, fromReleased)
	protovalue.Read(rs, func(m *orderreleasev1.ReleaseBackordered) (domain.Fact, error) {
		k, n, lines, err := part(m)
		if err != nil {
			return nil, err
		}
		parent, err := releaseNumber(m.GetParentReleaseId())
		return domain.ReleaseBackordered{Keys: k, Release: n, Parent: parent, Site: m.GetSite(), Lines: lines}, err
	})
	protovalue.Read(rs, func(m *orderreleasev1.ReleaseAllocated) (domain.Fact, error) {
		k, n, lines, err := part(m)
		return domain.ReleaseAllocated{Keys: k, Release: n, WarehouseOrder: m.GetWarehouseOrderId(), Lines: lines}, err
	})
	protovalue.Read(rs, func(m *orderreleasev1.ReleaseAcknowledged) (domain.Fact, error) {
		n, err := releaseNumber(m.GetReleaseId())
		return domain.ReleaseAcknowledged{Keys: keys(m), Release: n, WarehouseOrder: m.GetWarehouseOrderId()}, err
	})
	protovalue.Read(rs, func(m *orderreleasev1.LinesPicked) (domain.Fact, error) {
		k, n, lines, err := part(m)
		return domain.LinesPicked{Keys: k, Release: n, Lines: lines}, err
	})
	protovalue.Read(rs, func(m *orderreleasev1.LinesShorted) (domain.Fact, error) {
		k, n, lines, err := part(m)
		return domain.LinesShorted{Keys: k, Release: n, Lines: lines}, err
	})
	protovalue.Read(rs, func(m *orderreleasev1.LinesIssued) (domain.Fact, error) {
		k, n, lines, err := part(m)
		return domain.LinesIssued{Keys: k, Release: n, Lines: lines, At: protovalue.FromTime(m.GetIssuedTime())}, err
	})
	protovalue.Read(rs, func(m *orderreleasev1.LinesDelivered) (domain.Fact, error) {
		k, n, lines, err := part(m)
		return domain.LinesDelivered{Keys: k, Release: n, Shipment: m.GetShipmentId(), Lines: lines}, err
	})
	protovalue.Read(rs, func(m *orderreleasev1.CancelRequested) (domain.Fact, error) {
		n, err := releaseNumber(m.GetReleaseId())
		return domain.CancelAsked{Keys: keys(m), Release: n, Version: int(m.GetReleaseVersion()), Site: m.GetSite(), Reason: m.GetReason()}, err
	})
	protovalue.Read(rs, func(m *orderreleasev1.ReleaseCancelled) (domain.Fact, error) {
		k, n, lines, err := part(m)
		if err != nil {
			return nil, err
		}
		back, err := protovalue.TryEach(m.GetPutBack(), fromLineQuantity)
		return domain.ReleaseCancelled{Keys: k, Release: n, Lines: lines, PutBack: back}, err
	})
	protovalue.Read(rs, func(m *orderreleasev1.CancelRefused) (domain.Fact, error) {
		n, err := releaseNumber(m.GetReleaseId())
		return domain.CancelRefused{Keys: keys(m), Release: n, Reason: m.GetReason()}, err
	})
}

func fromReleased(m *orderreleasev1.OrderReleased) (domain.Fact, error) {
	f := domain.OrderReleased{
		Keys: keys(m), Version: int(m.GetReleaseVersion()), Site: m.GetSite(), At: protovalue.FromTime(m.GetReleasedTime()), Shipped: fromShippedRule(m),
	}
	f.Header = domain.Header{
		Source: m.GetSourceSystem(), Number: m.GetOrderNumber(), PO: m.GetPurchaseOrder(),
		SoldTo: domain.Party{Code: m.GetSoldTo()}, ShipTo: domain.Party{Code: m.GetShipTo(), Address: fromAddress(m.GetShipToAddress())},
		Carrier: m.GetCarrierPreference(), Service: m.GetServiceLevel(), Incoterm: m.GetIncoterm(), Priority: int(m.GetPriority()),
		Rule:   domain.DeliveryRule(protovalue.Name(m.GetDeliveryRule(), "DELIVERY_RULE_")),
		ShipBy: protovalue.FromTime(m.GetShipBy()), DeliverBy: protovalue.FromTime(m.GetDeliverBy()),
	}
	var err error
	if f.Release, err = releaseNumber(m.GetReleaseId()); err != nil {
		return nil, err
	}
	if f.Parent, err = releaseNumber(m.GetParentReleaseId()); err != nil {
		return nil, err
	}
	f.Lines, err = protovalue.TryEach(m.GetLines(), func(l *orderreleasev1.ReleaseLine) (domain.ReleasedLine, error) {
		out := domain.ReleasedLine{
			Line: int(l.GetLineNumber()), Item: l.GetItemId(), SKU: l.GetSku(), Unit: l.GetOrderedUnit(), CustomerItem: l.GetCustomerItem(),
		}
		var err error
		if out.Quantity, err = protovalue.StoredQuantity(l.GetQuantity()); err != nil {
			return out, err
		}
		out.Claims, err = protovalue.TryEach(l.GetClaims(), fromReleaseClaim)
		return out, err
	})
	return f, err
}
