package protovalue

import (
	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/fault"
)

// Encode writes a fact's message as the store keeps it: its full proto name and its bytes.
func Encode(m proto.Message) (name string, data []byte, err error) {
	data, err = proto.Marshal(m)
	return string(m.ProtoReflect().Descriptor().FullName()), data, err
}

// Readers read stored facts of a service into its domain's facts, by full proto name.
type Readers[F any] map[string]func(data []byte) (F, error)

// Read adds the reader of one message type.
func Read[M proto.Message, F any](rs Readers[F], convert func(M) (F, error)) {
	var zero M
	t := zero.ProtoReflect().Type()
	rs[string(t.Descriptor().FullName())] = func(data []byte) (F, error) {
		m := t.New().Interface()
		if err := proto.Unmarshal(data, m); err != nil {
			var none F
			return none, err
		}
		return convert(m.(M))
	}
}

// Decode reads a stored fact; a type that this binary does not know is fault.Unavailable:
// the aggregate stays as it is until a binary that knows it comes.
func (rs Readers[F]) Decode(name string, data []byte) (F, error) {
	read, ok := rs[name]
	if !ok {
		var none F
		return none, fault.New(fault.Unavailable, "FACT_TYPE_UNKNOWN", "fact type %s is unknown to this binary", name)
	}
	return read(data)
}
