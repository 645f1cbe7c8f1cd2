package embedded

import (
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestPartsServeAndExpire(t *testing.T) {
	p, err := Start(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	js, err := jetstream.New(p.NATS)
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
	deadline := time.After(10 * time.Second)
	for p.Redis.Exists(ctx, "k").Val() == 1 {
		select {
		case <-deadline:
			t.Fatal("a key outlived its time to live")
		case <-time.After(50 * time.Millisecond):
		}
	}
}
