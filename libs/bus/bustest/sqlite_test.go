//go:build !race

package bustest_test

import (
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/bus/bustest"
	"github.com/lockstep-logistics/lockstep/libs/store"
)

// The race detector looks at the bus, which is the same on every engine: memory and MongoDB do
// for it, in half the time.

func TestSQLite(t *testing.T) {
	bustest.Run(t, func(t *testing.T) bustest.DB { return open(t, "sqlite:"+t.TempDir(), "bus", store.Options{}) })
}

func TestSQLiteWithTrailingSnapshots(t *testing.T) {
	bustest.Run(t, func(t *testing.T) bustest.DB {
		return open(t, "sqlite:"+t.TempDir(), "bus", store.Options{DelaySnapshots: true})
	})
}
