package masterdata_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/host"
	"github.com/lockstep-logistics/lockstep/libs/host/hosttest"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	masterdatav1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
	masterdata "github.com/lockstep-logistics/lockstep/services/master-data"
)

// patience bounds how long something may take to happen on a loaded machine.
const patience = time.Minute

func unit() *host.Unit { return host.Bind(masterdata.Name, masterdata.Defaults(), masterdata.New) }

// onEngines runs a test on each engine, with a client that may write.
func onEngines(t *testing.T, f func(*testing.T, *hosttest.Suite, masterdatav1.MasterDataServiceClient)) {
	for _, engine := range hosttest.Engines {
		t.Run(engine, func(t *testing.T) {
			s := hosttest.Serve(t, engine, unit())
			f(t, s, clientOf(s, commonv1.Role_ROLE_LOGISTICS))
		})
	}
}

func clientOf(s *hosttest.Suite, role commonv1.Role) masterdatav1.MasterDataServiceClient {
	return masterdatav1.NewMasterDataServiceClient(s.Client(masterdata.Name, s.Caller(role)))
}

func item(sku string) *masterdatav1.Item {
	return &masterdatav1.Item{
		Sku: sku, Name: "Green tea", BaseUnit: "EA", BaseWeightGrams: "512.5",
		PackagingUnits: []*masterdatav1.PackagingUnit{{Unit: "CS", Numerator: 12, Denominator: 1, GrossWeightGrams: 6500}},
		Identifiers:    []*masterdatav1.ItemIdentifier{{Type: masterdatav1.IdentifierType_IDENTIFIER_TYPE_GTIN, Value: "4006381333931"}},
		Tracking:       &masterdatav1.TrackingPolicy{Lot: true},
	}
}

func site(code string) *masterdatav1.Location {
	return &masterdatav1.Location{
		Code: code, Name: "Site " + code, Kind: masterdatav1.LocationKind_LOCATION_KIND_SITE, TimeZone: "Europe/Berlin",
		Address: &commonv1.Address{Country: "DE"}, Gs1CompanyPrefix: "4012345",
	}
}

func bin(code, parent string) *masterdatav1.Location {
	return &masterdatav1.Location{Code: code, Name: code, Kind: masterdatav1.LocationKind_LOCATION_KIND_BIN, ParentCode: parent}
}

// reason asserts the kind and reason of a fault, and returns it.
func reason(t *testing.T, err error, kind fault.Kind, want string) (fields []fault.Field) {
	t.Helper()
	f, ok := fault.As(err)
	if !ok || f.Kind != kind || f.Reason != want {
		t.Fatalf("got %v, want %s %s", err, kind, want)
	}
	return f.Fields
}

func TestLifeOfAnItem(t *testing.T) {
	onEngines(t, func(t *testing.T, s *hosttest.Suite, c masterdatav1.MasterDataServiceClient) {
		put := func(i *masterdatav1.Item, etag string) (*commonv1.Receipt, error) {
			resp, err := c.PutItem(t.Context(), &masterdatav1.PutItemRequest{Sku: "TEA/500", Item: i, Etag: etag})
			return resp.GetReceipt(), err
		}
		first, err := put(item(""), "")
		if err != nil || first.GetId() != ident.Derive("itm", s.Tenant, "TEA/500") || first.GetState() != "ACTIVE" {
			t.Fatal(first, err)
		}
		got, err := c.GetItem(t.Context(), &masterdatav1.GetItemRequest{Sku: "TEA/500"})
		if err != nil || !proto.Equal(got.GetItem().GetItem(), item("TEA/500")) || got.GetItem().GetEtag() != first.GetEtag() {
			t.Fatal(got, err)
		}
		same, err := put(item("TEA/500"), first.GetEtag())
		if err != nil {
			t.Fatal(err)
		}
		changed := item("")
		changed.Name = "Black tea"
		second, err := put(changed, same.GetEtag())
		if err != nil || second.GetEtag() == same.GetEtag() {
			t.Fatal(second, err)
		}
		_, err = put(item(""), first.GetEtag())
		if !fault.IsKind(err, fault.Stale) {
			t.Fatalf("a stale version: %v", err)
		}
		changed.BaseUnit, changed.PackagingUnits = "KGM", nil
		_, err = put(changed, "")
		reason(t, err, fault.Refused, "BASE_UNIT_FIXED")
		if resp, err := c.RetireItem(t.Context(), &masterdatav1.RetireItemRequest{Sku: "TEA/500"}); err != nil || resp.GetReceipt().GetState() != "RETIRED" {
			t.Fatal(resp, err)
		}
		retired, err := c.GetItem(t.Context(), &masterdatav1.GetItemRequest{Sku: "TEA/500"})
		if err != nil || retired.GetItem().GetState() != masterdatav1.RecordState_RECORD_STATE_RETIRED || retired.GetItem().GetItem().GetName() != "Black tea" {
			t.Fatal(retired, err)
		}
		if back, err := put(item(""), ""); err != nil || back.GetState() != "ACTIVE" {
			t.Fatal(back, err)
		}
		_, err = c.RetireItem(t.Context(), &masterdatav1.RetireItemRequest{Sku: "NOBODY"})
		reason(t, err, fault.NotFound, "NOT_FOUND")
	})
}

