package masterdata_test

import (
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/host/hosttest"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	masterdatav1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
)

// office puts a site in Berlin with its calendar and cut-offs.
func office(t *testing.T, c masterdatav1.MasterDataServiceClient) {
	t.Helper()
	if _, err := c.PutLocation(t.Context(), &masterdatav1.PutLocationRequest{Code: "DC1", Location: site("DC1")}); err != nil {
		t.Fatal(err)
	}
	calendar := &masterdatav1.Calendar{TimeZone: "Europe/Berlin", Exceptions: []*masterdatav1.CalendarException{{Date: "2026-04-03", Name: "Good Friday"}}}
	for d := masterdatav1.Weekday_WEEKDAY_MONDAY; d <= masterdatav1.Weekday_WEEKDAY_FRIDAY; d++ {
		calendar.Week = append(calendar.Week, &masterdatav1.WeekdayHours{Weekday: d, Hours: []*masterdatav1.WorkingHours{{Open: "06:00", Close: "24:00"}}})
	}
	if _, err := c.PutCalendar(t.Context(), &masterdatav1.PutCalendarRequest{Code: "DC1", Calendar: calendar}); err != nil {
		t.Fatal(err)
	}
	cut := &masterdatav1.CutOff{SiteCode: "DC1", CalendarCode: "DC1", Times: []*masterdatav1.CutOffTime{
		{Weekday: masterdatav1.Weekday_WEEKDAY_SUNDAY, LocalTime: "02:30", LeadMinutes: 60}, {Weekday: masterdatav1.Weekday_WEEKDAY_FRIDAY, LocalTime: "17:00"},
	}}
	if _, err := c.PutCutOff(t.Context(), &masterdatav1.PutCutOffRequest{CutOff: cut}); err != nil {
		t.Fatal(err)
	}
}

func moment(t *testing.T, s string) *timestamppb.Timestamp {
	t.Helper()
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return timestamppb.New(at)
}

// TestNextOverTheChangeOfTheClock: the next working time and cut-off are exact over the changes
// to and from daylight saving time, and holidays are left out.
func TestNextOverTheChangeOfTheClock(t *testing.T) {
	onEngines(t, func(t *testing.T, _ *hosttest.Suite, c masterdatav1.MasterDataServiceClient) {
		office(t, c)
		for after, want := range map[string]string{
			"2026-03-27T22:59:59Z": "2026-03-27T22:59:59Z", "2026-03-27T23:00:00Z": "2026-03-30T04:00:00Z", "2026-10-24T12:00:00Z": "2026-10-26T05:00:00Z",
			"2026-04-02T22:30:00Z": "2026-04-06T04:00:00Z",
		} {
			resp, err := c.GetNextWorkingTime(t.Context(), &masterdatav1.GetNextWorkingTimeRequest{Code: "DC1", AfterTime: moment(t, after)})
			if err != nil || !resp.GetWorkingTime().AsTime().Equal(moment(t, want).AsTime()) {
				t.Errorf("after %s: %v, %v, want %s", after, resp, err, want)
			}
		}
		for after, want := range map[string]struct {
			at, ready, local string
			offset           int32
		}{
			"2026-03-27T16:00:01Z": {"2026-03-29T01:00:00Z", "2026-03-29T00:00:00Z", "2026-03-29 02:30", 120}, // the clock is put forward over it
			"2026-10-23T15:00:01Z": {"2026-10-25T00:30:00Z", "2026-10-24T23:30:00Z", "2026-10-25 02:30", 120}, // it comes twice: the first
			"2026-03-29T00:00:01Z": {"2026-04-05T00:30:00Z", "2026-04-04T23:30:00Z", "2026-04-05 02:30", 120}, // Good Friday is none
			"2026-01-05T00:00:00Z": {"2026-01-09T16:00:00Z", "2026-01-09T16:00:00Z", "2026-01-09 17:00", 60},
		} {
			resp, err := c.GetNextCutOff(t.Context(), &masterdatav1.GetNextCutOffRequest{SiteCode: "DC1", CarrierCode: "UPSN", ServiceCode: "GROUND", AfterTime: moment(t, after)})
			if err != nil || !resp.GetCutOffTime().AsTime().Equal(moment(t, want.at).AsTime()) || !resp.GetReadyByTime().AsTime().Equal(moment(t, want.ready).AsTime()) ||
				resp.GetLocalDate()+" "+resp.GetLocalTime() != want.local || resp.GetOffsetMinutes() != want.offset || resp.GetTimeZone() != "Europe/Berlin" {
				t.Errorf("after %s: %v, %v, want %+v", after, resp, err, want)
			}
		}
	})
}

