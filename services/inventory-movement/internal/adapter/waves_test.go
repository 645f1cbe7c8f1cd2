package adapter

import (
	"testing"

	imv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

func waveFacts() []domain.WaveFact {
	const id = "wav_a"
	return []domain.WaveFact{
		domain.WaveRequested{ID: id, Site: "DC1", Method: domain.Cluster, Orders: []string{"who_a", "who_b"}, At: at},
		domain.WavePlanned{
			ID: id, Orders: []domain.WaveOrder{{ID: "who_a", Tote: 1}}, Refused: []domain.WaveRefusal{{ID: "who_b", Reason: "ORDER_WAVED"}},
		},
		domain.WaveReleased{ID: id},
		domain.WaveCancelled{ID: id, Reason: "REPLAN", Orders: []string{"who_a"}, At: at},
	}
}

// wavedFacts are those of an order that was in a wave, and is in another.
func wavedFacts() []domain.OrderFact {
	return []domain.OrderFact{
		domain.OrderWaved{OrderKeys: keys, Wave: "wav_a"}, domain.OrderUnwaved{OrderKeys: keys, Wave: "wav_a"}, domain.OrderWaved{OrderKeys: keys, Wave: "wav_b"},
	}
}

func TestWaveFactsSurviveTheStore(t *testing.T) { survive(t, waveFacts(), waveMessage, waveReaders) }

func TestNamesOfWaveValues(t *testing.T) {
	for _, s := range []domain.WaveState{domain.WavePlanning, domain.WaveReady, domain.WaveGiven, domain.WaveCalledOff} {
		known(t, waveState(s), string(s))
	}
	for _, m := range []domain.WaveMethod{domain.OrderByOrder, domain.Batch, domain.Cluster} {
		known(t, waveMethod(m), string(m))
		if fromWaveMethod(waveMethod(m)) != m {
			t.Errorf("%s comes back as %s", m, fromWaveMethod(waveMethod(m)))
		}
	}
	known(t, imv1.WaveMethod_WAVE_METHOD_WAVE, "WAVE")
}
