// Command order-release runs the service that owns orders and their release to a warehouse.
package main

import (
	"github.com/lockstep-logistics/lockstep/libs/host"
	orderrelease "github.com/lockstep-logistics/lockstep/services/order-release"
)

func main() {
	host.Main(orderrelease.Name, orderrelease.Defaults(), orderrelease.New)
}
