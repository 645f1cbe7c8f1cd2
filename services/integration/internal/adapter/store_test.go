package adapter

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lockstep-logistics/lockstep/services/integration/internal/domain"
)

// facts has one of each, every field filled.
func facts() []domain.Fact {
	keys := domain.Keys{ID: "doc_aaaaaaaaaaaaaaaaaaaaaaaaaa", MessageID: "MSG-1"}
	at := time.Date(2026, 11, 24, 15, 0, 0, 123456000, time.UTC)
	place := domain.Place{Offset: 100, Line: 3, Records: 1}
	counts := domain.Counts{Applied: 1, Refused: 2, Errors: 3}
	return []domain.Fact{
		domain.DocumentReceived{Keys: keys, Header: domain.Header{
			Type: "ORDERS", Format: "CSV", Size: 10, SHA256: "ab", Sender: "erp-client", Received: at, PortionRecords: 250, PortionBytes: 512 << 10,
			Source: domain.Source{System: "erp", MessageID: "MSG-1", EventTime: at, Offset: 60, Zone: "Europe/Berlin", Sequence: 7},
		}},
		domain.DocumentRepeated{ID: keys.ID, Sender: "erp-client"},
		domain.DocumentParsed{Keys: keys, Rows: 4, Records: 3, Next: place},
		domain.DocumentProgressed{Keys: keys, Portion: 1, Counts: counts, Next: place},
		domain.DocumentCompleted{Keys: keys, Type: "ORDERS", State: domain.Partial, Counts: counts, Reasons: []domain.Reason{{Code: "EMPTY", Field: "line 1", Message: "m"}}},
	}
}

// TestFactsSayAll: what is stored and published of a fact is all of it.
func TestFactsSayAll(t *testing.T) {
	typ := DocumentType()
	for _, f := range facts() {
		name, data, err := typ.Encode(f)
		if err != nil {
			t.Fatal(err)
		}
		back, err := typ.Decode(name, data)
		if err != nil || !cmp.Equal(f, back) {
			t.Errorf("%s: %v\n%s", name, err, cmp.Diff(f, back))
		}
	}
	if _, err := typ.Decode("lockstep.integration.v1.Unknown", nil); err == nil {
		t.Error("an unknown fact is read")
	}
}
