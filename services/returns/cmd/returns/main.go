// Command returns runs the service that owns returns, their dispositions and credits.
package main

import (
	"github.com/lockstep-logistics/lockstep/libs/host"
	"github.com/lockstep-logistics/lockstep/services/returns"
)

func main() {
	host.Main(returns.Name, returns.Defaults(), returns.New)
}
