package adapter

import (
	"github.com/lockstep-logistics/lockstep/libs/protovalue"
	"github.com/lockstep-logistics/lockstep/libs/quantity"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	mdv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
	"github.com/lockstep-logistics/lockstep/services/master-data/internal/domain"
)

// optional converts what may be absent.
func optional[A, B any](a *A, f func(*A) B) *B {
	if a == nil {
		return nil
	}
	b := f(a)
	return &b
}

func itemFromProto(m *mdv1.Item) domain.Item {
	weight, _ := quantity.Parse(m.GetBaseWeightGrams()) // the contract's pattern allows nothing else but ""
	t := m.GetTracking()
	return domain.Item{
		SKU:         m.GetSku(),
		Name:        m.GetName(),
		BaseUnit:    m.GetBaseUnit(),
		BaseWeight:  weight,
		Base:        dimensionsFromProto(m.GetBaseDimensions()),
		CustomsCode: m.GetCustomsCode(),
		Origin:      m.GetCountryOfOrigin(),
		Tracking:    domain.Tracking{Lot: t.GetLot(), Serial: t.GetSerial(), Expiry: t.GetExpiry(), ShelfLifeDays: t.GetShelfLifeDays(), MinRemainingDays: t.GetMinRemainingDays()},
		Hazmat: optional(m.GetHazmat(), func(h *mdv1.Hazmat) domain.Hazmat {
			return domain.Hazmat{UNNumber: h.GetUnNumber(), Class: h.GetHazardClass(), PackingGroup: h.GetPackingGroup()}
		}),
		Packagings: protovalue.Each(m.GetPackagingUnits(), func(p *mdv1.PackagingUnit) domain.Packaging {
			return domain.Packaging{
				Unit:        p.GetUnit(),
				Ratio:       quantity.Ratio{Num: p.GetNumerator(), Den: p.GetDenominator()},
				GrossWeight: p.GetGrossWeightGrams(),
				Dimensions:  dimensionsFromProto(p.GetDimensions()),
			}
		}),
		Identifiers: protovalue.Each(m.GetIdentifiers(), func(i *mdv1.ItemIdentifier) domain.Identifier {
			return domain.Identifier{Type: domain.IdentifierType(protovalue.Name(i.GetType(), "IDENTIFIER_TYPE_")), Value: i.GetValue(), Party: i.GetPartyCode(), Unit: i.GetUnit()}
		}),
	}
}

func itemToProto(i domain.Item) *mdv1.Item {
	m := &mdv1.Item{
		Sku:             i.SKU,
		Name:            i.Name,
		BaseUnit:        i.BaseUnit,
		BaseDimensions:  dimensionsToProto(i.Base),
		CustomsCode:     i.CustomsCode,
		CountryOfOrigin: i.Origin,
		Tracking: &mdv1.TrackingPolicy{
			Lot: i.Tracking.Lot, Serial: i.Tracking.Serial, Expiry: i.Tracking.Expiry,
			ShelfLifeDays: i.Tracking.ShelfLifeDays, MinRemainingDays: i.Tracking.MinRemainingDays,
		},
		PackagingUnits: protovalue.Each(i.Packagings, func(p domain.Packaging) *mdv1.PackagingUnit {
			return &mdv1.PackagingUnit{
				Unit: p.Unit, Numerator: p.Ratio.Num, Denominator: p.Ratio.Den,
				GrossWeightGrams: p.GrossWeight, Dimensions: dimensionsToProto(p.Dimensions),
			}
		}),
		Identifiers: protovalue.Each(i.Identifiers, func(d domain.Identifier) *mdv1.ItemIdentifier {
			return &mdv1.ItemIdentifier{
				Type:  mdv1.IdentifierType(mdv1.IdentifierType_value["IDENTIFIER_TYPE_"+string(d.Type)]),
				Value: d.Value, PartyCode: d.Party, Unit: d.Unit,
			}
		}),
	}
	if !i.BaseWeight.IsZero() {
		m.BaseWeightGrams = i.BaseWeight.String()
	}
	if h := i.Hazmat; h != nil {
		m.Hazmat = &mdv1.Hazmat{UnNumber: h.UNNumber, HazardClass: h.Class, PackingGroup: h.PackingGroup}
	}
	return m
}

func dimensionsFromProto(m *mdv1.Dimensions) domain.Dimensions {
	return domain.Dimensions{Length: m.GetLengthMm(), Width: m.GetWidthMm(), Height: m.GetHeightMm()}
}

// dimensionsToProto leaves out what nobody measured.
func dimensionsToProto(d domain.Dimensions) *mdv1.Dimensions {
	if d == (domain.Dimensions{}) {
		return nil
	}
	return &mdv1.Dimensions{LengthMm: d.Length, WidthMm: d.Width, HeightMm: d.Height}
}

