package adapter

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/lockstep-logistics/lockstep/libs/bus"
	"github.com/lockstep-logistics/lockstep/libs/clock"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	controltowerv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/controltower/v1"
	orderv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	returnsv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/returns/v1"
	"github.com/lockstep-logistics/lockstep/services/control-tower/internal/storytest"
)

// list asks for what hangs, page by page, and says each row in one line.
func (w *tower) list(t *testing.T, tenant string, older time.Duration, size int32) []string {
	t.Helper()
	var out []string
	req := &controltowerv1.ListHangingClaimsRequest{OlderThan: durationpb.New(older), PageSize: size}
	for {
		resp, err := w.ListHangingClaims(as(t.Context(), tenant), req)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range resp.GetClaims() {
			held := ""
			if q := c.GetQuantity(); q != nil {
				held = " " + q.GetValue() + " " + q.GetUnit()
			}
			minute := func(at time.Time) int { return int(at.Sub(began) / time.Minute) }
			out = append(out, fmt.Sprintf("%s %s%s of %s by %s %d %d", strings.TrimPrefix(c.GetDocumentState().String(), "CLAIM_DOCUMENT_STATE_"),
				c.GetClaimKey(), held, c.GetDocumentNumber(), c.GetEventId(), minute(c.GetClaimedTime().AsTime()), minute(c.GetSinceTime().AsTime())))
			if since := resp.GetAsOfTime().AsTime().Sub(c.GetSinceTime().AsTime()); c.GetAge().AsDuration() != since || c.GetAttempt() != 1 ||
				!strings.HasSuffix(c.GetClaimKey(), ":"+c.GetTarget().GetAggregateId()) || !strings.HasPrefix(c.GetClaimKey(), "clm:"+c.GetDocument().GetAggregateId()+":") {
				t.Errorf("told as %v at %s", c, resp.GetAsOfTime().AsTime())
			}
		}
		if req.PageToken = resp.GetNextPageToken(); req.GetPageToken() == "" {
			return out
		}
	}
}

// TestWhatHangs: in whatever order aggregates arrive, however often facts come, and wherever
// rows are settled in between, the same claims are listed; and what was settled is marked no
// more.
func TestWhatHangs(t *testing.T) {
	for name, tt := range tales {
		t.Run(name, func(t *testing.T) {
			w := newTower(t)
			for round := range 6 {
				s := &tale{tenant: testkit.Name("t")}
				tt.tell(s)
				random := rand.New(rand.NewPCG(uint64(round), 11))
				if round == 5 {
					w.together(t, s.facts...)
				}
				for _, i := range merged(random, s.facts, round > 0) {
					if random.IntN(3) == 0 {
						settle(t, w)
					}
					w.record(t, s.facts[i])
				}
				if diff := cmp.Diff(tt.want, w.list(t, s.tenant, 0, 0)); diff != "" {
					t.Fatalf("round %d: %s", round, diff)
				}
				settle(t, w)
				if diff := cmp.Diff(tt.want, w.list(t, s.tenant, 0, 0)); diff != "" {
					t.Fatalf("round %d, settled: %s", round, diff)
				}
			}
		})
	}
}

// merged is an order in which facts may arrive: each aggregate's in theirs, aggregates anyhow,
// and some once more at the end.
func merged(random *rand.Rand, facts []bus.Fact, shuffled bool) []int {
	byAggregate := map[string][]int{}
	var slots []string
	for i, f := range facts {
		byAggregate[f.AggregateID] = append(byAggregate[f.AggregateID], i)
		slots = append(slots, f.AggregateID)
	}
	if shuffled {
		random.Shuffle(len(slots), func(i, j int) { slots[i], slots[j] = slots[j], slots[i] })
	}
	var out []int
	for _, id := range slots {
		out = append(out, byAggregate[id][0])
		byAggregate[id] = byAggregate[id][1:]
	}
	return append(out, out[:len(out)/2]...)
}

