// Package view composes answers from several services: the parts are read at the same
// time under one deadline, and a part that cannot be read is named instead of failing
// the whole.
package view

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/lockstep-logistics/lockstep/libs/clock"
	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/fault/wire"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	gatewayv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/gateway/v1"
	orderreleasev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
)

// part is one piece of an order's view.
type part struct {
	name    string // of its field in OrderView
	service string // that owns it
	// read asks the service and returns how the answer goes into the view.
	read func(context.Context, reader) (func(*gatewayv1.OrderView), error)
}

// reader is what a part reads with.
type reader struct {
	orderID string
	conn    grpc.ClientConnInterface // to the part's service
	// order returns the order, waiting for it: for parts that depend on its lines.
	order func(context.Context) (*orderreleasev1.Order, error)
}

// Server implements OrderViewService.
type Server struct {
	gatewayv1.UnimplementedOrderViewServiceServer
	dial     func(service string) grpc.ClientConnInterface
	clock    clock.Clock
	deadline time.Duration
	parts    []part
}

// NewServer returns a server that reads over the connections and gives each view the time.
func NewServer(dial func(service string) grpc.ClientConnInterface, c clock.Clock, deadline time.Duration) *Server {
	return &Server{dial: dial, clock: c, deadline: deadline, parts: parts}
}

// outcome is how the reading of a part ended.
type outcome struct {
	put func(*gatewayv1.OrderView)
	err error
}

// GetOrderView reads all parts of an order. An order that does not exist is NOT_FOUND, and
// so is one that the caller may not see.
func (s *Server) GetOrderView(ctx context.Context, req *gatewayv1.GetOrderViewRequest) (*gatewayv1.GetOrderViewResponse, error) {
	id, err := orderID(ctx, req)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.deadline)
	defer cancel()
	view := &gatewayv1.OrderView{OrderId: id, AsOfTime: timestamppb.New(s.clock.Now())}
	outcomes := s.readAll(ctx, id)
	for i, o := range outcomes {
		if s.parts[i].name == "order" && fault.IsKind(o.err, fault.NotFound, fault.Denied) {
			return nil, o.err
		}
		if o.err != nil {
			view.Missing = append(view.Missing, missing(s.parts[i], o.err))
			continue
		}
		o.put(view)
	}
	if len(view.GetMissing()) == len(s.parts) {
		return nil, nothing(view.GetMissing())
	}
	view.Etag = tagOf(view)
	return &gatewayv1.GetOrderViewResponse{OrderView: view}, nil
}

// orderID returns the id that the request means; an order number with its system is as good as one.
func orderID(ctx context.Context, req *gatewayv1.GetOrderViewRequest) (string, error) {
	byID, byNumber := req.GetOrderId() != "", req.GetOrderNumber() != "" || req.GetSourceSystem() != ""
	switch {
	case byID && !byNumber:
		return req.GetOrderId(), nil
	case !byID && req.GetOrderNumber() != "" && req.GetSourceSystem() != "":
		caller, _ := guard.CallerOf(ctx)
		return ident.Derive("ord", caller.Tenant, req.GetSourceSystem(), req.GetOrderNumber()), nil
	}
	return "", fault.New(fault.Invalid, "ORDER_KEY_REQUIRED", "give an order id, or an order number with its source system").
		WithField("order_number", "ORDER_KEY_REQUIRED", "comes together with source_system and without order_id")
}

// readAll reads the parts at the same time.
func (s *Server) readAll(ctx context.Context, id string) []outcome {
	outcomes := make([]outcome, len(s.parts))
	order, known := future()
	var group sync.WaitGroup
	for i, p := range s.parts {
		group.Go(func() {
			o := &outcomes[i]
			o.put, o.err = p.read(ctx, reader{id, s.dial(p.service), order})
			if p.name == "order" {
				known(o)
			}
		})
	}
	group.Wait()
	return outcomes
}

// future returns how parts wait for the order and how it becomes known.
func future() (wait func(context.Context) (*orderreleasev1.Order, error), known func(*outcome)) {
	done := make(chan struct{})
	var found gatewayv1.OrderView
	var failed error
	wait = func(ctx context.Context) (*orderreleasev1.Order, error) {
		select {
		case <-done:
			return found.GetOrder(), failed
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	known = func(o *outcome) {
		if failed = o.err; failed == nil {
			o.put(&found)
		}
		close(done)
	}
	return wait, known
}

// missing names a part that could not be read, without a word about the inside.
func missing(p part, err error) *gatewayv1.MissingPart {
	f, ok := fault.As(err)
	switch {
	case ok && f.Kind != fault.Internal:
	case ok:
		f = fault.New(fault.Internal, "INTERNAL", "an internal error occurred")
	default:
		f = fault.New(fault.Unavailable, "UNAVAILABLE", "the service did not answer in time")
	}
	return &gatewayv1.MissingPart{Part: p.name, Service: p.service, Reason: f.Reason, Message: f.Message, Retryable: wire.Of(f.Kind).Retryable}
}

func nothing(parts []*gatewayv1.MissingPart) error {
	var services []string
	for _, p := range parts {
		services = append(services, p.GetService())
	}
	return fault.New(fault.Unavailable, "NO_PART_AVAILABLE", "none of the services answered").With("services", strings.Join(services, ","))
}

// tagOf changes with every part of the view but the moment of reading.
func tagOf(v *gatewayv1.OrderView) string {
	at := v.GetAsOfTime()
	v.AsOfTime = nil
	raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(v)
	v.AsOfTime = at
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(raw)
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:])[:26])
}
