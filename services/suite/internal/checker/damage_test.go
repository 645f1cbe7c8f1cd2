package checker

import (
	"crypto/sha256"
	"slices"
	"strings"
	"testing"

	"github.com/gowebpki/jcs"
	"go.mongodb.org/mongo-driver/v2/bson"
	"google.golang.org/protobuf/encoding/protowire"

	fsv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/freightsettlement/v1"
	imv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	orv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
	svv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/shipmentvisibility/v1"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/history"
)

// damage is what a defect would leave behind, and exactly the invariants that it breaks; one
// with a question mark may be broken or not, as chance had it.
type damage struct {
	name  string
	do    func(v *vandal)
	names []string
	says  string              // part of what one of the violations must say
	count func(r *Report) int // what the report must have counted; nil for nothing
}

func (d damage) try(t *testing.T, s Suite, entries []*history.Entry) {
	v := &vandal{t: t, s: s, entries: slices.Clone(entries)}
	defer v.undo()
	d.do(v)
	r := verdict(t, s, v.entries)
	found(t, r, d.names...)
	if !slices.ContainsFunc(r.Violations, func(v Violation) bool { return strings.Contains(v.What, d.says) }) {
		t.Errorf("nothing says %q: %v", d.says, r.Violations)
	}
	if d.count != nil && d.count(r) == 0 {
		t.Errorf("not counted: %+v", r)
	}
}

func lost(r *Report) int       { return r.Lost }
func twice(r *Report) int      { return r.Twice }
func notApplied(r *Report) int { return r.NotApplied }

const (
	release    = "order-release"
	warehouse  = "inventory-movement"
	transport  = "shipment-visibility"
	settlement = "freight-settlement"
)

var everything = bson.D{}

