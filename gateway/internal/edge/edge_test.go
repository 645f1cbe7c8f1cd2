package edge_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/gateway/internal/edge"
	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	masterdatav1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
)

// backend stands for the connection to a service: it notes the call and answers as told.
type backend struct {
	mu     sync.Mutex
	method string
	sent   proto.Message
	meta   metadata.MD
	caller guard.Caller
	calls  int

	reply  proto.Message
	header metadata.MD
	err    error
	wait   time.Duration
	called chan struct{} // told of each call, if not nil
}

func (b *backend) Invoke(ctx context.Context, method string, args, reply any, opts ...grpc.CallOption) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls++
	b.method, b.sent = method, args.(proto.Message)
	b.meta, _ = metadata.FromOutgoingContext(ctx)
	b.caller, _ = guard.CallerOf(ctx)
	for _, o := range opts {
		if h, ok := o.(grpc.HeaderCallOption); ok {
			*h.HeaderAddr = b.header
		}
	}
	if b.called != nil {
		b.called <- struct{}{}
	}
	if b.wait > 0 {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(b.wait):
		}
	}
	if b.err != nil {
		return b.err
	}
	if b.reply != nil {
		proto.Merge(reply.(proto.Message), b.reply)
	}
	return nil
}

func (b *backend) NewStream(context.Context, *grpc.StreamDesc, string, ...grpc.CallOption) (grpc.ClientStream, error) {
	panic("no stream is served")
}

const token = "good-token"

var caller = guard.Caller{Tenant: "acme", Principal: "tester", Roles: []commonv1.Role{commonv1.Role_ROLE_LOGISTICS}}

func config() edge.Config {
	return edge.Config{BodyMax: 4 << 10, BatchMax: 64 << 10, InFlight: 8, Deadline: time.Minute}
}

