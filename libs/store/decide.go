package store

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
)

// errAgain says that a round must be decided again, on the base it now has.
var errAgain = errors.New("decide again")

// made is what the commands of a round came to: the commit, the state after it, and the
// answers that are given once it is durable.
type made[S, F any] struct {
	doc     *commitDoc
	next    *loaded[S]
	bytes   int
	answers []pendingAnswer[S, F]
	loose   []pendingAnswer[S, F] // answers that no commit proves
}

type pendingAnswer[S, F any] struct {
	r    *request[S, F]
	rec  Receipt
	err  error
	from *receiptDoc // receipt of this commit that it is answered from, once that is sealed
}

func (m *made[S, F]) answer() {
	for _, a := range m.answers {
		if a.from != nil && a.from.Answer != nil {
			replayed := a.rec.Replayed
			a.rec = *a.from.Answer
			a.rec.Replayed = replayed
		}
		a.r.answer(a.rec, a.err)
	}
}

// decide runs a round's commands one after another on the evolving state and prepares the
// commit. What needs no commit is answered here, but only from a base that was read whole:
// absence, unlike presence, has to be proven.
func (c *Collection[S, F]) decide(ctx context.Context, r *round[S, F]) error {
	r.write, r.made = nil, nil
	old, err := c.prior(ctx, r)
	if err != nil {
		return err
	}
	m := c.begin(r.line.agg, r.base, max(micros(c.db.opt.Clock.Now()), r.base.updated))
	for i, req := range r.requests {
		if !c.one(m, r, req, old) {
			c.queue.back(r.line, r.requests[i:])
			r.requests = r.requests[:i]
			break
		}
	}
	switch {
	case len(m.loose) == 0:
	case m.commits(): // which proves the base of all
		m.answers, m.loose = append(m.answers, m.loose...), nil
	case !r.fresh:
		if r.base, err = c.full(ctx, r.line.agg); err != nil {
			return err
		}
		r.fresh = true
		return errAgain
	}
	r.made = m
	r.requests = r.requests[:0:0]
	for _, a := range m.answers {
		r.requests = append(r.requests, a.r)
	}
	for _, a := range m.loose {
		a.r.answer(a.rec, a.err)
	}
	if !m.commits() {
		m.answer() // replays only: proven by the commits they were found in
		return nil
	}
	r.write, err = c.seal(m)
	return err
}

// begin starts the commit that follows base.
func (c *Collection[S, F]) begin(agg string, base *loaded[S], at int64) *made[S, F] {
	return &made[S, F]{
		next: &loaded[S]{header: base.header, state: base.state},
		doc: &commitDoc{
			Type: c.t.Name, Agg: agg, Version: int64(base.version) + 1, Parent: base.parent,
			Prev: int64(base.prev), At: at, Writer: writerVersion,
		},
	}
}