var damages = []damage{
	{
		"a commit in the middle is gone", func(v *vandal) {
			goesOn := bson.E{Key: "a", Value: bson.D{{Key: "$nin", Value: v.having(release, &orv1.ReleaseCancelled{})}}} // of what is cancelled nothing need follow
			v.change(release, "commits", append(with(&orv1.LinesPicked{}), goesOn), func(bson.D) any { return nil })
		}, []string{"I4", "I7", "I9"}, "follows version", notApplied,
	},
	{
		"an acknowledged commit was rolled back", func(v *vandal) {
			v.change(release, "commits", with(&orv1.OrderClosed{}), func(bson.D) any { return nil })
		}, []string{"I1", "I4", "I7", "I9"}, "was acknowledged and left no receipt", lost,
	},
	{
		"a commit was stored on one that is gone", func(v *vandal) {
			v.change(release, "commits", with(&orv1.LinesPicked{}), func(d bson.D) any { return set(d, "p", get[int64](d, "p")+1) })
		}, []string{"I4"}, "names another predecessor", nil,
	},
	{
		"a receipt went and its facts stayed", func(v *vandal) {
			v.rewriteIf(warehouse, &imv1.GoodsIssued{}, lastly(&imv1.GoodsIssued{}), func(commits []bson.D) []bson.D { // what a client asked for
				last := commits[len(commits)-1]
				r := get[bson.A](last, "r")[0].(bson.D)
				commits[len(commits)-1] = set(last, "r", bson.A{set(r, "k", "another-key")})
				return commits
			})
		}, []string{"I1", "I4", "I11"}, "was acknowledged and left no receipt", lost,
	},
	{
		"a command was applied twice", func(v *vandal) {
			v.rewriteIf(transport, &svv1.ShipmentClosed{}, lastly(&svv1.ShipmentClosed{}), func(commits []bson.D) []bson.D {
				again := set(commits[len(commits)-1], "f", nil)
				return append(commits, again)
			})
		}, []string{"I1", "I4", "I9"}, "was applied in", twice,
	},
	{
		"a client was told another version", func(v *vandal) {
			retell(v.t, v.entry("CloseOrder", ""), func(r map[string]any) { r["etag"] = "99" })
		}, []string{"I1"}, "was answered", nil,
	},
	{
		"clients were told each other's answers", func(v *vandal) {
			a := v.entry("RecordPayment", "")
			b := v.entry("RecordVoucherPosted", a.Tenant+"/")
			a.Response, b.Response = b.Response, a.Response
		}, []string{"I1"}, "was answered", nil,
	},
	{
		"a client was refused what was done", func(v *vandal) {
			e := v.entry("PackCarton", "")
			e.Outcome, e.Code = history.Refused, "WAREHOUSE_ORDER_STATE"
		}, []string{"I1"}, "has it as done", nil,
	},
	{
		"a client was told of a success that was refused", func(v *vandal) {
			var other *history.Entry
			for i, e := range v.entries {
				if e.Code == insufficient {
					clone := *e
					v.entries[i], other = &clone, &clone
					break
				}
			}
			other.Outcome, other.Response = history.OK, v.entry("AdjustStock", "").Response
		}, []string{"I1", "I2?"}, "has it as refused", nil, // others may have made room for it
	},
	{
		"a trial was stored", func(v *vandal) {
			v.rewriteIf(release, &orv1.OrderClosed{}, lastly(&orv1.OrderClosed{}), func(commits []bson.D) []bson.D {
				last := commits[len(commits)-1]
				e := v.entry("CloseOrder", get[string](last, "a"))
				e.Request = []byte(strings.Replace(string(e.Request), "{", `{"validateOnly":true,`, 1))
				canonical, err := jcs.Transform(e.Request)
				if err != nil {
					v.t.Fatal(err)
				}
				sum := sha256.Sum256([]byte(e.Method + "\x00" + e.Tenant + "\x00" + string(canonical)))
				r := set(get[bson.A](last, "r")[0].(bson.D), "fp", bson.Binary{Data: append([]byte("v1:"), sum[:]...)})
				commits[len(commits)-1] = set(last, "r", bson.A{r})
				return commits
			})
		}, []string{"I1"}, "was only to be validated", nil,
	},
	{
		"a command was done that nobody sent", func(v *vandal) {
			v.rewriteIf(transport, &svv1.ShipmentClosed{}, lastly(&svv1.ShipmentClosed{}), func(commits []bson.D) []bson.D {
				last := commits[len(commits)-1]
				r := get[bson.A](last, "r")[0].(bson.D)
				scope := append([]byte("c\x00"), get[string](r, "pr")...)
				sum := sha256.Sum256(append(scope, "\x00nobodys-key"...))
				r = set(set(r, "k", "nobodys-key"), "h", bson.Binary{Data: sum[:16]})
				return append(commits, set(set(last, "f", nil), "r", bson.A{r}))
			})
		}, []string{"I9", "I11"}, "no client sent it", nil,
	},
	{
		"stock was sold that is not there", func(v *vandal) {
			v.rewrite(warehouse, &imv1.StockReserved{}, func(commits []bson.D) []bson.D {
				return refact(v.t, commits, func(m *imv1.StockReserved) { m.Quantity = "1000" })
			})
		}, []string{"I2"}, "oversold", twice,
	},
	{
		"less left stock than was shipped", func(v *vandal) {
			v.moved(imv1.MovementType_MOVEMENT_TYPE_ISSUE, "3", "1")
		}, []string{"I9"}, "what is issued leaves stock: 1 of", notApplied,
	},
	{
		"more was received than was reported", func(v *vandal) {
			v.moved(imv1.MovementType_MOVEMENT_TYPE_RECEIPT, "100", "101")
		}, []string{"I2"}, "was answered 100 and moved 101", nil,
	},
	{
		"goods left stock twice", func(v *vandal) {
			v.rewrite(warehouse, &imv1.StockAllocated{}, func(commits []bson.D) []bson.D {
				return again(commits, &imv1.StockMoved{})
			})
		}, []string{"I2", "I4", "I7", "I9"}, "followed where", twice,
	},
	{
		"an invoice was paid twice", func(v *vandal) {
			v.rewrite(settlement, &fsv1.FreightInvoicePaid{}, func(commits []bson.D) []bson.D {
				return again(commits, &fsv1.FreightInvoicePaid{})
			})
		}, []string{"I3", "I4", "I5", "I7", "I9"}, "is paid again", nil,
	},
	{
		"more was paid than was approved", func(v *vandal) {
			v.rewrite(settlement, &fsv1.FreightInvoicePaid{}, func(commits []bson.D) []bson.D {
				return refact(v.t, commits, func(m *fsv1.FreightInvoicePaid) { m.Amount.AmountMinor++ })
			})
		}, []string{"I3"}, "approved", nil,
	},
	{
		"a cent was lost in a sum", func(v *vandal) {
			v.rewrite(settlement, &fsv1.FreightAccrued{}, func(commits []bson.D) []bson.D {
				return refact(v.t, commits, func(m *fsv1.FreightAccrued) { m.Allocations[0].Amount.AmountMinor-- })
			})
		}, []string{"I3"}, "are allocated of", nil,
	},
	{
		"a shipment went back after it was closed", func(v *vandal) {
			v.rewrite(transport, &svv1.MilestoneRecorded{}, func(commits []bson.D) []bson.D {
				return again(commits, &svv1.MilestoneRecorded{})
			})
		}, []string{"I4", "I5", "I7", "I9"}, "goes back from stage 10", nil,
	},
	{
		"more was issued than was released", func(v *vandal) {
			once := func(commits []bson.D) bool {
				return count(v.t, commits, func(*orv1.LinesIssued) bool { return true }) == 1
			}
			v.rewriteIf(release, &orv1.LinesIssued{}, once, func(commits []bson.D) []bson.D {
				return refact(v.t, commits, func(m *orv1.LinesIssued) { m.Lines[0].Quantity.Value = "4" })
			})
		}, []string{"I1", "I6", "I9"}, "released, 4 issued", twice,
	},
	{
		"a consumer took a fact for done that it never applied", func(v *vandal) {
			v.rewrite(settlement, &fsv1.FreightFinalised{}, func(commits []bson.D) []bson.D {
				return only(commits, &fsv1.FreightFinalised{})
			})
		}, []string{"I7", "I9"}, "a delivered shipment's freight is final: 0 of 1 followed", notApplied,
	},
	{
		"a snapshot is behind", func(v *vandal) {
			v.change(transport, "state_shipment", everything, func(d bson.D) any { return set(d, "v", get[int64](d, "v")-1) })
		}, []string{"I7"}, "the snapshot is at version", nil,
	},
	{
		"a snapshot is gone", func(v *vandal) {
			v.change(settlement, "state_freight", everything, func(bson.D) any { return nil })
		}, []string{"I7"}, "has no snapshot", nil,
	},
	{
		"a snapshot holds what was rolled back", func(v *vandal) {
			v.change(settlement, "state_freight", everything, func(d bson.D) any { return set(d, "p", get[int64](d, "p")+1) })
		}, []string{"I7"}, "made from another commit", nil,
	},
	{
		"the control tower lost a row", func(v *vandal) {
			v.change(towerService, "rows_trace_2", bson.D{{Key: "_id", Value: bson.D{{Key: "$regex", Value: "/f/"}}}}, func(bson.D) any { return nil })
		}, []string{"I7"}, "has not recorded it", notApplied,
	},
	{
		"the control tower has a fact in two ways", func(v *vandal) {
			facts := bson.D{{Key: "_id", Value: bson.D{{Key: "$regex", Value: "/f/"}}}}
			raw := decoded(v.t, v.docs(towerService, "rows_trace_2", facts)[0])
			step, _ := protowire.ConsumeBytes(get[bson.Binary](raw, "b").Data)
			other := protowire.AppendString(protowire.AppendTag(slices.Clone(step), 4, protowire.BytesType), "another title")
			id := get[string](raw, "_id") + "x"
			v.saved = append(v.saved, saved{towerService, "rows_trace_2", bson.D{{Key: "_id", Value: id}}, nil})
			v.replace(towerService, "rows_trace_2", bson.D{{Key: "_id", Value: id}},
				set(set(raw, "_id", id), "b", bson.Binary{Data: protowire.AppendBytes(nil, other)}))
		}, []string{"I7"}, "twice and not the same", nil,
	},
	{
		"a recorder stopped before the end", func(v *vandal) {
			v.change(towerService, "rows_bus_applied", everything, func(d bson.D) any { return set(d, "v", get[int64](d, "v")-(1<<16)) })
		}, []string{"I4"}, "has applied version", nil,
	},
	{
		"a row stands under another tenant", func(v *vandal) {
			facts := bson.D{{Key: "_id", Value: bson.D{{Key: "$regex", Value: "/f/"}}}}
			v.change(towerService, "rows_trace_2", facts, func(d bson.D) any {
				_, id, _ := strings.Cut(get[string](d, "_id"), "/")
				other := "another/" + id
				v.saved = append(v.saved, saved{towerService, "rows_trace_2", bson.D{{Key: "_id", Value: other}}, nil})
				return set(set(d, "_id", other), "t", "another")
			})
		}, []string{"I7", "I8"}, "names", notApplied,
	},
	{
		"an answer names another tenant's order", func(v *vandal) {
			e := v.entry("CloseOrder", "")
			for _, o := range v.entries {
				if o.Tenant != e.Tenant && strings.HasSuffix(o.Method, "/CloseOrder") {
					e.Response = o.Response
				}
			}
		}, []string{"I1", "I8"}, "names ord_", nil,
	},
	{
		"a dead letter lies about", func(v *vandal) {
			row := bson.D{{Key: "_id", Value: "t/books:who_x:1:0"}, {Key: "t", Value: "t"}, {Key: "v", Value: int64(2)}, {Key: "b", Value: []byte(`{"reason":"FACT_UNREADABLE"}`)}}
			v.saved = append(v.saved, saved{warehouse, "rows_bus_letters", row[:1], nil})
			v.replace(warehouse, "rows_bus_letters", row[:1], row)
		}, []string{"I9"}, "FACT_UNREADABLE", nil,
	},
	{
		"a consumer is behind", func(v *vandal) {
			position := bson.D{{Key: "_id", Value: own + "/books"}}
			v.change(warehouse, "rows_bus_positions", position, func(d bson.D) any {
				return set(d, "b", bson.Binary{Data: []byte(`{"g":1,"n":{}}`)})
			})
		}, []string{"I9"}, "the consumer books is at 0", nil,
	},
	{
		"a consumer is unknown", func(v *vandal) {
			row := bson.D{{Key: "_id", Value: own + "/new"}, {Key: "t", Value: own}, {Key: "v", Value: int64(1)}, {Key: "b", Value: []byte(`{}`)}}
			v.saved = append(v.saved, saved{release, "rows_bus_positions", row[:1], nil})
			v.replace(release, "rows_bus_positions", row[:1], row)
		}, []string{"I9"}, "does not know the consumer new", nil,
	},
	{
		"a relay passed over commits", func(v *vandal) {
			head := bson.D{{Key: "_id", Value: own + "/head"}}
			v.change(release, "rows_bus_relay", head, func(d bson.D) any {
				return set(d, "b", bson.Binary{Data: []byte(`{"g":1,"c":1,"n":{}}`)})
			})
		}, []string{"I9"}, "commits are published", nil,
	},
}
