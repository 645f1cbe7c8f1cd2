// Package adapter joins integration to the outside: the gRPC API, the store's facts,
// indexes and tables, the services that take records, and its own facts that drive
// documents on.
package adapter

import (
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/store"
	integrationv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/integration/v1"
	"github.com/lockstep-logistics/lockstep/services/integration/internal/app"
	"github.com/lockstep-logistics/lockstep/services/integration/internal/domain"
)

// DocumentType declares the aggregate to the store.
func DocumentType() store.Type[domain.Document, domain.Fact] {
	return store.Type[domain.Document, domain.Fact]{
		Name: "document", Prefix: app.Prefix, Fold: 1,
		Evolve: domain.Evolve,
		Encode: func(f domain.Fact) (string, []byte, error) { return protovalue.Encode(message(f)) },
		Decode: readers.Decode,
		Indexes: map[string]func(domain.Document) []string{
			app.IndexState:   func(d domain.Document) []string { return []string{string(d.State)} },
			app.IndexType:    func(d domain.Document) []string { return []string{d.Header.Type} },
			app.IndexMessage: messageKey,
		},
	}
}

func messageKey(d domain.Document) []string {
	if d.Header.Source.MessageID == "" {
		return nil
	}
	return []string{d.Header.Source.MessageID}
}

// readers reads every fact type that a document may have.
var readers = func() protovalue.Readers[domain.Fact] {
	rs := protovalue.Readers[domain.Fact]{}
	protovalue.Read(rs, func(m *integrationv1.DocumentReceived) (domain.Fact, error) {
		return domain.DocumentReceived{Keys: keys(m), Header: domain.Header{
			Type: typeName(m.GetType()), Format: formatName(m.GetFormat()), Source: fromSource(m.GetSource()),
			Size: m.GetSizeBytes(), SHA256: m.GetSha256(), Sender: m.GetSender(), Received: protovalue.FromTime(m.GetReceivedTime()),
			PortionRecords: int(m.GetPortionRecords()), PortionBytes: m.GetPortionBytes(),
		}}, nil
	})
	protovalue.Read(rs, func(m *integrationv1.DocumentRepeated) (domain.Fact, error) {
		return domain.DocumentRepeated{ID: m.GetDocumentId(), Sender: m.GetSender()}, nil
	})
	protovalue.Read(rs, func(m *integrationv1.DocumentParsed) (domain.Fact, error) {
		return domain.DocumentParsed{Keys: keys(m), Rows: m.GetRows(), Records: m.GetRecords(), Next: fromPlace(m.GetNext())}, nil
	})
	protovalue.Read(rs, func(m *integrationv1.DocumentProgressed) (domain.Fact, error) {
		return domain.DocumentProgressed{
			Keys: keys(m), Portion: int(m.GetPortion()), Next: fromPlace(m.GetNext()), Counts: counts(m),
		}, nil
	})
	protovalue.Read(rs, func(m *integrationv1.DocumentCompleted) (domain.Fact, error) {
		f := domain.DocumentCompleted{Keys: keys(m), Type: typeName(m.GetType()), State: domain.State(stateName(m.GetState())), Counts: counts(m)}
		for _, r := range m.GetReasons() {
			f.Reasons = append(f.Reasons, domain.Reason{Code: r.GetCode(), Field: r.GetField(), Message: r.GetMessage()})
		}
		return f, nil
	})
	return rs
}()

type named interface {
	GetDocumentId() string
	GetMessageId() string
}

func keys(m named) domain.Keys {
	return domain.Keys{ID: m.GetDocumentId(), MessageID: m.GetMessageId()}
}

type counted interface {
	GetApplied() int64
	GetRefused() int64
	GetErrors() int64
}

func counts(m counted) domain.Counts {
	return domain.Counts{Applied: m.GetApplied(), Refused: m.GetRefused(), Errors: m.GetErrors()}
}
