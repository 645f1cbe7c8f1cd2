package protovalue

import (
	"github.com/lockstep-logistics/lockstep/libs/authority"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
)

// ForeignWord returns what was heard and changed nothing as a message.
func ForeignWord(h authority.Heard) *commonv1.ForeignWord {
	return &commonv1.ForeignWord{
		Command: h.Command, System: h.System, Owner: h.Owner, Said: h.Said, Contradicts: h.Contradicts, MessageId: h.Message,
		EventTime: Time(h.EventTime), ObserveTime: Time(h.At),
	}
}

// FromForeignWord is the inverse of ForeignWord.
func FromForeignWord(m *commonv1.ForeignWord) authority.Heard {
	return authority.Heard{
		Command: m.GetCommand(), System: m.GetSystem(), Owner: m.GetOwner(), Said: m.GetSaid(), Contradicts: m.GetContradicts(), Message: m.GetMessageId(),
		EventTime: FromTime(m.GetEventTime()), At: FromTime(m.GetObserveTime()),
	}
}
