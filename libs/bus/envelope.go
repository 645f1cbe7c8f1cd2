package bus

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/store"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
)

// EventID names a fact within its tenant and service: "<aggregate id>:<version>:<index>".
func EventID(aggregateID string, version uint64, index int) string {
	return fmt.Sprintf("%s:%d:%d", aggregateID, version, index)
}

// Revision orders the facts of one aggregate: version, then index; a state that the owner
// exports comes after all facts of its version. Followers use it as the version of their rows,
// so that the newest fact wins.
func (f Fact) Revision() uint64 { return f.Version<<16 | uint64(f.Index) }

func (f Fact) lane() lane { return lane{f.AggregateType, f.Partition} }

// size is what a fact weighs in memory, roughly.
func (f Fact) size() int { return len(f.Data) + 512 }

// factsOf returns the facts of a commit, not numbered.
func factsOf(service string, c store.RawCommit) []Fact {
	out := make([]Fact, len(c.Facts))
	partition := partitionOf(c.ID)
	for i, raw := range c.Facts {
		out[i] = Fact{
			ID: EventID(c.ID, c.Version, i), Service: service,
			AggregateType: c.AggregateType, Tenant: c.Tenant, AggregateID: c.ID,
			Version: c.Version, Previous: c.Previous, Index: i, Count: len(c.Facts),
			Partition: partition, Type: raw.Type, Data: raw.Data, Recorded: c.Recorded,
			Correlation: raw.Cause.Correlation, Causation: raw.Cause.Causation, Source: raw.Cause.Source,
			TraceParent: raw.Cause.TraceParent, Principal: raw.Cause.Principal,
		}
	}
	return out
}

// envelope renders a fact for the wire.
func (f Fact) envelope() *commonv1.FactEnvelope {
	e := &commonv1.FactEnvelope{
		Id: f.ID, Service: f.Service, AggregateType: f.AggregateType, Tenant: f.Tenant, AggregateId: f.AggregateID,
		Version: int64(f.Version), PreviousVersion: int64(f.Previous), Index: int32(f.Index), Count: int32(f.Count),
		Generation: int64(f.Generation), Partition: int32(f.Partition), Number: int64(f.Number),
		Type: f.Type, Data: f.Data, RecordedTime: timestamppb.New(f.Recorded),
		CorrelationId: f.Correlation, CausationId: f.Causation,
		Traceparent: f.TraceParent, Principal: f.Principal,
	}
	if s := f.Source; s != (ident.SourceRef{}) {
		e.Source = &commonv1.SourceRef{
			System: s.System, MessageId: s.MessageID, OffsetMinutes: int32(s.Offset), TimeZone: s.Zone, Sequence: s.Sequence,
		}
		if !s.EventTime.IsZero() {
			e.Source.EventTime = timestamppb.New(s.EventTime)
		}
	}
	return e
}

// factOf is the inverse of envelope.
func factOf(e *commonv1.FactEnvelope) Fact {
	f := Fact{
		ID: e.GetId(), Service: e.GetService(), AggregateType: e.GetAggregateType(), Tenant: e.GetTenant(), AggregateID: e.GetAggregateId(),
		Version: uint64(e.GetVersion()), Previous: uint64(e.GetPreviousVersion()), Index: int(e.GetIndex()), Count: int(e.GetCount()),
		Generation: uint64(e.GetGeneration()), Partition: int(e.GetPartition()), Number: uint64(e.GetNumber()),
		Type: e.GetType(), Data: e.GetData(), Recorded: timeOf(e.GetRecordedTime()),
		Correlation: e.GetCorrelationId(), Causation: e.GetCausationId(),
		TraceParent: e.GetTraceparent(), Principal: e.GetPrincipal(),
	}
	if s := e.GetSource(); s != nil {
		f.Source = ident.SourceRef{
			System: s.GetSystem(), MessageID: s.GetMessageId(), EventTime: timeOf(s.GetEventTime()),
			Offset: int(s.GetOffsetMinutes()), Zone: s.GetTimeZone(), Sequence: s.GetSequence(),
		}
	}
	return f
}

// timeOf returns the zero time for an absent timestamp.
func timeOf(t *timestamppb.Timestamp) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.AsTime()
}