// TestTheNearestCutOffCounts: that of the service before the carrier's before the site's; what
// it names must be there.
func TestTheNearestCutOffCounts(t *testing.T) {
	onEngines(t, func(t *testing.T, _ *hosttest.Suite, c masterdatav1.MasterDataServiceClient) {
		office(t, c)
		if _, err := c.PutCarrier(t.Context(), &masterdatav1.PutCarrierRequest{Code: "UPSN", Carrier: &masterdatav1.Carrier{Name: "UPS", Services: []*masterdatav1.CarrierService{
			{Code: "AIR", Mode: masterdatav1.TransportMode_TRANSPORT_MODE_AIR}, {Code: "GROUND", Mode: masterdatav1.TransportMode_TRANSPORT_MODE_PARCEL},
		}}}); err != nil {
			t.Fatal(err)
		}
		put := func(carrier, service, site, at string) error {
			_, err := c.PutCutOff(t.Context(), &masterdatav1.PutCutOffRequest{CutOff: &masterdatav1.CutOff{
				SiteCode: site, CarrierCode: carrier, ServiceCode: service, TimeZone: "Asia/Tokyo",
				Times: []*masterdatav1.CutOffTime{{Weekday: masterdatav1.Weekday_WEEKDAY_FRIDAY, LocalTime: at}},
			}})
			return err
		}
		for service, at := range map[string]string{"": "16:00", "AIR": "15:00"} {
			if err := put("UPSN", service, "DC1", at); err != nil {
				t.Fatal(err)
			}
		}
		for _, tt := range []struct{ carrier, service, want string }{
			{"UPSN", "AIR", "15:00"}, {"UPSN", "GROUND", "16:00"}, {"UPSN", "", "16:00"}, {"DHLX", "ROAD", "17:00"}, {"", "", "17:00"},
		} {
			resp, err := c.GetNextCutOff(t.Context(), &masterdatav1.GetNextCutOffRequest{SiteCode: "DC1", CarrierCode: tt.carrier, ServiceCode: tt.service, AfterTime: moment(t, "2026-01-05T00:00:00Z")})
			if err != nil || resp.GetLocalTime() != tt.want || resp.GetTimeZone() != "Europe/Berlin" {
				t.Errorf("%s %s: %v, %v, want %s", tt.carrier, tt.service, resp, err, tt.want)
			}
		}
		for _, tt := range []struct{ carrier, service, site, reason, field string }{
			{"", "", "NOWHERE", "SITE_UNKNOWN", "cut_off.site_code"},
			{"NOBD", "", "DC1", "OBJECT_UNKNOWN", "cut_off.carrier_code"},
			{"UPSN", "SEA", "DC1", "OBJECT_UNKNOWN", "cut_off.service_code"},
			{"", "AIR", "DC1", "REQUIRED", "cut_off.carrier_code"},
		} {
			if fields := reason(t, put(tt.carrier, tt.service, tt.site, "12:00"), fault.Invalid, tt.reason); fields[0].Path != tt.field {
				t.Errorf("%+v: %+v", tt, fields)
			}
		}
		_, err := c.GetNextCutOff(t.Context(), &masterdatav1.GetNextCutOffRequest{SiteCode: "DC2"})
		reason(t, err, fault.NotFound, "NOT_FOUND")
		got, err := c.GetCutOff(t.Context(), &masterdatav1.GetCutOffRequest{SiteCode: "DC1", CarrierCode: "UPSN", ServiceCode: "AIR"})
		if err != nil || got.GetCutOff().GetCutOff().GetTimes()[0].GetLocalTime() != "15:00" {
			t.Error(got, err)
		}
		testkit.Eventually(t, trails, func() bool {
			cuts, err := c.ListCutOffs(t.Context(), &masterdatav1.ListCutOffsRequest{SiteCode: "DC1"})
			all, err2 := c.ListCalendars(t.Context(), &masterdatav1.ListCalendarsRequest{})
			return err == nil && err2 == nil && len(cuts.GetCutOffs()) == 3 && len(all.GetCalendars()) == 1
		})
		cal, err := c.GetCalendar(t.Context(), &masterdatav1.GetCalendarRequest{Code: "DC1"})
		if err != nil || len(cal.GetCalendar().GetCalendar().GetWeek()) != 5 || cal.GetCalendar().GetCalendar().GetWeek()[0].GetHours()[0].GetClose() != "24:00" {
			t.Error(cal, err)
		}
	})
}
