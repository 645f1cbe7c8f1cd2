package adapter

// The facts of every source are linked in, so that their types are known by name.
import (
	_ "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/freightsettlement/v1"  // facts of freight-settlement
	_ "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/integration/v1"        // facts of integration
	_ "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"  // facts of inventory-movement
	_ "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"       // facts of order-release
	_ "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/returns/v1"            // facts of returns
	_ "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/shipmentvisibility/v1" // facts of shipment-visibility
)

// Sources are the services whose facts make stories. Master data is not among them: its
// records are what documents refer to, and no story goes through them.
var Sources = []string{
	"order-release", "inventory-movement", "shipment-visibility", "freight-settlement", "returns", "integration",
}
