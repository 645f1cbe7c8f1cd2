package adapter

import (
	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	returnsv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/returns/v1"
	"github.com/lockstep-logistics/lockstep/services/returns/internal/domain"
)

// message is a fact of a return as it is stored and published.
func message(f domain.Fact) proto.Message {
	switch f := f.(type) {
	case domain.ReturnRequested:
		return &returnsv1.ReturnRequested{
			RmaId: f.ID, RmaNumber: f.Number, OrderId: f.Order, OrderNumber: f.OrderNumber, SourceSystem: f.Source,
			Lines: protovalue.Each(f.Lines, askedLine), ClaimKey: f.ClaimKey, ReturnableId: f.Returnable, ReturnSite: f.Site,
			RequestedTime: protovalue.Time(f.At), SoldTo: f.SoldTo, SoldToId: f.SoldToID,
		}
	case domain.ReturnHeld:
		return &returnsv1.ReturnHeld{
			RmaId: f.ID, RmaNumber: f.Number, OrderId: f.Order, OrderNumber: f.OrderNumber,
			SoldTo: f.SoldTo, SoldToId: f.SoldToID, Lines: protovalue.Each(f.Lines, claimedLine),
		}
	case domain.ReturnAuthorised:
		return &returnsv1.ReturnAuthorised{
			RmaId: f.ID, RmaNumber: f.Number, OrderId: f.Order, OrderNumber: f.OrderNumber,
			AuthorisedBy: f.By, Lines: protovalue.Each(f.Lines, claimedLine), ReturnSite: f.Site, AuthorisedTime: protovalue.Time(f.At),
		}
	case domain.ReturnDenied:
		return &returnsv1.ReturnDenied{
			RmaId: f.ID, RmaNumber: f.Number, OrderId: f.Order, OrderNumber: f.OrderNumber,
			Reasons: protovalue.Each(f.Reasons, reason), ClaimKey: f.ClaimKey, ReturnableId: f.Returnable, DeniedBy: f.By,
		}
	case domain.ReturnCancelled:
		return &returnsv1.ReturnCancelled{
			RmaId: f.ID, RmaNumber: f.Number, OrderId: f.Order, OrderNumber: f.OrderNumber,
			Reason: f.Reason, ClaimKey: f.ClaimKey, ReturnableId: f.Returnable,
		}
	case domain.ReturnWordObserved:
		return &returnsv1.ReturnWordObserved{
			RmaId: f.ID, RmaNumber: f.Number, OrderId: f.Order, OrderNumber: f.OrderNumber, Word: protovalue.ForeignWord(f.Word),
		}
	case domain.ReturnCompleted:
		return &returnsv1.ReturnCompleted{
			RmaId: f.ID, RmaNumber: f.Number, OrderId: f.Order, OrderNumber: f.OrderNumber,
			Kept: protovalue.Each(f.Kept, claimedLine), ClaimKey: f.ClaimKey, ReturnableId: f.Returnable, Short: f.Short,
		}
	}
	return goodsMessage(f)
}

func goodsMessage(f domain.Fact) proto.Message {
	switch f := f.(type) {
	case domain.ReceiptRecorded:
		return &returnsv1.ReturnReceiptRecorded{
			RmaId: f.ID, RmaNumber: f.Number, OrderId: f.Order, OrderNumber: f.OrderNumber,
			RmaLineNumber: int32(f.Named), BookedLineNumber: int32(f.Booked),
			StockId: f.Stand.Stock, Site: f.Stand.Site, ItemId: f.Stand.Item, Sku: f.Stand.SKU, Owner: f.Stand.Owner,
			Location: f.Stand.Location, Lot: f.Stand.Lot, ExpiryDate: f.Stand.Expiry, StockStatus: f.Stand.Status,
			Quantity: protovalue.Quantity(f.Quantity), Excess: protovalue.Quantity(f.Excess), Marks: protovalue.Each(f.Marks, reason),
			EventTime: protovalue.Time(f.At),
		}
	case domain.ItemsInspected:
		return &returnsv1.ItemsInspected{
			RmaId: f.ID, RmaNumber: f.Number, OrderId: f.Order, OrderNumber: f.OrderNumber, RmaLineNumber: int32(f.Line),
			Accepted: protovalue.Quantity(f.Accepted), Rejected: protovalue.Quantity(f.Rejected),
			Grade: grade(f.Grade), Finding: finding(f.Finding), Note: f.Note,
		}
	case domain.ItemsDisposed:
		return &returnsv1.ItemsDisposed{
			RmaId: f.ID, RmaNumber: f.Number, OrderId: f.Order, RmaLineNumber: int32(f.Line), Disposition: disposition(f.Disposition),
			Quantity: protovalue.Quantity(f.Quantity), StockId: f.Stand.Stock, Site: f.Stand.Site, ItemId: f.Stand.Item, Sku: f.Stand.SKU,
			Owner: f.Stand.Owner, FromLocation: f.Stand.Location, Lot: f.Stand.Lot, ExpiryDate: f.Stand.Expiry, FromStatus: f.Stand.Status,
			ToLocation: f.To, EventTime: protovalue.Time(f.At),
		}
	case domain.CreditRequested:
		return &returnsv1.CreditRequested{
			RmaId: f.ID, RmaNumber: f.Number, OrderId: f.Order, OrderNumber: f.OrderNumber, CreditNumber: int32(f.Credit), SoldTo: f.SoldTo,
			Lines: protovalue.Each(f.Lines, creditLine), Gross: amount(f.Gross), Fee: amount(f.Fee), Net: amount(f.Net), RequestedTime: protovalue.Time(f.At),
		}
	case domain.CreditConfirmed:
		return &returnsv1.CreditConfirmed{
			RmaId: f.ID, RmaNumber: f.Number, OrderId: f.Order, OrderNumber: f.OrderNumber, CreditNumber: int32(f.Credit), CreditMemo: f.Memo,
			Amount: amount(f.Amount), Contradictions: protovalue.Each(f.Contradictions, reason), ConfirmedTime: protovalue.Time(f.At),
		}
	}
	return nil
}

// itemMessage is a fact of what of an order can be returned.
func itemMessage(f domain.ItemFact) proto.Message {
	switch f := f.(type) {
	case domain.ItemsIssued:
		return &returnsv1.ItemsIssued{
			ReturnableId: f.ID, OrderId: f.Order, OrderNumber: f.Number, SourceSystem: f.Source, ReleaseId: f.Release,
			SoldTo: f.SoldTo, SoldToId: f.SoldToID, Currency: f.Currency, Lines: protovalue.Each(f.Lines, issuedLine), IssuedTime: protovalue.Time(f.At),
		}
	case domain.ReturnClaimed:
		return &returnsv1.ReturnClaimed{
			ReturnableId: f.ID, OrderId: f.Order, RmaId: f.Claim.RMA, ClaimKey: f.Claim.Key, Lines: protovalue.Each(f.Claim.Lines, claimedLine),
		}
	case domain.ClaimReleased:
		return &returnsv1.ReturnClaimReleased{
			ReturnableId: f.ID, OrderId: f.Order, RmaId: f.Claim.RMA, ClaimKey: f.Claim.Key, Kept: protovalue.Each(f.Claim.Lines, claimedLine),
		}
	}
	return reversedMessage(f)
}
