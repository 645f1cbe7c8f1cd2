package domain_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/services/integration/internal/domain"
)

func header(message, sha string) domain.Header {
	return domain.Header{Type: "ORDERS", Format: "CSV", Source: domain.Source{System: "erp", MessageID: message}, SHA256: sha}
}

// names renders facts by their type.
func names(facts []domain.Fact) string {
	var all []string
	for _, f := range facts {
		all = append(all, strings.TrimPrefix(fmt.Sprintf("%T", f), "domain.Document"))
	}
	return strings.Join(all, " ")
}

func TestReceive(t *testing.T) {
	first, err := domain.Receive(domain.Document{}, "doc_1", header("M", "a"))
	if err != nil || names(first) != "Received" {
		t.Fatal(first, err)
	}
	d := domain.After(domain.Document{}, first)
	if again, err := domain.Receive(d, "doc_1", header("M", "a")); err != nil || names(again) != "Repeated" || domain.After(d, again).Duplicates != 1 {
		t.Error(again, err)
	}
	for name, h := range map[string]domain.Header{
		"content": header("M", "b"),
		"type":    {Type: "ITEMS", Format: "CSV", SHA256: "a"},
		"format":  {Type: "ORDERS", Format: "JSON", SHA256: "a"},
	} {
		if _, err := domain.Receive(d, "doc_1", h); !fault.IsKind(err, fault.Conflict) {
			t.Errorf("another %s: %v", name, err)
		}
	}
}
