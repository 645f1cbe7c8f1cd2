package adapter

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/lockstep-logistics/lockstep/libs/bus"
	"github.com/lockstep-logistics/lockstep/libs/gs1"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	"github.com/lockstep-logistics/lockstep/libs/store"
	masterdatav1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/app"
	"github.com/lockstep-logistics/lockstep/services/inventory-movement/internal/domain"
)

// MasterData is this service's copy of items and locations: goods are received and picked
// while master data is down. What is retired stays known, because it may still be in stock.
type MasterData struct{ rows store.Rows }

// NewMasterData returns the copy kept in the database.
func NewMasterData(db *store.DB) *MasterData { return &MasterData{db.Table("master_data_4")} }

// Follower keeps the copy. Its number rises with what the copy holds of a record, so that the
// copy is made anew from everything that master data has.
func (m *MasterData) Follower() bus.Consumer {
	return bus.Routes(bus.Follower, "master-data-4", "master-data",
		bus.On(func(ctx context.Context, f bus.Fact, e *masterdatav1.ItemDefined) error {
			return m.item(ctx, f, e.GetItem())
		}),
		bus.On(func(ctx context.Context, f bus.Fact, e *masterdatav1.ItemRetired) error {
			return m.item(ctx, f, e.GetItem())
		}),
		bus.On(func(ctx context.Context, f bus.Fact, e *masterdatav1.LocationDefined) error {
			return m.location(ctx, f, e.GetLocation())
		}),
		bus.On(func(ctx context.Context, f bus.Fact, e *masterdatav1.LocationRetired) error {
			return m.location(ctx, f, e.GetLocation())
		}),
	)
}

// put stores a record under the id of its fact's aggregate; an older one than is there is ignored.
func (m *MasterData) put(ctx context.Context, f bus.Fact, record any) error {
	body, err := json.Marshal(record)
	if err != nil {
		return err
	}
	return m.rows.Put(ctx, store.Row{Tenant: f.Tenant, ID: f.AggregateID, Version: f.Revision(), Body: body})
}

func (m *MasterData) item(ctx context.Context, f bus.Fact, i *masterdatav1.Item) error {
	track := i.GetTracking()
	record := domain.Item{
		ID: f.AggregateID, SKU: i.GetSku(), BaseUnit: i.GetBaseUnit(), Units: map[string]quantity.Ratio{},
		Lot: track.GetLot(), Serial: track.GetSerial(), Expires: track.GetExpiry(), MinDays: int(track.GetMinRemainingDays()), Hazard: i.GetHazmat().GetHazardClass(),
	}
	if d := i.GetBaseDimensions(); d != nil {
		record.Size = domain.Size{Length: d.GetLengthMm(), Width: d.GetWidthMm(), Height: d.GetHeightMm()}
	}
	if i.GetBaseWeightGrams() != "" {
		var err error
		if record.Weight, err = quantity.Parse(i.GetBaseWeightGrams()); err != nil {
			return err
		}
	}
	var err error
	if record.GTIN, err = gtin(i); err != nil {
		return err
	}
	for _, u := range i.GetPackagingUnits() {
		record.Units[u.GetUnit()] = quantity.Ratio{Num: u.GetNumerator(), Den: u.GetDenominator()}
	}
	return m.put(ctx, f, record)
}

// gtin is the first GTIN of an item's base unit; "" for none.
func gtin(i *masterdatav1.Item) (string, error) {
	for _, x := range i.GetIdentifiers() {
		if x.GetType() == masterdatav1.IdentifierType_IDENTIFIER_TYPE_GTIN && (x.GetUnit() == "" || x.GetUnit() == i.GetBaseUnit()) {
			return gs1.GTIN(x.GetValue())
		}
	}
	return "", nil
}

func (m *MasterData) location(ctx context.Context, f bus.Fact, l *masterdatav1.Location) error {
	return m.put(ctx, f, domain.Site{
		Code: l.GetCode(), IsSite: l.GetKind() == masterdatav1.LocationKind_LOCATION_KIND_SITE, Prefix: l.GetGs1CompanyPrefix(),
	})
}

// Lookup returns the sites and items named by code, in one read.
func (m *MasterData) Lookup(ctx context.Context, sites, skus []string) (domain.Reference, error) {
	tenant := store.CauseOf(ctx).Tenant
	ref := domain.Reference{Items: map[string]domain.Item{}, Sites: map[string]domain.Site{}}
	named := map[string]bool{}
	var ids []string
	add := func(id string) {
		if !named[id] {
			named[id] = true
			ids = append(ids, id)
		}
	}
	for _, code := range sites {
		add(ident.Derive("loc", tenant, code))
	}
	for _, sku := range skus {
		add(app.ItemID(tenant, sku))
	}
	rows, err := m.rows.GetMany(ctx, tenant, ids)
	if err != nil {
		return ref, err
	}
	for _, r := range rows {
		if r.ID[:3] == "itm" {
			err = into(ref.Items, r, func(i domain.Item) string { return i.SKU })
		} else {
			err = into(ref.Sites, r, func(s domain.Site) string { return s.Code })
		}
		if err != nil {
			return ref, err
		}
	}
	return ref, nil
}

func into[T any](m map[string]T, r store.Row, code func(T) string) error {
	var record T
	if err := json.Unmarshal(r.Body, &record); err != nil {
		return err
	}
	m[code(record)] = record
	return nil
}

// Items returns the items named by id.
func (m *MasterData) Items(ctx context.Context, ids []string) (map[string]domain.Item, error) {
	items := map[string]domain.Item{}
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	if len(ids) == 0 {
		return items, nil
	}
	rows, err := m.rows.GetMany(ctx, store.CauseOf(ctx).Tenant, ids)
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		if err := into(items, r, func(i domain.Item) string { return i.ID }); err != nil {
			return nil, err
		}
	}
	return items, nil
}
