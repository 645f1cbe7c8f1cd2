package e2e

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	_ "github.com/lockstep-logistics/lockstep/services/suite" // links every service's descriptors
)

// endpoint is one HTTP rule of a public RPC.
type endpoint struct {
	rpc, method, path string
}

// endpoints are the HTTP rules of all public RPCs, from the descriptors.
func endpoints() (all []endpoint) {
	protoregistry.GlobalFiles.RangeFiles(func(file protoreflect.FileDescriptor) bool {
		for i := range file.Services().Len() {
			service := file.Services().Get(i)
			for j := range service.Methods().Len() {
				m := service.Methods().Get(j)
				rule, _ := proto.GetExtension(m.Options(), annotations.E_Http).(*annotations.HttpRule)
				if rule.GetPattern() == nil || !strings.HasPrefix(string(file.Package()), "lockstep.") {
					continue
				}
				for _, r := range append([]*annotations.HttpRule{rule}, rule.GetAdditionalBindings()...) {
					e := endpoint{rpc: string(m.Name())}
					switch p := r.GetPattern().(type) {
					case *annotations.HttpRule_Get:
						e.method, e.path = http.MethodGet, p.Get
					case *annotations.HttpRule_Post:
						e.method, e.path = http.MethodPost, p.Post
					case *annotations.HttpRule_Put:
						e.method, e.path = http.MethodPut, p.Put
					case *annotations.HttpRule_Delete:
						e.method, e.path = http.MethodDelete, p.Delete
					case *annotations.HttpRule_Patch:
						e.method, e.path = http.MethodPatch, p.Patch
					}
					all = append(all, e)
				}
			}
		}
		return true
	})
	// Reads come first: a stranger's own commands may find it something.
	slices.SortFunc(all, func(a, b endpoint) int {
		return cmp.Or(cmp.Compare(a.method, b.method), cmp.Compare(a.path, b.path))
	})
	return all
}

// pathParameter is an id in a path, with the collection that it is of.
var pathParameter = regexp.MustCompile(`([a-z-]+)/\{([a-z_]+)\}`)

// idsInPath are the ids that a path takes, "collection/parameter".
func (e endpoint) idsInPath() (all []string) {
	for _, m := range pathParameter.FindAllStringSubmatch(e.path, -1) {
		all = append(all, m[1]+"/"+m[2])
	}
	return all
}

// fill puts samples into a path, a query or a body.
func fill(text string, samples map[string]string) string {
	text = pathParameter.ReplaceAllStringFunc(text, func(m string) string {
		parts := pathParameter.FindStringSubmatch(m)
		return parts[1] + "/" + samples[parts[1]+"/"+parts[2]]
	})
	for name, value := range samples {
		text = strings.ReplaceAll(text, "<"+name+">", value)
	}
	return text
}

// published holds the endpoints against those of the gateway's OpenAPI document: an RPC that the
// gateway serves and this test does not know would go unasked.
func published(t *testing.T, p party, all []endpoint) {
	t.Helper()
	var doc struct {
		Paths map[string]map[string]json.RawMessage
	}
	if err := json.Unmarshal([]byte(p.read(t, "/openapi.json")), &doc); err != nil {
		t.Fatal(err)
	}
	want, got := map[string]bool{}, map[string]bool{}
	for path, methods := range doc.Paths {
		for method := range methods {
			want[strings.ToUpper(method)+" "+path] = true
		}
	}
	for _, e := range all {
		got[e.method+" "+e.path] = true
	}
	if !maps.Equal(got, want) {
		t.Errorf("the descriptors have %v,\nthe gateway publishes %v", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
	}
}
