package suite

import (
	"github.com/lockstep-logistics/lockstep/libs/host"
	controltower "github.com/lockstep-logistics/lockstep/services/control-tower"
	freightsettlement "github.com/lockstep-logistics/lockstep/services/freight-settlement"
	"github.com/lockstep-logistics/lockstep/services/integration"
	inventorymovement "github.com/lockstep-logistics/lockstep/services/inventory-movement"
	masterdata "github.com/lockstep-logistics/lockstep/services/master-data"
	orderrelease "github.com/lockstep-logistics/lockstep/services/order-release"
	"github.com/lockstep-logistics/lockstep/services/returns"
	shipmentvisibility "github.com/lockstep-logistics/lockstep/services/shipment-visibility"
)

// services are all services of the suite with their default settings; a new one is a line here.
func services() []*host.Unit {
	return []*host.Unit{
		host.Bind(masterdata.Name, masterdata.Defaults(), masterdata.New),
		host.Bind(orderrelease.Name, orderrelease.Defaults(), orderrelease.New),
		host.Bind(inventorymovement.Name, inventorymovement.Defaults(), inventorymovement.New),
		host.Bind(shipmentvisibility.Name, shipmentvisibility.Defaults(), shipmentvisibility.New),
		host.Bind(freightsettlement.Name, freightsettlement.Defaults(), freightsettlement.New),
		host.Bind(returns.Name, returns.Defaults(), returns.New),
		host.Bind(integration.Name, integration.Defaults(), integration.New),
		host.Bind(controltower.Name, controltower.Defaults(), controltower.New),
	}
}
