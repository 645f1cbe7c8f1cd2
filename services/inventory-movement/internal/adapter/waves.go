package adapter

import (
	"context"

	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/bus"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/store"
	imv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/app"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// WaveType declares waves to the store.
func WaveType() store.Type[domain.Wave, domain.WaveFact] {
	return store.Type[domain.Wave, domain.WaveFact]{
		Name: "wave", Prefix: "wav", Fold: 1,
		Evolve: domain.EvolveWave,
		Encode: func(f domain.WaveFact) (string, []byte, error) { return protovalue.Encode(waveMessage(f)) },
		Decode: waveReaders.Decode,
	}
}

// WaveConsumer goes on with waves that ask their orders, and frees the orders of those called off.
func WaveConsumer(a *app.App) bus.Consumer {
	return bus.Routes(bus.Reactor, "waves", "inventory-movement",
		bus.On(func(ctx context.Context, _ bus.Fact, m *imv1.WaveRequested) error {
			return a.FollowWave(ctx, m.GetWaveId())
		}),
		bus.On(func(ctx context.Context, _ bus.Fact, m *imv1.WaveCancelled) error {
			return a.FollowWaveCancel(ctx, m.GetWaveId(), m.GetWarehouseOrderIds())
		}),
	)
}

// waveMessage is a fact of a wave as it is stored and published.
func waveMessage(f domain.WaveFact) proto.Message {
	switch f := f.(type) {
	case domain.WaveRequested:
		return &imv1.WaveRequested{
			WaveId: f.ID, Site: f.Site, Method: waveMethod(f.Method), WarehouseOrderIds: f.Orders, RequestedTime: protovalue.Time(f.At),
		}
	case domain.WavePlanned:
		return &imv1.WavePlanned{WaveId: f.ID, Orders: protovalue.Each(f.Orders, waveOrder), Refused: protovalue.Each(f.Refused, waveRefusal)}
	case domain.WaveReleased:
		return &imv1.WaveReleased{WaveId: f.ID}
	case domain.WaveCancelled:
		return &imv1.WaveCancelled{WaveId: f.ID, Reason: f.Reason, WarehouseOrderIds: f.Orders, EventTime: protovalue.Time(f.At)}
	}
	return nil
}

// waveReaders reads every fact type that a wave may have.
var waveReaders = func() protovalue.Readers[domain.WaveFact] {
	rs := protovalue.Readers[domain.WaveFact]{}
	protovalue.Read(rs, func(m *imv1.WaveRequested) (domain.WaveFact, error) {
		return domain.WaveRequested{
			ID: m.GetWaveId(), Site: m.GetSite(), Method: fromWaveMethod(m.GetMethod()), Orders: m.GetWarehouseOrderIds(),
			At: protovalue.FromTime(m.GetRequestedTime()),
		}, nil
	})
	protovalue.Read(rs, func(m *imv1.WavePlanned) (domain.WaveFact, error) {
		return domain.WavePlanned{
			ID: m.GetWaveId(),
			Orders: protovalue.Each(m.GetOrders(), func(o *imv1.WaveOrder) domain.WaveOrder {
				return domain.WaveOrder{ID: o.GetWarehouseOrderId(), Tote: int(o.GetTote())}
			}),
			Refused: protovalue.Each(m.GetRefused(), func(r *imv1.WaveRefusal) domain.WaveRefusal {
				return domain.WaveRefusal{ID: r.GetWarehouseOrderId(), Reason: r.GetReason()}
			}),
		}, nil
	})
	protovalue.Read(rs, func(m *imv1.WaveReleased) (domain.WaveFact, error) {
		return domain.WaveReleased{ID: m.GetWaveId()}, nil
	})
	protovalue.Read(rs, func(m *imv1.WaveCancelled) (domain.WaveFact, error) {
		return domain.WaveCancelled{
			ID: m.GetWaveId(), Reason: m.GetReason(), Orders: m.GetWarehouseOrderIds(), At: protovalue.FromTime(m.GetEventTime()),
		}, nil
	})
	return rs
}()

func waveMethod(m domain.WaveMethod) imv1.WaveMethod {
	return imv1.WaveMethod(imv1.WaveMethod_value["WAVE_METHOD_"+string(m)])
}

func fromWaveMethod(m imv1.WaveMethod) domain.WaveMethod {
	return domain.WaveMethod(protovalue.Name(m, "WAVE_METHOD_"))
}

func waveState(s domain.WaveState) imv1.WaveState {
	return imv1.WaveState(imv1.WaveState_value["WAVE_STATE_"+string(s)])
}

func waveOrder(o domain.WaveOrder) *imv1.WaveOrder {
	return &imv1.WaveOrder{WarehouseOrderId: o.ID, Tote: int32(o.Tote)}
}

func waveRefusal(r domain.WaveRefusal) *imv1.WaveRefusal {
	return &imv1.WaveRefusal{WarehouseOrderId: r.ID, Reason: r.Reason}
}

// PlanWave plans a wave.
func (s *Server) PlanWave(ctx context.Context, r *imv1.PlanWaveRequest) (*imv1.PlanWaveResponse, error) {
	receipt, err := s.App.PlanWave(ctx, app.NewWave{
		Site: r.GetSite(), Method: fromWaveMethod(r.GetMethod()), Orders: r.GetWarehouseOrderIds(),
		Criteria: domain.Criteria{
			Carrier: r.GetCarrierPreference(), Service: r.GetServiceLevel(), MaxOrders: int(r.GetMaxOrders()), MaxLines: int(r.GetMaxLines()),
		},
	})
	return &imv1.PlanWaveResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// ReleaseWave gives the steps of a wave to the floor.
func (s *Server) ReleaseWave(ctx context.Context, r *imv1.ReleaseWaveRequest) (*imv1.ReleaseWaveResponse, error) {
	receipt, err := s.App.ReleaseWave(ctx, r.GetWaveId())
	return &imv1.ReleaseWaveResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// CancelWave calls a wave off.
func (s *Server) CancelWave(ctx context.Context, r *imv1.CancelWaveRequest) (*imv1.CancelWaveResponse, error) {
	receipt, err := s.App.CancelWave(ctx, r.GetWaveId(), r.GetReason())
	return &imv1.CancelWaveResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// GetWave returns a wave with its steps.
func (s *Server) GetWave(ctx context.Context, r *imv1.GetWaveRequest) (*imv1.GetWaveResponse, error) {
	v, steps, err := s.App.Wave(ctx, r.GetWaveId())
	if err != nil {
		return nil, err
	}
	w := v.State
	m := &imv1.Wave{
		WaveId: v.ID, State: waveState(w.Stands), Site: w.Site, Method: waveMethod(w.Method), Orders: protovalue.Each(w.Orders, waveOrder),
		Refused: protovalue.Each(w.Refused, waveRefusal), Etag: v.ETag, CreateTime: protovalue.Time(v.Created),
	}
	for i, step := range steps {
		m.Steps = append(m.Steps, pickStep(i+1, step))
	}
	return &imv1.GetWaveResponse{Wave: m}, nil
}

func pickStep(sequence int, p domain.PickStep) *imv1.PickStep {
	return &imv1.PickStep{
		Sequence: int32(sequence), Location: p.Location, Sku: p.SKU, Lot: p.Lot, Quantity: amount(p.Quantity, p.Unit),
		Splits: protovalue.Each(p.Splits, func(x domain.PickSplit) *imv1.PickSplit {
			return &imv1.PickSplit{WarehouseOrderId: x.Order, LineNumber: int32(x.Line), Quantity: amount(x.Quantity, p.Unit), Tote: int32(x.Tote)}
		}),
	}
}
