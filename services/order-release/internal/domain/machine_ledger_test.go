package domain

import (
	"maps"
	"slices"
	"strings"

	"pgregory.net/rapid"

	"github.com/lockstep-logistics/lockstep/libs/quantity"
)

// ledger is what became of an order, in whole pieces by line. What is reported it reckons
// from the report itself, not from the facts that the order made of it.
type ledger struct {
	valid, closed                bool
	holds                        map[HoldType]bool
	ordered, cancelled, promised map[int]int64
	at                           map[cellAt]int64 // of promised
	told                         map[string]told  // by release
	releases                     map[int]*sending
}

// cellAt is a line at a site.
type cellAt struct {
	line int
	site string
}

// sending is one release.
type sending struct {
	site               string
	sent, acked, asked bool
	ships              ShippedPolicy
	back               bool // something was taken back
	lines              map[int]*cell
	amending           map[int]int64 // what lines are to stand for, while the warehouse is asked
}

// told is what the last delivery report of a release said too much: in pieces, and in other units.
type told struct{ pieces, others map[int]int64 }

// cell is one line of a release.
type cell struct {
	line                                                                     int
	quantity, saidAllocated, saidPicked, short, issued, delivered, cancelled int64
	back, withdrawn, saidDispatched                                          int64
}

func (c *cell) live() int64      { return c.quantity - c.short - c.cancelled - c.withdrawn }
func (c *cell) picked() int64    { return max(c.saidPicked, c.issued) }
func (c *cell) allocated() int64 { return min(max(c.saidAllocated, c.picked()), c.live()) }

// room is how much more of a kind of report there may be; a delivery report tells a total.
func (c *cell) room(kind string) int64 {
	switch kind {
	case "ALLOCATED":
		return c.quantity - c.saidAllocated
	case "PICKED":
		return c.live() - c.saidPicked
	case "SHORT":
		return c.live() - c.picked()
	case "ISSUED":
		return c.live() - c.issued
	case reportDispatched:
		return c.quantity - c.saidDispatched
	case reportReversed:
		return c.issued - c.delivered
	}
	return c.issued
}

// asLine is the line of the release that the cell stands for.
func (c *cell) asLine() ReleaseLine {
	return ReleaseLine{
		Line: c.line, Quantity: quantity.Int(c.quantity), Allocated: quantity.Int(c.allocated()), Picked: quantity.Int(c.picked()),
		Packed: quantity.Int(c.issued), Short: quantity.Int(c.short), Issued: quantity.Int(c.issued), Delivered: quantity.Int(c.delivered),
		Cancelled: quantity.Int(c.cancelled), SaidAllocated: quantity.Int(c.saidAllocated), SaidPicked: quantity.Int(c.saidPicked),
		PutBack: quantity.Int(c.back), Withdrawn: quantity.Int(c.withdrawn), Dispatched: quantity.Int(c.dispatched()),
		SaidDispatched: quantity.Int(c.saidDispatched),
	}
}

// cell returns a line of a release; nil when there is none.
func (g *ledger) cell(release, line int) *cell {
	if r := g.releases[release]; r != nil {
		return r.lines[line]
	}
	return nil
}

// cells are the lines of a release that a warehouse has.
func (g *ledger) cells(release int) (out []*cell) {
	if r := g.releases[release]; r != nil && r.sent {
		for _, line := range slices.Sorted(maps.Keys(r.lines)) {
			out = append(out, r.lines[line])
		}
	}
	return out
}

// open is what of a line is neither with a warehouse nor cancelled.
func (g *ledger) open(line int) int64 {
	n := g.ordered[line] - g.cancelled[line]
	for _, r := range g.releases {
		if c := r.lines[line]; r.sent && c != nil {
			n -= c.live()
		}
	}
	return n
}

