package store

import (
	"context"
	"errors"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// raws runs a find and returns the documents as stored.
func raws(ctx context.Context, c *mongo.Collection, filter bson.D, opts ...options.Lister[options.FindOptions]) ([][]byte, error) {
	cur, err := settled(c).Find(ctx, filter, opts...)
	if err != nil {
		return nil, err
	}
	var out [][]byte
	for cur.Next(ctx) {
		out = append(out, append([]byte(nil), cur.Current...))
	}
	return out, errors.Join(cur.Err(), cur.Close(ctx))
}

func in(field string, values any) bson.D {
	return bson.D{{Key: field, Value: bson.D{{Key: "$in", Value: values}}}}
}

func sorted(keys ...string) bson.D {
	var d bson.D
	for _, k := range keys {
		d = append(d, bson.E{Key: k, Value: 1})
	}
	return d
}

func (e *mongodb) snapshots(ctx context.Context, typ string, aggs []string) (map[string][]byte, error) {
	docs, err := raws(ctx, e.snaps(typ), in("_id", aggs))
	out := make(map[string][]byte, len(docs))
	for _, d := range docs {
		id, _ := bson.Raw(d).Lookup("_id").StringValueOK()
		out[id] = d
	}
	return out, err
}

// commits reads a range of ids: ascending and majority, so that none can be missed.
func (e *mongodb) commits(ctx context.Context, agg string, from uint64, limit int) ([][]byte, error) {
	return raws(ctx, e.commit, bson.D{{Key: "_id", Value: bson.D{
		{Key: "$gte", Value: commitID(agg, from)}, {Key: "$lt", Value: agg + "0"}, // '0' follows '/'
	}}}, options.Find().SetSort(sorted("_id")).SetLimit(int64(limit)))
}

func (e *mongodb) latest(ctx context.Context, agg string) (uint64, error) {
	docs, err := raws(ctx, e.commit, bson.D{{Key: "_id", Value: bson.D{
		{Key: "$gte", Value: commitID(agg, 0)}, {Key: "$lt", Value: agg + "0"},
	}}}, options.Find().SetSort(bson.D{{Key: "_id", Value: -1}}).SetLimit(1).SetProjection(sorted("v")))
	if err != nil || len(docs) == 0 {
		return 0, err
	}
	return uint64(bson.Raw(docs[0]).Lookup("v").AsInt64()), nil
}

func (e *mongodb) next(ctx context.Context, versions map[string]uint64) (map[string]bool, error) {
	ids := make([]string, 0, len(versions))
	for agg, v := range versions {
		ids = append(ids, commitID(agg, v))
	}
	docs, err := raws(ctx, e.commit, in("_id", ids), options.Find().SetProjection(sorted("a")))
	out := make(map[string]bool, len(docs))
	for _, d := range docs {
		agg, _ := bson.Raw(d).Lookup("a").StringValueOK()
		out[agg] = true
	}
	return out, err
}

func (e *mongodb) outdated(ctx context.Context, typ string, fold, limit int) ([]string, error) {
	docs, err := raws(ctx, e.snaps(typ), bson.D{{Key: "fo", Value: bson.D{{Key: "$lt", Value: fold}}}},
		options.Find().SetLimit(int64(limit)).SetProjection(sorted("_id")))
	out := make([]string, len(docs))
	for i, d := range docs {
		out[i], _ = bson.Raw(d).Lookup("_id").StringValueOK()
	}
	return out, err
}

// heads walks all commits by id, of each only what names it.
func (e *mongodb) heads(ctx context.Context, fn func(typ, agg string, version uint64) error) error {
	type head struct {
		ID      string `bson:"_id"`
		Type    string `bson:"t"`
		Agg     string `bson:"a"`
		Version int64  `bson:"v"`
	}
	const page = 10_000 // one cursor over everything would outlive its time limit
	var last head
	for {
		docs, err := raws(ctx, e.commit, bson.D{{Key: "_id", Value: bson.D{{Key: "$gt", Value: last.ID}}}},
			options.Find().SetSort(sorted("_id")).SetLimit(page).SetProjection(sorted("_id", "t", "a", "v")))
		if err != nil {
			return err
		}
		for _, doc := range docs {
			var h head
			if err := unmarshal(doc, &h); err != nil {
				return err
			}
			if last.Agg != "" && h.Agg != last.Agg {
				if err := fn(last.Type, last.Agg, uint64(last.Version)); err != nil {
					return err
				}
			}
			last = h
		}
		if len(docs) == page {
			continue
		}
		if last.Agg == "" {
			return nil
		}
		return fn(last.Type, last.Agg, uint64(last.Version))
	}
}

func (e *mongodb) causes(ctx context.Context, agg string, hashes [][16]byte) (map[[16]byte]uint64, error) {
	keys := make([]bson.Binary, len(hashes))
	for i, h := range hashes {
		keys[i] = binary16(h)
	}
	filter := append(bson.D{{Key: "a", Value: agg}}, in("c", keys)...)
	docs, err := raws(ctx, e.commit, filter, options.Find().SetProjection(sorted("v", "c")))
	if err != nil {
		return nil, err
	}
	out := map[[16]byte]uint64{}
	for _, d := range docs {
		var c struct {
			Version int64         `bson:"v"`
			Causes  []bson.Binary `bson:"c"`
		}
		if err := unmarshal(d, &c); err != nil {
			return nil, err
		}
		for _, b := range c.Causes {
			for _, h := range hashes {
				if string(b.Data) == string(h[:]) {
					out[h] = max(out[h], uint64(c.Version)) // a refusal may have been decided anew
				}
			}
		}
	}
	return out, nil
}

func (e *mongodb) list(ctx context.Context, typ string, q listQuery) ([][]byte, error) {
	filter := bson.D{{Key: "t", Value: q.tenant}}
	if q.index != "" {
		filter = append(filter, bson.E{Key: "x." + q.index, Value: q.key})
	}
	if q.after != "" {
		filter = append(filter, bson.E{Key: "$or", Value: bson.A{
			bson.D{{Key: "c", Value: bson.D{{Key: "$gt", Value: q.created}}}},
			bson.D{{Key: "c", Value: q.created}, {Key: "_id", Value: bson.D{{Key: "$gt", Value: q.after}}}},
		}})
	}
	return raws(ctx, e.snaps(typ), filter, options.Find().SetSort(sorted("c", "_id")).SetLimit(int64(q.limit)))
}

func (e *mongodb) due(ctx context.Context, typ, index, upTo string, limit int) ([]Ref, error) {
	docs, err := dueDocs(ctx, e.snaps(typ), index, upTo, limit, true)
	out := make([]Ref, len(docs))
	for i, d := range docs {
		id, _ := bson.Raw(d).Lookup("_id").StringValueOK()
		out[i].Tenant, out[i].ID = splitKey(id)
	}
	return out, err
}

// dueDocs returns documents whose key in an index is at most upTo, by key.
func dueDocs(ctx context.Context, c *mongo.Collection, index, upTo string, limit int, onlyID bool) ([][]byte, error) {
	opt := options.Find().SetSort(sorted("x."+index, "_id")).SetLimit(int64(limit))
	if onlyID {
		opt.SetProjection(sorted("_id"))
	}
	return raws(ctx, c, bson.D{{Key: "x." + index, Value: bson.D{{Key: "$lte", Value: upTo}}}}, opt)
}

func (e *mongodb) scan(ctx context.Context, typ, after string, limit int) ([][]byte, error) {
	return raws(ctx, e.snaps(typ), bson.D{{Key: "_id", Value: bson.D{{Key: "$gt", Value: after}}}},
		options.Find().SetSort(sorted("_id")).SetLimit(int64(limit)))
}
