package domain

import (
	"slices"

	"github.com/lockstep-logistics/lockstep/libs/fault"
)

// Kind is a kind of location.
type Kind string

// The kinds.
const (
	Site Kind = "SITE"
	Zone Kind = "ZONE"
	Bin  Kind = "BIN"
	Dock Kind = "DOCK"
)

// holders says which kinds may hold a kind; no chain of them can close a circle.
var holders = map[Kind][]Kind{Zone: {Site}, Dock: {Site}, Bin: {Site, Zone}}

// Location is a place of the tenant's own network.
type Location struct {
	Code        string   `bson:"k"`
	Name        string   `bson:"n"`
	Kind        Kind     `bson:"y"`
	Parent      string   `bson:"p,omitempty"` // code
	Site        string   `bson:"s"`           // code of the site it belongs to
	TimeZone    string   `bson:"z,omitempty"` // IANA
	UNLocode    string   `bson:"u,omitempty"`
	Address     *Address `bson:"a,omitempty"`
	GLN         string   `bson:"g,omitempty"`
	DefaultSite bool     `bson:"d,omitempty"`
	GS1Prefix   string   `bson:"x,omitempty"`
	Latitude    string   `bson:"la,omitempty"` // degrees, WGS 84, a decimal in its shortest form
	Longitude   string   `bson:"lo,omitempty"`
}

// Key implements Value.
func (l Location) Key() string { return l.Code }

// Under returns the location with the site that it takes from its parent, whose
// record is Absent when there is none.
func (l Location) Under(parent Record[Location]) (Location, error) {
	if l.Kind == Site {
		l.Site = l.Code
		return l, nil
	}
	var c check
	c.that(l.Parent != "", "parent_code", "REQUIRED", "a %s needs the location that holds it", l.Kind)
	if l.Parent != "" {
		c.that(parent.State == Active, "parent_code", "PARENT_INVALID", "there is no location %q in use", l.Parent)
	}
	if parent.State == Active {
		c.that(slices.Contains(holders[l.Kind], parent.Value.Kind), "parent_code", "PARENT_INVALID", "a %s cannot hold a %s", parent.Value.Kind, l.Kind)
	}
	l.Site = parent.Value.Site
	return l, c.done()
}

// Check implements Value.
func (l Location) Check() error {
	var c check
	c.code("code", l.Code)
	c.zone("time_zone", l.TimeZone)
	c.gln("gln", l.GLN)
	site := l.Kind == Site
	c.that(!site || l.TimeZone != "", "time_zone", "REQUIRED", "a site needs its time zone")
	c.that(!site || l.Address != nil, "address", "REQUIRED", "a site needs its address")
	c.that(!site || l.Parent == "", "parent_code", "CONTRADICTION", "nothing holds a site")
	c.that(site || !l.DefaultSite, "default_site", "CONTRADICTION", "only a site can be the default site")
	c.that(site || l.GS1Prefix == "", "gs1_company_prefix", "CONTRADICTION", "only a site issues SSCCs")
	c.that((l.Latitude == "") == (l.Longitude == ""), "longitude", "REQUIRED", "a place has both coordinates or none")
	if l.Address != nil {
		c.address("address", *l.Address)
	}
	if len(l.UNLocode) == 5 {
		c.country("un_locode", l.UNLocode[:2])
	}
	return c.done()
}

// Settle implements Settled: stock is kept under the site, and what stands in a
// location stays where it is when the records change.
func (l Location) Settle(old Location) error {
	if l.Kind != old.Kind || l.Site != old.Site {
		return fault.New(fault.Refused, "LOCATION_FIXED", "%s is a %s of site %s and cannot become a %s of site %s", l.Code, old.Kind, old.Site, l.Kind, l.Site)
	}
	return nil
}
