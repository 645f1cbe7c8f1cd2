package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	imv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/lifecycle"
)

// Inventory claims stock as order release does, on MongoDB: all callers on one item and spread
// over many, many lines at a time, and queries of what can be promised while others claim. Then
// it compares a balance file with the ledger.
func Inventory(ctx context.Context, r *Report) error {
	e, err := onMongo(ctx)
	if err != nil {
		return err
	}
	rounds, long, lines := 5, 5*time.Second, []int{10, 100, 1_000, 10_000}
	if r.Quick {
		rounds, long, lines = 1, time.Second, []int{10, 100, 1_000}
	}
	s := &stocks{e: e, api: imv1.NewInventoryMovementServiceClient(e.DialAs("order-release", "inventory-movement"))}
	for round := range rounds {
		if err = s.round(ctx, r, round, long, lines); err != nil {
			break
		}
	}
	if err = errors.Join(err, e.close()); err != nil {
		return err
	}
	return snapshot(ctx, r)
}

// stocks claims and asks as order release does.
type stocks struct {
	e    *running
	api  imv1.InventoryMovementServiceClient
	next atomic.Int64 // numbers all claims: each is another document
}

// claimers is how many callers claim at a time.
const claimers = 64

func (s *stocks) round(ctx context.Context, r *Report, round int, long time.Duration, lines []int) error {
	rates := map[string]float64{}
	sides := []string{"wide", "hot"}
	if round%2 == 1 {
		slices.Reverse(sides)
	}
	for _, side := range sides {
		f, err := Load{Callers: claimers, For: long, Do: func(ctx context.Context, _, _ int) error {
			n := s.next.Add(1)
			item := 0
			if side == "wide" {
				item = int(n*7) % skus
			}
			return s.once(ctx, n, item)
		}}.Run(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", side, err)
		}
		rates[side] = f.PerSecond
		r.Add("inventory."+side+".reservations_per_s", "1/s", f.PerSecond)
		r.Add("inventory."+side+".p99", "ms", ms(f.P99))
	}
	r.Add("inventory.hot", "ratio", rates["hot"]/rates["wide"])
	if err := s.batches(ctx, r, lines); err != nil {
		return err
	}
	return s.queries(ctx, r, round, long, rates["wide"]/2)
}

// once claims two pieces of an item and gives them back, so that live claims stay as many as callers.
func (s *stocks) once(ctx context.Context, n int64, item int) error {
	claims := []*imv1.StockClaim{s.claim(n, item)}
	if err := s.reserve(ctx, n, claims); err != nil {
		return err
	}
	return s.release(ctx, n, claims)
}

func (s *stocks) claim(n int64, item int) *imv1.StockClaim {
	sku := lifecycle.SKU(item)
	return &imv1.StockClaim{
		ClaimKey: fmt.Sprintf("clm:%s-%d:1:%s", s.e.run, n, sku), Site: lifecycle.Site, ItemId: ident.Derive("itm", s.e.AdminTenant(), sku),
		Owner: "OWN", Quantity: &commonv1.Quantity{Value: fmt.Sprint(1 + n%3), Unit: "EA"},
	}
}

// as is the context of a command of order release.
func (s *stocks) as(ctx context.Context, step string, n int64) context.Context {
	ctx = guard.WithCaller(ctx, guard.ServiceCaller("order-release", s.e.AdminTenant()))
	return guard.Derived(ctx, s.e.AdminTenant(), fmt.Sprintf("%s:%s:%d", step, s.e.run, n), time.Unix(1, 0))
}

func (s *stocks) reserve(ctx context.Context, n int64, claims []*imv1.StockClaim) error {
	resp, err := s.api.ReserveStock(s.as(ctx, "reserve", n), &imv1.ReserveStockRequest{Claims: claims})
	if err != nil {
		return err
	}
	for _, g := range resp.GetGrants() {
		if g.GetGranted() == nil {
			return fmt.Errorf("a claim was refused: %v", g.GetRefusal())
		}
	}
	return nil
}

func (s *stocks) release(ctx context.Context, n int64, claims []*imv1.StockClaim) error {
	_, err := s.api.ReleaseReservations(s.as(ctx, "release", n), &imv1.ReleaseReservationsRequest{Claims: claims})
	return err
}

// claimsAtOnce is how many claims one request has: one of thousands would outlive its deadline on a busy machine.
const claimsAtOnce = 100

