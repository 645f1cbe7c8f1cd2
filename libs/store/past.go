package store

import (
	"context"

	"github.com/lockstep-logistics/lockstep/libs/fault"
)

// Past returns the whole history of an aggregate of the context's tenant, as Load takes it:
// loaded into another database it makes the same commits, to the byte.
func (c *Collection[S, F]) Past(ctx context.Context, id string) (Past[F], error) {
	p := Past[F]{ID: id}
	agg, err := c.key(ctx, id)
	if err != nil {
		return p, err
	}
	tenant, _ := splitKey(agg)
	for l := new(loaded[S]); ; {
		docs, err := c.db.engine.commits(ctx, agg, l.version+1, foldAtOnce)
		if err != nil {
			return p, unavailable(err)
		}
		for _, doc := range docs {
			if l, err = c.fold(l, doc); err != nil { // as every reader does: a broken history has no past
				return p, unavailable(err)
			}
			if p.Steps, err = c.steps(p.Steps, tenant, doc); err != nil {
				return p, unavailable(err)
			}
		}
		switch {
		case l.version == 0:
			return p, fault.New(fault.NotFound, "NOT_FOUND", "no %s %s", c.t.Name, id)
		case len(docs) < foldAtOnce:
			return p, nil
		}
	}
}

// steps appends the commands of a stored commit.
func (c *Collection[S, F]) steps(to []Step[F], tenant string, doc []byte) ([]Step[F], error) {
	d, err := readCommit(doc)
	if err != nil {
		return nil, err
	}
	facts, err := c.decodeFacts(d)
	if err != nil {
		return nil, err
	}
	first := len(to)
	for i, r := range d.Receipts {
		s := Step[F]{Cause: r.cause(tenant), Recorded: fromMicros(d.At), Joined: i > 0}
		s.Cause.Fingerprint = r.Fingerprint
		if r.Refusal != nil {
			s.Refusal = r.Refusal.fault()
		} else {
			s.State, s.Reasons, s.Created, s.Values = r.Answer.State, r.Answer.Reasons, r.Answer.Created, r.Answer.Values
		}
		to = append(to, s)
	}
	for i, f := range facts {
		of := &to[first+int(d.Facts[i].Receipt)]
		of.Facts = append(of.Facts, f)
	}
	return to, nil
}

// Past is Collection.Past for who does not have the Go types of the service's facts.
func (db *DB) Past(ctx context.Context, aggregateType, id string) (Past[RawFact], error) {
	t, err := db.typeOf(aggregateType)
	if err != nil {
		return Past[RawFact]{}, err
	}
	return t.pastRaw(ctx, id)
}

// Load is Collection.Load for who does not have the Go types of the service's facts: the door
// by which history of another system comes in. Facts are those of the service's contract,
// encoded; their own Cause is not looked at. The service's New declares the types.
func (db *DB) Load(ctx context.Context, aggregateType string, pasts []Past[RawFact]) error {
	t, err := db.typeOf(aggregateType)
	if err != nil {
		return err
	}
	return t.loadRaw(ctx, pasts)
}

func (c *Collection[S, F]) pastRaw(ctx context.Context, id string) (Past[RawFact], error) {
	p, err := c.Past(ctx, id)
	if err != nil {
		return Past[RawFact]{}, err
	}
	return recoded(p, func(f F) (RawFact, error) {
		name, data, err := c.t.Encode(f)
		return RawFact{Type: name, Data: data}, err
	})
}

func (c *Collection[S, F]) loadRaw(ctx context.Context, pasts []Past[RawFact]) error {
	typed := make([]Past[F], len(pasts))
	for i, p := range pasts {
		var err error
		if typed[i], err = recoded(p, func(f RawFact) (F, error) { return c.t.Decode(f.Type, f.Data) }); err != nil {
			return fault.New(fault.Invalid, "PAST_INVALID", "%s has a fact that cannot be read", p.ID).Wrap(err)
		}
	}
	return c.Load(ctx, typed)
}

// recoded is a past with its facts in another form.
func recoded[F, G any](p Past[F], code func(F) (G, error)) (Past[G], error) {
	out := Past[G]{ID: p.ID, Steps: make([]Step[G], len(p.Steps))}
	for i, s := range p.Steps {
		out.Steps[i] = Step[G]{Cause: s.Cause, Recorded: s.Recorded, Refusal: s.Refusal, Joined: s.Joined, Decision: Decision[G]{
			State: s.State, Reasons: s.Reasons, Created: s.Created, Values: s.Values,
		}}
		for _, f := range s.Facts {
			g, err := code(f)
			if err != nil {
				return out, err
			}
			out.Steps[i].Facts = append(out.Steps[i].Facts, g)
		}
	}
	return out, nil
}
