package checker

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"
	"go.mongodb.org/mongo-driver/v2/mongo/readpref"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	_ "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/integration/v1" // facts of integration
	_ "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"  // facts of master-data
)

// What a service stores, as far as the checker reads it.
type (
	commit struct {
		ID       string        `bson:"_id"` // tenant/aggregate/version
		Type     string        `bson:"t"`
		Agg      string        `bson:"a"` // tenant/aggregate
		Version  int64         `bson:"v"`
		Parent   int64         `bson:"p"`
		Previous int64         `bson:"pv"`
		At       int64         `bson:"at"` // µs
		Causes   []bson.Binary `bson:"c"`
		Facts    []storedFact  `bson:"f"`
		Receipts []receipt     `bson:"r"`
		hash     int64         // of its bytes, as the next commit and the snapshot name it
	}
	storedFact struct {
		Type    string `bson:"t"`
		Data    []byte `bson:"d"`
		Receipt int32  `bson:"r"`
	}
	receipt struct {
		Hash        bson.Binary `bson:"h"`
		Key         string      `bson:"k"`
		Derived     bool        `bson:"d"`
		Fingerprint []byte      `bson:"fp"`
		Principal   string      `bson:"pr"`
		Answer      *answer     `bson:"an"`
		Refusal     *struct {
			Reason string `bson:"r"`
		} `bson:"re"`
	}
	answer struct {
		ID      string            `bson:"i"`
		ETag    string            `bson:"e"`
		State   string            `bson:"s"`
		Created []string          `bson:"n"`
		Values  map[string]string `bson:"v"`
		Reasons []struct {
			Code string `bson:"c"`
		} `bson:"r"`
	}
	snapshot struct {
		ID       string `bson:"_id"`
		Version  int64  `bson:"v"`
		Parent   int64  `bson:"p"`
		Previous int64  `bson:"pv"`
	}
	row struct {
		ID      string              `bson:"_id"` // tenant/id
		Version int64               `bson:"v"`
		Body    []byte              `bson:"b"`
		Keys    map[string][]string `bson:"x"`
	}
)

// fact is a stored fact, decoded.
type fact struct {
	service, tenant, agg, id string // id names it within its tenant and service
	at                       int64
	msg                      proto.Message
}

// where names the aggregate of a fact.
func (f *fact) where() string { return f.service + " " + f.tenant + "/" + f.agg }

func (c *checker) db(service string) *mongo.Database { return c.suite.db(service) }

func (s Suite) db(service string) *mongo.Database {
	return s.Client.Database(s.Prefix+strings.ReplaceAll(service, "-", "_"),
		options.Database().SetReadConcern(readconcern.Majority()).SetReadPreference(readpref.Primary()))
}

// each decodes the documents of a collection in the order of their ids.
func each[T any](ctx context.Context, coll *mongo.Collection, filter bson.D, take func(doc *T, raw bson.Raw) error, opts ...options.Lister[options.FindOptions]) error {
	cur, err := coll.Find(ctx, filter, append(opts, options.Find().SetSort(bson.D{{Key: "_id", Value: 1}}))...)
	if err != nil {
		return err
	}
	defer func() { _ = cur.Close(context.WithoutCancel(ctx)) }() // the server forgets it anyway
	for cur.Next(ctx) {
		doc := new(T)
		if err := bson.Unmarshal(cur.Current, doc); err != nil {
			return fmt.Errorf("%s: %w", coll.Name(), err)
		}
		if err := take(doc, cur.Current); err != nil {
			return err
		}
	}
	return cur.Err()
}

