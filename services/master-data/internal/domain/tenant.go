package domain

import "github.com/lockstep-logistics/lockstep/libs/money"

// Tenant is the company's own record: the defaults that its documents take.
type Tenant struct {
	Name     string `bson:"n"`
	Currency string `bson:"c"` // ISO 4217
	Country  string `bson:"o"` // ISO 3166-1 alpha-2
	Zone     string `bson:"z"` // IANA
}

// Key implements Value: a tenant has one record.
func (Tenant) Key() string { return "" }

// Check implements Value.
func (t Tenant) Check() error {
	var c check
	_, known := money.Exponent(t.Currency)
	c.that(known, "currency", "CURRENCY_UNKNOWN", "%q is no ISO 4217 code", t.Currency)
	c.country("country", t.Country)
	c.zone("time_zone", t.Zone)
	return c.done()
}