func settle(t *testing.T, w *tower) {
	t.Helper()
	if err := w.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// marked counts the rows that ask for something.
func marked(t *testing.T, w *tower, tenant string) int {
	t.Helper()
	rows, err := w.Recorder.rows.rows.List(t.Context(), tenant, index, owing, "", 1000)
	if err != nil {
		t.Fatal(err)
	}
	return len(rows)
}

// TestOnlyWhatHangsStaysMarked bounds what a list reads and what settling writes: one write for
// the row of a request, none for a claim, and nothing is left of what went well.
func TestOnlyWhatHangsStaysMarked(t *testing.T) {
	w := newTower(t)
	s := &tale{tenant: "t"}
	tales["promised and allocated"].tell(s)
	w.record(t, s.facts...)
	if n := marked(t, w, "t"); n != 1 {
		t.Errorf("%d rows are marked, want that of the request", n)
	}
	before := w.written
	for range 3 {
		settle(t, w)
	}
	if n := marked(t, w, "t"); n != 0 || w.written != before+1 {
		t.Errorf("%d rows are marked, %d writes", n, w.written-before)
	}
	if got := w.ask(t, "t", "4711"); len(got.GetSteps()) == 0 {
		t.Error("settling loses the story")
	}
	hangs := &tale{tenant: "t"}
	tales["return denied"].tell(hangs)
	w.record(t, hangs.facts...)
	settle(t, w)
	if n := marked(t, w, "t"); n != 1 {
		t.Errorf("%d rows are marked, want that of the denial", n)
	}
	hangs.items(&returnsv1.ReturnClaimReleased{RmaId: rma, ClaimKey: claimR, ReturnableId: items})
	w.record(t, hangs.facts[len(hangs.facts)-1])
	if got := w.list(t, "t", 0, 0); len(got) != 0 {
		t.Errorf("given back, but listed: %v", got)
	}
	settle(t, w)
	if n := marked(t, w, "t"); n != 0 {
		t.Errorf("%d rows are marked at the end", n)
	}
}

// TestPagesOfHangingClaims: pages of any size and reach make the same list, oldest first, also where many
// began to hang at once; a stranger's is empty, and older_than cuts it.
func TestPagesOfHangingClaims(t *testing.T) {
	w := newTower(t)
	var want []string
	s := &tale{tenant: "t"}
	for i := range 40 {
		o, stock := ident.Derive("ord", fmt.Sprint(i)), ident.Derive("stk", fmt.Sprint(i))
		claim := "clm:" + o + ":1:" + stock
		s.say(storytest.Orders, "order", o, &orderv1.PromiseRequested{
			OrderId: o, OrderNumber: fmt.Sprint(i), Attempt: 1, Claims: []*orderv1.Claim{{ClaimKey: claim, StockId: stock}},
		})
		s.reserved(stock, claim)
		s.facts[len(s.facts)-2].Recorded = began.Add(time.Duration(i/20) * time.Minute) // twenty at once
		want = append(want, claim)
	}
	w.together(t, s.facts...)
	all := w.list(t, "t", 0, 0)
	if len(all) != len(want) {
		t.Fatalf("%d of %d are listed", len(all), len(want))
	}
	for i, line := range all {
		if !strings.HasSuffix(line, fmt.Sprint(" ", i/20)) {
			t.Errorf("place %d: %s", i, line)
		}
	}
	for _, size := range []int32{1, 7, 20, 40} {
		if diff := cmp.Diff(all, w.list(t, "t", 0, size)); diff != "" {
			t.Errorf("in pages of %d: %s", size, diff)
		}
	}
	usual := w.judged
	w.judged = 7
	if diff := cmp.Diff(all, w.list(t, "t", 0, 0)); diff != "" {
		t.Errorf("seven documents at a time: %s", diff)
	}
	w.judged = usual
	if got := w.list(t, "u", 0, 0); len(got) != 0 {
		t.Errorf("another tenant is told %v", got)
	}
	w.Server.clock = clock.NewManual(began.Add(10 * time.Minute))
	for older, n := range map[time.Duration]int{11 * time.Minute: 0, 10 * time.Minute: 20, 9*time.Minute + time.Second: 20, 9 * time.Minute: 40} {
		if got := w.list(t, "t", older, 0); len(got) != n {
			t.Errorf("%d hang for %s, want %d", len(got), older, n)
		}
	}
	w.Server.bounds.OlderThan = 10 * time.Minute
	if got, err := w.ListHangingClaims(as(t.Context(), "t"), &controltowerv1.ListHangingClaimsRequest{}); err != nil || len(got.GetClaims()) != 20 {
		t.Errorf("as configured: %v, %v", got, err)
	}
}
