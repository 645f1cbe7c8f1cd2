// Command freight-settlement runs the service that owns freight cost and carriers' invoices.
package main

import (
	"github.com/lockstep-logistics/lockstep/libs/host"
	freightsettlement "github.com/lockstep-logistics/lockstep/services/freight-settlement"
)

func main() {
	host.Main(freightsettlement.Name, freightsettlement.Defaults(), freightsettlement.New)
}