// report reckons what a report says of a release: what there is room for is taken, the rest
// is a contradiction, and together they are all that was reported.
func (g *ledger) report(t *rapid.T, kind, release string, lines []LineQuantity, facts []Fact) (excess map[int]int64) {
	taken, excess := map[int]int64{}, map[int]int64{}
	var r *sending
	if n := g.sentAs(release); n > 0 {
		r = g.releases[n]
	}
	totals := map[int]int64{}
	if kind == "CANCELLED" {
		lines = g.putBack(r, lines)
	}
	for _, q := range lines {
		n := whole(q.Quantity.Value)
		switch {
		case r == nil || r.lines[q.Line] == nil || q.Quantity.Unit != "EA":
			excess[q.Line] += n
		default:
			totals[q.Line] += n
		}
	}
	if r != nil && kind == "CANCELLED" {
		r.asked = false
		for line, c := range r.lines {
			totals[line] = c.live() - c.picked()
		}
	}
	for line, n := range totals {
		c := r.lines[line]
		fits := min(n, c.room(kind))
		if kind == "CANCELLED" {
			fits = n
		}
		if excess[line] += n - fits; kind == reportDelivered {
			fits -= c.delivered
		}
		if fits != 0 {
			taken[line] = fits
		}
		if kind == reportReversed {
			c.issued, r.back = c.issued-fits, r.back || fits > 0
			continue
		}
		*map[string]*int64{
			"ALLOCATED": &c.saidAllocated, "PICKED": &c.saidPicked, "SHORT": &c.short, "ISSUED": &c.issued,
			reportDispatched: &c.saidDispatched, reportDelivered: &c.delivered, "CANCELLED": &c.cancelled,
		}[kind] += fits
	}
	switch {
	case kind == reportDelivered:
		g.remember(release, lines, excess)
	case kind == "ISSUED" && len(taken) > 0:
		g.deliverNow(r, release, taken, excess)
	}
	g.compare(t, kind, facts, taken, excess)
	return excess
}

// remember keeps what a delivery report said too much.
func (g *ledger) remember(release string, lines []LineQuantity, excess map[int]int64) {
	m := told{maps.Clone(excess), map[int]int64{}}
	for _, q := range lines {
		if q.Quantity.Unit != "EA" {
			m.others[q.Line] += whole(q.Quantity.Value)
			m.pieces[q.Line] -= whole(q.Quantity.Value)
		}
	}
	g.told[release] = m
}

// deliverNow takes what was delivered before its goods issue was told; then the rest of that
// report is said again.
func (g *ledger) deliverNow(r *sending, release string, taken, excess map[int]int64) {
	moved := false
	m := g.told[release]
	for line, n := range m.pieces {
		c := r.lines[line]
		if c == nil || min(n, c.issued-c.delivered) <= 0 {
			continue
		}
		fits := min(n, c.issued-c.delivered)
		moved = true
		taken[line] += fits
		c.delivered += fits
		m.pieces[line] -= fits
	}
	if moved {
		for _, rest := range []map[int]int64{m.pieces, m.others} {
			for line, n := range rest {
				excess[line] += n
			}
		}
	}
}

// forget drops what the order, which remembers only so many contradictions, has forgotten.
func (g *ledger) forget(o Order) {
	if len(o.Disputed) < maxDisputed {
		return
	}
	clear(g.told)
	for _, d := range o.Disputed {
		if d.Report != reportDelivered {
			continue
		}
		m, ok := g.told[d.Release]
		if !ok {
			m = told{map[int]int64{}, map[int]int64{}}
			g.told[d.Release] = m
		}
		if d.Unit == "" {
			m.pieces[d.Line] += whole(d.Excess)
		} else {
			m.others[d.Line] += whole(d.Excess)
		}
	}
}

