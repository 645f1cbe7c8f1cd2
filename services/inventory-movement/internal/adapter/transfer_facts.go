package adapter

import (
	"context"

	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/bus"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/store"
	imv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/app"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// TransferType declares transfers between sites to the store.
func TransferType() store.Type[domain.SiteTransfer, domain.TransferFact] {
	return store.Type[domain.SiteTransfer, domain.TransferFact]{
		Name: "stock_transfer", Prefix: "trf", Fold: 2,
		Evolve:  domain.EvolveTransfer,
		Encode:  func(f domain.TransferFact) (string, []byte, error) { return protovalue.Encode(transferMessage(f)) },
		Decode:  transferReaders.Decode,
		Indexes: map[string]func(domain.SiteTransfer) []string{app.IndexSite: app.TransferSites},
	}
}

// TransferConsumer carries what happened to transfers into the stocks of both sites. One consumer
// takes all of it, so that what happened to one transfer is booked in its order.
func TransferConsumer(a *app.Transfers) bus.Consumer {
	return bus.Routes(bus.Reactor, "transfers", "inventory-movement",
		bus.On(func(ctx context.Context, _ bus.Fact, m *imv1.TransferRequested) error {
			return a.FollowRequested(ctx, m.GetKeys().GetTransferId())
		}),
		bus.On(func(ctx context.Context, _ bus.Fact, m *imv1.TransferShipped) error {
			f, err := fromTransferShipped(m)
			if err != nil {
				return err
			}
			return a.FollowShipped(ctx, f)
		}),
		bus.On(func(ctx context.Context, _ bus.Fact, m *imv1.TransferReceived) error {
			f, err := fromTransferReceived(m)
			if err != nil {
				return err
			}
			return a.FollowReceived(ctx, f)
		}),
		bus.On(func(ctx context.Context, _ bus.Fact, m *imv1.TransferEnded) error {
			f, err := fromTransferEnded(m)
			if err != nil {
				return err
			}
			return a.FollowEnded(ctx, f)
		}),
	)
}

// transferMessage is a fact of a transfer as it is stored and published.
func transferMessage(f domain.TransferFact) proto.Message {
	switch f := f.(type) {
	case domain.TransferRequested:
		return &imv1.TransferRequested{
			Keys: transferKeys(f.TransferKeys), ExpectedTime: protovalue.Time(f.Expected), EventTime: protovalue.Time(f.At),
			Lines: protovalue.Each(f.Lines, func(l domain.TransferLine) *imv1.TransferQuantity {
				return transferQuantity(domain.TransferQuantity{Line: l.Number, Item: l.Item, SKU: l.SKU, Unit: l.Unit, Place: l.Place, Quantity: l.Asked})
			}),
		}
	case domain.TransferShipped:
		return &imv1.TransferShipped{
			Keys: transferKeys(f.TransferKeys), ExpectedTime: protovalue.Time(f.Expected), Shipped: protovalue.Each(f.Shipped, transferQuantity),
			Refused: protovalue.Each(f.Refused, func(r domain.TransferRefusal) *imv1.TransferRefusal {
				return &imv1.TransferRefusal{LineNumber: int32(r.Line), Reason: r.Reason}
			}),
			EventTime: protovalue.Time(f.At),
		}
	case domain.TransferReceived:
		return &imv1.TransferReceived{
			Keys: transferKeys(f.TransferKeys), MessageMark: f.Message, EventTime: protovalue.Time(f.At),
			Parts: protovalue.Each(f.Parts, func(p domain.TransferPart) *imv1.TransferPart {
				return &imv1.TransferPart{Goods: transferQuantity(p.TransferQuantity), To: place(p.To), Over: p.Over, Damaged: p.Damaged}
			}),
		}
	case domain.TransferEnded:
		return &imv1.TransferEnded{
			Keys: transferKeys(f.TransferKeys), Outcome: transferOutcome(f.Outcome), Location: f.Location, Reason: f.Reason,
			Lines: protovalue.Each(f.Lines, transferQuantity), EventTime: protovalue.Time(f.At),
		}
	}
	return nil
}

// transferReaders reads every fact type that a transfer may have.
var transferReaders = func() protovalue.Readers[domain.TransferFact] {
	rs := protovalue.Readers[domain.TransferFact]{}
	protovalue.Read(rs, func(m *imv1.TransferRequested) (domain.TransferFact, error) {
		lines, err := protovalue.TryEach(m.GetLines(), func(q *imv1.TransferQuantity) (domain.TransferLine, error) {
			x, err := fromTransferQuantity(q)
			return domain.TransferLine{Number: x.Line, Item: x.Item, SKU: x.SKU, Unit: x.Unit, Place: x.Place, Asked: x.Quantity}, err
		})
		return domain.TransferRequested{
			TransferKeys: fromTransferKeys(m.GetKeys()), Expected: protovalue.FromTime(m.GetExpectedTime()), Lines: lines, At: protovalue.FromTime(m.GetEventTime()),
		}, err
	})
	protovalue.Read(rs, func(m *imv1.TransferShipped) (domain.TransferFact, error) { return fromTransferShipped(m) })
	protovalue.Read(rs, func(m *imv1.TransferReceived) (domain.TransferFact, error) { return fromTransferReceived(m) })
	protovalue.Read(rs, func(m *imv1.TransferEnded) (domain.TransferFact, error) { return fromTransferEnded(m) })
	return rs
}()

func fromTransferShipped(m *imv1.TransferShipped) (domain.TransferShipped, error) {
	shipped, err := protovalue.TryEach(m.GetShipped(), fromTransferQuantity)
	return domain.TransferShipped{
		TransferKeys: fromTransferKeys(m.GetKeys()), Expected: protovalue.FromTime(m.GetExpectedTime()), Shipped: shipped,
		Refused: protovalue.Each(m.GetRefused(), func(r *imv1.TransferRefusal) domain.TransferRefusal {
			return domain.TransferRefusal{Line: int(r.GetLineNumber()), Reason: r.GetReason()}
		}),
		At: protovalue.FromTime(m.GetEventTime()),
	}, err
}

func fromTransferReceived(m *imv1.TransferReceived) (domain.TransferReceived, error) {
	parts, err := protovalue.TryEach(m.GetParts(), func(p *imv1.TransferPart) (domain.TransferPart, error) {
		q, err := fromTransferQuantity(p.GetGoods())
		return domain.TransferPart{TransferQuantity: q, To: fromPlace(p.GetTo()), Over: p.GetOver(), Damaged: p.GetDamaged()}, err
	})
	return domain.TransferReceived{
		TransferKeys: fromTransferKeys(m.GetKeys()), Parts: parts, Message: m.GetMessageMark(), At: protovalue.FromTime(m.GetEventTime()),
	}, err
}

func fromTransferEnded(m *imv1.TransferEnded) (domain.TransferEnded, error) {
	lines, err := protovalue.TryEach(m.GetLines(), fromTransferQuantity)
	return domain.TransferEnded{
		TransferKeys: fromTransferKeys(m.GetKeys()), Outcome: fromTransferOutcome(m.GetOutcome()), Location: m.GetLocation(), Reason: m.GetReason(),
		Lines: lines, At: protovalue.FromTime(m.GetEventTime()),
	}, err
}

func transferKeys(k domain.TransferKeys) *imv1.TransferKeys {
	return &imv1.TransferKeys{TransferId: k.ID, Reference: k.Reference, FromSite: k.From, ToSite: k.To, Owner: k.Owner}
}

func fromTransferKeys(k *imv1.TransferKeys) domain.TransferKeys {
	return domain.TransferKeys{ID: k.GetTransferId(), Reference: k.GetReference(), From: k.GetFromSite(), To: k.GetToSite(), Owner: k.GetOwner()}
}

func transferQuantity(q domain.TransferQuantity) *imv1.TransferQuantity {
	return &imv1.TransferQuantity{LineNumber: int32(q.Line), ItemId: q.Item, Sku: q.SKU, Place: place(q.Place), Quantity: amount(q.Quantity, q.Unit)}
}

func fromTransferQuantity(m *imv1.TransferQuantity) (domain.TransferQuantity, error) {
	q, err := protovalue.StoredQuantity(m.GetQuantity())
	return domain.TransferQuantity{
		Line: int(m.GetLineNumber()), Item: m.GetItemId(), SKU: m.GetSku(), Unit: q.Unit, Place: fromPlace(m.GetPlace()), Quantity: q.Value,
	}, err
}

func transferOutcome(o domain.TransferOutcome) imv1.TransferOutcome {
	return imv1.TransferOutcome(imv1.TransferOutcome_value["TRANSFER_OUTCOME_"+string(o)])
}

func fromTransferOutcome(o imv1.TransferOutcome) domain.TransferOutcome {
	return domain.TransferOutcome(protovalue.Name(o, "TRANSFER_OUTCOME_"))
}
