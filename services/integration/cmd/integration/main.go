// Command integration runs the service that takes documents of other systems.
package main

import (
	"github.com/lockstep-logistics/lockstep/libs/host"
	integration "github.com/lockstep-logistics/lockstep/services/integration"
)

func main() {
	host.Main(integration.Name, integration.Defaults(), integration.New)
}
