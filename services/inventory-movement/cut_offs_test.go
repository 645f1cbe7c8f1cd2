package inventorymovement_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/testkit"
	im "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	md "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
	orderreleasev1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/orderrelease/v1"
)

// TestCutOffsAtRisk: open work is held against the cut-offs that carriers have at a site.
func TestCutOffsAtRisk(t *testing.T) {
	onEngines(t, map[string]func(*testing.T, *world){"cut-offs at risk": cutOffsAtRisk})
}

// hourly are cut-offs at every full hour of a week.
func hourly() (times []*md.CutOffTime) {
	for day := range 7 {
		for hour := range 24 {
			times = append(times, &md.CutOffTime{Weekday: md.Weekday(day + 1), LocalTime: fmt.Sprintf("%02d:00", hour), LeadMinutes: 10})
		}
	}
	return times
}

// sendTo publishes the release of an order of so many lines to a site, for a carrier.
func (w *world) sendTo(t *testing.T, site, carrier, sku string, lines int) (m *orderreleasev1.OrderReleased, who string) {
	t.Helper()
	var all []line
	for range lines {
		all = append(all, line{sku, 1, ""})
	}
	m = w.released(all...)
	m.Site, m.CarrierPreference = site, carrier
	w.orders.publish(t, w.Tenant, m.GetOrderId(), m)
	return m, w.who(m)
}

func (w *world) atRisk(t *testing.T, site string, holds func(*im.ListCutOffsAtRiskResponse) bool) *im.ListCutOffsAtRiskResponse {
	t.Helper()
	var resp *im.ListCutOffsAtRiskResponse
	testkit.Eventually(t, patience, func() error {
		var err error
		if resp, err = w.wms.ListCutOffsAtRisk(t.Context(), &im.ListCutOffsAtRiskRequest{Site: site}); err == nil && !holds(resp) {
			err = fmt.Errorf("%v", resp)
		}
		return err
	})
	return resp
}

// cutOffsAtRisk: 200 lines are picked in 100 minutes, packed in as many and loaded in one: an order
// of them misses a cut-off that comes within the hour, and with it the one behind it; one whose
// carrier has none is not at risk. What has left is no work any more.
func cutOffsAtRisk(t *testing.T, w *world) {
	const site = "DC7"
	w.masterData.publish(t, w.Tenant, w.id("loc", site), &md.LocationDefined{SiteCode: site, Location: &md.Location{
		Code: site, Kind: md.LocationKind_LOCATION_KIND_SITE, TimeZone: "America/Chicago",
	}})
	w.masterData.publish(t, w.Tenant, w.id("cut", site+"UPSN"), &md.CutOffDefined{CutOff: &md.CutOff{
		SiteCode: site, CarrierCode: "UPSN", CalendarCode: "US", TimeZone: "America/Chicago", Times: hourly(),
	}})
	w.masterData.publish(t, w.Tenant, w.id("cal", "US"), &md.CalendarDefined{Calendar: &md.Calendar{
		Code: "US", TimeZone: "America/Chicago", Exceptions: []*md.CalendarException{{Date: "2026-01-01", Name: "New Year"}},
	}})
	sku := w.item(t)
	first, who := w.sendTo(t, site, "UPSN", sku, 200)
	w.atRisk(t, site, func(r *im.ListCutOffsAtRiskResponse) bool { return r.GetTotal() == 1 })
	_, second := w.sendTo(t, site, "UPSN", sku, 1)
	w.sendTo(t, site, "NONE", sku, 1)
	r := w.atRisk(t, site, func(r *im.ListCutOffsAtRiskResponse) bool { return r.GetTotal() == 2 && r.GetOpenOrders() == 3 })
	if r.GetWithoutCutOff() != 1 || r.GetLinesToPick() != 202 || r.GetLinesToPack() != 202 {
		t.Errorf("%v", r)
	}
	for _, o := range r.GetOrders() {
		late := o.GetReadyTime().AsTime().Sub(o.GetReadyByTime().AsTime())
		if o.GetMinutesLate() != int64((late+time.Minute-1)/time.Minute) || o.GetTimeZone() != "America/Chicago" || o.GetLocalTime()[3:] != "00" ||
			o.GetCutOffTime().AsTime().Sub(o.GetReadyByTime().AsTime()) != 10*time.Minute {
			t.Errorf("%v", o)
		}
		after := o.GetReadyTime().AsTime().Sub(r.GetAsOfTime().AsTime())
		switch o.GetWarehouseOrderId() {
		case who:
			if after != 201*time.Minute || o.GetBlockingStage() != im.WorkStage_WORK_STAGE_PICK || o.GetReleaseId() != first.GetReleaseId() || o.GetCarrier() != "UPSN" {
				t.Errorf("ready after %s: %v", after, o)
			}
		case second: // it waits behind the first for every stage
			if after != 202*time.Minute {
				t.Errorf("ready after %s: %v", after, o)
			}
		}
	}
	page, err := w.wms.ListCutOffsAtRisk(t.Context(), &im.ListCutOffsAtRiskRequest{Site: site, PageSize: 1})
	if err != nil || len(page.GetOrders()) != 1 || page.GetNextPageToken() == "" {
		t.Fatal(page, err)
	}
	rest, err := w.wms.ListCutOffsAtRisk(t.Context(), &im.ListCutOffsAtRiskRequest{Site: site, PageSize: 1, PageToken: page.GetNextPageToken()})
	if err != nil || len(rest.GetOrders()) != 1 || rest.GetNextPageToken() != "" || rest.GetOrders()[0].GetWarehouseOrderId() == page.GetOrders()[0].GetWarehouseOrderId() {
		t.Errorf("%v %v", rest, err)
	}
	w.orders.publish(t, w.Tenant, first.GetOrderId(), &orderreleasev1.CancelRequested{
		OrderId: first.GetOrderId(), OrderNumber: first.GetOrderNumber(), ReleaseId: first.GetReleaseId(), ReleaseVersion: 1, Site: site, Reason: "CUSTOMER_REQUEST",
	})
	w.atRisk(t, site, func(r *im.ListCutOffsAtRiskResponse) bool { return r.GetOpenOrders() == 2 })
	if r, err := w.wms.ListCutOffsAtRisk(t.Context(), &im.ListCutOffsAtRiskRequest{Site: "NOWHERE"}); err != nil || r.GetOpenOrders() != 0 {
		t.Errorf("%v %v", r, err)
	}
}
