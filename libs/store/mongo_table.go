package store

import (
	"context"
	"errors"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// mongoTable is a Table on MongoDB: a collection "rows_<name>".
type mongoTable struct {
	e    *mongodb
	c    *mongo.Collection
	puts gather
}

func newMongoTable(e *mongodb, c *mongo.Collection) *mongoTable {
	t := &mongoTable{e: e, c: c}
	t.puts.write = t.put
	return t
}

type rowDoc struct {
	ID      string              `bson:"_id"` // tenant/id
	Tenant  string              `bson:"t"`
	Version int64               `bson:"v"`
	Body    []byte              `bson:"b"`
	Keys    map[string][]string `bson:"x,omitempty"`
}

func (e *mongodb) table(ctx context.Context, name string, indexes []string) (Rows, error) {
	c := e.db.Collection(rowsName(name))
	var models []mongo.IndexModel
	for _, index := range indexes {
		x := "x." + index
		models = append(models,
			mongo.IndexModel{Keys: bson.D{{Key: "t", Value: 1}, {Key: x, Value: 1}, {Key: "_id", Value: 1}}},
			mongo.IndexModel{Keys: bson.D{{Key: x, Value: 1}, {Key: "_id", Value: 1}}, Options: options.Index().SetSparse(true)})
	}
	if len(models) == 0 {
		return newMongoTable(e, c), nil
	}
	return newMongoTable(e, c), index(ctx, c, models...)
}

func docOf(r Row) rowDoc {
	body := r.Body
	if body == nil {
		body = []byte{}
	}
	return rowDoc{ID: aggKey(r.Tenant, r.ID), Tenant: r.Tenant, Version: int64(r.Version), Body: body, Keys: r.Keys}
}

// Put writes rows, together with those that others put meanwhile.
func (t *mongoTable) Put(ctx context.Context, rows ...Row) error {
	if len(rows) == 0 {
		return nil
	}
	return wrapped(t.puts.put(ctx, rows))
}

// put brings rows that may be new as inserts: most rows of version 1 are, and an upsert costs
// several times as much. Rows that are there already, and later versions, are replaced where
// the stored one is older, under a filter of the id alone as snapshots are.
func (t *mongoTable) put(ctx context.Context, rows []Row) error {
	t.e.log(t.c.Name(), len(rows))
	var fresh []any
	var later []rowDoc
	for _, r := range rows {
		if d := docOf(r); d.Version <= 1 {
			fresh = append(fresh, d)
		} else {
			later = append(later, d)
		}
	}
	if len(fresh) > 0 {
		there, err := taken(t.c.InsertMany(ctx, fresh, options.InsertMany().SetOrdered(false)))
		if err != nil {
			return err
		}
		for _, i := range there {
			later = append(later, fresh[i].(rowDoc)) //nolint:forcetypeassert // put there above
		}
	}
	return t.replace(ctx, later)
}

// taken returns which documents of an unordered insert were there already.
func taken(_ *mongo.InsertManyResult, err error) (there []int, _ error) {
	var bulk mongo.BulkWriteException
	if !errors.As(err, &bulk) || bulk.WriteConcernError != nil {
		return nil, err
	}
	for _, we := range bulk.WriteErrors {
		if we.Code != duplicateKeyCode {
			return nil, err
		}
		there = append(there, we.Index)
	}
	return there, nil
}

// replace stores rows where the stored one is older or there is none.
func (t *mongoTable) replace(ctx context.Context, docs []rowDoc) error {
	if len(docs) == 0 {
		return nil
	}
	models := make([]mongo.WriteModel, len(docs))
	for i, d := range docs {
		older := bson.D{{Key: "$lt", Value: bson.A{"$v", d.Version}}} // so is a field that is not there
		models[i] = mongo.NewUpdateOneModel().SetFilter(bson.D{{Key: "_id", Value: d.ID}}).SetUpsert(true).
			SetUpdate(bson.A{bson.D{{Key: "$replaceWith", Value: bson.D{{Key: "$cond", Value: bson.A{
				older, bson.D{{Key: "$literal", Value: d}}, "$$ROOT",
			}}}}}})
	}
	_, err := t.c.BulkWrite(ctx, models, options.BulkWrite().SetOrdered(false))
	return exceptTaken(err)
}

func wrapped(err error) error {
	if err == nil {
		return nil
	}
	return unavailable(err)
}

func (t *mongoTable) Swap(ctx context.Context, row Row, expect uint64) (bool, error) {
	d := docOf(row)
	t.e.log(t.c.Name(), 1)
	if expect == 0 {
		_, err := t.c.InsertOne(ctx, d)
		if !mongo.IsDuplicateKeyError(err) {
			return err == nil, wrapped(err)
		}
	}
	res, err := t.c.ReplaceOne(ctx, bson.D{{Key: "_id", Value: d.ID}, {Key: "v", Value: int64(expect)}}, d)
	if err != nil {
		return false, unavailable(err)
	}
	return res.MatchedCount == 1, nil
}

func (t *mongoTable) Delete(ctx context.Context, tenant string, ids ...string) error {
	if len(ids) == 0 {
		return nil
	}
	keys := make([]string, len(ids))
	for i, id := range ids {
		keys[i] = aggKey(tenant, id)
	}
	_, err := t.c.DeleteMany(ctx, in("_id", keys))
	return wrapped(err)
}

func (t *mongoTable) Get(ctx context.Context, tenant, id string) (Row, bool, error) {
	rows, err := t.GetMany(ctx, tenant, []string{id})
	if err != nil || len(rows) == 0 {
		return Row{}, false, err
	}
	return rows[0], true, nil
}

func (t *mongoTable) GetMany(ctx context.Context, tenant string, ids []string) ([]Row, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	keys := make([]string, len(ids))
	for i, id := range ids {
		keys[i] = aggKey(tenant, id)
	}
	return rowsOf(raws(ctx, t.c, in("_id", keys)))
}

func (t *mongoTable) List(ctx context.Context, tenant, index, key, after string, limit int) ([]Row, error) {
	filter := bson.D{{Key: "t", Value: tenant}, {Key: "_id", Value: bson.D{
		{Key: "$gt", Value: aggKey(tenant, after)}, {Key: "$lt", Value: tenant + "0"}, // '0' follows '/'
	}}}
	if index != "" {
		filter = append(filter, bson.E{Key: "x." + index, Value: key})
	}
	return rowsOf(raws(ctx, t.c, filter, options.Find().SetSort(sorted("_id")).SetLimit(int64(limit))))
}

func (t *mongoTable) Due(ctx context.Context, index, upTo string, limit int) ([]Row, error) {
	return rowsOf(dueDocs(ctx, t.c, index, upTo, limit, false))
}

func rowsOf(docs [][]byte, err error) ([]Row, error) {
	out := make([]Row, 0, len(docs))
	for _, raw := range docs {
		var d rowDoc
		if decodeErr := unmarshal(raw, &d); decodeErr != nil {
			return nil, errors.Join(err, decodeErr)
		}
		tenant, id := splitKey(d.ID)
		out = append(out, Row{Tenant: tenant, ID: id, Version: uint64(d.Version), Body: d.Body, Keys: d.Keys})
	}
	return out, wrapped(err)
}
