package domain_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/services/control-tower/internal/domain"
)

func id(prefix, name string) string { return ident.Derive(prefix, "t", name) }

func TestRoles(t *testing.T) {
	for key, want := range map[domain.Key]domain.Role{
		{Type: "ORDER_NUMBER", Value: "4711"}:                 domain.Name,
		{Type: "ORDER_NUMBER", Value: id("ord", "1")}:         domain.Name, // whatever it looks like
		{Type: domain.Order, Value: id("ord", "1")}:           domain.Document,
		{Type: domain.Release, Value: id("ord", "1") + "-R1"}: domain.Document,
		{Type: domain.FreightInvoice, Value: "INV-1"}:         domain.Name,
		{Type: domain.FreightInvoice, Value: id("inv", "1")}:  domain.Gather,
		{Type: domain.RMA, Value: "RMA-1"}:                    domain.Name,
		{Type: domain.RMA, Value: id("rma", "1")}:             domain.Document,
		{Type: domain.ControlNumber, Value: "000000017"}:      domain.Name,
		{Type: domain.ControlNumber, Value: id("doc", "1")}:   domain.Gather,
		{Type: domain.SSCC, Value: "340123450000000018"}:      domain.Name,
		{Type: domain.Item, Value: "TEA"}:                     domain.Label,
		{Type: domain.Stock, Value: id("stk", "1")}:           domain.Label,
		{Type: domain.Load, Value: id("lod", "1")}:            domain.Gather,
		{Type: "A_TYPE_OF_LATER", Value: "x"}:                 domain.Name,
		{Value: id("rtb", "1")}:                               domain.Document,
	} {
		if got := key.Role(); got != want {
			t.Errorf("%v is %v, want %v", key, got, want)
		}
	}
}

func TestForms(t *testing.T) {
	for value, want := range map[string][]string{
		"ord 47/11-a":             {"ORD4711A"},
		"Müller.7":                {"MÜLLER7"},
		"--":                      {"--"},
		"(00)340123450000000018":  {"00340123450000000018", "340123450000000018"},
		"00 34012345 0000000018":  {"00340123450000000018", "340123450000000018"},
		"00123456789012345678901": {"00123456789012345678901"},
		"00ABCDEFGHIJKLMNOPQR":    {"00ABCDEFGHIJKLMNOPQR"},
	} {
		if got := domain.Forms(value); !slices.Equal(got, want) {
			t.Errorf("%q has the forms %q, want %q", value, got, want)
		}
	}
}

func TestCauseOf(t *testing.T) {
	order := id("ord", "1")
	for causation, want := range map[string]domain.Key{
		order + ":3:0":            {Type: domain.Order, Value: order},
		id("stk", "1") + ":3:0":   {}, // a stock is in nobody's story
		id("rtb", "1") + ":3:0":   {},
		order:                     {},
		"":                        {},
		"3f0c7b6e-0000-7000-8000": {},
	} {
		if got := domain.CauseOf(causation); got != want {
			t.Errorf("%q is caused by %v, want %v", causation, got, want)
		}
	}
}

func TestSubject(t *testing.T) {
	order, stock := domain.Key{Type: domain.Order, Value: id("ord", "1")}, id("stk", "1")
	number := domain.Key{Type: "ORDER_NUMBER", Value: "4711"}
	who := domain.Key{Type: domain.WarehouseOrder, Value: id("who", "1")}
	for name, tt := range map[string]struct {
		fact domain.Fact
		want domain.Key
	}{
		"its own aggregate":   {domain.Fact{Source: domain.Aggregate{ID: who.Value}, Keys: []domain.Key{number, order, who}}, who},
		"a stock is no story": {domain.Fact{Source: domain.Aggregate{ID: stock}, Keys: []domain.Key{number, who}}, who},
		"only a number":       {domain.Fact{Source: domain.Aggregate{ID: stock}, Keys: []domain.Key{number}}, number},
		"what caused it":      {domain.Fact{Source: domain.Aggregate{ID: stock}, CausedDocument: order}, order},
		"nothing":             {domain.Fact{Source: domain.Aggregate{ID: "x"}}, domain.Key{Value: "x"}},
	} {
		if got := tt.fact.Subject(); got != tt.want {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}

// TestStoryOrder: by event time where it can be believed, else by recorded time; versions by
// number, not as text.
func TestStoryOrder(t *testing.T) {
	at := func(minute int) time.Time { return time.Date(2026, 3, 2, 8, minute, 0, 0, time.UTC) }
	facts := []domain.Fact{
		{EventID: "late report", Recorded: at(9), Event: at(1)},
		{EventID: "consequence of an old report", Recorded: at(4), Event: at(1), Consequence: true},
		{EventID: "estimate", Recorded: at(3), Event: at(59)},
		{EventID: "v10", Recorded: at(5), Version: 10},
		{EventID: "v9 second", Recorded: at(5), Version: 9, Index: 1},
		{EventID: "v9", Recorded: at(5), Version: 9},
		{EventID: "first", Recorded: at(0)},
	}
	domain.Sort(facts)
	var got []string
	for _, f := range facts {
		got = append(got, f.EventID)
	}
	if want := "first, late report, estimate, consequence of an old report, v9, v9 second, v10"; strings.Join(got, ", ") != want {
		t.Errorf("told as %q, want %q", strings.Join(got, ", "), want)
	}
}
