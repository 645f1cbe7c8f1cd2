package returns_test

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/host/hosttest"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	md "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
)

// sites stands for master data: it has a site "EARLY" and a bin "EARLY-1", of which no fact is out.
type sites struct {
	md.UnimplementedMasterDataServiceServer
	*owner
	down atomic.Bool
}

func newSites() *sites {
	s := &sites{}
	s.owner = &owner{name: "master-data", aggregate: "location", prefix: "loc", register: func(r grpc.ServiceRegistrar) {
		md.RegisterMasterDataServiceServer(r, s)
	}}
	return s
}

func (s *sites) GetLocation(_ context.Context, r *md.GetLocationRequest) (*md.GetLocationResponse, error) {
	kind, known := map[string]md.LocationKind{"EARLY": md.LocationKind_LOCATION_KIND_SITE, "EARLY-1": md.LocationKind_LOCATION_KIND_BIN}[r.GetCode()]
	switch {
	case s.down.Load():
		return nil, fault.New(fault.Unavailable, "DOWN", "out of order")
	case !known:
		return nil, fault.New(fault.NotFound, "NOT_FOUND", "unknown")
	}
	return &md.GetLocationResponse{Location: &md.LocationRecord{Location: &md.Location{Code: r.GetCode(), Kind: kind}}}, nil
}

// TestReturnSites: a return to no site is refused and leaves nothing; a site whose fact has
// not come is one; while master data is down returns go to sites that are known here, retired
// ones included, and others may be tried again.
func TestReturnSites(t *testing.T) {
	for _, engine := range hosttest.Engines {
		t.Run(engine, func(t *testing.T) {
			w := newWorld(t, engine)
			order := w.shipped(t)
			request := func(site string) (err error) {
				r := ask(order, 10, 1, defective)
				r.ReturnSite = site
				testkit.Eventually(t, patience, func() bool { // on a loaded machine master data may have no word in time
					_, err = w.service.RequestReturn(t.Context(), r)
					f, ok := fault.As(err)
					return w.sites.down.Load() || !ok || f.Reason != "MASTER_DATA_UNAVAILABLE"
				})
				return err
			}
			for code, facts := range map[string]bool{"HERE": false, "GONE": true} {
				l := &md.Location{Code: code, Kind: md.LocationKind_LOCATION_KIND_SITE}
				id := ident.Derive("loc", w.Tenant, code)
				w.sites.publish(t, w.Tenant, id, &md.LocationDefined{Location: l})
				if facts {
					w.sites.publish(t, w.Tenant, id, &md.LocationRetired{Location: l})
				}
			}
			w.sites.publish(t, w.Tenant, ident.Derive("loc", w.Tenant, "EARLY-1"), &md.LocationDefined{
				Location: &md.Location{Code: "EARLY-1", Kind: md.LocationKind_LOCATION_KIND_BIN},
			})
			for _, site := range []string{"NOWHERE", "EARLY-1"} { // a bin is no site
				err := request(site)
				reason(t, err, fault.Invalid, "SITE_UNKNOWN")
				if fields, _ := details(err, ""); !slices.Equal(fields, []string{"return_site"}) {
					t.Errorf("%s: %v", site, fields)
				}
			}
			w.available(t, order, "5", "14")
			if err := request("EARLY"); err != nil {
				t.Error(err)
			}
			w.sites.down.Store(true)
			reason(t, request("NOWHERE"), fault.Unavailable, "MASTER_DATA_UNAVAILABLE")
			w.available(t, order, "4", "14")
			if err := request(""); err != nil {
				t.Error(err)
			}
			for _, site := range []string{"HERE", "GONE"} {
				testkit.Eventually(t, patience, func() error { return request(site) })
			}
			w.available(t, order, "1", "14")
		})
	}
}
