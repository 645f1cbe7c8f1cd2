package main

import (
	"encoding/json"
	"strings"
	"testing"

	"buf.build/go/protovalidate"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
)

// thing has a field for every kind of rule in use.
const thing = `
name: "thing.proto" package: "t" syntax: "proto3" dependency: "buf/validate/validate.proto"
enum_type { name: "Colour" value { name: "COLOUR_UNSPECIFIED" number: 0 } value { name: "COLOUR_RED" number: 1 } }
message_type {
  name: "Thing"
  field { name: "code" number: 1 label: LABEL_OPTIONAL type: TYPE_STRING
    options { [buf.validate.field] { string { pattern: "^[A-Z]{3}$" } } } }
  field { name: "name" number: 2 label: LABEL_OPTIONAL type: TYPE_STRING
    options { [buf.validate.field] { string { min_len: 2 max_len: 4 } } } }
  field { name: "note" number: 3 label: LABEL_OPTIONAL type: TYPE_STRING
    options { [buf.validate.field] { ignore: IGNORE_IF_ZERO_VALUE string { pattern: "^x+$" } } } }
  field { name: "line_no" json_name: "lineNo" number: 4 label: LABEL_OPTIONAL type: TYPE_INT32
    options { [buf.validate.field] { int32 { gte: 1 lte: 9 } } } }
  field { name: "amount" number: 5 label: LABEL_OPTIONAL type: TYPE_INT64
    options { [buf.validate.field] { int64 { gt: 0 } } } }
  field { name: "tags" number: 6 label: LABEL_REPEATED type: TYPE_STRING
    options { [buf.validate.field] { repeated { min_items: 1 max_items: 2 items { string { max_len: 3 } } } } } }
  field { name: "colour" number: 7 label: LABEL_OPTIONAL type: TYPE_ENUM type_name: ".t.Colour"
    options { [buf.validate.field] { enum { defined_only: true not_in: 0 } } } }
  field { name: "part" number: 8 label: LABEL_OPTIONAL type: TYPE_MESSAGE type_name: ".t.Part"
    options { [buf.validate.field] { required: true } } }
}
message_type { name: "Part" }
`

// generated is what the generator makes of Thing.
const generated = `{"type": "object", "properties": {
  "code": {"type": "string"}, "name": {"type": "string"}, "note": {"type": "string"},
  "lineNo": {"type": "integer"}, "amount": {"type": "string", "format": "int64"},
  "tags": {"type": "array", "items": {"type": "string"}},
  "colour": {"type": "string", "enum": ["COLOUR_UNSPECIFIED", "COLOUR_RED"]}, "part": {"type": "object"}}}`

func message(t *testing.T, file, name string) protoreflect.MessageDescriptor {
	t.Helper()
	fd := &descriptorpb.FileDescriptorProto{}
	if err := prototext.Unmarshal([]byte(file), fd); err != nil {
		t.Fatal(err)
	}
	d, err := protodesc.NewFile(fd, protoregistry.GlobalFiles)
	if err != nil {
		t.Fatal(err)
	}
	return d.Messages().ByName(protoreflect.Name(name))
}

// The schema must accept what the service accepts and refuse what it refuses.
func TestSchemaAgreesWithTheService(t *testing.T) {
	m := message(t, thing, "Thing")
	schema := object{}
	if err := json.Unmarshal([]byte(generated), &schema); err != nil {
		t.Fatal(err)
	}
	if err := constrainObject(schema, m); err != nil {
		t.Fatal(err)
	}
	compiled := compile(t, schema)
	const good = `{"code":"ABC","name":"ab","lineNo":1,"amount":"5","tags":["a"],"colour":"COLOUR_RED","part":{}}`
	cases := map[string]string{
		"good":           good,
		"pattern broken": strings.Replace(good, `"ABC"`, `"abc"`, 1), "pattern missing": strings.Replace(good, `"code":"ABC",`, ``, 1),
		"too short": strings.Replace(good, `"ab"`, `"a"`, 1), "too long": strings.Replace(good, `"ab"`, `"abcde"`, 1),
		"longest, in letters of two bytes": strings.Replace(good, `"ab"`, `"ääää"`, 1),
		"optional pattern kept":            strings.Replace(good, `"code"`, `"note":"xx","code"`, 1),
		"optional pattern broken":          strings.Replace(good, `"code"`, `"note":"y","code"`, 1),
		"optional pattern empty":           strings.Replace(good, `"code"`, `"note":"","code"`, 1),
		"number too small":                 strings.Replace(good, `"lineNo":1`, `"lineNo":0`, 1), "number too large": strings.Replace(good, `"lineNo":1`, `"lineNo":10`, 1),
		"number missing": strings.Replace(good, `"lineNo":1,`, ``, 1),
		"long zero":      strings.Replace(good, `"5"`, `"0"`, 1), "long negative": strings.Replace(good, `"5"`, `"-5"`, 1),
		"long missing": strings.Replace(good, `"amount":"5",`, ``, 1),
		"no item":      strings.Replace(good, `["a"]`, `[]`, 1), "too many items": strings.Replace(good, `["a"]`, `["a","b","c"]`, 1),
		"item too long": strings.Replace(good, `["a"]`, `["abcd"]`, 1),
		"enum zero":     strings.Replace(good, `COLOUR_RED`, `COLOUR_UNSPECIFIED`, 1), "enum missing": strings.Replace(good, `"colour":"COLOUR_RED",`, ``, 1),
		"message missing": strings.Replace(good, `,"part":{}`, ``, 1),
	}
	for name, body := range cases {
		t.Run(name, func(t *testing.T) {
			msg := dynamicpb.NewMessage(m)
			if err := protojson.Unmarshal([]byte(body), msg); err != nil {
				t.Fatal(err)
			}
			service := protovalidate.Validate(msg)
			value, err := jsonschema.UnmarshalJSON(strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			if document := compiled.Validate(value); (service == nil) != (document == nil) {
				t.Errorf("service: %v\ndocument: %v", service, document)
			}
		})
	}
}

func TestRuleWithoutTranslationIsAnError(t *testing.T) {
	m := message(t, strings.Replace(thing, "min_len: 2 max_len: 4", `contains: "x"`, 1), "Thing")
	schema := object{"properties": object{"name": object{"type": "string"}}}
	if err := constrainObject(schema, m); err == nil || !strings.Contains(err.Error(), "string.contains") {
		t.Errorf("got %v, want an error that names the rule", err)
	}
}

func compile(t *testing.T, schema object) *jsonschema.Schema {
	t.Helper()
	raw, err := json.Marshal(schema)
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(string(raw)))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("mem:///schema.json", value); err != nil {
		t.Fatal(err)
	}
	return c.MustCompile("mem:///schema.json")
}
