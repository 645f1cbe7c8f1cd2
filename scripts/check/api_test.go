package main

import (
	"slices"
	"strings"
	"testing"

	_ "google.golang.org/genproto/googleapis/api/annotations" // for the fixture's options
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/lockstep-logistics/lockstep/scripts/internal/image"
)

// order is a service as it should be; the cases break one thing each.
const order = `
name: "lockstep/order/v1/order.proto" package: "lockstep.order.v1" syntax: "proto3"
dependency: "buf/validate/validate.proto" dependency: "google/api/annotations.proto"
dependency: "lockstep/common/v1/options.proto" dependency: "lockstep/common/v1/values.proto"
message_type { name: "CloseOrderRequest"
  field { name: "order_id" number: 1 label: LABEL_OPTIONAL type: TYPE_STRING options { [buf.validate.field] { string { pattern: "^ord_[a-z]{3}$" } } } }
  field { name: "etag" number: 2 label: LABEL_OPTIONAL type: TYPE_STRING options { [buf.validate.field] { string { max_len: 32 } } } } }
message_type { name: "CloseOrderResponse"
  field { name: "receipt" number: 1 label: LABEL_OPTIONAL type: TYPE_MESSAGE type_name: ".lockstep.common.v1.Receipt" } }
message_type { name: "ListOrdersRequest"
  field { name: "page_size" number: 1 label: LABEL_OPTIONAL type: TYPE_INT32 options { [buf.validate.field] { int32 { lte: 200 } } } }
  field { name: "page_token" number: 2 label: LABEL_OPTIONAL type: TYPE_STRING options { [buf.validate.field] { string { max_len: 512 } } } } }
message_type { name: "ListOrdersResponse" field { name: "next_page_token" number: 1 label: LABEL_OPTIONAL type: TYPE_STRING } }
service { name: "OrderService"
  method { name: "CloseOrder" input_type: ".lockstep.order.v1.CloseOrderRequest" output_type: ".lockstep.order.v1.CloseOrderResponse"
    options { [google.api.http] { post: "/v1/orders/{order_id}:close" body: "*" } [lockstep.common.v1.access] { roles: ROLE_LOGISTICS mutation: true } } }
  method { name: "ListOrders" input_type: ".lockstep.order.v1.ListOrdersRequest" output_type: ".lockstep.order.v1.ListOrdersResponse"
    options { [google.api.http] { get: "/v1/orders" } [lockstep.common.v1.access] { roles: ROLE_LOGISTICS } } }
}`

// facts are what that service publishes.
const facts = `
name: "lockstep/order/v1/events.proto" package: "lockstep.order.v1" syntax: "proto3" dependency: "lockstep/common/v1/options.proto"
message_type { name: "OrderClosed"
  field { name: "order_id" number: 1 label: LABEL_OPTIONAL type: TYPE_STRING options { [lockstep.common.v1.business_key]: BUSINESS_KEY_TYPE_ORDER } }
  field { name: "lines" number: 2 label: LABEL_REPEATED type: TYPE_MESSAGE type_name: ".lockstep.order.v1.ClosedLine" } }
message_type { name: "ClosedLine" field { name: "number" number: 1 label: LABEL_OPTIONAL type: TYPE_INT32 } }`

// found returns the findings for the fixture with old replaced by new.
func found(t *testing.T, old, replacement string) []finding {
	t.Helper()
	if fixture := order + facts; !strings.Contains(fixture, old) {
		t.Fatalf("the fixture has no %q", old)
	}
	set := &descriptorpb.FileDescriptorSet{}
	for _, text := range []string{order, facts} {
		fd := &descriptorpb.FileDescriptorProto{}
		if err := prototext.Unmarshal([]byte(strings.Replace(text, old, replacement, 1)), fd); err != nil {
			t.Fatal(err)
		}
		for _, name := range fd.GetDependency() {
			addFile(t, set, name)
		}
		set.File = append(set.File, fd)
	}
	img, err := image.Of(set)
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(checkAPI(img), func(f finding) bool { return !strings.HasPrefix(f.where, "lockstep.order.") })
}

// addFile adds a file that is linked into the test, after what it imports.
func addFile(t *testing.T, set *descriptorpb.FileDescriptorSet, name string) {
	t.Helper()
	if slices.ContainsFunc(set.File, func(f *descriptorpb.FileDescriptorProto) bool { return f.GetName() == name }) {
		return
	}
	d, err := protoregistry.GlobalFiles.FindFileByPath(name)
	if err != nil {
		t.Fatal(err)
	}
	for i := range d.Imports().Len() {
		addFile(t, set, d.Imports().Get(i).Path())
	}
	set.File = append(set.File, proto.CloneOf(protodesc.ToFileDescriptorProto(d)))
}

