package adapter

import (
	"context"

	"github.com/lockstep-logistics/lockstep/libs/clock"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/money"
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	"github.com/lockstep-logistics/lockstep/libs/store"
	mdv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
	"github.com/lockstep-logistics/lockstep/services/master-data/internal/app"
	"github.com/lockstep-logistics/lockstep/services/master-data/internal/domain"
)

// Server implements MasterDataService.
type Server struct {
	mdv1.UnimplementedMasterDataServiceServer
	items      *app.Registry[domain.Item]
	parties    app.Parties
	locations  app.Locations
	carriers   *app.Registry[domain.Carrier]
	tenants    *app.Registry[domain.Tenant]
	owners     *app.Owners
	references app.References
	calendars  *app.Registry[domain.Calendar]
	cutOffs    app.CutOffs
	codeLists  app.CodeLists
	apiKeys    app.APIKeys
	Changes    app.Changes // its sweep is the service's
	now        clock.Clock
	parallel   int // items of one batch at a time
}

// PutItem creates or replaces an item.
func (s *Server) PutItem(ctx context.Context, req *mdv1.PutItemRequest) (*mdv1.PutItemResponse, error) {
	item := itemFromProto(req.GetItem())
	if err := sameCode("item.sku", req.GetSku(), &item.SKU); err != nil {
		return nil, err
	}
	receipt, err := s.items.Put(ctx, item)
	if err != nil {
		return nil, under("item", err)
	}
	return &mdv1.PutItemResponse{Receipt: guard.Receipt(ctx, receipt)}, nil
}

// BatchPutItems creates or replaces items, each on its own.
func (s *Server) BatchPutItems(ctx context.Context, req *mdv1.BatchPutItemsRequest) (*mdv1.BatchPutItemsResponse, error) {
	ctx, err := s.owners.Prepared(ctx, "ITEM")
	if err != nil {
		return nil, err
	}
	results, err := itemResults(ctx, "items", app.Batch(ctx, s.parallel, protovalue.Each(req.GetItems(), itemFromProto), app.Unranked, s.items.Put))
	return &mdv1.BatchPutItemsResponse{Results: results}, err
}

