package adapter

import (
	"context"

	"github.com/lockstep-logistics/lockstep/libs/bus"
	integrationv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/integration/v1"
	"github.com/lockstep-logistics/lockstep/services/integration/internal/app"
)

// Consumers drive documents on by their own facts: each portion begins where the fact of
// the one before says, so a process that dies goes on at the portion it was at.
func Consumers(a *app.App, name string) []bus.Consumer {
	return []bus.Consumer{
		bus.Routes(bus.Reactor, "hand-over", name,
			bus.On(func(ctx context.Context, _ bus.Fact, m *integrationv1.DocumentReceived) error {
				return a.Read(ctx, m.GetDocumentId())
			}),
			bus.On(func(ctx context.Context, _ bus.Fact, m *integrationv1.DocumentParsed) error {
				return a.Advance(ctx, m.GetDocumentId(), fromPlace(m.GetNext()))
			}),
			bus.On(func(ctx context.Context, _ bus.Fact, m *integrationv1.DocumentProgressed) error {
				return a.Advance(ctx, m.GetDocumentId(), fromPlace(m.GetNext()))
			}),
		),
	}
}
