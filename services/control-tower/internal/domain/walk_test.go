package domain_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/lockstep-logistics/lockstep/services/control-tower/internal/domain"
)

// world is a store of facts in memory.
type world []domain.Fact

func (w world) walk(limits domain.Limits, starts ...domain.Key) domain.Graph {
	walk := domain.NewWalk(limits, starts...)
	for layer := walk.Next(); len(layer) > 0; layer = walk.Next() {
		for _, l := range layer {
			walk.Take(l, slices.DeleteFunc(slices.Clone(w), func(f domain.Fact) bool {
				if l.Own {
					return f.Source.ID != l.Key.Value
				}
				return !slices.Contains(f.Linking(), l.Key)
			}))
		}
	}
	return walk.Graph()
}

var wide = domain.Limits{Nodes: 500, Facts: 2000}

func key(t domain.KeyType, value string) domain.Key { return domain.Key{Type: t, Value: value} }

// fact is a fact of an aggregate with its id's key and others.
func fact(prefix, name string, version uint64, keys ...domain.Key) domain.Fact {
	aggregate := id(prefix, name)
	own := domain.OfAggregate(aggregate)
	if own.Links() && own.Type != "" {
		keys = append([]domain.Key{own}, keys...)
	}
	event := fmt.Sprintf("%s%s:%d", prefix, name, version)
	return domain.Fact{ID: event, EventID: event, Source: domain.Aggregate{ID: aggregate}, Version: version, Keys: keys}
}

// two are two orders with a shipment and a freight each, on one invoice, of one item, under
// one order number of two systems.
func two() world {
	var out world
	number, sku := key("ORDER_NUMBER", "4711"), key(domain.Item, "TEA")
	invoice, invoiceNumber := key(domain.FreightInvoice, id("inv", "1")), key(domain.FreightInvoice, "INV-1")
	decided := []domain.Key{invoiceNumber}
	for _, n := range []string{"A", "B"} {
		order, shipment := key(domain.Order, id("ord", n)), key(domain.Shipment, id("shp", n))
		freight := key(domain.Freight, id("frt", n))
		out = append(out,
			fact("ord", n, 1, number, sku), fact("ord", n, 2, number, sku),
			fact("stk", "1", uint64(len(out)+1), key(domain.Stock, id("stk", "1")), sku, order),
			fact("shp", n, 1, order, number), fact("shp", n, 2, key("PRO_NUMBER", "PRO-"+n)),
			fact("frt", n, 1, shipment, key("PRO_NUMBER", "PRO-"+n)), fact("frt", n, 2, invoice))
		decided = append(decided, freight)
	}
	return append(out, fact("inv", "1", 1, invoiceNumber), fact("inv", "1", 2, decided...), fact("inv", "1", 3, key(domain.Voucher, "V-1")))
}

func events(g domain.Graph) map[string]bool {
	out := map[string]bool{}
	for _, f := range g.Facts {
		out[f.EventID] = true
	}
	return out
}

// TestWalkStaysWithItsOrder: neither the item, the stock, the number that another system uses
// too, nor the common invoice leads to the other order; the invoice's own facts are told.
func TestWalkStaysWithItsOrder(t *testing.T) {
	for _, start := range []domain.Key{
		key(domain.Order, id("ord", "A")), key("PRO_NUMBER", "PRO-A"), key(domain.Freight, id("frt", "A")), key(domain.Shipment, id("shp", "A")),
	} {
		g := two().walk(wide, start)
		got := events(g)
		for _, want := range []string{"ordA:1", "ordA:2", "shpA:1", "shpA:2", "frtA:1", "frtA:2", "inv1:1", "inv1:2", "inv1:3"} {
			if !got[want] {
				t.Errorf("from %v: %s is missing", start, want)
			}
		}
		for _, n := range g.Nodes {
			if n.Key.Value == id("ord", "B") || n.Key.Value == id("frt", "B") || n.Key.Value == "PRO-B" {
				t.Errorf("from %v: reached %v", start, n.Key)
			}
			if closed := n.Key == key(domain.FreightInvoice, id("inv", "1")); n.Closed != closed {
				t.Errorf("from %v: %v closed: %t", start, n.Key, n.Closed)
			}
		}
		if len(got) != 10 || g.Truncated {
			t.Errorf("from %v: %d facts, truncated %t: %v", start, len(got), g.Truncated, got)
		}
	}
}

// TestWalkOpensWhatWasAskedFor: an invoice, by id, number or voucher, and an order number of
// two systems lead to both orders.
func TestWalkOpensWhatWasAskedFor(t *testing.T) {
	for _, start := range []domain.Key{
		key(domain.FreightInvoice, id("inv", "1")), key(domain.FreightInvoice, "INV-1"), key(domain.Voucher, "V-1"), key("ORDER_NUMBER", "4711"),
	} {
		if g := two().walk(wide, start); len(g.Facts) != len(two()) {
			t.Errorf("from %v: %d of %d facts", start, len(g.Facts), len(two()))
		}
	}
}

