package adapter

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/bus"
	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/store"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	controltowerv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/controltower/v1"
	"github.com/lockstep-logistics/lockstep/services/control-tower/internal/domain"
)

// The table holds two kinds of row. A row of facts ("f/…") has those that were written
// together; it is found by the index under the normal form of every key that one of them
// carries and, where a walk may ask for that, under its aggregate; and under the documents of
// the claims that it speaks of. A number that somebody may search for ("k/…") has an id that
// begins with its normal form, so that a prefix is a range.
const (
	index   = "k"
	factRow = "f/"
	keyRow  = "k/"
)

// owing is the index key of rows with a fact whose consequence for a claim is not known to have
// come. Settle takes it off.
const owing = "o:"

// Fold is raised when what a row holds changes its meaning: the recorders then begin anew
// under new names and write a table of its own.
const Fold = 2

var table = fmt.Sprintf("trace_%d", Fold)

// Bounds of a row: packing spares writes, but a reader of one fact reads its whole row.
const (
	factsPerRow = 32
	bytesPerRow = 32 << 10
)

// keyLength bounds what is indexed of a key; the whole key is compared when it is found.
const keyLength = 128

func byKey(normal string) string { return "n:" + clipped(normal) }

func byAggregate(id string) string { return "a:" + id }

func byClaims(document string) string { return "c:" + clipped(document) }

func clipped(s string) string {
	if len(s) <= keyLength {
		return s
	}
	return strings.ToValidUTF8(s[:keyLength], "")
}

// opaqueStep renders what can be told of any fact, also of one that cannot be read.
func opaqueStep(f bus.Fact) *controltowerv1.TraceStep {
	return &controltowerv1.TraceStep{
		EventId:       f.ID,
		Source:        &controltowerv1.SourceAggregate{Service: f.Service, AggregateType: f.AggregateType, AggregateId: f.AggregateID},
		Type:          f.Type,
		EventTime:     protovalue.Time(f.Source.EventTime),
		RecordedTime:  protovalue.Time(f.Recorded),
		Principal:     f.Principal,
		SourceSystem:  f.Source.System,
		CorrelationId: f.Correlation, CausationId: f.Causation, SourceMessageId: f.Source.MessageID,
		Opaque: true,
	}
}

// step renders a fact for its row.
func step(f bus.Fact) *controltowerv1.TraceStep {
	out := opaqueStep(f)
	s, ok := read(f.Type, f.Data)
	if !ok {
		return out
	}
	if !s.happened.IsZero() {
		out.EventTime = protovalue.Time(s.happened)
	}
	out.Opaque, out.FiguresOmitted = false, s.omitted
	out.Keys, out.Quantities, out.Amounts, out.Details, out.Claims = s.keys, s.quantities, s.amounts, s.details, s.claims
	return out
}

// factOf is a step as the walk sees it.
func factOf(s *controltowerv1.TraceStep, version uint64, index int) domain.Fact {
	f := domain.Fact{
		ID: factID(s.GetSource().GetService(), s.GetSource().GetAggregateId(), version, index),
		Source: domain.Aggregate{
			Service: s.GetSource().GetService(), Type: s.GetSource().GetAggregateType(), ID: s.GetSource().GetAggregateId(),
		},
		Version: version, Index: index, EventID: s.GetEventId(),
		Event: protovalue.FromTime(s.GetEventTime()), Recorded: protovalue.FromTime(s.GetRecordedTime()),
		Consequence: domain.IsEvent(s.GetCausationId()), CausedDocument: domain.CauseOf(s.GetCausationId()),
	}
	for _, k := range s.GetKeys() {
		f.Keys = append(f.Keys, keyOf(k))
	}
	// What an aggregate is, every fact of it carries, also one that cannot be read.
	if own := domain.OfAggregate(f.Source.ID); own.Type != "" && own.Links() && !slices.Contains(f.Keys, own) {
		f.Keys = append([]domain.Key{own}, f.Keys...)
	}
	// A report is found by its message; what others made of it is not, it follows anyway.
	direct := s.GetCausationId() == "" || f.CausedDocument.Type == domain.ControlNumber
	if message := (domain.Key{Type: domain.ControlNumber, Value: s.GetSourceMessageId()}); direct && message.Value != "" && !slices.Contains(f.Keys, message) {
		f.Keys = append(f.Keys, message)
	}
	return f
}

// factID names a fact among those of all services.
func factID(service, aggregate string, version uint64, index int) string {
	return fmt.Sprintf("%s/%s:%d:%d", service, aggregate, version, index)
}

// entry is a fact ready to be written.
type entry struct {
	tenant   string
	id       string
	recorded time.Time
	body     []byte   // the step
	keys     []string // of the index
	claims   []domain.ClaimNote
	owing    bool
}

func (e entry) size() int {
	n := len(e.body)
	for _, k := range e.keys {
		n += len(k)
	}
	return n
}