// batches times a line of a large demand against one of a small, each as a stream of requests.
// Small ones are made many times, so that none is one lucky moment.
func (s *stocks) batches(ctx context.Context, r *Report, sizes []int) error {
	took := map[int]time.Duration{}
	for _, size := range sizes {
		times := max(1, sizes[len(sizes)-1]/size/10)
		for range times {
			one, err := s.stream(ctx, size)
			if err != nil {
				return fmt.Errorf("%d lines: %w", size, err)
			}
			took[size] += one / time.Duration(times)
		}
		r.Add(fmt.Sprintf("inventory.batch.%d.line", size), "µs", float64(took[size].Nanoseconds())/float64(size)/1000)
	}
	largest := sizes[len(sizes)-1]
	line := func(size int) float64 { return float64(took[size]) / float64(size) }
	r.Add("inventory.batch", "ratio", line(largest)/line(100))
	return nil
}

// stream claims so many lines, spread over the items, and returns how long that took; giving
// them back does not count.
func (s *stocks) stream(ctx context.Context, lines int) (time.Duration, error) {
	var requests [][]*imv1.StockClaim
	for from := 0; from < lines; from += claimsAtOnce {
		var claims []*imv1.StockClaim
		for range min(claimsAtOnce, lines-from) {
			n := s.next.Add(1)
			claims = append(claims, s.claim(n, int(n)%skus))
		}
		requests = append(requests, claims)
	}
	numbers := make([]int64, len(requests))
	begin := time.Now()
	for i, claims := range requests {
		numbers[i] = s.next.Add(1)
		if err := s.reserve(ctx, numbers[i], claims); err != nil {
			return 0, err
		}
	}
	took := time.Since(begin)
	for i, claims := range requests {
		if err := s.release(ctx, numbers[i], claims); err != nil {
			return 0, err
		}
	}
	return took, nil
}

// askers is how many ask for what can be promised at a time, each for twenty items.
const askers = 4

// queries asks what can be promised while nothing else is done, and while claims are made at a
// rate that leaves the machine some room.
func (s *stocks) queries(ctx context.Context, r *Report, round int, long time.Duration, perSecond float64) error {
	figures := map[string]Figures{}
	sides := []string{"idle", "loaded"}
	if round%2 == 1 {
		slices.Reverse(sides)
	}
	for _, side := range sides {
		stop := func() error { return nil }
		if side == "loaded" {
			stop = s.pressed(ctx, perSecond)
		}
		f, err := Load{Callers: askers, For: long, Do: func(ctx context.Context, caller, i int) error {
			req := &imv1.GetAvailabilityRequest{}
			for k := range 20 {
				req.Places = append(req.Places, &imv1.AvailabilityPlace{
					Site: lifecycle.Site, ItemId: ident.Derive("itm", s.e.AdminTenant(), lifecycle.SKU((caller*211+i*20+k)%skus)),
				})
			}
			resp, err := s.api.GetAvailability(s.as(ctx, "ask", 0), req)
			if err == nil && len(resp.GetAvailabilities()) != 20 {
				err = fmt.Errorf("%d of 20 items are known", len(resp.GetAvailabilities()))
			}
			return err
		}}.Run(ctx)
		if err = errors.Join(err, stop()); err != nil {
			return fmt.Errorf("%s: %w", side, err)
		}
		figures[side] = f
		r.Add("inventory.atp."+side+".p50", "ms", ms(f.P50))
		r.Add("inventory.atp."+side+".p99", "ms", ms(f.P99))
	}
	r.Add("inventory.atp", "ratio", ms(figures["loaded"].P99)/ms(figures["idle"].P99))
	return nil
}

// pressed makes claims at a rate until it is stopped.
func (s *stocks) pressed(ctx context.Context, perSecond float64) (stop func() error) {
	ctx, cancel := context.WithCancel(ctx)
	var group sync.WaitGroup
	var failed atomic.Pointer[error]
	group.Go(func() {
		tick := time.NewTicker(time.Duration(float64(time.Second) / perSecond))
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
			n := s.next.Add(1)
			group.Go(func() {
				if err := s.once(context.WithoutCancel(ctx), n, int(n*7)%skus); err != nil {
					failed.Store(&err)
				}
			})
		}
	})
	return func() error {
		cancel()
		group.Wait()
		if err := failed.Load(); err != nil {
			return *err
		}
		return nil
	}
}
