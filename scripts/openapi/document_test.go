package main

import (
	"encoding/json"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

func TestPathsThatDifferInNamesAreOne(t *testing.T) {
	doc := object{}
	if err := json.Unmarshal([]byte(`{"paths": {
		"/v1/orders/{name}": {"get": {"parameters": [{"in": "path", "name": "name"}, {"in": "query", "name": "name"}]}},
		"/v1/orders/{order.name}": {"patch": {"parameters": [{"in": "path", "name": "order.name"}]}},
		"/v1/orders/{name}:close": {"post": {}}}}`), &doc); err != nil {
		t.Fatal(err)
	}
	if err := mergePaths(doc); err != nil {
		t.Fatal(err)
	}
	paths := child(doc, "paths")
	if want := []string{"/v1/orders/{name}", "/v1/orders/{name}:close"}; !slices.Equal(sorted(paths), want) {
		t.Fatalf("paths %v, want %v", sorted(paths), want)
	}
	patch := child(child(paths, "/v1/orders/{name}"), "patch")
	if want := []object{{"in": "path", "name": "name"}}; !reflect.DeepEqual(parametersOf(patch), want) {
		t.Errorf("parameters %v, want %v", parametersOf(patch), want)
	}
}

func TestTheSameRouteTwiceIsAnError(t *testing.T) {
	doc := object{"paths": object{
		"/v1/a/{x}": object{"get": object{}}, "/v1/a/{y}": object{"get": object{}},
	}}
	if err := mergePaths(doc); err == nil {
		t.Error("two methods on one route went through")
	}
}

// committed is the document that clients get.
func committed(t *testing.T) object {
	t.Helper()
	raw, err := os.ReadFile("../../proto/gen/openapi/lockstep.json")
	if err != nil {
		t.Fatal(err)
	}
	doc := object{}
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestDocumentIsOpenAPI31(t *testing.T) {
	c := jsonschema.NewCompiler()
	schema, err := c.Compile("testdata/openapi-3.1.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(committed(t)); err != nil {
		t.Error(err)
	}
}

func TestSchemasCompile(t *testing.T) {
	doc := committed(t)
	c := jsonschema.NewCompiler()
	if err := c.AddResource("mem:///api.json", doc); err != nil {
		t.Fatal(err)
	}
	for _, name := range sorted(child(child(doc, "components"), "schemas")) {
		if _, err := c.Compile("mem:///api.json#/components/schemas/" + name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Every reference leads somewhere, every path's parameters are declared once.
func TestReferencesAndParameters(t *testing.T) {
	doc := committed(t)
	raw, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`"\$ref":"#/components/([a-zA-Z]+)/([^"]+)"`).FindAllStringSubmatch(string(raw), -1) {
		if _, ok := child(child(doc, "components"), m[1])[m[2]]; !ok {
			t.Errorf("no component %s/%s", m[1], m[2])
		}
	}
	ids := map[string]string{}
	for path, item := range child(doc, "paths") {
		var want []string
		for _, p := range parameterName.FindAllStringSubmatch(path, -1) {
			want = append(want, p[1])
		}
		slices.Sort(want)
		for verb, op := range item.(object) {
			var got []string
			for _, p := range parametersOf(op.(object)) {
				if p["in"] == "path" {
					got = append(got, p["name"].(string))
				}
			}
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("%s %s declares %v", verb, path, got)
			}
			id := op.(object)["operationId"].(string)
			if ids[id] != "" {
				t.Errorf("%s is the id of %s and of %s", id, ids[id], path)
			}
			ids[id] = path
			if verb != "get" && !strings.Contains(string(mustJSON(t, op)), "/IdempotencyKey") && !readOnly[id] {
				t.Errorf("%s takes no Idempotency-Key", id)
			}
		}
	}
}

// readOnly are the methods that change nothing though they need a body.
var readOnly = map[string]bool{"rateShipment": true, "getAvailability": true}

func mustJSON(t *testing.T, v any) []byte {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
