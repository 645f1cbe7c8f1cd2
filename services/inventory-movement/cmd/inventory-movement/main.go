// Command inventory-movement runs the service that owns stock and warehouse orders.
package main

import (
	"github.com/lockstep-logistics/lockstep/libs/host"
	inventorymovement "github.com/lockstep-logistics/lockstep/services/inventory-movement"
)

func main() {
	host.Main(inventorymovement.Name, inventorymovement.Defaults(), inventorymovement.New)
}