func TestReplayAndAnotherBody(t *testing.T) {
	onEngines(t, func(t *testing.T, s *hosttest.Suite, c masterdatav1.MasterDataServiceClient) {
		ctx := hosttest.WithKey(t.Context(), "put-item-0001")
		req := &masterdatav1.PutItemRequest{Sku: "A", Item: item("A")}
		first, err := c.PutItem(ctx, req)
		if err != nil {
			t.Fatal(err)
		}
		s.Redis.FlushAll()
		s.Restart(t)
		var header metadata.MD
		again, err := c.PutItem(ctx, req, grpc.Header(&header))
		if err != nil || !proto.Equal(first, again) || !slices.Equal(header.Get(guard.MetaReplayed), []string{"true"}) {
			t.Fatalf("replay %v, %v, %v; first %v", again, err, header, first)
		}
		req.Item.Name = "Other"
		if _, err = c.PutItem(ctx, req); !fault.IsKind(err, fault.KeyReused) {
			t.Fatalf("another body under the key: %v", err)
		}
	})
}

// TestFieldsAreNamed: rules of the contract and of the domain name the field in the request.
func TestFieldsAreNamed(t *testing.T) {
	s := hosttest.Serve(t, "sqlite", unit())
	c := clientOf(s, commonv1.Role_ROLE_TENANT_ADMIN)
	for name, tt := range map[string]struct {
		change        func(*masterdatav1.PutItemRequest)
		field, reason string
	}{
		"unknown unit":        {func(r *masterdatav1.PutItemRequest) { r.Item.BaseUnit = "XYZ" }, "item.base_unit", "UNIT_UNKNOWN"},
		"bad GTIN":            {func(r *masterdatav1.PutItemRequest) { r.Item.Identifiers[0].Value = "4006381333932" }, "item.identifiers[0].value", "CHECK_DIGIT"},
		"two codes":           {func(r *masterdatav1.PutItemRequest) { r.Item.Sku = "B" }, "item.sku", "CODE_MISMATCH"},
		"ratio of nothing":    {func(r *masterdatav1.PutItemRequest) { r.Item.PackagingUnits[0].Numerator = 0 }, "item.packaging_units[0].numerator", "INT64_GTE_LTE"},
		"code with an escape": {func(r *masterdatav1.PutItemRequest) { r.Sku, r.Item.Sku = "A%2FB", "" }, "sku", "STRING_PATTERN"},
	} {
		req := &masterdatav1.PutItemRequest{Sku: "A", Item: item("A")}
		tt.change(req)
		_, err := c.PutItem(t.Context(), req)
		f, ok := fault.As(err)
		if !ok || f.Kind != fault.Invalid || len(f.Fields) != 1 || f.Fields[0].Path != tt.field || f.Fields[0].Reason != tt.reason {
			t.Errorf("%s: %v %+v", name, err, f)
		}
	}
	if _, err := c.GetItem(t.Context(), &masterdatav1.GetItemRequest{Sku: "A"}); !fault.IsKind(err, fault.NotFound) {
		t.Errorf("a refused item is there: %v", err)
	}
	loc := &masterdatav1.PutLocationRequest{Code: "B-1", Location: bin("B-1", "NOWHERE")}
	_, err := c.PutLocation(t.Context(), loc)
	if fields := reason(t, err, fault.Invalid, "PARENT_INVALID"); fields[0].Path != "location.parent_code" {
		t.Errorf("unknown parent: %+v", fields)
	}
}