func partyFromProto(m *mdv1.Party) domain.Party {
	return domain.Party{
		Code:  m.GetCode(),
		Name:  m.GetName(),
		GLN:   m.GetGln(),
		Roles: protovalue.Each(m.GetRoles(), func(r mdv1.PartyRole) string { return protovalue.Name(r, "PARTY_ROLE_") }),
		Addresses: protovalue.Each(m.GetAddresses(), func(a *mdv1.PartyAddress) domain.PartyAddress {
			return domain.PartyAddress{Code: a.GetCode(), Address: addressFromProto(a.GetAddress()), GLN: a.GetGln(), Zone: a.GetTimeZone()}
		}),
	}
}

func partyToProto(p domain.Party) *mdv1.Party {
	return &mdv1.Party{
		Code:  p.Code,
		Name:  p.Name,
		Gln:   p.GLN,
		Roles: protovalue.Each(p.Roles, func(r string) mdv1.PartyRole { return mdv1.PartyRole(mdv1.PartyRole_value["PARTY_ROLE_"+r]) }),
		Addresses: protovalue.Each(p.Addresses, func(a domain.PartyAddress) *mdv1.PartyAddress {
			return &mdv1.PartyAddress{Code: a.Code, Address: addressToProto(a.Address), Gln: a.GLN, TimeZone: a.Zone}
		}),
	}
}

func addressFromProto(m *commonv1.Address) domain.Address {
	return domain.Address{
		Name: m.GetName(), Lines: protovalue.Each(m.GetLines(), func(s string) string { return s }), City: m.GetCity(),
		Region: m.GetRegion(), PostalCode: m.GetPostalCode(), Country: m.GetCountry(),
	}
}

func addressToProto(a domain.Address) *commonv1.Address {
	return &commonv1.Address{Name: a.Name, Lines: a.Lines, City: a.City, Region: a.Region, PostalCode: a.PostalCode, Country: a.Country}
}

// locationFromProto leaves Site to the use case: it comes from the parent.
func locationFromProto(m *mdv1.Location) domain.Location {
	return domain.Location{
		Code:        m.GetCode(),
		Name:        m.GetName(),
		Kind:        domain.Kind(protovalue.Name(m.GetKind(), "LOCATION_KIND_")),
		Parent:      m.GetParentCode(),
		TimeZone:    m.GetTimeZone(),
		UNLocode:    m.GetUnLocode(),
		Address:     optional(m.GetAddress(), addressFromProto),
		GLN:         m.GetGln(),
		DefaultSite: m.GetDefaultSite(),
		GS1Prefix:   m.GetGs1CompanyPrefix(),
		Latitude:    coordinate(m.GetLatitude()),
		Longitude:   coordinate(m.GetLongitude()),
	}
}

// coordinate writes degrees in the shortest form, so that equal ones are equal; the contract's
// pattern allows nothing but decimals and "".
func coordinate(text string) string {
	degrees, err := quantity.Parse(text)
	if err != nil {
		return text
	}
	return degrees.String()
}

func locationToProto(l domain.Location) *mdv1.Location {
	m := &mdv1.Location{
		Code:             l.Code,
		Name:             l.Name,
		Kind:             mdv1.LocationKind(mdv1.LocationKind_value["LOCATION_KIND_"+string(l.Kind)]),
		ParentCode:       l.Parent,
		TimeZone:         l.TimeZone,
		UnLocode:         l.UNLocode,
		Gln:              l.GLN,
		DefaultSite:      l.DefaultSite,
		Gs1CompanyPrefix: l.GS1Prefix,
		Latitude:         l.Latitude,
		Longitude:        l.Longitude,
	}
	if l.Address != nil {
		m.Address = addressToProto(*l.Address)
	}
	return m
}

func carrierFromProto(m *mdv1.Carrier) domain.Carrier {
	return domain.Carrier{
		Code:  m.GetCode(),
		Name:  m.GetName(),
		Party: m.GetPartyCode(),
		Services: protovalue.Each(m.GetServices(), func(s *mdv1.CarrierService) domain.Service {
			return domain.Service{Code: s.GetCode(), Name: s.GetName(), Mode: protovalue.Name(s.GetMode(), "TRANSPORT_MODE_"), TransitDays: s.GetTransitDays()}
		}),
	}
}

func carrierToProto(c domain.Carrier) *mdv1.Carrier {
	return &mdv1.Carrier{
		Code:      c.Code,
		Name:      c.Name,
		PartyCode: c.Party,
		Services: protovalue.Each(c.Services, func(s domain.Service) *mdv1.CarrierService {
			return &mdv1.CarrierService{Code: s.Code, Name: s.Name, Mode: mdv1.TransportMode(mdv1.TransportMode_value["TRANSPORT_MODE_"+s.Mode]), TransitDays: s.TransitDays}
		}),
	}
}

func tenantFromProto(m *mdv1.Tenant) domain.Tenant {
	return domain.Tenant{Name: m.GetName(), Currency: m.GetCurrency(), Country: m.GetCountry(), Zone: m.GetTimeZone()}
}

func tenantToProto(t domain.Tenant) *mdv1.Tenant {
	return &mdv1.Tenant{Name: t.Name, Currency: t.Currency, Country: t.Country, TimeZone: t.Zone}
}
