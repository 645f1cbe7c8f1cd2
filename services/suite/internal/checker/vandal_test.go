package checker

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
	"google.golang.org/protobuf/proto"

	imv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/history"
)

// vandal damages the databases of a suite that is stopped, and the history, as a defect would;
// undo takes everything back.
type vandal struct {
	t       *testing.T
	s       Suite
	entries []*history.Entry
	saved   []saved
}

type saved struct {
	service, collection string
	filter              bson.D
	docs                []bson.Raw
}

// docs reads and remembers documents before they are changed.
func (v *vandal) docs(service, collection string, filter bson.D) []bson.Raw {
	v.t.Helper()
	var docs []bson.Raw
	err := each(v.t.Context(), v.s.db(service).Collection(collection), filter, func(_ *bson.D, raw bson.Raw) error {
		docs = append(docs, append(bson.Raw{}, raw...))
		return nil
	})
	if err != nil {
		v.t.Fatal(err)
	}
	v.saved = append(v.saved, saved{service, collection, filter, docs})
	return docs
}

// replace puts documents in the place of those that the filter finds.
func (v *vandal) replace(service, collection string, filter bson.D, docs ...any) {
	v.t.Helper()
	coll := v.s.db(service).Collection(collection)
	if _, err := coll.DeleteMany(v.t.Context(), filter); err != nil {
		v.t.Fatal(err)
	}
	if len(docs) > 0 {
		if _, err := coll.InsertMany(v.t.Context(), docs); err != nil {
			v.t.Fatal(err)
		}
	}
}

func (v *vandal) undo() {
	for i := len(v.saved) - 1; i >= 0; i-- {
		d := v.saved[i]
		docs := make([]any, len(d.docs))
		for j, raw := range d.docs {
			docs[j] = raw
		}
		v.replace(d.service, d.collection, d.filter, docs...)
	}
}

// change alters the first of the documents that the filter finds, or removes it where alter
// returns nil.
func (v *vandal) change(service, collection string, filter bson.D, alter func(d bson.D) any) {
	v.t.Helper()
	docs := v.docs(service, collection, filter)
	if len(docs) == 0 {
		v.t.Fatalf("%s %s has no %v", service, collection, filter)
	}
	one := bson.D{{Key: "_id", Value: docs[0].Lookup("_id")}}
	if next := alter(decoded(v.t, docs[0])); next != nil {
		v.replace(service, collection, one, next)
	} else {
		v.replace(service, collection, one)
	}
}

