package adapter

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/bus"
	"github.com/lockstep-logistics/lockstep/libs/calendar"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/store"
	imv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	masterdatav1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// indexCutOffs is the site, by code, that cut-offs are of.
const indexCutOffs = "site"

// maxCutOffs bounds the carriers and services of a site that have cut-offs of their own.
const maxCutOffs = 1000

// Timetables is this service's copy of cut-offs, the holidays of their calendars and the sites' clocks.
type Timetables struct{ rows store.Rows }

// NewTimetables returns the copy kept in the database.
func NewTimetables(db *store.DB) *Timetables {
	return &Timetables{db.Table("cut_offs", indexCutOffs)}
}

// Follower keeps the copy.
func (c *Timetables) Follower() bus.Consumer {
	return bus.Routes(bus.Follower, "cut-offs", "master-data",
		bus.On(func(ctx context.Context, f bus.Fact, e *masterdatav1.CutOffDefined) error {
			record, err := fromCutOff(e.GetCutOff())
			if err != nil {
				return err
			}
			return c.put(ctx, f, record, record.Site)
		}),
		bus.On(func(ctx context.Context, f bus.Fact, e *masterdatav1.CalendarDefined) error {
			closed := []string{}
			for _, x := range e.GetCalendar().GetExceptions() {
				if len(x.GetHours()) == 0 {
					closed = append(closed, x.GetDate())
				}
			}
			return c.put(ctx, f, closed, "")
		}),
		bus.On(func(ctx context.Context, f bus.Fact, e *masterdatav1.LocationDefined) error {
			if e.GetLocation().GetKind() != masterdatav1.LocationKind_LOCATION_KIND_SITE {
				return nil
			}
			return c.put(ctx, f, e.GetLocation().GetTimeZone(), "")
		}),
	)
}

func (c *Timetables) put(ctx context.Context, f bus.Fact, record any, site string) error {
	body, err := json.Marshal(record)
	if err != nil {
		return err
	}
	row := store.Row{Tenant: f.Tenant, ID: f.AggregateID, Version: f.Revision(), Body: body}
	if site != "" {
		row.Keys = map[string][]string{indexCutOffs: {site}}
	}
	return c.rows.Put(ctx, row)
}

// fromCutOff reads cut-offs as master data has them.
func fromCutOff(m *masterdatav1.CutOff) (domain.CutOffs, error) {
	out := domain.CutOffs{
		Site: m.GetSiteCode(), Carrier: m.GetCarrierCode(), Service: m.GetServiceCode(), Calendar: m.GetCalendarCode(), Zone: m.GetTimeZone(),
	}
	for _, t := range m.GetTimes() {
		at, err := time.Parse("15:04", t.GetLocalTime())
		if err != nil {
			return out, err
		}
		out.Times = append(out.Times, calendar.CutOff{
			Weekday: time.Weekday(t.GetWeekday() % 7), Minute: at.Hour()*60 + at.Minute(), Lead: time.Duration(t.GetLeadMinutes()) * time.Minute,
		})
	}
	return out, nil
}

// Timetable returns what counts for the cut-offs of a site: by its clock as it is now, or as it
// was when they were put if that is not known.
func (c *Timetables) Timetable(ctx context.Context, site string) (domain.Timetable, error) {
	tenant := store.CauseOf(ctx).Tenant
	t := domain.Timetable{Zone: time.UTC, Holidays: map[string]map[calendar.Date]bool{}}
	rows, err := c.rows.List(ctx, tenant, indexCutOffs, site, "", maxCutOffs)
	if err != nil {
		return t, err
	}
	zone, calendars := "", map[string]string{} // by id
	ids := []string{ident.Derive("loc", tenant, site)}
	for _, r := range rows {
		var k domain.CutOffs
		if err := json.Unmarshal(r.Body, &k); err != nil {
			return t, err
		}
		t.CutOffs, zone = append(t.CutOffs, k), k.Zone
		if k.Calendar != "" {
			id := ident.Derive("cal", tenant, k.Calendar)
			ids, calendars[id] = append(ids, id), k.Calendar
		}
	}
	records, err := c.rows.GetMany(ctx, tenant, ids)
	if err != nil {
		return t, err
	}
	for _, r := range records {
		if r.ID == ids[0] {
			err = json.Unmarshal(r.Body, &zone)
		} else {
			t.Holidays[calendars[r.ID]], err = holidays(r.Body)
		}
		if err != nil {
			return t, err
		}
	}
	if zone != "" {
		t.Zone, err = time.LoadLocation(zone)
	}
	return t, err
}

func holidays(body []byte) (map[calendar.Date]bool, error) {
	var dates []string
	if err := json.Unmarshal(body, &dates); err != nil {
		return nil, err
	}
	closed := map[calendar.Date]bool{}
	for _, text := range dates {
		d, err := calendar.ParseDate(text)
		if err != nil {
			return nil, err
		}
		closed[d] = true
	}
	return closed, nil
}

// ListCutOffsAtRisk lists the warehouse orders of a site that miss their cut-offs.
func (s *Server) ListCutOffsAtRisk(ctx context.Context, r *imv1.ListCutOffsAtRiskRequest) (*imv1.ListCutOffsAtRiskResponse, error) {
	after, err := fromPageToken(r.GetPageToken())
	if err != nil {
		return nil, err
	}
	a, err := s.App.AtRisk(ctx, r.GetSite(), s.Clock.Now())
	if err != nil {
		return nil, err
	}
	from := int(min(after, uint64(len(a.Late))))
	shown, next := a.Late[from:], uint64(0)
	if size := pageSize(r.GetPageSize()); len(shown) > size {
		shown, next = shown[:size], uint64(from+size)
	}
	return &imv1.ListCutOffsAtRiskResponse{
		Orders: protovalue.Each(shown, func(j domain.Job) *imv1.CutOffAtRisk { return atRisk(j, a.Timetable, a.ProjectedAt) }),
		Total:  int32(len(a.Late)), OpenOrders: int32(a.Open), WithoutCutOff: int32(a.Without), LinesToPick: int32(a.Pick), LinesToPack: int32(a.Pack),
		AsOfTime: protovalue.Time(a.ProjectedAt), NextPageToken: pageToken(next),
	}, nil
}

func atRisk(j domain.Job, t domain.Timetable, now time.Time) *imv1.CutOffAtRisk {
	o := j.Order
	return &imv1.CutOffAtRisk{
		WarehouseOrderId: o.Keys.ID, OrderId: o.Keys.Order, OrderNumber: o.Keys.OrderNumber, ReleaseId: o.Keys.Release, State: orderState(o.State()),
		Carrier: o.Carrier, Service: o.Service, BlockingStage: imv1.WorkStage(imv1.WorkStage_value["WORK_STAGE_"+string(j.Blocked)]),
		ReadyTime: protovalue.Time(j.Ready), CutOffTime: protovalue.Time(j.CutOff.At), ReadyByTime: protovalue.Time(j.CutOff.ReadyBy),
		LocalDate: j.CutOff.Date.String(), LocalTime: fmt.Sprintf("%02d:%02d", j.CutOff.Minute/60, j.CutOff.Minute%60), TimeZone: t.Zone.String(),
		MinutesLate: int64((j.Late() + time.Minute - 1) / time.Minute), Missed: j.CutOff.ReadyBy.Before(now),
	}
}
