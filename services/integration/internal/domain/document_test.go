package domain_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

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

// TestLife walks documents of any size in any portions, some of them twice or out of turn:
// counts are the sums, the end follows from them, and nothing happens after it.
func TestLife(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := domain.After(domain.Document{}, must(domain.Receive(domain.Document{}, "doc_1", header("M", "a"))))
		records := rapid.Int64Range(1, 40).Draw(t, "records")
		if rapid.IntRange(0, 9).Draw(t, "unreadable") == 0 {
			d = domain.After(d, domain.Read(d, domain.Reading{Reasons: []domain.Reason{{Code: "EMPTY"}}, Errors: 1}))
			if d.State != domain.Quarantined || d.Counts.Errors != 1 {
				t.Fatalf("unreadable: %+v", d)
			}
			return
		}
		d = domain.After(d, domain.Read(d, domain.Reading{Rows: records, Records: records, First: domain.Place{Offset: 10, Line: 2}}))
		var applied, refused int64
		for d.State == domain.Parsed {
			n := rapid.Int64Range(1, records-d.Next.Records).Draw(t, "portion")
			bad := rapid.Int64Range(0, n).Draw(t, "bad")
			p := domain.Portion{
				From: d.Next, Next: domain.Place{Offset: d.Next.Offset + n, Line: d.Next.Line + n, Records: d.Next.Records + n},
				Counts: domain.Counts{Applied: n - bad, Refused: bad, Errors: bad},
			}
			p.Last = p.Next.Records == records
			applied, refused = applied+n-bad, refused+bad
			before := d
			d = domain.After(d, domain.Progress(d, p))
			if facts := domain.Progress(d, p); len(facts) > 0 {
				t.Fatalf("the same portion again: %s", names(facts))
			}
			if d.Portions != before.Portions+1 || p.Last != d.State.Done() {
				t.Fatalf("after %+v: %+v", p, d)
			}
		}
		want := domain.Partial
		switch {
		case refused == 0:
			want = domain.Applied
		case applied == 0:
			want = domain.Quarantined
		}
		if d.State != want || d.Counts != (domain.Counts{Applied: applied, Refused: refused, Errors: refused}) {
			t.Fatalf("%d applied, %d refused: %+v", applied, refused, d)
		}
		if facts := domain.Read(d, domain.Reading{}); len(facts) > 0 {
			t.Fatalf("read after the end: %s", names(facts))
		}
	})
}

func must(facts []domain.Fact, err error) []domain.Fact {
	if err != nil {
		panic(err)
	}
	return facts
}
