package adapter

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/store"
	mdv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
	"github.com/lockstep-logistics/lockstep/services/master-data/internal/app"
	"github.com/lockstep-logistics/lockstep/services/master-data/internal/domain"
)

const minutesPerHour = 60

// minuteOf reads "HH:MM", up to "24:00"; the contract's pattern allows nothing else, and another
// text would be no minute of a day.
func minuteOf(text string) int32 {
	hour, minute, _ := strings.Cut(text, ":")
	h, err := strconv.Atoi(hour)
	m, err2 := strconv.Atoi(minute)
	if err != nil || err2 != nil {
		return -1
	}
	return int32(h*minutesPerHour + m)
}

func minuteText(minute int32) string {
	return fmt.Sprintf("%02d:%02d", minute/minutesPerHour, minute%minutesPerHour)
}

func hoursFromProto(list []*mdv1.WorkingHours) []domain.Hours {
	return protovalue.Each(list, func(h *mdv1.WorkingHours) domain.Hours {
		return domain.Hours{Open: minuteOf(h.GetOpen()), Close: minuteOf(h.GetClose())}
	})
}

func hoursToProto(list []domain.Hours) []*mdv1.WorkingHours {
	return protovalue.Each(list, func(h domain.Hours) *mdv1.WorkingHours {
		return &mdv1.WorkingHours{Open: minuteText(h.Open), Close: minuteText(h.Close)}
	})
}

func calendarFromProto(m *mdv1.Calendar) domain.Calendar {
	return domain.Calendar{
		Code: m.GetCode(), Name: m.GetName(), Zone: m.GetTimeZone(),
		Week: protovalue.Each(m.GetWeek(), func(w *mdv1.WeekdayHours) domain.WeekdayHours {
			return domain.WeekdayHours{Weekday: int32(w.GetWeekday()), Hours: hoursFromProto(w.GetHours())}
		}),
		Exceptions: protovalue.Each(m.GetExceptions(), func(e *mdv1.CalendarException) domain.Exception {
			return domain.Exception{Date: e.GetDate(), Name: e.GetName(), Hours: hoursFromProto(e.GetHours())}
		}),
	}
}

func calendarToProto(k domain.Calendar) *mdv1.Calendar {
	return &mdv1.Calendar{
		Code: k.Code, Name: k.Name, TimeZone: k.Zone,
		Week: protovalue.Each(k.Week, func(w domain.WeekdayHours) *mdv1.WeekdayHours {
			return &mdv1.WeekdayHours{Weekday: mdv1.Weekday(w.Weekday), Hours: hoursToProto(w.Hours)}
		}),
		Exceptions: protovalue.Each(k.Exceptions, func(e domain.Exception) *mdv1.CalendarException {
			return &mdv1.CalendarException{Date: e.Date, Name: e.Name, Hours: hoursToProto(e.Hours)}
		}),
	}
}

var calendarWire = wire[domain.Calendar]{
	empty: []proto.Message{&mdv1.CalendarDefined{}},
	encode: func(f domain.Fact[domain.Calendar]) proto.Message {
		return &mdv1.CalendarDefined{CalendarId: f.ID, Calendar: calendarToProto(f.Value)}
	},
	decode: func(m proto.Message) domain.Fact[domain.Calendar] {
		e := m.(*mdv1.CalendarDefined)
		return domain.Fact[domain.Calendar]{ID: e.GetCalendarId(), Value: calendarFromProto(e.GetCalendar())}
	},
}

func cutOffFromProto(m *mdv1.CutOff) domain.CutOff {
	return domain.CutOff{
		Site: m.GetSiteCode(), Carrier: m.GetCarrierCode(), Service: m.GetServiceCode(), Calendar: m.GetCalendarCode(), Zone: m.GetTimeZone(),
		Times: protovalue.Each(m.GetTimes(), func(t *mdv1.CutOffTime) domain.CutOffTime {
			return domain.CutOffTime{Weekday: int32(t.GetWeekday()), Minute: minuteOf(t.GetLocalTime()), Lead: t.GetLeadMinutes()}
		}),
	}
}

func cutOffToProto(o domain.CutOff) *mdv1.CutOff {
	return &mdv1.CutOff{
		SiteCode: o.Site, CarrierCode: o.Carrier, ServiceCode: o.Service, CalendarCode: o.Calendar, TimeZone: o.Zone,
		Times: protovalue.Each(o.Times, func(t domain.CutOffTime) *mdv1.CutOffTime {
			return &mdv1.CutOffTime{Weekday: mdv1.Weekday(t.Weekday), LocalTime: minuteText(t.Minute), LeadMinutes: t.Lead}
		}),
	}
}

var cutOffWire = wire[domain.CutOff]{
	empty: []proto.Message{&mdv1.CutOffDefined{}},
	encode: func(f domain.Fact[domain.CutOff]) proto.Message {
		return &mdv1.CutOffDefined{CutOffId: f.ID, CutOff: cutOffToProto(f.Value)}
	},
	decode: func(m proto.Message) domain.Fact[domain.CutOff] {
		e := m.(*mdv1.CutOffDefined)
		return domain.Fact[domain.CutOff]{ID: e.GetCutOffId(), Value: cutOffFromProto(e.GetCutOff())}
	},
}