func decoded(t *testing.T, raw bson.Raw) bson.D {
	t.Helper()
	var d bson.D
	if err := bson.Unmarshal(raw, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

func get[T any](d bson.D, key string) T {
	for _, e := range d {
		if e.Key == key {
			value, _ := e.Value.(T)
			return value
		}
	}
	var zero T
	return zero
}

func set(d bson.D, key string, value any) bson.D {
	out := append(bson.D{}, d...)
	for i := range out {
		if out[i].Key == key {
			out[i].Value = value
			return out
		}
	}
	return append(out, bson.E{Key: key, Value: value})
}

// with is the filter of commits that have a fact of a type.
func with(message proto.Message) bson.D {
	return bson.D{{Key: "f.t", Value: string(message.ProtoReflect().Descriptor().FullName())}}
}

// having names the aggregates with a fact of a type.
func (v *vandal) having(service string, message proto.Message) (names []string) {
	v.t.Helper()
	if err := v.s.db(service).Collection("commits").Distinct(v.t.Context(), "a", with(message)).Decode(&names); err != nil {
		v.t.Fatal(err)
	}
	return names
}

// rewrite alters the history of the first aggregate with a fact of a type as a defect of a
// service would: all that the store checks by itself holds.
func (v *vandal) rewrite(service string, has proto.Message, alter func(commits []bson.D) []bson.D) {
	v.t.Helper()
	v.rewriteIf(service, has, func([]bson.D) bool { return true }, alter)
}

// rewriteIf is rewrite of the first that fits.
func (v *vandal) rewriteIf(service string, has proto.Message, fits func(commits []bson.D) bool, alter func(commits []bson.D) []bson.D) {
	v.t.Helper()
	for _, agg := range v.having(service, has) {
		var commits []bson.D
		for _, raw := range v.docs(service, "commits", bson.D{{Key: "a", Value: agg}}) {
			commits = append(commits, decoded(v.t, raw))
		}
		if fits(slices.Clone(commits)) {
			v.chained(service, agg, alter(commits))
			return
		}
	}
	v.t.Fatalf("%s has no %T that fits", service, has)
}

// chained stores a history so that all that the store checks by itself holds.
func (v *vandal) chained(service, agg string, commits []bson.D) {
	v.t.Helper()
	var parent, previous int64
	var docs []any
	for i, d := range commits {
		d = set(set(set(d, "_id", fmt.Sprintf("%s/%010d", agg, i+1)), "v", int64(i+1)), "p", parent)
		d = set(d, "pv", previous)
		if len(get[bson.A](d, "f")) > 0 {
			previous = int64(i + 1)
		}
		var causes bson.A
		for _, r := range get[bson.A](d, "r") {
			causes = append(causes, get[bson.Binary](r.(bson.D), "h"))
		}
		d = set(d, "c", causes)
		raw, err := bson.Marshal(d)
		if err != nil {
			v.t.Fatal(err)
		}
		sum := sha256.Sum256(raw)
		parent = int64(binary.LittleEndian.Uint64(sum[:8]))
		docs = append(docs, bson.Raw(raw))
	}
	v.replace(service, "commits", bson.D{{Key: "a", Value: agg}}, docs...)
	v.change(service, "state_"+get[string](commits[0], "t"), bson.D{{Key: "_id", Value: agg}}, func(d bson.D) any {
		return set(set(set(d, "v", int64(len(docs))), "p", parent), "pv", previous)
	})
}

// refact alters the facts of a type in a history.
func refact[M proto.Message](t *testing.T, commits []bson.D, alter func(m M)) []bson.D {
	t.Helper()
	var zero M
	name := string(zero.ProtoReflect().Descriptor().FullName())
	for i, d := range commits {
		facts := append(bson.A{}, get[bson.A](d, "f")...)
		for j, f := range facts {
			if get[string](f.(bson.D), "t") != name {
				continue
			}
			m := zero.ProtoReflect().New().Interface().(M)
			if err := proto.Unmarshal(get[bson.Binary](f.(bson.D), "d").Data, m); err != nil {
				t.Fatal(err)
			}
			alter(m)
			data, err := proto.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			facts[j] = set(f.(bson.D), "d", bson.Binary{Data: data})
		}
		commits[i] = set(d, "f", facts)
	}
	return commits
}

// lastly reports of a history whether its last commit has a fact of a type.
func lastly(of proto.Message) func(commits []bson.D) bool {
	name := string(of.ProtoReflect().Descriptor().FullName())
	return func(commits []bson.D) bool {
		return slices.ContainsFunc(get[bson.A](commits[len(commits)-1], "f"), func(f any) bool { return get[string](f.(bson.D), "t") == name })
	}
}

// count is how many facts of a type in a history are as wanted.
func count[M proto.Message](t *testing.T, commits []bson.D, wanted func(m M) bool) (n int) {
	t.Helper()
	refact(t, slices.Clone(commits), func(m M) {
		if wanted(m) {
			n++
		}
	})
	return n
}

// moved alters the quantity of the movements of a type in the first stock that has such a one.
func (v *vandal) moved(of imv1.MovementType, from, to string) {
	v.t.Helper()
	wanted := func(m *imv1.StockMoved) bool { return m.GetType() == of && m.GetQuantity() == from }
	fits := func(commits []bson.D) bool { return count(v.t, commits, wanted) > 0 }
	v.rewriteIf("inventory-movement", &imv1.StockMoved{}, fits, func(commits []bson.D) []bson.D {
		return refact(v.t, commits, func(m *imv1.StockMoved) {
			if wanted(m) {
				m.Quantity = to
			}
		})
	})
}

// only leaves of a history's facts those that are not of a type.
func only(commits []bson.D, without proto.Message) []bson.D {
	name := string(without.ProtoReflect().Descriptor().FullName())
	for i, d := range commits {
		var kept bson.A
		for _, f := range get[bson.A](d, "f") {
			if get[string](f.(bson.D), "t") != name {
				kept = append(kept, f)
			}
		}
		commits[i] = set(d, "f", kept)
	}
	return commits
}

// again appends a commit that has the last fact of a type once more, under another key.
func again(commits []bson.D, of proto.Message) []bson.D {
	name := string(of.ProtoReflect().Descriptor().FullName())
	for _, d := range slices.Backward(commits) {
		for _, f := range get[bson.A](d, "f") {
			if get[string](f.(bson.D), "t") != name {
				continue
			}
			key := "a-key-of-its-own"
			sum := sha256.Sum256([]byte("d\x00" + key))
			r := bson.D{{Key: "h", Value: bson.Binary{Data: sum[:16]}}, {Key: "k", Value: key}, {Key: "d", Value: true}}
			return append(commits, set(set(d, "f", bson.A{set(f.(bson.D), "r", int32(0))}), "r", bson.A{r}))
		}
	}
	return commits
}

// entry returns a copy of the first entry of a method that was acknowledged for an aggregate,
// tenant/id or "" for any, in place of that in the history.
func (v *vandal) entry(method, aggregate string) *history.Entry {
	v.t.Helper()
	tenant, id, _ := strings.Cut(aggregate, "/")
	for i, e := range v.entries {
		if strings.HasSuffix(e.Method, "/"+method) && e.Outcome == history.OK && strings.HasPrefix(e.Tenant, tenant) && strings.Contains(string(e.Response), id) {
			clone := *e
			v.entries[i] = &clone
			return &clone
		}
	}
	v.t.Fatalf("nobody sent %s for %q", method, aggregate)
	return nil
}

// retell alters the receipt that a client was told.
func retell(t *testing.T, e *history.Entry, alter func(receipt map[string]any)) {
	t.Helper()
	var body map[string]any
	if err := json.Unmarshal(e.Response, &body); err != nil {
		t.Fatal(err)
	}
	alter(body["receipt"].(map[string]any))
	var err error
	if e.Response, err = json.Marshal(body); err != nil {
		t.Fatal(err)
	}
}
