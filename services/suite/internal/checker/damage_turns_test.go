package checker

import (
	imv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	orv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
)

var damagesOfTurns = []damage{
	{
		"a warehouse never said that it goes on", without(warehouse, &imv1.WarehouseOrderStopRefused{}),
		[]string{"I1", "I4?", "I7", "I9"},
		"a warehouse that is to stop answers: 0 of 1", notApplied,
	},
	{
		"a stop's refusal was never told to the order", without(release, &orv1.StopRefused{}),
		[]string{"I4?", "I7", "I9"},
		"a warehouse's answer to a stop is told to the order: 0 of 1", notApplied,
	},
	{
		"a stopped warehouse order never said what it keeps", without(warehouse, &imv1.WarehouseOrderStockKept{}),
		[]string{"I2", "I4?", "I7", "I9"},
		"a stopped warehouse order tells what it keeps: 0 of 1", notApplied,
	},
	{
		"what a stopped release keeps is promised to nobody", altered(release, every[*orv1.ReleaseWithdrawn], func(m *orv1.ReleaseWithdrawn) { m.Claims = nil }),
		[]string{"I9"},
		"what a stopped release keeps is promised to its order again: 0 of", notApplied,
	},
	{
		"a stopped release was released all the same", without(release, &orv1.ReleaseWithdrawn{}),
		[]string{"I4?", "I6", "I7", "I9"},
		"released and 0 cancelled of", notApplied,
	},
	{
		"goods were put back twice", altered(warehouse, func(m *imv1.StockMoved) bool {
			return m.GetType() == imv1.MovementType_MOVEMENT_TYPE_PUT_BACK
		}, func(m *imv1.StockMoved) { m.Quantity = "2" }),
		[]string{"I2"},
		"what is put back stands in stock: 6 followed where 3", twice,
	},
	{
		"what was put back stands nowhere", altered(warehouse, func(m *imv1.StockMoved) bool {
			return m.GetType() == imv1.MovementType_MOVEMENT_TYPE_PUT_BACK
		}, func(m *imv1.StockMoved) { m.Type = imv1.MovementType_MOVEMENT_TYPE_MOVE }),
		[]string{"I9"},
		"what is put back stands in stock: 0 of 3", notApplied,
	},
	{
		"more was put back than was picked", altered(warehouse, every[*imv1.PutBackConfirmed], func(m *imv1.PutBackConfirmed) { m.Lines[0].Quantity.Value = "9" }),
		[]string{"I6", "I9"},
		"more than was picked", notApplied,
	},
	{
		"an order was cancelled and its goods lie packed", without(warehouse, &imv1.PutBackConfirmed{}),
		[]string{"I1", "I2", "I4?", "I6", "I7", "I9"},
		"is over with 3 picked", twice,
	},
	{
		"what was put back was never told to the order", altered(release, func(m *orv1.ReleaseCancelled) bool { return len(m.GetPutBack()) > 0 },
			func(m *orv1.ReleaseCancelled) { m.PutBack = nil }),
		[]string{"I9"},
		"what is put back is told to the order: 0 of 3", notApplied,
	},
	{
		"an order still waits for its cancellation", without(release, &orv1.CancelRefused{}),
		[]string{"I4?", "I7", "I9"},
		"a warehouse's word on a cancellation is told to the order: 0 of 1", notApplied,
	},
	{
		"more came than is booked", altered(warehouse, every[*imv1.GoodsReceived], func(m *imv1.GoodsReceived) { m.Parts[0].Quantity.Value = "9" }),
		[]string{"I2", "I6", "I9"},
		"what is received of a delivery moves in stock: 1 of 9", notApplied,
	},
	{
		"a delivery brought what nobody announced", altered(warehouse, every[*imv1.InboundRemainderCancelled], func(m *imv1.InboundRemainderCancelled) {
			m.Lines[0].Quantity.Value = "4"
		}),
		[]string{"I2", "I6"},
		"it too much, and 4 cancelled of 4 announced", twice,
	},
	{
		"stock expects more than was announced", altered(warehouse, func(m *imv1.SupplyChanged) bool {
			return m.GetReason() == imv1.SupplyChangeReason_SUPPLY_CHANGE_REASON_ANNOUNCED
		}, func(m *imv1.SupplyChanged) { m.Change = "5" }),
		[]string{"I2"},
		"what a delivery still brings is what stock expects: 1 followed where 0", twice,
	},
	{
		"an order that ended is promised what comes", altered(warehouse, func(m *imv1.SupplyPromised) bool { return m.GetChange() == "2" },
			func(m *imv1.SupplyPromised) { m.Change = "3" }),
		[]string{"I2", "I9"},
		"which has ended", notApplied,
	},
	{
		"a promise counts on what nobody promised", altered(warehouse, every[*imv1.SupplyPromiseDated], func(m *imv1.SupplyPromiseDated) { m.Uncovered = "5" }),
		[]string{"I2"},
		"counts on", nil,
	},
}
