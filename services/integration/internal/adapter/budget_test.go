package adapter

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/fault/wire"
	"github.com/lockstep-logistics/lockstep/libs/store"
	integrationv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/integration/v1"
	"github.com/lockstep-logistics/lockstep/services/integration/internal/memory"
)

const mib = 1 << 20

// methods takes what a service registers.
type methods map[string]grpc.MethodHandler

func (m methods) RegisterService(desc *grpc.ServiceDesc, _ any) {
	for _, method := range desc.Methods {
		m[method.MethodName] = method.Handler
	}
}

// TestRequestsKeepToTheBudget: of many large requests at a time no more bytes go on to the
// interceptors than the budget has; those beyond what may wait are told when to come again, and
// requests without documents pass.
func TestRequestsKeepToTheBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := methods{}
		integrationv1.RegisterIntegrationServiceServer(Bounded(m, "integration", memory.NewBudget(8*mib)), integrationv1.UnimplementedIntegrationServiceServer{})
		var inside, passed, refused atomic.Int64
		let := make(chan struct{})
		call := func(method string, bytes int) error {
			decode := func(req any) error {
				if batch, ok := req.(*integrationv1.BatchImportDocumentsRequest); ok {
					batch.Documents = []*integrationv1.InboundDocument{{Content: make([]byte, bytes)}}
				}
				return nil
			}
			_, err := m[method](nil, t.Context(), decode, func(context.Context, any, *grpc.UnaryServerInfo, grpc.UnaryHandler) (any, error) {
				if n := inside.Add(int64(bytes)); n > 8*mib {
					t.Errorf("%d bytes are worked on", n)
				}
				if bytes > 0 {
					<-let
				}
				inside.Add(-int64(bytes))
				passed.Add(1)
				return nil, nil
			})
			return err
		}
		var group sync.WaitGroup
		for range 20 {
			group.Go(func() {
				if err := call("BatchImportDocuments", 5*mib); err != nil {
					if f, ok := fault.As(wire.FromStatus(err)); status.Code(err) != codes.ResourceExhausted || !ok || f.RetryAfter <= 0 {
						t.Errorf("refused with %v", err)
					}
					refused.Add(1)
				}
			})
		}
		synctest.Wait()
		if inside.Load() != 5*mib || refused.Load() != 13 { // six wait
			t.Errorf("%d bytes are worked on, %d requests refused", inside.Load(), refused.Load())
		}
		if err := call("GetDocument", 0); err != nil || passed.Load() != 1 {
			t.Errorf("a request without documents: %v", err)
		}
		close(let)
		group.Wait()
		if passed.Load() != 8 {
			t.Errorf("%d requests passed", passed.Load())
		}
	})
}

// rowsRead is a table of contents that counts what is read of it.
type rowsRead struct {
	store.Rows
	reads, most atomic.Int64
}

func (c *rowsRead) GetMany(_ context.Context, _ string, ids []string) ([]store.Row, error) {
	c.reads.Add(int64(len(ids)))
	c.most.Store(max(c.most.Load(), int64(len(ids))))
	rows := make([]store.Row, len(ids))
	for i, id := range ids { // in no order
		rows[len(ids)-1-i] = store.Row{ID: id, Body: append(make([]byte, pieceBytes-1), id[len(id)-1])}
	}
	return rows, nil
}

// TestContentsKeepToTheBudget: documents are read in pieces, few at a time, so many bytes of them
// are lent at a time and so many are kept, however many documents there are.
func TestContentsKeepToTheBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const pieces = 10
		table := &rowsRead{}
		c := newContents(table, memory.NewBudget(2*pieces*pieceBytes), 3*pieces*pieceBytes)
		var lent atomic.Int64
		let := make(chan struct{})
		lend := func(n int) {
			err := c.Lend(t.Context(), "t", fmt.Sprintf("sha%d", n), pieces*pieceBytes, func(content []byte) {
				if n := lent.Add(int64(len(content))); n > 2*pieces*pieceBytes {
					t.Errorf("%d bytes are lent", n)
				}
				<-let
				lent.Add(-int64(len(content)))
				for i := range pieces {
					if got := content[(i+1)*pieceBytes-1]; got != byte('0'+i) {
						t.Errorf("piece %d is %c", i, got)
					}
				}
			})
			if err != nil {
				t.Error(err)
			}
		}
		var group sync.WaitGroup
		for n := range 8 {
			group.Go(func() { lend(n) })
		}
		synctest.Wait()
		if got := lent.Load(); got != 2*pieces*pieceBytes {
			t.Errorf("%d bytes are lent", got)
		}
		close(let)
		group.Wait()
		read := table.reads.Load()
		for n := range 8 { // three of them are kept, the others give way to one another
			lend(n)
		}
		if again := table.reads.Load() - read; read != 8*pieces || again < 5*pieces || table.most.Load() > piecesAtOnce {
			t.Errorf("%d pieces were read, %d again, %d at a time", read, again, table.most.Load())
		}
	})
}
