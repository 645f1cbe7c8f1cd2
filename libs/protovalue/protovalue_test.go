package protovalue

import (
	"testing"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	"github.com/lockstep-logistics/lockstep/libs/store"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
)

func TestRoundTrips(t *testing.T) {
	at := time.Date(2026, 3, 2, 8, 0, 0, 123456000, time.UTC)
	if got := FromTime(Time(at)); !got.Equal(at) || got.Location() != time.UTC {
		t.Errorf("time %v, want %v", got, at)
	}
	if Time(time.Time{}) != nil || !FromTime(nil).IsZero() {
		t.Error("a time that is not known must be absent")
	}
	q := quantity.Quantity{Value: quantity.MustParse("12.5"), Unit: "KGM"}
	got, err := FromQuantity(Quantity(q), "x")
	if err != nil || got != q {
		t.Errorf("quantity %v %v, want %v", got, err, q)
	}
}

func TestBadQuantityNamesItsField(t *testing.T) {
	_, err := FromQuantity(&commonv1.Quantity{Value: "1e3", Unit: "EA"}, "lines[2].quantity")
	f, ok := fault.As(err)
	if !ok || f.Kind != fault.Invalid || len(f.Fields) != 1 || f.Fields[0].Path != "lines[2].quantity" {
		t.Fatalf("%v", err)
	}
}

func TestReceiptKeepsEverything(t *testing.T) {
	m := Receipt(store.Receipt{
		ID: "a", ETag: "3", State: "S", Created: []string{"c"}, Values: map[string]string{"granted": "6"},
		Reasons: []store.Reason{{Code: "C", Field: "f", Message: "m"}},
	})
	if m.GetId() != "a" || m.GetEtag() != "3" || m.GetState() != "S" || m.GetCreatedIds()[0] != "c" ||
		m.GetValues()["granted"] != "6" || m.GetReasons()[0].GetCode() != "C" {
		t.Errorf("%v", m)
	}
}
