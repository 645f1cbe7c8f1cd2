package hosttest

import (
	"context"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/host"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
)

// ConfigTable holds a README's table of the units' own settings against their structs,
// between <!-- config --> and <!-- /config -->. What every process has stands in host's.
func ConfigTable(t testing.TB, readme string, units ...*host.Unit) {
	t.Helper()
	testkit.GoldenSection(t, readme, "config", host.ConfigTable(units...))
}

// AccessMatrix calls every method of a service under every role and as a service, and
// holds who is let in against the committed table, so that a change of access shows in
// a review.
func (s *Suite) AccessMatrix(t testing.TB, service, golden string) {
	t.Helper()
	rules := s.Host().Rules(service)
	callers := s.everyone(service)
	var b strings.Builder
	b.WriteString("| method |")
	for _, c := range callers {
		b.WriteString(" " + c.name + " |")
	}
	b.WriteString("\n|" + strings.Repeat(" --- |", len(callers)+1) + "\n")
	for _, method := range slices.Sorted(maps.Keys(rules)) {
		b.WriteString("| " + method[strings.LastIndex(method, ".")+1:] + " |")
		for _, c := range callers {
			mark := "   |"
			if s.letIn(t, service, method, rules[method], c.caller) {
				mark = " x |"
			}
			b.WriteString(mark)
		}
		b.WriteString("\n")
	}
	testkit.Golden(t, golden, b.String())
}

type named struct {
	name   string
	caller guard.Caller
}

// everyone is one caller a role, and a service.
func (s *Suite) everyone(service string) []named {
	var out []named
	for number := range int32(len(commonv1.Role_name)) {
		if r := commonv1.Role(number); r != commonv1.Role_ROLE_UNSPECIFIED {
			name := strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(r.String(), "ROLE_"), "_", "-"))
			c := s.Caller(r)
			if r == commonv1.Role_ROLE_CUSTOMER || r == commonv1.Role_ROLE_PARTNER {
				c.Party = ident.Derive("pty", s.Tenant, "nobody") // they see their own only: nothing
			}
			out = append(out, named{name, c})
		}
	}
	return append(out, named{"services", s.Service(service)})
}

// letIn reports whether a caller gets past the access rule: with an empty request, what
// comes after may refuse the call for its own reasons.
func (s *Suite) letIn(t testing.TB, service, method string, rule guard.Rule, c guard.Caller) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), settle)
	defer cancel()
	err := s.call(ctx, service, method, rule, c)
	f, ok := fault.As(err)
	switch {
	case err == nil || errors.Is(err, io.EOF):
		return true
	case !ok:
		t.Fatalf("%s: %v", method, err)
	}
	return f.Reason != "METHOD_NOT_ALLOWED"
}

func (s *Suite) call(ctx context.Context, service, method string, rule guard.Rule, c guard.Caller) error {
	conn := s.Client(service, c)
	request, reply := rule.Request.New().Interface(), rule.Reply.New().Interface()
	if !rule.Stream {
		return conn.Invoke(ctx, method, request, reply)
	}
	stream, err := conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, method)
	if err != nil {
		return err
	}
	if err := stream.SendMsg(request); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	return stream.RecvMsg(reply)
}
