// Package storetest is the conformance suite of libs/store: what every engine must do,
// each must a test, no engine exempt. Its aggregate is a small stock of units. Corpus is for
// the services: it holds their facts of every age to the states that they always made.
package storetest

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	"github.com/lockstep-logistics/lockstep/libs/store"
)

// Stock is the state: units on hand, and who took how many.
type Stock struct {
	Site   string           `bson:"s"`
	OnHand int64            `bson:"h"`
	Taken  map[string]int64 `bson:"t,omitempty"`
	Weight quantity.Decimal `bson:"w"`           // a value type with unexported fields
	Due    time.Time        `bson:"d,omitempty"` // microseconds must survive
}

// Fact is what happened to a stock.
type Fact interface{ isFact() }

// The facts.
type (
	// Opened starts a stock.
	Opened struct {
		Site   string
		OnHand int64
		Due    time.Time
	}
	// Took takes units away.
	Took struct {
		Who string
		N   int64
	}
)

func (Opened) isFact() {}
func (Took) isFact()   {}

// Type declares the stock to a store.
func Type(fold int) store.Type[Stock, Fact] {
	return store.Type[Stock, Fact]{
		Name: "stock", Prefix: "stk", Fold: fold, Evolve: evolve, Encode: encode, Decode: decode,
		Indexes: map[string]func(Stock) []string{
			"site": func(s Stock) []string { return []string{s.Site} },
			"due": func(s Stock) []string {
				if s.Due.IsZero() {
					return nil
				}
				return []string{store.TimeKey(s.Due)}
			},
		},
		Export: func(_ string, s Stock) (Fact, error) { return Opened{s.Site, s.OnHand, s.Due}, nil },
	}
}

func evolve(s Stock, f Fact) Stock {
	switch f := f.(type) {
	case Opened:
		s.Site, s.OnHand, s.Due = f.Site, f.OnHand, f.Due
		s.Weight = quantity.MustParse("1.25")
	case Took:
		taken := make(map[string]int64, len(s.Taken)+1)
		for k, v := range s.Taken {
			taken[k] = v
		}
		taken[f.Who] += f.N
		s.OnHand, s.Taken = s.OnHand-f.N, taken
	}
	return s
}

func encode(f Fact) (string, []byte, error) {
	data, err := json.Marshal(f)
	return fmt.Sprintf("%T", f), data, err
}

func decode(name string, data []byte) (Fact, error) {
	switch name {
	case "storetest.Opened":
		var f Opened
		return f, json.Unmarshal(data, &f)
	case "storetest.Took":
		var f Took
		err := json.Unmarshal(data, &f)
		return f, err
	}
	return nil, fault.New(fault.Unavailable, "FACT_TYPE_UNKNOWN", "%s", name)
}

// Open starts a stock.
func Open(site string, n int64, due time.Time) func(store.Current[Stock]) (store.Decision[Fact], error) {
	return func(c store.Current[Stock]) (store.Decision[Fact], error) {
		if c.Version > 0 {
			return store.Decision[Fact]{}, fault.New(fault.Conflict, "STOCK_EXISTS", "opened already")
		}
		return store.Decision[Fact]{Facts: []Fact{Opened{site, n, due}}, State: "OPEN"}, nil
	}
}

// Take takes n units for who, refused when there are not enough.
func Take(who string, n int64) func(store.Current[Stock]) (store.Decision[Fact], error) {
	return func(c store.Current[Stock]) (store.Decision[Fact], error) {
		switch {
		case c.Version == 0:
			return store.Decision[Fact]{}, fault.New(fault.NotFound, "NO_STOCK", "no stock %s", c.ID)
		case c.State.OnHand < n:
			return store.Decision[Fact]{}, fault.New(fault.Refused, "NOT_ENOUGH", "%d on hand, not %d", c.State.OnHand, n).With("on_hand", fmt.Sprint(c.State.OnHand))
		}
		return store.Decision[Fact]{Facts: []Fact{Took{who, n}}, State: "OPEN", Values: map[string]string{"granted": fmt.Sprint(n)}}, nil
	}
}
