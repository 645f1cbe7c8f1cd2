// Command shipment-visibility runs the service that owns shipments from plan to proof of delivery.
package main

import (
	"github.com/lockstep-logistics/lockstep/libs/host"
	shipmentvisibility "github.com/lockstep-logistics/lockstep/services/shipment-visibility"
)

func main() {
	host.Main(shipmentvisibility.Name, shipmentvisibility.Defaults(), shipmentvisibility.New)
}
