// Command gateway serves the API of the suite over HTTP.
package main

import (
	"github.com/lockstep-logistics/lockstep/gateway"
	"github.com/lockstep-logistics/lockstep/libs/host"
)

func main() {
	host.Main(gateway.Name, gateway.Defaults(), gateway.New, host.Stateless)
}
