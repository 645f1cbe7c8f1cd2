// Package rest calls the public REST API through the generated gRPC clients, so that one
// driver measures and tests both doors. A method without an HTTP rule cannot be called.
package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/lockstep-logistics/lockstep/libs/guard"
)

// Conn is a connection to the gateway with one credential; it implements
// grpc.ClientConnInterface. The idempotency key comes from the outgoing metadata.
type Conn struct {
	Base  string // scheme, host and port
	Token string // bearer token
	HTTP  *http.Client

	routes sync.Map // full method → route
}

// Problem is an answer that is no success.
type Problem struct {
	Status int    `json:"status"`
	Code   string `json:"code"`
	Detail string `json:"detail"`
	Retry  bool   `json:"retryable"`

	After time.Duration `json:"-"` // Retry-After; 0 when the answer had none
}

// Error implements error.
func (p *Problem) Error() string { return fmt.Sprintf("%d %s: %s", p.Status, p.Code, p.Detail) }

type route struct {
	method, path string
	body         bool
}

var parameter = regexp.MustCompile(`\{([a-z0-9_]+)\}`)

// Invoke implements grpc.ClientConnInterface.
func (c *Conn) Invoke(ctx context.Context, method string, args, reply any, _ ...grpc.CallOption) error {
	r, err := c.route(method)
	if err != nil {
		return err
	}
	in, out := proto.Clone(args.(proto.Message)), reply.(proto.Message)
	req, err := r.request(ctx, c.Base, in)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+c.Token)
	if md, _ := metadata.FromOutgoingContext(ctx); len(md.Get(guard.MetaKey)) > 0 {
		req.Header.Set("Idempotency-Key", md.Get(guard.MetaKey)[0])
	}
	resp, err := c.HTTP.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }() // read whole
	data, err := io.ReadAll(io.LimitReader(resp.Body, 64<<20))
	if err != nil {
		return err
	}
	if resp.StatusCode >= 300 {
		p := &Problem{Status: resp.StatusCode}
		if json.Unmarshal(data, p) != nil {
			p.Detail = string(data)
		}
		if seconds, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil {
			p.After = time.Duration(seconds) * time.Second
		}
		return p
	}
	return protojson.UnmarshalOptions{DiscardUnknown: true}.Unmarshal(data, out)
}

// NewStream implements grpc.ClientConnInterface; REST has no streams.
func (c *Conn) NewStream(context.Context, *grpc.StreamDesc, string, ...grpc.CallOption) (grpc.ClientStream, error) {
	return nil, errors.New("REST has no streams")
}

// route finds the HTTP rule of a method.
func (c *Conn) route(method string) (route, error) {
	if r, ok := c.routes.Load(method); ok {
		return r.(route), nil
	}
	name := protoreflect.FullName(strings.ReplaceAll(strings.TrimPrefix(method, "/"), "/", "."))
	found, err := protoregistry.GlobalFiles.FindDescriptorByName(name)
	if err != nil {
		return route{}, err
	}
	rule, _ := proto.GetExtension(found.Options(), annotations.E_Http).(*annotations.HttpRule)
	r := route{body: rule.GetBody() != ""}
	switch p := rule.GetPattern().(type) {
	case *annotations.HttpRule_Get:
		r.method, r.path = http.MethodGet, p.Get
	case *annotations.HttpRule_Post:
		r.method, r.path = http.MethodPost, p.Post
	case *annotations.HttpRule_Put:
		r.method, r.path = http.MethodPut, p.Put
	default:
		return route{}, fmt.Errorf("%s has no route", name)
	}
	c.routes.Store(method, r)
	return r, nil
}

// request makes the HTTP request of a message: what stands in the path leaves the body.
func (r route) request(ctx context.Context, base string, in proto.Message) (*http.Request, error) {
	m := in.ProtoReflect()
	path := parameter.ReplaceAllStringFunc(r.path, func(p string) string {
		f := m.Descriptor().Fields().ByName(protoreflect.Name(p[1 : len(p)-1]))
		value := url.PathEscape(m.Get(f).String())
		m.Clear(f)
		return value
	})
	if r.body {
		body, err := protojson.Marshal(in)
		if err != nil {
			return nil, err
		}
		req, err := http.NewRequestWithContext(ctx, r.method, base+path, bytes.NewReader(body))
		if err == nil {
			req.Header.Set("Content-Type", "application/json")
		}
		return req, err
	}
	query := url.Values{}
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		text := v.String()
		if f.Enum() != nil {
			text = string(f.Enum().Values().ByNumber(v.Enum()).Name())
		}
		query.Set(string(f.Name()), text)
		return true
	})
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return http.NewRequestWithContext(ctx, r.method, base+path, http.NoBody)
}