// serve starts an edge before the backend.
func serve(t *testing.T, cfg edge.Config, b *backend) *httptest.Server {
	t.Helper()
	h, err := edge.New(cfg, edge.Parts{
		Log: slog.New(slog.DiscardHandler),
		Authenticate: func(got string) (guard.Caller, error) {
			if got != token {
				return guard.Caller{}, fault.New(fault.Unauthenticated, "TOKEN_INVALID", "the token is not valid")
			}
			return caller, nil
		},
		AuthenticateKey: func(_ context.Context, got string) (guard.Caller, error) {
			if got != token {
				return guard.Caller{}, fault.New(fault.Unauthenticated, "API_KEY_REVOKED", "the API key was revoked")
			}
			return caller, nil
		},
		Dial:    func(string) grpc.ClientConnInterface { return b },
		OpenAPI: []byte(`{"openapi":"3.1.0"}`),
		Ready:   func(context.Context) error { return nil },
	}, []edge.Service{{
		Name: "master-data", Proto: "lockstep.masterdata.v1.MasterDataService",
		Register: func(ctx context.Context, mux *runtime.ServeMux, conn grpc.ClientConnInterface) error {
			return masterdatav1.RegisterMasterDataServiceHandlerClient(ctx, mux, masterdatav1.NewMasterDataServiceClient(conn))
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

// request is one HTTP request of a test; a good token unless header says otherwise.
type request struct {
	method, path, body string
	header             map[string]string
}

type answer struct {
	status  int
	header  http.Header
	body    string
	problem edge.Problem
}

func do(t *testing.T, s *httptest.Server, q request) answer {
	t.Helper()
	r, err := http.NewRequest(q.method, s.URL+q.path, strings.NewReader(q.body))
	if err != nil {
		t.Fatal(err)
	}
	if q.body == "" {
		r.Body = nil
	}
	r.Header.Set("Authorization", "Bearer "+token)
	if q.body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for k, v := range q.header {
		if v == "" {
			r.Header.Del(k)
		} else {
			r.Header.Set(k, v)
		}
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := answer{status: resp.StatusCode, header: resp.Header, body: string(raw)}
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "application/problem+json") {
		if err := json.Unmarshal(raw, &a.problem); err != nil {
			t.Fatalf("%v in %s", err, raw)
		}
		if a.problem.Status != a.status || a.problem.Code == "" || a.problem.Title == "" || a.problem.Request != resp.Header.Get("X-Request-Id") {
			t.Errorf("incomplete problem: %s", raw)
		}
	}
	return a
}

const itemPath = "/v1/items/TEA-500"

func item(more string) string {
	return `{"item":{"name":"Tea","baseUnit":"EA"` + more + `}}`
}

// TestAttacks is a table of requests that must not reach a service.
func TestAttacks(t *testing.T) {
	deep := strings.Repeat(`{"item":`, 100) + "{}" + strings.Repeat("}", 100)
	for name, c := range map[string]struct {
		request
		status int
		code   string
	}{
		"no token":                  {request{"PUT", itemPath, item(""), map[string]string{"Authorization": ""}}, 401, "TOKEN_REQUIRED"},
		"wrong token":               {request{"PUT", itemPath, item(""), map[string]string{"Authorization": "Bearer x"}}, 401, "TOKEN_INVALID"},
		"a revoked API key":         {request{"GET", itemPath, "", map[string]string{"Authorization": "ApiKey x"}}, 401, "API_KEY_REVOKED"},
		"an API key as a token":     {request{"GET", itemPath, "", map[string]string{"Authorization": "Bearer ApiKey " + token}}, 401, "TOKEN_INVALID"},
		"an API key without a key":  {request{"GET", itemPath, "", map[string]string{"Authorization": "ApiKey"}}, 401, "API_KEY_REVOKED"},
		"another scheme":            {request{"GET", itemPath, "", map[string]string{"Authorization": "Basic eDp5"}}, 401, "TOKEN_REQUIRED"},
		"no token, unknown path":    {request{"GET", "/v1/secrets", "", map[string]string{"Authorization": ""}}, 401, "TOKEN_REQUIRED"},
		"unknown path":              {request{"GET", "/v1/secrets", "", nil}, 404, "ROUTE_UNKNOWN"},
		"root":                      {request{"GET", "/", "", nil}, 404, "ROUTE_UNKNOWN"},
		"method of no route":        {request{"DELETE", itemPath, "", nil}, 405, "METHOD_NOT_ALLOWED"},
		"made-up method":            {request{"BREW", itemPath, "", nil}, 405, "METHOD_NOT_ALLOWED"},
		"unknown verb":              {request{"POST", itemPath + ":explode", "{}", nil}, 405, "METHOD_NOT_ALLOWED"},
		"verb after a verb":         {request{"POST", itemPath + ":retire:retire", "{}", nil}, 404, "ROUTE_UNKNOWN"},
		"verb read as a code":       {request{"GET", itemPath + ":retire", "", nil}, 404, "ROUTE_UNKNOWN"},
		"bare verb":                 {request{"POST", "/v1/items/:retire", "{}", nil}, 405, "METHOD_NOT_ALLOWED"},
		"escaped verb":              {request{"GET", "/v1/items/A%3Aretire", "", nil}, 404, "ROUTE_UNKNOWN"},
		"twice escaped slash":       {request{"GET", "/v1/items/A%252FB", "", nil}, 404, "ROUTE_UNKNOWN"},
		"dots":                      {request{"GET", "/v1/items/%2e%2e", "", nil}, 404, "ROUTE_UNKNOWN"},
		"double slash":              {request{"GET", "//v1/items/A", "", nil}, 404, "ROUTE_UNKNOWN"},
		"trailing slash":            {request{"GET", itemPath + "/", "", nil}, 404, "ROUTE_UNKNOWN"},
		"gRPC path":                 {request{"POST", "/lockstep.masterdata.v1.MasterDataService/PutItem", "{}", nil}, 404, "ROUTE_UNKNOWN"},
		"method override":           {request{"POST", itemPath, "{}", map[string]string{"X-HTTP-Method-Override": "PUT"}}, 405, "METHOD_NOT_ALLOWED"},
		"form as a query":           {request{"POST", "/v1/items", "identifier=x", map[string]string{"Content-Type": "application/x-www-form-urlencoded"}}, 405, "METHOD_NOT_ALLOWED"},
		"form":                      {request{"PUT", itemPath, "item.name=x", map[string]string{"Content-Type": "application/x-www-form-urlencoded"}}, 415, "CONTENT_TYPE"},
		"text":                      {request{"PUT", itemPath, item(""), map[string]string{"Content-Type": "text/plain"}}, 415, "CONTENT_TYPE"},
		"no type":                   {request{"PUT", itemPath, item(""), map[string]string{"Content-Type": ""}}, 415, "CONTENT_TYPE"},
		"another charset":           {request{"PUT", itemPath, item(""), map[string]string{"Content-Type": "application/json; charset=utf-16"}}, 415, "CONTENT_TYPE"},
		"compressed":                {request{"PUT", itemPath, item(""), map[string]string{"Content-Encoding": "gzip"}}, 415, "CONTENT_ENCODING"},
		"body of a GET":             {request{"GET", itemPath, "{}", nil}, 400, "BODY_UNEXPECTED"},
		"unknown field":             {request{"PUT", itemPath, item(`,"bogus":1`), nil}, 400, "FIELD_UNKNOWN"},
		"field twice":               {request{"PUT", itemPath, item(`,"name":"x"`), nil}, 400, "FIELD_INVALID"},
		"field of a wrong type":     {request{"PUT", itemPath, item(`,"customsCode":7`), nil}, 400, "FIELD_INVALID"},
		"number beyond int64":       {request{"PUT", itemPath, item(`,"baseDimensions":{"lengthMm":"9223372036854775808"}`), nil}, 400, "FIELD_INVALID"},
		"broken JSON":               {request{"PUT", itemPath, `{"item":`, nil}, 400, "JSON_MALFORMED"},
		"two documents":             {request{"PUT", itemPath, item("") + item(""), nil}, 400, "JSON_MALFORMED"},
		"deep nesting":              {request{"PUT", itemPath, deep, nil}, 400, "FIELD_UNKNOWN"},
		"deep array":                {request{"PUT", itemPath, strings.Repeat("[", 3000), nil}, 400, "JSON_MALFORMED"},
		"body over the limit":       {request{"PUT", itemPath, item(`,"x":"` + strings.Repeat("a", 4<<10) + `"`), nil}, 413, "BODY_TOO_LARGE"},
		"batch over the limit":      {request{"POST", "/v1/items:batchPut", strings.Repeat("a", 65<<10), nil}, 413, "BODY_TOO_LARGE"},
		"unknown parameter":         {request{"GET", "/v1/items?bogus=1", "", nil}, 400, "PARAMETER_UNKNOWN"},
		"parameter of a body route": {request{"PUT", itemPath + "?item.name=x", item(""), nil}, 400, "PARAMETER_UNKNOWN"},
		"parameter of the path":     {request{"GET", itemPath + "?sku=other", "", nil}, 400, "PARAMETER_UNKNOWN"},
		"parameter twice":           {request{"GET", "/v1/items?pageSize=1&pageSize=2", "", nil}, 400, "PARAMETER_INVALID"},
		"parameter of a wrong type": {request{"GET", "/v1/items?pageSize=x", "", nil}, 400, "PARAMETER_INVALID"},
		"broken query":              {request{"GET", "/v1/items?a=%zz", "", nil}, 400, "QUERY_MALFORMED"},
		"query of no text":          {request{"GET", "/v1/items?identifier=%C3%28", "", nil}, 400, "QUERY_MALFORMED"},
		"path of no text":           {request{"GET", "/v1/items/%FF", "", nil}, 400, "PATH_MALFORMED"},
		"long URL":                  {request{"GET", "/v1/items?identifier=" + strings.Repeat("a", 8<<10), "", nil}, 414, "URL_TOO_LONG"},
		"quoted key cut short":      {request{"PUT", itemPath, item(""), map[string]string{"Idempotency-Key": `"abcdefgh`}}, 400, "HEADER_MALFORMED"},
		"weak tag":                  {request{"PUT", itemPath, item(""), map[string]string{"If-Match": `W/"3"`}}, 400, "HEADER_MALFORMED"},
		"two tags":                  {request{"PUT", itemPath, item(""), map[string]string{"If-Match": `"3", "4"`}}, 400, "HEADER_MALFORMED"},
	} {
		t.Run(name, func(t *testing.T) {
			b := &backend{}
			a := do(t, serve(t, config(), b), c.request)
			if a.status != c.status || a.problem.Code != c.code {
				t.Errorf("%d %s, want %d %s", a.status, a.body, c.status, c.code)
			}
			if b.calls != 0 {
				t.Errorf("%s reached the service", b.method)
			}
			if a.header.Get("X-Content-Type-Options") != "nosniff" || a.header.Get("Cache-Control") != "no-store" {
				t.Errorf("headers %v", a.header)
			}
		})
	}
}

func TestWhereABodyIsWrong(t *testing.T) {
	s := serve(t, config(), &backend{})
	for body, want := range map[string]string{
		item(`,"bogus":1`): "#/item/bogus",
		"{\n  \"item\": {\"name\": \"ü\", \"packagingUnits\": [{\"unit\":\"CS\"}, {\"unit\":\"PL\",\n \"numerator\": \"x\"}]}}": "#/item/packagingUnits/1/numerator",
		`{"item":{"identifiers":[{"type":"NO_SUCH"}]}}`: "#/item/identifiers/0/type",
		`{"a/b~c":1}`: "#/a~1b~0c",
	} {
		a := do(t, s, request{method: "PUT", path: itemPath, body: body})
		if len(a.problem.Errors) != 1 || a.problem.Errors[0].Pointer != want {
			t.Errorf("%s: %s, want pointer %s", body, a.body, want)
		}
	}
}

// TestNothingIsReadOfAStrangersBody sends headers only: the answer must come before the body.
func TestNothingIsReadOfAStrangersBody(t *testing.T) {
	b := &backend{}
	s := serve(t, config(), b)
	body, writer := io.Pipe() // nobody ever writes
	defer writer.Close()
	r, err := http.NewRequest("PUT", s.URL+itemPath, body)
	if err != nil {
		t.Fatal(err)
	}
	r.ContentLength = 1 << 30
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusUnauthorized || resp.Header.Get("WWW-Authenticate") == "" {
		t.Errorf("answer %d %v", resp.StatusCode, resp.Header)
	}
}

// TestBodyWithoutLengthIsBounded streams more than the limit without saying so.
func TestBodyWithoutLengthIsBounded(t *testing.T) {
	b := &backend{}
	s := serve(t, config(), b)
	r, err := http.NewRequest("PUT", s.URL+itemPath, io.MultiReader(strings.NewReader(`{"item":{"name":"`), bytes.NewReader(bytes.Repeat([]byte("a"), 1<<20))))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusRequestEntityTooLarge || b.calls != 0 {
		t.Errorf("answer %d, %d calls", resp.StatusCode, b.calls)
	}
}

func TestWhatReachesTheService(t *testing.T) {
	b := &backend{reply: &masterdatav1.PutItemResponse{Receipt: &commonv1.Receipt{Id: "itm_1", Etag: "7", State: "ACTIVE"}}, header: metadata.Pairs("idempotency-replayed", "true", "x-internal", "secret")}
	a := do(t, serve(t, config(), b), request{"PUT", itemPath, item(""), map[string]string{
		"Idempotency-Key": `"key-12345"`, "If-Match": `"6"`, "Accept-Language": "de", "X-Request-Id": "request-0001",
		"Grpc-Metadata-Lockstep-Derived": "1", "Grpc-Metadata-Authorization": "Bearer forged", "Lockstep-Derived": "1", "Lockstep-Source-Bin": "AA==",
		"Grpcgateway-Authorization": "Bearer forged", "X-Forwarded-For": "10.0.0.1", "X-Forwarded-Host": "evil", "Grpc-Timeout": "1000H",
		"Cookie": "a=b", "X-Tenant": "other", "TE": "trailers", "Content-Type": "application/json; charset=UTF-8",
	}})
	if a.status != http.StatusOK || a.header.Get("ETag") != `"7"` || a.header.Get("Idempotency-Replayed") != "true" || a.header.Get("X-Request-Id") != "request-0001" {
		t.Fatalf("%d %s %v", a.status, a.body, a.header)
	}
	for name := range a.header {
		if strings.Contains(name, "Internal") || strings.HasPrefix(name, "Grpc") {
			t.Errorf("header %s left the gateway", name)
		}
	}
	b.meta.Delete("x-forwarded-for") // the router's own, of the peer
	b.meta.Delete("x-forwarded-host")
	want := metadata.Pairs("idempotency-key", "key-12345", "if-match", "6", "accept-language", "de", "x-request-id", "request-0001")
	if diff := cmp.Diff(want, b.meta); diff != "" {
		t.Errorf("metadata (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(caller, b.caller); diff != "" {
		t.Errorf("caller (-want +got):\n%s", diff)
	}
	sent := &masterdatav1.PutItemRequest{Sku: "TEA-500", Item: &masterdatav1.Item{Name: "Tea", BaseUnit: "EA"}}
	if !proto.Equal(b.sent, sent) {
		t.Errorf("sent %v", b.sent)
	}
}

// TestJSON holds what a client may build on: defaults are written, 64-bit integers are
// strings and keep every digit, absent messages are absent.
func TestJSON(t *testing.T) {
	b := &backend{reply: &masterdatav1.GetItemResponse{Item: &masterdatav1.ItemRecord{
		ItemId: "itm_1", Etag: "3", Item: &masterdatav1.Item{Sku: "A", BaseDimensions: &masterdatav1.Dimensions{LengthMm: 9007199254740993}},
	}}}
	a := do(t, serve(t, config(), b), request{method: "GET", path: "/v1/items/A"})
	var got map[string]any
	if err := json.Unmarshal([]byte(a.body), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"item": map[string]any{
		"itemId": "itm_1", "etag": "3", "state": "RECORD_STATE_UNSPECIFIED", "observations": []any{},
		"item": map[string]any{
			"sku": "A", "name": "", "baseUnit": "", "packagingUnits": []any{}, "identifiers": []any{}, "baseWeightGrams": "",
			"customsCode": "", "countryOfOrigin": "", "baseDimensions": map[string]any{"lengthMm": "9007199254740993", "widthMm": "0", "heightMm": "0"},
		},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("body (-want +got):\n%s", diff)
	}
	if a.header.Get("ETag") != `"3"` || a.header.Get("Content-Type") != "application/json" {
		t.Errorf("headers %v", a.header)
	}
}

func TestProblems(t *testing.T) {
	put := request{method: "PUT", path: itemPath, body: item("")}
	invalid := fault.New(fault.Invalid, "UNIT_UNKNOWN", "no such unit").WithField("item.packaging_units[2].unit", "UNIT_UNKNOWN", "XX is none").With("unit", "XX")
	for name, c := range map[string]struct {
		err    error
		status int
		retry  string
		want   edge.Problem
	}{
		"fields": {invalid, 400, "", edge.Problem{
			Type: "urn:lockstep:reason:UNIT_UNKNOWN", Title: "The request is not valid", Detail: "no such unit", Code: "UNIT_UNKNOWN", Metadata: map[string]string{"unit": "XX"},
			Errors: []edge.FieldProblem{{Pointer: "#/item/packagingUnits/2/unit", Detail: "XX is none", Code: "UNIT_UNKNOWN"}},
		}},
		"refused":     {fault.New(fault.Refused, "BASE_UNIT_FIXED", "cannot change"), 409, "", edge.Problem{Type: "urn:lockstep:reason:BASE_UNIT_FIXED", Title: "A rule forbids it in this state", Detail: "cannot change", Code: "BASE_UNIT_FIXED"}},
		"stale":       {fault.New(fault.Stale, "ETAG_STALE", "version 3"), 412, "", edge.Problem{Type: "urn:lockstep:reason:ETAG_STALE", Title: "The resource has changed", Detail: "version 3", Code: "ETAG_STALE"}},
		"key reused":  {fault.New(fault.KeyReused, "IDEMPOTENCY_KEY_REUSED", "other"), 422, "", edge.Problem{Type: "urn:lockstep:reason:IDEMPOTENCY_KEY_REUSED", Title: "The idempotency key was used for another request", Detail: "other", Code: "IDEMPOTENCY_KEY_REUSED"}},
		"in progress": {fault.New(fault.InProgress, "IDEMPOTENCY_IN_PROGRESS", "wait").After(1200 * time.Millisecond), 409, "2", edge.Problem{Type: "urn:lockstep:reason:IDEMPOTENCY_IN_PROGRESS", Title: "A command with this key is being worked on", Detail: "wait", Code: "IDEMPOTENCY_IN_PROGRESS", Retry: true}},
		"down":        {fault.New(fault.Unavailable, "UNAVAILABLE", "down"), 503, "1", edge.Problem{Type: "urn:lockstep:reason:UNAVAILABLE", Title: "Not available now", Detail: "down", Code: "UNAVAILABLE", Retry: true}},
		"full":        {fault.New(fault.Exhausted, "OVERLOADED", "full").After(time.Minute), 429, "60", edge.Problem{Type: "urn:lockstep:reason:OVERLOADED", Title: "A limit is reached", Detail: "full", Code: "OVERLOADED", Retry: true}},
		"internal": {fault.New(fault.Internal, "INTERNAL", "an internal error occurred").With("incident", "inc-1"), 500, "", edge.Problem{
			Type: "urn:lockstep:reason:INTERNAL", Title: "Internal error", Detail: "an internal error occurred", Code: "INTERNAL", Retry: true, Incident: "inc-1",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			a := do(t, serve(t, config(), &backend{err: c.err}), put)
			c.want.Status, c.want.Request, c.want.Trace = c.status, a.problem.Request, a.problem.Trace
			if diff := cmp.Diff(c.want, a.problem); diff != "" || a.status != c.status || a.header.Get("Retry-After") != c.retry {
				t.Errorf("%d, Retry-After %q (-want +got):\n%s", a.status, a.header.Get("Retry-After"), diff)
			}
		})
	}
}

// TestNothingOfTheInsideLeaves: an error that is no fault is masked and named by its incident.
func TestNothingOfTheInsideLeaves(t *testing.T) {
	b := &backend{err: io.ErrUnexpectedEOF}
	a := do(t, serve(t, config(), b), request{method: "GET", path: itemPath})
	if a.status != http.StatusInternalServerError || a.problem.Incident == "" || strings.Contains(a.body, "EOF") {
		t.Errorf("%d %s", a.status, a.body)
	}
}

func TestDeadline(t *testing.T) {
	cfg := config()
	cfg.Deadline = 20 * time.Millisecond
	a := do(t, serve(t, cfg, &backend{wait: time.Minute}), request{method: "GET", path: itemPath, header: map[string]string{"Grpc-Timeout": "1H"}})
	if a.status != http.StatusGatewayTimeout || a.problem.Code != "DEADLINE_EXCEEDED" {
		t.Errorf("%d %s", a.status, a.body)
	}
}

func TestTooManyAtATime(t *testing.T) {
	cfg := config()
	cfg.InFlight, cfg.Deadline = 1, time.Minute
	b := &backend{wait: time.Minute, called: make(chan struct{}, 1)}
	s := serve(t, cfg, b)
	ctx, stop := context.WithCancel(context.Background())
	first, err := http.NewRequestWithContext(ctx, "GET", s.URL+itemPath, nil)
	if err != nil {
		t.Fatal(err)
	}
	first.Header.Set("Authorization", "Bearer "+token)
	var group sync.WaitGroup
	group.Go(func() {
		if resp, err := http.DefaultTransport.RoundTrip(first); err == nil {
			resp.Body.Close()
		}
	})
	<-b.called // the only slot is taken
	a := do(t, s, request{method: "GET", path: itemPath})
	if a.status != http.StatusServiceUnavailable || a.problem.Code != "OVERLOADED" || a.header.Get("Retry-After") == "" {
		t.Errorf("%d %s", a.status, a.body)
	}
	for _, probe := range []string{"/livez", "/readyz"} { // busy is alive
		if a := do(t, s, request{method: "GET", path: probe, header: map[string]string{"Authorization": ""}}); a.status != http.StatusNoContent {
			t.Errorf("%s of a busy gateway: %d %s", probe, a.status, a.body)
		}
	}
	stop()
	group.Wait()
}

func TestManyHeaders(t *testing.T) {
	b := &backend{}
	s := serve(t, config(), b)
	header := map[string]string{}
	for i := range 70 {
		header["X-Filler-"+strings.Repeat("a", i+1)] = "1"
	}
	if a := do(t, s, request{"GET", itemPath, "", header}); a.status != http.StatusRequestHeaderFieldsTooLarge || b.calls != 0 {
		t.Errorf("%d %s", a.status, a.body)
	}
}

func TestOpenPaths(t *testing.T) {
	s := serve(t, config(), &backend{})
	stranger := map[string]string{"Authorization": ""}
	for path, want := range map[string]int{"/livez": 204, "/readyz": 204, "/openapi.json": 200, "/livez/": 401, "/openapi.json/x": 401} {
		if a := do(t, s, request{"GET", path, "", stranger}); a.status != want {
			t.Errorf("%s: %d, want %d", path, a.status, want)
		}
	}
	if a := do(t, s, request{"POST", "/livez", "{}", stranger}); a.status != http.StatusUnauthorized {
		t.Errorf("POST /livez: %d", a.status)
	}
}

// TestEveryRouteIsKnown sends one request to each route: the router and the table of
// routes must mean the same RPC.
func TestEveryRouteIsKnown(t *testing.T) {
	b := &backend{err: fault.New(fault.NotFound, "SERVED", "")}
	s := serve(t, config(), b)
	routes, err := edge.Routes([]edge.Service{{Proto: "lockstep.masterdata.v1.MasterDataService"}})
	if err != nil || len(routes) < 20 {
		t.Fatal(len(routes), err)
	}
	for _, r := range routes {
		path := strings.NewReplacer("{sku}", "A", "{code}", "A", "{api_key_name}", "A", "{object_type}", "OBJECT_TYPE_ITEM").Replace(r.Path)
		a := do(t, s, request{method: r.Method, path: path})
		want := "/" + string(r.RPC.Parent()) + "/" + string(r.RPC.Name())
		if a.problem.Code != "SERVED" || b.method != want {
			t.Errorf("%s %s: %s went to %s", r.Method, path, a.body, b.method)
		}
	}
}
