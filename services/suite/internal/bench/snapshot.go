package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/lockstep-logistics/lockstep/gateway"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	imv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	inventorymovement "github.com/lockstep-logistics/lockstep/services/inventory-movement"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/lifecycle"
)

// shelves is what of each item a snapshot is of: so many bins of so many owners.
type shelves struct{ owners, bins int }

func (s shelves) owner(n int) string { return fmt.Sprintf("O%02d", n) }

// slack is by how much the collector may let memory grow over what was used before.
const slack = 32 << 20

// snapshot hands over a balance file of as many keys as the ledger has and compares it,
// and reports by how much the process grows. The stocks are loaded before the suite starts.
func snapshot(ctx context.Context, r *Report) error {
	of := shelves{owners: 10, bins: 100} // 1,000,000 keys of 1,000 items
	if r.Quick {
		of = shelves{owners: 1, bins: 50}
	}
	uri, client, end, err := server()
	if err != nil {
		return err
	}
	defer end()
	prefix := testkit.Name("shelves") + "_"
	if err := of.seed(ctx, uri, prefix); err != nil {
		return err
	}
	e, err := onPrefix(ctx, "mongodb", uri, client, prefix)
	if err != nil {
		return err
	}
	_, err = e.quiet(ctx)
	if err == nil {
		err = of.measure(ctx, r, e)
	}
	return errors.Join(err, e.close())
}

// seed loads the stocks, one commit each.
func (s shelves) seed(ctx context.Context, uri, prefix string) error {
	to, err := open(ctx, uri, prefix)
	if err != nil {
		return err
	}
	db, tenant, at := to.of[inventorymovement.Name], gateway.Defaults().AdminTenant, time.Now().Add(-time.Hour)
	for owner := range s.owners {
		var pasts []store.Past[store.RawFact]
		for item := range skus {
			p, err := s.past(tenant, lifecycle.SKU(item), s.owner(owner), at)
			if err != nil {
				return errors.Join(err, to.close(ctx))
			}
			pasts = append(pasts, p)
		}
		if err := db.Load(asTenant(ctx), "stock", pasts); err != nil {
			return errors.Join(err, to.close(ctx))
		}
	}
	return errors.Join(db.BeginHere(ctx), to.close(ctx))
}

// past is the history of one stock: five pieces in each bin.
func (s shelves) past(tenant, sku, owner string, at time.Time) (p store.Past[store.RawFact], err error) {
	item := ident.Derive("itm", tenant, sku)
	p.ID = ident.Derive("stk", tenant, lifecycle.Site, item, owner)
	key := &imv1.StockKey{StockId: p.ID, Site: lifecycle.Site, ItemId: item, Sku: sku, Owner: owner, Unit: "EA"}
	step := store.Step[store.RawFact]{Recorded: at, Cause: store.Cause{Principal: "service:bench", Key: "opening:" + p.ID, Derived: true}}
	for bin := range s.bins {
		m := &imv1.StockMoved{
			Stock: key, Type: imv1.MovementType_MOVEMENT_TYPE_RECEIPT, Quantity: "5", EventTime: timestamppb.New(at),
			From: &imv1.Place{Location: "SUPPLIER", Status: imv1.StockStatus_STOCK_STATUS_AVAILABLE},
			To:   &imv1.Place{Location: binName(bin), Status: imv1.StockStatus_STOCK_STATUS_AVAILABLE},
		}
		data, err := proto.Marshal(m)
		if err != nil {
			return p, err
		}
		step.Facts = append(step.Facts, store.RawFact{Type: string(m.ProtoReflect().Descriptor().FullName()), Data: data})
	}
	p.Steps = append(p.Steps, step)
	return p, nil
}

func binName(n int) string { return fmt.Sprintf("R-%03d", n) }