// seal finishes a commit, and its snapshot where the engine writes them together.
func (c *Collection[S, F]) seal(m *made[S, F]) (*write, error) {
	m.doc.ID = commitID(m.doc.Agg, uint64(m.doc.Version))
	m.tag()
	for _, receipt := range m.doc.Receipts {
		m.doc.Causes = append(m.doc.Causes, receipt.Hash)
		m.next.push(receipt, uint64(m.doc.Version), m.doc.At)
	}
	m.next.advance(m.doc, nil)
	if m.doc.Version%baseEvery == 0 {
		base, err := c.snapshot(m.doc.Agg, m.next)
		if err != nil {
			return nil, err
		}
		base.Parent = 0 // the hash of this commit: known once it is read
		if m.doc.Base, err = marshal(base); err != nil {
			return nil, err
		}
	}
	bytes, err := marshal(m.doc)
	if err != nil {
		return nil, fmt.Errorf("commit of %s cannot be written: %w", m.doc.Agg, err)
	}
	m.next.parent = chain(bytes)
	w := &write{doc: m.doc, bytes: bytes, typ: c.t.Name}
	if c.db.engine.together() {
		if w.snap, err = c.snapshot(m.doc.Agg, m.next); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// tag answers each command with the tag of the state that it left, which is the version that
// last had facts. What later commands of the commit changed has a tag that no state has.
func (m *made[S, F]) tag() {
	after, changed := uint64(m.doc.Prev), 0
	if n := len(m.doc.Facts); n > 0 {
		after, changed = uint64(m.doc.Version), int(m.doc.Facts[n-1].Receipt)
	}
	for i, receipt := range m.doc.Receipts {
		switch {
		case receipt.Answer == nil:
		case i < changed:
			receipt.Answer.ETag = fmt.Sprintf("%d:%d", m.doc.Version, i)
		default:
			receipt.Answer.ETag = etag(after)
		}
	}
}

// one decides one command on the state that the commands before it made; false says that its
// facts do not fit into this commit, and it has to wait for the next.
func (c *Collection[S, F]) one(m *made[S, F], r *round[S, F], req *request[S, F], old map[[16]byte]*receiptDoc) (fits bool) {
	give := func(rec Receipt, err error) {
		m.answers = append(m.answers, pendingAnswer[S, F]{r: req, rec: rec, err: err})
	}
	loose := func(rec Receipt, err error) {
		m.loose = append(m.loose, pendingAnswer[S, F]{r: req, rec: rec, err: err})
	}
	if req.ctx.Err() != nil {
		give(Receipt{}, fault.New(fault.Deadline, "DEADLINE", "time ran out before the command was decided"))
		return true
	}
	if prior, ok := old[req.scope]; ok && (prior.Refusal == nil || !req.cause.Anew) {
		give(replay(prior, req.cause))
		return true
	}
	if prior := m.receipt(req.scope); prior != nil {
		rec, err := replay(prior, req.cause)
		give(rec, err)
		if err == nil {
			m.answers[len(m.answers)-1].from = prior
		}
		return true
	}
	if err := matches(req.cause.IfMatch, r.base, m); err != nil {
		loose(Receipt{}, err) // the version that it names may be newer than the copy
		return true
	}
	_, id := splitKey(r.line.agg)
	rec := Receipt{ID: id, ETag: etag(uint64(m.doc.Version))}
	d, err := c.ask(req, Current[S]{
		State: m.next.state, ID: id, Tenant: req.cause.Tenant, Version: standing(r.base, m),
		Now: fromMicros(m.doc.At), Created: fromMicros(created(r.base, m)),
	})
	refused, _ := fault.As(err)
	exists := standing(r.base, m) > 0
	switch {
	case err != nil && (refused == nil || !refused.Recorded() || !exists):
		loose(Receipt{}, err)
		return true
	case err == nil && req.cause.Validate, err == nil && !exists && len(d.Facts) == 0:
		rec.State, rec.Reasons, rec.Created, rec.Values = d.State, d.Reasons, d.Created, d.Values
		if !exists {
			rec.ETag = ""
		}
		loose(rec, nil)
		return true
	case err != nil && req.cause.Validate:
		loose(Receipt{}, err)
		return true
	}
	stored := receiptOf(req)
	if err != nil {
		stored.Refusal = refusalOf(refused)
	} else {
		rec.State, rec.Reasons, rec.Created, rec.Values = d.State, d.Reasons, d.Created, d.Values
		stored.Answer = &rec
	}
	switch err := c.append(m, d.Facts, stored); {
	case errors.Is(err, errFull):
		return false
	case err != nil:
		give(Receipt{}, err)
		return true
	}
	if refused != nil {
		give(Receipt{}, refused)
		return true
	}
	give(rec, nil)
	m.answers[len(m.answers)-1].from = stored
	return true
}

// standing is the version as the command sees it: what earlier commands of this commit
// made counts as existing.
func standing[S, F any](base *loaded[S], m *made[S, F]) uint64 {
	if len(m.doc.Facts) > 0 {
		return uint64(m.doc.Version)
	}
	return base.version
}

func created[S, F any](base *loaded[S], m *made[S, F]) int64 {
	if base.version > 0 {
		return base.created
	}
	if len(m.doc.Facts) > 0 {
		return m.doc.At
	}
	return micros(time.Time{})
}

// ask runs the domain's decision; a panic is that command's defect and leaves no trace.
func (c *Collection[S, F]) ask(req *request[S, F], cur Current[S]) (d Decision[F], err error) {
	defer func() {
		if p := recover(); p != nil {
			c.db.opt.Log.Error("decision panicked", "aggregate", cur.ID, "panic", p, "stack", string(debug.Stack()))
			err = fault.New(fault.Internal, "DECISION_PANICKED", "the decision on %s panicked: %v", cur.ID, p)
		}
	}()
	return req.decide(cur)
}

// maxReceipt bounds an answer, so that replaying it is cheap for ever.
const maxReceipt = 2 << 10

// errFull says that a command's facts are too much for a commit that already has some.
var errFull = errors.New("the commit is full")

// append adds a command's facts and receipt to the commit.
func (c *Collection[S, F]) append(m *made[S, F], facts []F, stored *receiptDoc) error {
	if stored.Answer != nil {
		if b, err := marshal(stored.Answer); err != nil || len(b) > maxReceipt {
			return fault.New(fault.Internal, "RECEIPT_TOO_LARGE", "the answer takes %d bytes, %d are allowed", len(b), maxReceipt)
		}
	}
	docs, size := make([]factDoc, len(facts)), 0
	for i, f := range facts {
		name, data, err := c.t.Encode(f)
		if err != nil {
			return fault.New(fault.Internal, "FACT_UNWRITABLE", "fact %T cannot be written", f).Wrap(err)
		}
		docs[i] = factDoc{Type: name, Data: data, Receipt: int32(len(m.doc.Receipts))}
		size += len(name) + len(data)
	}
	if size > maxFactBytes {
		return fault.New(fault.TooLarge, "COMMIT_TOO_LARGE", "the facts take %d bytes, %d are allowed", size, maxFactBytes)
	}
	if m.bytes > 0 && m.bytes+size > maxFactBytes {
		return errFull
	}
	m.bytes += size
	m.doc.Facts, m.doc.Receipts = append(m.doc.Facts, docs...), append(m.doc.Receipts, stored)
	for _, f := range facts {
		m.next.state = c.t.Evolve(m.next.state, f)
	}
	return nil
}

func receiptOf[S, F any](req *request[S, F]) *receiptDoc {
	c := req.cause
	d := &receiptDoc{
		Hash: binary16(req.scope), Key: c.Key, Derived: c.Derived, Fingerprint: c.Fingerprint, Principal: c.Principal,
		Correlation: c.Correlation, Causation: c.Causation, Source: c.Source, TraceParent: c.TraceParent,
	}
	if c.Derived {
		d.KeyTime = micros(c.KeyTime)
	}
	return d
}

// matches checks If-Match: the version that last had facts, so that a refusal, which changes
// nothing, takes nobody's tag away. The receipt of a command that others of its commit came
// after names "version:index", which no state matches.
func matches[S, F any](want string, base *loaded[S], m *made[S, F]) error {
	if want == "" {
		return nil
	}
	got := etag(base.prev)
	if want == got && len(m.doc.Facts) == 0 {
		return nil
	}
	return fault.New(fault.Stale, "ETAG_MISMATCH", "the etag is %s, not %s", got, want).With("etag", got)
}
