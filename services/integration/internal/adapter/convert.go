package adapter

import (
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/store"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	integrationv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/integration/v1"
	"github.com/lockstep-logistics/lockstep/services/integration/internal/document"
	"github.com/lockstep-logistics/lockstep/services/integration/internal/domain"
)

const (
	typePrefix   = "DOCUMENT_TYPE_"
	formatPrefix = "DOCUMENT_FORMAT_"
	statePrefix  = "DOCUMENT_STATE_"
)

func typeName(t integrationv1.DocumentType) string { return strings.TrimPrefix(t.String(), typePrefix) }

func formatName(f integrationv1.DocumentFormat) string {
	return strings.TrimPrefix(f.String(), formatPrefix)
}

func stateName(s integrationv1.DocumentState) string {
	return strings.TrimPrefix(s.String(), statePrefix)
}

func toType(name string) integrationv1.DocumentType {
	return integrationv1.DocumentType(integrationv1.DocumentType_value[typePrefix+name])
}

func toFormat(name string) integrationv1.DocumentFormat {
	return integrationv1.DocumentFormat(integrationv1.DocumentFormat_value[formatPrefix+name])
}

func toState(s domain.State) integrationv1.DocumentState {
	return integrationv1.DocumentState(integrationv1.DocumentState_value[statePrefix+string(s)])
}

func fromSource(m *commonv1.SourceRef) domain.Source { return domain.Source(guard.SourceRef(m)) }

func toSource(s domain.Source) *commonv1.SourceRef {
	return guard.SourceProto(ident.SourceRef(s))
}

func fromPlace(m *integrationv1.DocumentPlace) domain.Place {
	return domain.Place{Offset: m.GetOffset(), Line: m.GetLine(), Records: m.GetRecords()}
}

func toPlace(p domain.Place) *integrationv1.DocumentPlace {
	return &integrationv1.DocumentPlace{Offset: p.Offset, Line: p.Line, Records: p.Records}
}

func toReasons(reasons []domain.Reason) (all []*commonv1.Reason) {
	for _, r := range reasons {
		all = append(all, &commonv1.Reason{Code: r.Code, Field: r.Field, Message: r.Message})
	}
	return all
}

// message returns a fact as the contract has it.
func message(f domain.Fact) proto.Message {
	switch f := f.(type) {
	case domain.DocumentReceived:
		h := f.Header
		return &integrationv1.DocumentReceived{
			DocumentId: f.ID, MessageId: f.MessageID, Type: toType(h.Type), Format: toFormat(h.Format), Source: toSource(h.Source),
			SizeBytes: h.Size, Sha256: h.SHA256, Sender: h.Sender, ReceivedTime: protovalue.Time(h.Received),
			PortionRecords: int32(h.PortionRecords), PortionBytes: h.PortionBytes,
		}
	case domain.DocumentRepeated:
		return &integrationv1.DocumentRepeated{DocumentId: f.ID, Sender: f.Sender}
	case domain.DocumentParsed:
		return &integrationv1.DocumentParsed{DocumentId: f.ID, MessageId: f.MessageID, Rows: f.Rows, Records: f.Records, Next: toPlace(f.Next)}
	case domain.DocumentProgressed:
		return &integrationv1.DocumentProgressed{
			DocumentId: f.ID, MessageId: f.MessageID, Portion: int32(f.Portion),
			Applied: f.Counts.Applied, Refused: f.Counts.Refused, Errors: f.Counts.Errors, Next: toPlace(f.Next),
		}
	case domain.DocumentCompleted:
		return &integrationv1.DocumentCompleted{
			DocumentId: f.ID, MessageId: f.MessageID, State: toState(f.State), Type: toType(f.Type),
			Applied: f.Counts.Applied, Refused: f.Counts.Refused, Errors: f.Counts.Errors, Reasons: toReasons(f.Reasons),
		}
	}
	return nil // unreachable: Fact is sealed
}

// resource returns a document as the API shows it.
func resource(v store.View[domain.Document]) *integrationv1.Document {
	d, h := v.State, v.State.Header
	return &integrationv1.Document{
		DocumentId: d.ID, Type: toType(h.Type), Format: toFormat(h.Format), Source: toSource(h.Source), State: toState(d.State),
		SizeBytes: h.Size, Sha256: h.SHA256, Rows: d.Rows,
		Applied: d.Counts.Applied, Refused: d.Counts.Refused, Errors: d.Counts.Errors, Reasons: toReasons(d.Reasons), Duplicates: d.Duplicates,
		Etag: v.ETag, CreateTime: protovalue.Time(v.Created), UpdateTime: protovalue.Time(v.Updated),
	}
}

func toError(e document.Error) *integrationv1.DocumentError {
	return &integrationv1.DocumentError{
		Line: e.Line, Field: e.Field, Position: int32(e.Position), Record: e.Record, Key: e.Key, Reason: e.Reason, Message: e.Message,
	}
}

func fromError(m *integrationv1.DocumentError) document.Error {
	return document.Error{
		Line: m.GetLine(), Field: m.GetField(), Position: int(m.GetPosition()), Record: m.GetRecord(), Key: m.GetKey(),
		Reason: m.GetReason(), Message: m.GetMessage(),
	}
}
