package lifecycle

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	shipmentvisibilityv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/shipmentvisibility/v1"
)

// transport is the TMS's and the carrier's part.
func (p *part) transport(ctx context.Context) error {
	client := shipmentvisibilityv1.NewShipmentVisibilityServiceClient(p.Dial("shipment-visibility"))
	err := await(ctx, "shipment", func(ctx context.Context) error {
		if p.shipment == "" {
			resp, err := client.ListShipments(ctx, &shipmentvisibilityv1.ListShipmentsRequest{OrderId: p.order})
			if err != nil {
				return err
			}
			for _, s := range resp.GetShipments() {
				if s.GetWarehouseOrderId() == p.warehouse {
					p.shipment = s.GetShipmentId()
				}
			}
			if p.shipment == "" {
				return errNotYet
			}
		}
		resp, err := client.GetShipment(ctx, &shipmentvisibilityv1.GetShipmentRequest{ShipmentId: p.shipment})
		if err == nil && len(resp.GetShipment().GetUnits()) == 0 {
			return errNotYet
		}
		return err
	})
	if err != nil {
		return err
	}
	return p.all(ctx,
		step{"TenderShipment", func(ctx context.Context) error {
			_, err := client.TenderShipment(ctx, &shipmentvisibilityv1.TenderShipmentRequest{
				ShipmentId: p.shipment, Carrier: Carrier, CarrierService: Service, RespondBy: timestamppb.New(p.Now().Add(time.Hour)),
			})
			return err
		}},
		step{"RespondTender", func(ctx context.Context) error {
			_, err := client.RespondTender(ctx, &shipmentvisibilityv1.RespondTenderRequest{ShipmentId: p.shipment, Carrier: Carrier, Accept: true})
			return err
		}},
		step{"DispatchShipment", func(ctx context.Context) error {
			_, err := client.DispatchShipment(ctx, &shipmentvisibilityv1.DispatchShipmentRequest{
				ShipmentId: p.shipment, BillOfLading: "BOL-" + p.mark(), ProNumber: p.pro(), Carrier: Carrier,
			})
			return err
		}},
		step{"RecordMilestones", func(ctx context.Context) error {
			_, err := client.RecordMilestones(ctx, &shipmentvisibilityv1.RecordMilestonesRequest{ShipmentId: p.shipment, Milestones: p.milestones()})
			return err
		}},
		step{"RecordProofOfDelivery", func(ctx context.Context) error {
			_, err := client.RecordProofOfDelivery(ctx, &shipmentvisibilityv1.RecordProofOfDeliveryRequest{
				ShipmentId: p.shipment, SignedBy: "R. Receiver", SignedTime: timestamppb.New(p.Now()),
			})
			return err
		}},
	)
}

func (p *part) pro() string { return "PRO-" + p.mark() }

// milestones are the carrier's, in one report.
func (p *part) milestones() []*shipmentvisibilityv1.Milestone {
	var out []*shipmentvisibilityv1.Milestone
	at := p.Now()
	for i, code := range []shipmentvisibilityv1.MilestoneCode{
		shipmentvisibilityv1.MilestoneCode_MILESTONE_CODE_DEPARTED,
		shipmentvisibilityv1.MilestoneCode_MILESTONE_CODE_OUT_FOR_DELIVERY,
		shipmentvisibilityv1.MilestoneCode_MILESTONE_CODE_DELIVERED,
	} {
		out = append(out, &shipmentvisibilityv1.Milestone{
			Code: code, Classifier: shipmentvisibilityv1.MilestoneClassifier_MILESTONE_CLASSIFIER_ACTUAL,
			EventTime: timestamppb.New(at.Add(time.Duration(i) * time.Second)), Place: "Hamburg", MessageId: fmt.Sprintf("%s-%d", p.mark(), i),
		})
	}
	return out
}

// mark is what the numbers of others have of the order and its part.
func (p *part) mark() string {
	if p.n == 1 {
		return p.number
	}
	return p.number + "-" + string(rune('A'+p.n-1))
}
