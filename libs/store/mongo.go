package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/event"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"
	"go.mongodb.org/mongo-driver/v2/mongo/readpref"
)

// mongodb is the engine of a deployment: a replica set, every write acknowledged by a
// journaled majority, every read of an aggregate majority-committed. Order is the change
// stream's.
type mongodb struct {
	client  *mongo.Client
	db      *mongo.Database
	commit  *mongo.Collection
	records *mongo.Collection // where the stream of commits begins
	log     func(collection string, documents int)
}

// Times of one operation. The engine's own, for no caller's deadline may leave a write half told.
const (
	mongoOpTime      = 10 * time.Second
	mongoPoolSize    = 64
	mongoSelectTime  = 5 * time.Second
	wantOplogHours   = 24
	duplicateKeyCode = 11000
	mongoIndexTime   = time.Hour // an index that a release adds to what is there already
)

func openMongo(ctx context.Context, cfg Config, opt Options) (engine, error) {
	var primaries elections
	client, err := mongo.Connect(options.Client().ApplyURI(cfg.URI).SetMonitor(opt.commands).
		SetServerMonitor(&event.ServerMonitor{TopologyDescriptionChanged: primaries.heard}).
		SetWriteConcern(durable()).
		SetReadConcern(readconcern.Majority()).
		SetReadPreference(readpref.Primary()).
		SetRetryWrites(true).SetRetryReads(true).
		SetMaxPoolSize(mongoPoolSize).
		SetServerSelectionTimeout(mongoSelectTime).
		SetTimeout(mongoOpTime).
		SetRegistry(registry))
	if err != nil {
		return nil, fmt.Errorf("mongodb: %w", err)
	}
	e := &mongodb{client: client, db: client.Database(cfg.Database), log: opt.Monitor}
	if e.log == nil {
		e.log = func(string, int) {}
	}
	e.commit, e.records = e.db.Collection("commits"), e.db.Collection("records")
	if err := steady(ctx, func() error { return e.prepare(ctx, opt) }); err != nil {
		return nil, errors.Join(err, client.Disconnect(context.WithoutCancel(ctx)))
	}
	return newElected(e, &primaries), nil
}

// prepare refuses a server that could lose acknowledged writes, makes the indexes and
// fixes where the stream of commits begins, before the first commit.
func (e *mongodb) prepare(ctx context.Context, opt Options) error {
	var hello struct {
		SetName string `bson:"setName"`
		Msg     string `bson:"msg"`
	}
	if err := e.client.Database("admin").RunCommand(ctx, bson.D{{Key: "hello", Value: 1}}).Decode(&hello); err != nil {
		return fmt.Errorf("mongodb: %w", err)
	}
	if hello.SetName == "" && hello.Msg != "isdbgrid" {
		return errors.New("mongodb: a standalone mongod loses acknowledged writes when it is killed; run it as a replica set, of one node at least")
	}
	if hello.SetName != "" { // a router has no oplog
		e.checkOplog(ctx, opt.Log)
	}
	err := index(ctx, e.commit, mongo.IndexModel{
		Keys: bson.D{{Key: "a", Value: 1}, {Key: "c", Value: 1}}, Options: options.Index().SetName("cause"),
	})
	if err != nil {
		return fmt.Errorf("mongodb: %w", err)
	}
	return e.begin(ctx)
}

// checkOplog warns when the server may drop what a relay that stands still for a day needs.
func (e *mongodb) checkOplog(ctx context.Context, log *slog.Logger) {
	var status struct {
		Oplog struct {
			Hours float64 `bson:"oplogMinRetentionHours"`
		} `bson:"oplogTruncation"`
	}
	ask := bson.D{{Key: "serverStatus", Value: 1}, {Key: "oplogTruncation", Value: 1}}
	switch err := e.client.Database("admin").RunCommand(ctx, ask).Decode(&status); {
	case err != nil:
		log.Warn("whether the oplog keeps a day cannot be seen; the role clusterMonitor shows it", "error", err)
	case status.Oplog.Hours < wantOplogHours:
		log.Warn("the oplog may not keep a day: set oplogMinRetentionHours to 24", "hours", status.Oplog.Hours)
	}
}

// begin stores the position before the first commit, once.
func (e *mongodb) begin(ctx context.Context) error {
	err := e.records.FindOne(ctx, bson.D{{Key: "_id", Value: "begin"}}).Err()
	if !errors.Is(err, mongo.ErrNoDocuments) {
		return err
	}
	pos, err := e.end(ctx)
	if err != nil {
		return err
	}
	_, err = e.records.InsertOne(ctx, bson.D{{Key: "_id", Value: "begin"}, {Key: "p", Value: string(pos)}})
	if mongo.IsDuplicateKeyError(err) {
		return nil // another process was first, and no later than us
	}
	return err
}

// insert appends commits in one unordered bulk.
func (e *mongodb) insert(ctx context.Context, ws []*write) {
	docs := make([]any, len(ws))
	for i, w := range ws {
		docs[i], w.result = bson.Raw(w.bytes), nil
	}
	_, err := e.commit.InsertMany(ctx, docs, options.InsertMany().SetOrdered(false))
	e.log("commits", len(ws))
	if err == nil {
		return
	}
	var bulk mongo.BulkWriteException
	if !errors.As(err, &bulk) || bulk.WriteConcernError != nil {
		for _, w := range ws { // what was stored and stays stored is unknown
			w.result = err
		}
		bulk.WriteErrors = onlyTaken(err)
	}
	for _, we := range bulk.WriteErrors {
		if we.Code == duplicateKeyCode {
			ws[we.Index].result = errTaken
		} else {
			ws[we.Index].result = we
		}
	}
}

