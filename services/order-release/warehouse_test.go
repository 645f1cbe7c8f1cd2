package orderrelease_test

import (
	"strconv"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/quantity"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	im "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
)

// What people in the warehouse report of a release in these tests.

func cutPlace(place string) (site, item string) {
	site, item, _ = strings.Cut(place, "/")
	return site, item
}

// report commits what a warehouse order's state makes of a report; nothing of a cancelled one.
func (i *inventory) report(t testing.TB, tenant, release string, what func(task) []proto.Message) task {
	t.Helper()
	id := warehouseOrderID(tenant, release)
	testkit.Eventually(t, patience, func() error {
		_, err := i.orders.Get(command(t, tenant), id)
		return err
	})
	var before task
	_, err := i.orders.Update(command(t, tenant), id, func(c store.Current[task]) (store.Decision[proto.Message], error) {
		if before = c.State; before.Canceled {
			return facts(), nil
		}
		return facts(what(c.State)...), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return before
}

func (i *inventory) acknowledge(t testing.TB, tenant, release string) {
	t.Helper()
	i.report(t, tenant, release, func(w task) []proto.Message {
		return []proto.Message{&im.WarehouseOrderAcknowledged{Keys: w.keys()}}
	})
}

// lines of a report, "line number → pieces".
func (i *inventory) lines(quantities map[int]int) []*im.WarehouseLineQuantity {
	var lines []*im.WarehouseLineQuantity
	for line, n := range quantities {
		lines = append(lines, &im.WarehouseLineQuantity{LineNumber: int32(line), Quantity: ea(quantity.Int(int64(n)))})
	}
	return lines
}

// pick takes pieces from the bin.
func (i *inventory) pick(t testing.TB, tenant, release string, quantities map[int]int) {
	t.Helper()
	w := i.report(t, tenant, release, func(w task) []proto.Message {
		return []proto.Message{&im.PickConfirmed{Keys: w.keys(), Lines: i.lines(quantities)}}
	})
	i.leave(t, tenant, w, quantities, "PACKING")
}

// short reports pieces that are not in the bin.
func (i *inventory) short(t testing.TB, tenant, release string, quantities map[int]int) {
	t.Helper()
	w := i.report(t, tenant, release, func(w task) []proto.Message {
		return []proto.Message{&im.PickShorted{Keys: w.keys(), Lines: i.lines(quantities), Reason: im.ShortReason_SHORT_REASON_MISSING}}
	})
	i.leave(t, tenant, w, quantities, "DISCREPANCY")
}

// leave takes pieces out of the bin, with their allocation.
func (i *inventory) leave(t testing.TB, tenant string, w task, quantities map[int]int, to string) {
	t.Helper()
	if w.Canceled {
		return
	}
	for line, n := range quantities {
		site, item := cutPlace(w.Stocks[strconv.Itoa(line)])
		_, err := i.on(command(t, tenant), site, item, func(_ shelf, key *im.StockKey) (store.Decision[proto.Message], error) {
			return facts(&im.StockMoved{
				Stock: key, Type: im.MovementType_MOVEMENT_TYPE_PICK, Quantity: strconv.Itoa(n), AllocationUsed: strconv.Itoa(n),
				From: &im.Place{Location: "BIN", Status: im.StockStatus_STOCK_STATUS_AVAILABLE},
				To:   &im.Place{Location: to, Status: im.StockStatus_STOCK_STATUS_AVAILABLE},
			}), nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// issue posts the goods issue of all that was picked.
func (i *inventory) issue(t testing.TB, tenant, release string) {
	t.Helper()
	i.report(t, tenant, release, func(w task) []proto.Message {
		f := &im.GoodsIssued{Keys: w.keys()}
		for line, q := range w.Picked {
			n, err := strconv.Atoi(line)
			if err != nil {
				t.Fatal(err)
			}
			f.Lines = append(f.Lines, &im.WarehouseLineQuantity{LineNumber: int32(n), Quantity: ea(q)})
		}
		return []proto.Message{f}
	})
}
