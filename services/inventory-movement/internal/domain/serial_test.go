package domain

import (
	"testing"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

var phone = Item{ID: "itm_p", SKU: "PHONE", BaseUnit: "EA", Serial: true}

func numbered(at Place, serials ...string) Stock {
	s := Stock{}
	for _, n := range serials {
		p := at
		p.Serial = n
		facts, _ := Received(s, key, p, One, "", t0)
		s = ApplyStock(s, facts...)
	}
	return s
}

// refusedIn holds that an error refuses a field for a reason.
func refusedIn(t *testing.T, err error, reason, field string) (told map[string]string) {
	t.Helper()
	f, ok := fault.As(err)
	if !ok || f.Reason != reason || len(f.Fields) == 0 || f.Fields[0].Path != field {
		t.Fatalf("%v, want %s of %s", err, reason, field)
	}
	return f.Metadata
}

func TestPiecesOfACommand(t *testing.T) {
	plain := Item{SKU: "TEA"}
	for _, tt := range []struct {
		name    string
		item    Item
		q       int64
		serials []string
		free    bool
		field   string
		want    string
	}{
		{"as many as there are", phone, 2, []string{"A", "B"}, false, "", ""},
		{"none", phone, 2, nil, false, "serials", "SERIAL_REQUIRED"},
		{"from before they were wanted", phone, 2, nil, true, "", ""},
		{"too few", phone, 3, []string{"A", "B"}, false, "serials", "SERIAL_COUNT"},
		{"too many", phone, 1, []string{"A", "B"}, true, "serials", "SERIAL_COUNT"},
		{"twice", phone, 3, []string{"A", "B", "A"}, false, "serials[2]", "SERIAL_DUPLICATE"},
		{"not kept by number", plain, 1, []string{"A"}, false, "serials", "SERIAL_UNTRACKED"},
		{"neither", plain, 7, nil, false, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.item.Pieces(bin, n(tt.q), tt.serials, tt.free)
			if tt.want != "" {
				refusedIn(t, err, tt.want, tt.field)
				return
			}
			sum := quantity.Decimal{}
			for i, p := range got {
				if sum = sum.Add(p.Quantity); len(tt.serials) > 0 && p.Place.Serial != tt.serials[i] {
					t.Errorf("%+v", got)
				}
			}
			if err != nil || sum != n(tt.q) {
				t.Errorf("%+v %v", got, err)
			}
		})
	}
}

func TestAPieceThatIsNotThere(t *testing.T) {
	s := numbered(bin, "A")
	at := bin
	at.Serial = "B"
	_, err := Adjust(s, key, at, One.Neg(), "", t0)
	refusedIn(t, err, "SERIAL_UNKNOWN", "serials")
	at.Serial, at.Location = "A", "B-2"
	_, err = Transfer(s, at, at.as("B-3", Available), One, "", t0)
	refusedIn(t, err, "SERIAL_UNKNOWN", "serials")
	at.Location = bin.Location
	_, err = Adjust(s, key, at.as("B-2", Available), One, "", t0) // found where it does not stand
	told := refusedIn(t, err, "SERIAL_ELSEWHERE", "serials")
	if told["location"] != bin.Location || told["site"] != key.Site || told["serial"] != "A" {
		t.Errorf("%v", told)
	}
	if facts, err := Transfer(s, at, at.as("B-2", Available), One, "", t0); err != nil || moved(facts, Move) != 1 {
		t.Error(facts, err)
	}
}

