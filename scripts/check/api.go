package main

import (
	"fmt"
	"regexp"
	"strings"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/lockstep-logistics/lockstep/scripts/internal/image"
)

// checkAPI holds every RPC and every message against the API style.
func checkAPI(img *image.Image) []finding {
	var found []finding
	names := map[protoreflect.Name]protoreflect.FullName{}
	walked := map[protoreflect.FullName]bool{}
	for _, m := range img.Methods() {
		report := func(format string, args ...any) {
			found = append(found, finding{where: string(m.FullName()), what: fmt.Sprintf(format, args...)})
		}
		checkMessages(m, report)
		checkAccess(m, report)
		checkRoute(m, report)
		checkMutation(m, report)
		checkList(m, report)
		if image.HTTP(m) != nil {
			if other, taken := names[m.Name()]; taken {
				report("%s has the same name; public methods are told apart by it", other)
			}
			names[m.Name()] = m.FullName()
			found = append(found, unbounded(m, walked)...)
		}
	}
	for _, f := range img.Files() {
		found = append(found, checkFields(f)...)
	}
	return found
}

type reporter func(format string, args ...any)

// checkMessages: every RPC has a request and a response of its own.
func checkMessages(m protoreflect.MethodDescriptor, report reporter) {
	if want := m.Name() + "Request"; m.Input().Name() != want {
		report("takes %s, not %s", m.Input().Name(), want)
	}
	if want := m.Name() + "Response"; m.Output().Name() != want {
		report("answers with %s, not %s", m.Output().Name(), want)
	}
}

// checkAccess: nobody may call a method that names nobody; a public one is for people.
func checkAccess(m protoreflect.MethodDescriptor, report reporter) {
	access := image.Access(m)
	switch {
	case access == nil:
		report("has no access option")
	case image.HTTP(m) != nil && len(access.GetRoles()) == 0:
		report("is public, but no role may call it")
	case len(access.GetRoles()) == 0 && !access.GetServices():
		report("may be called by nobody")
	}
}

var (
	segment   = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)
	parameter = regexp.MustCompile(`^\{([a-z][a-z0-9_.]*)\}$`)
	verb      = regexp.MustCompile(`^[a-z][a-zA-Z]*$`)
)

// checkRoute: public paths are /v1/plural-nouns/{resource_id}:customVerb.
func checkRoute(m protoreflect.MethodDescriptor, report reporter) {
	rule := image.HTTP(m)
	if rule == nil {
		return
	}
	for _, r := range append([]*annotations.HttpRule{rule}, rule.GetAdditionalBindings()...) {
		method, path := route(r)
		rest, ok := strings.CutPrefix(path, "/v1/")
		if !ok {
			report("path %s is not under /v1/", path)
			continue
		}
		if changes := image.Access(m).GetMutation(); changes && method == "GET" {
			report("is a mutation, but its route is a GET")
		}
		if body := r.GetBody() != ""; body != (method == "POST" || method == "PUT" || method == "PATCH") {
			report("a %s has a body: %t", method, body)
		}
		rest, custom, isCustom := strings.Cut(rest, ":")
		if isCustom && !verb.MatchString(custom) {
			report("custom verb %q is not lowerCamelCase", custom)
		}
		for part := range strings.SplitSeq(rest, "/") {
			switch param := parameter.FindStringSubmatch(part); {
			case param != nil:
				f := m.Input().Fields().ByName(protoreflect.Name(param[1]))
				if f == nil {
					report("path parameter %s is no field of the request", param[1])
				} else if param[1] == "id" || param[1] == "name" {
					report("path parameter %s does not say whose", param[1])
				}
			case !segment.MatchString(part):
				report("path segment %q is not kebab-case", part)
			}
		}
	}
}

func route(r *annotations.HttpRule) (method, path string) {
	switch p := r.GetPattern().(type) {
	case *annotations.HttpRule_Get:
		return "GET", p.Get
	case *annotations.HttpRule_Put:
		return "PUT", p.Put
	case *annotations.HttpRule_Post:
		return "POST", p.Post
	case *annotations.HttpRule_Patch:
		return "PATCH", p.Patch
	case *annotations.HttpRule_Delete:
		return "DELETE", p.Delete
	}
	return "", ""
}

// checkMutation: a change answers with its receipt, a batch with one result an item, and
// the fields that the guard reads have their types.
func checkMutation(m protoreflect.MethodDescriptor, report reporter) {
	for name, want := range map[protoreflect.Name]string{"etag": "string", "validate_only": "bool", "source": "lockstep.common.v1.SourceRef"} {
		if f := m.Input().Fields().ByName(name); f != nil && image.Access(m).GetMutation() && typeName(f) != want {
			report("field %s is %s, not %s", name, typeName(f), want)
		}
	}
	if !image.Access(m).GetMutation() {
		return
	}
	name, want := protoreflect.Name("receipt"), "lockstep.common.v1.Receipt"
	if first := m.Output().Fields().ByNumber(1); image.HTTP(m) == nil && first != nil && first.IsList() {
		return // between services a batch answers as both see fit
	}
	if strings.HasPrefix(string(m.Name()), "Batch") {
		name, want = "results", "lockstep.common.v1.ItemResult"
	}
	if f := m.Output().Fields().ByName(name); f == nil || f.Number() != 1 || typeName(f) != want {
		report("is a mutation: field 1 of its response must be %s %s", want, name)
	}
}

// checkList: public lists are paged, and the size of a page has a stated maximum.
func checkList(m protoreflect.MethodDescriptor, report reporter) {
	if !strings.HasPrefix(string(m.Name()), "List") {
		return
	}
	in, out := m.Input().Fields(), m.Output().Fields()
	if image.HTTP(m) == nil || short[m.Name()] {
		return
	}
	if f := in.ByName("page_size"); f == nil || !hasMaximum(f) {
		report("is a list: page_size with a maximum is missing")
	}
	if in.ByName("page_token") == nil || out.ByName("next_page_token") == nil {
		report("is a list: page_token or next_page_token is missing")
	}
}

// short are the lists that need no pages: code lists of standards.
var short = map[protoreflect.Name]bool{"ListUnits": true, "ListCurrencies": true, "ListCountries": true}

func typeName(f protoreflect.FieldDescriptor) string {
	switch {
	case f.Message() != nil:
		return string(f.Message().FullName())
	case f.Enum() != nil:
		return string(f.Enum().FullName())
	}
	return f.Kind().String()
}
