package guard

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/lockstep-logistics/lockstep/libs/store"
)

// Client signs a process's calls to services: the gateway's in the name of the
// verified caller, a service's in its own name for the tenant of the cause that it
// passes on.
type Client struct{ Issuer *Issuer }

// Unary is the interceptor for calls with one request.
func (c *Client) Unary(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	ctx, err := c.sign(ctx, method)
	if err != nil {
		return err
	}
	return invoke(ctx, method, req, reply, cc, opts...)
}

// Stream is the interceptor for streams.
func (c *Client) Stream(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, open grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	ctx, err := c.sign(ctx, method)
	if err != nil {
		return nil, err
	}
	return open(ctx, desc, cc, method, opts...)
}

func (c *Client) sign(ctx context.Context, method string) (context.Context, error) {
	var caller Caller
	var pairs []string
	if owner := c.Issuer.Owner(); owner == Gateway {
		caller, _ = CallerOf(ctx)
	} else {
		caller = ServiceCaller(owner, store.CauseOf(ctx).Tenant)
		pairs = append(causeOut(ctx, method), itemsOut(ctx)...)
	}
	token, err := c.Issuer.Token(caller)
	if err != nil {
		return nil, err
	}
	return metadata.AppendToOutgoingContext(ctx, append(pairs, metaAuthorization, "Bearer "+token)...), nil
}
