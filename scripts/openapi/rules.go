package main

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/lockstep-logistics/lockstep/scripts/internal/image"
)

// constrainSchemas writes the protos' field rules into the component schemas.
func constrainSchemas(doc object, img *image.Image) error {
	schemas := child(child(doc, "components"), "schemas")
	for _, name := range sorted(schemas) {
		if m := img.Message(name); m != nil {
			if err := constrainObject(child(schemas, name), m); err != nil {
				return err
			}
		}
	}
	return nil
}

// constrain writes the field rules of the request into its parameters and its body.
func (op operation) constrain() error {
	for _, p := range parametersOf(op.object) {
		name, _ := p["name"].(string)
		field := fieldAt(op.method.Input(), name)
		if field == nil {
			return fmt.Errorf("%s: parameter %q is no field of %s", op.path, name, op.method.Input().FullName())
		}
		needed, err := constrainField(child(p, "schema"), field)
		if err != nil {
			return err
		}
		if needed {
			p["required"] = true
		}
	}
	body, ok := op.object["requestBody"].(object)
	if !ok {
		return nil
	}
	schema := child(child(child(body, "content"), "application/json"), "schema")
	if schema["properties"] == nil {
		return nil // a component, or a message without fields
	}
	return constrainObject(schema, op.method.Input())
}

// constrainObject goes over the properties of a message's schema.
func constrainObject(schema object, m protoreflect.MessageDescriptor) error {
	properties, ok := schema["properties"].(object)
	if !ok {
		return nil
	}
	required, _ := schema["required"].([]any)
	for _, name := range sorted(properties) {
		field := fieldAt(m, name)
		if field == nil {
			return fmt.Errorf("%s has no field %s", m.FullName(), name)
		}
		needed, err := constrainField(child(properties, name), field)
		if err != nil {
			return err
		}
		if needed && !slices.Contains(required, any(name)) {
			required = append(required, name)
		}
	}
	if len(required) > 0 {
		schema["required"] = required
	}
	rules, _ := proto.GetExtension(m.Options(), validate.E_Message).(*validate.MessageRules)
	for _, rule := range rules.GetCel() {
		note(schema, "Rule: "+rule.GetMessage())
	}
	return nil
}

// fieldAt finds a field by its JSON or proto name, dots going into messages.
func fieldAt(m protoreflect.MessageDescriptor, path string) protoreflect.FieldDescriptor {
	name, rest, deeper := strings.Cut(path, ".")
	f := m.Fields().ByJSONName(name)
	if f == nil {
		f = m.Fields().ByName(protoreflect.Name(name))
	}
	switch {
	case f == nil || !deeper:
		return f
	case f.Message() == nil:
		return nil
	}
	return fieldAt(f.Message(), rest)
}

// constrainField writes the rules of one field into its schema; true when a valid
// message must have the field.
func constrainField(schema object, field protoreflect.FieldDescriptor) (required bool, err error) {
	rules, _ := proto.GetExtension(field.Options(), validate.E_Field).(*validate.FieldRules)
	if rules == nil || rules.GetIgnore() == validate.Ignore_IGNORE_ALWAYS {
		return false, nil
	}
	zeroIsFine := rules.GetIgnore() == validate.Ignore_IGNORE_IF_ZERO_VALUE
	if err := constrain(schema, rules, field); err != nil {
		return false, fmt.Errorf("%s: %w", field.FullName(), err)
	}
	if zeroIsFine {
		allowZero(schema, field)
	}
	for _, rule := range rules.GetCel() {
		note(schema, "Rule: "+rule.GetMessage())
	}
	if field.HasPresence() || rules.GetRequired() {
		return rules.GetRequired(), nil
	}
	return !zeroIsFine && refusesZero(schema), nil
}

// refusesZero reports whether the value that proto3 takes for a missing field breaks the
// schema.
func refusesZero(s object) bool {
	zero := ""
	if s["format"] == "int64" || s["format"] == "uint64" {
		zero = "0"
	}
	if p, ok := s["pattern"].(string); ok {
		re, err := regexp.Compile(p)
		if err == nil && !re.MatchString(zero) {
			return true
		}
	}
	not, _ := s["not"].(object)
	excluded, _ := not["enum"].([]any)
	return number(s, "minLength") > 0 || number(s, "minItems") > 0 || number(s, "minProperties") > 0 ||
		number(s, "minimum") > 0 || s["exclusiveMinimum"] != nil && number(s, "exclusiveMinimum") >= 0 ||
		len(excluded) > 0 && strings.HasSuffix(excluded[0].(string), "_UNSPECIFIED")
}

// number returns the figure of a keyword, 0 if it is not there.
func number(s object, keyword string) float64 {
	n, err := strconv.ParseFloat(fmt.Sprint(s[keyword]), 64)
	if err != nil {
		return 0
	}
	return n
}

// allowZero takes back what a rule says about the empty value.
func allowZero(s object, field protoreflect.FieldDescriptor) {
	if p, ok := s["pattern"].(string); ok {
		s["pattern"] = "^$|" + p
	}
	for _, key := range []string{"minLength", "minItems", "minProperties"} {
		delete(s, key)
	}
	if field.Kind() == protoreflect.EnumKind {
		delete(s, "not")
	}
}

// note adds a sentence to a schema's description.
func note(schema object, text string) {
	had, _ := schema["description"].(string)
	schema["description"] = strings.TrimSpace(had + " " + strings.TrimSuffix(text, ".") + ".")
}