// entryOf reads a fact, and the numbers that it carries.
func entryOf(f bus.Fact) (entry, map[domain.Key]store.Row, error) {
	s := step(f)
	e, err := entryFrom(f.Tenant, s, f.Version, f.Index)
	if err != nil {
		return entry{}, nil, err
	}
	numbers := map[domain.Key]store.Row{}
	for _, b := range s.GetKeys() { // ids of messages are found whole, a row for each would be one a report
		if k := keyOf(b); k.Role() == domain.Name {
			numbers[k] = store.Row{Tenant: f.Tenant, ID: numberID(k), Version: 1, Body: numberBody(k)}
		}
	}
	return e, numbers, nil
}

// entryFrom makes the entry of a step.
func entryFrom(tenant string, s *controltowerv1.TraceStep, version uint64, index int) (entry, error) {
	d := factOf(s, version, index)
	body, err := proto.MarshalOptions{Deterministic: true}.Marshal(s)
	if err != nil {
		return entry{}, fault.New(fault.Internal, "STEP_UNWRITABLE", "the step of %s cannot be written", s.GetEventId()).Wrap(err)
	}
	e := entry{tenant: tenant, id: d.ID, recorded: d.Recorded, body: body}
	if domain.OfAggregate(d.Source.ID).Alone() {
		e.keys = append(e.keys, byAggregate(d.Source.ID))
	}
	for _, k := range d.Linking() {
		e.keys = append(e.keys, byKey(domain.Normal(k.Value)))
	}
	e.claims = notesOf(s, d)
	for _, n := range e.claims {
		e.keys = append(e.keys, byClaims(n.Key.Document))
		e.owing = e.owing || n.Effect.Owing()
	}
	e.keys = slices.Compact(e.keys) // the claims of one document come together
	if e.owing {
		e.keys = append(e.keys, owing)
	}
	return e, nil
}

// pack makes one row of entries of one tenant. Its id says when the first was recorded, so
// that rows lie by time, and which facts it holds, so that the same facts are the same row.
func pack(entries []entry) store.Row {
	first, digest := entries[0].recorded, sha256.New()
	var body []byte
	var keys []string
	for _, e := range entries {
		if e.recorded.Before(first) {
			first = e.recorded
		}
		digest.Write([]byte(e.id + "\n"))
		body = protowire.AppendBytes(body, e.body)
		keys = append(keys, e.keys...)
	}
	slices.Sort(keys)
	id := factRow + store.TimeKey(first) + "/" + base64.RawURLEncoding.EncodeToString(digest.Sum(nil)[:12])
	return store.Row{Tenant: entries[0].tenant, ID: id, Version: 1, Body: body, Keys: map[string][]string{index: slices.Compact(keys)}}
}

// unpack returns the facts of a row with their steps.
func unpack(row store.Row) (found, error) {
	var out found
	for body := row.Body; len(body) > 0; {
		raw, n := protowire.ConsumeBytes(body)
		if n < 0 {
			return found{}, fmt.Errorf("row %s: %w", row.ID, protowire.ParseError(n))
		}
		body = body[n:]
		s := &controltowerv1.TraceStep{}
		if err := proto.Unmarshal(raw, s); err != nil {
			return found{}, fmt.Errorf("row %s: %w", row.ID, err)
		}
		var version uint64
		var i int
		place := strings.TrimPrefix(s.GetEventId(), s.GetSource().GetAggregateId())
		if _, err := fmt.Sscanf(place, ":%d:%d", &version, &i); err != nil {
			return found{}, fmt.Errorf("row %s: event id %q: %w", row.ID, s.GetEventId(), err)
		}
		out.facts, out.steps = append(out.facts, factOf(s, version, i)), append(out.steps, s)
	}
	return out, nil
}

// numberID begins with the normal form; type and value keep equal forms apart.
func numberID(k domain.Key) string {
	return keyRow + clipped(domain.Normal(k.Value)) + "|" + string(k.Type) + "|" + base64.RawURLEncoding.EncodeToString([]byte(k.Value))
}

func numberBody(k domain.Key) []byte {
	body, _ := proto.Marshal(keyProto(k)) // two plain fields; a string that is no UTF-8 cannot have come out of a proto
	return body
}

// typePrefix is what the names of key types begin with in the contract.
const typePrefix = "BUSINESS_KEY_TYPE_"

func typeOf(t commonv1.BusinessKeyType) domain.KeyType {
	if t == commonv1.BusinessKeyType_BUSINESS_KEY_TYPE_UNSPECIFIED {
		return ""
	}
	return domain.KeyType(strings.TrimPrefix(t.String(), typePrefix))
}

func typeProto(t domain.KeyType) commonv1.BusinessKeyType {
	return commonv1.BusinessKeyType(commonv1.BusinessKeyType_value[typePrefix+string(t)])
}

func keyOf(k *controltowerv1.BusinessKey) domain.Key {
	return domain.Key{Type: typeOf(k.GetType()), Value: k.GetValue()}
}

func keyProto(k domain.Key) *controltowerv1.BusinessKey {
	return &controltowerv1.BusinessKey{Type: typeProto(k.Type), Value: k.Value}
}