// compare holds the facts of a report against what was reckoned. A delivery report that
// contradicts in the way an earlier one did says so once.
func (g *ledger) compare(t *rapid.T, kind string, facts []Fact, taken, excess map[int]int64) {
	gotTaken, gotExcess := map[int]int64{}, map[int]int64{}
	add := func(to map[int]int64, lines []LineQuantity) {
		for _, l := range lines {
			to[l.Line] += whole(l.Quantity.Value)
		}
	}
	for _, f := range facts {
		switch f := f.(type) {
		case ReleaseAllocated:
			add(gotTaken, f.Lines)
		case LinesPicked:
			add(gotTaken, f.Lines)
		case LinesShorted:
			add(gotTaken, f.Lines)
		case LinesIssued:
			add(gotTaken, f.Lines)
		case LinesDispatched:
			add(gotTaken, f.Lines)
		case LinesDelivered:
			add(gotTaken, f.Lines)
		case LinesIssueReversed:
			add(gotTaken, f.Lines)
		case ReleaseCancelled:
			add(gotTaken, f.Lines)
		case ReportContradicted:
			add(gotExcess, f.Excess)
		}
	}
	none := func(_ int, n int64) bool { return n == 0 }
	for _, m := range []map[int]int64{gotTaken, gotExcess, taken, excess} {
		maps.DeleteFunc(m, none)
	}
	repeated := kind == reportDelivered && len(gotExcess) == 0
	if !maps.Equal(gotTaken, taken) || !repeated && !maps.Equal(gotExcess, excess) {
		t.Fatalf("%s: took %v and contradicted %v, want %v and %v", kind, gotTaken, gotExcess, taken, excess)
	}
}

// follow takes a fact that is no report.
func (g *ledger) follow(t *rapid.T, f Fact) {
	switch f := f.(type) {
	case OrderReceived:
		*g = ledger{
			holds: map[HoldType]bool{}, ordered: map[int]int64{}, cancelled: map[int]int64{},
			promised: map[int]int64{}, at: map[cellAt]int64{}, releases: map[int]*sending{}, told: map[string]told{},
		}
		for _, l := range f.Lines {
			g.ordered[l.Number] = whole(l.Base.Value)
		}
	case OrderValidated:
		g.valid = true
	case OrderClosed:
		g.closed = true
	case HoldPlaced:
		g.holds[f.Hold.Type] = true
	case HoldLifted:
		delete(g.holds, f.Type)
	case LinesPromised:
		for _, l := range f.Lines {
			g.promised[l.Line] += whole(l.Quantity.Value)
			g.at[cellAt{l.Line, siteOfKey(l.Claim)}] += whole(l.Quantity.Value)
		}
	case OrderReleased:
		g.release(t, f)
	case LinesShipped:
		g.ship(t, f)
	case ReleaseBackordered:
		g.put(f.Release, f.Site, f.Lines)
	case ReleaseAcknowledged:
		g.releases[f.Release].acked = true
	case CancelAsked:
		g.releases[f.Release].asked = true
	case CancelRefused:
		g.releases[f.Release].asked = false
	case RemainderCancelled:
		g.cancel(f)
	}
}

func (g *ledger) put(number int, site string, lines []LineQuantity) *sending {
	r := &sending{site: site, lines: map[int]*cell{}}
	for _, l := range lines {
		r.lines[l.Line] = &cell{line: l.Line, quantity: whole(l.Quantity.Value)}
	}
	g.releases[number] = r
	return r
}

// release sends all that is promised at a site, once, and of an order without a hold only.
func (g *ledger) release(t *rapid.T, f OrderReleased) {
	if len(g.holds) > 0 {
		t.Fatalf("release %d of an order on hold", f.Release)
	}
	if r := g.releases[f.Release]; r != nil && r.sent {
		t.Fatalf("release %d is sent again", f.Release)
	}
	var lines []LineQuantity
	for _, l := range f.Lines {
		at := cellAt{l.Line, f.Site}
		if n := whole(l.Quantity.Value); n <= 0 || n != g.at[at] {
			t.Fatalf("release %d at %s has %d of line %d, %d are promised there", f.Release, f.Site, n, l.Line, g.at[at])
		}
		g.promised[l.Line] -= g.at[at]
		delete(g.at, at)
		lines = append(lines, LineQuantity{Line: l.Line, Quantity: l.Quantity})
	}
	for at, n := range g.at {
		if n > 0 && at.site == f.Site {
			t.Fatalf("release %d leaves %d of line %d behind", f.Release, n, at.line)
		}
	}
	r := g.put(f.Release, f.Site, lines)
	r.sent, r.ships = true, f.Shipped.Policy
}

