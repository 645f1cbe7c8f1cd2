package brunel

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
)

// stage is a place on the way of an order.
type stage int

const (
	received stage = iota
	released
	shipped
	rated
	delivered
	invoiced
	settled
	closed
	refused
	stages
)

var stageNames = [stages]string{"received", "released", "shipped", "rated", "delivered", "invoiced", "settled", "closed", "refused"}

// tally counts orders by how far they came.
type tally struct {
	plan  *Plan
	count [stages]atomic.Int64

	mu        sync.Mutex
	reasons   map[string]int // why an order was refused or has no price
	failures  []string
	paidMinor int64
	toTheCent int // settled for exactly what the rate table says
	byACent   int // settled for a cent more or less: its weight was rounded
	asTold    int // unrated for the reason that the rate table gives
	surprises []string
	taken     map[Pair]int64 // units that closed orders took, by plant and product
}

func newTally(p *Plan) *tally {
	return &tally{plan: p, reasons: map[string]int{}, taken: map[Pair]int64{}}
}

// close counts an order that is closed.
func (t *tally) close(o OrderRow) {
	t.add(closed)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.taken[Pair{o.Plant, o.Product}] += o.Quantity
}

// left is what must be left of the opening stock.
func (t *tally) left() map[Pair]int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	left := map[Pair]int64{}
	for _, n := range t.plan.stock() {
		left[n.at] = n.quantity - t.taken[n.at]
	}
	return left
}

func (t *tally) add(s stage) { t.count[s].Add(1) }

func (t *tally) reason(text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.reasons[text]++
}

// maxFailures is how many are told one by one.
const maxFailures = 10

func (t *tally) fail(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.failures = append(t.failures, err.Error())
}

// refuse counts an order that was not taken, by whom and why.
func (t *tally) refuse(who string, r Refusal) {
	t.add(refused)
	t.reason(fmt.Sprintf(refusedBy+"%s: %s", who, r.Reason))
}

// refusedBy begins the reasons for which an order was not taken.
const refusedBy = "refused by "

// outcome is what all orders came to.
func (t *tally) outcome(took time.Duration) Outcome {
	t.mu.Lock()
	defer t.mu.Unlock()
	o := Outcome{Took: took, Closed: int(t.count[closed].Load()), Refused: map[string]int{}}
	for reason, orders := range t.reasons {
		if who, is := strings.CutPrefix(reason, refusedBy); is {
			o.Refused[who] = orders
		}
	}
	return o
}

// paid counts a settled freight and compares it with the rate table.
func (t *tally) paid(number string, m *commonv1.Money) {
	t.add(settled)
	expected := t.plan.Expected(number)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.paidMinor += m.GetAmountMinor()
	if expected.Why == "" && expected.Charge.Currency == m.GetCurrency() {
		switch m.GetAmountMinor() - expected.Charge.Minor {
		case 0:
			t.toTheCent++
			return
		case -1, 1:
			t.byACent++
			return
		}
	}
	t.surprises = append(t.surprises, fmt.Sprintf("order %s: paid %s, the rate table says %s", number, amount(m.GetAmountMinor()), expected))
}

// notRated begins the reasons for which an order has no price.
const notRated = "not rated, so not invoiced: "

// unrated counts an order that no rate covers.
func (t *tally) unrated(o OrderRow, why *commonv1.Reason) {
	text := fmt.Sprintf(notRated+"%s, %s %s", why.GetCode(), o.Carrier, service(o.Service, o.Days))
	if o.CustomersFreight() {
		text = fmt.Sprintf(notRated+"%s, %s %s, the customer's own freight", why.GetCode(), o.Carrier, customersFreight)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.reasons[text]++
	if t.plan.Expected(o.Number).Why == why.GetCode() {
		t.asTold++
		return
	}
	t.surprises = append(t.surprises, fmt.Sprintf("order %s: %s %s, the rate table says %q", o.Number, why.GetCode(), why.GetMessage(), t.plan.Expected(o.Number).Why))
}

// line is how far all orders are, in one line.
func (t *tally) line(took time.Duration) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%4.0f s ", took.Seconds())
	for s := range stages {
		if n := t.count[s].Load(); n > 0 || s != refused {
			fmt.Fprintf(&b, " %s %d", stageNames[s], n)
		}
	}
	return fmt.Sprintf("%s  (%.1f orders/s)", b.String(), float64(t.count[closed].Load())/max(took.Seconds(), 0.001))
}

func amount(minor int64) string { return fmt.Sprintf("%d.%02d %s", minor/100, minor%100, currency) }

// print writes the outcome.
func (t *tally) print(w io.Writer, took time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, _ = fmt.Fprintf(w, "\nOf %d orders in %.0f s:\n", len(t.plan.Orders)+len(t.plan.Refused), took.Seconds())
	for s := range stages {
		_, _ = fmt.Fprintf(w, "  %-10s %6d\n", stageNames[s], t.count[s].Load())
	}
	_, _ = fmt.Fprintf(w, "Freight paid: %s; of %d orders %d for what the rate table says of the exact weight, %d for a cent more or less\n",
		amount(t.paidMinor), t.count[settled].Load(), t.toTheCent, t.byACent)
	_, _ = fmt.Fprintf(w, "Without a price: %d, of them %d for the reason that the rate table gives\n", t.unpriced(), t.asTold)
	if len(t.reasons) > 0 {
		_, _ = fmt.Fprintln(w, "Why not more:")
	}
	byCount := slices.SortedFunc(maps.Keys(t.reasons), func(a, b string) int {
		return cmp.Or(cmp.Compare(t.reasons[b], t.reasons[a]), cmp.Compare(a, b))
	})
	for _, reason := range byCount {
		_, _ = fmt.Fprintf(w, "  %6d  %s\n", t.reasons[reason], reason)
	}
	for _, list := range []struct {
		title string
		texts []string
	}{{"otherwise than the rate table says", t.surprises}, {"did NOT reach an explained end", t.failures}} {
		if len(list.texts) > 0 {
			_, _ = fmt.Fprintf(w, "%d %s:\n", len(list.texts), list.title)
		}
		for _, text := range list.texts[:min(len(list.texts), maxFailures)] {
			_, _ = fmt.Fprintf(w, "  %s\n", text)
		}
	}
}

// unpriced is how many orders no rate covers.
func (t *tally) unpriced() (n int) {
	for reason, orders := range t.reasons {
		if strings.HasPrefix(reason, notRated) {
			n += orders
		}
	}
	return n
}

// verdict is nil when every order ended closed or refused, and closed ones settled or with
// the reason why there is no price.
func (t *tally) verdict() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	all, ended := len(t.plan.Orders)+len(t.plan.Refused), int(t.count[closed].Load()+t.count[refused].Load())
	priced := int(t.count[settled].Load()) + t.unpriced()
	if len(t.failures) > 0 || ended != all || priced != int(t.count[closed].Load()) {
		return fmt.Errorf("%d of %d orders ended, %d of them with their freight settled or explained; %d failed", ended, all, priced, len(t.failures))
	}
	return nil
}
