package adapter

import (
	"cmp"
	"context"
	"encoding/base64"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/clock"
	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/store"
	controltowerv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/controltower/v1"
	"github.com/lockstep-logistics/lockstep/services/control-tower/internal/domain"
)

// Server implements ControlTowerService.
type Server struct {
	controltowerv1.UnimplementedControlTowerServiceServer
	rows   store.Rows
	bounds Bounds
	clock  clock.Clock
	judged int // documents that one page of claims looks into, at most
}

// Bounds are what answers hold when the caller does not say.
type Bounds struct {
	Nodes, Steps int           // of a trace, at most
	OlderThan    time.Duration // how long claims hang before they are listed
}

// NewServer returns a server of the database's rows.
func NewServer(db *store.DB, c clock.Clock, b Bounds) *Server {
	return &Server{rows: db.Table(table, index), bounds: b, clock: c, judged: 1000}
}

// Trace tells the story of a key.
func (s *Server) Trace(ctx context.Context, req *controltowerv1.TraceRequest) (*controltowerv1.TraceResponse, error) {
	t := &tracer{
		rows: s.rows, tenant: store.CauseOf(ctx).Tenant, steps: map[string]*controltowerv1.TraceStep{},
		limits: domain.Limits{Nodes: s.bounds.Nodes, Facts: s.bounds.Steps},
	}
	g, starts, err := t.trace(ctx, req.GetKey(), typeOf(req.GetType()))
	if err != nil {
		return nil, err
	}
	return answer(g, starts, t.steps), nil
}

// answer renders what a walk found.
func answer(g domain.Graph, starts []domain.Key, steps map[string]*controltowerv1.TraceStep) *controltowerv1.TraceResponse {
	out := &controltowerv1.TraceResponse{Keys: protovalue.Each(starts, keyProto), Truncated: g.Truncated}
	in := map[domain.Key]bool{}
	for _, n := range g.Nodes {
		in[n.Key] = true
		node := &controltowerv1.TraceNode{Key: keyProto(n.Key), Distance: int32(n.Distance), GathersMore: n.Closed}
		if n.Source.ID != "" {
			node.Source = &controltowerv1.SourceAggregate{Service: n.Source.Service, AggregateType: n.Source.Type, AggregateId: n.Source.ID}
		}
		out.Nodes = append(out.Nodes, node)
	}
	for _, e := range g.Edges {
		out.Edges = append(out.Edges, &controltowerv1.TraceEdge{From: keyProto(e.From), To: keyProto(e.To), EventId: e.EventID})
	}
	for _, f := range g.Facts {
		step := steps[f.ID]
		step.Title = title(step)
		step.Keys = nil
		for _, k := range f.Keys {
			if in[k] || !k.Links() {
				step.Keys = append(step.Keys, keyProto(k))
			}
		}
		out.Steps = append(out.Steps, step)
	}
	return out
}

const (
	shortest    = 2    // letters or digits of a prefix
	defaultPage = 50   //
	scanned     = 2000 // numbers looked through for one page
)

// SearchKeys finds numbers by how they begin.
func (s *Server) SearchKeys(ctx context.Context, req *controltowerv1.SearchKeysRequest) (*controltowerv1.SearchKeysResponse, error) {
	normal := domain.Normal(req.GetPrefix())
	if utf8.RuneCountInString(normal) < shortest || !strings.ContainsFunc(normal, unicode.IsLetter) && !strings.ContainsFunc(normal, unicode.IsDigit) {
		return nil, fault.New(fault.Invalid, "INVALID_REQUEST", "the prefix is too short").
			WithField("prefix", "PREFIX_TOO_SHORT", "give at least %d letters or digits", shortest)
	}
	prefix := keyRow + clipped(normal)
	after, err := begin(prefix, req.GetPageToken())
	if err != nil {
		return nil, err
	}
	return s.search(ctx, prefix, after, typeOf(req.GetType()), pageSize(req))
}

func pageSize(req interface{ GetPageSize() int32 }) int {
	return cmp.Or(int(req.GetPageSize()), defaultPage)
}

// search reads the range of rows that begin with the prefix. When many of them are of other
// types, a page may be short, even empty, with a token to go on.
func (s *Server) search(ctx context.Context, prefix, after string, want domain.KeyType, size int) (*controltowerv1.SearchKeysResponse, error) {
	out, tenant := &controltowerv1.SearchKeysResponse{}, store.CauseOf(ctx).Tenant
	for read := 0; read < scanned; {
		rows, err := s.rows.List(ctx, tenant, "", "", after, 200)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			if !strings.HasPrefix(row.ID, prefix) {
				return out, nil
			}
			if len(out.GetKeys()) == size {
				out.NextPageToken = token(after)
				return out, nil
			}
			k := &controltowerv1.BusinessKey{}
			if err := proto.Unmarshal(row.Body, k); err != nil {
				return nil, fault.New(fault.Internal, "KEY_UNREADABLE", "row %s cannot be read", row.ID).Wrap(err)
			}
			if want == "" || typeOf(k.GetType()) == want {
				out.Keys = append(out.Keys, k)
			}
			after = row.ID
		}
		if len(rows) < 200 {
			return out, nil
		}
		read += len(rows)
	}
	out.NextPageToken = token(after)
	return out, nil
}

// A page token is the last row that was read. It is good for any search in whose range it
// lies, and for the tenant of the caller only, whose rows it can name.
func token(row string) string { return base64.RawURLEncoding.EncodeToString([]byte(row)) }

// begin is the row after which a page begins. The rows of a prefix come right after it.
func begin(prefix, token string) (string, error) {
	if token == "" {
		return prefix, nil
	}
	row, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || !strings.HasPrefix(string(row), prefix) || !utf8.Valid(row) {
		return "", tokenInvalid()
	}
	return string(row), nil
}

func tokenInvalid() error {
	return fault.New(fault.Invalid, "PAGE_TOKEN_INVALID", "the page token does not belong to this list").
		WithField("page_token", "PAGE_TOKEN_INVALID", "start without a token")
}
