package bench

import (
	"encoding/json"
	"fmt"

	"github.com/lockstep-logistics/lockstep/libs/store"
)

// order is the document of both sides: about 2 kB, as an order of twelve lines is.
type order struct {
	Customer string      `bson:"c"`
	Lines    []orderLine `bson:"l"`
	Changes  int64       `bson:"n"`
}

type orderLine struct {
	SKU    string `bson:"s"`
	Name   string `bson:"d"`
	Unit   string `bson:"u"`
	Wanted int64  `bson:"w"`
	Picked int64  `bson:"p"`
	Note   string `bson:"m"`
}

// picked is the fact of one change: units of one line.
type picked struct {
	Line   int    `json:"line"`
	Units  int64  `json:"units"`
	Bin    string `json:"bin"`
	Carton string `json:"carton"`
}

const orderLines = 12

func newOrder(n int) order {
	o := order{Customer: fmt.Sprintf("customer-%08d", n), Lines: make([]orderLine, orderLines)}
	for i := range o.Lines {
		o.Lines[i] = orderLine{
			SKU: fmt.Sprintf("SKU-%06d", n*31+i), Name: fmt.Sprintf("an item that is sold by the piece, number %d", i), Unit: "EA",
			Wanted: 1 << 40, Note: fmt.Sprintf("keep dry; customer's line %d of order %d", i+1, n),
		}
	}
	return o
}

// change makes the i-th change, another one each time.
func change(i int) picked {
	return picked{Line: i % orderLines, Units: int64(i%7 + 1), Bin: fmt.Sprintf("A-%04d", i%9999), Carton: fmt.Sprintf("00340123456%09d", i)}
}

// apply returns the order after a change; lines are copied, for states are shared.
func apply(o order, p picked) order {
	lines := make([]orderLine, len(o.Lines))
	copy(lines, o.Lines)
	lines[p.Line].Picked += p.Units
	lines[p.Line].Note = p.Bin + " " + p.Carton
	o.Lines, o.Changes = lines, o.Changes+1
	return o
}

// orderFact is a fact of the store's order: opened or picked.
type orderFact struct {
	Opened *int    `json:"opened,omitempty"`
	Picked *picked `json:"picked,omitempty"`
}

func orderType() store.Type[order, orderFact] {
	return store.Type[order, orderFact]{
		Name: "order", Prefix: "ord", Fold: 1,
		Evolve: func(o order, f orderFact) order {
			if f.Opened != nil {
				return newOrder(*f.Opened)
			}
			return apply(o, *f.Picked)
		},
		Encode: func(f orderFact) (string, []byte, error) {
			data, err := json.Marshal(f)
			return "bench.OrderFact", data, err
		},
		Decode: func(_ string, data []byte) (f orderFact, err error) { return f, json.Unmarshal(data, &f) },
		Indexes: map[string]func(order) []string{
			"customer": func(o order) []string { return []string{o.Customer} },
		},
	}
}