// measure hands the file over and compares it, and reports the growth and the time.
func (s shelves) measure(ctx context.Context, r *Report, e *running) error {
	api := &stocks{e: e, api: imv1.NewInventoryMovementServiceClient(e.DialAs("order-release", inventorymovement.Name))}
	before, peak, err := watched(func() error {
		begin := time.Now()
		id, err := s.handOver(ctx, api)
		if err != nil {
			return err
		}
		r.Add("inventory.snapshot.hand_over", "s", time.Since(begin).Seconds())
		begin = time.Now()
		if err := s.compare(ctx, api, id); err != nil {
			return err
		}
		r.Add("inventory.snapshot.compare", "s", time.Since(begin).Seconds())
		return nil
	})
	r.Add("inventory.snapshot_rss_mb", "MB", peak-before)
	return err
}

// watched runs do and returns the resident memory before it and the most during it, MB. The
// collector is held as GOMEMLIMIT holds it: else half of what it lets grow is no longer in use.
func watched(do func() error) (before, peak float64, err error) {
	debug.FreeOSMemory()
	if before, err = anonymous(os.Getpid()); err != nil {
		return 0, 0, err
	}
	old := debug.SetMemoryLimit(int64(before*(1<<20)) + slack)
	defer debug.SetMemoryLimit(old)
	var group sync.WaitGroup
	over := make(chan struct{})
	peak = before
	group.Go(func() {
		for tick := time.NewTicker(50 * time.Millisecond); ; {
			select {
			case <-tick.C:
				if now, err := anonymous(os.Getpid()); err == nil { // it was there before
					peak = max(peak, now)
				}
			case <-over:
				tick.Stop()
				return
			}
		}
	})
	err = do()
	close(over)
	group.Wait()
	return before, peak, err
}

// portion is how large a part of the file is handed over at a time, bytes.
const portion = 690_000

// handOver sends the file, which is written as it is sent.
func (s shelves) handOver(ctx context.Context, api *stocks) (id string, err error) {
	resp, err := api.api.CreateSnapshot(api.as(ctx, "snapshot", api.next.Add(1)), &imv1.CreateSnapshotRequest{Sites: []string{lifecycle.Site}, AsOfTime: timestamppb.Now()})
	if err != nil {
		return "", err
	}
	id = resp.GetReceipt().GetId()
	var text strings.Builder
	number := int32(0)
	send := func(full int) error {
		if text.Len() == 0 || text.Len() < full {
			return nil
		}
		number++
		_, err := api.api.AddSnapshotRows(api.as(ctx, "rows", api.next.Add(1)), &imv1.AddSnapshotRowsRequest{SnapshotId: id, PortionNumber: number, Content: []byte(text.String())})
		text.Reset()
		return err
	}
	text.WriteString("site;sku;owner;location;status;quantity;unit\n")
	for item := range skus {
		sku := lifecycle.SKU(item)
		fmt.Fprintf(&text, "%s;%s;OWN;A-01;AVAILABLE;%d;EA\n", lifecycle.Site, sku, pieces)
		for owner := range s.owners {
			for bin := range s.bins {
				fmt.Fprintf(&text, "%s;%s;%s;%s;AVAILABLE;5;EA\n", lifecycle.Site, sku, s.owner(owner), binName(bin))
			}
		}
		if err := send(portion - 100*(s.owners*s.bins)); err != nil {
			return id, err
		}
	}
	return id, send(0)
}

// compare compares the file and holds that all of it is found.
func (s shelves) compare(ctx context.Context, api *stocks, id string) error {
	if _, err := api.api.CompareSnapshot(api.as(ctx, "compare", api.next.Add(1)), &imv1.CompareSnapshotRequest{SnapshotId: id}); err != nil {
		return err
	}
	for {
		got, err := api.api.GetSnapshot(api.as(ctx, "ask", 0), &imv1.GetSnapshotRequest{SnapshotId: id})
		if err != nil {
			return err
		}
		if snp := got.GetSnapshot(); snp.GetRuns() > 0 {
			if keys := int64(skus * (s.owners*s.bins + 1)); snp.GetCounts().GetMatched() != keys || snp.GetKeptDifferences() > 0 {
				return fmt.Errorf("%v of %d keys", snp.GetCounts(), keys)
			}
			return nil
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