func calendarRecord(v store.View[domain.Record[domain.Calendar]]) *mdv1.CalendarRecord {
	return &mdv1.CalendarRecord{
		CalendarId: v.ID, Calendar: calendarToProto(v.State.Value), State: state(v.State.State), Etag: v.ETag,
		CreateTime: protovalue.Time(v.Created), UpdateTime: protovalue.Time(v.Updated),
	}
}

func cutOffRecord(v store.View[domain.Record[domain.CutOff]]) *mdv1.CutOffRecord {
	return &mdv1.CutOffRecord{
		CutOffId: v.ID, CutOff: cutOffToProto(v.State.Value), Etag: v.ETag,
		CreateTime: protovalue.Time(v.Created), UpdateTime: protovalue.Time(v.Updated),
	}
}

// PutCalendar creates or replaces a calendar.
func (s *Server) PutCalendar(ctx context.Context, req *mdv1.PutCalendarRequest) (*mdv1.PutCalendarResponse, error) {
	calendar := calendarFromProto(req.GetCalendar())
	if err := sameCode("calendar.code", req.GetCode(), &calendar.Code); err != nil {
		return nil, err
	}
	receipt, err := s.calendars.Put(ctx, calendar)
	if err != nil {
		return nil, under("calendar", err)
	}
	return &mdv1.PutCalendarResponse{Receipt: guard.Receipt(ctx, receipt)}, nil
}

// GetCalendar returns a calendar.
func (s *Server) GetCalendar(ctx context.Context, req *mdv1.GetCalendarRequest) (*mdv1.GetCalendarResponse, error) {
	view, err := s.calendars.Get(ctx, req.GetCode())
	return &mdv1.GetCalendarResponse{Calendar: calendarRecord(view)}, err
}

// ListCalendars pages calendars.
func (s *Server) ListCalendars(ctx context.Context, req *mdv1.ListCalendarsRequest) (*mdv1.ListCalendarsResponse, error) {
	page, err := s.calendars.List(ctx, query(req))
	return &mdv1.ListCalendarsResponse{Calendars: protovalue.Each(page.Items, calendarRecord), NextPageToken: page.NextToken, AsOfTime: protovalue.Time(page.AsOf)}, err
}

// GetNextWorkingTime says when a calendar next has working time.
func (s *Server) GetNextWorkingTime(ctx context.Context, req *mdv1.GetNextWorkingTimeRequest) (*mdv1.GetNextWorkingTimeResponse, error) {
	at, zone, err := app.NextWorking(ctx, s.calendars, req.GetCode(), s.moment(req.GetAfterTime()))
	if err != nil {
		return nil, err
	}
	return &mdv1.GetNextWorkingTimeResponse{WorkingTime: protovalue.Time(at), OffsetMinutes: offset(at, zone), TimeZone: zone.String()}, nil
}

// offset is the UTC offset of a zone at t, in minutes.
func offset(t time.Time, zone *time.Location) int32 {
	_, seconds := t.In(zone).Zone()
	return int32(seconds / minutesPerHour)
}

// PutCutOff creates or replaces the cut-offs of a site for a carrier and its service.
func (s *Server) PutCutOff(ctx context.Context, req *mdv1.PutCutOffRequest) (*mdv1.PutCutOffResponse, error) {
	receipt, err := s.cutOffs.Put(ctx, cutOffFromProto(req.GetCutOff()))
	if err != nil {
		return nil, under("cut_off", err)
	}
	return &mdv1.PutCutOffResponse{Receipt: guard.Receipt(ctx, receipt)}, nil
}

// GetCutOff returns the cut-offs of a site for exactly a carrier and its service.
func (s *Server) GetCutOff(ctx context.Context, req *mdv1.GetCutOffRequest) (*mdv1.GetCutOffResponse, error) {
	view, err := s.cutOffs.Get(ctx, domain.Joined(req.GetSiteCode(), req.GetCarrierCode(), req.GetServiceCode()))
	return &mdv1.GetCutOffResponse{CutOff: cutOffRecord(view)}, err
}

// ListCutOffs pages cut-offs.
func (s *Server) ListCutOffs(ctx context.Context, req *mdv1.ListCutOffsRequest) (*mdv1.ListCutOffsResponse, error) {
	q := query(req)
	if req.GetSiteCode() != "" {
		q.Index, q.Key = indexSite, req.GetSiteCode()
	}
	page, err := s.cutOffs.List(ctx, q)
	return &mdv1.ListCutOffsResponse{CutOffs: protovalue.Each(page.Items, cutOffRecord), NextPageToken: page.NextToken, AsOfTime: protovalue.Time(page.AsOf)}, err
}

// GetNextCutOff says which cut-off goods still make that are ready at a moment.
func (s *Server) GetNextCutOff(ctx context.Context, req *mdv1.GetNextCutOffRequest) (*mdv1.GetNextCutOffResponse, error) {
	next, err := s.cutOffs.Next(ctx, req.GetSiteCode(), req.GetCarrierCode(), req.GetServiceCode(), s.moment(req.GetAfterTime()))
	if err != nil {
		return nil, err
	}
	return &mdv1.GetNextCutOffResponse{
		CutOffTime: protovalue.Time(next.At), ReadyByTime: protovalue.Time(next.ReadyBy), LocalDate: next.Date.String(), LocalTime: minuteText(int32(next.Minute)),
		OffsetMinutes: offset(next.At, next.Zone), TimeZone: next.Zone.String(), CutOffId: next.ID,
	}, nil
}