// cancel takes out of open; what is promised or waits is no more than what is left of it.
func (g *ledger) cancel(f RemainderCancelled) {
	for _, l := range f.Lines {
		g.cancelled[l.Line] += whole(l.Quantity.Value)
	}
	for line := range g.ordered {
		g.promised[line] = min(g.promised[line], g.open(line))
	}
	for at := range g.at {
		if g.open(at.line) == 0 {
			delete(g.at, at)
		}
	}
	for line := range g.ordered {
		g.shrink(line)
	}
}

// shrink lets no more of a line wait than is open: what nothing holds goes first.
func (g *ledger) shrink(line int) {
	var waiting int64
	var cells []*sending
	for _, number := range slices.Sorted(maps.Keys(g.releases)) {
		if r := g.releases[number]; !r.sent && r.lines[line] != nil {
			waiting += r.lines[line].quantity
			cells = append(cells, r)
		}
	}
	for _, held := range []bool{true, false} {
		for _, r := range cells {
			c := r.lines[line]
			most := c.quantity
			if held {
				most = max(0, c.quantity-g.at[cellAt{line, r.site}])
			}
			less := min(most, max(0, waiting-g.open(line)))
			c.quantity -= less
			waiting -= less
		}
	}
}

// siteOfKey is the site of a claim, whose stock the tests name after it.
func siteOfKey(key string) string { return strings.Split(stockOf(key), "_")[1] }

// atSites is what of each line is promised, released, issued and delivered at each site.
func (g *ledger) atSites() map[[2]any][4]int64 {
	out := map[[2]any][4]int64{}
	for at, n := range g.at {
		out[[2]any{at.line, at.site}] = [4]int64{n}
	}
	for _, r := range g.releases {
		for line, c := range r.lines {
			if r.sent {
				key := [2]any{line, r.site}
				was := out[key]
				out[key] = [4]int64{was[0], was[1] + c.live(), was[2] + c.issued, was[3] + c.delivered}
			}
		}
	}
	return out
}

func (r *sending) state() ReleaseState {
	var live, issued, touched, back, withdrawn int64
	for _, c := range r.lines {
		live, issued, touched = live+c.live(), issued+c.issued, touched+c.picked()+c.short
		back, withdrawn = back+c.back, withdrawn+c.withdrawn
	}
	switch {
	case live == 0 && issued == 0 && back > 0:
		return ReleasePutBack
	case live == 0 && issued == 0 && withdrawn > 0:
		return ReleaseIsWithdrawn
	case live == 0 && issued == 0:
		return ReleaseIsCancelled
	case !r.sent:
		return ReleaseBackorderedState
	case live == issued:
		return ReleaseFulfilled
	case r.asked:
		return ReleaseCancelAsked
	case touched > 0 || r.back:
		return ReleaseInExecution
	case r.acked:
		return ReleaseAcknowledgedBy
	}
	return ReleaseSent
}

// state is where the order stands by what the ledger has.
func (g *ledger) state(promising bool) State {
	var open, promised, waiting, live, issued int64
	found := map[ReleaseState]bool{}
	for line := range g.ordered {
		open, promised = open+g.open(line), promised+g.promised[line]
	}
	for _, r := range g.releases {
		found[r.state()] = true
		for _, c := range r.lines {
			if r.sent {
				live, issued = live+c.live(), issued+c.issued
			} else {
				waiting += c.quantity
			}
		}
	}
	for _, s := range []struct {
		holds bool
		state State
	}{
		{g.closed, Closed},
		{!g.valid, Rejected},
		{open+live == 0, Cancelled},
		{open == 0 && live == issued, Fulfilled},
		{found[ReleaseCancelAsked], CancelRequested},
		{found[ReleaseInExecution] || found[ReleaseFulfilled], InExecution},
		{found[ReleaseAcknowledgedBy], Acknowledged},
		{found[ReleaseSent], Released},
		{promising, Promising},
		{promised > 0, Promised},
		{waiting > 0, Backordered},
	} {
		if s.holds {
			return s.state
		}
	}
	return Validated
}