// TestLabelTellsItsOwnFactsOnly: the story of a stock is its movements, not their orders.
func TestLabelTellsItsOwnFactsOnly(t *testing.T) {
	g := two().walk(wide, key(domain.Stock, id("stk", "1")))
	if len(g.Facts) != 2 || len(g.Nodes) != 1 || len(g.Edges) != 0 {
		t.Errorf("%d facts, nodes %v, edges %v", len(g.Facts), g.Nodes, g.Edges)
	}
}

func TestDistancesAndEdges(t *testing.T) {
	g := two().walk(wide, key("PRO_NUMBER", "PRO-A"))
	want := map[domain.Key]int{
		key("PRO_NUMBER", "PRO-A"): 0, key(domain.Shipment, id("shp", "A")): 1, key(domain.Freight, id("frt", "A")): 1,
		key(domain.Order, id("ord", "A")): 2, key("ORDER_NUMBER", "4711"): 2, key(domain.FreightInvoice, id("inv", "1")): 2,
		key(domain.FreightInvoice, "INV-1"): 3, key(domain.Voucher, "V-1"): 3,
	}
	got := map[domain.Key]int{}
	for _, n := range g.Nodes {
		got[n.Key] = n.Distance
	}
	delete(got, key(domain.FreightInvoice, "INV-1")) // 2 by the decision that names the freight, or 3
	delete(want, key(domain.FreightInvoice, "INV-1"))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	linked := map[domain.Key]bool{g.Nodes[0].Key: true}
	for range g.Edges { // every node hangs together with the start
		for _, e := range g.Edges {
			if linked[e.From] || linked[e.To] {
				linked[e.From], linked[e.To] = true, true
			}
		}
	}
	if len(linked) != len(g.Nodes) {
		t.Errorf("%d of %d nodes hang together: %v", len(linked), len(g.Nodes), g.Edges)
	}
}

// TestBounds: what is too much is left out and said so, numbers before documents.
func TestBounds(t *testing.T) {
	order := key(domain.Order, id("ord", "A"))
	var w world
	for i := range 40 {
		w = append(w, fact("ord", "A", uint64(i+1), key(domain.SSCC, fmt.Sprintf("%018d", i)), key(domain.Release, fmt.Sprintf("%s-R%d", order.Value, i))))
	}
	g := w.walk(domain.Limits{Nodes: 50, Facts: 100}, order)
	documents := 0
	for _, n := range g.Nodes {
		if n.Key.Role() == domain.Document {
			documents++
		}
	}
	if len(g.Nodes) != 50 || documents != 41 || !g.Truncated || len(g.Facts) != 40 {
		t.Errorf("%d nodes, %d documents, %d facts, truncated %t", len(g.Nodes), documents, len(g.Facts), g.Truncated)
	}
	if g = w.walk(domain.Limits{Nodes: 20, Facts: 100}, order); len(g.Nodes) != 20 || !g.Truncated {
		t.Errorf("%d nodes, truncated %t", len(g.Nodes), g.Truncated)
	}
	if g = w.walk(domain.Limits{Nodes: 500, Facts: 39}, order); len(g.Facts) != 39 || !g.Truncated {
		t.Errorf("%d facts, truncated %t", len(g.Facts), g.Truncated)
	}
	if g = w.walk(domain.Limits{Nodes: 81, Facts: 40}, order); len(g.Nodes) != 81 || g.Truncated {
		t.Errorf("%d nodes, truncated %t although all fits", len(g.Nodes), g.Truncated)
	}
}

// TestClosedDocumentIsShort: of a gathering document at which the walk stops only the first
// facts are told, and its node says that there is more.
func TestClosedDocumentIsShort(t *testing.T) {
	document := key(domain.ControlNumber, id("doc", "1"))
	order := fact("ord", "A", 1)
	order.CausedDocument = document
	w := world{order}
	for v := range 80 {
		w = append(w, fact("doc", "1", uint64(80-v)))
	}
	g := w.walk(wide, key(domain.Order, id("ord", "A")))
	told := events(g)
	if len(told) != 51 || !told["doc1:1"] || !told["doc1:50"] || g.Truncated || !g.Nodes[1].Closed {
		t.Errorf("%d facts, nodes %v", len(told), g.Nodes)
	}
	if g = w.walk(wide, document); len(g.Facts) != len(w) || g.Truncated {
		t.Errorf("the document itself tells %d of %d facts", len(g.Facts), len(w))
	}
}

// TestWalkDoesNotDependOnOrder: however facts lie and are given, the graph is the same.
func TestWalkDoesNotDependOnOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		start := rapid.SampledFrom([]domain.Key{
			key(domain.Order, id("ord", "A")), key(domain.FreightInvoice, "INV-1"), key("ORDER_NUMBER", "4711"), key("PRO_NUMBER", "PRO-B"),
		}).Draw(t, "start")
		want := two().walk(wide, start)
		shuffled := world(rapid.Permutation([]domain.Fact(two())).Draw(t, "facts"))
		if diff := cmp.Diff(want, shuffled.walk(wide, start)); diff != "" {
			t.Fatal(diff)
		}
	})
}