// RetireItem takes an item out of use.
func (s *Server) RetireItem(ctx context.Context, req *mdv1.RetireItemRequest) (*mdv1.RetireItemResponse, error) {
	receipt, err := app.Retire(ctx, s.Changes.Documents, s.items, req.GetSku(), req.GetAllowOpenDocuments())
	return &mdv1.RetireItemResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// GetItem returns an item.
func (s *Server) GetItem(ctx context.Context, req *mdv1.GetItemRequest) (*mdv1.GetItemResponse, error) {
	view, err := s.items.Get(ctx, req.GetSku())
	return &mdv1.GetItemResponse{Item: itemRecord(view)}, err
}

// ListItems pages items.
func (s *Server) ListItems(ctx context.Context, req *mdv1.ListItemsRequest) (*mdv1.ListItemsResponse, error) {
	q := query(req)
	if req.GetIdentifier() != "" {
		q.Index, q.Key = indexName, req.GetIdentifier()
	}
	page, err := s.items.List(ctx, q)
	return &mdv1.ListItemsResponse{Items: protovalue.Each(page.Items, itemRecord), NextPageToken: page.NextToken, AsOfTime: protovalue.Time(page.AsOf)}, err
}

// PutParty creates or replaces a party.
func (s *Server) PutParty(ctx context.Context, req *mdv1.PutPartyRequest) (*mdv1.PutPartyResponse, error) {
	party := partyFromProto(req.GetParty())
	if err := sameCode("party.code", req.GetCode(), &party.Code); err != nil {
		return nil, err
	}
	receipt, err := s.parties.Put(ctx, party)
	if err != nil {
		return nil, under("party", err)
	}
	return &mdv1.PutPartyResponse{Receipt: guard.Receipt(ctx, receipt)}, nil
}

// BatchPutParties creates or replaces parties, each on its own.
func (s *Server) BatchPutParties(ctx context.Context, req *mdv1.BatchPutPartiesRequest) (*mdv1.BatchPutPartiesResponse, error) {
	ctx, err := s.owners.Prepared(ctx, "PARTY")
	if err != nil {
		return nil, err
	}
	results, err := itemResults(ctx, "parties", app.Batch(ctx, s.parallel, protovalue.Each(req.GetParties(), partyFromProto), app.Unranked, s.parties.Put))
	return &mdv1.BatchPutPartiesResponse{Results: results}, err
}

// RetireParty takes a party out of use.
func (s *Server) RetireParty(ctx context.Context, req *mdv1.RetirePartyRequest) (*mdv1.RetirePartyResponse, error) {
	receipt, err := app.Retire(ctx, s.Changes.Documents, s.parties.Registry, req.GetCode(), req.GetAllowOpenDocuments())
	return &mdv1.RetirePartyResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// GetParty returns a party.
func (s *Server) GetParty(ctx context.Context, req *mdv1.GetPartyRequest) (*mdv1.GetPartyResponse, error) {
	view, err := s.parties.Get(ctx, req.GetCode())
	return &mdv1.GetPartyResponse{Party: partyRecord(view)}, err
}

// ListParties pages parties.
func (s *Server) ListParties(ctx context.Context, req *mdv1.ListPartiesRequest) (*mdv1.ListPartiesResponse, error) {
	q := query(req)
	if role := protovalue.Name(req.GetRole(), "PARTY_ROLE_"); role != "" {
		q.Index, q.Key = indexRole, role
	}
	page, err := s.parties.List(ctx, q)
	return &mdv1.ListPartiesResponse{Parties: protovalue.Each(page.Items, partyRecord), NextPageToken: page.NextToken, AsOfTime: protovalue.Time(page.AsOf)}, err
}

// PutLocation creates or replaces a location.
func (s *Server) PutLocation(ctx context.Context, req *mdv1.PutLocationRequest) (*mdv1.PutLocationResponse, error) {
	location := locationFromProto(req.GetLocation())
	if err := sameCode("location.code", req.GetCode(), &location.Code); err != nil {
		return nil, err
	}
	receipt, err := s.locations.Put(ctx, location)
	if err != nil {
		return nil, under("location", err)
	}
	return &mdv1.PutLocationResponse{Receipt: guard.Receipt(ctx, receipt)}, nil
}

// BatchPutLocations creates or replaces locations, each on its own, sites first.
func (s *Server) BatchPutLocations(ctx context.Context, req *mdv1.BatchPutLocationsRequest) (*mdv1.BatchPutLocationsResponse, error) {
	ctx, err := s.owners.Prepared(ctx, "LOCATION")
	if err != nil {
		return nil, err
	}
	results, err := itemResults(ctx, "locations", app.Batch(ctx, s.parallel, protovalue.Each(req.GetLocations(), locationFromProto), app.LocationRank, s.locations.Put))
	return &mdv1.BatchPutLocationsResponse{Results: results}, err
}

// RetireLocation takes a location out of use.
func (s *Server) RetireLocation(ctx context.Context, req *mdv1.RetireLocationRequest) (*mdv1.RetireLocationResponse, error) {
	receipt, err := app.Retire(ctx, s.Changes.Documents, s.locations.Registry, req.GetCode(), req.GetAllowOpenDocuments())
	return &mdv1.RetireLocationResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// GetLocation returns a location.
func (s *Server) GetLocation(ctx context.Context, req *mdv1.GetLocationRequest) (*mdv1.GetLocationResponse, error) {
	view, err := s.locations.Get(ctx, req.GetCode())
	return &mdv1.GetLocationResponse{Location: locationRecord(view)}, err
}

// ListLocations pages locations.
func (s *Server) ListLocations(ctx context.Context, req *mdv1.ListLocationsRequest) (*mdv1.ListLocationsResponse, error) {
	q := query(req)
	switch kind := protovalue.Name(req.GetKind(), "LOCATION_KIND_"); {
	case req.GetSiteCode() != "":
		q.Index, q.Key = indexSite, req.GetSiteCode()
	case kind != "":
		q.Index, q.Key = indexKind, kind
	}
	page, err := s.locations.List(ctx, q)
	return &mdv1.ListLocationsResponse{Locations: protovalue.Each(page.Items, locationRecord), NextPageToken: page.NextToken, AsOfTime: protovalue.Time(page.AsOf)}, err
}

// PutCarrier creates or replaces a carrier.
func (s *Server) PutCarrier(ctx context.Context, req *mdv1.PutCarrierRequest) (*mdv1.PutCarrierResponse, error) {
	carrier := carrierFromProto(req.GetCarrier())
	if err := sameCode("carrier.code", req.GetCode(), &carrier.Code); err != nil {
		return nil, err
	}
	receipt, err := s.carriers.Put(ctx, carrier)
	if err != nil {
		return nil, under("carrier", err)
	}
	return &mdv1.PutCarrierResponse{Receipt: guard.Receipt(ctx, receipt)}, nil
}

// BatchPutCarriers creates or replaces carriers, each on its own.
func (s *Server) BatchPutCarriers(ctx context.Context, req *mdv1.BatchPutCarriersRequest) (*mdv1.BatchPutCarriersResponse, error) {
	ctx, err := s.owners.Prepared(ctx, "CARRIER")
	if err != nil {
		return nil, err
	}
	results, err := itemResults(ctx, "carriers", app.Batch(ctx, s.parallel, protovalue.Each(req.GetCarriers(), carrierFromProto), app.Unranked, s.carriers.Put))
	return &mdv1.BatchPutCarriersResponse{Results: results}, err
}

// RetireCarrier takes a carrier out of use.
func (s *Server) RetireCarrier(ctx context.Context, req *mdv1.RetireCarrierRequest) (*mdv1.RetireCarrierResponse, error) {
	receipt, err := app.Retire(ctx, s.Changes.Documents, s.carriers, req.GetCode(), req.GetAllowOpenDocuments())
	return &mdv1.RetireCarrierResponse{Receipt: guard.Receipt(ctx, receipt)}, err
}

// GetCarrier returns a carrier.
func (s *Server) GetCarrier(ctx context.Context, req *mdv1.GetCarrierRequest) (*mdv1.GetCarrierResponse, error) {
	view, err := s.carriers.Get(ctx, req.GetCode())
	return &mdv1.GetCarrierResponse{Carrier: carrierRecord(view)}, err
}

// ListCarriers pages carriers.
func (s *Server) ListCarriers(ctx context.Context, req *mdv1.ListCarriersRequest) (*mdv1.ListCarriersResponse, error) {
	page, err := s.carriers.List(ctx, query(req))
	return &mdv1.ListCarriersResponse{Carriers: protovalue.Each(page.Items, carrierRecord), NextPageToken: page.NextToken, AsOfTime: protovalue.Time(page.AsOf)}, err
}

// PutTenant creates or replaces the tenant's own record.
func (s *Server) PutTenant(ctx context.Context, req *mdv1.PutTenantRequest) (*mdv1.PutTenantResponse, error) {
	receipt, err := s.tenants.Put(ctx, tenantFromProto(req.GetTenant()))
	if err != nil {
		return nil, under("tenant", err)
	}
	return &mdv1.PutTenantResponse{Receipt: guard.Receipt(ctx, receipt)}, nil
}

// GetTenant returns the tenant's own record.
func (s *Server) GetTenant(ctx context.Context, _ *mdv1.GetTenantRequest) (*mdv1.GetTenantResponse, error) {
	view, err := s.tenants.Get(ctx, "")
	return &mdv1.GetTenantResponse{TenantId: view.ID, Tenant: tenantToProto(view.State.Value), Etag: view.ETag}, err
}

// ListUnits lists the units of measure.
func (s *Server) ListUnits(context.Context, *mdv1.ListUnitsRequest) (*mdv1.ListUnitsResponse, error) {
	return &mdv1.ListUnitsResponse{Units: protovalue.Each(quantity.Units(), func(u quantity.UnitInfo) *mdv1.ListUnitsResponse_Unit {
		return &mdv1.ListUnitsResponse_Unit{
			Code: u.Code, Name: u.Name, Dimension: string(u.Dimension), FactorNumerator: u.Factor.Num, FactorDenominator: u.Factor.Den,
		}
	})}, nil
}

// ListCurrencies lists the currencies.
func (s *Server) ListCurrencies(context.Context, *mdv1.ListCurrenciesRequest) (*mdv1.ListCurrenciesResponse, error) {
	return &mdv1.ListCurrenciesResponse{Currencies: protovalue.Each(money.Currencies(), func(code string) *mdv1.ListCurrenciesResponse_Currency {
		exponent, _ := money.Exponent(code)
		return &mdv1.ListCurrenciesResponse_Currency{Code: code, Exponent: int32(exponent)}
	})}, nil
}

// ListCountries lists the countries.
func (s *Server) ListCountries(context.Context, *mdv1.ListCountriesRequest) (*mdv1.ListCountriesResponse, error) {
	return &mdv1.ListCountriesResponse{Countries: protovalue.Each(domain.Countries(), func(c domain.Country) *mdv1.ListCountriesResponse_Country {
		return &mdv1.ListCountriesResponse_Country{Code: c.Code, Name: c.Name}
	})}, nil
}

// paged is a List request.
type paged interface {
	GetPageSize() int32
	GetPageToken() string
}

func query(req paged) store.Query {
	return store.Query{PageSize: int(req.GetPageSize()), PageToken: req.GetPageToken()}
}