// What a command or a report of a piece comes to, by its claim.
func TestAdmit(t *testing.T) {
	s := numbered(bin, "A")
	come := func(serial string) []StockFact {
		at := bin
		at.Serial = serial
		facts, _ := Received(s, key, at, One, "", t0)
		return facts
	}
	voided, _, _ := VoidClaim(s, Serial{Number: "C", Stock: key, Claim: 1})
	s = ApplyStock(s, voided...)
	elsewhere := SerialElsewhere(StockKey{Site: "DC2"}, Place{Location: "B-9", Serial: "D"})
	claims := map[string]SerialClaim{"A": {Number: 1}, "B": {Number: 1}, "C": {Number: 1}, "D": {Refusal: elsewhere}}
	for _, tt := range []struct {
		serial         string
		enters, wanted bool
	}{{"A", false, false}, {"B", true, false}, {"C", false, true}, {"D", false, false}, {"E", false, true}} {
		for _, report := range []bool{false, true} {
			let, wanted, err := Admit(s, come(tt.serial), claims, report)
			if (len(wanted) > 0) != tt.wanted {
				t.Errorf("%s is wanted: %v", tt.serial, wanted)
			}
			switch {
			case tt.wanted:
			case !tt.enters && !report:
				refusedIn(t, err, "SERIAL_ELSEWHERE", "serials")
			case err != nil || let[0].(StockMoved).To.Serial == tt.serial != tt.enters || moved(let, Receipt) != 1:
				t.Errorf("%s: %+v %v", tt.serial, let, err)
			}
		}
	}
	if claims["C"] = (SerialClaim{Number: 2}); !admitted(s, come("C"), claims) {
		t.Error("a new claim lets it in")
	}
	if _, at, stands := VoidClaim(s, Serial{Number: "A", Stock: key, Claim: 1}); !stands || at.Location != bin.Location {
		t.Errorf("the claim of what stands there is given up: %+v", at)
	}
}

func admitted(s Stock, facts []StockFact, claims map[string]SerialClaim) bool {
	let, wanted, err := Admit(s, facts, claims, false)
	return err == nil && len(wanted) == 0 && let[0].(StockMoved).To.Serial != ""
}

func TestUnderway(t *testing.T) {
	n := Serial{Delivery: "asn_a", At: t0}
	for after, want := range map[time.Duration]bool{0: true, time.Minute: true, time.Hour: false} {
		if n.Underway(t0.Add(after)) != want {
			t.Errorf("%s after", after)
		}
	}
	if (Serial{At: t0}).Underway(t0) {
		t.Error("nothing is received")
	}
	n = Serial{Number: "A", Stock: key, Claim: 3, Since: 7, Delivery: "asn_a", At: t0}
	facts := BookedIn(n, 3, t0.Add(time.Hour))
	if len(facts) != 1 || EvolveSerial(n, facts[0]) != (Serial{Number: "A", Stock: key, Claim: 4, Since: 7, At: t0.Add(time.Hour)}) {
		t.Errorf("%+v", facts)
	}
	if facts := BookedIn(n, 2, t0); len(facts) > 0 {
		t.Errorf("of another claim: %+v", facts)
	}
}

// phones is an order of three pieces of which A and B are allocated.
func phones() WarehouseOrder {
	o := ApplyOrder(WarehouseOrder{}, OrderCreated{
		OrderKeys: twoLines().Keys, Site: "DC1", Owner: OwnStock,
		Lines: []OrderLine{{Number: 1, Item: phone.ID, SKU: phone.SKU, Quantity: quantity.Quantity{Value: n(3), Unit: "EA"}}},
	})
	return ApplyOrder(o, OrderAllocated{Tasks: []Task{{Line: 1, Location: "B-1", Serial: "A", Quantity: One, Unit: "EA"}, {Line: 1, Location: "B-1", Serial: "B", Quantity: One, Unit: "EA"}}})
}

func piece(serials ...string) (lines []PickedLine) {
	for _, s := range serials {
		lines = append(lines, PickedLine{Line: 1, Serial: s, Quantity: One, Unit: "EA"})
	}
	return lines
}

func numbers(lines []PickedLine) (all []string) {
	for _, l := range lines {
		all = append(all, l.Serial)
	}
	return all
}

