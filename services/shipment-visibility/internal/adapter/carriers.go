package adapter

import (
	"context"
	"encoding/json"

	"github.com/lockstep-logistics/lockstep/libs/bus"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/store"
	masterdatav1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
	"github.com/lockstep-logistics/lockstep/services/shipment-visibility/internal/app"
)

// indexParty is the party, by id, that a carrier is.
const indexParty = "party"

// mostOfParty bounds the carriers that one party is.
const mostOfParty = 200

// Carriers is this service's copy of the carriers of master data: shipments are offered and
// carriers let in while master data is down.
type Carriers struct{ rows store.Rows }

// NewCarriers returns the copy kept in the database.
func NewCarriers(db *store.DB) *Carriers { return &Carriers{db.Table("carriers", indexParty)} }

// Follower keeps the copy.
func (c *Carriers) Follower() bus.Consumer {
	return bus.Routes(bus.Follower, "master-data", "master-data",
		bus.On(func(ctx context.Context, f bus.Fact, m *masterdatav1.CarrierDefined) error {
			return c.put(ctx, f, m.GetCarrier(), false)
		}),
		bus.On(func(ctx context.Context, f bus.Fact, m *masterdatav1.CarrierRetired) error {
			return c.put(ctx, f, m.GetCarrier(), true)
		}),
	)
}

// put stores a carrier under the id of its fact's aggregate; an older one than is there is
// ignored. One commit may hold several facts of a record, so the revision decides.
func (c *Carriers) put(ctx context.Context, f bus.Fact, m *masterdatav1.Carrier, retired bool) error {
	record := app.Carrier{Code: m.GetCode(), Retired: retired}
	for _, s := range m.GetServices() {
		record.Services = append(record.Services, s.GetCode())
	}
	body, err := json.Marshal(record)
	if err != nil {
		return err
	}
	row := store.Row{Tenant: f.Tenant, ID: f.AggregateID, Version: f.Revision(), Body: body}
	if m.GetPartyCode() != "" {
		row.Keys = map[string][]string{indexParty: {ident.Derive("pty", f.Tenant, m.GetPartyCode())}}
	}
	return c.rows.Put(ctx, row)
}

// Lookup returns a carrier by its code, and whether there is one.
func (c *Carriers) Lookup(ctx context.Context, code string) (app.Carrier, bool, error) {
	tenant := store.CauseOf(ctx).Tenant
	row, ok, err := c.rows.Get(ctx, tenant, ident.Derive("car", tenant, code))
	if err != nil || !ok {
		return app.Carrier{}, false, err
	}
	var record app.Carrier
	err = json.Unmarshal(row.Body, &record)
	return record, err == nil, err
}

// OfParty returns the codes of the carriers that a party is, retired ones included: what
// they carry goes on.
func (c *Carriers) OfParty(ctx context.Context, party string) ([]string, error) {
	rows, err := c.rows.List(ctx, store.CauseOf(ctx).Tenant, indexParty, party, "", mostOfParty)
	if err != nil {
		return nil, err
	}
	codes := make([]string, len(rows))
	for i, r := range rows {
		var record app.Carrier
		if err := json.Unmarshal(r.Body, &record); err != nil {
			return nil, err
		}
		codes[i] = record.Code
	}
	return codes, nil
}
