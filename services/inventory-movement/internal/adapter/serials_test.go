package adapter

import (
	"slices"
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/quantity"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/app"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

func pieceAt(location, serial string) domain.Place {
	return domain.Place{Location: location, Serial: serial, Status: domain.Available}
}

// numberedStock are facts of a stock whose pieces have serial numbers.
func numberedStock() []domain.StockFact {
	move := func(k domain.MovementType, from, to string) domain.StockMoved {
		return domain.StockMoved{StockKey: stk, Type: k, From: pieceAt(from, "SN-1"), To: pieceAt(to, "SN-1"), Quantity: domain.One, At: at}
	}
	pick, issue := move(domain.Pick, "B-1", domain.Packing), move(domain.Issue, domain.Packing, domain.Customer)
	pick.Order, pick.Line, pick.Used, issue.Order, issue.Line = "who_a", 10, domain.One, "who_a", 10
	return []domain.StockFact{
		move(domain.Receipt, domain.Supplier, "B-1"),
		domain.StockMoved{StockKey: stk, Type: domain.Receipt, From: pieceAt(domain.Supplier, "SN-2"), To: pieceAt("B-1", "SN-2"), Quantity: domain.One, At: at},
		domain.StockAllocated{StockKey: stk, Order: "who_a", Line: 10, Parts: []domain.Allocation{{Order: "who_a", Line: 10, Place: pieceAt("B-1", "SN-1"), Quantity: domain.One}}},
		pick, issue,
		domain.SerialClaimVoided{StockKey: stk, Serial: "SN-1", Claim: 1},
	}
}

// numberedOrder are facts of a warehouse order of such pieces.
func numberedOrder() []domain.OrderFact {
	line := func(serial string) domain.PickedLine {
		return domain.PickedLine{Line: 10, Item: "itm_a", SKU: "TEA", Location: "B-1", Serial: serial, Quantity: domain.One, Unit: "EA"}
	}
	two := []domain.PickedLine{line("SN-1"), line("SN-2")}
	carton := domain.Carton{SSCC: box.SSCC, Weight: 400, Lines: two}
	return []domain.OrderFact{
		orderFacts()[0],
		domain.OrderAllocated{OrderKeys: keys, Tasks: []domain.Task{{Line: 10, SKU: "TEA", Location: "B-1", Serial: "SN-1", Quantity: domain.One, Unit: "EA"}}},
		domain.PickConfirmed{OrderKeys: keys, Site: "DC1", Owner: "OWN", Lines: two, At: at},
		domain.CartonPacked{OrderKeys: keys, Carton: carton},
		domain.GoodsIssued{OrderKeys: keys, Number: 1, Site: "DC1", Owner: "OWN", Lines: two, Cartons: []domain.Carton{carton}, Weight: 400, At: at},
		domain.IssueReversed{OrderKeys: keys, Attempt: 1, Site: "DC1", Owner: "OWN", Lines: two, Cartons: []domain.Carton{carton}, Of: []int{1}, At: at},
		domain.PutBackConfirmed{OrderKeys: keys, Site: "DC1", Owner: "OWN", Lines: two[:1], At: at},
	}
}

func serialFacts() []domain.SerialClaimed {
	return []domain.SerialClaimed{
		{Number: "SN-1", Stock: stk, Claim: 1, Since: 7, Delivery: "asn_a", At: at},
		{Number: "SN-1", Stock: stk, Claim: 2, Since: 9, At: at},
	}
}

// Pieces that stand beside each other and are alike are one line on the wire; what differs is not.
func TestPiecesAreOneLine(t *testing.T) {
	piece := func(line int, serial string) domain.PickedLine {
		return domain.PickedLine{Line: line, Serial: serial, Quantity: domain.One, Unit: "EA"}
	}
	all := []domain.PickedLine{
		piece(1, "A"), piece(1, "B"),
		{Line: 1, Quantity: quantity.Int(3), Unit: "EA"},
		{Line: 1, Quantity: quantity.Int(3), Unit: "EA"},
		piece(1, "C"), piece(2, "D"), piece(2, "E"),
	}
	got := pickedLines(all)
	var told [][]string
	for _, m := range got {
		told = append(told, append([]string{m.GetQuantity().GetValue()}, m.GetSerials()...))
	}
	want := [][]string{{"2", "A", "B"}, {"3"}, {"3"}, {"1", "C"}, {"2", "D", "E"}}
	if !slices.EqualFunc(told, want, slices.Equal) {
		t.Errorf("%v", told)
	}
	if back, err := fromPickedLines(got); err != nil || !slices.Equal(back, all) {
		t.Errorf("%+v %v", back, err)
	}
}

func TestTrail(t *testing.T) {
	if got, err := fromTrail("2.17.3"); err != nil || got != (app.Trail{Claim: 2, Version: 17, Skip: 3}) {
		t.Errorf("%+v %v", got, err)
	}
	for _, bad := range []string{"2", "2.17", "0.1.1", "2.-1.0", "2.1.-1", "a.b.c"} {
		if got, err := fromTrail(bad); err == nil {
			t.Errorf("%s is %+v", bad, got)
		}
	}
}
