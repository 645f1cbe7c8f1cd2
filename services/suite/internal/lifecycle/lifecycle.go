// Package lifecycle walks orders from submission to the paid freight invoice as fast as the
// suite lets it, over whichever door its connections lead to: the load of the benchmarks.
// Every wait is for a fact of another service; every command has a key of its own.
package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/lockstep-logistics/lockstep/libs/guard"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	freightsettlementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/freightsettlement/v1"
	orderreleasev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
)

// Driver walks orders of one tenant.
type Driver struct {
	Dial func(service string) grpc.ClientConnInterface
	// Observe is told how long each command took; nil for nobody.
	Observe func(command string, took time.Duration)
	// Now tells the time of what is reported.
	Now func() time.Time
}

// Line is a line to order.
type Line struct {
	SKU      string
	Quantity int
}

// walk is one order on its way.
type walk struct {
	*Driver
	Way
	number string
	lines  []Line
	order  string
}

// part is one release of an order on its way: the first, or what it lacked.
type part struct {
	*walk
	n      int         // from 1
	picked map[int]int // by line of the order, what is there to be picked
	short  map[int]int // and what is not

	warehouse, shipment, freight, invoice string
	charges                               []*freightsettlementv1.Charge
}

// Submit submits an order and returns its id.
func (d *Driver) Submit(ctx context.Context, number string, lines []Line) (string, error) {
	w := &walk{Driver: d, number: number, lines: lines}
	err := w.submit(ctx)
	return w.order, err
}

// Walk takes one order all the way: submitted, released, picked, packed, issued, tendered,
// dispatched, delivered, invoiced, approved, posted, paid, closed.
func (d *Driver) Walk(ctx context.Context, number string, lines []Line) error {
	return d.WalkBy(ctx, number, lines, Way{})
}

// WalkBy takes one order all the way with the turns of a way: what its pickers do not find
// goes in a release of its own or is cancelled, and what comes back is taken back and credited.
func (d *Driver) WalkBy(ctx context.Context, number string, lines []Line, way Way) error {
	w := &walk{Driver: d, Way: way, number: number, lines: lines}
	if err := w.submit(ctx); err != nil {
		return fmt.Errorf("submit of %s: %w", number, err)
	}
	parts := w.parts()
	for _, p := range parts {
		for _, step := range []struct {
			name string
			do   func(context.Context) error
		}{{"warehouse", p.fulfil}, {"transport", p.transport}, {"settle", p.settle}} {
			if err := step.do(ctx); err != nil {
				return fmt.Errorf("%s of %s, part %d: %w", step.name, number, p.n, err)
			}
		}
	}
	if err := w.close(ctx, parts); err != nil {
		return fmt.Errorf("close of %s: %w", number, err)
	}
	if err := w.giveBack(ctx, parts); err != nil {
		return fmt.Errorf("return of %s: %w", number, err)
	}
	return nil
}

// command runs one mutation under the key "<order number>:<name>" and tells how long it took.
func (w *walk) command(ctx context.Context, name string, do func(context.Context) error) error {
	ctx = metadata.AppendToOutgoingContext(ctx, guard.MetaKey, "walk:"+w.number+":"+name)
	begin := w.Now()
	err := do(ctx)
	if w.Observe != nil && err == nil {
		command, _, _ := strings.Cut(name, "#")
		w.Observe(command, w.Now().Sub(begin))
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// command runs one mutation of a part; those of the first have the names of a straight order.
func (p *part) command(ctx context.Context, name string, do func(context.Context) error) error {
	if p.n > 1 {
		name += fmt.Sprintf("#%d", p.n)
	}
	return p.walk.command(ctx, name, do)
}

// errNotYet says that what is waited for has not happened.
var errNotYet = errors.New("not yet")

// await asks until the answer is no longer errNotYet; a query that fails otherwise fails the walk.
func await(ctx context.Context, what string, ask func(context.Context) error) error {
	var last error
	for pause := 20 * time.Millisecond; ; pause = min(pause*3/2, 250*time.Millisecond) {
		err := ask(ctx)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, errNotYet):
			last = err
		default:
			return fmt.Errorf("waiting for %s (last: %w): %w", what, last, err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s (last: %w): %w", what, last, ctx.Err())
		case <-time.After(pause):
		}
	}
}

// Document is an order as the ERP has it.
func Document(number string, lines []Line) *orderreleasev1.OrderDocument {
	doc := &orderreleasev1.OrderDocument{
		SourceSystem: "erp", OrderNumber: number, SoldTo: &orderreleasev1.OrderParty{PartyCode: Customer, AddressCode: "MAIN"},
		Site: Site, Currency: "EUR", CarrierPreference: Carrier,
	}
	for i, l := range lines {
		doc.Lines = append(doc.Lines, &orderreleasev1.OrderLine{
			LineNumber: int32(i + 1), Sku: l.SKU, Quantity: pieces(l.Quantity), UnitPrice: "12.50",
		})
	}
	return doc
}

func (w *walk) submit(ctx context.Context) error {
	doc := Document(w.number, w.lines)
	doc.DeliveryRule = w.rule()
	client := orderreleasev1.NewOrderReleaseServiceClient(w.Dial("order-release"))
	return w.command(ctx, "SubmitOrder", func(ctx context.Context) error {
		resp, err := client.SubmitOrder(ctx, &orderreleasev1.SubmitOrderRequest{Order: doc})
		if w.order = resp.GetReceipt().GetId(); err == nil && resp.GetReceipt().GetState() == "REJECTED" {
			return fmt.Errorf("rejected: %v", resp.GetReceipt().GetReasons())
		}
		return err
	})
}

func pieces(n int) *commonv1.Quantity {
	return &commonv1.Quantity{Value: fmt.Sprint(n), Unit: "EA"}
}
