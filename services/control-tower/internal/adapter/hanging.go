package adapter

import (
	"cmp"
	"context"
	"encoding/base64"
	"math"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/store"
	controltowerv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/controltower/v1"
	"github.com/lockstep-logistics/lockstep/services/control-tower/internal/domain"
)

// book is what facts tell of the claims of one document.
type book struct {
	notes  []domain.ClaimNote
	claims domain.Claims
	steps  map[string]*controltowerv1.TraceStep // by fact id
}

// claimsOn returns a tracer that reads claims: all of them.
func claimsOn(rows store.Rows, tenant string) *tracer {
	return &tracer{rows: rows, tenant: tenant, limits: domain.Limits{Facts: math.MaxInt}}
}

// book reads the claims of a document.
func (t *tracer) book(ctx context.Context, document string) (book, error) {
	all, err := t.list(ctx, byClaims(document), func(domain.Fact) bool { return true })
	if err != nil {
		return book{}, err
	}
	b := book{steps: map[string]*controltowerv1.TraceStep{}}
	for i, f := range all.facts {
		b.steps[f.ID] = all.steps[i]
		for _, n := range notesOf(all.steps[i], f) {
			if n.Key.Document == document { // a row has others too
				b.notes = append(b.notes, n)
			}
		}
	}
	b.claims = domain.Judge(b.notes)
	return b, nil
}

// ListHangingClaims lists the claims that stand although they should not.
func (s *Server) ListHangingClaims(ctx context.Context, req *controltowerv1.ListHangingClaimsRequest) (*controltowerv1.ListHangingClaimsResponse, error) {
	from, err := positionOf(req.GetPageToken())
	if err != nil {
		return nil, err
	}
	now, older := s.clock.Now(), s.bounds.OlderThan
	if req.GetOlderThan() != nil {
		older = req.GetOlderThan().AsDuration()
	}
	t := claimsOn(s.rows, store.CauseOf(ctx).Tenant)
	suspects, err := t.suspects(ctx, from, now.Add(-older))
	if err != nil {
		return nil, err
	}
	size, found := pageSize(req), []hanging(nil)
	var next string
	for at := 0; at < len(suspects) && len(found) <= size; {
		if at >= s.judged {
			next = suspects[at-1].end().token()
			break
		}
		end := min(at+lookups, s.judged, len(suspects))
		more, err := t.hanging(ctx, suspects[at:end], from)
		if err != nil {
			return nil, err
		}
		found, at = append(found, more...), end
	}
	if len(found) > size {
		found = found[:size]
		last := found[size-1]
		next = position{last.Since, last.Key.String()}.token()
	}
	out := &controltowerv1.ListHangingClaimsResponse{NextPageToken: next, AsOfTime: protovalue.Time(now)}
	for _, h := range found {
		row, err := t.row(ctx, h, now)
		if err != nil {
			return nil, err
		}
		out.Claims = append(out.Claims, row)
	}
	return out, nil
}

// suspect is a document of which a fact, recorded at a time, asks for something that is not
// known to have come.
type suspect struct {
	at       time.Time
	document string
}

// end is behind all claims of the document that hang since then.
func (s suspect) end() position {
	return position{s.at, domain.ClaimKey{Document: s.document}.Prefix() + "~"}
}

// suspects are those that may have claims between a position and a time, in order. Rows lie by
// the first fact in them, so none after that time is read.
func (t *tracer) suspects(ctx context.Context, from position, to time.Time) ([]suspect, error) {
	var out []suspect
	for after := ""; ; {
		rows, err := t.rows.List(ctx, t.tenant, index, owing, after, pageOfRows)
		if err != nil {
			return nil, err
		}
		past := false
		for _, row := range rows {
			if after = row.ID; row.ID > factRow+store.TimeKey(to)+"0" { // '0' follows '/'
				past = true
				break
			}
			of, err := t.unpacked(row)
			if err != nil {
				return nil, err
			}
			for _, n := range of.owing(row) {
				if is := (suspect{n.Fact.Recorded, n.Key.Document}); from.compare(is.end()) < 0 && !is.at.After(to) {
					out = append(out, is)
				}
			}
		}
		if past || len(rows) < pageOfRows {
			slices.SortFunc(out, func(a, b suspect) int { return a.end().compare(b.end()) })
			return slices.CompactFunc(out, func(a, b suspect) bool { return a.end().compare(b.end()) == 0 }), nil
		}
	}
}

