package lifecycle

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/lockstep-logistics/lockstep/libs/guard"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	freightsettlementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/freightsettlement/v1"
	inventorymovementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	masterdatav1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
	orderreleasev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	shipmentvisibilityv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/shipmentvisibility/v1"
)

// What orders of this package name.
const (
	Site     = "DC1"
	Customer = "ACME"
	Carrier  = "EXPR"
	Service  = "STD"
)

// SKU is the n-th item.
func SKU(n int) string { return fmt.Sprintf("SKU-%05d", n) }

// chunk is how many items one batch has.
const chunk = 500

// Setup puts master data and a rate card, and receives perItem pieces of each of the items.
func (d *Driver) Setup(ctx context.Context, items, perItem int) error {
	address := &commonv1.Address{Name: "Acme", Lines: []string{"1 Example Way"}, City: "Hamburg", PostalCode: "20095", Country: "DE"}
	md := masterdatav1.NewMasterDataServiceClient(d.Dial("master-data"))
	if _, err := md.PutLocation(fresh(ctx), &masterdatav1.PutLocationRequest{Code: Site, Location: &masterdatav1.Location{
		Name: "Distribution centre", Kind: masterdatav1.LocationKind_LOCATION_KIND_SITE, TimeZone: "Europe/Berlin",
		Address: address, DefaultSite: true, Gs1CompanyPrefix: "4012345",
	}}); err != nil {
		return err
	}
	if _, err := md.PutParty(fresh(ctx), &masterdatav1.PutPartyRequest{Code: Customer, Party: &masterdatav1.Party{
		Name: "Acme", Roles: []masterdatav1.PartyRole{masterdatav1.PartyRole_PARTY_ROLE_CUSTOMER, masterdatav1.PartyRole_PARTY_ROLE_SHIP_TO},
		Addresses: []*masterdatav1.PartyAddress{{Code: "MAIN", Address: address}},
	}}); err != nil {
		return err
	}
	if _, err := md.PutCarrier(fresh(ctx), &masterdatav1.PutCarrierRequest{Code: Carrier, Carrier: &masterdatav1.Carrier{
		Name: "Express Lines", Services: []*masterdatav1.CarrierService{{Code: Service, Name: "Standard", Mode: masterdatav1.TransportMode_TRANSPORT_MODE_PARCEL}},
	}}); err != nil {
		return err
	}
	if _, err := freightsettlementv1.NewFreightSettlementServiceClient(d.Dial("freight-settlement")).PublishRateCard(fresh(ctx), rateCard(d.Now())); err != nil {
		return err
	}
	for from := 0; from < items; from += chunk {
		if err := d.stock(ctx, md, from, min(from+chunk, items), perItem); err != nil {
			return err
		}
	}
	return d.known(ctx, items)
}

// known waits until order release has a copy of all that orders name: a dry run says so. Then it waits
// for shipment visibility's.
func (d *Driver) known(ctx context.Context, items int) error {
	client := orderreleasev1.NewOrderReleaseServiceClient(d.Dial("order-release"))
	doc := Document("SETUP", []Line{{SKU(0), 1}, {SKU(items - 1), 1}})
	if err := await(ctx, "master data in order release", func(ctx context.Context) error {
		resp, err := client.SubmitOrder(fresh(ctx), &orderreleasev1.SubmitOrderRequest{Order: doc, ValidateOnly: true})
		if err == nil && resp.GetReceipt().GetState() == "REJECTED" {
			return fmt.Errorf("%v: %w", resp.GetReceipt().GetReasons(), errNotYet)
		}
		return err
	}); err != nil {
		return err
	}
	return d.carried(ctx)
}

// carried waits until shipment visibility has a copy of the carrier: it then misses the shipment,
// which is nobody's.
func (d *Driver) carried(ctx context.Context) error {
	client := shipmentvisibilityv1.NewShipmentVisibilityServiceClient(d.Dial("shipment-visibility"))
	return await(ctx, "the carrier in shipment visibility", func(ctx context.Context) error {
		switch _, err := client.TenderShipment(fresh(ctx), &shipmentvisibilityv1.TenderShipmentRequest{
			ShipmentId: "shp_" + strings.Repeat("a", 26), Carrier: Carrier, CarrierService: Service, RespondBy: timestamppb.New(d.Now().Add(time.Hour)),
		}); {
		case missing(err):
			return nil
		case invalid(err):
			return fmt.Errorf("%w: %w", err, errNotYet)
		default:
			return err
		}
	})
}

// stock puts the items of a range and receives them.
func (d *Driver) stock(ctx context.Context, md masterdatav1.MasterDataServiceClient, from, to, perItem int) error {
	put := &masterdatav1.BatchPutItemsRequest{}
	received := &inventorymovementv1.BatchRecordReceiptsRequest{}
	for n := from; n < to; n++ {
		put.Items = append(put.Items, &masterdatav1.Item{Sku: SKU(n), Name: "Item " + fmt.Sprint(n), BaseUnit: "EA", BaseWeightGrams: "250"})
		received.Receipts = append(received.Receipts, &inventorymovementv1.GoodsReceipt{
			Site: Site, Sku: SKU(n), Location: "A-01", Quantity: pieces(perItem), Document: "OPENING",
		})
	}
	if _, err := md.BatchPutItems(fresh(ctx), put); err != nil {
		return err
	}
	client := inventorymovementv1.NewInventoryMovementServiceClient(d.Dial("inventory-movement"))
	return await(ctx, "items in inventory", func(ctx context.Context) error { // its copy of master data may trail
		resp, err := client.BatchRecordReceipts(fresh(ctx), received)
		if err != nil {
			return err
		}
		var late []*inventorymovementv1.GoodsReceipt
		var why *commonv1.Failure
		for i, r := range resp.GetResults() {
			if r.GetFailure() != nil {
				late, why = append(late, received.Receipts[i]), r.GetFailure()
			}
		}
		if received.Receipts = late; len(late) > 0 {
			return fmt.Errorf("%v: %w", why, errNotYet)
		}
		return nil
	})
}

func rateCard(now time.Time) *freightsettlementv1.PublishRateCardRequest {
	return &freightsettlementv1.PublishRateCardRequest{Card: &freightsettlementv1.RateCard{
		Carrier: Carrier, Currency: "EUR", ValidFrom: timestamppb.New(now.AddDate(0, -1, 0)), FuelPercent: "12.5",
		Lanes: []*freightsettlementv1.Lane{{DestinationCountry: "DE", Bands: []*freightsettlementv1.WeightBand{
			{ToGrams: 31_500, MinimumMinor: 690, RatePerKg: "0.35", Basis: freightsettlementv1.RateBasis_RATE_BASIS_KILOGRAM},
		}}},
	}}
}

// fresh gives a command a key that no other has.
func fresh(ctx context.Context) context.Context {
	return metadata.AppendToOutgoingContext(ctx, guard.MetaKey, uuid.NewString())
}