// owners notes whose every aggregate is, for I8.
func (c *checker) owners(ctx context.Context, service string) error {
	cur, err := c.db(service).Collection("commits").Aggregate(ctx, mongo.Pipeline{{{Key: "$group", Value: bson.D{{Key: "_id", Value: "$a"}}}}},
		options.Aggregate().SetAllowDiskUse(true))
	if err != nil {
		return err
	}
	defer func() { _ = cur.Close(context.WithoutCancel(ctx)) }() // the server forgets it anyway
	for cur.Next(ctx) {
		agg, _ := cur.Current.Lookup("_id").StringValueOK()
		tenant, id, _ := strings.Cut(agg, "/")
		if other, known := c.tenants[id]; known && other != tenant {
			c.report.add("I8", Whole, service+" "+agg, "%s has an aggregate of this id too", other)
		}
		c.tenants[id] = tenant
	}
	return cur.Err()
}

// database checks the aggregates of one service one after another, and its snapshots.
func (c *checker) database(ctx context.Context, service string) error {
	c.lanes[service] = map[string]uint64{}
	last := map[string]*commit{}
	var run []*commit
	flush := func() error {
		if len(run) == 0 {
			return nil
		}
		end := run[len(run)-1]
		last[end.Agg] = &commit{Type: end.Type, Version: end.Version, Previous: end.Previous, Facts: end.Facts, hash: end.hash}
		err := c.aggregate(service, run)
		run = nil
		return err
	}
	err := each(ctx, c.db(service).Collection("commits"), bson.D{}, func(d *commit, raw bson.Raw) error {
		if len(run) > 0 && run[0].Agg != d.Agg {
			if err := flush(); err != nil {
				return err
			}
		}
		sum := sha256.Sum256(raw)
		d.hash = int64(binary.LittleEndian.Uint64(sum[:8]))
		c.foreign(service, d.ID, raw)
		run = append(run, d)
		return nil
	})
	if err == nil {
		err = flush()
	}
	if err != nil {
		return err
	}
	return c.others(ctx, service, last)
}

// aggregate checks the whole history of one aggregate.
func (c *checker) aggregate(service string, commits []*commit) error {
	c.report.Commits += len(commits)
	c.chain(service, commits)
	var facts [][]*fact // by commit
	for _, d := range commits {
		tenant, agg, _ := strings.Cut(d.Agg, "/")
		of := make([]*fact, len(d.Facts))
		for i, s := range d.Facts {
			f := &fact{service: service, tenant: tenant, agg: agg, at: d.At, id: fmt.Sprintf("%s:%d:%d", agg, d.Version, i)}
			t, err := protoregistry.GlobalTypes.FindMessageByName(protoreflect.FullName(s.Type))
			if err != nil {
				return fmt.Errorf("%s: %w", f.id, err)
			}
			f.msg = t.New().Interface()
			if err := proto.Unmarshal(s.Data, f.msg); err != nil {
				return fmt.Errorf("%s: %w", f.id, err)
			}
			of[i] = f
			c.tower.expect(f, s.Type)
			c.watch(f)
		}
		if len(of) > 0 {
			c.lanes[service][lane(d.Type, agg)] += uint64(len(of))
		}
		c.report.Facts += len(of)
		facts = append(facts, of)
		for i, r := range d.Receipts {
			c.left(service, d, i, r)
		}
	}
	switch service + "/" + commits[0].Type {
	case "inventory-movement/stock":
		c.stock(commits, facts)
	case "inventory-movement/warehouse_order":
		c.takenBack(facts)
	case "inventory-movement/inbound_delivery":
		c.inbound(facts)
	case "freight-settlement/freight":
		c.freight(facts)
	case "freight-settlement/freight_invoice":
		c.invoice(facts)
	case "freight-settlement/rate_card":
		c.rates.publish(facts)
	case "order-release/order":
		c.order(facts)
		c.priced(facts)
	case "returns/return":
		c.returned(facts)
	case "returns/returnable":
		c.returnable(facts)
	}
	c.rates.watch(facts)
	c.states(facts)
	c.expect(commits, facts)
	return nil
}

// lane names where the bus numbers an aggregate's facts.
func lane(aggregateType, id string) string {
	const partitions = 16
	h := fnv.New32a()
	_, _ = h.Write([]byte(id)) // a hash never fails
	return fmt.Sprintf("%s/%02d", aggregateType, h.Sum32()%partitions)
}
