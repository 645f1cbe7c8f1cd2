//go:build !race

package bustest_test

import (
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/bus/bustest"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
)

// The heap is the process's: these run alone, and not with the race detector's memory in it.

func TestBacklogOnSQLite(t *testing.T) {
	bustest.Backlog(t, func(t *testing.T) bustest.DB { return open(t, "sqlite:"+t.TempDir(), "bus", store.Options{}) })
}

func TestBacklogOnMongo(t *testing.T) {
	uri := testkit.Mongo(t)
	bustest.Backlog(t, func(t *testing.T) bustest.DB { return open(t, uri, testkit.Database(t, uri), store.Options{}) })
}