func TestAGoodServiceHasNoFindings(t *testing.T) {
	if f := found(t, "", ""); len(f) > 0 {
		t.Errorf("findings: %v", f)
	}
}

func TestAPIRules(t *testing.T) {
	for name, c := range map[string]struct{ old, replacement, want string }{
		"no access":             {`[lockstep.common.v1.access] { roles: ROLE_LOGISTICS }`, ``, "no access option"},
		"public for nobody":     {`{ roles: ROLE_LOGISTICS }`, `{ services: true }`, "no role may call it"},
		"internal for nobody":   {`[google.api.http] { get: "/v1/orders" } [lockstep.common.v1.access] { roles: ROLE_LOGISTICS }`, `[lockstep.common.v1.access] { }`, "called by nobody"},
		"shared request":        {`input_type: ".lockstep.order.v1.ListOrdersRequest"`, `input_type: ".lockstep.order.v1.CloseOrderRequest"`, "not ListOrdersRequest"},
		"shared response":       {`output_type: ".lockstep.order.v1.ListOrdersResponse"`, `output_type: ".lockstep.order.v1.CloseOrderResponse"`, "not ListOrdersResponse"},
		"outside v1":            {`"/v1/orders" }`, `"/orders" }`, "not under /v1/"},
		"mutation as a GET":     {`post: "/v1/orders/{order_id}:close" body: "*"`, `get: "/v1/orders/{order_id}:close"`, "is a GET"},
		"POST without a body":   {` body: "*"`, ``, "a POST has a body: false"},
		"verb in snake case":    {`:close"`, `:close_it"`, "not lowerCamelCase"},
		"segment in camel case": {`"/v1/orders" }`, `"/v1/saleOrders" }`, "not kebab-case"},
		"unknown parameter":     {`{order_id}:close`, `{ordr_id}:close`, "no field of the request"},
		"no receipt":            {`type_name: ".lockstep.common.v1.Receipt"`, `type_name: ".lockstep.common.v1.Money"`, "must be lockstep.common.v1.Receipt receipt"},
		"etag as a number":      {`name: "etag" number: 2 label: LABEL_OPTIONAL type: TYPE_STRING options { [buf.validate.field] { string { max_len: 32 } } }`, `name: "etag" number: 2 label: LABEL_OPTIONAL type: TYPE_INT64`, "field etag is int64"},
		"page without maximum":  {`int32 { lte: 200 }`, `int32 { gte: 0 }`, "page_size with a maximum"},
		"no page token":         {`name: "next_page_token"`, `name: "token"`, "next_page_token is missing"},
		"unbounded string":      {`string { max_len: 512 }`, `string { min_len: 1 }`, "has no limit"},
		"unbounded pattern":     {`^ord_[a-z]{3}$`, `^ord_[a-z]+$`, "has no limit"},
		"floating point":        {`name: "next_page_token" number: 1 label: LABEL_OPTIONAL type: TYPE_STRING`, `name: "next_page_token" number: 1 label: LABEL_OPTIONAL type: TYPE_DOUBLE`, "floating point"},
		"untraceable fact":      {`options { [lockstep.common.v1.business_key]: BUSINESS_KEY_TYPE_ORDER }`, ``, "cannot be traced"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, f := range found(t, c.old, c.replacement) {
				if strings.Contains(f.what, c.want) {
					return
				}
			}
			t.Errorf("findings %v, want one with %q", found(t, c.old, c.replacement), c.want)
		})
	}
}

// The keys of a document may stand together in a message of their own.
func TestKeysInAMessageOfTheirOwn(t *testing.T) {
	const key = `field { name: "order_id" number: 1 label: LABEL_OPTIONAL type: TYPE_STRING options { [lockstep.common.v1.business_key]: BUSINESS_KEY_TYPE_ORDER } }`
	const fact = "message_type { name: \"OrderClosed\"\n  " + key
	const keys = `field { name: "keys" number: 1 label: LABEL_OPTIONAL type: TYPE_MESSAGE type_name: ".lockstep.order.v1.Keys" }`
	for _, f := range found(t, fact, `message_type { name: "Keys" `+key+` } message_type { name: "OrderClosed" `+keys) {
		t.Errorf("%+v", f)
	}
	if len(found(t, fact, `message_type { name: "Keys" } message_type { name: "OrderClosed" `+keys)) != 1 {
		t.Error("a fact whose parts have no key either passes")
	}
}
