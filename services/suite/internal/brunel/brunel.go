// Package brunel feeds the orders, plants, ports and rates of the Supply Chain Logistics Problem
// Dataset through the public REST API and drives every order to its end. It promises that each
// order is accounted for: closed with its freight settled, or with the reason why not.
package brunel

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc"

	"github.com/lockstep-logistics/lockstep/libs/clock"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/rest"
)

// Attribution is printed wherever the data is shown.
const Attribution = "Supply Chain Logistics Problem Dataset, T. Kalganova and I. Dzalbs, Brunel University London, CC BY 4.0"

// workers is how many orders are driven at a time, batch how many are exported in one document.
const (
	workers = 48
	batch   = 200
)

// orderTime bounds how long one order may take once it was handed over.
const orderTime = 4 * time.Minute

// Folder returns where the data set is: the folder that was named, else ../shared/data/brunel
// seen from the root of the repository.
func Folder(named string) string {
	if named != "" {
		return named
	}
	root, err := os.Getwd()
	if err != nil {
		root = "."
	}
	for at := root; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, "go.work")); err == nil {
			root = at
			break
		}
		if at == filepath.Dir(at) {
			break
		}
	}
	return filepath.Join(root, "..", "shared", "data", "brunel")
}

// Run feeds a plan to the suite behind the gateway at base and drives its orders. It prints
// progress and the outcome, and fails when an order did not end explained.
func Run(ctx context.Context, base, token string, p *Plan, out io.Writer) error {
	_, err := Measure(ctx, base, token, p, out)
	return err
}

// Outcome is what a run came to.
type Outcome struct {
	Took    time.Duration  // from the first order handed over to the last one's end
	Closed  int            // orders that reached their end
	Refused map[string]int // orders that did not, by "who: reason"
}

// Measure is Run, with what it came to.
func Measure(ctx context.Context, base, token string, p *Plan, out io.Writer) (Outcome, error) {
	transport := &http.Transport{MaxIdleConnsPerHost: 2 * workers}
	defer transport.CloseIdleConnections()
	conn := patient{&rest.Conn{Base: base, Token: token, HTTP: &http.Client{Transport: transport, Timeout: 30 * time.Second}}}
	p.introduce(out)
	t := newTally(p)
	for _, r := range p.Refused {
		t.refuse("the data set's own tables", r)
	}
	begin := clock.Monotonic()
	if err := (&feeder{conn}).setup(ctx, p); err != nil {
		return Outcome{}, fmt.Errorf("master data: %w", err)
	}
	_, _ = fmt.Fprintf(out, "Master data, rate cards and opening stock are there after %.1f s\n", clock.Elapsed(begin).Seconds())
	begin = clock.Monotonic()
	stop := t.watch(begin, out)
	err := drive(ctx, conn, t)
	stop()
	took := clock.Elapsed(begin)
	t.print(out, took)
	if err == nil {
		err = t.verdict()
	}
	if err == nil {
		err = reconcile(ctx, conn, t, out)
	}
	return t.outcome(took), err
}

// introduce says what is about to be fed.
func (p *Plan) introduce(out io.Writer) {
	lanes, bands := p.Lanes()
	_, _ = fmt.Fprintf(out, `%s
%d orders, %d refused before; %d carriers with rate cards of %d lanes and %d weight bands (%d repeated rows left out)
For %d orders several bands fit, the first of the file counts; %d weights are rounded to the gram
`, Attribution, len(p.Orders), len(p.Refused), len(p.Cards), lanes, bands, p.Repeated, p.Ambiguous, p.Rounded)
}

// watch prints how far the orders are every few seconds, until it is stopped.
func (t *tally) watch(begin time.Time, out io.Writer) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var group sync.WaitGroup
	group.Go(func() {
		for wait(ctx, 5*time.Second) {
			_, _ = fmt.Fprintln(out, t.line(clock.Elapsed(begin)))
		}
	})
	return func() {
		cancel()
		group.Wait()
	}
}

// drive exports the orders document by document, never many more than are worked on, and
// walks each that was taken.
func drive(ctx context.Context, conn grpc.ClientConnInterface, t *tally) error {
	queue := make(chan OrderRow, batch)
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for o := range queue {
				one(ctx, conn, t, o)
			}
		})
	}
	err := handOver(ctx, conn, t, queue)
	close(queue)
	group.Wait()
	return err
}

// handOver hands over the orders and queues those that were taken.
func handOver(ctx context.Context, conn grpc.ClientConnInterface, t *tally, queue chan<- OrderRow) error {
	f, n := &feeder{conn}, 0
	for orders := range slices.Chunk(t.plan.Orders, batch) {
		n++
		refused, err := f.send(ctx, export(fmt.Sprintf("ORDERS-%03d", n), orders))
		if err != nil {
			return err
		}
		no := map[string]bool{}
		for _, r := range refused {
			no[r.Number] = true
			t.refuse("the suite", r)
		}
		for _, o := range orders {
			if no[o.Number] {
				continue
			}
			t.add(received)
			select {
			case queue <- o:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
	return nil
}

// one walks an order and counts how it ended.
func one(ctx context.Context, conn grpc.ClientConnInterface, t *tally, o OrderRow) {
	ctx, cancel := context.WithTimeout(ctx, orderTime)
	defer cancel()
	w := &walk{OrderRow: o, conn: conn, tally: t}
	if err := w.do(ctx); err != nil {
		t.fail(err)
		return
	}
	if w.unrated != nil {
		t.unrated(o, w.unrated)
	}
	t.close(o)
}
