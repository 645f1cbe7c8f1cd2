package adapter

import (
	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	imv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	orderreleasev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// fromAmendment is what order release asks for.
func fromAmendment(m *orderreleasev1.AmendmentRequested) (domain.Amendment, error) {
	lines, err := protovalue.TryEach(m.GetLines(), func(l *orderreleasev1.AmendedLine) (a domain.LineAmendment, err error) {
		a.Line = int(l.GetLineNumber())
		if a.From, err = quantity.Parse(l.GetFromQuantity()); err != nil {
			return a, err
		}
		a.To, err = quantity.Parse(l.GetToQuantity())
		return a, err
	})
	return domain.Amendment{
		OrderKeys: domain.OrderKeys{
			Order: m.GetOrderId(), OrderNumber: m.GetOrderNumber(), Release: m.GetReleaseId(), ReleaseVersion: int(m.GetReleaseVersion()),
		},
		Version: int(m.GetAmendedVersion()), Lines: lines,
	}, err
}

// amendmentMessage is a fact of an amendment, as it is stored and published.
func amendmentMessage(f domain.OrderFact) proto.Message {
	switch f := f.(type) {
	case domain.OrderAmended:
		return &imv1.WarehouseOrderAmended{
			Keys: orderKeys(f.OrderKeys), AmendedVersion: int32(f.Version), Site: f.Site, Owner: f.Owner,
			Lines: protovalue.Each(f.Lines, func(l domain.AmendedLine) *imv1.AmendedWarehouseLine {
				return &imv1.AmendedWarehouseLine{
					LineNumber: int32(l.Line), ItemId: l.Item, Sku: l.SKU, Quantity: protovalue.Quantity(l.Quantity),
					TakenOff: l.TakenOff.String(), Open: l.Open.String(),
				}
			}),
		}
	case domain.AmendmentRefused:
		return &imv1.WarehouseOrderAmendmentRefused{
			Keys: orderKeys(f.OrderKeys), AmendedVersion: int32(f.Version),
			Reasons: protovalue.Each(f.Reasons, func(r domain.Refusal) *commonv1.Reason {
				return &commonv1.Reason{Code: r.Code, Field: r.Field, Message: r.Message}
			}),
		}
	}
	return nil
}

// readAmendments reads the facts of amendments.
func readAmendments(rs protovalue.Readers[domain.OrderFact]) {
	protovalue.Read(rs, func(m *imv1.WarehouseOrderAmended) (domain.OrderFact, error) { return fromAmended(m) })
	protovalue.Read(rs, func(m *imv1.WarehouseOrderAmendmentRefused) (domain.OrderFact, error) {
		return domain.AmendmentRefused{
			OrderKeys: fromOrderKeys(m.GetKeys()), Version: int(m.GetAmendedVersion()),
			Reasons: protovalue.Each(m.GetReasons(), func(r *commonv1.Reason) domain.Refusal {
				return domain.Refusal{Code: r.GetCode(), Field: r.GetField(), Message: r.GetMessage()}
			}),
		}, nil
	})
}

func fromAmended(m *imv1.WarehouseOrderAmended) (domain.OrderAmended, error) {
	lines, err := protovalue.TryEach(m.GetLines(), func(l *imv1.AmendedWarehouseLine) (a domain.AmendedLine, err error) {
		a = domain.AmendedLine{Line: int(l.GetLineNumber()), Item: l.GetItemId(), SKU: l.GetSku()}
		if a.Quantity, err = protovalue.StoredQuantity(l.GetQuantity()); err != nil {
			return a, err
		}
		if a.TakenOff, err = quantity.Parse(l.GetTakenOff()); err != nil {
			return a, err
		}
		a.Open, err = quantity.Parse(l.GetOpen())
		return a, err
	})
	return domain.OrderAmended{
		OrderKeys: fromOrderKeys(m.GetKeys()), Version: int(m.GetAmendedVersion()), Site: m.GetSite(), Owner: m.GetOwner(), Lines: lines,
	}, err
}