// onlyTaken returns the versions that are taken for certain among outcomes that are not known.
func onlyTaken(err error) []mongo.BulkWriteError {
	var bulk mongo.BulkWriteException
	if !errors.As(err, &bulk) {
		return nil
	}
	var out []mongo.BulkWriteError
	for _, we := range bulk.WriteErrors {
		if we.Code == duplicateKeyCode {
			out = append(out, we)
		}
	}
	return out
}

// session makes reads of its context see at least what earlier writes in it met.
func (e *mongodb) session(ctx context.Context) (context.Context, func()) {
	s, err := e.client.StartSession(options.Session().SetCausalConsistency(true))
	if err != nil {
		return ctx, func() {} // reads are majority all the same; a taken version may just be met again
	}
	return mongo.NewSessionContext(ctx, s), func() { s.EndSession(context.WithoutCancel(ctx)) }
}

// try counts up. Two that begin the count at once meet on the server, which then answers.
func (e *mongodb) try(ctx context.Context) error {
	_, err := e.records.UpdateOne(ctx, bson.D{{Key: "_id", Value: "try"}}, bson.D{{Key: "$inc", Value: bson.D{{Key: "n", Value: int64(1)}}}},
		options.UpdateOne().SetUpsert(true))
	if mongo.IsDuplicateKeyError(err) {
		return errTaken
	}
	return err
}

func (e *mongodb) together() bool        { return false }
func (e *mongodb) exclusive() bool       { return false }
func (e *mongodb) failure() <-chan error { return nil }

func (e *mongodb) close(ctx context.Context) error { return e.client.Disconnect(ctx) }

// snaps is the collection of a type's snapshots.
func (e *mongodb) snaps(typ string) *mongo.Collection { return e.db.Collection(stateName(typ)) }

// declare makes the list index and the due index of each declared one.
func (e *mongodb) declare(ctx context.Context, typ string, indexes []string) error {
	models := []mongo.IndexModel{{Keys: bson.D{{Key: "t", Value: 1}, {Key: "c", Value: 1}, {Key: "_id", Value: 1}}}, {Keys: bson.D{{Key: "fo", Value: 1}}}}
	for _, name := range indexes {
		x := "x." + name
		models = append(models,
			mongo.IndexModel{Keys: bson.D{{Key: "t", Value: 1}, {Key: x, Value: 1}, {Key: "c", Value: 1}, {Key: "_id", Value: 1}}},
			mongo.IndexModel{Keys: bson.D{{Key: x, Value: 1}, {Key: "_id", Value: 1}}, Options: options.Index().SetSparse(true)})
	}
	return index(ctx, e.snaps(typ), models...)
}

// index makes the indexes that are not there yet, which takes as long as the documents are many.
func index(ctx context.Context, c *mongo.Collection, models ...mongo.IndexModel) error {
	ctx, cancel := context.WithTimeout(ctx, mongoIndexTime)
	defer cancel()
	return steady(ctx, func() error {
		_, err := c.Indexes().CreateMany(ctx, models)
		return err
	})
}

// save upserts snapshots where the stored one is older. The condition is in the update, not
// in the filter: a filter of the id alone takes the server's short way, and only what differs
// goes into its log.
func (e *mongodb) save(ctx context.Context, typ string, snaps []*snapDoc) error {
	models := make([]mongo.WriteModel, len(snaps))
	for i, s := range snaps {
		older := bson.D{{Key: "$or", Value: bson.A{
			bson.D{{Key: "$lt", Value: bson.A{"$fo", s.Fold}}}, // so is a field that is not there
			bson.D{{Key: "$and", Value: bson.A{
				bson.D{{Key: "$eq", Value: bson.A{"$fo", s.Fold}}}, bson.D{{Key: "$lt", Value: bson.A{"$v", s.Version}}},
			}}},
		}}}
		models[i] = mongo.NewUpdateOneModel().SetFilter(bson.D{{Key: "_id", Value: s.ID}}).SetUpsert(true).
			SetUpdate(bson.A{bson.D{{Key: "$replaceWith", Value: bson.D{{Key: "$cond", Value: bson.A{
				older, bson.D{{Key: "$literal", Value: s}}, "$$ROOT",
			}}}}}})
	}
	_, err := e.snaps(typ).BulkWrite(ctx, models, options.BulkWrite().SetOrdered(false))
	e.log(stateName(typ), len(snaps))
	return exceptTaken(err)
}

func (e *mongodb) replace(ctx context.Context, typ string, s *snapDoc) error {
	_, err := e.snaps(typ).ReplaceOne(ctx, bson.D{
		{Key: "_id", Value: s.ID}, {Key: "v", Value: bson.D{{Key: "$lte", Value: s.Version}}}, {Key: "fo", Value: bson.D{{Key: "$lte", Value: s.Fold}}},
	}, s, options.Replace().SetUpsert(true))
	e.log(stateName(typ), 1)
	if mongo.IsDuplicateKeyError(err) {
		return nil // a newer one is there
	}
	return err
}

// exceptTaken forgets duplicate keys of an unordered bulk.
func exceptTaken(err error) error {
	var bulk mongo.BulkWriteException
	if !errors.As(err, &bulk) || bulk.WriteConcernError != nil {
		return err
	}
	for _, we := range bulk.WriteErrors {
		if we.Code != duplicateKeyCode {
			return err
		}
	}
	return nil
}