// The pieces of an order: picked by number, packed, issued, taken back and put back as those.
func TestPiecesOfAnOrder(t *testing.T) {
	o := phones()
	_, err := TakeReport(o, picks(PickedLine{Line: 1, Quantity: One, Unit: "EA"}))
	refusedIn(t, err, "SERIAL_REQUIRED", "lines[0].serials")
	_, err = TakeReport(o, picks(piece("A", "A")...))
	refusedIn(t, err, "SERIAL_DUPLICATE", "lines[1].serials")
	do := func(facts []OrderFact, err error) []OrderFact {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		o = ApplyOrder(o, facts...)
		return facts
	}
	do(TakeReport(o, picks(piece("A", "C")...)))
	_, err = TakeReport(o, picks(piece("C")...))
	refusedIn(t, err, "SERIAL_DUPLICATE", "lines[0].serials")
	do(TakeReport(o, shorts(PickedLine{Line: 1, Quantity: One, Unit: "EA"})))
	_, err = Pack(o, Carton{SSCC: "1", Lines: piece("B")})
	refusedIn(t, err, "SERIAL_UNKNOWN", "lines[0].serials")
	_, err = Pack(o, Carton{SSCC: "1", Lines: []PickedLine{{Line: 1, Quantity: One, Unit: "EA"}}})
	refusedIn(t, err, "SERIAL_REQUIRED", "lines[0].serials")
	do(Pack(o, Carton{SSCC: "1", Lines: piece("C")}))
	packed := do(Pack(o, Carton{SSCC: "2", Lines: []PickedLine{{Line: 1, Quantity: One, Unit: "EA"}}})) // all that is left
	if got := numbers(packed[0].(CartonPacked).Carton.Lines); len(got) != 1 || got[0] != "A" {
		t.Errorf("%v", got)
	}
	issued := do(IssueGoods(o, t0))
	if got := numbers(issued[0].(GoodsIssued).Lines); len(got) != 2 || got[0] != "A" || got[1] != "C" || len(o.Lines[0].Serials) != 0 {
		t.Errorf("%v, left %v", got, o.Lines[0].Serials)
	}
	do(RequestReversal(o, Selection{Cartons: []string{"1"}}, "", t0))
	do(AnswerReversal(o, 1, PartyOrder, ""))
	back := do(AnswerReversal(o, 1, PartyShipment, ""))
	if got := numbers(back[1].(IssueReversed).Lines); len(got) != 1 || got[0] != "C" || len(o.Lines[0].Serials) != 1 {
		t.Errorf("%v, in PACKING %v", got, o.Lines[0].Serials)
	}
	do(Cancel(o, o.Keys, "CUSTOMER"))
	bad := piece("A")
	bad[0].Location = "B-1"
	_, err = PutBack(o, bad, t0)
	refusedIn(t, err, "SERIAL_UNKNOWN", "lines[0].serials")
	facts := do(PutBack(o, []PickedLine{{Line: 1, Location: "B-1", Quantity: One, Unit: "EA"}}, t0))
	if got := numbers(facts[0].(PutBackConfirmed).Lines); len(got) != 1 || got[0] != "C" || len(facts) != 2 {
		t.Errorf("%+v", facts)
	}
}

// A piece that is picked is there and free, or was allocated to the order.
func TestPickable(t *testing.T) {
	s := numbered(bin, "A", "B", "C")
	s = ApplyStock(s, Allocate(s, key, "who_a", []Wanted{{1, n(1), nil}}, Rule{Strategy: FEFO})...)
	for _, tt := range []struct{ order, serial, location, want string }{
		{"who_a", "A", "", ""},
		{"who_a", "C", "", ""},
		{"who_a", "C", "B-1", ""},
		{"who_a", "C", "B-2", "SERIAL_UNKNOWN"},
		{"who_a", "X", "", "SERIAL_UNKNOWN"},
		{"who_b", "A", "", "STOCK_COMMITTED"},
	} {
		err := Pickable(s, tt.order, PickedLine{Line: 1, Location: tt.location, Serial: tt.serial, Quantity: One, Row: 3}, 0)
		if tt.want == "" && err != nil {
			t.Errorf("%+v: %v", tt, err)
		} else if tt.want != "" {
			refusedIn(t, err, tt.want, "lines[2].serials")
		}
	}
	facts := TakePick(s, key, "who_a", PickedLine{Line: 1, Serial: "C", Quantity: One}, t0)
	after := ApplyStock(s, facts...)
	if len(after.Allocations) != 0 || after.Packing[0].Place.Serial != "C" || after.Holder("A") != "" {
		t.Errorf("%+v", after)
	}
}

