package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/lockstep-logistics/lockstep/libs/host"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/brunel"
)

// fewOrders is how many orders a short look walks.
const fewOrders = 200

// Orders walks all orders of a published data set, released against its plants' own tables, from
// the document to the end, on the embedded engines over REST. Without the data set it measures
// nothing.
func Orders(ctx context.Context, r *Report) (err error) {
	rows, err := brunel.Read(brunel.Folder(os.Getenv("DEMO_DATA_DIR")))
	if errors.Is(err, brunel.ErrAbsent) {
		_, err = fmt.Fprintln(os.Stderr, "orders: the data set is not at hand, see DEMO_DATA_DIR")
		return err
	}
	if err != nil {
		return err
	}
	limit := 0
	if r.Quick {
		limit = fewOrders
	}
	plan, err := brunel.Map(rows, limit)
	if err != nil {
		return err
	}
	e := &running{name: "embedded"}
	defer func() { err = errors.Join(err, e.close()) }()
	if err := e.begin(ctx, func(*host.Config) {}); err != nil {
		return err
	}
	o, err := brunel.Measure(ctx, e.URL(), e.AdminToken(), plan, os.Stderr)
	if err != nil {
		return err
	}
	r.Add("orders.brunel.run_s", "s", o.Took.Seconds())
	r.Add("orders.brunel.closed", "orders", float64(o.Closed))
	r.Add("orders.brunel.orders_per_s", "1/s", float64(o.Closed)/o.Took.Seconds())
	refused := map[string]int{} // by reason, whoever refused
	for reason, orders := range o.Refused {
		_, code, _ := strings.Cut(reason, ": ")
		refused[code] += orders
	}
	for code, orders := range refused {
		r.Add("orders.brunel.refused."+code, "orders", float64(orders))
	}
	return nil
}
