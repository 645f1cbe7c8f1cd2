package suite

import (
	"github.com/lockstep-logistics/lockstep/libs/host"
	masterdata "github.com/lockstep-logistics/lockstep/services/master-data"
)

// services are all services of the suite with their default settings; a new one is a line here.
func services() []*host.Unit {
	return []*host.Unit{
		host.Bind(masterdata.Name, masterdata.Defaults(), masterdata.New),
	}
}
