package edge

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"github.com/grpc-ecosystem/grpc-gateway/v2/utilities"
	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/lockstep-logistics/lockstep/libs/fault"
)

// Route is one public method and path.
type Route struct {
	Method string // HTTP
	Path   string // template, e.g. "/v1/items/{sku}:retire"
	RPC    protoreflect.FullName
	input  protoreflect.MessageType
	body   bool
}

// batch reports whether the route takes many items, and so a larger body.
func (r Route) batch() bool { return strings.HasPrefix(string(r.RPC.Name()), "Batch") }

// routes are the public routes by method and the router's spelling of their path.
type routes map[string]Route

// Routes lists what the services have in public, by path and method.
func Routes(services []Service) ([]Route, error) {
	all, err := routesOf(services)
	list := make([]Route, 0, len(all))
	for _, r := range all {
		list = append(list, r)
	}
	slices.SortFunc(list, func(a, b Route) int { return strings.Compare(a.Path+" "+a.Method, b.Path+" "+b.Method) })
	return list, err
}

var parameter = regexp.MustCompile(`\{([a-z0-9_.]+)\}`)

func routesOf(services []Service) (routes, error) {
	all := routes{}
	for _, s := range services {
		found, err := protoregistry.GlobalFiles.FindDescriptorByName(s.Proto)
		desc, ok := found.(protoreflect.ServiceDescriptor)
		if err != nil || !ok {
			return nil, fmt.Errorf("%s: no service %s", s.Name, s.Proto)
		}
		for i := range desc.Methods().Len() {
			if err := all.add(desc.Methods().Get(i)); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

// add takes in the routes of a method; one without an HTTP rule is internal and has none.
func (all routes) add(m protoreflect.MethodDescriptor) error {
	if !proto.HasExtension(m.Options(), annotations.E_Http) {
		return nil
	}
	input, err := protoregistry.GlobalTypes.FindMessageByName(m.Input().FullName())
	if err != nil {
		return err
	}
	rule := proto.GetExtension(m.Options(), annotations.E_Http).(*annotations.HttpRule)
	for _, rule := range append([]*annotations.HttpRule{rule}, rule.GetAdditionalBindings()...) {
		method, path := verbOf(rule)
		if method == "" {
			return fmt.Errorf("%s: an HTTP rule must be get, put, post, patch or delete", m.FullName())
		}
		key := method + " " + parameter.ReplaceAllString(path, "{$1=*}")
		if other, taken := all[key]; taken {
			return fmt.Errorf("%s and %s have the same route %s", other.RPC, m.FullName(), key)
		}
		all[key] = Route{Method: method, Path: path, RPC: m.FullName(), input: input, body: rule.GetBody() != ""}
	}
	return nil
}

func verbOf(rule *annotations.HttpRule) (method, path string) {
	switch p := rule.GetPattern().(type) {
	case *annotations.HttpRule_Get:
		return http.MethodGet, p.Get
	case *annotations.HttpRule_Put:
		return http.MethodPut, p.Put
	case *annotations.HttpRule_Post:
		return http.MethodPost, p.Post
	case *annotations.HttpRule_Patch:
		return http.MethodPatch, p.Patch
	case *annotations.HttpRule_Delete:
		return http.MethodDelete, p.Delete
	}
	return "", ""
}

// probe collects the methods of a path; requests that carry one are asked, not served.
type probe struct{ allowed []string }

type probeKey struct{}

// route is the step between the router and a generated handler: only here is it known
// which RPC is meant, and so which body and parameters it takes.
func (g *gate) route(next runtime.HandlerFunc) runtime.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request, params map[string]string) {
		if p, ok := r.Context().Value(probeKey{}).(*probe); ok {
			p.allowed = append(p.allowed, r.Method)
			return
		}
		pattern, _ := runtime.HTTPPattern(r.Context())
		route, ok := g.routes[r.Method+" "+pattern.String()]
		if !ok {
			g.noRoute(r.Context(), nil, nil, w, r, http.StatusNotFound)
			return
		}
		notesOf(r.Context()).route = route.Path
		for name, value := range params {
			if strings.ContainsAny(value, "%:") || value == "." || value == ".." { // an escape that the router left, or a verb that nobody has
				problem(w, r, 0, fault.New(fault.NotFound, "ROUTE_UNKNOWN", "there is nothing at this path").With("parameter", name))
				return
			}
		}
		if f := route.checkQuery(r.URL); f != nil {
			problem(w, r, 0, f)
			return
		}
		if status, f := g.checkBody(w, r, route); f != nil {
			problem(w, r, status, f)
			return
		}
		next(w, r, params)
	}
}

// noRoute answers a request that fits no route.
func (g *gate) noRoute(ctx context.Context, mux *runtime.ServeMux, _ runtime.Marshaler, w http.ResponseWriter, r *http.Request, status int) {
	if ctx.Value(probeKey{}) != nil {
		return // another method of the path may fit
	}
	switch status {
	case http.StatusMethodNotAllowed:
		w.Header().Set("Allow", strings.Join(allowed(ctx, mux, r), ", "))
		problem(w, r, status, fault.New(fault.Invalid, "METHOD_NOT_ALLOWED", "%s is no method of this path", r.Method))
	case http.StatusBadRequest:
		problem(w, r, status, fault.New(fault.Invalid, "PATH_MALFORMED", "the path cannot be read"))
	default:
		problem(w, r, http.StatusNotFound, fault.New(fault.NotFound, "ROUTE_UNKNOWN", "there is nothing at this path"))
	}
}

// allowed asks the router itself for the methods of the path.
func allowed(ctx context.Context, mux *runtime.ServeMux, r *http.Request) []string {
	p := &probe{}
	asked := r.Clone(context.WithValue(ctx, probeKey{}, p))
	asked.Body = http.NoBody
	for _, asked.Method = range []string{http.MethodDelete, http.MethodGet, http.MethodPatch, http.MethodPost, http.MethodPut} {
		mux.ServeHTTP(nowhere{}, asked)
	}
	return p.allowed
}

// nowhere is a ResponseWriter for requests that are not answered.
type nowhere struct{}

func (nowhere) Header() http.Header         { return http.Header{} }
func (nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (nowhere) WriteHeader(int)             {}

// checkQuery refuses parameters that the request does not have, or that do not parse.
func (r Route) checkQuery(u *url.URL) *fault.Error {
	if u.RawQuery == "" {
		return nil
	}
	values, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return fault.New(fault.Invalid, "QUERY_MALFORMED", "the query cannot be read")
	}
	var f *fault.Error
	for key, value := range values {
		if !r.body && strings.Contains(r.Path, "{"+key+"}") {
			f = addField(f, key, "PARAMETER_UNKNOWN", "stands in the path")
		} else if r.body || !isField(r.input.Descriptor(), strings.Split(key, ".")) {
			f = addField(f, key, "PARAMETER_UNKNOWN", "the request has no such parameter")
		} else if runtime.PopulateQueryParameters(r.input.New().Interface(), url.Values{key: value}, &utilities.DoubleArray{}) != nil {
			f = addField(f, key, "PARAMETER_INVALID", "the value is not one that the parameter can have")
		}
	}
	return f
}

func addField(f *fault.Error, path, reason, text string) *fault.Error {
	if f == nil {
		f = fault.New(fault.Invalid, reason, "%s: %s", path, text)
	}
	return f.WithField(path, reason, "%s", text)
}

// isField reports whether the path leads to a field that a query can set.
func isField(m protoreflect.MessageDescriptor, path []string) bool {
	for i, name := range path {
		f := m.Fields().ByJSONName(name)
		if f == nil {
			f = m.Fields().ByTextName(name)
		}
		switch {
		case f == nil || f.IsMap():
			return false
		case i == len(path)-1:
			return true
		case f.Message() == nil || f.IsList():
			return false
		}
		m = f.Message()
	}
	return false
}
