package guard

import (
	"sync"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
)

var sourceName = (*commonv1.SourceRef)(nil).ProtoReflect().Descriptor().FullName()

// checkSources refuses a request that names, anywhere inside, a source system that
// the caller may not speak for.
func checkSources(c Caller, m protoreflect.Message) error {
	if m.Descriptor().FullName() == sourceName {
		system := m.Interface().(*commonv1.SourceRef).GetSystem()
		if system != "" && !c.SpeaksFor(system) {
			return fault.New(fault.Denied, "SOURCE_NOT_ALLOWED", "this caller may not speak for system %q", system).With("system", system)
		}
		return nil
	}
	if !holdsSource(m.Descriptor()) {
		return nil
	}
	var err error
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.IsMap():
			if f.MapValue().Message() != nil {
				v.Map().Range(func(_ protoreflect.MapKey, e protoreflect.Value) bool {
					err = checkSources(c, e.Message())
					return err == nil
				})
			}
		case f.Message() == nil:
		case f.IsList():
			for i := 0; i < v.List().Len() && err == nil; i++ {
				err = checkSources(c, v.List().Get(i).Message())
			}
		default:
			err = checkSources(c, v.Message())
		}
		return err == nil
	})
	return err
}

var holders sync.Map // protoreflect.FullName → bool

// holdsSource reports whether a message of the type can hold a SourceRef; most
// cannot, and are not walked.
func holdsSource(d protoreflect.MessageDescriptor) bool {
	if known, ok := holders.Load(d.FullName()); ok {
		return known.(bool)
	}
	holds := reaches(d, map[protoreflect.FullName]bool{})
	holders.Store(d.FullName(), holds)
	return holds
}

func reaches(d protoreflect.MessageDescriptor, seen map[protoreflect.FullName]bool) bool {
	if d.FullName() == sourceName {
		return true
	}
	if seen[d.FullName()] {
		return false
	}
	seen[d.FullName()] = true
	for i := range d.Fields().Len() {
		f := d.Fields().Get(i)
		if f.IsMap() {
			f = f.MapValue()
		}
		if f.Message() != nil && reaches(f.Message(), seen) {
			return true
		}
	}
	return false
}

// sourceIn returns the request's own source field, or nil.
func sourceIn(m protoreflect.Message) *commonv1.SourceRef {
	f := m.Descriptor().Fields().ByName("source")
	if f == nil || f.Message() == nil || f.Message().FullName() != sourceName || !m.Has(f) {
		return nil
	}
	return m.Get(f).Message().Interface().(*commonv1.SourceRef)
}

// SourceRef converts a source from the wire; nil gives the zero value.
func SourceRef(s *commonv1.SourceRef) ident.SourceRef {
	ref := ident.SourceRef{
		System: s.GetSystem(), MessageID: s.GetMessageId(), Offset: int(s.GetOffsetMinutes()),
		Zone: s.GetTimeZone(), Sequence: s.GetSequence(),
	}
	if t := s.GetEventTime(); t != nil {
		ref.EventTime = t.AsTime().Truncate(time.Microsecond)
	}
	return ref
}

// SourceProto converts a source for the wire; the zero value gives nil.
func SourceProto(s ident.SourceRef) *commonv1.SourceRef {
	if s == (ident.SourceRef{}) {
		return nil
	}
	p := &commonv1.SourceRef{
		System: s.System, MessageId: s.MessageID, OffsetMinutes: int32(s.Offset),
		TimeZone: s.Zone, Sequence: s.Sequence,
	}
	if !s.EventTime.IsZero() {
		p.EventTime = timestamppb.New(s.EventTime)
	}
	return p
}

// stringIn and boolIn read a top-level field by name; absent fields are empty.
func stringIn(m protoreflect.Message, name protoreflect.Name) string {
	if f := m.Descriptor().Fields().ByName(name); f != nil && f.Kind() == protoreflect.StringKind && !f.IsList() {
		return m.Get(f).String()
	}
	return ""
}

func boolIn(m protoreflect.Message, name protoreflect.Name) bool {
	f := m.Descriptor().Fields().ByName(name)
	return f != nil && f.Kind() == protoreflect.BoolKind && !f.IsList() && m.Get(f).Bool()
}

// fillETag puts an If-Match header into the request's etag field, so that both
// forms of one command are one command.
func fillETag(req proto.Message, header string) error {
	m := req.ProtoReflect()
	f := m.Descriptor().Fields().ByName("etag")
	switch {
	case header == "" || header == "*":
		return nil
	case f == nil:
		return fault.New(fault.Invalid, "IF_MATCH_NOT_SUPPORTED", "this command takes no If-Match")
	case m.Get(f).String() == "":
		m.Set(f, protoreflect.ValueOfString(header))
	case m.Get(f).String() != header:
		return fault.New(fault.Invalid, "IF_MATCH_AMBIGUOUS", "If-Match and etag differ")
	}
	return nil
}
