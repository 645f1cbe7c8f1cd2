package host

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
)

func TestReadmeIsTrue(t *testing.T) {
	testkit.GoldenSection(t, "README.md", "config", ConfigTable())
	var b strings.Builder
	b.WriteString("| step | why there |\n| --- | --- |\n")
	for _, s := range (&chain{access: &guard.Access{}, limit: guard.NewLimit(1), once: &guard.Idempotency{}}).steps() {
		fmt.Fprintf(&b, "| %s | %s |\n", s.name, s.why)
	}
	testkit.GoldenSection(t, "README.md", "steps", b.String())
}
