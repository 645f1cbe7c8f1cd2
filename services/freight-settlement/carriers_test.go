package freightsettlement_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/host"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	freightsettlementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/freightsettlement/v1"
	masterdatav1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
)

// carriers stands for master data: it answers GetCarrier for the carriers that tests told it
// of, whether or not their facts are out.
type carriers struct {
	masterdatav1.UnimplementedMasterDataServiceServer
	records atomic.Pointer[shipments]
	mu      sync.Mutex
	known   []string
	down    atomic.Bool
	asked   atomic.Int64
}

func newCarriers() *carriers { return &carriers{} }

func (c *carriers) unit() *host.Unit {
	return host.Bind("master-data", none{}, func(_ none, d host.Deps) (*host.Service, error) {
		c.records.Store(register(d.Store, "carrier", "car"))
		return &host.Service{Register: func(r grpc.ServiceRegistrar) { masterdatav1.RegisterMasterDataServiceServer(r, c) }}, nil
	})
}

func (c *carriers) know(code string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known = append(c.known, code)
}

func (c *carriers) GetCarrier(_ context.Context, r *masterdatav1.GetCarrierRequest) (*masterdatav1.GetCarrierResponse, error) {
	c.asked.Add(1)
	if c.down.Load() {
		return nil, fault.New(fault.Unavailable, "DOWN", "out of order")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !slices.Contains(c.known, r.GetCode()) {
		return nil, fault.New(fault.NotFound, "NOT_FOUND", "unknown")
	}
	return &masterdatav1.GetCarrierResponse{}, nil
}

// TestCardsOfCarriers: a card of no carrier is refused and leaves nothing; one that comes
// before the copy has its carrier is not early; while master data is down cards of carriers
// that are known here are published, retired ones included, and others may be tried again.
func TestCardsOfCarriers(t *testing.T) {
	onEngines(t, func(w *world) {
		publish := func(code string) error {
			_, err := w.card(rateCard(code, "USD"))
			return err
		}
		f := w.refusal(publish("NOBODY"), fault.Invalid, "INVALID_REQUEST")
		if len(f.Fields) != 1 || f.Fields[0].Path != "card.carrier" || f.Fields[0].Reason != "CARRIER_UNKNOWN" {
			w.Errorf("%+v", f.Fields)
		}
		w.names.know("NEW")
		if err := publish("NEW"); err != nil { // its fact is not out
			w.Error(err)
		}
		for _, code := range []string{"HERE", "GONE"} {
			c := &masterdatav1.Carrier{Code: code}
			facts := []proto.Message{&masterdatav1.CarrierDefined{Carrier: c}}
			if code == "GONE" {
				facts = append(facts, &masterdatav1.CarrierRetired{Carrier: c})
			}
			w.commit(w.names.records.Load(), ident.Derive("car", w.suite.Tenant, code), facts...)
		}
		w.names.down.Store(true)
		for _, code := range []string{"HERE", "GONE"} {
			testkit.Eventually(w, patience, func() error { return publish(code) })
		}
		if f := w.refusal(publish("OTHER"), fault.Unavailable, "MASTER_DATA_UNAVAILABLE"); !fault.Transient(f) {
			w.Errorf("%v cannot be tried again", f)
		}
		w.names.down.Store(false)
		for code, version := range map[string]int32{"NOBODY": 0, "OTHER": 0, "NEW": 1, "HERE": 1, "GONE": 1} {
			resp, err := w.ann.RateShipment(w.Context(), &freightsettlementv1.RateShipmentRequest{Carrier: code, Site: "DC1", ShipTo: home, WeightGrams: 1000})
			if err != nil || resp.GetRateCardVersion() != version {
				w.Error(fmt.Errorf("%s: %v %w", code, resp, err))
			}
		}
	})
}
