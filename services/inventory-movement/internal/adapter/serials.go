package adapter

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/store"
	imv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/app"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// SerialType declares serial numbers to the store.
func SerialType() store.Type[domain.Serial, domain.SerialClaimed] {
	return store.Type[domain.Serial, domain.SerialClaimed]{
		Name: "serial", Prefix: "ser", Fold: 1,
		Evolve: domain.EvolveSerial,
		Encode: func(f domain.SerialClaimed) (string, []byte, error) { return protovalue.Encode(serialMessage(f)) },
		Decode: serialReaders.Decode,
	}
}

func serialMessage(f domain.SerialClaimed) proto.Message {
	return &imv1.SerialClaimed{
		Serial: f.Number, Stock: stockKey(f.Stock), Claim: int64(f.Claim), StockVersion: int64(f.Since),
		InboundDeliveryId: f.Delivery, ClaimedTime: protovalue.Time(f.At),
	}
}

// serialReaders reads the fact type of a serial number.
var serialReaders = func() protovalue.Readers[domain.SerialClaimed] {
	rs := protovalue.Readers[domain.SerialClaimed]{}
	protovalue.Read(rs, func(m *imv1.SerialClaimed) (domain.SerialClaimed, error) {
		return domain.SerialClaimed{
			Number: m.GetSerial(), Stock: fromStockKey(m.GetStock()), Claim: int(m.GetClaim()), Since: uint64(m.GetStockVersion()),
			Delivery: m.GetInboundDeliveryId(), At: protovalue.FromTime(m.GetClaimedTime()),
		}, nil
	})
	return rs
}()

// TraceSerial tells where a piece is and every movement that it made.
func (s *Server) TraceSerial(ctx context.Context, r *imv1.TraceSerialRequest) (*imv1.TraceSerialResponse, error) {
	after, err := fromTrail(r.GetPageToken())
	if err != nil {
		return nil, err
	}
	p, err := s.App.TraceSerial(ctx, r.GetSku(), r.GetSerial(), after, pageSize(r.GetPageSize()))
	if err != nil {
		return nil, err
	}
	resp := &imv1.TraceSerialResponse{ItemId: p.Item.ID, Sku: p.Item.SKU, Serial: p.Serial, Movements: protovalue.Each(p.Moves, pieceMove)}
	if k, at := p.Stock, p.Place; at != nil {
		resp.Place = &imv1.SerialPlace{
			StockId: k.ID, Site: k.Site, Owner: k.Owner, Location: at.Location, Lot: at.Lot, ExpiryDate: at.Expiry, Status: status(at.Status),
			WarehouseOrderId: p.Order,
		}
	}
	if t := p.Next; t.Claim > 0 {
		resp.NextPageToken = fmt.Sprintf("%d.%d.%d", t.Claim, t.Version, t.Skip)
	}
	return resp, nil
}

func fromTrail(token string) (t app.Trail, err error) {
	if token == "" {
		return t, nil
	}
	if _, err := fmt.Sscanf(token, "%d.%d.%d", &t.Claim, &t.Version, &t.Skip); err != nil || t.Claim <= 0 || t.Skip < 0 {
		return t, domain.Invalid("page_token", "PAGE_TOKEN_INVALID", "it is not one that this method gave out")
	}
	return t, nil
}

func pieceMove(m app.PieceMove) *imv1.SerialMovement {
	return &imv1.SerialMovement{
		StockId: m.ID, Site: m.Site, Owner: m.Owner, Version: int64(m.Ref.Version), Index: int32(m.Ref.Index), Type: movement(m.Type),
		From: place(m.From), To: place(m.To), Reason: m.Reason, WarehouseOrderId: m.Order, LineNumber: int32(m.Line), RmaId: m.RMA,
		CountId: m.Count, TransferId: m.Transfer, ReversedVersion: int64(m.Reverses.Version), ReversedIndex: int32(m.Reverses.Index),
		EventTime: protovalue.Time(m.At), RecordedTime: protovalue.Time(m.Recorded), Principal: m.Cause.Principal, Source: guard.SourceProto(m.Cause.Source),
	}
}