// TestBatch puts a site after its bins, one record that cannot be, and one twice.
func TestBatch(t *testing.T) {
	onEngines(t, func(t *testing.T, _ *hosttest.Suite, c masterdatav1.MasterDataServiceClient) {
		req := &masterdatav1.BatchPutLocationsRequest{Locations: []*masterdatav1.Location{
			bin("B-1", "DC1"), bin("B-2", "NOWHERE"), site("DC1"), bin("B-1", "DC1"),
		}}
		req.Locations[3].Name = "renamed"
		ctx := hosttest.WithKey(t.Context(), "batch-0001")
		first, err := c.BatchPutLocations(ctx, req)
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range first.GetResults() {
			f := r.GetFailure()
			if (f != nil) != (i == 1) {
				t.Errorf("item %d: %v", i, r)
			}
			if f != nil && (f.GetReason() != "PARENT_INVALID" || codes.Code(f.GetCode()) != codes.InvalidArgument || f.GetFields()[0].GetField() != "locations[1].parent_code" || f.GetRetryable()) {
				t.Errorf("failure %v", f)
			}
		}
		got, err := c.GetLocation(t.Context(), &masterdatav1.GetLocationRequest{Code: "B-1"})
		if err != nil || got.GetLocation().GetLocation().GetName() != "renamed" || got.GetLocation().GetSiteCode() != "DC1" {
			t.Fatal(got, err)
		}
		again, err := c.BatchPutLocations(ctx, req)
		if err != nil || !proto.Equal(first, again) {
			t.Errorf("replay %v, %v; first %v", again, err, first)
		}
		large := &masterdatav1.BatchPutItemsRequest{}
		for i := range 1000 {
			large.Items = append(large.Items, item(fmt.Sprintf("SKU-%04d", i)))
		}
		resp, err := c.BatchPutItems(t.Context(), large)
		if err != nil || len(resp.GetResults()) != 1000 {
			t.Fatal(len(resp.GetResults()), err)
		}
		for i, r := range resp.GetResults() {
			if r.GetReceipt() == nil {
				t.Fatalf("item %d: %v", i, r.GetFailure())
			}
		}
	})
}

func TestLists(t *testing.T) {
	onEngines(t, func(t *testing.T, _ *hosttest.Suite, c masterdatav1.MasterDataServiceClient) {
		if _, err := c.PutItem(t.Context(), &masterdatav1.PutItemRequest{Sku: "A", Item: item("A")}); err != nil {
			t.Fatal(err)
		}
		for _, l := range []*masterdatav1.Location{site("DC1"), site("DC2"), bin("B-1", "DC1")} {
			if _, err := c.PutLocation(t.Context(), &masterdatav1.PutLocationRequest{Code: l.GetCode(), Location: l}); err != nil {
				t.Fatal(err)
			}
		}
		for _, name := range []string{"A", "4006381333931", "04006381333931"} { // SKU, GTIN-13, the same as GTIN-14
			testkit.Eventually(t, patience, func() bool {
				resp, err := c.ListItems(t.Context(), &masterdatav1.ListItemsRequest{Identifier: name})
				return err == nil && len(resp.GetItems()) == 1 && resp.GetItems()[0].GetItem().GetSku() == "A"
			})
		}
		codesOf := func(req *masterdatav1.ListLocationsRequest) (found []string) {
			for {
				resp, err := c.ListLocations(t.Context(), req)
				if err != nil {
					t.Fatal(err)
				}
				for _, l := range resp.GetLocations() {
					found = append(found, l.GetLocation().GetCode())
				}
				if req.PageToken = resp.GetNextPageToken(); req.PageToken == "" {
					return found
				}
			}
		}
		for name, tt := range map[string]struct {
			req  *masterdatav1.ListLocationsRequest
			want []string
		}{
			"all, a page each": {&masterdatav1.ListLocationsRequest{PageSize: 1}, []string{"DC1", "DC2", "B-1"}},
			"of a site":        {&masterdatav1.ListLocationsRequest{SiteCode: "DC1"}, []string{"DC1", "B-1"}},
			"bins":             {&masterdatav1.ListLocationsRequest{Kind: masterdatav1.LocationKind_LOCATION_KIND_BIN}, []string{"B-1"}},
			"of no site":       {&masterdatav1.ListLocationsRequest{SiteCode: "DC9"}, nil},
		} {
			t.Run(name, func(t *testing.T) {
				testkit.Eventually(t, patience, func() bool {
					return slices.Equal(codesOf(proto.CloneOf(tt.req)), tt.want)
				})
			})
		}
	})
}

