package checker

import (
	"math/big"

	imv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	orv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
)

// Rules of releases that are taken back.
const (
	stops        = "a warehouse that is to stop answers"
	keeps        = "a stopped warehouse order tells what it keeps"
	tellsStop    = "a warehouse's answer to a stop is told to the order"
	withdraws    = "what a stopped release keeps is promised to its order again"
	verdicts     = "a warehouse's word on a cancellation is told to the order"
	tellsPutBack = "what is put back is told to the order"
)

// watchRecall notes what follows from holds and cancellations after a release.
func (r *reactions) watchRecall(f *fact) {
	switch m := f.msg.(type) {
	case *orv1.StopRequested:
		r.note(cause, f, stops, one, m.GetReleaseId(), m.GetReleaseVersion())
	case *orv1.StopRefused:
		r.note(effect, f, tellsStop, one, m.GetReleaseId(), m.GetReason())
	case *orv1.ReleaseWithdrawn:
		r.note(effect, f, tellsStop, one, m.GetReleaseId(), "stopped")
		for _, c := range m.GetClaims() {
			r.note(effect, f, withdraws, number(c.GetQuantity(), ignore), m.GetReleaseId(), c.GetClaimKey())
		}
	case *orv1.ReleaseCancelled:
		r.note(effect, f, verdicts, one, m.GetReleaseId(), "cancelled")
		for _, l := range m.GetPutBack() {
			r.note(effect, f, tellsPutBack, value(l.GetQuantity(), ignore), m.GetReleaseId(), l.GetLineNumber())
		}
	case *orv1.CancelRefused:
		r.note(effect, f, verdicts, one, m.GetReleaseId(), m.GetReason())
	default:
		r.watchTakenBack(f)
	}
}

// watchTakenBack notes what warehouses say of what is taken back.
func (r *reactions) watchTakenBack(f *fact) {
	m, ok := f.msg.(interface {
		GetKeys() *imv1.WarehouseOrderKeys
	})
	if !ok {
		return
	}
	warehouse, release := m.GetKeys().GetWarehouseOrderId(), m.GetKeys().GetReleaseId()
	switch m := f.msg.(type) {
	case *imv1.WarehouseOrderStopped:
		r.note(effect, f, stops, one, release, m.GetKeys().GetReleaseVersion())
		r.note(cause, f, keeps, one, warehouse)
		r.note(cause, f, tellsStop, one, release, "stopped")
	case *imv1.WarehouseOrderStopRefused:
		r.note(effect, f, stops, one, release, m.GetKeys().GetReleaseVersion())
		r.note(cause, f, tellsStop, one, release, m.GetReason())
	case *imv1.WarehouseOrderStockKept:
		r.note(effect, f, keeps, one, warehouse)
		for _, c := range m.GetClaims() {
			q := value(c.GetQuantity(), ignore)
			r.note(cause, f, claims, q, release, c.GetClaimKey())
			r.note(cause, f, withdraws, q, release, c.GetClaimKey())
		}
	case *imv1.WarehouseOrderCancelled:
		r.note(cause, f, verdicts, one, release, "cancelled")
	case *imv1.WarehouseOrderCancelRefused:
		r.note(cause, f, verdicts, one, release, m.GetReason())
	case *imv1.PutBackConfirmed:
		for _, l := range m.GetLines() {
			q := value(l.GetQuantity(), ignore)
			r.note(cause, f, putsBack, q, warehouse, l.GetLineNumber())
			r.note(cause, f, tellsPutBack, q, release, l.GetLineNumber())
		}
	}
}

// takenBack checks the lines of a warehouse order that is taken back (I6): no more is put back than
// was picked, all of it once it is cancelled, and nothing was picked of one that is stopped.
func (c *checker) takenBack(facts [][]*fact) {
	picked, back := map[int32]*big.Rat{}, map[int32]*big.Rat{}
	add := func(into map[int32]*big.Rat, lines []*imv1.WarehouseLineQuantity, bad func(string, ...any)) {
		for _, l := range lines {
			if into[l.GetLineNumber()] == nil {
				into[l.GetLineNumber()] = new(big.Rat)
			}
			into[l.GetLineNumber()].Add(into[l.GetLineNumber()], value(l.GetQuantity(), bad))
		}
	}
	for _, of := range facts {
		for _, f := range of {
			bad := c.broken("I6", f)
			switch m := f.msg.(type) {
			case *imv1.PickConfirmed:
				add(picked, m.GetLines(), bad)
			case *imv1.PutBackConfirmed:
				add(back, m.GetLines(), bad)
				for n, q := range back {
					if picked[n] == nil || q.Cmp(picked[n]) > 0 {
						bad("line %d: %s are put back, more than was picked", n, q.RatString())
					}
				}
			case *imv1.WarehouseOrderStopped, *imv1.WarehouseOrderCancelled:
				for n, q := range picked {
					if back[n] == nil || q.Cmp(back[n]) > 0 {
						bad("line %d: is over with %s picked and not all of it put back", n, q.RatString())
					}
				}
			}
		}
	}
}
