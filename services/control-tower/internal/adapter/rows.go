package adapter

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/bus"
	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/store"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	controltowerv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/controltower/v1"
	"github.com/lockstep-logistics/lockstep/services/control-tower/internal/domain"
)

// The table holds two kinds of row: a fact ("f/…"), found by the index under the normal form
// of every key that it carries and, where a walk may ask for that, under its aggregate, and a number that somebody may
// search for ("k/…"), whose id begins with its normal form, so that a prefix is a range.
const (
	table   = "trace"
	index   = "k"
	factRow = "f/"
	keyRow  = "k/"
)

// Fold is raised when what a row holds changes its meaning: the recorders then begin anew
// under new names and write every row again with the new version.
const Fold = 1

// keyLength bounds what is indexed of a key; the whole key is compared when it is found.
const keyLength = 128

func byKey(normal string) string { return "n:" + clipped(normal) }

func byAggregate(id string) string { return "a:" + id }

func clipped(s string) string {
	if len(s) <= keyLength {
		return s
	}
	return strings.ToValidUTF8(s[:keyLength], "")
}

// step renders a fact for its row.
func step(f bus.Fact) *controltowerv1.TraceStep {
	s, known := read(f.Type, f.Data)
	happened := s.happened
	if happened.IsZero() {
		happened = f.Source.EventTime
	}
	return &controltowerv1.TraceStep{
		EventId:       f.ID,
		Source:        &controltowerv1.SourceAggregate{Service: f.Service, AggregateType: f.AggregateType, AggregateId: f.AggregateID},
		Type:          f.Type,
		EventTime:     protovalue.Time(happened),
		RecordedTime:  protovalue.Time(f.Recorded),
		Keys:          s.keys,
		Quantities:    s.quantities,
		Amounts:       s.amounts,
		Details:       s.details,
		Principal:     f.Principal,
		SourceSystem:  f.Source.System,
		CorrelationId: f.Correlation, CausationId: f.Causation, SourceMessageId: f.Source.MessageID,
		Opaque: !known, FiguresOmitted: s.omitted,
	}
}

// factOf is a step as the walk sees it.
func factOf(s *controltowerv1.TraceStep, version uint64, index int) domain.Fact {
	f := domain.Fact{
		ID: rowID(s.GetSource().GetService(), s.GetSource().GetAggregateId(), version, index),
		Source: domain.Aggregate{
			Service: s.GetSource().GetService(), Type: s.GetSource().GetAggregateType(), ID: s.GetSource().GetAggregateId(),
		},
		Version: version, Index: index, EventID: s.GetEventId(),
		Event: protovalue.FromTime(s.GetEventTime()), Recorded: protovalue.FromTime(s.GetRecordedTime()),
		CausedDocument: domain.CauseOf(s.GetCausationId()),
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

// rowID orders the facts of an aggregate by version and index.
func rowID(service, aggregate string, version uint64, index int) string {
	return fmt.Sprintf("%s%s/%s:%012d:%04d", factRow, service, aggregate, version, index)
}

// rowsOf are the rows of a fact: its own and those of the numbers that it carries.
func rowsOf(f bus.Fact) (store.Row, map[domain.Key]store.Row, error) {
	s := step(f)
	d := factOf(s, f.Version, f.Index)
	body, err := proto.MarshalOptions{Deterministic: true}.Marshal(s)
	if err != nil {
		return store.Row{}, nil, fault.New(fault.Internal, "STEP_UNWRITABLE", "the step of %s cannot be written", f.ID).Wrap(err)
	}
	keys, numbers := []string(nil), map[domain.Key]store.Row{}
	if domain.OfAggregate(f.AggregateID).Alone() {
		keys = append(keys, byAggregate(f.AggregateID))
	}
	known := map[string]bool{}
	for _, k := range d.Linking() {
		normal := domain.Normal(k.Value)
		if key := byKey(normal); !known[key] {
			known[key] = true
			keys = append(keys, key)
		}
	}
	for _, b := range s.GetKeys() { // ids of messages are found whole, a row for each would be one a report
		if k := keyOf(b); k.Role() == domain.Name {
			numbers[k] = store.Row{Tenant: f.Tenant, ID: numberID(k), Version: Fold, Body: numberBody(k)}
		}
	}
	row := store.Row{Tenant: f.Tenant, ID: d.ID, Version: Fold, Body: body, Keys: map[string][]string{index: keys}}
	return row, numbers, nil
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