// owing are the notes of a row that ask for something.
func (f found) owing(row store.Row) []domain.ClaimNote {
	var out []domain.ClaimNote
	for i, fact := range f.facts {
		for _, n := range notesOf(f.steps[i], fact) {
			if n.Effect.Owing() || n.Effect == domain.Made && strings.HasSuffix(row.ID, madeAgain) {
				out = append(out, n)
			}
		}
	}
	return out
}

// hanging is a claim with what is told of its document.
type hanging struct {
	domain.HangingClaim
	book book
}

// hanging returns the claims that hang since the suspects' times, after a position, in order.
func (t *tracer) hanging(ctx context.Context, suspects []suspect, from position) ([]hanging, error) {
	books := make([]book, len(suspects))
	group, inside := errgroup.WithContext(ctx)
	group.SetLimit(lookups)
	for i, s := range suspects {
		group.Go(func() (err error) {
			books[i], err = t.book(inside, s.document)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	var out []hanging
	for i, b := range books {
		for _, h := range b.claims.Hanging() {
			if h.Since.Equal(suspects[i].at) && from.compare(position{h.Since, h.Key.String()}) < 0 {
				out = append(out, hanging{h, b})
			}
		}
	}
	slices.SortFunc(out, func(a, b hanging) int { return domain.CompareHanging(a.HangingClaim, b.HangingClaim) })
	return out, nil
}

// states are how a document stands by what it did last to the claim.
var states = map[domain.Effect]controltowerv1.ClaimDocumentState{
	domain.Requested: controltowerv1.ClaimDocumentState_CLAIM_DOCUMENT_STATE_OPEN,
	domain.Refused:   controltowerv1.ClaimDocumentState_CLAIM_DOCUMENT_STATE_DECIDED,
	domain.Closed:    controltowerv1.ClaimDocumentState_CLAIM_DOCUMENT_STATE_CLOSED,
}

func (t *tracer) row(ctx context.Context, h hanging, now time.Time) (*controltowerv1.HangingClaim, error) {
	out := &controltowerv1.HangingClaim{
		ClaimKey: h.Key.String(), Attempt: int32(h.Key.Attempt), Target: aggregateProto(h.Target), Document: aggregateProto(h.Document),
		ClaimedTime: protovalue.Time(h.Made), SinceTime: protovalue.Time(h.Since), Age: durationpb.New(now.Sub(h.Since)),
		DocumentState: states[h.Effect], EventId: h.EventID,
	}
	if h.Held.Unit != "" {
		out.Quantity = protovalue.Quantity(h.Held)
	}
	var err error
	out.DocumentNumber, err = t.numberOf(ctx, h)
	return out, err
}

// numberOf is what people call the document: a number of its kind that one of its facts names.
func (t *tracer) numberOf(ctx context.Context, h hanging) (string, error) {
	own := domain.OfAggregate(h.Key.Document)
	kind := cmp.Or(map[domain.KeyType]domain.KeyType{domain.Order: "ORDER_NUMBER"}[own.Type], own.Type)
	in := func(s *controltowerv1.TraceStep) string {
		for _, b := range s.GetKeys() {
			if k := keyOf(b); s.GetSource().GetAggregateId() == own.Value && k.Type == kind && k.Role() == domain.Name {
				return k.Value
			}
		}
		return ""
	}
	for _, s := range h.book.steps {
		if number := in(s); number != "" {
			return number, nil
		}
	}
	rest, err := t.list(ctx, byAggregate(own.Value), func(domain.Fact) bool { return true }) // an invoice's own facts
	for _, s := range rest.steps {
		if number := in(s); number != "" {
			return number, err
		}
	}
	return "", err
}

func aggregateProto(a domain.Aggregate) *controltowerv1.SourceAggregate {
	if a.ID == "" {
		return nil
	}
	return &controltowerv1.SourceAggregate{Service: a.Service, AggregateType: a.Type, AggregateId: a.ID}
}

// position is the last claim of a page. Its token names no more than that.
type position struct {
	since time.Time
	key   string
}

func (p position) compare(q position) int {
	return cmp.Or(p.since.Compare(q.since), strings.Compare(p.key, q.key))
}

func (p position) token() string { return token(store.TimeKey(p.since) + "/" + p.key) }

func positionOf(token string) (position, error) {
	if token == "" {
		return position{}, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return position{}, tokenInvalid()
	}
	since, key, found := strings.Cut(string(raw), "/")
	at, err := time.Parse(timeKey, since)
	if err != nil || !found {
		return position{}, tokenInvalid()
	}
	return position{at, key}, nil
}

// timeKey is the form of store.TimeKey.
const timeKey = "20060102T150405.000000Z"
