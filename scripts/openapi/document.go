package main

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/lockstep-logistics/lockstep/scripts/internal/image"
)

// object is a JSON object of the document.
type object = map[string]any

// child returns the object under key, made if it is not there.
func child(o object, key string) object {
	c, ok := o[key].(object)
	if !ok {
		c = object{}
		o[key] = c
	}
	return c
}

func ref(kind, name string) object { return object{"$ref": "#/components/" + kind + "/" + name} }

// sorted returns the keys of an object in order.
func sorted(o object) []string { return slices.Sorted(maps.Keys(o)) }

// verbs are the keys of a path item that hold operations.
var verbs = []string{"get", "put", "post", "patch", "delete"}

// operation is one public method in the document.
type operation struct {
	object
	verb, path string
	method     protoreflect.MethodDescriptor
}

// operationID is the generator's: service, method and, of further routes of a method, a number.
var operationID = regexp.MustCompile(`^([A-Za-z0-9]+_[A-Za-z0-9]+?)(_[0-9]+)?$`)

// operations finds the method of every operation and shortens the operation's id to its
// name, which is unique.
func operations(doc object, img *image.Image) ([]operation, error) {
	methods := map[string]protoreflect.MethodDescriptor{}
	for _, m := range img.Methods() {
		methods[fmt.Sprintf("%s_%s", m.Parent().Name(), m.Name())] = m
	}
	var ops []operation
	names := map[string]bool{}
	paths := child(doc, "paths")
	for _, path := range sorted(paths) {
		item := child(paths, path)
		for _, verb := range verbs {
			o, ok := item[verb].(object)
			if !ok {
				continue
			}
			id, _ := o["operationId"].(string)
			found := operationID.FindStringSubmatch(id)
			if found == nil || methods[found[1]] == nil {
				return nil, fmt.Errorf("%s %s: no method %q", verb, path, id)
			}
			m := methods[found[1]]
			name := lowerFirst(string(m.Name())) + found[2]
			if names[name] {
				return nil, fmt.Errorf("%s: two public methods have this name", m.Name())
			}
			names[name] = true
			o["operationId"] = name
			ops = append(ops, operation{o, verb, path, m})
		}
	}
	return ops, nil
}

var parameterName = regexp.MustCompile(`\{([^}]+)\}`)

// mergePaths makes one path of those that differ in the names of their parameters only,
// which OpenAPI forbids.
func mergePaths(doc object) error {
	paths := child(doc, "paths")
	first := map[string]string{}
	for _, path := range sorted(paths) {
		shape := parameterName.ReplaceAllString(path, "{}")
		kept, dup := first[shape]
		if !dup {
			first[shape] = path
			continue
		}
		item, target := child(paths, path), child(paths, kept)
		rename := map[string]string{}
		wanted := parameterName.FindAllStringSubmatch(kept, -1)
		for i, had := range parameterName.FindAllStringSubmatch(path, -1) {
			rename[had[1]] = wanted[i][1]
		}
		for verb, op := range item {
			if _, taken := target[verb]; taken {
				return fmt.Errorf("%s %s and %s are the same route", verb, path, kept)
			}
			renameParameters(op, rename)
			target[verb] = op
		}
		delete(paths, path)
	}
	return nil
}

func renameParameters(op any, names map[string]string) {
	o, _ := op.(object)
	for _, p := range parametersOf(o) {
		if name, _ := p["name"].(string); p["in"] == "path" && names[name] != "" {
			p["name"] = names[name]
		}
	}
}

// parametersOf returns the parameters that are written out in an operation.
func parametersOf(op object) []object {
	list, _ := op["parameters"].([]any)
	var out []object
	for _, p := range list {
		if o, ok := p.(object); ok {
			out = append(out, o)
		}
	}
	return out
}

// describe splits the method's comment into a summary of one sentence and the rest, and
// names who may call it.
func (op operation) describe() {
	text, _ := op.object["summary"].(string)
	if more, ok := op.object["description"].(string); ok {
		text += " " + more
	}
	text = strings.Join(strings.Fields(text), " ")
	summary, rest, _ := strings.Cut(text, ". ")
	op.object["summary"] = strings.TrimSuffix(summary, ".")
	var roles []string
	for _, r := range image.Access(op.method).GetRoles() {
		roles = append(roles, strings.TrimPrefix(r.String(), "ROLE_"))
	}
	slices.Sort(roles)
	if len(roles) > 0 {
		rest = strings.TrimSpace(rest + "\n\nRoles: " + strings.Join(roles, ", ") + ".")
	}
	op.object["description"] = rest
	if rest == "" {
		delete(op.object, "description")
	}
}

func lowerFirst(s string) string {
	r := []rune(s)
	r[0] = unicode.ToLower(r[0])
	return string(r)
}