// Pieces of a delivery: received by number, once, inspected and put away as those.
func TestPiecesOfADelivery(t *testing.T) {
	d := Inbound{Keys: InboundKeys{ID: "asn_a", Site: "DC1", Owner: OwnStock}}
	take := func(q int64, serials ...string) ([]InboundFact, error) {
		return TakeGoods(d, InboundReport{Inspect: true, At: t0, Goods: []Arrival{{Item: phone, Quantity: quantity.Quantity{Value: n(q), Unit: "EA"}, Place: Place{Location: "IN"}, Serials: serials}}})
	}
	_, err := take(2, "A")
	refusedIn(t, err, "SERIAL_COUNT", "goods[0].serials")
	_, err = take(2)
	refusedIn(t, err, "SERIAL_REQUIRED", "goods[0].serials")
	facts, err := take(3, "A", "B", "C")
	if err != nil || len(facts[0].(GoodsReceived).Parts) != 3 {
		t.Fatal(facts, err)
	}
	d = ApplyInbound(d, facts...)
	_, err = take(1, "B")
	refusedIn(t, err, "SERIAL_ELSEWHERE", "serials")
	if at, has := d.Piece(phone.ID, "B"); !has || at.Location != "IN" || at.Status != QI {
		t.Errorf("%+v", d.Standings)
	}
	line := d.Standings[0].Line
	_, err = Inspect(d, line, "", Some{Quantity: n(2)}, Some{}, t0)
	refusedIn(t, err, "SERIAL_REQUIRED", "accepted_serials")
	_, err = Inspect(d, line, "", Some{}, Some{n(1), []string{"X"}}, t0)
	refusedIn(t, err, "SERIAL_UNKNOWN", "rejected_serials[0]")
	facts, err = Inspect(d, line, "", Some{n(2), []string{"A", "C"}}, Some{Quantity: n(1)}, t0) // the rest
	if err != nil {
		t.Fatal(err)
	}
	d = ApplyInbound(d, facts...)
	for serial, want := range map[string]Status{"A": Available, "B": Blocked, "C": Available} {
		if at, _ := d.Piece(phone.ID, serial); at.Status != want {
			t.Errorf("%s is %s", serial, at.Status)
		}
	}
}

// A count finds a piece in another bin than the books have it: it is missing there first.
func TestCountOfPieces(t *testing.T) {
	s := numbered(bin, "A", "B")
	at := func(location, serial string) Place {
		return Place{Location: location, Serial: serial, Status: Available}
	}
	facts, outcomes := TakeCount(s, key, "cnt_a", "COUNT", []CountChange{
		{Line: 1, Place: at("B-2", "A"), Change: One, At: t0},
		{Line: 2, Place: at("B-1", "A"), Change: One.Neg(), At: t0},
		{Line: 3, Place: at("B-2", "B"), Change: One, At: t0}, // nobody looked for it in B-1
		{Line: 4, Place: at("B-2", "X"), Change: One, At: t0, Refusal: "SERIAL_ELSEWHERE"},
	})
	refusals := map[int]string{}
	for _, o := range outcomes {
		refusals[o.Line] = o.Refusal
	}
	if refusals[1] != "" || refusals[2] != "" || refusals[3] != "SERIAL_ELSEWHERE" || refusals[4] != "SERIAL_ELSEWHERE" {
		t.Errorf("%v", refusals)
	}
	s = ApplyStock(s, facts...)
	if is, _ := s.Standing("A"); is.Location != "B-2" {
		t.Errorf("%+v", s.Rows)
	}
}