// TestCustomerSeesItselfOnly: a caller who is bound to a party finds no other.
func TestCustomerSeesItselfOnly(t *testing.T) {
	s := hosttest.Serve(t, "sqlite", unit())
	c := clientOf(s, commonv1.Role_ROLE_LOGISTICS)
	for _, code := range []string{"C-1", "C-2"} {
		party := &masterdatav1.Party{Name: code, Roles: []masterdatav1.PartyRole{masterdatav1.PartyRole_PARTY_ROLE_CUSTOMER}}
		if _, err := c.PutParty(t.Context(), &masterdatav1.PutPartyRequest{Code: code, Party: party}); err != nil {
			t.Fatal(err)
		}
	}
	who := s.Caller(commonv1.Role_ROLE_CUSTOMER)
	who.Party = ident.Derive("pty", s.Tenant, "C-1")
	customer := masterdatav1.NewMasterDataServiceClient(s.Client(masterdata.Name, who))
	if _, err := customer.GetParty(t.Context(), &masterdatav1.GetPartyRequest{Code: "C-1"}); err != nil {
		t.Error(err)
	}
	_, foreign := customer.GetParty(t.Context(), &masterdatav1.GetPartyRequest{Code: "C-2"})
	_, unknown := customer.GetParty(t.Context(), &masterdatav1.GetPartyRequest{Code: "C-3"})
	if !fault.IsKind(foreign, fault.NotFound) || foreign.Error() != unknown.Error() {
		t.Errorf("another's party: %v; an unknown one: %v", foreign, unknown)
	}
	list, err := customer.ListParties(t.Context(), &masterdatav1.ListPartiesRequest{})
	if err != nil || len(list.GetParties()) != 1 || list.GetParties()[0].GetParty().GetCode() != "C-1" {
		t.Error(list, err)
	}
}

// TestCustomerWithoutPartyIsRefused: no party is how staff is known, so a customer's or
// partner's credential that names none must not pass for it.
func TestCustomerWithoutPartyIsRefused(t *testing.T) {
	s := hosttest.Serve(t, "sqlite", unit())
	for _, role := range []commonv1.Role{commonv1.Role_ROLE_CUSTOMER, commonv1.Role_ROLE_PARTNER} {
		list, err := clientOf(s, role).ListParties(t.Context(), &masterdatav1.ListPartiesRequest{})
		if f, ok := fault.As(err); !ok || f.Kind != fault.Denied || f.Reason != "PARTY_REQUIRED" {
			t.Errorf("%s: %v, %v", role, list, err)
		}
	}
}

