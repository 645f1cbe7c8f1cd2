package store

import (
	"bytes"
	"encoding"
	"fmt"
	"reflect"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// registry encodes states as both engines keep them: times as int64 microseconds since
// the Unix epoch (BSON's own are milliseconds), value types by their text form.
var registry = func() *bson.Registry {
	r := bson.NewRegistry()
	timeType := reflect.TypeFor[time.Time]()
	r.RegisterTypeEncoder(timeType, bson.ValueEncoderFunc(encodeTime))
	r.RegisterTypeDecoder(timeType, bson.ValueDecoderFunc(decodeTime))
	r.RegisterInterfaceEncoder(reflect.TypeFor[encoding.TextMarshaler](), bson.ValueEncoderFunc(encodeText))
	r.RegisterInterfaceDecoder(reflect.TypeFor[encoding.TextUnmarshaler](), bson.ValueDecoderFunc(decodeText))
	return r
}()

func encodeTime(_ bson.EncodeContext, w bson.ValueWriter, v reflect.Value) error {
	return w.WriteInt64(micros(v.Interface().(time.Time)))
}

func decodeTime(_ bson.DecodeContext, r bson.ValueReader, v reflect.Value) error {
	n, err := r.ReadInt64()
	if err == nil {
		v.Set(reflect.ValueOf(fromMicros(n)))
	}
	return err
}

func encodeText(_ bson.EncodeContext, w bson.ValueWriter, v reflect.Value) error {
	text, err := v.Interface().(encoding.TextMarshaler).MarshalText()
	if err != nil {
		return err
	}
	return w.WriteString(string(text))
}

func decodeText(_ bson.DecodeContext, r bson.ValueReader, v reflect.Value) error {
	s, err := r.ReadString()
	if err != nil {
		return err
	}
	if !v.CanAddr() {
		return fmt.Errorf("%s cannot be addressed", v.Type())
	}
	return v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(s))
}

// micros is t in microseconds since the Unix epoch; the zero time is the smallest number,
// so that it comes back as the zero time.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return -1 << 63
	}
	return t.UnixMicro()
}

func fromMicros(n int64) time.Time {
	if n == -1<<63 {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}

func marshal(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := bson.NewEncoder(bson.NewDocumentWriter(&buf))
	enc.SetRegistry(registry)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

func unmarshal(data []byte, v any) error {
	dec := bson.NewDecoder(bson.NewDocumentReader(bytes.NewReader(data)))
	dec.SetRegistry(registry)
	return dec.Decode(v)
}
