package adapter

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/lockstep-logistics/lockstep/libs/bus"
	"github.com/lockstep-logistics/lockstep/libs/gs1"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	"github.com/lockstep-logistics/lockstep/libs/store"
	masterdatav1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
	"github.com/lockstep-logistics/lockstep/services/order-release/internal/domain"
)

// Indexes of the copy of master data.
const (
	indexGTIN    = "gtin" // 14 digits
	indexDefault = "default_site"
	keyDefault   = "1"
	maxPerGTIN   = 2 // enough to see that it is ambiguous
)

// MasterData is this service's copy of the records that orders name: orders are taken while
// master data is down.
type MasterData struct{ rows store.Rows }

// NewMasterData returns the copy kept in the database.
func NewMasterData(db *store.DB) *MasterData {
	return &MasterData{db.Table("master_data", indexGTIN, indexDefault)}
}

// Follower keeps the copy.
func (m *MasterData) Follower() bus.Consumer {
	return bus.Routes(bus.Follower, "master-data", "master-data",
		bus.On(func(ctx context.Context, f bus.Fact, e *masterdatav1.ItemDefined) error {
			return m.item(ctx, f, e.GetItem(), false)
		}),
		bus.On(func(ctx context.Context, f bus.Fact, e *masterdatav1.ItemRetired) error {
			return m.item(ctx, f, e.GetItem(), true)
		}),
		bus.On(func(ctx context.Context, f bus.Fact, e *masterdatav1.PartyDefined) error {
			return m.party(ctx, f, e.GetParty(), false)
		}),
		bus.On(func(ctx context.Context, f bus.Fact, e *masterdatav1.PartyRetired) error {
			return m.party(ctx, f, e.GetParty(), true)
		}),
		bus.On(func(ctx context.Context, f bus.Fact, e *masterdatav1.LocationDefined) error {
			return m.location(ctx, f, e.GetLocation(), false)
		}),
		bus.On(func(ctx context.Context, f bus.Fact, e *masterdatav1.LocationRetired) error {
			return m.location(ctx, f, e.GetLocation(), true)
		}),
		bus.On(func(ctx context.Context, f bus.Fact, e *masterdatav1.CarrierDefined) error {
			return m.carrier(ctx, f, e.GetCarrier(), false)
		}),
		bus.On(func(ctx context.Context, f bus.Fact, e *masterdatav1.CarrierRetired) error {
			return m.carrier(ctx, f, e.GetCarrier(), true)
		}),
	)
}

// put stores a record under the id of its fact's aggregate; an older one than is there is
// ignored. One commit may hold several facts of a record, so the revision decides.
func (m *MasterData) put(ctx context.Context, f bus.Fact, record any, keys map[string][]string) error {
	body, err := json.Marshal(record)
	if err != nil {
		return err
	}
	return m.rows.Put(ctx, store.Row{Tenant: f.Tenant, ID: f.AggregateID, Version: f.Revision(), Body: body, Keys: keys})
}

func (m *MasterData) item(ctx context.Context, f bus.Fact, i *masterdatav1.Item, retired bool) error {
	record := domain.Item{ID: f.AggregateID, SKU: i.GetSku(), BaseUnit: i.GetBaseUnit(), Retired: retired, Units: map[string]quantity.Ratio{}}
	for _, u := range i.GetPackagingUnits() {
		record.Units[u.GetUnit()] = quantity.Ratio{Num: u.GetNumerator(), Den: u.GetDenominator()}
	}
	var gtins []string
	for _, id := range i.GetIdentifiers() {
		if gtin, err := gs1.GTIN(id.GetValue()); err == nil && id.GetType() == masterdatav1.IdentifierType_IDENTIFIER_TYPE_GTIN {
			gtins = append(gtins, gtin)
		}
	}
	return m.put(ctx, f, record, map[string][]string{indexGTIN: gtins})
}

func (m *MasterData) party(ctx context.Context, f bus.Fact, p *masterdatav1.Party, retired bool) error {
	record := domain.PartyRecord{Code: p.GetCode(), Retired: retired}
	for _, r := range p.GetRoles() {
		record.Roles = append(record.Roles, protovalue.Name(r, "PARTY_ROLE_"))
	}
	for _, a := range p.GetAddresses() {
		record.Addresses = append(record.Addresses, domain.PartyAddress{Code: a.GetCode(), Address: fromAddress(a.GetAddress())})
	}
	return m.put(ctx, f, record, nil)
}

