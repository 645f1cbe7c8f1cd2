package app

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/store"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// IndexOpen lists warehouse orders that are neither issued nor cancelled, by site.
const IndexOpen = "open"

// Timetables are the service's own copy of the cut-offs of master data.
type Timetables interface {
	// Timetable returns what counts for the cut-offs of a site.
	Timetable(ctx context.Context, site string) (domain.Timetable, error)
}

// AtRisk is what a site's open work comes to.
type AtRisk struct {
	Late        []domain.Job // the latest ones first
	Timetable   domain.Timetable
	Open        int // orders that are open
	Without     int // of them those that have no cut-off
	Pick, Pack  int // lines
	ProjectedAt time.Time
}

// AtRisk projects when the open warehouse orders of a site are ready, and returns those that
// miss their cut-offs. The list of what is open trails by a moment.
func (a *App) AtRisk(ctx context.Context, site string, now time.Time) (AtRisk, error) {
	table, err := a.Timetables.Timetable(ctx, site)
	if err != nil {
		return AtRisk{}, err
	}
	out := AtRisk{Timetable: table, ProjectedAt: now}
	var jobs []domain.Job
	q := store.Query{Index: IndexOpen, Key: site, PageSize: 200}
	for {
		page, err := a.Orders.List(ctx, q)
		if err != nil {
			return AtRisk{}, err
		}
		for _, v := range page.Items {
			if j, open := domain.JobOf(v.State, v.Created, table); open {
				jobs = append(jobs, j)
			}
		}
		if q.PageToken = page.NextToken; q.PageToken == "" {
			break
		}
	}
	for _, j := range domain.Project(jobs, a.Rates, now) {
		out.Open, out.Pick, out.Pack = out.Open+1, out.Pick+j.Pick, out.Pack+j.Pack
		switch {
		case !j.HasCutOff:
			out.Without++
		case j.Late() > 0:
			out.Late = append(out.Late, j)
		}
	}
	slices.SortStableFunc(out.Late, func(a, b domain.Job) int { return cmp.Compare(b.Late(), a.Late()) })
	return out, nil
}
