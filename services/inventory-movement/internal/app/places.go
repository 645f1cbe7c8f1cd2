package app

import (
	"context"
	"slices"
	"time"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// Standing is what is known of a location that goods are to go to.
type Standing int

// The standings. A location of which nothing is said can take goods.
const (
	Fit     Standing = iota
	Unknown          // the site has bins, and this is no place of it
	Unclear          // nobody can tell now
)

// Places is the service's own copy of what each site has of bins, docks and zones.
type Places interface {
	// Check returns the locations of a site that are not Fit. A site without bins takes any.
	Check(ctx context.Context, site string, locations []string) (map[string]Standing, error)
}

// checkPlace refuses what is no bin, and dates that are none.
func checkPlace(p domain.Place, field string) error {
	if domain.Reserved(p.Location) {
		return domain.Invalid(field, "LOCATION_RESERVED", "%s is no bin", p.Location)
	}
	if p.Expiry == "" {
		return nil
	}
	if _, err := time.Parse(time.DateOnly, p.Expiry); err != nil {
		return domain.Invalid("expiry_date", "EXPIRY_INVALID", "%q is no date", p.Expiry)
	}
	return nil
}

// takes refuses a location that goods may not go to. What stands at one may always leave it.
func (a *App) takes(ctx context.Context, site, location, field string) error {
	found, err := a.Places.Check(ctx, site, []string{location})
	if err != nil {
		return err
	}
	return found[location].refuse(site, location, field)
}

func (s Standing) refuse(site, location, field string) error {
	switch s {
	case Unknown:
		return domain.Invalid(field, "LOCATION_UNKNOWN", "site %q has no place %q: define it in master data", site, location)
	case Unclear:
		return fault.New(fault.Unavailable, "MASTER_DATA_UNAVAILABLE",
			"%s: place %q of site %q is not known here yet and master data does not answer: try again", field, location, site)
	}
	return nil
}

// places checks where many goods are to go to, each place once.
func (a *App) places(ctx context.Context, goods []Goods) (map[string]map[string]Standing, error) {
	bySite := map[string][]string{}
	for _, g := range goods {
		if !slices.Contains(bySite[g.Site], g.Place.Location) {
			bySite[g.Site] = append(bySite[g.Site], g.Place.Location)
		}
	}
	found := map[string]map[string]Standing{}
	for site, locations := range bySite {
		var err error
		if found[site], err = a.Places.Check(ctx, site, locations); err != nil {
			return nil, err
		}
	}
	return found, nil
}
