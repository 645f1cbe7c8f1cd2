package embedded

import (
	"errors"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/goleak"

	"github.com/lockstep-logistics/lockstep/libs/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m, func() error { return goleak.Find() }) }

func TestPartsServeAndExpire(t *testing.T) {
	p, err := Start(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	js, err := jetstream.New(p.NATS, jetstream.WithDefaultTimeout(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	if _, err := js.CreateStream(ctx, jetstream.StreamConfig{Name: "S", Subjects: []string{"s.>"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := js.Publish(ctx, "s.a", []byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := p.Redis.Set(ctx, "k", "v", 1500*time.Millisecond).Err(); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, time.Minute, func() error {
		if p.Redis.Exists(ctx, "k").Val() == 1 {
			return errors.New("a key outlives its time to live")
		}
		return nil
	})
}
