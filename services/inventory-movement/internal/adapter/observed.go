package adapter

import (
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	imv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// orderWord and stockWord are what was said by commands that others own, as it is stored and published.
func orderWord(f domain.OrderWordObserved) *imv1.WarehouseOrderWordObserved {
	return &imv1.WarehouseOrderWordObserved{Keys: orderKeys(f.OrderKeys), Word: protovalue.ForeignWord(f.Word)}
}

func stockWord(f domain.StockWordObserved) *imv1.StockWordObserved {
	return &imv1.StockWordObserved{Stock: stockKey(f.StockKey), Word: protovalue.ForeignWord(f.Word)}
}

func fromOrderWord(m *imv1.WarehouseOrderWordObserved) (domain.OrderFact, error) {
	return domain.OrderWordObserved{OrderKeys: fromOrderKeys(m.GetKeys()), Word: protovalue.FromForeignWord(m.GetWord())}, nil
}

func fromStockWord(m *imv1.StockWordObserved) (domain.StockFact, error) {
	return domain.StockWordObserved{StockKey: fromStockKey(m.GetStock()), Word: protovalue.FromForeignWord(m.GetWord())}, nil
}
