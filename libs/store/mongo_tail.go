package store

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// Codes by which the server says that a position is no longer in the oplog.
var lostCodes = []int{286, 280, 260, 136}

// everything is asked for, though commits are only inserted: the server looks at each entry of
// its log for each stream, and every condition is one more look.
var everything = mongo.Pipeline{}

// watch opens the change stream of the commits; from "" starts now.
func (e *mongodb) watch(ctx context.Context, from Position) (*mongo.ChangeStream, error) {
	opt := options.ChangeStream().SetMaxAwaitTime(time.Second).SetBatchSize(500)
	if from != "" {
		token, err := base64.RawURLEncoding.DecodeString(string(from))
		if err != nil || bson.Raw(token).Validate() != nil {
			return nil, fmt.Errorf("%w: %q is no position of this engine", ErrPositionLost, from)
		}
		opt.SetStartAfter(bson.Raw(token))
	}
	cs, err := e.commit.Watch(ctx, everything, opt)
	return cs, lost(err)
}

func lost(err error) error {
	var se mongo.ServerError
	if errors.As(err, &se) {
		for _, code := range lostCodes {
			if se.HasErrorCode(code) {
				return fmt.Errorf("%w: %w", ErrPositionLost, err)
			}
		}
	}
	return err
}

func position(token bson.Raw) Position { return Position(base64.RawURLEncoding.EncodeToString(token)) }

func (e *mongodb) end(ctx context.Context) (Position, error) {
	cs, err := e.watch(ctx, "")
	if err != nil {
		return "", err
	}
	// The first, empty answer carries the token of the moment.
	for cs.ResumeToken() == nil {
		if cs.TryNext(ctx); cs.Err() != nil {
			return "", errors.Join(cs.Err(), cs.Close(ctx))
		}
	}
	return position(cs.ResumeToken()), cs.Close(ctx)
}

func (e *mongodb) tail(ctx context.Context, from Position, fn func([]byte, Position) error, rest func(Position) error) error {
	if from == "" {
		var begin struct {
			Position string `bson:"p"`
		}
		if err := e.records.FindOne(ctx, bson.D{{Key: "_id", Value: "begin"}}).Decode(&begin); err != nil {
			return err
		}
		from = Position(begin.Position)
	}
	cs, err := e.watch(ctx, from)
	if err != nil {
		return err
	}
	defer func() { _ = cs.Close(context.WithoutCancel(ctx)) }() // a cursor: nothing to lose
	for ctx.Err() == nil {
		// Not Next: under the client's time limit it gives up a stream that is merely idle.
		if !cs.TryNext(ctx) {
			if err := cs.Err(); err != nil && ctx.Err() == nil {
				return lost(err)
			}
			if token := cs.ResumeToken(); token != nil {
				if err := rest(position(token)); err != nil {
					return err
				}
			}
			continue
		}
		var ev struct {
			Op  string   `bson:"operationType"`
			Doc bson.Raw `bson:"fullDocument"`
		}
		if err := cs.Decode(&ev); err != nil {
			return err
		}
		switch ev.Op {
		case "insert":
		case "drop", "rename", "dropDatabase", "invalidate":
			return fmt.Errorf("%w: the commits were replaced (%s)", ErrPositionLost, ev.Op)
		default:
			continue
		}
		if err := fn(ev.Doc, position(cs.ResumeToken())); err != nil {
			return err
		}
	}
	return ctx.Err()
}
