package storetest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// lines encodes a history as it is recorded.
func (c Corpus[S, F]) lines(h History[F]) ([]line, error) {
	out := make([]line, len(h.Facts))
	for i, f := range h.Facts {
		name, data, err := c.Type.Encode(f)
		if err != nil {
			return nil, err
		}
		if out[i], err = recorded(h.Name, name, data); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// recorded is the line of a stored fact, with its text where it has one.
func recorded(history, name string, data []byte) (line, error) {
	l := line{History: history, Type: name, Data: data}
	m, err := messageOf(name, data)
	if errors.Is(err, errNoMessage) {
		return l, nil
	}
	if err == nil {
		l.Fact, err = protojson.Marshal(m)
	}
	return l, err
}

// errNoMessage says that a type of facts is none of protobuf's.
var errNoMessage = errors.New("no protobuf message")

// messageOf reads stored bytes without the codec.
func messageOf(name string, data []byte) (proto.Message, error) {
	typ, err := protoregistry.GlobalTypes.FindMessageByName(protoreflect.FullName(name))
	if err != nil {
		return nil, errNoMessage
	}
	m := typ.New().Interface()
	return m, proto.Unmarshal(data, m)
}

// sameFact compares facts whose bytes may have maps in another order.
func sameFact(a, b line) bool {
	x, err := messageOf(a.Type, a.Data)
	if err != nil {
		return a.Type == b.Type && bytes.Equal(a.Data, b.Data)
	}
	y, err := messageOf(b.Type, b.Data)
	return err == nil && proto.Equal(x, y)
}

// read decodes a stored fact, and holds that encoding it again loses nothing of it. A fact that
// is read as one of another, newer type says there what it has to say.
func (c Corpus[S, F]) read(l line) (F, error) {
	f, err := c.Type.Decode(l.Type, l.Data)
	if err != nil {
		return f, err
	}
	name, data, err := c.Type.Encode(f)
	switch {
	case err != nil:
		return f, err
	case !slices.Contains(c.Known, l.Type):
		return f, errors.New("is decoded, but not among the known types")
	case name != l.Type && !slices.Contains(c.Known, name):
		return f, fmt.Errorf("becomes a %s, which is not among the known types", name)
	case name != l.Type:
		return f, nil
	}
	was, err := messageOf(l.Type, l.Data)
	if errors.Is(err, errNoMessage) {
		if !bytes.Equal(data, l.Data) {
			return f, fmt.Errorf("becomes %q", data)
		}
		return f, nil
	}
	if err != nil {
		return f, err
	}
	text := was.ProtoReflect().New().Interface()
	if err := protojson.Unmarshal(l.Fact, text); err != nil {
		return f, fmt.Errorf("its text cannot be read: %w", err)
	}
	if !proto.Equal(was, text) {
		return f, errors.New("its text says something else than its bytes")
	}
	now, err := messageOf(name, data)
	if err != nil {
		return f, err
	}
	return f, lost(was.ProtoReflect(), now.ProtoReflect())
}

// lost names a field of a message that another one does not have, or has otherwise. What the
// other one has beyond it is a default that the codec knows.
func lost(was, now protoreflect.Message) (err error) {
	if len(was.GetUnknown()) > 0 {
		return fmt.Errorf("%s has lost a field from its contract", was.Descriptor().FullName())
	}
	was.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		if e := lostValue(fd, v, now.Get(fd)); e != nil {
			err = fmt.Errorf("%s: %w", fd.Name(), e)
		}
		return err == nil
	})
	return err
}

func lostValue(fd protoreflect.FieldDescriptor, was, now protoreflect.Value) error {
	switch {
	case fd.IsList():
		a, b := was.List(), now.List()
		if a.Len() != b.Len() {
			return fmt.Errorf("%d entries become %d", a.Len(), b.Len())
		}
		for i := range a.Len() {
			if err := lostOne(fd, a.Get(i), b.Get(i)); err != nil {
				return fmt.Errorf("[%d]: %w", i, err)
			}
		}
		return nil
	case fd.IsMap():
		var err error
		was.Map().Range(func(k protoreflect.MapKey, v protoreflect.Value) bool {
			if !now.Map().Has(k) {
				err = fmt.Errorf("[%v] is lost", k)
			} else {
				err = lostOne(fd.MapValue(), v, now.Map().Get(k))
			}
			return err == nil
		})
		return err
	}
	return lostOne(fd, was, now)
}

func lostOne(fd protoreflect.FieldDescriptor, was, now protoreflect.Value) error {
	if fd.Message() != nil {
		return lost(was.Message(), now.Message())
	}
	if !was.Equal(now) {
		return fmt.Errorf("%v becomes %v", was, now)
	}
	return nil
}

// indented makes JSON comparable line by line.
func indented(text json.RawMessage) string {
	var out bytes.Buffer
	if err := json.Indent(&out, text, "", " "); err != nil {
		return string(text)
	}
	return out.String()
}
