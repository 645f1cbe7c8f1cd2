package domain

import "slices"

// Carrier moves goods and sells services.
type Carrier struct {
	Code     string    `bson:"k"` // SCAC, or the tenant's own
	Name     string    `bson:"n"`
	Party    string    `bson:"p,omitempty"` // code
	Services []Service `bson:"s,omitempty"`
}

// Service is one service that a carrier sells.
type Service struct {
	Code        string `bson:"k"`
	Name        string `bson:"n,omitempty"`
	Mode        string `bson:"m"` // name of the contract's TransportMode without its prefix
	TransitDays int32  `bson:"d,omitempty"`
}

// Key implements Value.
func (r Carrier) Key() string { return r.Code }

// Check implements Value.
func (r Carrier) Check() error {
	var c check
	c.code("code", r.Code)
	codes := unique{}
	for n, s := range r.Services {
		codes.add(&c, s.Code, at("services", n, "code"), "service "+s.Code)
	}
	return c.done()
}

// Sells reports whether the carrier has the service.
func (r Carrier) Sells(service string) bool {
	return slices.ContainsFunc(r.Services, func(s Service) bool { return s.Code == service })
}