func TestTenantAndReferenceData(t *testing.T) {
	s := hosttest.Serve(t, "sqlite", unit())
	admin := clientOf(s, commonv1.Role_ROLE_TENANT_ADMIN)
	_, err := admin.GetTenant(t.Context(), &masterdatav1.GetTenantRequest{})
	if !fault.IsKind(err, fault.NotFound) {
		t.Errorf("a tenant without a record: %v", err)
	}
	tenant := &masterdatav1.Tenant{Name: "Acme", Currency: "EUR", Country: "DE", TimeZone: "Europe/Berlin"}
	if _, err := admin.PutTenant(t.Context(), &masterdatav1.PutTenantRequest{Tenant: tenant}); err != nil {
		t.Fatal(err)
	}
	got, err := admin.GetTenant(t.Context(), &masterdatav1.GetTenantRequest{})
	if err != nil || !proto.Equal(got.GetTenant(), tenant) || got.GetTenantId() != ident.Derive("tnt", s.Tenant) {
		t.Error(got, err)
	}
	units, err := admin.ListUnits(t.Context(), &masterdatav1.ListUnitsRequest{})
	if err != nil || !slices.ContainsFunc(units.GetUnits(), func(u *masterdatav1.ListUnitsResponse_Unit) bool {
		return u.GetCode() == "KGM" && u.GetDimension() == "mass"
	}) {
		t.Error(units, err)
	}
	currencies, err := admin.ListCurrencies(t.Context(), &masterdatav1.ListCurrenciesRequest{})
	if err != nil || !slices.ContainsFunc(currencies.GetCurrencies(), func(c *masterdatav1.ListCurrenciesResponse_Currency) bool {
		return c.GetCode() == "JPY" && c.GetExponent() == 0
	}) {
		t.Error(currencies, err)
	}
	countries, err := admin.ListCountries(t.Context(), &masterdatav1.ListCountriesRequest{})
	if err != nil || len(countries.GetCountries()) != 249 {
		t.Error(len(countries.GetCountries()), err)
	}
}

// TestFactsForFollowers: Export yields one state-carrying fact a record, retired ones as
// retired; a put that changes nothing leaves no fact.
func TestFactsForFollowers(t *testing.T) {
	onEngines(t, func(t *testing.T, s *hosttest.Suite, c masterdatav1.MasterDataServiceClient) {
		for range 2 {
			if _, err := c.PutItem(t.Context(), &masterdatav1.PutItemRequest{Sku: "A", Item: item("A")}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := c.PutItem(t.Context(), &masterdatav1.PutItemRequest{Sku: "B", Item: item("B")}); err != nil {
			t.Fatal(err)
		}
		if _, err := c.RetireItem(t.Context(), &masterdatav1.RetireItemRequest{Sku: "B"}); err != nil {
			t.Fatal(err)
		}
		facts := commonv1.NewFactsServiceClient(s.Client(masterdata.Name, s.Service(masterdata.Name)))
		testkit.Eventually(t, patience, func() error {
			resp, err := facts.Export(t.Context(), &commonv1.ExportRequest{AggregateType: "item"})
			if err != nil {
				return err
			}
			got := map[string]string{}
			for _, f := range resp.GetFacts() {
				var m masterdatav1.ItemDefined // ItemRetired has the same fields
				if err := proto.Unmarshal(f.GetData(), &m); err != nil || m.GetItemId() != f.GetAggregateId() {
					return fmt.Errorf("%v: %w", f, err)
				}
				got[m.GetItem().GetSku()] = f.GetType()
			}
			if got["A"] != "lockstep.masterdata.v1.ItemDefined" || got["B"] != "lockstep.masterdata.v1.ItemRetired" || len(got) != 2 {
				return fmt.Errorf("exported %v", got)
			}
			return nil
		})
		all, err := facts.ListAggregateFacts(t.Context(), &commonv1.ListAggregateFactsRequest{AggregateType: "item", Tenant: s.Tenant, AggregateId: ident.Derive("itm", s.Tenant, "A")})
		if err != nil || len(all.GetFacts()) != 1 {
			t.Errorf("facts of an item put twice alike: %v, %v", all, err)
		}
	})
}

func TestAccess(t *testing.T) {
	hosttest.Serve(t, "sqlite", unit()).AccessMatrix(t, masterdata.Name, "testdata/access.md")
}

func TestReadmeIsTrue(t *testing.T) {
	hosttest.ConfigTable(t, "README.md", unit())
}
