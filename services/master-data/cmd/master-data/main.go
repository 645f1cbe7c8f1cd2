// Command master-data runs the service that owns items, parties, locations and carriers.
package main

import (
	"github.com/lockstep-logistics/lockstep/libs/host"
	masterdata "github.com/lockstep-logistics/lockstep/services/master-data"
)

func main() {
	host.Main(masterdata.Name, masterdata.Defaults(), masterdata.New)
}
