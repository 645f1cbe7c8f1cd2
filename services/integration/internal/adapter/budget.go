package adapter

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/fault/wire"
	integrationv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/integration/v1"
	"github.com/lockstep-logistics/lockstep/services/integration/internal/memory"
)

// Bounded registers services so that requests with documents keep to a budget, before anything
// else is done with them: the fingerprint of a request alone takes eight times its bytes.
func Bounded(r grpc.ServiceRegistrar, service string, b *memory.Budget) grpc.ServiceRegistrar {
	return bounded{r, service, b}
}

type bounded struct {
	grpc.ServiceRegistrar
	service string
	budget  *memory.Budget
}

// RegisterService implements grpc.ServiceRegistrar.
func (b bounded) RegisterService(desc *grpc.ServiceDesc, impl any) {
	own := *desc
	own.Methods = make([]grpc.MethodDesc, len(desc.Methods))
	for i, m := range desc.Methods {
		handle := m.Handler
		m.Handler = func(srv any, ctx context.Context, decode func(any) error, inside grpc.UnaryServerInterceptor) (any, error) {
			return handle(srv, ctx, decode, b.around(inside))
		}
		own.Methods[i] = m
	}
	b.ServiceRegistrar.RegisterService(&own, impl)
}

// around puts the budget around the other interceptors. What it refuses passes none of them, so
// it leaves as they would let it.
func (b bounded) around(inside grpc.UnaryServerInterceptor) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, req any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
		switch req.(type) {
		case *integrationv1.ImportDocumentRequest, *integrationv1.BatchImportDocumentsRequest:
			done, err := b.budget.Enter(ctx, int64(proto.Size(req.(proto.Message))))
			if err != nil {
				return nil, wire.Status(err, b.service).Err()
			}
			defer done()
		}
		if inside == nil {
			return handle(ctx, req)
		}
		return inside(ctx, req, info, handle)
	}
}