func (m *MasterData) location(ctx context.Context, f bus.Fact, l *masterdatav1.Location, retired bool) error {
	record := domain.Site{
		Code: l.GetCode(), Ships: l.GetKind() == masterdatav1.LocationKind_LOCATION_KIND_SITE, Zone: l.GetTimeZone(), Retired: retired,
	}
	var keys map[string][]string
	if l.GetDefaultSite() && !retired {
		keys = map[string][]string{indexDefault: {keyDefault}}
	}
	return m.put(ctx, f, record, keys)
}

func (m *MasterData) carrier(ctx context.Context, f bus.Fact, c *masterdatav1.Carrier, retired bool) error {
	record := domain.Carrier{Code: c.GetCode(), Retired: retired}
	for _, s := range c.GetServices() {
		record.Services = append(record.Services, s.GetCode())
	}
	return m.put(ctx, f, record, nil)
}

// PartyCode returns the code of a party; "" when it is unknown.
func (m *MasterData) PartyCode(ctx context.Context, id string) (string, error) {
	row, ok, err := m.rows.Get(ctx, store.CauseOf(ctx).Tenant, id)
	if err != nil || !ok {
		return "", err
	}
	var p domain.PartyRecord
	err = json.Unmarshal(row.Body, &p)
	return p.Code, err
}

// Lookup returns what a document names, and further sites: one read, one more for the default
// site and for each GTIN.
func (m *MasterData) Lookup(ctx context.Context, h domain.Header, lines []domain.Line, sites []string) (domain.Reference, error) {
	tenant := store.CauseOf(ctx).Tenant
	ref := domain.Reference{
		Items: map[string]domain.Item{}, GTINs: map[string][]domain.Item{}, Parties: map[string]domain.PartyRecord{},
		Sites: map[string]domain.Site{}, Carriers: map[string]domain.Carrier{},
	}
	rows, err := m.rows.GetMany(ctx, tenant, named(tenant, h, lines, sites))
	if err != nil {
		return ref, err
	}
	if h.Site == "" && slices.ContainsFunc(lines, func(l domain.Line) bool { return l.AskedSite == "" }) {
		found, err := m.rows.List(ctx, tenant, indexDefault, keyDefault, "", 1)
		if err != nil {
			return ref, err
		}
		rows = append(rows, found...)
		for _, s := range found {
			ref.DefaultSite, err = codeOf(s)
			if err != nil {
				return ref, err
			}
		}
	}
	for _, r := range rows {
		if err := add(&ref, r); err != nil {
			return ref, err
		}
	}
	return ref, m.gtins(ctx, tenant, lines, &ref)
}

// gtins finds the items that lines name by GTIN.
func (m *MasterData) gtins(ctx context.Context, tenant string, lines []domain.Line, ref *domain.Reference) error {
	for _, l := range lines {
		gtin, err := gs1.GTIN(l.GTIN)
		if _, known := ref.GTINs[gtin]; err != nil || known {
			continue // validation says what is wrong with it
		}
		rows, err := m.rows.List(ctx, tenant, indexGTIN, gtin, "", maxPerGTIN)
		if err != nil {
			return err
		}
		ref.GTINs[gtin], err = protovalue.TryEach(rows, func(r store.Row) (item domain.Item, err error) {
			err = json.Unmarshal(r.Body, &item)
			return item, err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// named are the ids of the records that a document names by code.
func named(tenant string, h domain.Header, lines []domain.Line, sites []string) []string {
	seen := map[string]bool{}
	var ids []string
	add := func(prefix, code string) {
		if id := ident.Derive(prefix, tenant, code); code != "" && !seen[id] {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	for _, p := range []domain.Party{h.SoldTo, h.ShipTo, h.BillTo} {
		add("pty", p.Code)
	}
	add("car", h.Carrier)
	add("loc", h.Site)
	for _, l := range lines {
		add("itm", l.SKU)
		add("loc", l.AskedSite)
	}
	for _, code := range sites {
		add("loc", code)
	}
	return ids
}

// add puts a record where its kind belongs.
func add(ref *domain.Reference, r store.Row) error {
	prefix, _, _ := strings.Cut(r.ID, "_")
	switch prefix {
	case "itm":
		return into(ref.Items, r, func(i domain.Item) string { return i.SKU })
	case "pty":
		return into(ref.Parties, r, func(p domain.PartyRecord) string { return p.Code })
	case "loc":
		return into(ref.Sites, r, func(s domain.Site) string { return s.Code })
	case "car":
		return into(ref.Carriers, r, func(c domain.Carrier) string { return c.Code })
	}
	return nil
}

func into[T any](m map[string]T, r store.Row, code func(T) string) error {
	var record T
	if err := json.Unmarshal(r.Body, &record); err != nil {
		return err
	}
	m[code(record)] = record
	return nil
}

func codeOf(r store.Row) (string, error) {
	var s domain.Site
	err := json.Unmarshal(r.Body, &s)
	return s.Code, err
}
