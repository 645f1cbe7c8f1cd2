package store_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/libs/store/storetest"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
)

// TestStartInAFailOver: a process that opens its database while the set has no primary waits
// for one; so does one whose tables and indexes are met by a step-down.
func TestStartInAFailOver(t *testing.T) {
	node := testkit.StartMongod(t)
	admin, err := mongo.Connect(options.Client().ApplyURI(node.URI() + "&directConnection=true"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = admin.Disconnect(context.Background()) })
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	stepDown := func() {
		t.Helper()
		down := bson.D{{Key: "replSetStepDown", Value: 3}, {Key: "force", Value: true}}
		if err := admin.Database("admin").RunCommand(ctx, down).Err(); err != nil {
			t.Fatal(err)
		}
	}
	stepDown()
	db, err := store.Open(ctx, store.Config{URI: node.URI(), Database: "late"}, store.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatalf("opened without a primary: %v", err)
	}
	t.Cleanup(func() {
		if err := db.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	stepDown()
	c := store.Register(db, storetest.Type(1)) // makes indexes
	rows := db.Table("late", "by")
	if err := rows.Put(ctx, store.Row{Tenant: "t1", ID: "r", Version: 1, Keys: map[string][]string{"by": {"x"}}}); err != nil {
		t.Error(err)
	}
	openStocks(t, c)
}
