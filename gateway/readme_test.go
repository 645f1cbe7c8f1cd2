package gateway

import (
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/host/hosttest"
)

func TestReadmeIsTrue(t *testing.T) { hosttest.ConfigTable(t, "README.md", Unit(Defaults())) }
