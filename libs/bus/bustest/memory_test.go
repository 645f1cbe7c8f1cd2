package bustest_test

import (
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/bus/bustest"
)

func TestMemory(t *testing.T) {
	bustest.Run(t, func(*testing.T) bustest.DB { return bustest.NewMemory(bustest.Thing, bustest.Other) })
}
