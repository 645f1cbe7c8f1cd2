package main

import (
	"fmt"
	"strings"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// keywords are the rules that JSON Schema has a keyword for.
var keywords = map[string]string{
	"string.min_len": "minLength", "string.max_len": "maxLength", "string.pattern": "pattern",
	"repeated.min_items": "minItems", "repeated.max_items": "maxItems", "repeated.unique": "uniqueItems",
	"map.min_pairs": "minProperties", "map.max_pairs": "maxProperties",
	"number.gte": "minimum", "number.gt": "exclusiveMinimum", "number.lte": "maximum", "number.lt": "exclusiveMaximum",
	"string.const": "const", "number.const": "const", "bool.const": "const", "string.in": "enum", "number.in": "enum",
}

// formats are the rules that name a format.
var formats = map[string]string{
	"string.email": "email", "string.hostname": "hostname", "string.ipv4": "ipv4", "string.ipv6": "ipv6",
	"string.uri": "uri", "string.uri_ref": "uri-reference", "string.uuid": "uuid",
}

// comparisons say a bound of a 64-bit number, which JSON carries as a string.
var comparisons = map[string]string{
	"number.gte": "at least", "number.gt": "more than", "number.lte": "at most", "number.lt": "less than",
}

// constrain translates the typed rules of a field; a rule without a translation is an error.
func constrain(schema object, rules *validate.FieldRules, field protoreflect.FieldDescriptor) error {
	m := rules.ProtoReflect()
	kind := m.WhichOneof(m.Descriptor().Oneofs().ByName("type"))
	if kind == nil {
		return nil
	}
	set := m.Get(kind).Message()
	known := set.Descriptor().Fields()
	for i := range known.Len() { // by place in the file: Range goes in another order in every build
		rule := known.Get(i)
		if !set.Has(rule) {
			continue
		}
		if err := translate(schema, className(kind.Name())+"."+string(rule.Name()), rule, set.Get(rule), field); err != nil {
			return err
		}
	}
	return nil
}

// className folds the number kinds into one.
func className(kind protoreflect.Name) string {
	switch kind {
	case "int32", "uint32", "sint32", "fixed32", "sfixed32", "float", "double",
		"int64", "uint64", "sint64", "fixed64", "sfixed64":
		return "number"
	}
	return string(kind)
}

func translate(schema object, name string, rule protoreflect.FieldDescriptor, v protoreflect.Value, field protoreflect.FieldDescriptor) error {
	switch {
	case comparisons[name] != "" && schema["type"] == "string":
		note(schema, fmt.Sprintf("It is %s %s", comparisons[name], v))
		if n := v.String(); (name == "number.gte" || name == "number.gt") && !strings.HasPrefix(n, "-") {
			schema["pattern"] = "^[0-9]+$"
			if name == "number.gt" || n != "0" {
				schema["pattern"] = "^[1-9][0-9]*$"
			}
		}
	case keywords[name] != "":
		schema[keywords[name]] = plain(rule, v)
	case formats[name] != "":
		schema["format"] = formats[name]
	case name == "string.len":
		schema["minLength"], schema["maxLength"] = v.Uint(), v.Uint()
	case name == "bytes.max_len":
		schema["maxLength"] = (v.Uint() + 2) / 3 * 4 // base64
	case name == "enum.defined_only":
		// The schema lists the values.
	case name == "enum.not_in":
		schema["not"] = object{"enum": enumNames(field.Enum(), v.List())}
	case name == "enum.in":
		schema["enum"] = enumNames(field.Enum(), v.List())
	case name == "repeated.items":
		return constrain(child(schema, "items"), v.Message().Interface().(*validate.FieldRules), field)
	case name == "map.keys":
		return constrain(child(schema, "propertyNames"), v.Message().Interface().(*validate.FieldRules), field.MapKey())
	case name == "map.values":
		return constrain(child(schema, "additionalProperties"), v.Message().Interface().(*validate.FieldRules), field.MapValue())
	default:
		return fmt.Errorf("rule %s has no translation yet: add it to scripts/openapi", name)
	}
	return nil
}

// plain turns a rule's value into its JSON value.
func plain(rule protoreflect.FieldDescriptor, v protoreflect.Value) any {
	if !rule.IsList() {
		return v.Interface()
	}
	var list []any
	for i := range v.List().Len() {
		list = append(list, v.List().Get(i).Interface())
	}
	return list
}

func enumNames(enum protoreflect.EnumDescriptor, numbers protoreflect.List) []any {
	var names []any
	for i := range numbers.Len() {
		number := protoreflect.EnumNumber(numbers.Get(i).Int())
		if value := enum.Values().ByNumber(number); value != nil {
			names = append(names, string(value.Name()))
		}
	}
	return names
}
